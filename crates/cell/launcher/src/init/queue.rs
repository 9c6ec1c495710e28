//! Frames on their way out through a socket that may not take them now.
//!
//! A payload is held once, whether it waits here, is kept for later, or both. What the queue holds is counted, and
//! whoever fills it asks first whether it is full.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use protocol::{CallId, HEADER_LEN, Header, KernelId, Kind};

/// What a waiting frame costs beside its payload.
const ENTRY: usize = 128;
/// Frames given to the kernel at once.
const BATCH: usize = 32;

#[derive(Debug)]
struct Waiting {
    header: [u8; HEADER_LEN],
    payload: Rc<Vec<u8>>,
    /// They go with the frame's first byte.
    descriptors: Vec<OwnedFd>,
}

/// Frames that wait, in order.
#[derive(Debug, Default)]
pub(super) struct Queue {
    frames: VecDeque<Waiting>,
    /// Bytes of the first frame that are gone already.
    sent: usize,
    cost: usize,
}

impl Queue {
    /// What waits, bytes; each frame counts for a little more than it holds.
    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Appends a frame.
    pub(super) fn push(&mut self, kind: Kind, kernel: KernelId, call: CallId, payload: Rc<Vec<u8>>) {
        self.push_with(kind, kernel, call, payload, Vec::new());
    }

    /// Appends a frame that descriptors go with.
    pub(super) fn push_with(
        &mut self,
        kind: Kind,
        kernel: KernelId,
        call: CallId,
        payload: Rc<Vec<u8>>,
        descriptors: Vec<OwnedFd>,
    ) {
        let header = Header { kind, len: payload.len() as u32, kernel, call }.encode();
        self.cost += ENTRY + payload.len();
        self.frames.push_back(Waiting { header, payload, descriptors });
    }

    /// Writes as much as the socket takes now. An error means that the connection is broken.
    pub(super) fn flush(&mut self, socket: BorrowedFd) -> io::Result<()> {
        while !self.frames.is_empty() {
            let (offered, result) = self.offer(socket);
            match result {
                Ok(taken) => {
                    self.advance(taken);
                    if taken < offered {
                        // Another call would only be told to wait.
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Offers the first frames up to the next one that has descriptors; gives how many bytes that was.
    fn offer(&self, socket: BorrowedFd) -> (usize, io::Result<usize>) {
        let mut slices = [IoSlice::new(&[]); 2 * BATCH];
        let (mut count, mut offered, mut skip) = (0, 0, self.sent);
        for (index, frame) in self.frames.iter().take(BATCH).enumerate() {
            if index > 0 && !frame.descriptors.is_empty() {
                break;
            }
            for part in [&frame.header[..], frame.payload.as_slice()] {
                let rest = &part[skip.min(part.len())..];
                skip -= part.len() - rest.len();
                if !rest.is_empty() {
                    slices[count] = IoSlice::new(rest);
                    count += 1;
                    offered += rest.len();
                }
            }
        }
        let descriptors: Vec<BorrowedFd> = match self.frames.front() {
            Some(first) if self.sent == 0 => first.descriptors.iter().map(AsFd::as_fd).collect(),
            _ => Vec::new(),
        };
        (offered, sys::scm::send_vectored_with_fds(socket, &slices[..count], &descriptors))
    }

    fn advance(&mut self, mut taken: usize) {
        while let Some(first) = self.frames.front_mut() {
            let left = HEADER_LEN + first.payload.len() - self.sent;
            if taken < left {
                self.sent += taken;
                if self.sent > 0 {
                    first.descriptors.clear();
                }
                return;
            }
            taken -= left;
            self.cost -= ENTRY + first.payload.len();
            self.sent = 0;
            self.frames.pop_front();
        }
        // A burst must not hold its memory for the rest of the session.
        if self.frames.capacity() > 1024 {
            self.frames.shrink_to(64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{Decoder, Frame, Sender};
    use sys::ready::{self, Incoming};

    fn payload(index: usize) -> Vec<u8> {
        vec![index as u8; (index * 7919) % 30_000]
    }

    #[test]
    fn frames_arrive_whole_and_in_order_through_a_socket_that_takes_little() {
        let (here, there) = sys::scm::stream_pair().unwrap();
        ready::set_nonblocking(&here).unwrap();
        ready::set_nonblocking(&there).unwrap();
        let mut queue = Queue::default();
        let count = 200;
        for index in 0..count {
            let call = CallId(index as u128);
            queue.push(Kind::Stdout, KernelId(index as u32), call, Rc::new(payload(index)));
        }
        let mut decoder = Decoder::new(&[Sender::Kernel]);
        let (mut buffer, mut read, mut filled) = (vec![0; 5000], 0, false);
        while read < count {
            queue.flush(here.as_fd()).unwrap();
            filled |= !queue.is_empty();
            match ready::read(&there, &mut buffer).unwrap() {
                Incoming::Bytes(len) => decoder.feed(&buffer[..len]),
                other => panic!("{other:?} after {read} frames"),
            }
            while let Some(frame) = decoder.next_frame().unwrap() {
                let expected = Frame::new(Kind::Stdout, payload(read))
                    .kernel(KernelId(read as u32))
                    .call(CallId(read as u128));
                assert_eq!(frame, expected);
                read += 1;
            }
        }
        assert!(filled, "the socket took everything at once, so nothing was tried");
        assert_eq!((queue.cost(), queue.is_empty()), (0, true));
    }

    #[test]
    fn descriptors_go_with_their_frame() {
        let (here, there) = sys::scm::stream_pair().unwrap();
        let mut queue = Queue::default();
        let empty = || Rc::new(Vec::new());
        queue.push(Kind::Stdout, KernelId(1), CallId(0), empty());
        for number in 2..4 {
            let (read, write) = ready::output_pipe().unwrap();
            queue.push_with(Kind::KernelEnds, KernelId(number), CallId(0), empty(), vec![read, write]);
        }
        queue.push(Kind::Stdout, KernelId(4), CallId(0), empty());
        queue.flush(here.as_fd()).unwrap();
        assert!(queue.is_empty());
        let (mut read, mut arrived) = (0, Vec::new());
        while read < 4 * HEADER_LEN {
            let (len, fds, _) = sys::scm::recv_with_fds(&there, &mut [0; 1024]).unwrap();
            arrived.extend(fds.iter().map(|_| (read, read + len)));
            read += len;
        }
        // Each pair came with a read that holds its frame's first byte.
        let holds = |(from, to): (usize, usize), frame: usize| (from..to).contains(&(frame * HEADER_LEN));
        assert_eq!(arrived.len(), 4);
        assert!(holds(arrived[0], 1) && holds(arrived[1], 1), "{arrived:?}");
        assert!(holds(arrived[2], 2) && holds(arrived[3], 2), "{arrived:?}");
    }

    #[test]
    fn a_broken_connection_is_told() {
        let (here, there) = sys::scm::stream_pair().unwrap();
        drop(there);
        let mut queue = Queue::default();
        queue.push(Kind::Stdout, KernelId(1), CallId(0), Rc::new(vec![1]));
        assert!(queue.flush(here.as_fd()).is_err());
    }
}
