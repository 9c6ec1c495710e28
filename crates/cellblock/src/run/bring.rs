//! Which files of the program's directory it needs.
//!
//! Two kinds: files whose names stand in the program as a text of their own (`read_csv("data/sales.csv")`), and modules
//! that lie beside it and that it imports. What they need in turn is looked for in them. A name is a guess about what
//! the program will open, and errs on the side of bringing nothing: no patterns, no directories, nothing from outside
//! the program's directory.

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// A text in a program that is longer is no file's name.
const LONGEST: usize = 200;
/// The most files that are brought without being asked for.
const MOST: usize = 1000;

/// The files below `directory` that a program needs, relative to it.
pub(crate) fn needed(source: &str, directory: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut sources = VecDeque::from([source.to_owned()]);
    while let Some(source) = sources.pop_front() {
        let named = texts(&source).filter_map(|text| relative(&text));
        let modules =
            environment::imports(&source).into_iter().flat_map(|module| own_module(&module, directory));
        for path in named.chain(modules).collect::<Vec<_>>() {
            if found.len() >= MOST || !directory.join(&path).is_file() || found.contains(&path) {
                continue;
            }
            if path.extension().is_some_and(|extension| extension == "py")
                && let Ok(text) = fs::read_to_string(directory.join(&path))
            {
                sources.push_back(text);
            }
            found.insert(path);
        }
    }
    found
}

/// A path below the program's directory, without `.` and `..`; `None` for one that is not.
fn relative(text: &str) -> Option<PathBuf> {
    let path = Path::new(text);
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => plain.push(part),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    (!plain.as_os_str().is_empty()).then_some(plain)
}

/// The files of a module beside the program: `NAME.py`, or everything in Python below `NAME/`.
fn own_module(module: &str, directory: &Path) -> Vec<PathBuf> {
    let file = PathBuf::from(format!("{module}.py"));
    if directory.join(&file).is_file() {
        return vec![file];
    }
    let mut files = Vec::new();
    let mut directories = VecDeque::from([PathBuf::from(module)]);
    while let Some(inner) = directories.pop_front() {
        for entry in fs::read_dir(directory.join(&inner)).into_iter().flatten().flatten() {
            let path = inner.join(entry.file_name());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && directories.len() + files.len() < MOST => {
                    directories.push_back(path);
                }
                Ok(kind) if kind.is_file() && path.extension().is_some_and(|e| e == "py") => files.push(path),
                _ => {}
            }
        }
    }
    files
}

/// What stands between two equal quotes on a line of a program: its texts, and what lies between two of them, which is
/// no file's name.
fn texts(source: &str) -> impl Iterator<Item = String> {
    let between = |line: &str, quote: char| {
        let mut parts: Vec<String> = line.split(quote).skip(1).map(str::to_owned).collect();
        parts.pop();
        parts
    };
    source
        .lines()
        .flat_map(move |line| between(line, '"').into_iter().chain(between(line, '\'')))
        .filter(|text| !text.is_empty() && text.len() <= LONGEST && !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        directory
    }

    fn found(source: &str, directory: &tempfile::TempDir) -> Vec<String> {
        needed(source, directory.path()).into_iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn files_that_the_program_names_are_found() {
        let directory =
            tree(&[("sales.csv", ""), ("data/more.csv", ""), ("other.csv", ""), ("sub/x", ""), (".env", "")]);
        let source =
            "a = read('sales.csv')\nb = read(\"./data/more.csv\", sep=',')\nc = 'missing.csv'\nd = 'sub'\n";
        assert_eq!(found(source, &directory), ["data/more.csv", "sales.csv"]);
        assert_eq!(found("# it's here: 'other.csv'", &directory), ["other.csv"]);
        assert!(
            found("read('*.csv'); read('/etc/passwd'); read('data/../../x'); read(sales.csv)", &directory)
                .is_empty()
        );
    }

    #[test]
    fn nothing_from_outside_the_programs_directory_is_brought() {
        let directory = tree(&[("inner/program.py", ""), ("secret", "")]);
        let inner = directory.path().join("inner");
        let absolute = directory.path().join("secret").display().to_string();
        assert!(needed(&format!("open('../secret'); open('{absolute}')"), &inner).is_empty());
    }

    #[test]
    fn modules_beside_the_program_come_with_what_they_need() {
        let directory = tree(&[
            ("helpers.py", "import deeper\nopen('table.txt')"),
            ("deeper.py", "import helpers"),
            ("table.txt", ""),
            ("package/__init__.py", ""),
            ("package/inner/part.py", ""),
            ("package/data.bin", ""),
            ("unused.py", ""),
        ]);
        let source = "import os, helpers\nfrom package.inner import part\n";
        let expected =
            ["deeper.py", "helpers.py", "package/__init__.py", "package/inner/part.py", "table.txt"];
        assert_eq!(found(source, &directory), expected);
    }
}
