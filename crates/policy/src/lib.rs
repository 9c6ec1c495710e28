//! What a cell may do, as data and pure functions.
//!
//! Nothing here touches the system: facts of the host come in as values, plans go out as values, and `cell` is the
//! only one to execute them. Every decision about isolation is therefore in this crate and can be tested without a
//! kernel.
//!
//! **Invariants.** It fails closed: what is not listed is refused, and a plan that lacks a wall cannot be decoded.

mod cell;
pub mod files;
mod ids;
mod landlock;
mod limits;
mod machine;
mod mount;
pub mod network;
mod plan;
pub mod seccomp;
mod template;

pub use cell::{CellRequest, Hard, INIT, Node, USER, cell_plan, variables};
pub use ids::{BLOCK, OuterIds, blocks};
pub use landlock::{Grant, Rights};
pub use limits::{Limits, Resource, Rlimit, rlimits};
pub use mount::{MOUNTS, Mount};
pub use plan::{CellFile, CellIds, CellPath, CellPlan, Confinement, Entry, HostPath, Template};
pub use template::{
    CELLS, COVERED, DEVICES, ENVIRONMENT, ETC, HOME, HOST_PROC, Host, LAYER_LINK, LAYER_MODULES, ROOT,
    RUNTIME, RootEntry, Roots, WORKSPACE, template,
};
