//! A step of the kernel's that failed, named so that a person can look for it.

use std::fmt::Display;
use std::io;

use protocol::launcher::Failure;

/// Names the step in which an operation failed.
pub(crate) trait Step<T> {
    /// Names it, e.g. `mount /proc`.
    fn step(self, step: impl Display) -> Result<T, Failure>;
}

impl<T> Step<T> for io::Result<T> {
    fn step(self, step: impl Display) -> Result<T, Failure> {
        self.map_err(|error| Failure {
            step: step.to_string(),
            errno: error.raw_os_error().unwrap_or(22), // EINVAL: refused before the kernel was asked
        })
    }
}
