//! What the host gives.

use std::path::{Path, PathBuf};

use super::mounts::{self, Mount};
use super::place::{self, Branch, LEAF, Use};
use super::reason::{Cause, Controller, Reason};
use super::{Result, files};

/// Which cgroups the kernel's controllers are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// A tree for each controller.
    V1,
    /// One tree.
    V2,
}

/// Which limits the kernel can hold for our cells, and why not the others.
#[derive(Debug, Clone)]
pub struct Support {
    version: Option<Version>,
    /// Where the parent goes.
    pub(super) branches: Vec<Branch>,
    /// Version 2: whether we have to leave that place first.
    pub(super) leave: bool,
    why_not: Vec<Reason>,
}

impl Support {
    /// The version in use; `None` if no limit can be held.
    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// Whether the kernel holds this limit, so that it is hard.
    pub fn holds(&self, controller: Controller) -> bool {
        self.branches.iter().any(|branch| branch.limits().any(|held| held == controller))
    }

    /// One reason for each limit that is not held.
    pub fn why_not(&self) -> &[Reason] {
        &self.why_not
    }

    fn nothing(cause: impl Fn(Controller) -> Cause) -> Support {
        let why_not = Controller::ALL.map(|controller| Reason { controller, cause: cause(controller) });
        Support { version: None, branches: Vec::new(), leave: false, why_not: why_not.to_vec() }
    }
}

/// Finds out what the host with this root directory (`/`) gives. Reads only: nothing is made, moved or changed.
pub fn discover(root: &Path) -> Result<Support> {
    let mounts = mounts::mounts(&files::read(&root.join("proc/self/mountinfo"))?);
    let cgroups = files::read(&root.join("proc/self/cgroup"))?;
    let two = version_two(root, &mounts, &cgroups);
    let one = version_one(root, &mounts, &cgroups);
    // A hybrid host mounts both, with the controllers in one of them.
    let limits = |support: &Support| support.branches.iter().flat_map(Branch::limits).count();
    Ok(match (two, one) {
        (Some(two), Some(one)) if limits(&one) > limits(&two) => one,
        // Neither gives anything: the one that has controllers at all can say more.
        (Some(two), Some(one)) if limits(&two) == 0 && absent(&two) => one,
        (Some(two), _) => two,
        (None, Some(one)) => one,
        (None, None) => Support::nothing(|_| Cause::NotMounted),
    })
}

fn absent(support: &Support) -> bool {
    support.why_not.iter().all(|reason| reason.cause == Cause::NotInKernel)
}

fn version_two(root: &Path, mounts: &[Mount], cgroups: &str) -> Option<Support> {
    let own = mounts::own(cgroups, None)?;
    let mut found = mounts.iter().filter(|mount| mount.controllers.is_none()).peekable();
    found.peek()?;
    let Some((mount, path)) = found.find_map(|mount| Some((mount, mount.locate(&own)?))) else {
        return Some(Support::nothing(|_| Cause::NotOurs { cgroup: own.display().to_string() }));
    };
    // Where we moved ourselves, see `Parent::create`.
    let in_leaf = path.ends_with(LEAF);
    let path = if in_leaf { path.parent().unwrap_or(&path).to_owned() } else { path };
    let mut candidates = place::candidates(root, mount, &path);
    let own = files::below(root, &mount.point).join(&path);
    if candidates.iter().all(|candidate| candidate.usable.is_empty()) {
        // All are as bad; what is wrong with our own cgroup is what can be changed.
        candidates.retain(|candidate| candidate.dir == own);
    }
    let best = candidates.into_iter().next()?;
    let leave = best.leave || (in_leaf && best.dir == own);
    let mut uses: Vec<_> = best.usable.iter().map(|controller| Use::Limit(*controller)).collect();
    let branches = if uses.is_empty() {
        Vec::new()
    } else {
        // Version 2 counts time with or without the controller.
        uses.push(Use::CpuTime);
        vec![Branch { dir: best.dir, uses }]
    };
    let why_not = best.missing.into_iter().map(|(controller, cause)| Reason { controller, cause }).collect();
    let version = (!branches.is_empty()).then_some(Version::V2);
    Some(Support { version, branches, leave, why_not })
}

fn version_one(root: &Path, mounts: &[Mount], cgroups: &str) -> Option<Support> {
    mounts.iter().find(|mount| mount.controllers.is_some())?;
    let (mut branches, mut why_not) = (Vec::new(), Vec::new());
    for controller in Controller::ALL {
        match version_one_place(root, mounts, cgroups, controller.name()) {
            Ok(dir) if controller == Controller::Cpu && !dir.join("cpu.cfs_quota_us").exists() => {
                why_not.push(Reason { controller, cause: Cause::NoLimit { file: "cpu.cfs_quota_us" } });
            }
            Ok(dir) => place::add(&mut branches, dir, Use::Limit(controller)),
            Err(cause) => why_not.push(Reason { controller, cause }),
        }
    }
    if !branches.is_empty()
        && let Ok(dir) = version_one_place(root, mounts, cgroups, "cpuacct")
    {
        place::add(&mut branches, dir, Use::CpuTime);
    }
    let version = (!branches.is_empty()).then_some(Version::V1);
    Some(Support { version, branches, leave: false, why_not })
}

fn version_one_place(
    root: &Path,
    mounts: &[Mount],
    cgroups: &str,
    controller: &str,
) -> std::result::Result<PathBuf, Cause> {
    let has = |mount: &&Mount| {
        mount
            .controllers
            .as_ref()
            .is_some_and(|controllers| controllers.iter().any(|found| found == controller))
    };
    let own = mounts::own(cgroups, Some(controller)).ok_or(Cause::NotInKernel)?;
    mounts.iter().find(has).ok_or(Cause::NotMounted)?;
    let foreign = || Cause::NotOurs { cgroup: own.display().to_string() };
    let (mount, path) =
        mounts.iter().filter(has).find_map(|mount| Some((mount, mount.locate(&own)?))).ok_or_else(foreign)?;
    let path = place::lasting(&path);
    let dir = files::below(root, &mount.point).join(path);
    match place::locked(&dir, &Path::new("/").join(path).display().to_string(), mount.read_only) {
        None => Ok(dir),
        Some(Cause::NotOurs { cgroup }) => Err(Cause::NotRoot { cgroup }),
        Some(cause) => Err(cause),
    }
}
