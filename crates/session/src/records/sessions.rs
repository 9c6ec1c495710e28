//! Sessions, those that live and those that have ended.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use protocol::SessionId;
use rusqlite::Connection;

use super::writer::Change;
use super::{Records, millis, time};
use crate::principal::Principal;

/// What is kept of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub principal: Principal,
    /// The id of the interpreter that it was opened with.
    pub interpreter: String,
    /// What its client calls it.
    pub name: Option<String>,
    /// What else an edge wants to find again: JSON of the edge's own.
    pub extra: String,
    /// When it was opened.
    pub created: SystemTime,
    /// How long it may live.
    pub timeout: Duration,
    /// When it last changed: was opened, or ended.
    pub updated: SystemTime,
    /// When it ended, if it has.
    pub ended: Option<SystemTime>,
}

type Key = (Principal, SessionId);

#[derive(Debug, Default)]
pub(super) struct Sessions(BTreeMap<Key, SessionRecord>);

impl Sessions {
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Sessions> {
        let mut statement = connection.prepare(
            "SELECT principal, id, interpreter, name, extra, created, timeout, updated, ended FROM sessions",
        )?;
        let mut rows = statement.query([])?;
        let mut sessions = BTreeMap::new();
        while let Some(row) = rows.next()? {
            // An id that cannot be read was not written by us.
            let Ok(id) = row.get::<_, String>(1)?.parse() else { continue };
            let principal = Principal::named(&row.get::<_, String>(0)?);
            let record = SessionRecord {
                id,
                principal: principal.clone(),
                interpreter: row.get(2)?,
                name: row.get(3)?,
                extra: row.get(4)?,
                created: time(row.get(5)?),
                timeout: Duration::from_millis(u64::try_from(row.get::<_, i64>(6)?).unwrap_or(0)),
                updated: time(row.get(7)?),
                ended: row.get::<_, Option<i64>>(8)?.map(time),
            };
            sessions.insert((principal, id), record);
        }
        Ok(Sessions(sessions))
    }

    /// What ended before this time, and the oldest of what is more than `most`.
    pub(super) fn too_old(&self, before: SystemTime, most: usize) -> Vec<Key> {
        let ended = |record: &SessionRecord| Some((record.ended?, (record.principal.clone(), record.id)));
        let mut all: Vec<(SystemTime, Key)> = self.0.values().filter_map(ended).collect();
        all.sort_unstable_by_key(|(ended, _)| std::cmp::Reverse(*ended));
        let kept = all.iter().take(most).take_while(|(ended, _)| *ended >= before).count();
        all.drain(kept..).map(|(_, key)| key).collect()
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Change> {
        self.0.remove(key)?;
        let sql = "DELETE FROM sessions WHERE principal = ? AND id = ?";
        Some(Change::new(sql, vec![Box::new(key.0.to_string()), Box::new(key.1.to_string())]))
    }
}

impl Records {
    /// Keeps a session that was opened.
    pub fn add_session(&self, record: SessionRecord) {
        let sql = "INSERT OR REPLACE INTO sessions (principal, id, interpreter, name, extra, created, timeout, \
                   updated, ended) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let timeout = i64::try_from(record.timeout.as_millis()).unwrap_or(i64::MAX);
        let change = Change::new(
            sql,
            vec![
                Box::new(record.principal.to_string()),
                Box::new(record.id.to_string()),
                Box::new(record.interpreter.clone()),
                Box::new(record.name.clone()),
                Box::new(record.extra.clone()),
                Box::new(millis(record.created)),
                Box::new(timeout),
                Box::new(millis(record.updated)),
                Box::new(record.ended.map(millis)),
            ],
        );
        let mut state = self.state();
        state.sessions.0.insert((record.principal.clone(), record.id), record);
        self.writer.write(change);
    }

    /// A session, if this principal has or had it.
    pub fn session(&self, principal: &Principal, id: SessionId) -> Option<SessionRecord> {
        self.state().sessions.0.get(&(principal.clone(), id)).cloned()
    }

    /// A principal's sessions, newest first.
    pub fn sessions(&self, principal: &Principal) -> Vec<SessionRecord> {
        let state = self.state();
        let all = (principal.clone(), SessionId::from_u128(0))
            ..=(principal.clone(), SessionId::from_u128(u128::MAX));
        state.sessions.0.range(all).rev().map(|(_, record)| record.clone()).collect()
    }

    /// Keeps that a session has ended; gives its record, if there is one. A second end changes nothing.
    pub fn end_session(&self, principal: &Principal, id: SessionId) -> Option<SessionRecord> {
        let mut state = self.state();
        let record = state.sessions.0.get_mut(&(principal.clone(), id))?;
        if record.ended.is_none() {
            let now = SystemTime::now();
            (record.ended, record.updated) = (Some(now), now);
            self.writer.write(end(record));
        }
        Some(record.clone())
    }

    /// No cell outlives its daemon yet: what lived has ended.
    pub(super) fn end_all(&self) {
        let mut state = self.state();
        let now = SystemTime::now();
        for record in state.sessions.0.values_mut().filter(|record| record.ended.is_none()) {
            (record.ended, record.updated) = (Some(now), now);
            self.writer.write(end(record));
        }
    }
}

fn end(record: &SessionRecord) -> Change {
    Change::new(
        "UPDATE sessions SET ended = ?, updated = ? WHERE principal = ? AND id = ?",
        vec![
            Box::new(record.ended.map(millis)),
            Box::new(millis(record.updated)),
            Box::new(record.principal.to_string()),
            Box::new(record.id.to_string()),
        ],
    )
}
