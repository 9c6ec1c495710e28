//! Who is calling.

use std::fmt;

/// Who is calling, proved by whoever makes the value: a session is looked up by this and its id together, so that an id
/// that leaked opens nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Principal(&'static str);

impl Principal {
    /// The one principal where no keys are configured: whoever may run this program.
    pub fn local() -> Principal {
        Principal("local")
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
