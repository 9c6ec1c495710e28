//! Reading and writing the files of a cgroup.

use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::{Error, Result};

/// The processes of a cgroup, one a line; where writing moves a process.
pub(super) const PROCS: &str = "cgroup.procs";
/// Version 2: the controllers that children get.
pub(super) const SUBTREE: &str = "cgroup.subtree_control";
/// Version 2: the controllers that there are.
pub(super) const CONTROLLERS: &str = "cgroup.controllers";

pub(super) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// Writes a value in one call, as the kernel wants it.
pub(super) fn write(path: &Path, value: &dyn Display) -> Result<()> {
    let value = value.to_string();
    #[cfg(test)]
    if let Some(done) = super::tests::fake::write(path, &value) {
        return done.map_err(|source| Error::Write { path: path.to_owned(), value, source });
    }
    let written = open(path).and_then(|mut file| file.write_all(value.as_bytes()));
    written.map_err(|source| Error::Write { path: path.to_owned(), value, source })
}

/// Opens a file of a cgroup for writing.
pub(super) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).open(path)
}

/// One number, or a word such as `max` or `-1` that stands for none.
pub(super) fn number(path: &Path) -> Result<Option<u64>> {
    Ok(read(path)?.trim().parse().ok())
}

/// The number behind a word in a file of `word number` lines.
pub(super) fn keyed(path: &Path, key: &str) -> Result<Option<u64>> {
    let text = read(path)?;
    Ok(text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok()))
}

/// Whether a word stands in a file of words.
pub(super) fn has_word(path: &Path, word: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|text| text.split_whitespace().any(|found| found == word))
}

/// The processes of a cgroup. 0 stands for those that our PID namespace does not show.
pub(super) fn pids(dir: &Path) -> Result<Vec<u32>> {
    match read(&dir.join(PROCS)) {
        Ok(text) => Ok(text.lines().filter_map(|line| line.parse().ok()).collect()),
        Err(Error::Read { source, .. }) if gone(&source) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Whether this says that the cgroup is not there (any more).
pub(super) fn gone(error: &io::Error) -> bool {
    // A file of a cgroup that is removed while it is open answers ENODEV.
    error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(19)
}

/// The cgroups below one, by name.
pub(super) fn children(dir: &Path) -> Result<Vec<String>> {
    let list = |source| Error::List { path: dir.to_owned(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(list)? {
        let entry = entry.map_err(list)?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            names.extend(entry.file_name().into_string());
        }
    }
    Ok(names)
}

/// Makes a cgroup. The kernel fills it with files.
pub(super) fn make(path: &Path) -> Result<()> {
    fs::create_dir(path).map_err(|source| Error::Create { path: path.to_owned(), source })?;
    #[cfg(test)]
    super::tests::fake::fill(path);
    Ok(())
}

/// Makes a cgroup unless it is there.
pub(super) fn make_or_keep(path: &Path) -> Result<()> {
    match make(path) {
        Err(Error::Create { source, .. }) if source.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// Removes a cgroup that has no processes and no children; one that is gone is as good as removed.
pub(super) fn unmake(path: &Path) -> io::Result<()> {
    #[cfg(test)]
    super::tests::fake::empty(path)?;
    match fs::remove_dir(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A name that is one directory and can be none of the kernel's own files, which all have a dot.
pub(super) fn checked(name: &str) -> Result<&str> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if plain && (1..=128).contains(&name.len()) { Ok(name) } else { Err(Error::Name(name.to_owned())) }
}

/// A path of the host, below another root.
pub(super) fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}
