//! What to do about a failure, where we know.

use std::io;

/// The hint that goes with a failure, found in what is behind it.
pub(crate) fn of(error: &anyhow::Error) -> Option<String> {
    for cause in error.chain() {
        if let Some(error) = cause.downcast_ref::<environment::Error>()
            && let Some(hint) = error.hint()
        {
            return Some(hint);
        }
        if let Some(session::Error::Node(_) | session::Error::Open(_)) =
            cause.downcast_ref::<session::Error>()
        {
            return Some(
                "`cellblock doctor` tells what this machine can do, and what to do about the rest".to_owned(),
            );
        }
        if let Some(hint) = cause.downcast_ref::<Hint>() {
            return Some(hint.remedy.clone());
        }
    }
    None
}

/// A failure that knows what to do about it.
#[derive(Debug)]
pub(crate) struct Hint {
    what: String,
    remedy: String,
    source: Option<io::Error>,
}

impl Hint {
    /// What failed, and what to do about it.
    pub(crate) fn new(what: impl Into<String>, remedy: impl Into<String>) -> Hint {
        Hint { what: what.into(), remedy: remedy.into(), source: None }
    }

    /// Why it failed.
    pub(crate) fn because(self, source: io::Error) -> Hint {
        Hint { source: Some(source), ..self }
    }
}

impl std::fmt::Display for Hint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Hint {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
