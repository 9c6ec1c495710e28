//! Interpreters that clients have made: named configurations that sessions are opened with.

use std::collections::BTreeMap;
use std::time::SystemTime;

use rusqlite::Connection;

use super::writer::Change;
use super::{Records, millis, time};
use crate::principal::Principal;

/// Whether something is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It can be used.
    Ready,
    /// It was removed.
    Deleted,
}

/// What is kept of an interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterpreterRecord {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub principal: Principal,
    /// Its other name.
    pub arn: String,
    /// What its client calls it.
    pub name: String,
    /// What its client says about it.
    pub description: Option<String>,
    /// What else an edge wants to find again: JSON of the edge's own.
    pub extra: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// When it was made.
    pub created: SystemTime,
    /// When it last changed.
    pub updated: SystemTime,
}

type Key = (Principal, String);

#[derive(Debug, Default)]
pub(super) struct Interpreters(BTreeMap<Key, InterpreterRecord>);

impl Interpreters {
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Interpreters> {
        let mut statement = connection.prepare(
            "SELECT principal, id, arn, name, description, extra, tags, created, updated FROM interpreters",
        )?;
        let mut rows = statement.query([])?;
        let mut interpreters = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let principal = Principal::named(&row.get::<_, String>(0)?);
            let record = InterpreterRecord {
                id: row.get(1)?,
                principal: principal.clone(),
                arn: row.get(2)?,
                name: row.get(3)?,
                description: row.get(4)?,
                extra: row.get(5)?,
                tags: serde_json::from_str(&row.get::<_, String>(6)?).unwrap_or_default(),
                created: time(row.get(7)?),
                updated: time(row.get(8)?),
            };
            interpreters.insert((principal, record.id.clone()), record);
        }
        Ok(Interpreters(interpreters))
    }
}

impl Records {
    /// Keeps an interpreter.
    pub fn add_interpreter(&self, record: InterpreterRecord) {
        let mut state = self.state();
        self.writer.write(put(&record));
        state.interpreters.0.insert((record.principal.clone(), record.id.clone()), record);
    }

    /// An interpreter that this principal has made.
    pub fn interpreter(&self, principal: &Principal, id: &str) -> Option<InterpreterRecord> {
        self.state().interpreters.0.get(&(principal.clone(), id.to_owned())).cloned()
    }

    /// A principal's interpreters, newest first.
    pub fn interpreters(&self, principal: &Principal) -> Vec<InterpreterRecord> {
        let state = self.state();
        let own = state.interpreters.0.values().filter(|record| &record.principal == principal);
        let mut own: Vec<_> = own.cloned().collect();
        own.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id)));
        own
    }

    /// Removes an interpreter; gives what it was.
    pub fn remove_interpreter(&self, principal: &Principal, id: &str) -> Option<InterpreterRecord> {
        let mut state = self.state();
        let record = state.interpreters.0.remove(&(principal.clone(), id.to_owned()))?;
        let sql = "DELETE FROM interpreters WHERE principal = ? AND id = ?";
        self.writer.write(Change::new(sql, vec![Box::new(principal.to_string()), Box::new(id.to_owned())]));
        Some(record)
    }

    /// Changes an interpreter's tags; gives what `change` gives, nothing if there is no such interpreter.
    pub fn change_tags<T>(
        &self,
        principal: &Principal,
        id: &str,
        change: impl FnOnce(&mut BTreeMap<String, String>) -> T,
    ) -> Option<T> {
        let mut state = self.state();
        let record = state.interpreters.0.get_mut(&(principal.clone(), id.to_owned()))?;
        let given = change(&mut record.tags);
        self.writer.write(put(record));
        Some(given)
    }
}

fn put(record: &InterpreterRecord) -> Change {
    let sql = "INSERT OR REPLACE INTO interpreters (principal, id, arn, name, description, extra, tags, created, \
               updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    Change::new(
        sql,
        vec![
            Box::new(record.principal.to_string()),
            Box::new(record.id.clone()),
            Box::new(record.arn.clone()),
            Box::new(record.name.clone()),
            Box::new(record.description.clone()),
            Box::new(record.extra.clone()),
            Box::new(serde_json::json!(record.tags).to_string()),
            Box::new(millis(record.created)),
            Box::new(millis(record.updated)),
        ],
    )
}
