//! Which files of the program's directory it needs.
//!
//! Two kinds: files whose names stand in the program as a text of their own (`read_csv("data/sales.csv")`), and modules
//! that lie beside it and that it imports. What they need in turn is looked for in them. A name is a guess about what
//! the program will open, and errs on the side of bringing nothing: no patterns, no directories.
//!
//! **The program is not believed.** Whoever wrote it may want what its user never meant to give away. So nothing comes
//! but regular files below its own directory, opened beneath it and through no link at all (its directory may have been
//! unpacked from an archive of theirs); nothing hidden; and where that directory is the user's home, or `/`, modules
//! alone. What is left out for such a reason is told: `--file` brings it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// A text in a program that is longer is no file's name.
const LONGEST: usize = 200;
/// The most files that are brought without being asked for.
const MOST: usize = 1000;
/// The most of a module that is searched for what it needs in turn, bytes.
const SEARCHED: u64 = 4 << 20;
/// `ELOOP`: there is a link on the way.
const LOOP: i32 = 40;

/// The directory that a program lies in, open.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    pub(crate) path: PathBuf,
    pub(crate) open: Arc<OwnedFd>,
    /// Whether what lies there is the user's, and has nothing to do with the program.
    wide: bool,
}

impl Directory {
    pub(crate) fn open(path: PathBuf) -> io::Result<Directory> {
        let open = Arc::new(sys::file::directory(&path)?);
        let real = path.canonicalize()?;
        let home = std::env::var_os("HOME").and_then(|home| Path::new(&home).canonicalize().ok());
        let wide = real == Path::new("/") || home.is_some_and(|home| home == real);
        Ok(Directory { path, open, wide })
    }

    /// The file at this path: open, or left out for a reason; none where there is no such file.
    fn look(&self, path: &Path) -> Option<Result<File, Why>> {
        let there = self.path.join(path);
        if is_hidden(path) {
            return there.is_file().then_some(Err(Why::Hidden));
        }
        match sys::file::open_below(self.open.as_fd(), path) {
            Ok(file) => Some(Ok(file)),
            Err(error) if error.raw_os_error() == Some(LOOP) => there.is_file().then_some(Err(Why::Link)),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Some(Err(Why::Unreadable)),
            Err(_) => None,
        }
    }
}

/// Why a file that the program names is not brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Hidden,
    Link,
    Unreadable,
    /// It lies in the user's home.
    Home,
}

impl Why {
    pub(crate) fn told(self) -> &'static str {
        match self {
            Why::Hidden => "hidden",
            Why::Link => "reached through a link",
            Why::Unreadable => "not readable",
            Why::Home => "the program lies directly in your home or in /",
        }
    }
}

/// What a program needs, seen from its directory.
#[derive(Debug, Default)]
pub(crate) struct Needed {
    pub(crate) files: BTreeSet<PathBuf>,
    pub(crate) left_out: BTreeMap<PathBuf, Why>,
    /// Patterns that stand in the program, and that files there match.
    pub(crate) patterns: BTreeSet<String>,
    /// Whether there were more files than are brought.
    pub(crate) cut: bool,
}

/// The files below `directory` that a program needs.
pub(crate) fn needed(source: &str, directory: &Directory) -> Needed {
    let mut needed = Needed::default();
    let mut sources = VecDeque::from([source.to_owned()]);
    while let Some(source) = sources.pop_front() {
        let texts: Vec<String> = texts(&source).collect();
        needed.patterns.extend(texts.iter().filter(|text| matches(text, &directory.path)).cloned());
        let named = texts.iter().filter_map(|text| relative(text)).map(|path| (path, directory.wide));
        let mut modules = Vec::new();
        for module in environment::imports(&source) {
            own_module(&module, &directory.path, &mut modules);
        }
        for (path, wide) in modules.into_iter().map(|path| (path, false)).chain(named) {
            if needed.files.contains(&path) {
                continue;
            }
            let file = match directory.look(&path) {
                None => continue,
                Some(Ok(_)) if wide => Err(Why::Home),
                Some(found) => found,
            };
            match file {
                Err(why) => _ = needed.left_out.insert(path, why),
                Ok(_) if needed.files.len() >= MOST => needed.cut = true,
                Ok(file) => {
                    if path.extension().is_some_and(|extension| extension == "py") {
                        let mut bytes = Vec::new();
                        let _ = file.take(SEARCHED).read_to_end(&mut bytes);
                        sources.push_back(String::from_utf8_lossy(&bytes).into_owned());
                    }
                    needed.left_out.remove(&path);
                    needed.files.insert(path);
                }
            }
        }
    }
    needed
}

/// A path below the program's directory, without `.` and `..`; `None` for one that is not.
pub(crate) fn relative(text: &str) -> Option<PathBuf> {
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

fn is_hidden(path: &Path) -> bool {
    path.components()
        .any(|part| matches!(part, Component::Normal(name) if name.as_encoded_bytes().starts_with(b".")))
}

/// Whether a text is a pattern such as `data/*.csv`, and something in that directory ends like it.
fn matches(text: &str, directory: &Path) -> bool {
    let Some((before, end)) = text.rsplit_once('*') else { return false };
    if text.starts_with('/') || !end.starts_with('.') || end.len() < 2 || end.contains(['/', ' ']) {
        return false;
    }
    let inner =
        before.split('*').next().and_then(|start| start.rsplit_once('/')).map_or("", |(inner, _)| inner);
    let inner = match inner {
        "" | "." => PathBuf::new(),
        inner => match relative(inner) {
            Some(inner) if !is_hidden(&inner) => inner,
            _ => return false,
        },
    };
    let entries = fs::read_dir(directory.join(inner)).into_iter().flatten().flatten();
    entries
        .take(MOST)
        .any(|entry| before.contains("**") || entry.file_name().to_string_lossy().ends_with(end))
}

/// The files of a module beside the program: `NAME.py`, or everything in Python below `NAME/`.
fn own_module(module: &str, directory: &Path, files: &mut Vec<PathBuf>) {
    let file = PathBuf::from(format!("{module}.py"));
    if directory.join(&file).is_file() {
        files.push(file);
        return;
    }
    let package = PathBuf::from(module);
    if directory.join(&package).is_symlink() {
        // Nobody looks where it leads; that it is one is said.
        files.push(package.join("__init__.py"));
        return;
    }
    let mut directories = VecDeque::from([package]);
    while let Some(inner) = directories.pop_front() {
        for entry in fs::read_dir(directory.join(&inner)).into_iter().flatten().flatten() {
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let path = inner.join(entry.file_name());
            let python = path.extension().is_some_and(|extension| extension == "py");
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && directories.len() + files.len() < MOST => {
                    directories.push_back(path);
                }
                Ok(kind) if !kind.is_dir() && python => files.push(path),
                _ => {}
            }
        }
    }
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
        let directory = Directory::open(directory.path().to_owned()).unwrap();
        needed(source, &directory).files.into_iter().map(|path| path.display().to_string()).collect()
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
        let inner = Directory::open(inner).unwrap();
        assert!(needed(&format!("open('../secret'); open('{absolute}')"), &inner).files.is_empty());
    }

    #[test]
    fn no_link_is_followed_and_nothing_hidden_comes() {
        let directory = tree(&[
            ("p/main.py", ""),
            ("p/.env", ""),
            ("p/.ssh/id", ""),
            ("p/sub/real", ""),
            ("out/cfg", ""),
            ("out/pack/__init__.py", ""),
        ]);
        let at = |name: &str| directory.path().join("p").join(name);
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, at(name)).unwrap();
        link("/etc/passwd", "sub/cfg.txt");
        link("../out", "dir");
        link(".env", "inside");
        link("../out/pack", "pack");
        link("../out/pack/__init__.py", "module.py");
        let source = "import pack, module\nfor x in ('sub/cfg.txt', 'dir/cfg', 'inside', '.env', '.ssh/id', \
                      'sub/real', 'dir', '.ssh', '.none'): open(x)";
        let needed = needed(source, &Directory::open(at("")).unwrap());
        assert_eq!(needed.files.into_iter().collect::<Vec<_>>(), [PathBuf::from("sub/real")]);
        let left: Vec<_> = needed.left_out.iter().map(|(path, why)| (path.to_str().unwrap(), *why)).collect();
        assert_eq!(
            left,
            [
                (".env", Why::Hidden),
                (".ssh/id", Why::Hidden),
                ("dir/cfg", Why::Link),
                ("inside", Why::Link),
                ("module.py", Why::Link),
                ("pack/__init__.py", Why::Link),
                ("sub/cfg.txt", Why::Link),
            ]
        );
    }

    #[test]
    fn of_a_home_only_modules_come() {
        let directory = tree(&[("tool.py", ""), ("taxes.pdf", ""), ("helpers.py", "open('taxes.pdf')")]);
        let open = Directory::open(directory.path().to_owned()).unwrap();
        let home = Directory { wide: true, ..open };
        let needed = needed("import helpers\nopen('taxes.pdf')", &home);
        assert_eq!(needed.files.into_iter().collect::<Vec<_>>(), [PathBuf::from("helpers.py")]);
        assert_eq!(needed.left_out, BTreeMap::from([("taxes.pdf".into(), Why::Home)]));
        assert!(Directory::open("/".into()).unwrap().wide);
    }

    #[test]
    fn patterns_that_something_matches_are_noticed() {
        let directory = tree(&[("data/a.csv", ""), ("b.txt", ""), (".git/x.py", "")]);
        let matched = |text: &str| matches(text, directory.path());
        assert!(
            matched("data/*.csv") && matched("*.txt") && matched("./data/a*.csv") && matched("data/**/*.x")
        );
        for none in
            ["data/*.json", "*** done ***", "*", "3*4", "*. and so on", "../*.txt", "/*.txt", ".git/*.py"]
        {
            assert!(!matched(none), "{none}");
        }
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
