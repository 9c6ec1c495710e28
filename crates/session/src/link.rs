//! The connection to a cell's init.
//!
//! **Invariants.** Nothing here waits to write: what the socket does not take at once is kept and goes out while the
//! session's task waits for input, so that two full sockets cannot hold each other. Descriptors are kept in the order
//! in which they came and belong to the messages that name them.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdStream;

use protocol::{Decoder, Frame, FrameError, Sender};
use tokio::io::Interest;
use tokio::net::UnixStream;

/// Why a connection has no use any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("the connection to init is closed")]
    Closed,
    #[error("read from init")]
    Io(#[from] io::Error),
    #[error("understand init")]
    Frame(#[from] FrameError),
}

/// How many bytes are read at once. A socket's own buffer is not much larger.
const READ: usize = 64 << 10;

/// A connection to init.
#[derive(Debug)]
pub(crate) struct Link {
    stream: UnixStream,
    decoder: Decoder,
    descriptors: VecDeque<OwnedFd>,
    buffer: Box<[u8]>,
    unsent: Vec<u8>,
}

impl Link {
    /// Takes over a connection.
    pub(crate) fn new(stream: StdStream) -> io::Result<Link> {
        stream.set_nonblocking(true)?;
        Ok(Link {
            stream: UnixStream::from_std(stream)?,
            decoder: Decoder::new(&[Sender::Init, Sender::Kernel]),
            descriptors: VecDeque::new(),
            buffer: vec![0; READ].into_boxed_slice(),
            unsent: Vec::new(),
        })
    }

    /// Sends a frame, or keeps what cannot be sent now. A connection that broke is noticed when it is read.
    pub(crate) fn send(&mut self, frame: &Frame) {
        frame.encode_into(&mut self.unsent);
        self.flush();
    }

    fn flush(&mut self) {
        let mut sent = 0;
        while sent < self.unsent.len() {
            match self.stream.try_write(&self.unsent[sent..]) {
                Ok(n) => sent += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => {
                    self.unsent.clear();
                    return;
                }
            }
        }
        self.unsent.drain(..sent);
        // One large program must not hold its memory for the rest of the session.
        self.unsent.shrink_to(READ);
    }

    /// Waits until something was read. May be given up at any time without losing anything.
    pub(crate) async fn fill(&mut self) -> Result<(), LinkError> {
        loop {
            let interest = if self.unsent.is_empty() {
                Interest::READABLE
            } else {
                Interest::READABLE | Interest::WRITABLE
            };
            let ready = self.stream.ready(interest).await?;
            if ready.is_writable() && !self.unsent.is_empty() {
                self.flush();
            }
            if ready.is_readable() && self.try_fill()? {
                return Ok(());
            }
        }
    }

    /// Reads what is there; whether there was anything.
    pub(crate) fn try_fill(&mut self) -> Result<bool, LinkError> {
        let Link { stream, buffer, .. } = self;
        match stream.try_io(Interest::READABLE, || sys::scm::recv_with_fds(&*stream, buffer)) {
            Ok((0, ..)) => Err(LinkError::Closed),
            Ok((read, descriptors, _)) => {
                self.descriptors.extend(descriptors);
                self.decoder.feed(&self.buffer[..read]);
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The next frame of what was read.
    pub(crate) fn next_frame(&mut self) -> Result<Option<Frame>, LinkError> {
        Ok(self.decoder.next_frame()?)
    }

    /// The three descriptors that came with a frame that names them.
    pub(crate) fn take_ends(&mut self) -> Option<[OwnedFd; 3]> {
        if self.descriptors.len() < 3 {
            return None;
        }
        self.descriptors.drain(..3).collect::<Vec<_>>().try_into().ok()
    }

    /// The one descriptor that came with a frame that names it.
    pub(crate) fn take_descriptor(&mut self) -> Option<OwnedFd> {
        self.descriptors.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::fd::AsFd;

    use protocol::{CallId, KernelId, Kind};

    use super::*;

    fn pair() -> (Link, StdStream) {
        let (here, there) = StdStream::pair().unwrap();
        (Link::new(here).unwrap(), there)
    }

    #[tokio::test]
    async fn frames_come_whole_however_they_are_cut() {
        let (mut link, mut init) = pair();
        let frame = Frame::new(Kind::Stdout, vec![7; 1000]).kernel(KernelId(1)).call(CallId(2));
        let bytes = frame.encode();
        for piece in bytes.chunks(300) {
            assert!(link.next_frame().unwrap().is_none());
            init.write_all(piece).unwrap();
            link.fill().await.unwrap();
        }
        assert_eq!(link.next_frame().unwrap(), Some(frame));
        drop(init);
        assert!(matches!(link.fill().await, Err(LinkError::Closed)));
    }

    #[tokio::test]
    async fn a_full_socket_keeps_nobody_waiting() {
        let (mut link, mut init) = pair();
        let frame = Frame::new(Kind::Execute, vec![1; 4 << 20]);
        link.send(&frame);
        let length = frame.encode().len();
        let reader = std::thread::spawn(move || {
            let mut bytes = vec![0; length];
            init.read_exact(&mut bytes).unwrap();
            init.write_all(&Frame::new(Kind::State, []).encode()).unwrap();
            bytes
        });
        link.fill().await.unwrap();
        assert_eq!(link.next_frame().unwrap().unwrap().kind, Kind::State);
        assert_eq!(reader.join().unwrap(), frame.encode());
    }

    #[tokio::test]
    async fn descriptors_are_kept_for_the_frame_that_names_them() {
        let (mut link, init) = pair();
        let frame = Frame::new(Kind::KernelEnds, []).encode();
        sys::scm::send_with_fds(&init, &frame, &[init.as_fd(), init.as_fd(), init.as_fd()]).unwrap();
        link.fill().await.unwrap();
        assert_eq!(link.next_frame().unwrap().unwrap().kind, Kind::KernelEnds);
        assert!(link.take_ends().is_some());
        assert!(link.take_ends().is_none());
    }

    #[tokio::test]
    async fn what_init_may_not_say_ends_the_connection() {
        let (mut link, mut init) = pair();
        init.write_all(&Frame::new(Kind::Hello, []).encode()).unwrap();
        link.fill().await.unwrap();
        assert!(matches!(link.next_frame(), Err(LinkError::Frame(_))));
    }
}
