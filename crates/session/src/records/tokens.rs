//! Idempotency tokens: the same request, sent again under the same token, gets the same answer.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use rusqlite::Connection;

use super::writer::Change;
use super::{Records, millis, time};
use crate::principal::Principal;

/// How long a token is remembered.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// What a token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Nobody has used it.
    New,
    /// The same request was answered with this.
    Answered(String),
    /// It was used for another request.
    Other,
}

#[derive(Debug)]
struct Token {
    digest: [u8; 32],
    answer: String,
    made: SystemTime,
}

type Key = (Principal, String, String);

#[derive(Debug, Default)]
pub(super) struct Tokens(HashMap<Key, Token>);

impl Tokens {
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Tokens> {
        let mut statement =
            connection.prepare("SELECT principal, operation, token, digest, answer, made FROM tokens")?;
        let mut rows = statement.query([])?;
        let mut tokens = HashMap::new();
        while let Some(row) = rows.next()? {
            let key = (Principal::named(&row.get::<_, String>(0)?), row.get(1)?, row.get(2)?);
            tokens.insert(key, Token { digest: row.get(3)?, answer: row.get(4)?, made: time(row.get(5)?) });
        }
        Ok(Tokens(tokens))
    }

    pub(super) fn forget_old(&mut self) {
        self.0.retain(|_, token| token.made.elapsed().unwrap_or_default() < REMEMBERED);
    }
}

pub(super) fn forget_before(now: SystemTime) -> Change {
    let before = now.checked_sub(REMEMBERED).unwrap_or(SystemTime::UNIX_EPOCH);
    Change::new("DELETE FROM tokens WHERE made < ?", vec![Box::new(millis(before))])
}

impl Records {
    /// What a token stands for that comes with a request of this digest.
    pub fn claim(&self, principal: &Principal, operation: &str, token: &str, digest: &[u8; 32]) -> Claim {
        let key = (principal.clone(), operation.to_owned(), token.to_owned());
        match self.state().tokens.0.get(&key) {
            None => Claim::New,
            Some(known) if known.made.elapsed().unwrap_or_default() >= REMEMBERED => Claim::New,
            Some(known) if known.digest == *digest => Claim::Answered(known.answer.clone()),
            Some(_) => Claim::Other,
        }
    }

    /// Remembers what a token's request was answered with.
    pub fn answer(
        &self,
        principal: &Principal,
        operation: &str,
        token: &str,
        digest: [u8; 32],
        answer: &str,
    ) {
        let made = SystemTime::now();
        let sql = "INSERT OR REPLACE INTO tokens (principal, operation, token, digest, answer, made) \
                   VALUES (?, ?, ?, ?, ?, ?)";
        let values: Vec<Box<dyn rusqlite::ToSql + Send>> = vec![
            Box::new(principal.to_string()),
            Box::new(operation.to_owned()),
            Box::new(token.to_owned()),
            Box::new(digest),
            Box::new(answer.to_owned()),
            Box::new(millis(made)),
        ];
        self.writer.write(Change::new(sql, values));
        let key = (principal.clone(), operation.to_owned(), token.to_owned());
        self.state().tokens.0.insert(key, Token { digest, answer: answer.to_owned(), made });
    }
}
