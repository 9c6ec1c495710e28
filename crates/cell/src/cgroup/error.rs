//! What can go wrong with cgroups.

use std::io;
use std::path::PathBuf;

/// What was being done, to which object, and why it failed. Reads well after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A cgroup's file could not be read.
    #[error("read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A cgroup's file did not take a value.
    #[error("write `{value}` to `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The value.
        value: String,
        /// Why not.
        source: io::Error,
    },
    /// A cgroup could not be made.
    #[error("create the cgroup `{}`", path.display())]
    Create {
        /// Its directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A cgroup could not be listed.
    #[error("list the cgroup `{}`", path.display())]
    List {
        /// Its directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A cgroup could not be removed, though everything in it was killed and waited for.
    #[error("remove the cgroup `{}`", path.display())]
    Remove {
        /// Its directory.
        path: PathBuf,
        /// Why not; `ResourceBusy` if a process would not die.
        source: io::Error,
    },
    /// A process of a cell could not be killed.
    #[error("kill process {pid} of the cgroup `{}`", path.display())]
    Kill {
        /// The process.
        pid: u32,
        /// The cgroup's directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A name that cannot be a cgroup's: not 1 to 128 letters, digits, `-` and `_`.
    #[error("use `{0}` as the name of a cgroup")]
    Name(String),
    /// The host gives no limit at all; [`Support::why_not`](super::Support::why_not) says why.
    #[error("create a cgroup: no controller can be used here")]
    Unsupported,
}
