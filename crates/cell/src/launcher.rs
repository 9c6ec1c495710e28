//! The daemon's end of the launcher: starting it, asking it, starting another when it is gone.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use policy::{Entry, OuterIds, Template};
use protocol::launcher::{Failure, Reply, Request};
use sys::outer::{self, Outer, Step};

use crate::error::{At, Error, Result};

/// The launcher's program: static, so that it needs nothing of the host, and built with this crate.
const PROGRAM: &[u8] = include_bytes!(env!("CELLBLOCK_LAUNCHER"));

/// The launcher of one node, and how to start another.
#[derive(Debug)]
pub(crate) struct Launcher {
    program: OwnedFd,
    ids: OuterIds,
    template: Template,
    /// The outer user namespace: all launchers of a node are in one, so that each can reach the cells of those before.
    namespace: Mutex<Option<OwnedFd>>,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    control: OwnedFd,
    pidfd: OwnedFd,
}

/// A process that the launcher made.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) pid: u32,
    pub(crate) pidfd: OwnedFd,
    /// What else came along: a cell's doors.
    pub(crate) more: Vec<OwnedFd>,
}

impl Launcher {
    /// Starts the first one.
    pub(crate) fn start(ids: OuterIds, template: Template) -> Result<Launcher> {
        let program = sys::file::program("launcher", PROGRAM).step("put the launcher into memory")?;
        let launcher =
            Launcher { program, ids, template, namespace: Mutex::new(None), running: Mutex::new(None) };
        *lock(&launcher.running) = Some(launcher.launch()?);
        Ok(launcher)
    }

    /// Asks for a cell or a program.
    ///
    /// A launcher that is gone is replaced, and the new one asked: what the old one had half made has ended by
    /// itself, since it waits for its maker's word.
    pub(crate) fn ask(&self, request: &Request, descriptors: &[BorrowedFd]) -> Result<Made> {
        let bytes = request.encode();
        let mut running = lock(&self.running);
        for _ in 0..3 {
            let current = match running.take() {
                Some(current) => current,
                None => self.launch()?,
            };
            match exchange(&current.control, &bytes, descriptors) {
                Ok((Reply::Done(pid), descriptors)) if !descriptors.is_empty() => {
                    *running = Some(current);
                    let mut descriptors = descriptors.into_iter();
                    let Some(pidfd) = descriptors.next() else { continue };
                    return Ok(Made { pid, pidfd, more: descriptors.collect() });
                }
                Ok((Reply::Failed(failure), _)) => {
                    *running = Some(current);
                    return Err(failure.into());
                }
                Ok((Reply::Done(_), _)) | Err(_) => {
                    let _ = sys::namespace::kill(current.pidfd.as_fd());
                    reap(&current);
                }
            }
        }
        Err(Error::LauncherGone)
    }

    /// The launcher's process, for those who want to see it end.
    pub(crate) fn pidfd(&self) -> Option<OwnedFd> {
        lock(&self.running).as_ref().and_then(|running| running.pidfd.try_clone().ok())
    }

    fn launch(&self) -> Result<Running> {
        let mut namespace = lock(&self.namespace);
        let (control, theirs) = outer::packet_pair().step("make a socket")?;
        let start = Outer {
            program: self.program.as_fd(),
            name: c"cellblock-launcher",
            join: namespace.as_ref().map(AsFd::as_fd),
            control: theirs.as_fd(),
            drop_groups: self.privileged(),
        };
        let started = outer::start(&start, |pid| write_maps(pid, self.ids))
            .map_err(|(step, source)| Error::Step { what: describe(step).to_owned(), source })?;
        drop(theirs);
        if namespace.is_none() {
            let path = format!("/proc/{}/ns/user", started.pid);
            *namespace = Some(fs::File::open(&path).at("open", Path::new(&path))?.into());
        }
        let running = Running { control, pidfd: started.pidfd };

        // With privilege the sources are opened here: their directories may be closed to the launcher.
        let mut trees = Vec::new();
        if self.privileged() {
            for entry in &self.template.entries {
                if let Entry::Bind { source, .. } = entry {
                    let tree = sys::mount::clone_tree(&source.0).at("open", Path::new(&source.0))?;
                    trees.push(tree);
                }
            }
        }
        let trees: Vec<_> = trees.iter().map(AsFd::as_fd).collect();
        let setup = Request::Setup(self.template.encode()).encode();
        match exchange(&running.control, &setup, &trees).step("set up the launcher")? {
            (Reply::Done(_), _) => Ok(running),
            (Reply::Failed(failure), _) => {
                reap(&running);
                Err(failure.into())
            }
        }
    }

    fn privileged(&self) -> bool {
        matches!(self.ids, OuterIds::Block { .. })
    }
}

impl Drop for Launcher {
    fn drop(&mut self) {
        if let Some(running) = lock(&self.running).take() {
            // Hanging up ends it; what remains is to reap it.
            let Running { control, pidfd } = running;
            drop(control);
            sys::outer::reap(&pidfd);
        }
    }
}

impl From<Failure> for Error {
    fn from(Failure { step, errno }: Failure) -> Error {
        Error::Launcher { step, source: io::Error::from_raw_os_error(errno) }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn reap(running: &Running) {
    let _ = sys::namespace::kill(running.pidfd.as_fd());
    sys::outer::reap(&running.pidfd);
}

fn exchange(
    control: &OwnedFd,
    request: &[u8],
    descriptors: &[BorrowedFd],
) -> io::Result<(Reply, Vec<OwnedFd>)> {
    sys::scm::send_with_fds(control.as_fd(), request, descriptors)?;
    let mut buffer = [0; 4096];
    let (len, descriptors, _) = sys::scm::recv_with_fds(control.as_fd(), &mut buffer)?;
    if len == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let reply = Reply::decode(&buffer[..len]).map_err(io::Error::other)?;
    Ok((reply, descriptors))
}

fn write_maps(pid: u32, ids: OuterIds) -> io::Result<()> {
    let (uids, gids) = ids.maps();
    if matches!(ids, OuterIds::Own { .. }) {
        // Without privilege the kernel asks for this before it takes a map of groups.
        fs::write(format!("/proc/{pid}/setgroups"), "deny")?;
    }
    fs::write(format!("/proc/{pid}/uid_map"), uids)?;
    fs::write(format!("/proc/{pid}/gid_map"), gids)
}

fn describe(step: Step) -> &'static str {
    match step {
        Step::Fork => "start the launcher",
        Step::UserNamespace => "make a user namespace for the launcher",
        Step::Maps => "map the ids of the launcher's user namespace",
        Step::Root => "become root of the launcher's user namespace",
        Step::Namespaces => "make namespaces for the launcher",
        Step::Descriptors => "put the launcher's descriptors in order",
        Step::Exec => "run the launcher",
    }
}
