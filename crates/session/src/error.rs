//! Why the engine could not do what was asked. What user code did wrong is not here: that is an outcome.

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::CallId;

use crate::fault::{FileFault, Left};

/// What went wrong, with the object it went wrong with. Reads well after "failed to".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The outer namespace or the launcher.
    #[error("prepare this machine for cells")]
    Node(#[source] cell::Error),
    /// The kernels' sources.
    #[error("unpack the kernels")]
    Runtime(#[source] environment::Error),
    /// The session's cell.
    #[error("open a session")]
    Open(#[source] cell::Error),
    /// The cell was made, and its init did not speak.
    #[error("open a session: {0}")]
    Silent(&'static str),
    /// The session's way out.
    #[error("open a session")]
    WayOut(#[source] egress::Error),
    /// The session has ended.
    #[error("reach the session: it has ended")]
    Ended,
    /// What the session left could not be removed.
    #[error("end a session")]
    Destroy(#[source] Arc<cell::Error>),
    /// The session has no workspace.
    #[error("save files of the session: it has no workspace")]
    NoWorkspace,
    /// Files could not be saved.
    #[error("save files of the session")]
    Save(#[source] workspace::Error),
    /// What the session changed could not be saved at its end.
    #[error("save what the session changed{}: {why}", told(aside.as_deref()))]
    Unsaved {
        /// Where they are kept on the host.
        aside: Option<PathBuf>,
        /// Why not: what the first of them was.
        why: String,
    },
    /// The call's id was used before.
    #[error("take call {0}: its id was used before")]
    KnownCall(CallId),
    /// The interpreter runs code, and answers no question meanwhile.
    #[error("ask the interpreter: it runs code")]
    Busy,
    /// A question had no answer: there is no interpreter, or it thought for too long.
    #[error("ask the interpreter: it did not answer")]
    Unanswered,
    /// A file of the workspace.
    #[error("{what} `{}` in the workspace", path.display())]
    File {
        /// What was being done, as a verb.
        what: &'static str,
        /// The file, seen from the workspace.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file anywhere in the cell.
    #[error("{what} `{}`{left}", path.display())]
    CellFile {
        /// What was being done, as a verb.
        what: &'static str,
        /// The file, as the caller named it.
        path: PathBuf,
        /// What is left of a file that was to be written.
        left: Left,
        /// Why not.
        #[source]
        fault: FileFault,
    },
    /// A step of the engine's own.
    #[error("{what}")]
    Step {
        /// The step.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
}

fn told(aside: Option<&Path>) -> String {
    aside.map_or_else(String::new, |aside| format!("; its files are kept in `{}`", aside.display()))
}

impl Error {
    /// All that it says, with all of its reasons.
    pub(crate) fn told(&self) -> String {
        chain(self)
    }
}

/// An error with all that it says of its reasons.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let _ = write!(text, ": {error}");
        source = error.source();
    }
    text
}

/// What this crate's functions give.
pub type Result<T> = std::result::Result<T, Error>;
