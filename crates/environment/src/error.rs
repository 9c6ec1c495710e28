//! What can go wrong, each with the remedy where there is one.

use std::io;
use std::path::{Path, PathBuf};

/// Every way an environment can fail to be found, installed or described.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No recipe has this name.
    #[error("find an environment named `{name}`")]
    Unknown {
        /// The name as it was given.
        name: String,
    },
    /// The recipe is known, but nothing is installed for it.
    #[error("find the environment `{name}` below `{}`: it is not installed", dir.display())]
    NotInstalled {
        /// The recipe's name.
        name: String,
        /// The directory that was looked in.
        dir: PathBuf,
    },
    /// An operation on a file or directory.
    #[error("{operation} `{}`", path.display())]
    File {
        /// What was being done, as a verb.
        operation: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The disk below the environments directory is full, or would be.
    #[error("store the environment below `{}`: the disk is full{}", path.display(), shortage(*need, *free))]
    DiskFull {
        /// The environments directory.
        path: PathBuf,
        /// Bytes the install is expected to take; 0 where it was not known beforehand.
        need: u64,
        /// Bytes that were free; 0 where it was not known beforehand.
        free: u64,
    },
    /// No interpreter on this machine can be the base of an environment.
    #[error("find a Python to build the environment on: {}", reasons(tried))]
    NoPython {
        /// What was tried, and what was wrong with each.
        tried: Vec<String>,
    },
    /// There is no uv on this machine, and nothing to fetch it with.
    #[error(
        "find uv: there is none on the `PATH`, and neither pip nor a configured package index to fetch it by"
    )]
    NoUv,
    /// The package index could not be reached.
    #[error("fetch {what} from the package index: {output}")]
    Network {
        /// The package, with its version.
        what: String,
        /// The last words of the program that tried.
        output: String,
    },
    /// The npm registry could not be reached, or does not have a package.
    #[error("fetch the JavaScript libraries from the npm registry: {output}")]
    Registry {
        /// What npm said of it.
        output: String,
    },
    /// What was fetched is not what was locked.
    #[error("verify {what}: its contents are not those that were locked: {output}")]
    Hash {
        /// The package, with its version.
        what: String,
        /// What was expected and what came.
        output: String,
    },
    /// A program that the install runs could not be started or failed.
    #[error("{operation}: {output}")]
    Program {
        /// What was being done, as a verb and its object.
        operation: String,
        /// The program's last words, or why it could not be started.
        output: String,
    },
    /// The finished environment did not pass its own check.
    #[error("check the finished environment: {problem}")]
    Unsound {
        /// The first thing that was wrong with it.
        problem: String,
    },
    /// A file of ours does not have the form that it should.
    #[error("read `{what}`: {problem}")]
    Malformed {
        /// The file.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// The result of everything in this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// What to do about it: a sentence to print after `hint:`.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unknown { .. } => "`cellblock env list` shows those there are".to_owned(),
            Self::NotInstalled { name, .. } => format!("run `cellblock env install {name}`"),
            Self::DiskFull { .. } => {
                "free some space, or choose another place with `--data DIR` or `--environments DIR`".to_owned()
            }
            Self::NoPython { .. } => {
                "install CPython 3.11 or newer (such as Debian's `python3`), or name one in `CELLBLOCK_PYTHON`".to_owned()
            }
            Self::NoUv => {
                "install uv or pip (such as Debian's `python3-pip`), or name a package index in `UV_DEFAULT_INDEX`".to_owned()
            }
            Self::Network { .. } => {
                "check the connection; a mirror can be named in `UV_DEFAULT_INDEX`, a proxy in `HTTPS_PROXY`; what was fetched already is kept"
                    .to_owned()
            }
            Self::Registry { .. } => {
                "check the connection; a mirror can be named by `registry=` in `~/.npmrc` or in `npm_config_registry`, a proxy in `HTTPS_PROXY`; what was fetched already is kept"
                    .to_owned()
            }
            Self::Hash { .. } => {
                "the package index served something else than was locked; try another index with `UV_DEFAULT_INDEX`, another npm registry with `npm_config_registry`".to_owned()
            }
            Self::File { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "choose a directory that you may write to with `--data DIR` or `--environments DIR`".to_owned()
            }
            _ => return None,
        })
    }

    /// Wraps an I/O error of one operation on one path; a full disk becomes [`Error::DiskFull`].
    pub(crate) fn file(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path, need: 0, free: 0 }
            }
            _ => Self::File { operation, path, source },
        }
    }
}

fn reasons(tried: &[String]) -> String {
    if tried.is_empty() { "nothing to try was found".to_owned() } else { tried.join("; ") }
}

fn shortage(need: u64, free: u64) -> String {
    const MIB: u64 = 1 << 20;
    if need == 0 {
        String::new()
    } else {
        format!(" (it needs {} MiB, {} MiB are free)", need / MIB, free / MIB)
    }
}
