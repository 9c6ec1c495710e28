//! Which limits the kernel holds for a node's cells, and the cgroups that hold them.

use std::path::Path;

use policy::{Hard, Limits};

use crate::cgroup::{self, CellGroup, CgroupLimits, Controller, Parent, Support};
use crate::error::Result;

/// The node's cgroups, as far as this host gives any.
#[derive(Debug)]
pub(crate) struct Limiter {
    parent: Option<Parent>,
    hard: Hard,
}

impl Limiter {
    /// The cgroups of a node with this name. To be made before the node has children: see [`Parent::create`].
    pub(crate) fn new(node: &str, total_memory: Option<u64>) -> Result<Limiter> {
        let support = cgroup::discover(Path::new("/"))?;
        let hard = hard(&support);
        let any = hard.memory || hard.cpus || hard.processes;
        let parent = any.then(|| Parent::create(&support, &named(node), total_memory)).transpose()?;
        Ok(Limiter { parent, hard })
    }

    pub(crate) fn hard(&self) -> Hard {
        self.hard
    }

    /// A cgroup for one cell; `None` where the host gives none.
    pub(crate) fn cell(&self, name: &str, limits: &Limits) -> Result<Option<CellGroup>> {
        let Some(parent) = &self.parent else { return Ok(None) };
        let limits = CgroupLimits {
            memory_bytes: limits.memory,
            cpus: f64::from(limits.cpus),
            // Init is one of them.
            processes: limits.processes + 1,
        };
        Ok(Some(parent.create_cell(name, &limits)?))
    }

    /// Removes the node's own cgroup, when its cells are gone.
    pub(crate) fn remove(&self) {
        if let Some(parent) = &self.parent
            && let Err(error) = parent.remove()
        {
            tracing::warn!(%error, "failed to remove the node's cgroup");
        }
    }

    /// Kills and removes what a node left that died.
    pub(crate) fn sweep(node: &str) {
        let swept = cgroup::discover(Path::new("/")).and_then(|support| {
            let Some(parent) = Parent::find(&support, &named(node))? else { return Ok(()) };
            parent.sweep(|_| false)?;
            parent.remove()
        });
        if let Err(error) = swept {
            tracing::warn!(node, %error, "failed to remove the cgroup of a node that died");
        }
    }
}

/// Which limits the kernel would hold.
pub(crate) fn hard(support: &Support) -> Hard {
    Hard {
        memory: support.holds(Controller::Memory),
        cpus: support.holds(Controller::Cpu),
        processes: support.holds(Controller::Pids),
    }
}

fn named(node: &str) -> String {
    format!("cellblock-{node}")
}
