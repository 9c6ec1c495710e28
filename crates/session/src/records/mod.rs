//! What outlives the daemon: sessions, interpreters, and what a client's idempotency token stood for.
//!
//! Everything is in memory and is answered from there; a thread of its own writes it to `SQLite` behind the replies, many
//! changes in one transaction, so that no request waits for a disk. A crash may lose the last moment of it, and never
//! leaves half a change. Rejected: reading from `SQLite`, which would make every listing a disk's business, and writing
//! before the reply, which costs each session several milliseconds for a record that nobody acknowledges as durable.
//!
//! **Invariants.** One daemon per data directory: the file is locked. What is looked up is looked up by principal. A
//! record that ended longer than [`KEEP`] ago is removed, and so are the oldest where there are more than [`MOST`].

mod interpreters;
mod sessions;
mod tokens;
mod writer;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use interpreters::{InterpreterRecord, Status};
pub use sessions::SessionRecord;
pub use tokens::Claim;

use interpreters::Interpreters;
use sessions::Sessions;
use tokens::Tokens;
use writer::Writer;

/// How long the record of a session is kept after its end; AWS lists them as long.
pub const KEEP: Duration = Duration::from_secs(30 * 24 * 3600);

/// The most ended sessions that are remembered, since all of them are in memory.
pub const MOST: usize = 100_000;

/// Why records could not be read or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another daemon has the data directory.
    #[error("open the records `{}`: another daemon uses them", path.display())]
    Locked {
        /// The file.
        path: std::path::PathBuf,
    },
    /// They were written by a later version.
    #[error("open the records `{}`: they have version {found}, and this cellblock knows {known}", path.display())]
    Version {
        /// The file.
        path: std::path::PathBuf,
        /// The version that it has.
        found: i64,
        /// The latest that is known.
        known: i64,
    },
    /// The data base.
    #[error("{what} the records `{}`", path.display())]
    Database {
        /// What was being done, as a verb.
        what: &'static str,
        /// The file.
        path: std::path::PathBuf,
        /// Why not.
        source: rusqlite::Error,
    },
}

/// The records of one daemon.
#[derive(Debug)]
pub struct Records {
    state: Mutex<State>,
    writer: Writer,
}

#[derive(Debug, Default)]
struct State {
    sessions: Sessions,
    interpreters: Interpreters,
    tokens: Tokens,
}

impl Records {
    /// Opens the records in this file, or begins them. Sessions that lived when the last daemon ended have ended.
    pub fn open(path: &Path) -> Result<Records, Error> {
        let (writer, loaded) = Writer::open(path)?;
        let records = Records { state: Mutex::new(loaded), writer };
        records.end_all();
        records.forget_old();
        Ok(records)
    }

    /// Records that end with this process, for one that is not a data directory's daemon.
    pub fn in_memory() -> Records {
        Records { state: Mutex::default(), writer: Writer::nowhere() }
    }

    /// Waits until all that was recorded so far is on the disk; whether it is.
    pub fn flush(&self) -> bool {
        self.writer.flush()
    }

    /// Removes what ended too long ago.
    pub fn forget_old(&self) {
        let before = SystemTime::now().checked_sub(KEEP).unwrap_or(UNIX_EPOCH);
        let mut state = self.state();
        for key in state.sessions.too_old(before, MOST) {
            if let Some(change) = state.sessions.remove(&key) {
                self.writer.write(change);
            }
        }
        state.tokens.forget_old();
        drop(state);
        self.writer.write(tokens::forget_before(SystemTime::now()));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A time as it is stored: milliseconds since 1970.
fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn time(millis: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests;
