//! A kernel, as init is linked to it: a socket for frames, two pipes for raw output, a process.
//!
//! ```text
//!   waiting ──Ready──▶ idle ──run──▶ running(call)
//!      │                │ ◀──Done──────┘  │
//!      │                │                 │     rubbish, kill: at once
//!      └────────────────┴─────────────────┘     end of the socket, death: see `ending`
//!                       ▼
//!                  ending(call) ──nothing left──▶ gone
//! ```
//!
//! A kernel runs hostile code in its own process, so its word counts for nothing: which call and which kernel a frame
//! belongs to is what init knows, and a frame that no kernel of ours would send ends it. Its process is the one whose
//! credentials came with its first frame, before any user code ran there. What it wrote before it ended a call, or
//! ended itself, is told before that end.

mod speech;

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::time::Instant;

use protocol::{CallId, Decoder, KernelId, KernelState, Kind, RefusedReason, Sender, WaitStatus};
use sys::process::{self, Signal};
use sys::ready;
use sys::scm;
use sys::spawn::{Program, Progress};

use super::ending::Ending;
use super::pipes::{Pipes, Stream};
use super::proc;
use super::queue::Queue;
use super::relay::Relay;
use super::{Child, Starter};

/// How often what a call started is looked for when it is interrupted.
const LOOKS: usize = 4;

#[derive(Debug)]
enum State {
    /// It has not said that it is ready.
    Waiting,
    /// It runs nothing.
    Idle,
    /// It runs this call.
    Running(CallId),
    /// It is on its way out; the call that it did not end, or none.
    Ending(CallId, Ending),
}

/// What remains of a link after something was done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It goes on.
    Stays,
    /// It is gone, and the daemon has been told.
    Gone,
}

/// A kernel.
#[derive(Debug)]
pub(super) struct Link {
    id: KernelId,
    /// The user and group that it must run as.
    user: (u32, u32),
    /// `None` once its other end is closed.
    socket: Option<OwnedFd>,
    decoder: Decoder,
    /// The one call on its way to the kernel, and that it is to be interrupted.
    run: Queue,
    pipes: Pipes,
    /// Tells whether a kernel that init started came to run.
    progress: Option<OwnedFd>,
    /// The id of its process, and of the session that it leads, once known.
    leader: Option<u32>,
    pidfd: Option<OwnedFd>,
    state: State,
    /// When it was given its last call: ticks, as `/proc` counts.
    began: u64,
    /// Whether the call that runs was interrupted.
    interrupted: bool,
}

/// The kernel's ends of a link: its socket, its stdout, its stderr.
#[derive(Debug)]
pub(super) struct KernelEnds(pub(super) [OwnedFd; 3]);

impl Link {
    /// A link to a kernel that is still to come, and the ends that it needs.
    pub(super) fn new(id: KernelId, user: (u32, u32)) -> io::Result<(Link, KernelEnds)> {
        let (socket, theirs) = scm::stream_pair()?;
        ready::set_nonblocking(&socket)?;
        scm::pass_credentials(&socket, true)?;
        let (pipes, [stdout, stderr]) = Pipes::new()?;
        let link = Link {
            id,
            user,
            socket: Some(socket),
            decoder: Decoder::new(&[Sender::Kernel]),
            run: Queue::default(),
            pipes,
            progress: None,
            leader: None,
            pidfd: None,
            state: State::Waiting,
            began: 0,
            interrupted: false,
        };
        Ok((link, KernelEnds([theirs, stdout, stderr])))
    }

    /// A link to a kernel that is started here, in the cell, from nothing.
    pub(super) fn start(id: KernelId, program: &Program, starter: &Starter) -> io::Result<Link> {
        let (mut link, KernelEnds([socket, stdout, stderr])) = Link::new(id, starter.user)?;
        let Child { pid, progress } =
            starter.spawn(program, &[stdout.as_fd(), stderr.as_fd(), socket.as_fd()], None)?;
        link.leader = Some(pid);
        link.progress = Some(progress);
        Ok(link)
    }

    pub(super) fn summary(&self) -> KernelState {
        let (ready, running) = match self.state {
            State::Waiting => (false, CallId::NONE),
            State::Idle => (true, CallId::NONE),
            State::Running(call) => (true, call),
            State::Ending(call, _) => (false, call),
        };
        KernelState { id: self.id, ready, running }
    }

    /// The call that it runs, or that it is ending in.
    fn call(&self) -> CallId {
        match self.state {
            State::Waiting | State::Idle => CallId::NONE,
            State::Running(call) | State::Ending(call, _) => call,
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting)
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.state, State::Running(_))
    }

    /// Its kernel and call, for something that happened to its process.
    pub(super) fn subject(&self) -> (KernelId, CallId) {
        (self.id, self.call())
    }

    pub(super) fn leader(&self) -> Option<u32> {
        self.leader
    }

    pub(super) fn pipes(&self) -> impl Iterator<Item = (Stream, &OwnedFd)> {
        self.pipes.open()
    }

    pub(super) fn progress(&self) -> Option<&OwnedFd> {
        self.progress.as_ref()
    }

    /// The socket, and whether something waits to be written to it.
    pub(super) fn socket(&self) -> Option<(&OwnedFd, bool)> {
        self.socket.as_ref().map(|socket| (socket, !self.run.is_empty()))
    }

    /// Whether a call could be given to it; the reason if not.
    pub(super) fn can_run(&self) -> Result<(), (RefusedReason, &'static str)> {
        match self.state {
            State::Idle => Ok(()),
            State::Waiting => Err((RefusedReason::NoKernel, "it is not ready")),
            State::Running(_) => Err((RefusedReason::Busy, "")),
            State::Ending(..) => Err((RefusedReason::NoKernel, "it is ending")),
        }
    }

    /// Gives it a call, if [`Link::can_run`] says so.
    pub(super) fn run(&mut self, call: CallId, payload: Vec<u8>) {
        self.run.push(Kind::Run, self.id, call, Rc::new(payload));
        self.state = State::Running(call);
        self.began = process::uptime_ticks();
        self.interrupted = false;
        self.flush();
    }

    /// Writes as much of the call as the kernel's socket takes now.
    pub(super) fn flush(&mut self) {
        if let Some(socket) = &self.socket
            && self.run.flush(socket.as_fd()).is_err()
        {
            // It does not read any more; that it is gone is told by reading.
            self.run = Queue::default();
        }
    }

    /// Interrupts this call; says whether it runs here.
    ///
    /// As on a terminal, what the call started is interrupted too, if it is still in the kernel's process group: a
    /// shell's commands would go on else. What earlier calls started lives on, a server for example.
    pub(super) fn interrupt(&mut self, call: CallId) -> bool {
        match (&self.state, &self.pidfd) {
            (State::Running(running), Some(pidfd)) if *running == call => {
                // A kernel that has just ended needs no interruption.
                let _ = process::signal(pidfd, Signal::Interrupt);
                self.interrupted = true;
                self.run.push(Kind::Cancel, self.id, call, Rc::new(Vec::new()));
                self.flush();
                self.interrupt_children();
                true
            }
            (State::Waiting | State::Idle | State::Running(_) | State::Ending(..), _) => false,
        }
    }

    /// Interrupts what the call has started.
    fn interrupt_children(&self) {
        let mut told = BTreeSet::new();
        // Another look finds who was forked during the one before.
        for _ in 0..LOOKS {
            let Some(Ok(found)) = self.leader.map(|leader| proc::younger_in(leader, self.began)) else {
                return;
            };
            let new: Vec<u32> = found.into_iter().filter(|&pid| told.insert(pid)).collect();
            for &pid in &new {
                // Should it have ended since, and its id mean another one: that is one of the cell's too.
                let _ = process::signal_pid(pid, Signal::Interrupt);
            }
            if new.is_empty() {
                return;
            }
        }
    }

    /// Ends the kernel and all that it started.
    pub(super) fn kill(&mut self, now: Instant) {
        let leader = self.leader;
        match &mut self.state {
            State::Waiting | State::Idle => {
                self.state = State::Ending(CallId::NONE, Ending::kill(leader, now));
            }
            State::Running(call) => self.state = State::Ending(*call, Ending::kill(leader, now)),
            State::Ending(_, ending) => ending.hurry(now),
        }
        self.pidfd = None;
    }

    /// Reads one of its pipes.
    pub(super) fn read_pipe(&mut self, stream: Stream, relay: &mut Relay, scratch: &mut [u8]) {
        let (id, call) = self.subject();
        self.pipes.read(stream, scratch, &mut |kind, bytes| relay.output(id, call, kind, bytes));
    }

    fn drain_pipes(&mut self, relay: &mut Relay, scratch: &mut [u8]) {
        let (id, call) = self.subject();
        self.pipes.drain(scratch, |kind, bytes| relay.output(id, call, kind, bytes));
    }

    /// Looks whether a kernel that init started came to run.
    pub(super) fn follow(&mut self, relay: &mut Relay) -> Fate {
        let Some(progress) = &self.progress else { return Fate::Stays };
        match sys::spawn::progress(progress) {
            Ok(Progress::Starting) => Fate::Stays,
            Ok(Progress::Started) | Err(_) => {
                self.progress = None;
                Fate::Stays
            }
            Ok(Progress::Failed(step, error)) => {
                let detail = format!("{}: {error}", step.name());
                relay.refuse(self.id, CallId::NONE, RefusedReason::SpawnFailed, &detail);
                Fate::Gone
            }
        }
    }

    /// Its process has ended, with this status.
    pub(super) fn reaped(&mut self, status: WaitStatus, now: Instant) {
        let Some(leader) = self.leader else { return };
        match &mut self.state {
            State::Waiting | State::Idle => {
                self.state = State::Ending(CallId::NONE, Ending::after(leader, status, now));
            }
            State::Running(call) => self.state = State::Ending(*call, Ending::after(leader, status, now)),
            State::Ending(_, ending) => ending.reaped(status, now),
        }
        self.pidfd = None;
    }

    /// Some child of init has ended, perhaps one that this kernel's end waits for.
    pub(super) fn child_ended(&mut self, now: Instant) {
        if let State::Ending(_, ending) = &mut self.state {
            ending.child_ended(now);
        }
    }

    /// When to call [`Link::on_time`] next.
    pub(super) fn next(&self) -> Option<Instant> {
        match &self.state {
            State::Waiting | State::Idle | State::Running(_) => None,
            State::Ending(_, ending) => ending.next(),
        }
    }

    pub(super) fn on_time(&mut self, now: Instant) {
        if let State::Ending(_, ending) = &mut self.state {
            ending.on_time(now);
        }
    }

    /// Tells the daemon of a kernel of which nothing is left, with what it said last.
    pub(super) fn finish(&mut self, relay: &mut Relay, scratch: &mut [u8], now: Instant) -> Fate {
        let status = match &self.state {
            State::Ending(_, ending) => ending.over(),
            State::Waiting | State::Idle | State::Running(_) => None,
        };
        let Some(status) = status else { return Fate::Stays };
        self.drain_socket(relay, scratch, now);
        self.drain_pipes(relay, scratch);
        let (id, call) = self.subject();
        if call == CallId::NONE {
            relay.tell(Kind::KernelExited, id, call, status.encode());
        } else {
            if !relay.calls.is_attached(call) {
                // Whoever listens did not ask for the call, and is told of the kernel alone.
                relay.tell(Kind::KernelExited, id, CallId::NONE, status.encode());
            }
            relay.end(id, call, Kind::KernelExited, status.encode());
        }
        Fate::Gone
    }
}
