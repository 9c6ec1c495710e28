//! Who is calling.

use std::fmt;
use std::sync::Arc;

/// Who is calling, proved by whoever makes the value: a session is looked up by this and its id together, so that an id
/// that leaked opens nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Principal(Arc<str>);

impl Principal {
    /// The one principal where no keys are configured: whoever may run this program.
    pub fn local() -> Principal {
        Principal::named("local")
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A principal as records name it.
    pub(crate) fn named(name: &str) -> Principal {
        Principal(name.into())
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
