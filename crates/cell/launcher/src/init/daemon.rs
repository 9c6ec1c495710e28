//! The daemon's side: one connection at a time, and how long the cell lives without.
//!
//! ```text
//!   absent ──accepted──▶ silent ──Hello──▶ greeted
//!     ▲                    │                  │
//!     └──── end, error, rubbish; or a new connection in its place
//! ```
//!
//! A connection is told nothing before it has said Hello and been answered with the state of the cell: what happened
//! before is in that answer. Whoever can open the socket is the daemon, since the socket lies in a directory that
//! nobody else can enter; a process of the cell, which has no business there, is turned away all the same.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use protocol::{CallId, Decoder, Frame, FrameError, KernelId, Kind, Sender};
use sys::ready::{self, Incoming};

use super::queue::Queue;

/// How long a cell that ends with its connection waits for the first one.
const FIRST: Duration = Duration::from_secs(30);
/// How long the listener is left alone after it failed (too many descriptors are open on the machine).
const PAUSE: Duration = Duration::from_millis(100);

/// Above this many waiting bytes nothing more is taken from kernels and commands.
const FULL: usize = 1 << 20;
/// Above this many waiting bytes nothing more is taken from the daemon either: it asks and does not read the answers.
/// More than [`FULL`], so that it can interrupt and kill what it does not listen to.
const OVERFULL: usize = 4 << 20;

#[derive(Debug)]
struct Connection {
    socket: OwnedFd,
    decoder: Decoder,
    queue: Queue,
    greeted: bool,
}

#[derive(Debug)]
enum State {
    /// Nobody is connected, since then.
    Absent(Instant),
    Connected(Connection),
}

/// Where the daemon is.
#[derive(Debug)]
pub(super) struct Daemon {
    listener: OwnedFd,
    state: State,
    linger: Linger,
    /// The listener failed and is left alone until then.
    pause: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
enum Linger {
    /// The cell ends with its connection; it has not come yet.
    First,
    /// The cell ends with its connection.
    Never,
    /// The cell lives so long without a connection.
    For(Duration),
}

impl Daemon {
    pub(super) fn new(listener: OwnedFd, linger_ms: u64, now: Instant) -> io::Result<Daemon> {
        ready::set_nonblocking(&listener)?;
        let linger = match linger_ms {
            0 => Linger::First,
            ms => Linger::For(Duration::from_millis(ms)),
        };
        Ok(Daemon { listener, state: State::Absent(now), linger, pause: None })
    }

    /// When the cell ends if no daemon comes.
    pub(super) fn end(&self) -> Option<Instant> {
        match (&self.state, self.linger) {
            (State::Connected(_), _) => None,
            (State::Absent(since), Linger::First) => Some(*since + FIRST),
            (State::Absent(since), Linger::Never) => Some(*since),
            (State::Absent(since), Linger::For(time)) => since.checked_add(time),
        }
    }

    /// When the listener is to be tried again.
    pub(super) fn pause(&self) -> Option<Instant> {
        self.pause
    }

    pub(super) fn on_time(&mut self, now: Instant) {
        self.pause = self.pause.filter(|&until| now < until);
    }

    /// The listener, while connections are taken.
    pub(super) fn listener(&self) -> Option<&OwnedFd> {
        self.pause.is_none().then_some(&self.listener)
    }

    /// The connection, and what it is watched for: reading, writing.
    pub(super) fn watched(&self) -> Option<(&OwnedFd, bool, bool)> {
        match &self.state {
            State::Absent(_) => None,
            State::Connected(connection) => {
                let cost = connection.queue.cost();
                Some((&connection.socket, cost <= OVERFULL, cost > 0))
            }
        }
    }

    /// Takes a new connection in place of the old one; says whether there is one.
    pub(super) fn accept(&mut self, now: Instant) -> bool {
        let socket = match ready::accept(&self.listener) {
            Ok(Some(socket)) => socket,
            Ok(None) => return false,
            Err(_) => {
                self.pause = Some(now + PAUSE);
                return false;
            }
        };
        // Seen from the cell's PID namespace, a process outside has no id.
        let outside = |socket| sys::scm::peer(socket).is_ok_and(|peer| peer.pid == 0);
        if sys::process::own_pid() == 1 && !outside(&socket) {
            return false;
        }
        if let Linger::First = self.linger {
            self.linger = Linger::Never;
        }
        let decoder = Decoder::new(&[Sender::Daemon]);
        self.state =
            State::Connected(Connection { socket, decoder, queue: Queue::default(), greeted: false });
        true
    }

    /// Whether somebody listens who has been told the state of the cell.
    pub(super) fn is_greeted(&self) -> bool {
        matches!(&self.state, State::Connected(Connection { greeted: true, .. }))
    }

    /// Marks the connection as one that knows the state of the cell.
    pub(super) fn greet(&mut self) {
        if let State::Connected(connection) = &mut self.state {
            connection.greeted = true;
        }
    }

    /// Whether so much waits that kernels and commands have to wait too.
    pub(super) fn is_full(&self) -> bool {
        matches!(&self.state, State::Connected(connection) if connection.queue.cost() > FULL)
    }

    /// Whether nothing waits to be written.
    pub(super) fn is_flushed(&self) -> bool {
        match &self.state {
            State::Absent(_) => true,
            State::Connected(connection) => connection.queue.is_empty(),
        }
    }

    /// Sends a frame, if somebody listens.
    pub(super) fn push(&mut self, kind: Kind, kernel: KernelId, call: CallId, payload: Rc<Vec<u8>>) {
        self.push_with(kind, kernel, call, payload, Vec::new());
    }

    /// Sends a frame with descriptors, which are closed if nobody listens.
    pub(super) fn push_with(
        &mut self,
        kind: Kind,
        kernel: KernelId,
        call: CallId,
        payload: Rc<Vec<u8>>,
        descriptors: Vec<OwnedFd>,
    ) {
        if let State::Connected(Connection { queue, greeted: true, .. }) = &mut self.state {
            queue.push_with(kind, kernel, call, payload, descriptors);
        }
    }

    /// Reads once from the connection; says whether it is still there.
    pub(super) fn read(&mut self, scratch: &mut [u8]) -> bool {
        let State::Connected(connection) = &mut self.state else { return false };
        match ready::read(&connection.socket, scratch) {
            Ok(Incoming::Bytes(len)) => connection.decoder.feed(&scratch[..len]),
            Ok(Incoming::Nothing) => {}
            Ok(Incoming::End) | Err(_) => return false,
        }
        true
    }

    /// The next request that has arrived whole.
    pub(super) fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        match &mut self.state {
            State::Absent(_) => Ok(None),
            State::Connected(connection) => connection.decoder.next_frame(),
        }
    }

    /// Tells the daemon, if it takes it now, why it is about to be disconnected. A daemon of another version reads at
    /// least the version of this end from it.
    pub(super) fn complain(&mut self, sentence: &str) {
        if let State::Connected(Connection { socket, queue, .. }) = &mut self.state {
            let payload = Rc::new(sentence.as_bytes().to_vec());
            queue.push(Kind::Broken, KernelId::NONE, CallId::NONE, payload);
            let _ = queue.flush(socket.as_fd());
        }
    }

    /// Writes what the connection takes now; says whether it is still there.
    pub(super) fn flush(&mut self) -> bool {
        match &mut self.state {
            State::Absent(_) => true,
            State::Connected(connection) => connection.queue.flush(connection.socket.as_fd()).is_ok(),
        }
    }

    /// Gives the connection up.
    pub(super) fn hang_up(&mut self, now: Instant) {
        if let State::Connected(_) = self.state {
            self.state = State::Absent(now);
        }
    }
}
