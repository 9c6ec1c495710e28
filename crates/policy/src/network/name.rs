//! Names of hosts, in one spelling.

use std::fmt;

/// A name: lower case, ASCII, without the last dot, of labels that hosts have.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// This name in its one spelling; `None` if no host can be called so (RFC 1123, and `_`, which services use). An
    /// address is no name.
    pub fn new(text: &str) -> Option<Name> {
        let text = text.strip_suffix('.').unwrap_or(text);
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(letter)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        // No public suffix is a number: what ends so is an address in one of its many spellings.
        let last = text.rsplit('.').next().unwrap_or_default();
        let number = last.bytes().all(|byte| byte.is_ascii_digit())
            || last
                .strip_prefix("0x")
                .or(last.strip_prefix("0X"))
                .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        (text.len() <= 253 && text.split('.').all(label) && !number).then(|| Name(text.to_ascii_lowercase()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which names are meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// This one.
    Exact(Name),
    /// All below this one (`*.example.org`), however many labels; not the name itself.
    Below(Name),
}

impl Pattern {
    /// Whether a name is meant.
    pub fn matches(&self, name: &Name) -> bool {
        match self {
            Pattern::Exact(exact) => exact == name,
            Pattern::Below(parent) => {
                name.0.strip_suffix(&parent.0).is_some_and(|below| below.ends_with('.'))
            }
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Exact(name) => write!(f, "{name}"),
            Pattern::Below(name) => write!(f, "*.{name}"),
        }
    }
}
