//! Makes, joins, limits and destroys cells, from plans made by `policy`.
//!
//! A [`Node`] is one outer user namespace with its launcher; a [`Cell`] is one sandbox that the launcher made. All
//! effects on the host that isolation needs happen in this crate, and every wrapper around a system call in `sys`.
//!
//! Everything here blocks, for a few milliseconds at most; callers that must not block call it from a thread that may.
//!
//! **Invariants.** The daemon alone touches cgroups and ids; launcher, forkservers and cells have no power over
//! either. Whatever fails on the way to a cell leaves nothing of it behind.

mod cell;
pub mod cgroup;
mod doctor;
mod error;
mod homes;
mod host;
mod ids;
mod launcher;
mod limits;
mod node;
mod unsaved;

pub use cell::{Cell, Doors, Memory};
pub use doctor::{Found, Layer, State, examine};
pub use error::{Error, Result};
pub use host::facts;
pub use node::{Node, NodeOptions, Process};
pub use policy::CellRequest;
