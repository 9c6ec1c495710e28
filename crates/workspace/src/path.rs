//! Names and paths: the one place where they are judged.
//!
//! A file of a workspace has a name on the disk of a working copy, a key in a store, and a name for the code that opens
//! it. What one of them could read differently from another is refused here, and nowhere else is anything judged:
//! a value of these types can be used everywhere.

use std::fmt;
use std::path::Path;

/// Directories that every workspace has, whether something is in them or not.
const NAMESPACES: [&str; 4] = [crate::UPLOADS, crate::CODE_INTERPRETER, "documents", "code-agent"];
/// The longest path, bytes: what S3 allows a key, less what stands before it.
const LONGEST_PATH: usize = 800;
/// The longest part of a path, bytes: what file systems allow (`NAME_MAX`), less what a store puts after it while it
/// writes.
const LONGEST_PART: usize = 240;
/// The longest name of a workspace, bytes.
const LONGEST_NAME: usize = 128;
/// How deep a path may be.
const DEEPEST: usize = 64;

/// A name or a path that is refused, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("use `{name}` as {kind}: {why}")]
pub struct Refused {
    kind: &'static str,
    name: String,
    why: &'static str,
}

impl Refused {
    fn new(kind: &'static str, name: &str, why: &'static str) -> Refused {
        // Whoever reads the message must not be led astray by what the name does to a terminal.
        let name = name.chars().take(100).flat_map(char::escape_debug).collect();
        Refused { kind, name, why }
    }

    /// Why, as a sentence that does not repeat the name.
    pub fn why(&self) -> &'static str {
        self.why
    }
}

/// Where a file is in its workspace: `uploads/sales.csv`. Relative, without `.` and `..`, in UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkspacePath(Box<str>);

impl WorkspacePath {
    /// A path as people write it.
    pub fn parse(path: &str) -> Result<WorkspacePath, Refused> {
        if NAMESPACES.contains(&path) {
            let why = "it is a directory, which a file must not take the place of";
            return Err(Refused::new("a path of a workspace", path, why));
        }
        Self::directory(path)
    }

    /// A directory of a workspace: as a path, but it may be a namespace.
    pub(crate) fn directory(path: &str) -> Result<WorkspacePath, Refused> {
        match fault(path) {
            Some(why) => Err(Refused::new("a path of a workspace", path, why)),
            None => Ok(WorkspacePath(path.into())),
        }
    }

    /// A path of a working copy below a namespace, or at its own place.
    pub fn below(namespace: &str, path: &Path) -> Result<WorkspacePath, Refused> {
        let Some(text) = path.to_str() else {
            let shown = path.to_string_lossy();
            return Err(Refused::new("a path of a workspace", &shown, "it is not UTF-8"));
        };
        if namespace.is_empty() { Self::parse(text) } else { Self::parse(&format!("{namespace}/{text}")) }
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its last part.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// What follows a namespace, if it lies in that one.
    pub fn within(&self, namespace: &str) -> Option<&str> {
        self.0.strip_prefix(namespace)?.strip_prefix('/')
    }
}

impl fmt::Display for WorkspacePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn fault(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("it is empty");
    }
    if path.starts_with('/') {
        return Some("it must be relative, without a `/` before it");
    }
    if path.len() > LONGEST_PATH {
        return Some("it is longer than 800 bytes");
    }
    if path.split('/').count() > DEEPEST {
        return Some("it is deeper than 64 directories");
    }
    path.split('/').find_map(part_fault)
}

fn part_fault(part: &str) -> Option<&'static str> {
    if part.is_empty() {
        return Some("there is nothing between two `/`, or after the last one");
    }
    if matches!(part, "." | "..") {
        return Some("`.` and `..` lead elsewhere");
    }
    if part.len() > LONGEST_PART {
        return Some("a part of it is longer than 240 bytes");
    }
    if part.chars().any(char::is_control) {
        return Some("it has a control character");
    }
    if let [.., letter, b':' | b'|'] = part.as_bytes()
        && letter.is_ascii_alphabetic()
    {
        return Some(
            "a letter and a `:` or `|` at the end of it are a drive to what reads paths as addresses",
        );
    }
    is_staged(part).then_some("a name that ends in `#` and digits is kept for files that are being written")
}

/// Whether this is what a local store calls a file that it has not written whole.
pub(crate) fn is_staged(part: &str) -> bool {
    part.split_once('#')
        .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
}

/// What a workspace is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkspaceName(Box<str>);

impl WorkspaceName {
    /// A name as people write it: letters, digits, `-`, `_` and `.`, beginning with a letter or a digit.
    pub fn parse(name: &str) -> Result<WorkspaceName, Refused> {
        let refused = |why| Err(Refused::new("the name of a workspace", name, why));
        if name.is_empty() || name.len() > LONGEST_NAME {
            return refused("it has 1 to 128 characters");
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !name.bytes().all(allowed) || !name.as_bytes()[0].is_ascii_alphanumeric() {
            return refused("it has letters, digits, `-`, `_` and `.`, and begins with a letter or a digit");
        }
        Ok(WorkspaceName(name.into()))
    }

    /// The one that is used where nobody names one.
    pub fn usual() -> WorkspaceName {
        WorkspaceName("default".into())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkspaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_could_be_read_differently_are_refused() {
        let long = "x".repeat(241);
        let deep = ["d"; 65].join("/");
        for wrong in [
            "",
            "/",
            "/etc/passwd",
            "a//b",
            "a/",
            "./a",
            "a/..",
            "../a",
            ".",
            "..",
            "a\nb",
            "a\0b",
            "a\u{7f}",
            "a\u{85}b",
            "a#1",
            "dir/b#12",
            "x#1/y",
            "c:",
            "a/C|/b",
            "http:",
            &long,
            &deep,
        ] {
            assert!(WorkspacePath::parse(wrong).is_err(), "{wrong:?}");
        }
        for good in [
            "a",
            "uploads/sales.csv",
            "a b/ü.txt",
            "a#b",
            "c#",
            "50%",
            "a%20b",
            "?*[x]",
            "~",
            "a\\b",
            "…",
            ".hidden",
        ] {
            assert_eq!(WorkspacePath::parse(good).map(|path| path.to_string()), Ok(good.to_owned()));
        }
    }

    #[test]
    fn names_of_workspaces_are_plain() {
        for wrong in ["", ".", "..", "a/b", "ü", "-a", "a b", "a\0", &"x".repeat(129)] {
            assert!(WorkspaceName::parse(wrong).is_err(), "{wrong:?}");
        }
        for good in ["default", "01K00Z3F8WZ9KBBW4QGRJCVBHH", "fsap-0a1b", "a.b_c-D"] {
            assert!(WorkspaceName::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_refusal_does_not_repeat_control_characters() {
        let refused = WorkspacePath::parse("a\u{1b}[31m").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "use `a\\u{1b}[31m` as a path of a workspace: it has a control character"
        );
    }
}
