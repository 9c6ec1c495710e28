//! The thread that writes.

use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql};

use super::interpreters::Interpreters;
use super::sessions::Sessions;
use super::tokens::Tokens;
use super::{Error, State};

/// The version of the tables below.
const VERSION: i64 = 1;
/// The most changes in one transaction.
const BATCH: usize = 1000;
/// How long the disk may refuse before it is tried again.
const PAUSE: Duration = Duration::from_secs(1);

const TABLES: &str = "
CREATE TABLE sessions (
    principal TEXT NOT NULL, id TEXT NOT NULL, interpreter TEXT NOT NULL, name TEXT, extra TEXT NOT NULL,
    created INTEGER NOT NULL, timeout INTEGER NOT NULL, updated INTEGER NOT NULL, ended INTEGER,
    PRIMARY KEY (principal, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE interpreters (
    principal TEXT NOT NULL, id TEXT NOT NULL, arn TEXT NOT NULL, name TEXT NOT NULL, description TEXT,
    extra TEXT NOT NULL, tags TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,
    PRIMARY KEY (principal, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE tokens (
    principal TEXT NOT NULL, operation TEXT NOT NULL, token TEXT NOT NULL, digest BLOB NOT NULL,
    answer TEXT NOT NULL, made INTEGER NOT NULL,
    PRIMARY KEY (principal, operation, token)
) STRICT, WITHOUT ROWID;
";

/// One statement that changes the records.
pub(super) struct Change {
    sql: &'static str,
    values: Vec<Box<dyn ToSql + Send>>,
}

impl Change {
    pub(super) fn new(sql: &'static str, values: Vec<Box<dyn ToSql + Send>>) -> Change {
        Change { sql, values }
    }
}

enum Order {
    Write(Change),
    /// Says whether all before it is written.
    Flush(SyncSender<bool>),
}

/// Hands changes to the thread. Dropping it waits for what was handed over.
#[derive(Debug)]
pub(super) struct Writer {
    orders: Option<mpsc::Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Opens the file, and reads what is in it.
    pub(super) fn open(path: &Path) -> Result<(Writer, State), Error> {
        let failed = |what| move |source| Error::Database { what, path: path.to_owned(), source };
        let connection = connect(path).map_err(|source| match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Error::Locked { path: path.to_owned() }
            }
            _ => failed("open")(source),
        })?;
        let found =
            connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed("read"))?;
        match found {
            0 => connection
                .execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"))
                .map_err(failed("begin"))?,
            VERSION => {}
            found => return Err(Error::Version { path: path.to_owned(), found, known: VERSION }),
        }
        let state = State {
            sessions: Sessions::load(&connection).map_err(failed("read"))?,
            interpreters: Interpreters::load(&connection).map_err(failed("read"))?,
            tokens: Tokens::load(&connection).map_err(failed("read"))?,
        };
        let (orders, received) = mpsc::channel();
        let file = path.to_owned();
        let thread = std::thread::Builder::new()
            .name("records".to_owned())
            .spawn(move || write_all(connection, &received, &file))
            .map_err(|error| failed("write")(rusqlite::Error::ToSqlConversionFailure(error.into())))?;
        Ok((Writer { orders: Some(orders), thread: Some(thread) }, state))
    }

    /// One that keeps nothing.
    pub(super) fn nowhere() -> Writer {
        Writer { orders: None, thread: None }
    }

    pub(super) fn write(&self, change: Change) {
        if let Some(orders) = &self.orders {
            let _ = orders.send(Order::Write(change));
        }
    }

    pub(super) fn flush(&self) -> bool {
        let Some(orders) = &self.orders else { return true };
        let (sender, done) = mpsc::sync_channel(1);
        orders.send(Order::Flush(sender)).is_ok() && done.recv().unwrap_or(false)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Opens the file for this process alone; it is the daemon's lock.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::ZERO)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // A crash of the machine may lose the last transactions, and no more.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // Takes the lock now, and not with the first change.
    connection.execute_batch("BEGIN EXCLUSIVE; COMMIT;")?;
    Ok(connection)
}

fn write_all(mut connection: Connection, orders: &Receiver<Order>, path: &Path) {
    let mut waiting: Vec<Change> = Vec::new();
    let mut flushes = Vec::new();
    let mut open = true;
    while open || !waiting.is_empty() {
        // Without anything to write there is nothing to do; with something the disk refused, it is tried again.
        let next = if waiting.is_empty() {
            orders.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            orders.recv_timeout(PAUSE)
        };
        let mut next = match next {
            Ok(order) => Some(order),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                open = false;
                None
            }
        };
        while let Some(order) = next {
            match order {
                Order::Write(change) => waiting.push(change),
                Order::Flush(done) => flushes.push(done),
            }
            next = if waiting.len() < BATCH { orders.try_recv().ok() } else { None };
        }
        let written = write(&mut connection, &waiting);
        match &written {
            Ok(()) => waiting.clear(),
            Err(error) => tracing::error!("write the records `{}`: {error}", path.display()),
        }
        for done in flushes.drain(..) {
            let _ = done.send(written.is_ok());
        }
        if !open && written.is_err() {
            return;
        }
    }
}

fn write(connection: &mut Connection, changes: &[Change]) -> rusqlite::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for change in changes {
        let values = change.values.iter().map(|value| &**value as &dyn ToSql);
        transaction.prepare_cached(change.sql)?.execute(rusqlite::params_from_iter(values))?;
    }
    transaction.commit()
}
