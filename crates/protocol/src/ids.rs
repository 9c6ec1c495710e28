//! Ids: of sessions, of calls, of kernels.

use std::fmt;
use std::str::FromStr;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not 26 characters of Crockford's base 32.
    #[error("read a session id: `{0}` is not a ULID of 26 characters")]
    Session(String),
}

/// A session's id: a ULID, written as 26 characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(u128);

impl SessionId {
    /// The id with this value (48 bits of milliseconds since 1970, 80 random bits).
    pub fn from_u128(value: u128) -> SessionId {
        SessionId(value)
    }

    /// The id's value.
    pub fn to_u128(self) -> u128 {
        self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ulid::Ulid(self.0).array_to_str(&mut [0; ulid::ULID_LEN]))
    }
}

impl FromStr for SessionId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<SessionId, IdError> {
        match ulid::Ulid::from_string(text) {
            Ok(ulid) => Ok(SessionId(ulid.0)),
            Err(_) => Err(IdError::Session(text.chars().take(64).collect())),
        }
    }
}

/// An invocation's id: whoever sends a call names it, so that a call sent again is answered and not run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u128);

impl CallId {
    /// No call.
    pub const NONE: CallId = CallId(0);
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A kernel's number within its session: 1, 2, … in the order they were asked for; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KernelId(pub u32);

impl KernelId {
    /// No kernel.
    pub const NONE: KernelId = KernelId(0);
}

impl fmt::Display for KernelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
