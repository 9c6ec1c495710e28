//! Emptying a cgroup of processes that do not want to go.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use sys::process::{Signal, pidfd, signal};

use super::place::{Branch, Use};
use super::{Controller, Error, Result, files};

/// How long killed processes may take to leave a cgroup. They free their memory first, a second or two for many GiB.
const PATIENCE: Duration = Duration::from_secs(10);
const SHORTEST_WAIT: Duration = Duration::from_micros(200);
const LONGEST_WAIT: Duration = Duration::from_millis(20);

/// Kills everything in a cell's cgroup.
pub(super) fn all(branches: &[Branch]) -> Result<()> {
    let Some(first) = branches.first() else { return Ok(()) };
    // Version 2 since 5.14: one write, and no fork outruns it.
    let kill = first.dir.join("cgroup.kill");
    if kill.exists() {
        return match files::write(&kill, &1) {
            Err(Error::Write { source, .. }) if files::gone(&source) => Ok(()),
            other => other,
        };
    }
    // Else nobody may fork from now on, and whoever is there is killed until no one is new.
    for branch in branches.iter().filter(|branch| branch.uses.contains(&Use::Limit(Controller::Pids))) {
        match files::write(&branch.dir.join("pids.max"), &0) {
            Err(Error::Write { source, .. }) if files::gone(&source) => {}
            other => other?,
        }
    }
    let mut killed = BTreeSet::new();
    for _ in 0..1000 {
        let mut found = false;
        // A process is in all branches, or between two of them.
        for branch in branches {
            found |= pass(&branch.dir, &mut killed)?;
        }
        if !found {
            break;
        }
    }
    Ok(())
}

/// Kills the processes that are not yet killed; gives whether there were any.
fn pass(dir: &Path, killed: &mut BTreeSet<u32>) -> Result<bool> {
    let new: Vec<u32> =
        files::pids(dir)?.into_iter().filter(|pid| *pid != 0 && !killed.contains(pid)).collect();
    if new.is_empty() {
        return Ok(false);
    }
    let held: Vec<_> = new.iter().filter_map(|pid| Some((*pid, pidfd(*pid).ok()?))).collect();
    // Listed before and after it was taken hold of: so what is held is in the cgroup, and not a stranger that got
    // the id of one that died in between.
    let still: BTreeSet<u32> = files::pids(dir)?.into_iter().collect();
    for (pid, process) in held.iter().filter(|(pid, _)| still.contains(pid)) {
        match signal(process, Signal::Kill) {
            // ESRCH: it has died meanwhile.
            Err(source) if source.raw_os_error() != Some(3) => {
                return Err(Error::Kill { pid: *pid, path: dir.to_owned(), source });
            }
            _ => killed.insert(*pid),
        };
    }
    Ok(true)
}

/// Removes one directory of a cell's cgroup as soon as its killed processes are gone.
pub(super) fn remove(branches: &[Branch], dir: &Path) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let mut wait = SHORTEST_WAIT;
    loop {
        match files::unmake(dir) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::ResourceBusy && Instant::now() < deadline => {}
            Err(source) => return Err(Error::Remove { path: dir.to_owned(), source }),
        }
        thread::sleep(wait);
        wait = (wait * 2).min(LONGEST_WAIT);
        // Somebody may have entered by a door that was opened before.
        all(branches)?;
    }
}
