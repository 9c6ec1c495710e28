//! Which files of the program's directory it needs.
//!
//! Two kinds: files whose names stand in the program as a text of their own (`read_csv("data/sales.csv")`), and modules
//! that lie beside it and that it imports. What they need in turn is looked for in them, each in its own language. A
//! name is a guess about what the program will open, and errs on the side of bringing nothing: no patterns, no
//! directories. With modules in JavaScript comes the `package.json` that tells what kind they are; `node_modules` does
//! not come: it may have ten thousand files, and some that were made for this machine.
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

use session::Language;

use super::modules::{self, is_script};
use super::specifiers::{package, specifiers};

/// A text in a program that is longer is no file's name.
const LONGEST: usize = 200;
/// The most files that are brought without being asked for.
const MOST: usize = 1000;
/// The most of a module that is searched for what it needs in turn, bytes.
const SEARCHED: u64 = 4 << 20;
/// Tells what kind the modules beside it and below are.
const PACKAGE: &str = "package.json";
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
    /// The packages that modules in JavaScript import.
    pub(crate) packages: BTreeSet<String>,
    /// Imports that lead out of the directory.
    pub(crate) outside: BTreeSet<String>,
}

/// A file that may be needed.
struct Wanted {
    path: PathBuf,
    /// Whether it is a module of the program's. Only what is code comes as one out of a home.
    module: bool,
}

/// A text in which names of files are looked for.
struct Source {
    text: String,
    /// The directory that it lies in, seen from the program's.
    inner: PathBuf,
    /// In JavaScript or TypeScript; else it is Python.
    script: bool,
}

/// The files below `directory` that a program in this language needs.
pub(crate) fn needed(source: &str, language: Language, directory: &Directory) -> Needed {
    let mut needed = Needed::default();
    let script = language != Language::Python;
    let mut sources = VecDeque::from([Source { text: source.to_owned(), inner: PathBuf::new(), script }]);
    while let Some(source) = sources.pop_front() {
        let mut wanted = if source.script {
            needed.scripts(&source, directory)
        } else {
            let mut files = Vec::new();
            for module in environment::imports(&source.text) {
                own_module(&module, &directory.path, &mut files);
            }
            files.into_iter().map(|path| Wanted { path, module: true }).collect()
        };
        let texts: Vec<String> = texts(&source.text, source.script).collect();
        needed.patterns.extend(texts.iter().filter(|text| matches(text, &directory.path)).cloned());
        let mut named: Vec<PathBuf> = texts.iter().filter_map(|text| relative(text)).collect();
        // As in `new URL("./table.json", import.meta.url)`.
        let beside = texts.iter().filter(|text| source.script && modules::is_relative(text));
        named.extend(beside.filter_map(|text| modules::join(&source.inner, text)));
        wanted.extend(named.into_iter().map(|path| Wanted { path, module: false }));
        for each in wanted {
            needed.take(each, directory, &mut sources);
        }
    }
    needed
}

/// The packages that a text in JavaScript imports.
pub(crate) fn packages(source: &str) -> BTreeSet<String> {
    specifiers(source).iter().filter_map(|specifier| package(specifier)).map(str::to_owned).collect()
}

impl Needed {
    /// Takes a file, if it is there and may come, and looks for more in it.
    fn take(
        &mut self,
        Wanted { path, module }: Wanted,
        directory: &Directory,
        sources: &mut VecDeque<Source>,
    ) {
        if self.files.contains(&path) {
            return;
        }
        let script = is_script(&path);
        let code = script || path.extension().is_some_and(|extension| extension == "py");
        match directory.look(&path) {
            None => {}
            Some(Ok(_)) if directory.wide && !(module && code) => _ = self.left_out.insert(path, Why::Home),
            Some(Err(why)) => _ = self.left_out.insert(path, why),
            Some(Ok(_)) if self.files.len() >= MOST => self.cut = true,
            Some(Ok(file)) => {
                if code {
                    let inner = path.parent().unwrap_or(Path::new("")).to_owned();
                    sources.push_back(Source { text: text(file), inner, script });
                }
                self.left_out.remove(&path);
                self.files.insert(path);
            }
        }
    }

    /// What a module in JavaScript imports, and what tells of the module itself.
    fn scripts(&mut self, source: &Source, directory: &Directory) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        let module = |path| Wanted { path, module: true };
        for inner in source.inner.ancestors().filter(|_| !directory.wide) {
            wanted.push(module(inner.join(PACKAGE)));
        }
        self.packages.append(&mut packages(&source.text));
        for specifier in specifiers(&source.text) {
            if !modules::is_relative(&specifier) {
                continue;
            }
            let plain = specifier.split('?').next().unwrap_or_default();
            match modules::join(&source.inner, plain) {
                Some(path) => wanted.extend(resolved(&path, directory).into_iter().map(module)),
                None => _ = self.outside.insert(specifier),
            }
        }
        wanted
    }
}

/// The files that an import of this path takes.
fn resolved(path: &Path, directory: &Directory) -> Vec<PathBuf> {
    let there = |form: Vec<PathBuf>| -> Vec<PathBuf> {
        form.into_iter().filter(|path| directory.look(path).is_some()).collect()
    };
    if let Some(files) = modules::forms(path).into_iter().map(there).find(|files| !files.is_empty()) {
        return files;
    }
    let package = path.join(PACKAGE);
    let Some(Ok(file)) = directory.look(&package) else { return Vec::new() };
    let mains = modules::mains(&text(file)).into_iter();
    let files = mains.filter_map(|main| modules::join(path, &main)).flat_map(|main| {
        modules::forms(&main).into_iter().map(there).find(|files| !files.is_empty()).unwrap_or_default()
    });
    files.collect()
}

fn text(file: File) -> String {
    let mut bytes = Vec::new();
    let _ = file.take(SEARCHED).read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
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
fn texts(source: &str, script: bool) -> impl Iterator<Item = String> {
    let between = |line: &str, quote: char| {
        let mut parts: Vec<String> = line.split(quote).skip(1).map(str::to_owned).collect();
        parts.pop();
        parts
    };
    let quotes: &[char] = if script { &['"', '\'', '`'] } else { &['"', '\''] };
    source
        .lines()
        .flat_map(move |line| quotes.iter().flat_map(move |&quote| between(line, quote)))
        .filter(|text| !text.is_empty() && text.len() <= LONGEST && !text.contains('\0'))
}

#[cfg(test)]
mod tests;
