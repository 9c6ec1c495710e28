//! A command: a program that runs beside the kernels, in a session of its own.
//!
//! ```text
//!   starting ──execution──▶ running ──death, kill──▶ ending ──nothing left──▶ gone
//!      └──no such program──▶ gone
//! ```
//!
//! A command ends when its first process does. What that one started in its session ends with it, and what was written
//! until then is told; a pipe that somebody still holds open delays nothing.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use protocol::{CallId, KernelId, Kind, RefusedReason, WaitStatus};
use sys::process::{self, Signal};
use sys::spawn::{Program, Progress};

use super::ending::Ending;
use super::link::Fate;
use super::pipes::{Pipes, Stream};
use super::relay::Relay;
use super::{Child, Starter};

#[derive(Debug)]
enum State {
    /// Not known yet whether the program could be run.
    Starting(OwnedFd),
    Running,
    Ending(Ending),
}

/// A command.
#[derive(Debug)]
pub(super) struct Command {
    call: CallId,
    leader: u32,
    pipes: Pipes,
    state: State,
}

impl Command {
    /// Starts it, in this directory if there is one.
    pub(super) fn start(
        call: CallId,
        program: &Program,
        directory: Option<BorrowedFd>,
        starter: &Starter,
    ) -> io::Result<Command> {
        let (pipes, [stdout, stderr]) = Pipes::new()?;
        let Child { pid, progress } = starter.spawn(program, &[stdout.as_fd(), stderr.as_fd()], directory)?;
        Ok(Command { call, leader: pid, pipes, state: State::Starting(progress) })
    }

    pub(super) fn call(&self) -> CallId {
        self.call
    }

    pub(super) fn leader(&self) -> u32 {
        self.leader
    }

    pub(super) fn pipes(&self) -> impl Iterator<Item = (Stream, &OwnedFd)> {
        self.pipes.open()
    }

    pub(super) fn progress(&self) -> Option<&OwnedFd> {
        match &self.state {
            State::Starting(progress) => Some(progress),
            State::Running | State::Ending(_) => None,
        }
    }

    /// Interrupts its process group.
    pub(super) fn interrupt(&self) {
        match self.state {
            // It has not been reaped, so its id means nobody else.
            State::Starting(_) | State::Running => {
                let _ = process::signal_group(self.leader, Signal::Interrupt);
            }
            State::Ending(_) => {}
        }
    }

    /// Ends it and all that it started.
    pub(super) fn kill(&mut self, now: Instant) {
        match &mut self.state {
            State::Starting(_) | State::Running => {
                self.state = State::Ending(Ending::kill(Some(self.leader), now));
            }
            State::Ending(ending) => ending.hurry(now),
        }
    }

    pub(super) fn read_pipe(&mut self, stream: Stream, relay: &mut Relay, scratch: &mut [u8]) {
        let call = self.call;
        self.pipes.read(stream, scratch, &mut |kind, bytes| relay.output(KernelId::NONE, call, kind, bytes));
    }

    /// Looks whether the program came to run.
    pub(super) fn follow(&mut self, relay: &mut Relay) -> Fate {
        let State::Starting(progress) = &self.state else { return Fate::Stays };
        match sys::spawn::progress(progress) {
            Ok(Progress::Starting) => Fate::Stays,
            Ok(Progress::Started) | Err(_) => {
                self.state = State::Running;
                Fate::Stays
            }
            Ok(Progress::Failed(step, error)) => {
                relay.calls.did_not_start(self.call);
                let detail = format!("{}: {error}", step.name());
                relay.refuse(KernelId::NONE, self.call, RefusedReason::SpawnFailed, &detail);
                Fate::Gone
            }
        }
    }

    /// Its first process has ended, with this status.
    pub(super) fn reaped(&mut self, status: WaitStatus, relay: &mut Relay, now: Instant) -> Fate {
        if let Fate::Gone = self.follow(relay) {
            return Fate::Gone;
        }
        match &mut self.state {
            State::Starting(_) | State::Running => {
                self.state = State::Ending(Ending::after(self.leader, status, now));
            }
            State::Ending(ending) => ending.reaped(status, now),
        }
        Fate::Stays
    }

    /// Some child of init has ended, perhaps one that this command's end waits for.
    pub(super) fn child_ended(&mut self, now: Instant) {
        if let State::Ending(ending) = &mut self.state {
            ending.child_ended(now);
        }
    }

    /// When to call [`Command::on_time`] next.
    pub(super) fn next(&self) -> Option<Instant> {
        match &self.state {
            State::Starting(_) | State::Running => None,
            State::Ending(ending) => ending.next(),
        }
    }

    pub(super) fn on_time(&mut self, now: Instant) {
        if let State::Ending(ending) = &mut self.state {
            ending.on_time(now);
        }
    }

    /// Tells the daemon of a command of which nothing is left, with what it wrote last.
    pub(super) fn finish(&mut self, relay: &mut Relay, scratch: &mut [u8]) -> Fate {
        let status = match &self.state {
            State::Ending(ending) => ending.over(),
            State::Starting(_) | State::Running => None,
        };
        let Some(status) = status else { return Fate::Stays };
        let call = self.call;
        self.pipes.drain(scratch, |kind, bytes| relay.output(KernelId::NONE, call, kind, bytes));
        relay.end(KernelId::NONE, call, Kind::CommandExited, status.encode());
        Fate::Gone
    }
}
