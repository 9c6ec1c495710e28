//! From a copy of the forkserver to a process of the cell's.
//!
//! **What must stay true.** From its first instruction on the process can be seen from inside the cell, where hostile
//! code may be running already and wait for it. It is born undumpable, so that nobody there can trace it or take its
//! descriptors, and becomes dumpable in the very last step, when it holds nothing that the cell does not. Any step
//! that fails ends it.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};

use policy::{Confinement, WORKSPACE};
use protocol::forkserver::{DESCRIPTORS, Report, Step};
use sys::landlock::Ruleset;
use sys::{confine, enter, privilege};

/// How likely a victim a kernel is when memory runs out, from 0 to 1000: the cell's init, which has to tell of it, is
/// never the likelier one.
const EXPENDABLE: u16 = 500;

/// What came with a request.
#[derive(Debug)]
pub(crate) struct Descriptors {
    pub(crate) init: OwnedFd,
    stdout: OwnedFd,
    stderr: OwnedFd,
    socket: OwnedFd,
    pub(crate) report: File,
    cgroups: Vec<OwnedFd>,
}

impl Descriptors {
    /// Names them; `None` if some are missing.
    pub(crate) fn new(mut all: Vec<OwnedFd>) -> Option<Descriptors> {
        if all.len() < DESCRIPTORS {
            return None;
        }
        let cgroups = all.split_off(DESCRIPTORS);
        let [init, stdout, stderr, socket, report] = <[OwnedFd; DESCRIPTORS]>::try_from(all).ok()?;
        Some(Descriptors { init, stdout, stderr, socket, report: report.into(), cgroups })
    }
}

/// Says how a request ended.
pub(crate) fn report(mut pipe: &File, report: Report) -> io::Result<()> {
    pipe.write_all(&report.encode())
}

/// Becomes a process of the cell's, or ends.
pub(crate) fn settle(confinement: &Confinement, descriptors: Descriptors) {
    let Descriptors { init, stdout, stderr, socket, report: pipe, cgroups } = descriptors;
    // Before it touches a page: what it copies from now on is the cell's memory.
    let joined = cgroups.iter().try_for_each(confine::join_cgroup);
    drop(cgroups);
    or_end(joined, Step::Cgroup, &pipe);

    // If this fails nobody can be told; the pipe ends.
    let Ok([init, pipe]) = confine::keep_descriptors([stdout, stderr, socket], [init, pipe.into()]) else {
        confine::vanish(1)
    };
    let pipe = File::from(pipe);
    confine::expendable(EXPENDABLE);
    or_end(enter::join(init.as_fd()), Step::Namespaces, &pipe);
    drop(init);
    if let Err((step, error)) = give_up(confinement) {
        or_end(Err(error), step, &pipe);
    }
    enter::unblock_signals();
    // Nobody waits for it any more: whoever asked has given up on it, and knows of no kernel.
    if report(&pipe, Report::Entered(std::process::id())).is_err() {
        confine::vanish(1);
    }
    drop(pipe);
    if privilege::set_dumpable(true).is_err() {
        confine::vanish(1);
    }
}

fn give_up(confinement: &Confinement) -> Result<(), (Step, io::Error)> {
    let at = |step| move |error| (step, error);
    confine::close_input().map_err(at(Step::Descriptors))?;
    privilege::new_session().map_err(at(Step::Session))?;
    for limit in &confinement.rlimits {
        privilege::lower_rlimit(limit.resource as u8, limit.soft, limit.hard).map_err(at(Step::Limits))?;
    }
    if !confinement.processors.is_empty() {
        privilege::set_processors(&confinement.processors).map_err(at(Step::Processors))?;
    }
    if confinement.drop_groups {
        privilege::drop_groups().map_err(at(Step::Groups))?;
    }
    privilege::set_ids(confinement.uid, confinement.gid).map_err(at(Step::Ids))?;
    privilege::keep_capabilities(&[]).map_err(at(Step::Capabilities))?;
    privilege::no_new_privileges().map_err(at(Step::NoNewPrivileges))?;
    confine::settle_in(WORKSPACE).map_err(at(Step::Directory))?;
    if let Some(grants) = &confinement.landlock {
        let grants = grants.iter().map(|grant| (grant.path.as_str(), grant.rights.0));
        let ruleset = Ruleset::new(grants).map_err(at(Step::Landlock))?;
        ruleset
            .map_or(Ok(()), |ruleset| ruleset.restrict())
            .map_err(|errno| (Step::Landlock, errno.into()))?;
    }
    for filter in &confinement.filters {
        privilege::install_filter(filter).map_err(at(Step::Filter))?;
    }
    Ok(())
}

fn or_end(result: io::Result<()>, step: Step, pipe: &File) {
    if let Err(error) = result {
        let _ = report(pipe, Report::Failed { step, errno: errno(&error) });
        confine::vanish(1)
    }
}

/// The system's number of an invalid argument.
pub(crate) const EINVAL: i32 = 22;

/// The system's number for an error; [`EINVAL`], if it was refused before the system was asked.
pub(crate) fn errno(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(EINVAL)
}
