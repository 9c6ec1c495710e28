//! The daemon's end of a forkserver.

use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use cell::{Node, Process};
use policy::Confinement;
use protocol::forkserver::{Hello, MAX_REQUEST, Report, Request};

use crate::error::{At, Error, Result};
use crate::warm::{self, WarmSet};

/// How long a kernel may take from the request until it is confined. Tens of milliseconds are usual on a busy
/// machine; a cell that stops what enters it costs the forkserver two seconds.
const ENTRY: Duration = Duration::from_secs(10);

/// How long a cell that is ending may hold back that it has ended, before a failure to enter it has another cause.
const ENDING: Duration = Duration::from_millis(200);

/// Between two looks whether another thread has heard the forkserver.
const LISTENING: Duration = Duration::from_millis(100);

const HEAR: &str = "hear from a forkserver";

/// The cell that a kernel is to enter.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The pidfd of its init.
    pub init: BorrowedFd<'a>,
    /// Its cgroups' `cgroup.procs` or `tasks`, open for writing.
    pub cgroups: &'a [OwnedFd],
}

/// The kernel's ends of what it speaks through, as init makes them.
#[derive(Debug)]
pub struct KernelEnds {
    /// Frames; the kernel's descriptor 3.
    pub socket: OwnedFd,
    /// The kernel's descriptor 1.
    pub stdout: OwnedFd,
    /// The kernel's descriptor 2.
    pub stderr: OwnedFd,
}

/// What a forkserver says of itself when it is warm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warm {
    /// The interpreter's version, e.g. `3.12.11`.
    pub version: String,
    /// Top-level modules that kernels need not import any more.
    pub modules: Vec<String>,
    /// Its memory, bytes.
    pub memory: u64,
}

/// A forkserver: a warm interpreter outside all cells. Dropping it ends it; kernels live on.
#[derive(Debug)]
pub struct Forkserver {
    process: Process,
    control: OwnedFd,
    warm_set: WarmSet,
    started: Instant,
    warm: OnceLock<Warm>,
    forked: AtomicU64,
}

impl Forkserver {
    /// Starts one in the node's template, and does not wait until it is warm.
    pub fn start(node: &Node, warm_set: WarmSet) -> Result<Forkserver> {
        Forkserver::start_with(warm_set, |argv, variables, control| node.exec(argv, variables, control))
    }

    /// Starts one by a function that runs a program with these arguments, only these variables, and this descriptor
    /// as number 3.
    pub fn start_with(
        warm_set: WarmSet,
        exec: impl FnOnce(&[&str], &[String], OwnedFd) -> cell::Result<Process>,
    ) -> Result<Forkserver> {
        let (control, theirs) = sys::outer::packet_pair().at("make a socket")?;
        sys::ready::set_nonblocking(&control).at("make a socket")?;
        let argv = warm_set.argv();
        let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
        let process = exec(&argv, &warm::variables(), theirs).map_err(Error::Start)?;
        tracing::debug!(pid = process.pid, warm_set = warm_set.name(), "started a forkserver");
        Ok(Forkserver {
            process,
            control,
            warm_set,
            started: Instant::now(),
            warm: OnceLock::new(),
            forked: AtomicU64::new(0),
        })
    }

    /// Waits until it is warm, at most so long.
    ///
    /// [`Error::Warm`] and [`Error::Gone`] are final; after [`Error::NotReady`] one can go on waiting.
    pub fn wait_ready(&self, timeout: Duration) -> Result<Warm> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(warm) = self.warm.get() {
                return Ok(warm.clone());
            }
            // In short steps: it says so once, and another thread may be the one to hear it.
            let step = deadline.min(Instant::now() + LISTENING);
            if wait(self.control.as_fd(), Reading, step).at(HEAR)? {
                self.hear()?;
            } else if step == deadline {
                return Err(Error::NotReady);
            }
        }
    }

    /// Takes in what it says, if it is that it is warm.
    fn hear(&self) -> Result<()> {
        let mut buffer = vec![0; 64 << 10];
        let len = match sys::scm::recv_with_fds(&self.control, &mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) if is_hangup(&error) => return Err(Error::Gone),
            received => received.at(HEAR)?.0,
        };
        if len == 0 {
            return if self.warm.get().is_some() { Ok(()) } else { Err(Error::Gone) };
        }
        match Hello::decode(&buffer[..len]).map_err(io::Error::other).at(HEAR)? {
            Hello::Ready { version, modules, memory_kib } => {
                tracing::debug!(
                    pid = self.process.pid,
                    ms = self.started.elapsed().as_millis() as u64,
                    version,
                    memory_kib,
                    "a forkserver is warm"
                );
                let _ = self.warm.set(Warm { version, modules, memory: memory_kib * 1024 });
                Ok(())
            }
            Hello::Failed(said) => Err(Error::Warm(said)),
        }
    }

    /// Whether it is warm. Does not wait; `false` also for one that is gone.
    pub fn is_ready(&self) -> bool {
        self.wait_ready(Duration::ZERO).is_ok()
    }

    /// Puts a kernel into a cell, and waits until it is confined. Gives its process id inside the cell.
    ///
    /// A forkserver that is not warm yet answers when it is. Whatever the result, nothing of the request stays open in
    /// this process or in the forkserver. Any error means that there is no kernel; after [`Error::Stuck`] and
    /// [`Error::HeldUp`] a process can still appear in the cell, and ends by itself when it finds nobody listening.
    pub fn fork(
        &self,
        into: Target,
        ends: KernelEnds,
        confinement: &Confinement,
        variables: &[String],
    ) -> Result<u32> {
        let deadline = Instant::now() + ENTRY;
        let (pipe, report) = io::pipe().at("make a pipe")?;
        let request = Request { confinement: confinement.encode(), variables: variables.to_vec() };
        self.ask(&request, into, &ends, &report, deadline)?;
        drop((ends, report));
        match Forkserver::await_report(pipe, deadline) {
            Ok(pid) => {
                self.forked.fetch_add(1, Relaxed);
                Ok(pid)
            }
            // Whatever it failed at, this is why. Init's end is seen after that of all others in the cell.
            Err(Error::Step { .. } | Error::Killed) if sys::namespace::wait_ended(into.init, ENDING) => {
                Err(Error::CellGone)
            }
            Err(error) => Err(error),
        }
    }

    fn ask(
        &self,
        request: &Request,
        into: Target,
        ends: &KernelEnds,
        report: &PipeWriter,
        deadline: Instant,
    ) -> Result<()> {
        const WHAT: &str = "ask a forkserver";
        let request = request.encode();
        if request.len() > MAX_REQUEST {
            return Err(io::Error::from(io::ErrorKind::InvalidInput)).at(WHAT);
        }
        let KernelEnds { socket, stdout, stderr } = ends;
        let mut descriptors = vec![into.init, stdout.as_fd(), stderr.as_fd(), socket.as_fd(), report.as_fd()];
        descriptors.extend(into.cgroups.iter().map(AsFd::as_fd));
        loop {
            if !wait(self.control.as_fd(), Writing, deadline).at(WHAT)? {
                return Err(Error::Stuck);
            }
            match sys::scm::send_with_fds(&self.control, &request, &descriptors) {
                Ok(_) => return Ok(()),
                // Others were faster, and the socket holds no more.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if is_hangup(&error) => return Err(Error::Gone),
                Err(error) => return Err(error).at(WHAT),
            }
        }
    }

    fn await_report(mut pipe: PipeReader, deadline: Instant) -> Result<u32> {
        const WHAT: &str = "hear from a kernel";
        let mut handed = false;
        loop {
            if !wait(pipe.as_fd(), Reading, deadline).at(WHAT)? {
                return Err(if handed { Error::HeldUp } else { Error::Stuck });
            }
            let mut bytes = [0; Report::LEN];
            match pipe.read_exact(&mut bytes) {
                Ok(()) => {}
                // Not asked of the forkserver's process: it closes its descriptors before it can be seen to have ended.
                Err(_) => return Err(if handed { Error::Killed } else { Error::Gone }),
            }
            match Report::decode(bytes) {
                Some(Report::Handed) => handed = true,
                Some(Report::Entered(pid)) => return Ok(pid),
                Some(Report::Failed { step, errno }) => {
                    return Err(Error::Step { step, source: io::Error::from_raw_os_error(errno) });
                }
                None => return Err(io::Error::from(io::ErrorKind::InvalidData)).at(WHAT),
            }
        }
    }

    /// Whether its process lives.
    pub fn is_alive(&self) -> bool {
        !sys::namespace::has_ended(self.process.pidfd.as_fd())
    }

    /// Kills it. Kernels live on.
    pub fn kill(&self) -> Result<()> {
        sys::namespace::kill(self.process.pidfd.as_fd()).at("kill a forkserver")
    }

    /// Its process, for those who want to see it end.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// What it has imported.
    pub fn warm_set(&self) -> WarmSet {
        self.warm_set
    }

    /// Kernels that it has forked into cells.
    pub fn forked(&self) -> u64 {
        self.forked.load(Relaxed)
    }

    /// How long ago it was started. All its kernels have the same hash seed and address layout.
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    Reading,
    Writing,
}
use For::{Reading, Writing};

/// Waits until there is something to read, or room to write, or no other end any more. `false`: the time is up.
fn wait(fd: BorrowedFd, what: For, deadline: Instant) -> io::Result<bool> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut watch = [sys::ready::watch(fd, what == Reading, what == Writing)];
        sys::ready::wait(&mut watch, Some(left))?;
        if sys::ready::is_readable(&watch[0]) || sys::ready::is_writable(&watch[0]) {
            return Ok(true);
        }
        if left.is_zero() {
            return Ok(false);
        }
    }
}

fn is_hangup(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}
