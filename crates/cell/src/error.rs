//! Why a cell could not be made, joined or ended.

use std::io;
use std::path::{Path, PathBuf};

/// What this crate's functions give.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, with the object it went wrong with. Reads well after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something about a file or directory.
    #[error("{what} `{}`", path.display())]
    File {
        /// What was being done, e.g. "create".
        what: &'static str,
        /// To what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A step of the daemon's own.
    #[error("{what}")]
    Step {
        /// The step.
        what: String,
        /// Why not.
        source: io::Error,
    },
    /// A step that the launcher, or a cell's init before it was one, took.
    #[error("{step} in a cell")]
    Launcher {
        /// The step.
        step: String,
        /// Why not.
        source: io::Error,
    },
    /// A cgroup.
    #[error("limit a cell")]
    Cgroup(#[from] crate::cgroup::Error),
    /// The system-call filters could not be compiled.
    #[error("compile the system-call filters: {0}")]
    Filters(String),
    /// The launcher is gone, and the one that took its place too.
    #[error("reach the launcher: it is gone")]
    LauncherGone,
    /// All ids of the node's block are taken.
    #[error("give a cell its ids: all of them are taken; end a session first")]
    NoIds,
}

/// Says what was done with which path when it failed.
pub(crate) trait At<T> {
    /// The error, with these.
    fn at(self, what: &'static str, path: &Path) -> Result<T>;
    /// The error, as a step.
    fn step(self, what: &str) -> Result<T>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, what: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| Error::File { what, path: path.to_owned(), source })
    }

    fn step(self, what: &str) -> Result<T> {
        self.map_err(|source| Error::Step { what: what.to_owned(), source })
    }
}
