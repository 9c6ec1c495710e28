//! One cell, as the daemon holds it.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use policy::{CellRequest, Confinement, Limits};
use protocol::SessionId;

use crate::cgroup::CellGroup;
use crate::error::{At, Error, Result};
use crate::launcher::Made;
use crate::node::{Shared, short};
use crate::unsaved;

/// How long a cell's processes may take to be gone after SIGKILL. Only a task stuck in the kernel takes longer than
/// some milliseconds.
const KILL_TIMEOUT: Duration = Duration::from_secs(30);

/// What is known of a cell's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// The limit, bytes.
    pub limit: u64,
    /// Whether the kernel holds the limit (else init watches, and says when it killed).
    pub hard: bool,
    /// The most that was used, bytes, where it is known.
    pub peak: Option<u64>,
    /// How often the kernel killed a process of the cell for want of memory; only ever grows.
    pub oom_kills: u64,
}

/// Sockets of a cell's own network namespace that are held out here: for IPv4, and for IPv6 where the host has it.
#[derive(Debug)]
pub struct Doors {
    /// Tells of packets that the cell's rules rejected (netlink, `NFLOG`).
    pub refusals: OwnedFd,
    /// Where its connections are led to, and where it looks up what is too large for a packet; listening.
    pub streams: Vec<OwnedFd>,
    /// Where its lookups are led to.
    pub lookups: Vec<OwnedFd>,
}

/// What a cell takes up on the host. Dropping it kills what is left in the cgroup and removes everything.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) shared: Arc<Shared>,
    pub(crate) slot: u32,
    pub(crate) directory: PathBuf,
    pub(crate) socket: PathBuf,
    pub(crate) cgroup: Option<CellGroup>,
}

impl Place {
    pub(crate) fn cgroups(&self) -> Result<Vec<OwnedFd>> {
        match &self.cgroup {
            Some(cgroup) => Ok(cgroup.join_fds()?),
            None => Ok(Vec::new()),
        }
    }

    /// Gives where its files were put aside, if they were to be kept.
    fn remove(&mut self) -> Result<Option<PathBuf>> {
        let cgroup = match self.cgroup.take() {
            Some(cgroup) => cgroup.remove().map_err(Error::from),
            None => Ok(()),
        };
        let socket = match fs::remove_file(&self.socket) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).at("remove", &self.socket)
            }
            _ => Ok(()),
        };
        let aside = unsaved::put_aside(&self.directory, &self.shared.unsaved)?;
        let directory = sys::remove::tree(&self.directory).at("remove", &self.directory);
        cgroup.and(socket).and(directory).map(|()| aside)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let removed = self.remove();
        if let Ok(Some(aside)) = &removed {
            tracing::info!("unsaved files of a session that ended are in `{}`", aside.display());
        }
        if removed.is_ok() {
            self.shared.ids.give_back(self.slot);
        }
    }
}

/// One cell. Dropping it ends it, as [`Cell::destroy`] does, but cannot say what went wrong.
#[derive(Debug)]
pub struct Cell {
    session: SessionId,
    limits: Limits,
    confinement: Confinement,
    owner: u32,
    hard_memory: bool,
    pid: u32,
    workspace: PathBuf,
    doors: Vec<OwnedFd>,
    // Before `place` in the order of fields, which is the order of drops.
    init: Init,
    place: Place,
}

#[derive(Debug)]
struct Init(OwnedFd);

impl Init {
    /// Kills init, and the kernel with it everything in its PID namespace.
    fn end(&self) -> bool {
        let _ = sys::namespace::kill(self.0.as_fd());
        sys::namespace::wait_ended(self.0.as_fd(), KILL_TIMEOUT)
    }
}

impl Drop for Init {
    fn drop(&mut self) {
        self.end();
    }
}

impl Cell {
    pub(crate) fn new(
        request: &CellRequest,
        confinement: Confinement,
        place: Place,
        made: Made,
        owner: u32,
        hard_memory: bool,
    ) -> Cell {
        Cell {
            session: request.session,
            limits: request.limits,
            confinement,
            owner,
            hard_memory,
            pid: made.pid,
            workspace: place.directory.join("workspace"),
            doors: made.more,
            init: Init(made.pidfd),
            place,
        }
    }

    /// The sockets behind which its way out begins; `None` where nothing leaves, and after the first time.
    pub fn take_doors(&mut self) -> Option<Doors> {
        let mut doors = std::mem::take(&mut self.doors).into_iter();
        let mut taken = Doors { refusals: doors.next()?, streams: Vec::new(), lookups: Vec::new() };
        while let [Some(streams), Some(large_lookups), Some(lookups)] =
            [doors.next(), doors.next(), doors.next()]
        {
            taken.streams.extend([streams, large_lookups]);
            taken.lookups.push(lookups);
        }
        Some(taken)
    }

    /// Whose cell.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// What it may use.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The directory that the cell sees as its workspace, on the host. What is in it is hostile: open it beneath
    /// only, without following links.
    pub fn workspace(&self) -> &Path {
        &self.workspace
    }

    /// The directory that the cell sees as `/home/user`, on the host; as hostile as the workspace.
    pub fn home(&self) -> PathBuf {
        self.place.directory.join("home")
    }

    /// A new connection to init, which drops the one before it. Blocking mode.
    pub fn connect(&self) -> Result<UnixStream> {
        let connected = short(&self.place.socket).and_then(|(_directory, path)| UnixStream::connect(path));
        connected.at("connect to", &self.place.socket)
    }

    /// Init's process; readable when the cell has ended.
    pub fn init(&self) -> BorrowedFd<'_> {
        self.init.0.as_fd()
    }

    /// Init's id on the host.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// What a process takes on to become the cell's user.
    pub fn confinement(&self) -> &Confinement {
        &self.confinement
    }

    /// The environment variables of the cell's user, `NAME=value`.
    pub fn variables(&self) -> Vec<String> {
        policy::variables(&self.limits)
    }

    /// Descriptors of the cell's cgroups: a process that writes `0` to each has joined. Empty where there is none.
    pub fn cgroups(&self) -> Result<Vec<OwnedFd>> {
        self.place.cgroups()
    }

    /// Hands a file or directory of the workspace, made by the daemon, to the cell's user.
    pub fn give(&self, file: BorrowedFd) -> Result<()> {
        if sys::file::own_ids().0 == self.owner {
            return Ok(());
        }
        sys::file::give(file, self.owner, self.owner).step("give a file to a cell's user")
    }

    /// The id on the host of the cell's user, who owns what is in the workspace.
    pub fn owner(&self) -> u32 {
        self.owner
    }

    /// What is known of its memory.
    pub fn memory(&self) -> Memory {
        let cgroup = self.place.cgroup.as_ref().filter(|_| self.hard_memory);
        Memory {
            limit: self.limits.memory,
            hard: self.hard_memory,
            peak: cgroup.and_then(|cgroup| cgroup.memory_peak().ok().flatten()),
            oom_kills: cgroup.and_then(|cgroup| cgroup.oom_kills().ok()).unwrap_or(0),
        }
    }

    /// Processor time used so far by all its processes, ms, where it is known.
    pub fn cpu_ms(&self) -> Option<u64> {
        let cgroup = self.place.cgroup.as_ref()?;
        let used = cgroup.cpu_usage().ok().flatten()?;
        u64::try_from(used.as_millis()).ok()
    }

    /// Kills everything in it. What it wrote stays, and nothing changes it any more.
    pub fn end(&self) -> Result<()> {
        if self.init.end() {
            return Ok(());
        }
        let source = std::io::ErrorKind::TimedOut.into();
        Err(Error::Step { what: "end a cell: its processes do not go".to_owned(), source })
    }

    /// From now on its workspace is put aside wherever it would be removed, until [`Cell::settle`]; with this text, which
    /// says whose it is.
    pub fn keep(&self, whose: &str) -> Result<()> {
        unsaved::note(&self.place.directory, whose)
    }

    /// Where to write down what of its workspace need not be kept; that is put aside with it.
    pub fn brought(&self) -> PathBuf {
        self.place.directory.join("brought")
    }

    /// Its workspace has been saved, and goes with it.
    pub fn settle(&self) -> Result<()> {
        unsaved::settle(&self.place.directory)
    }

    /// Kills everything in it, and removes its cgroup and its directory with the workspace in it; one that is to be kept
    /// is put aside. Gives where it is then.
    pub fn destroy(mut self) -> Result<Option<PathBuf>> {
        self.end()?;
        self.place.remove()
    }
}
