//! Why there is no forkserver, or no kernel from it.

use std::io;

pub use protocol::forkserver::Step;

/// What this crate's functions give.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong. Reads well after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its process could not be started.
    #[error("start a forkserver")]
    Start(#[source] cell::Error),
    /// It could not get warm; what its interpreter said.
    #[error("warm up a forkserver: {0}")]
    Warm(String),
    /// It did not get warm in time.
    #[error("warm up a forkserver: it is not ready in time")]
    NotReady,
    /// It has ended. Another one can be started and asked; kernels forked from it live on.
    #[error("reach the forkserver: it is gone")]
    Gone,
    /// It does not answer. It should be killed and replaced; kernels forked from it live on.
    #[error("reach the forkserver: it does not answer")]
    Stuck,
    /// The cell has ended.
    #[error("enter the cell: it is gone")]
    CellGone,
    /// A step failed, and there is no kernel.
    #[error("{step} on the way into the cell")]
    Step {
        /// The step.
        step: Step,
        /// Why.
        source: io::Error,
    },
    /// The kernel process was killed before it was confined: by the memory limit, or by somebody in the cell.
    #[error("enter the cell: the kernel was killed on its way")]
    Killed,
    /// The kernel process is not confined in time: somebody in the cell stopped it. The forkserver is well.
    #[error("enter the cell: the kernel is held up on its way")]
    HeldUp,
    /// Something between daemon and forkserver.
    #[error("{what}")]
    Socket {
        /// What was being done.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
}

/// Says what was being done when it failed.
pub(crate) trait At<T> {
    /// The error, with that.
    fn at(self, what: &'static str) -> Result<T>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, what: &'static str) -> Result<T> {
        self.map_err(|source| Error::Socket { what, source })
    }
}
