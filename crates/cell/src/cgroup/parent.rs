//! The node's cgroup.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::discover::{Support, Version};
use super::files::{self, PROCS, SUBTREE};
use super::group::{self, CellGroup, CgroupLimits};
use super::place::{Branch, LEAF, Use};
use super::{Controller, Error, Result};

/// The cgroup that holds all cells of a node, and their budget of memory. Dropping it changes nothing.
#[derive(Debug)]
pub struct Parent {
    version: Version,
    branches: Vec<Branch>,
    /// The place that this process left for a leaf.
    left: Option<PathBuf>,
    /// Version 1: the quota that some cgroup above has; none below may be given more.
    ceiling: Option<u64>,
}

impl Parent {
    /// Makes the node's cgroup, or takes up the one that an earlier daemon of the same name left, and gives it a budget
    /// of memory in bytes.
    ///
    /// In version 2 this may move the calling process into a leaf of its cgroup. Children that it had before would be
    /// in the way, so call it before any is started.
    pub fn create(support: &Support, name: &str, total_memory: Option<u64>) -> Result<Parent> {
        let parent = Parent::new(support, name)?;
        match parent.establish(support, total_memory) {
            Ok(()) => Ok(parent),
            Err(error) => {
                // What living cells of an earlier daemon still use stays: it cannot be removed.
                let _ = parent.remove();
                Err(error)
            }
        }
    }

    /// The cgroup of another node, or of an earlier one, if it left one.
    pub fn find(support: &Support, name: &str) -> Result<Option<Parent>> {
        if support.branches.is_empty() {
            return Ok(None);
        }
        let parent = Parent { left: None, ..Parent::new(support, name)? };
        Ok(parent.branches.iter().any(|branch| branch.dir.exists()).then_some(parent))
    }

    fn new(support: &Support, name: &str) -> Result<Parent> {
        let version = support.version().ok_or(Error::Unsupported)?;
        let name = files::checked(name)?;
        let branches: Vec<_> = support.branches.iter().map(|branch| branch.child(name)).collect();
        let left = support.leave.then(|| support.branches[0].dir.clone());
        let ceiling =
            support.branches.iter().find(|branch| branch.uses.contains(&Use::Limit(Controller::Cpu)));
        let ceiling =
            ceiling.filter(|_| version == Version::V1).and_then(|branch| ceiling_above(&branch.dir));
        Ok(Parent { version, branches, left, ceiling })
    }

    fn establish(&self, support: &Support, total_memory: Option<u64>) -> Result<()> {
        if let Some(place) = &self.left {
            files::make_or_keep(&place.join(LEAF))?;
            files::write(&place.join(LEAF).join(PROCS), &0)?;
        }
        for (place, branch) in support.branches.iter().zip(&self.branches) {
            if self.version == Version::V2 {
                hand_down(place)?;
            }
            files::make_or_keep(&branch.dir)?;
            if branch.limits().any(|held| held == Controller::Memory) {
                if self.version == Version::V1 {
                    prepare_version_one(&branch.dir)?;
                }
                group::limit_memory(self.version, &branch.dir, total_memory)?;
            }
            if self.version == Version::V2 {
                hand_down(branch)?;
            }
        }
        Ok(())
    }

    /// Makes a cell's cgroup with its limits. All or nothing: on failure nothing of it stays.
    pub fn create_cell(&self, id: &str, limits: &CgroupLimits) -> Result<CellGroup> {
        let branches: Vec<_> = self.branches.iter().map(|branch| branch.child(id)).collect();
        files::checked(id)?;
        for (made, branch) in branches.iter().enumerate() {
            if let Err(error) = files::make(&branch.dir) {
                for branch in &branches[..made] {
                    let _ = files::unmake(&branch.dir);
                }
                return Err(error);
            }
        }
        let group = CellGroup::new(self.version, branches, self.ceiling);
        match group.set_limits(limits) {
            Ok(()) => Ok(group),
            Err(error) => {
                let _ = group.remove();
                Err(error)
            }
        }
    }

    /// The cgroup of a cell that an earlier daemon made.
    pub fn adopt(&self, id: &str) -> Option<CellGroup> {
        files::checked(id).ok()?;
        let branches: Vec<_> = self.branches.iter().map(|branch| branch.child(id)).collect();
        let there = branches.iter().any(|branch| branch.dir.is_dir());
        there.then(|| CellGroup::new(self.version, branches, self.ceiling))
    }

    /// Kills and removes every cell's cgroup that is not to be kept, and gives how many. One that resists does not
    /// keep the others; the first error is given at the end.
    pub fn sweep(&self, keep: impl Fn(&str) -> bool) -> Result<usize> {
        let mut names = BTreeSet::new();
        for branch in self.branches.iter().filter(|branch| branch.dir.exists()) {
            names.extend(files::children(&branch.dir)?);
        }
        let (mut removed, mut failed) = (0, None);
        for group in names.iter().filter(|name| !keep(name)).filter_map(|name| self.adopt(name)) {
            match group.remove() {
                Ok(()) => removed += 1,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(removed), Err)
    }

    /// Removes the node's cgroup, once its cells are gone, and takes this process back to where it was.
    pub fn remove(&self) -> Result<()> {
        let mut failed = None;
        for branch in &self.branches {
            if let Err(source) = files::unmake(&branch.dir) {
                failed = failed.or(Some(Error::Remove { path: branch.dir.clone(), source }));
            }
        }
        if let Some(place) = self.left.as_ref().filter(|_| failed.is_none()) {
            // Another node may live beside this one and need things as they are; then they stay.
            let _ = go_back(place, &self.branches[0]);
        }
        failed.map_or(Ok(()), Err)
    }
}

/// Lets children of a version 2 cgroup have the controllers of this branch.
fn hand_down(branch: &Branch) -> Result<()> {
    let file = branch.dir.join(SUBTREE);
    for controller in branch.limits().filter(|controller| !files::has_word(&file, controller.name())) {
        files::write(&file, &format_args!("+{controller}"))?;
    }
    Ok(())
}

fn go_back(place: &Path, branch: &Branch) -> Result<()> {
    for controller in branch.limits() {
        files::write(&place.join(SUBTREE), &format_args!("-{controller}"))?;
    }
    files::write(&place.join(PROCS), &0)?;
    let leaf = place.join(LEAF);
    files::unmake(&leaf).map_err(|source| Error::Remove { path: leaf, source })
}

/// Until 5.11, a version 1 memory cgroup did not count its children unless told.
fn prepare_version_one(dir: &Path) -> Result<()> {
    let counts_children = dir.join("memory.use_hierarchy");
    if files::number(&counts_children).ok().flatten() == Some(0) {
        files::write(&counts_children, &1)?;
    }
    if !dir.join(group::SWAP_V1).exists() {
        // Swap is not counted; children inherit that it is not used for their own limit's sake.
        files::write(&dir.join("memory.swappiness"), &0)?;
    }
    Ok(())
}

/// The least quota that any cgroup from here up has, in our period. The kernel refuses children more than that.
fn ceiling_above(dir: &Path) -> Option<u64> {
    let allowed = |dir: &Path| {
        // -1, no limit, is no number here.
        let quota = files::number(&dir.join("cpu.cfs_quota_us")).ok()??;
        let period = files::number(&dir.join("cpu.cfs_period_us")).ok()??;
        (quota * u64::from(group::PERIOD)).checked_div(period)
    };
    let above = dir.ancestors().take_while(|dir| dir.join("cpu.cfs_quota_us").exists());
    above.filter_map(allowed).min()
}
