//! What a kernel says: frames, judged by what may come when.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use protocol::{CallId, Decoder, Frame, Kind, Sender};
use sys::ready::{self, Incoming};
use sys::{process, scm};

use super::{Link, State};
use crate::init::ending::Ending;
use crate::init::queue::Queue;
use crate::init::relay::Relay;

impl Link {
    /// Reads its socket once.
    pub(in crate::init) fn read_socket(&mut self, relay: &mut Relay, scratch: &mut [u8], now: Instant) {
        let Some(socket) = &self.socket else { return };
        let (incoming, sender) = match self.state {
            State::Waiting => receive(socket.as_fd(), scratch),
            State::Idle | State::Running(_) | State::Ending(..) => {
                (ready::read(socket, scratch).unwrap_or(Incoming::End), None)
            }
        };
        match incoming {
            Incoming::Nothing => {}
            Incoming::Bytes(len) => {
                self.decoder.feed(&scratch[..len]);
                self.take_frames(sender, relay, scratch, now);
            }
            Incoming::End => {
                self.close_socket();
                let leader = self.leader;
                match self.state {
                    State::Waiting | State::Idle => {
                        self.state = State::Ending(CallId::NONE, Ending::leave(leader, now));
                    }
                    State::Running(call) => self.state = State::Ending(call, Ending::leave(leader, now)),
                    State::Ending(..) => {}
                }
            }
        }
    }

    fn close_socket(&mut self) {
        self.socket = None;
        self.run = Queue::default();
        self.decoder = Decoder::new(&[Sender::Kernel]);
    }

    fn take_frames(
        &mut self,
        sender: Option<scm::Credentials>,
        relay: &mut Relay,
        scratch: &mut [u8],
        now: Instant,
    ) {
        loop {
            let taken = match self.decoder.next_frame() {
                Ok(None) => return,
                Ok(Some(frame)) => self.take(frame, sender, relay, scratch),
                Err(error) => Err(format!("failed to {error}")),
            };
            if let Err(sentence) = taken {
                self.break_off(&sentence, relay, now);
                return;
            }
        }
    }

    /// Takes one frame. An error is a sentence on what no kernel of ours does.
    fn take(
        &mut self,
        frame: Frame,
        sender: Option<scm::Credentials>,
        relay: &mut Relay,
        scratch: &mut [u8],
    ) -> Result<(), String> {
        let call = self.call();
        match (&self.state, frame.kind) {
            (State::Waiting, Kind::Ready) => self.greet(sender, frame.payload, relay),
            (State::Waiting, kind) => Err(format!("its first frame is {kind:?} and not Ready")),
            (State::Idle | State::Running(_), Kind::Ready) => {
                Err("it said twice that it is ready".to_owned())
            }
            // Too late: it was killed on its way here.
            (State::Ending(..), Kind::Ready) => Ok(()),
            (_, Kind::Stdout | Kind::Stderr | Kind::Display | Kind::Result) => {
                // It may only say that something is not the call's own.
                let call = if frame.call == CallId::NONE { CallId::NONE } else { call };
                relay.output(self.id, call, frame.kind, frame.payload);
                Ok(())
            }
            (_, Kind::Done) if call == CallId::NONE => Ok(()),
            (_, Kind::Done) if !self.run.is_empty() => {
                Err("it ended a call before it had read it".to_owned())
            }
            (_, Kind::Done) => {
                if std::mem::take(&mut self.interrupted) {
                    // A shell holds signals off while it forks: what it was about to start then has not been seen.
                    self.interrupt_children();
                }
                self.drain_pipes(relay, scratch);
                relay.end(self.id, call, Kind::Done, frame.payload);
                match &mut self.state {
                    State::Ending(call, _) => *call = CallId::NONE,
                    state => *state = State::Idle,
                }
                Ok(())
            }
            // The decoder lets no other kind through.
            (_, kind) => Err(format!("{kind:?} may not come from a kernel")),
        }
    }

    /// It says that it is ready: learns which process it is.
    fn greet(
        &mut self,
        sender: Option<scm::Credentials>,
        payload: Vec<u8>,
        relay: &mut Relay,
    ) -> Result<(), String> {
        let sender = sender.ok_or("its first frame has no sender")?;
        if sender.pid == 0 || sender.pid == process::own_pid() {
            return Err(format!("process {} of the cell cannot be a kernel", sender.pid));
        }
        if (sender.uid, sender.gid) != self.user {
            return Err(format!("it runs as user {} and group {}", sender.uid, sender.gid));
        }
        if self.leader.is_some_and(|started| started != sender.pid) {
            return Err(format!("process {} speaks for it", sender.pid));
        }
        let pidfd =
            process::pidfd(sender.pid).map_err(|error| format!("failed to find its process: {error}"))?;
        if let Some(socket) = &self.socket {
            // Without it a read costs less; if it stays on, that is all.
            let _ = scm::pass_credentials(socket, false);
        }
        self.leader = Some(sender.pid);
        self.pidfd = Some(pidfd);
        self.state = State::Idle;
        relay.tell(Kind::KernelReady, self.id, CallId::NONE, payload);
        Ok(())
    }

    /// It broke the protocol: nothing it says is heard any more.
    fn break_off(&mut self, sentence: &str, relay: &mut Relay, now: Instant) {
        relay.output(self.id, self.call(), Kind::Broken, sentence.as_bytes().to_vec());
        self.close_socket();
        self.kill(now);
    }

    /// Takes what is in the socket now, and not what a process that was overlooked goes on writing.
    pub(super) fn drain_socket(&mut self, relay: &mut Relay, scratch: &mut [u8], now: Instant) {
        let mut left = self.socket.as_ref().and_then(|socket| ready::waiting(socket).ok()).unwrap_or(0);
        while left > 0 && self.socket.is_some() {
            let pending = self.socket.as_ref().and_then(|socket| ready::waiting(socket).ok()).unwrap_or(0);
            if pending == 0 {
                return;
            }
            left = left.saturating_sub(pending.min(scratch.len()));
            self.read_socket(relay, scratch, now);
        }
    }
}

/// Reads with the sender's credentials. Descriptors that come along are closed: no kernel of ours sends any.
fn receive(socket: BorrowedFd, scratch: &mut [u8]) -> (Incoming, Option<scm::Credentials>) {
    match scm::recv_with_fds(socket, scratch) {
        Ok((0, _, _)) => (Incoming::End, None),
        Ok((len, _, credentials)) => (Incoming::Bytes(len), credentials),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => (Incoming::Nothing, None),
        Err(_) => (Incoming::End, None),
    }
}
