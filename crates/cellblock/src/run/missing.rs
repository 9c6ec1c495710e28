//! A program that looked for a file which is on this machine and not in its cell.

use std::path::{Path, PathBuf};

use session::Raised;

use super::bring;
use crate::place::told;

/// What to do for a program that raised this, if it named something in its own directory that was not brought.
pub(crate) fn hint(raised: &Raised, directory: &Path) -> Option<String> {
    let wanted = named(&raised.value)?;
    let inner = inner(wanted, directory)?;
    directory.join(&inner).symlink_metadata().ok()?;
    // A file in a directory keeps its place when the directory comes.
    let brought = directory.join(inner.components().next()?);
    let absolute = Path::new(wanted).is_absolute() && !wanted.starts_with(WORKSPACE);
    let known = if absolute { format!("; the program then finds `{}`", told(&inner)) } else { String::new() };
    Some(format!(
        "`{}` is on this machine and was not brought into the cell: add `--file {}`{known}",
        told(&inner),
        told(&brought)
    ))
}

/// The file that was not found, in the words of Python, Node (`ENOENT: no such file or directory, open 'x'`, `Cannot find
/// module 'x'`) and Deno (`No such file or directory (os error 2): readfile 'x'`).
fn named(value: &str) -> Option<&str> {
    if let Some(rest) = value.strip_prefix("Cannot find module '") {
        return rest.split('\'').next();
    }
    let at = value.to_ascii_lowercase().rfind("no such file or directory")?;
    let said = value[at..].trim_end();
    let quote = said.chars().next_back().filter(|quote| matches!(quote, '\'' | '"'))?;
    let start = said.find(quote)?;
    said.get(start + 1..said.len() - 1)
}

const WORKSPACE: &str = "/mnt/workspace/";

/// The path that is meant, seen from the program's directory.
fn inner(wanted: &str, directory: &Path) -> Option<PathBuf> {
    let wanted = wanted.strip_prefix(WORKSPACE).unwrap_or(wanted);
    if !Path::new(wanted).is_absolute() {
        return bring::relative(wanted);
    }
    let own = [directory.canonicalize().ok(), std::path::absolute(directory).ok()];
    let inner = own.iter().flatten().find_map(|own| Path::new(wanted).strip_prefix(own).ok())?;
    bring::relative(inner.to_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_here_is_pointed_to() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).display().to_string();
        std::fs::create_dir(at("data")).unwrap();
        std::fs::write(at("data/x.csv"), "").unwrap();
        let hint = |path: &str| {
            let value = format!("[Errno 2] No such file or directory: '{path}'");
            let raised = Raised { name: "FileNotFoundError".into(), value, traceback: String::new() };
            hint(&raised, directory.path())
        };
        let expected = format!("add `--file {}`", at("data"));
        for path in ["data/x.csv", "./data/x.csv", "/mnt/workspace/data/x.csv", "data", &at("data/x.csv")] {
            let told = hint(path).unwrap_or_else(|| panic!("{path}"));
            assert!(told.contains(&expected), "{told}");
            assert_eq!(told.ends_with("the program then finds `data/x.csv`"), path == at("data/x.csv"));
        }
        for path in ["other", "../x", "/etc/passwd", ""] {
            assert_eq!(hint(path), None, "{path}");
        }
    }

    #[test]
    fn every_runtime_says_it_in_its_own_words() {
        for value in [
            "[Errno 2] No such file or directory: 'a b.csv'",
            "[Errno 2] No such file or directory: \"a b.csv\"",
            "ENOENT: no such file or directory, open 'a b.csv'",
            "No such file or directory (os error 2): readfile 'a b.csv'",
            "Cannot find module 'a b.csv' imported from /mnt/workspace/x.js",
            "Cannot find module 'a b.csv'\nRequire stack:\n- /mnt/workspace/x.js",
        ] {
            assert_eq!(named(value), Some("a b.csv"), "{value}");
        }
        for value in ["", "no such file or directory", "No such file or directory: '", "Cannot find module"] {
            assert_eq!(named(value), None, "{value}");
        }
    }
}
