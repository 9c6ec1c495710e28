//! Durable files of sessions: what is in a workspace outlives the cells that work on it.
//!
//! A [`Store`] holds the workspaces of all principals; a [`Workspace`] is one principal's, by name. Files have paths of
//! the form `namespace/…`: `uploads/` is what the user gave, `code-interpreter/` what code made, and others belong to
//! other tools. A cell never sees the store: it works on a [`WorkingCopy`], a directory on the local disk, into which
//! files are brought and from which changed ones are saved.
//!
//! **Invariants.** A file is in the store whole or not at all, and what was acknowledged is durable: it was synced
//! before anybody was told. The same path, whoever reads it (disk, store, cell), is the same file: what they could read
//! differently is refused in one place ([`WorkspacePath`]). A workspace is found by principal and name together; one of
//! somebody else is as absent as one that never was. What lies in a working copy is hostile.
//!
//! Absent on purpose: sessions and cells, wires, and the assumption that a store is local.

mod copy;
mod error;
mod local;
mod path;
#[doc(hidden)]
pub mod points;
mod reading;
mod store;

pub use copy::{Brought, Left, LeftOut, Saved, SavedFile, View, WorkingCopy, strip};
pub use error::{Error, Result};
pub use path::{Refused, WorkspaceName, WorkspacePath};
pub use reading::Reading;
pub use store::{Store, Stored, Version, Workspace};

/// Where files lie that the user gave.
pub const UPLOADS: &str = "uploads";
/// Where files lie that code made.
pub const CODE_INTERPRETER: &str = "code-interpreter";
