//! Control groups: memory, processor and process limits that the kernel holds, for version 2 and version 1.
//!
//! [`discover`] finds out what the host gives, and says for each limit that it does not give why not and what to do
//! about it. [`Parent`] is the node's own cgroup, which holds the budget of all cells; each [`CellGroup`] below it is
//! one cell's. Version 2 has one tree with all controllers; version 1 has a tree for each, and a cell a directory in
//! every one of them.
//!
//! **Where the parent goes.** Version 2 forbids processes in a cgroup that hands controllers to children, so a place
//! must be found that is empty or can be emptied. In this order, unless a later one gives more limits:
//! 1. within the systemd unit that runs us, the nearest cgroup above our own without processes (`DelegateSubgroup=`);
//! 2. our own, if we are alone in it: we move into a leaf beside the parent;
//! 3. above, wherever controllers are already handed down or can be (the root, slices).
//!
//! Only this process is ever moved, never another. Version 1 has no such rule: the parent goes below our own cgroup, or
//! beside it if that is a login session's scope, which the next start would not find again.
//!
//! **Invariants.** A limit is either held by the kernel or in [`Support::why_not`]. A cell that could not be given all
//! limits is not made at all, and leaves nothing. Nothing outside the parent's own directory is removed, and no process
//! outside it killed: pid 0 (a process that our PID namespace does not show) and reused ids among them.
//!
//! **Rejected.** The freezer of version 1, for killing: `pids.max = 0` stops forks as well, and costs no tree to join.
//! `memory.oom.group`: it would take init along, and with it the session. cpusets: quota is enough, and they would need
//! a map of who sits where.

mod discover;
mod error;
mod files;
mod group;
mod kill;
mod mounts;
mod parent;
mod place;
mod reason;
#[cfg(test)]
mod tests;

pub use discover::{Support, Version, discover};
pub use error::Error;
pub use group::{CellGroup, CgroupLimits};
pub use parent::Parent;
pub use reason::{Cause, Controller, Reason};

/// What this module's functions give.
type Result<T> = std::result::Result<T, Error>;
