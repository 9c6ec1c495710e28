//! Init: the first process of a cell. Starts, interrupts and ends what runs there, carries frames between the daemon and
//! the kernels, and remembers calls.
//!
//! ```text
//!             ┌──────────────────────── init ────────────────────────┐
//!   daemon ◀─▶│ daemon ◀── relay ◀──┬── link ◀── socket, two pipes ──┼─▶ kernel
//!             │    │          │     └── command ◀───── two pipes ────┼── command
//!             │ requests  remembered                                 │
//!             └──────────────────────────────────────────────────────┘
//! ```
//!
//! One thread and one loop: wait until something is ready, do what can be done without waiting, write what there is to
//! write. Each kernel is a [`link::Link`] and each command a [`command::Command`], a state machine that alone knows what
//! happens to it; what is watched for is read off their states every time, so the two cannot disagree. (Rejected: epoll,
//! whose set would have to be kept in step with the states; with a few dozen descriptors poll costs a microsecond.)
//!
//! **Invariants.** It never waits on anybody: not on a daemon that is slow or gone, not on a kernel that does not read,
//! not on a program that is being started. What it holds is bounded: when more than a mebibyte waits for the daemon,
//! nothing more is read from kernels and commands, and they wait in turn; without a daemon their output is kept as far
//! as [`remembered`] has room and counted beyond. No call runs twice. Everything that ends in the cell is reaped.
//! When init ends, the kernel ends everything else in the cell. Files are opened by [`files`] alone.

mod command;
mod daemon;
mod ending;
mod family;
mod files;
mod link;
mod memory;
mod pipes;
mod proc;
mod queue;
mod relay;
mod remembered;
mod requests;
mod watches;

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::time::{Duration, Instant};

use protocol::{CallId, KernelId, Kind, WaitStatus};
use sys::landlock::Ruleset;
use sys::process::{self, Ended, Signal};
use sys::ready;
use sys::spawn::{Identity, Program};

use command::Command;
use daemon::Daemon;
use family::Family;
use link::{Fate, Link};
use memory::Watchdog;
use relay::Relay;
use remembered::Remembered;
use watches::{Event, Source, Watches};

/// Read at once; also the most that one frame of raw output holds.
const READ: usize = 64 << 10;
/// How long a cell that is told to end tries to get rid of what it still has to say.
const FAREWELL: Duration = Duration::from_millis(200);

/// What init is started with.
#[derive(Debug)]
pub struct Setup {
    /// A listening Unix stream socket, for the daemon.
    pub listener: OwnedFd,
    /// How long the cell lives without a daemon, ms; 0: it ends with its connection.
    pub linger_ms: u64,
    /// The cell's user and group.
    pub user: (u32, u32),
    /// Whether init runs as that user itself, and has no capability to become another.
    pub own_uid_is_user: bool,
    /// Above this much memory of all processes together, bytes, the largest is killed.
    pub soft_memory: Option<u64>,
    /// What is laid upon every process that init starts, and not upon init: see [`policy::Grant`].
    pub landlock: Option<Ruleset>,
}

/// Serves the cell until it is to end; then ends the process with status 0, or 1 if it could not begin.
pub fn run(setup: Setup) -> ! {
    let status = match Init::new(setup) {
        Ok(mut init) => {
            while !init.is_over() {
                init.turn();
            }
            0
        }
        Err(_) => 1,
    };
    std::process::exit(status)
}

/// What is needed to start a process in the cell.
#[derive(Debug)]
struct Starter {
    null: OwnedFd,
    /// Whom every process of the cell runs as.
    user: (u32, u32),
    /// Whom a started process becomes; nobody, where init is the user already.
    identity: Option<Identity>,
    /// What it is confined to.
    landlock: Option<Ruleset>,
}

/// A process that was started.
#[derive(Debug)]
struct Child {
    pid: u32,
    /// See [`sys::spawn::progress`].
    progress: OwnedFd,
}

impl Starter {
    /// Starts a program with `/dev/null` as its standard input and these descriptors after it, in this directory if
    /// there is one, else in the program's.
    fn spawn(
        &self,
        program: &Program,
        descriptors: &[BorrowedFd],
        directory: Option<BorrowedFd>,
    ) -> io::Result<Child> {
        let all: Vec<BorrowedFd> =
            std::iter::once(self.null.as_fd()).chain(descriptors.iter().copied()).collect();
        let spawned = sys::spawn::spawn(program, &all, directory, self.identity, self.landlock.as_ref())?;
        Ok(Child { pid: spawned.pid, progress: spawned.progress })
    }
}

#[derive(Debug)]
struct Init {
    starter: Starter,
    relay: Relay,
    kernels: BTreeMap<KernelId, Link>,
    commands: BTreeMap<CallId, Command>,
    children: OwnedFd,
    watchdog: Option<Watchdog>,
    /// The cell was told to end, and does so then at the latest.
    shutdown: Option<Instant>,
    scratch: Vec<u8>,
}

impl Init {
    fn new(setup: Setup) -> io::Result<Init> {
        let Setup { listener, linger_ms, user: (uid, gid), own_uid_is_user, soft_memory, landlock } = setup;
        let now = Instant::now();
        // The standard descriptors are closed, and nothing else may come to stand in their place.
        let null = loop {
            let null = ready::null()?;
            if null.as_raw_fd() > 2 {
                break null;
            }
            let _ = null.into_raw_fd();
        };
        let children = ready::children()?;
        // For a list of processes only.
        let _ = process::set_name(c"init");
        if process::own_pid() != 1 {
            process::adopt_orphans()?;
        }
        let identity = (!own_uid_is_user).then_some(Identity { uid, gid });
        Ok(Init {
            starter: Starter { null, user: (uid, gid), identity, landlock },
            relay: Relay { daemon: Daemon::new(listener, linger_ms, now)?, calls: Remembered::default() },
            kernels: BTreeMap::new(),
            commands: BTreeMap::new(),
            children,
            watchdog: soft_memory.map(|limit| Watchdog::new(limit, now)),
            shutdown: None,
            scratch: vec![0; READ],
        })
    }

    fn is_over(&self) -> bool {
        let now = Instant::now();
        let told = self.shutdown.is_some_and(|until| now >= until || self.relay.daemon.is_flushed());
        told || self.relay.daemon.end().is_some_and(|end| now >= end)
    }

    /// One turn of the loop.
    fn turn(&mut self) {
        let events = self.wait();
        let now = Instant::now();
        for event in events {
            self.handle(event, now);
        }
        self.on_time(now);
        self.finish(now);
        if !self.relay.daemon.flush() {
            self.relay.lost(now);
        }
    }

    /// Waits until something happens; gives what.
    fn wait(&self) -> Vec<Event> {
        let mut watches = Watches::default();
        // Raw output comes before the frames of the same moment, and the death of a process after all that it wrote.
        let reading = !self.relay.daemon.is_full();
        for (&id, link) in self.kernels.iter().filter(|_| reading) {
            for (stream, pipe) in link.pipes() {
                watches.read(Source::KernelPipe(id, stream), pipe);
            }
        }
        for (&id, link) in &self.kernels {
            if let Some((socket, writing)) = link.socket() {
                watches.add(Source::KernelSocket(id), socket, reading, writing);
            }
            if let Some(progress) = link.progress() {
                watches.read(Source::KernelProgress(id), progress);
            }
        }
        for (&call, command) in &self.commands {
            for (stream, pipe) in command.pipes().filter(|_| reading) {
                watches.read(Source::CommandPipe(call, stream), pipe);
            }
            if let Some(progress) = command.progress() {
                watches.read(Source::CommandProgress(call), progress);
            }
        }
        if let Some((socket, read, write)) = self.relay.daemon.watched() {
            watches.add(Source::Daemon, socket, read, write);
        }
        if let Some(listener) = self.relay.daemon.listener() {
            watches.read(Source::Listener, listener);
        }
        watches.read(Source::Children, &self.children);

        let timeout = self.next().map(|next| next.saturating_duration_since(Instant::now()));
        watches.wait(timeout).unwrap_or_else(|_| {
            // The machine is out of memory, which passes; init must not end for it.
            std::thread::sleep(Duration::from_millis(10));
            Vec::new()
        })
    }

    /// When something is to be done even if nothing happens.
    fn next(&self) -> Option<Instant> {
        let daemon = [self.relay.daemon.end(), self.relay.daemon.pause(), self.shutdown];
        let watchdog = self.watchdog.as_ref().map(|watchdog| watchdog.next(self.is_busy()));
        let kernels = self.kernels.values().filter_map(Link::next);
        let commands = self.commands.values().filter_map(Command::next);
        daemon.into_iter().flatten().chain(watchdog).chain(kernels).chain(commands).min()
    }

    fn is_busy(&self) -> bool {
        !self.commands.is_empty() || self.kernels.values().any(Link::is_running)
    }

    fn handle(&mut self, Event { source, readable, writable }: Event, now: Instant) {
        let Init { relay, kernels, commands, scratch, .. } = self;
        match source {
            Source::KernelPipe(id, stream) => {
                if let Some(link) = kernels.get_mut(&id).filter(|_| !relay.daemon.is_full()) {
                    link.read_pipe(stream, relay, scratch);
                }
            }
            Source::KernelSocket(id) => {
                let Some(link) = kernels.get_mut(&id) else { return };
                if writable {
                    link.flush();
                }
                if readable && !relay.daemon.is_full() {
                    link.read_socket(relay, scratch, now);
                }
            }
            Source::KernelProgress(id) => {
                if let Some(Fate::Gone) = kernels.get_mut(&id).map(|link| link.follow(relay)) {
                    kernels.remove(&id);
                }
            }
            Source::CommandPipe(call, stream) => {
                if let Some(command) = commands.get_mut(&call).filter(|_| !relay.daemon.is_full()) {
                    command.read_pipe(stream, relay, scratch);
                }
            }
            Source::CommandProgress(call) => {
                if let Some(Fate::Gone) = commands.get_mut(&call).map(|command| command.follow(relay)) {
                    commands.remove(&call);
                }
            }
            // Writing is tried at the end of every turn.
            Source::Daemon if readable => self.serve(now),
            Source::Daemon => {}
            Source::Listener => {
                if relay.daemon.accept(now) {
                    relay.calls.detach_all();
                }
            }
            Source::Children => self.reap(now),
        }
    }

    /// Takes every ended child off the kernel's hands.
    fn reap(&mut self, now: Instant) {
        let Init { relay, kernels, commands, scratch, .. } = self;
        // What it says is asked of the kernel below; reading only makes it quiet.
        let _ = ready::read(&self.children, scratch);
        // A kernel that ended right after its first word is heard first: it is known by that word.
        for link in kernels.values_mut().filter(|link| link.is_waiting()) {
            link.read_socket(relay, scratch, now);
        }
        let mut any = false;
        while let Ok(Some((pid, ended))) = process::reap() {
            any = true;
            let status = match ended {
                Ended::Exited(status) => WaitStatus::Exited(status),
                Ended::Signaled(signal) => WaitStatus::Signaled(signal),
            };
            kernels.retain(|_, link| {
                if link.leader() != Some(pid) {
                    return true;
                }
                if let Fate::Gone = link.follow(relay) {
                    return false;
                }
                link.reaped(status, now);
                true
            });
            commands.retain(|_, command| {
                command.leader() != pid || command.reaped(status, relay, now) == Fate::Stays
            });
        }
        if any {
            for link in kernels.values_mut() {
                link.child_ended(now);
            }
            for command in commands.values_mut() {
                command.child_ended(now);
            }
        }
    }

    fn on_time(&mut self, now: Instant) {
        self.relay.daemon.on_time(now);
        for link in self.kernels.values_mut() {
            link.on_time(now);
        }
        for command in self.commands.values_mut() {
            command.on_time(now);
        }
        let busy = self.is_busy();
        if let Some(watchdog) = self.watchdog.as_mut().filter(|watchdog| now >= watchdog.next(busy))
            && let Some(excess) = watchdog.look(now)
        {
            let limit = watchdog.limit;
            self.kill_largest(&excess, limit);
        }
    }

    /// Kills the process that uses the most memory, and says so before its end is told.
    fn kill_largest(&mut self, excess: &memory::Excess, limit: u64) {
        let owns = |leader: u32| Family::of(leader).includes(&excess.processes, excess.largest);
        let kernel = self.kernels.values().find(|link| link.leader().is_some_and(owns)).map(Link::subject);
        let command = || {
            let command = self.commands.values().find(|command| owns(command.leader()))?;
            Some((KernelId::NONE, command.call()))
        };
        let (kernel, call) = kernel.or_else(command).unwrap_or((KernelId::NONE, CallId::NONE));
        let payload = [limit.to_le_bytes(), excess.seen.to_le_bytes()].concat();
        self.relay.output(kernel, call, Kind::SoftMemory, payload);
        let _ = process::signal_pid(excess.largest, Signal::Kill);
    }

    /// Parts with kernels and commands of which nothing is left.
    fn finish(&mut self, now: Instant) {
        let Init { relay, kernels, commands, scratch, .. } = self;
        kernels.retain(|_, link| link.finish(relay, scratch, now) == Fate::Stays);
        commands.retain(|_, command| command.finish(relay, scratch) == Fate::Stays);
    }
}
