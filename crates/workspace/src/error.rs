//! What can go wrong.

use std::io;
use std::path::PathBuf;

use crate::path::{Refused, WorkspacePath};

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name or a path that a disk, a store or a cell could read differently.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// There is no such file.
    #[error("find `{0}`: there is no such file in the workspace")]
    NotFound(WorkspacePath),
    /// Something stands where another must: a file where a directory is, or the other way round.
    #[error("write `{0}`: a file and a directory cannot have the same name")]
    InTheWay(WorkspacePath),
    /// A configuration that names no store.
    #[error("open the store `{url}`: {why}")]
    Store {
        /// As it was configured.
        url: String,
        /// Why not.
        why: String,
    },
    /// The store did not do it.
    #[error("{what} `{path}`")]
    Object {
        /// What was to be done.
        what: &'static str,
        /// With what.
        path: String,
        /// Why not.
        #[source]
        source: object_store::Error,
    },
    /// The disk did not do it.
    #[error("{what} `{}`", path.display())]
    Disk {
        /// What was to be done.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// Whether the store's or the host's disk is full.
    pub fn is_full(&self) -> bool {
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = source {
            if error.downcast_ref::<io::Error>().is_some_and(|error| {
                matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }) {
                return true;
            }
            source = error.source();
        }
        false
    }
}
