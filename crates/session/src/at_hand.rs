//! Keeps the programs of kernels in the machine's page cache, on the daemon's account.
//!
//! A page of a file belongs to the cgroup that read it first. A cell that read its interpreter itself, a hundred
//! megabytes of it for V8's, has something to give back when its memory is full: instead of ending what is too large,
//! the machine then throws pages of the interpreter out and reads them in again, for a minute and more. With the pages
//! on the daemon's account there is nothing to give back, and memory ends when it is full.
//!
//! Locking them into memory was rejected: where memory is scarce the whole machine pays. Reading them when the engine
//! starts was rejected, since a kernel that nobody asks for costs nothing.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use environment::Runtime;

/// For so long what was read is taken to be there still. Looking takes a millisecond or two.
const AGE: Duration = Duration::from_secs(60);

/// The programs of an environment.
#[derive(Debug)]
pub(crate) struct AtHand {
    environment: PathBuf,
    /// When each [`Runtime`]'s was read last.
    read: Mutex<[Option<Instant>; Runtime::ALL.len()]>,
}

impl AtHand {
    pub(crate) fn new(environment: PathBuf) -> AtHand {
        AtHand { environment, read: Mutex::default() }
    }

    /// The program of a runtime that is to be read before its kernel starts; none, if it is at hand, or small.
    pub(crate) fn wanted(&self, runtime: Runtime, now: Instant) -> Option<PathBuf> {
        if runtime == Runtime::Python {
            return None;
        }
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let last = &mut read[runtime as usize];
        if last.is_some_and(|last| now.duration_since(last) < AGE) {
            return None;
        }
        *last = Some(now);
        Some(runtime.program(&self.environment))
    }
}

/// Has a file read into the page cache. What cannot be read ahead is read as it is needed.
pub(crate) fn read(path: &Path) {
    if let Err(error) = sys::file::read_ahead(path) {
        tracing::debug!("{} is not read ahead: {error}", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_read_once_in_a_while() {
        let programs = AtHand::new("/there".into());
        let now = Instant::now();
        assert_eq!(programs.wanted(Runtime::Python, now), None);
        assert_eq!(programs.wanted(Runtime::Node, now).unwrap(), Path::new("/there/bin/node"));
        assert_eq!(programs.wanted(Runtime::Node, now + AGE / 2), None);
        assert_eq!(programs.wanted(Runtime::Deno, now).unwrap(), Path::new("/there/bin/deno"));
        assert!(programs.wanted(Runtime::Node, now + AGE).is_some());
        assert_eq!(programs.wanted(Runtime::Node, now + AGE), None);
    }
}
