//! Where in the host's hierarchies cgroups go.

use std::path::{Path, PathBuf};

use super::files::{self, CONTROLLERS, PROCS, SUBTREE};
use super::mounts::Mount;
use super::reason::{Cause, Controller};

/// Where this process goes when it has to leave its own cgroup.
pub(super) const LEAF: &str = "cellblock-daemon";

/// What a directory is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// One of the limits.
    Limit(Controller),
    /// Processor time used. Version 1 has a controller of its own for it; it limits nothing.
    CpuTime,
}

/// One directory: the only one in version 2, one of several in version 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Branch {
    pub(super) dir: PathBuf,
    pub(super) uses: Vec<Use>,
}

impl Branch {
    /// The same hierarchy, one down.
    pub(super) fn child(&self, name: &str) -> Branch {
        Branch { dir: self.dir.join(name), uses: self.uses.clone() }
    }

    /// The limits it holds.
    pub(super) fn limits(&self) -> impl Iterator<Item = Controller> {
        self.uses.iter().filter_map(|good| match good {
            Use::Limit(controller) => Some(*controller),
            Use::CpuTime => None,
        })
    }
}

/// Adds a use to the branch with this directory, so that controllers mounted together share one.
pub(super) fn add(branches: &mut Vec<Branch>, dir: PathBuf, good: Use) {
    match branches.iter_mut().find(|branch| branch.dir == dir) {
        Some(branch) => branch.uses.push(good),
        None => branches.push(Branch { dir, uses: vec![good] }),
    }
}

/// A place for the parent in version 2.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) dir: PathBuf,
    /// The limits that cgroups below can have.
    pub(super) usable: Vec<Controller>,
    /// Whether we must move out of it first.
    pub(super) leave: bool,
    /// What stands in the way of the other limits.
    pub(super) missing: Vec<(Controller, Cause)>,
}

/// The places in a version 2 mount, best first: by how many limits they give, then in the order that the module tells.
pub(super) fn candidates(root: &Path, mount: &Mount, own: &Path) -> Vec<Candidate> {
    let point = files::below(root, &mount.point);
    let examine = |path: &Path| examine(&point.join(path), path, mount);
    let mut order: Vec<Candidate> = Vec::new();
    let (within, above): (Vec<_>, Vec<_>) =
        own.ancestors().skip(1).partition(|path| unit(own).is_some_and(|unit| path.starts_with(unit)));
    order.extend(within.into_iter().map(examine));
    order.push(examine(own));
    order.extend(above.into_iter().map(examine));
    // The sort is stable.
    order.sort_by_key(|candidate| std::cmp::Reverse(candidate.usable.len()));
    order
}

/// The innermost systemd service or scope that a cgroup is in.
fn unit(cgroup: &Path) -> Option<&Path> {
    cgroup
        .ancestors()
        .find(|path| path.extension().is_some_and(|extension| extension == "service" || extension == "scope"))
}

/// Our cgroup, or what a scope is in: a login session's scope is another one each time.
pub(super) fn lasting(cgroup: &Path) -> &Path {
    match unit(cgroup) {
        Some(unit) if unit.extension().is_some_and(|extension| extension == "scope") => {
            unit.parent().unwrap_or(cgroup)
        }
        _ => cgroup,
    }
}

fn examine(dir: &Path, path: &Path, mount: &Mount) -> Candidate {
    let cgroup = Path::new("/").join(path).display().to_string();
    let mut candidate =
        Candidate { dir: dir.to_owned(), usable: Vec::new(), leave: false, missing: Vec::new() };
    let locked = locked(dir, &cgroup, mount.read_only);
    // Threaded cgroups do not tell their processes, and cannot have memory limits.
    let pids = files::pids(dir);
    let (None, Ok(pids)) = (&locked, pids) else {
        let cause = locked.unwrap_or(Cause::NotOurs { cgroup });
        candidate.missing = Controller::ALL.map(|controller| (controller, cause.clone())).to_vec();
        return candidate;
    };
    // The kernel's root has no such file, and may be divided with processes in it.
    let is_root = !dir.join("cgroup.events").exists();
    let others = pids.iter().filter(|pid| **pid != std::process::id()).count();
    let writable = files::open(&dir.join(SUBTREE)).is_ok();
    for controller in Controller::ALL {
        let enabled = files::has_word(&dir.join(SUBTREE), controller.name());
        let cause = if enabled {
            None
        } else if !files::has_word(&dir.join(CONTROLLERS), controller.name()) {
            Some(if is_root { Cause::NotInKernel } else { Cause::NotDelegated { cgroup: cgroup.clone() } })
        } else if !writable {
            Some(Cause::NotOurs { cgroup: cgroup.clone() })
        } else if others > 0 && !is_root {
            Some(Cause::Shared { cgroup: cgroup.clone(), others })
        } else {
            candidate.leave |= !is_root && !pids.is_empty();
            None
        };
        match cause {
            None => candidate.usable.push(controller),
            Some(cause) => candidate.missing.push((controller, cause)),
        }
    }
    candidate
}

/// Why processes cannot be moved here, if they cannot.
pub(super) fn locked(dir: &Path, cgroup: &str, read_only: bool) -> Option<Cause> {
    if read_only {
        return Some(Cause::ReadOnly);
    }
    let error = files::open(&dir.join(PROCS)).err()?;
    Some(match error.kind() {
        std::io::ErrorKind::ReadOnlyFilesystem => Cause::ReadOnly,
        _ => Cause::NotOurs { cgroup: cgroup.to_owned() },
    })
}
