//! Files that leave the cell.
//!
//! Their names and contents were chosen by hostile code. So they go into one directory, as regular files that cannot be
//! executed, under names that nothing had before; what is there already is never replaced.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use session::{FileEntry, FileKind, Session};

/// How many names are tried for one file.
const NAMES: u32 = 10_000;

/// What lay in the workspace before the program ran.
pub(crate) type Before = BTreeMap<PathBuf, (u64, SystemTime)>;

/// What is remembered of the files that were brought.
pub(crate) fn before(entries: Vec<FileEntry>) -> Before {
    entries.into_iter().map(|entry| (entry.path, (entry.size, entry.modified))).collect()
}

/// A file that was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Saved {
    /// Its name in the cell.
    pub(crate) name: PathBuf,
    /// Where it is now.
    pub(crate) path: PathBuf,
    /// How long it is, bytes.
    pub(crate) bytes: u64,
    /// Whether the same content lay there already.
    pub(crate) same: bool,
}

/// What was not saved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub(crate) links: usize,
    pub(crate) special: usize,
    pub(crate) closed: usize,
    pub(crate) hidden: usize,
    /// Files that could not be read or written, and why.
    pub(crate) failed: Vec<(PathBuf, String)>,
}

impl LeftOut {
    /// In words; `None` if nothing was left out.
    pub(crate) fn told(&self) -> Option<String> {
        let count = |count: usize, one: &str, many: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{count} {many}")),
        };
        let parts: Vec<String> = [
            count(self.links, "link", "links"),
            count(self.special, "pipe, socket or device", "pipes, sockets or devices"),
            count(self.closed, "directory that cannot be read", "directories that cannot be read"),
            count(self.hidden, "hidden file", "hidden files"),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// The directory that files are saved in; made when the first one comes.
#[derive(Debug)]
pub(crate) struct Out {
    directory: PathBuf,
}

impl Out {
    /// This directory, which need not exist.
    pub(crate) fn new(directory: &Path) -> Out {
        Out { directory: directory.to_owned() }
    }

    /// The directory.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Saves what the program made or changed.
    pub(crate) async fn save(
        &self,
        session: &Session,
        before: &Before,
    ) -> session::Result<(Vec<Saved>, LeftOut)> {
        let (mut saved, mut left_out) = (Vec::new(), LeftOut::default());
        for entry in session.files().await? {
            if is_cache(&entry.path) {
                continue;
            }
            match entry.kind {
                FileKind::Directory => {}
                FileKind::Closed => left_out.closed += 1,
                FileKind::Link => left_out.links += 1,
                FileKind::Special => left_out.special += 1,
                FileKind::File if before.get(&entry.path) == Some(&(entry.size, entry.modified)) => {}
                FileKind::File if is_hidden(&entry.path) => left_out.hidden += 1,
                FileKind::File => match self.one(session, &entry).await {
                    Ok(each) => saved.push(each),
                    Err(why) => left_out.failed.push((entry.path, why)),
                },
            }
        }
        saved.sort_by(|a: &Saved, b| a.name.cmp(&b.name));
        Ok((saved, left_out))
    }

    async fn one(&self, session: &Session, entry: &FileEntry) -> Result<Saved, String> {
        let file = session.open_file(&entry.path).await.map_err(|error| error.to_string())?;
        // A process that was left behind may still be writing: what it adds from now on is not waited for.
        let length = file.metadata().map_err(|error| error.to_string())?.len();
        self.place(&entry.path, length, &mut || Ok(Box::new(file.try_clone()?.take(length))))
            .map_err(|error| error.to_string())
    }

    /// Saves bytes under a name.
    pub(crate) fn bytes(&self, name: &str, bytes: &[u8]) -> io::Result<Saved> {
        self.place(Path::new(name), bytes.len() as u64, &mut || Ok(Box::new(bytes)))
    }

    /// Puts content under its name, or the next one that is free. The content is asked for anew for each attempt.
    fn place<'a>(
        &self,
        name: &Path,
        length: u64,
        content: &mut dyn FnMut() -> io::Result<Box<dyn Read + 'a>>,
    ) -> io::Result<Saved> {
        let wanted = self.directory.join(name);
        if let Some(parent) = wanted.parent() {
            fs::create_dir_all(parent)?;
        }
        for number in 1..=NAMES {
            let path = numbered(&wanted, number);
            match File::options().write(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    let written = io::copy(&mut content()?, &mut file).and_then(|bytes| {
                        file.flush()?;
                        Ok(bytes)
                    });
                    let bytes = written.inspect_err(|_| _ = fs::remove_file(&path))?;
                    return Ok(Saved { name: name.to_owned(), path, bytes, same: false });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if is_same(&path, length, content()?)? {
                        return Ok(Saved { name: name.to_owned(), path, bytes: length, same: true });
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

/// `a/b.tar.gz`, `a/b-2.tar.gz`, …
fn numbered(path: &Path, number: u32) -> PathBuf {
    if number == 1 {
        return path.to_owned();
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (stem, rest) = match name.find('.') {
        Some(dot) if dot > 0 => name.split_at(dot),
        _ => (name.as_str(), ""),
    };
    path.with_file_name(format!("{stem}-{number}{rest}"))
}

fn is_same(path: &Path, length: u64, mut content: Box<dyn Read + '_>) -> io::Result<bool> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_file() || metadata.len() != length {
        return Ok(false);
    }
    // One that cannot be read is not known to be the same.
    let Ok(mut there) = File::open(path) else { return Ok(false) };
    let (mut ours, mut theirs) = ([0; 16 << 10], [0; 16 << 10]);
    loop {
        let read = content.read(&mut ours)?;
        if read == 0 {
            return Ok(true);
        }
        if there.read_exact(&mut theirs[..read]).is_err() || ours[..read] != theirs[..read] {
            return Ok(false);
        }
    }
}

fn is_hidden(path: &Path) -> bool {
    path.components()
        .any(|part| matches!(part, Component::Normal(name) if name.as_encoded_bytes().starts_with(b".")))
}

/// What interpreters leave beside programs.
fn is_cache(path: &Path) -> bool {
    path.components().any(|part| matches!(part, Component::Normal(name) if name == "__pycache__" || name == ".ipynb_checkpoints"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_there_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let out = Out::new(&directory.path().join("out"));
        let name = |saved: io::Result<Saved>| {
            let saved = saved.unwrap();
            (saved.path.file_name().unwrap().to_string_lossy().into_owned(), saved.same)
        };
        assert_eq!(name(out.bytes("a.tar.gz", b"one")), ("a.tar.gz".to_owned(), false));
        assert_eq!(name(out.bytes("a.tar.gz", b"two")), ("a-2.tar.gz".to_owned(), false));
        assert_eq!(name(out.bytes("a.tar.gz", b"two")), ("a-2.tar.gz".to_owned(), true));
        assert_eq!(name(out.bytes("a.tar.gz", b"one")), ("a.tar.gz".to_owned(), true));
        assert_eq!(fs::read(out.directory().join("a.tar.gz")).unwrap(), b"one");
        assert_eq!(name(out.bytes("b", b"")), ("b".to_owned(), false));
        assert_eq!(name(out.bytes("b", b"x")), ("b-2".to_owned(), false));
    }

    #[test]
    fn a_link_that_is_there_is_not_written_through() {
        let directory = tempfile::tempdir().unwrap();
        let outside = directory.path().join("outside");
        fs::write(&outside, "mine").unwrap();
        let out = Out::new(&directory.path().join("out"));
        fs::create_dir(out.directory()).unwrap();
        std::os::unix::fs::symlink(&outside, out.directory().join("a.txt")).unwrap();
        std::os::unix::fs::symlink("nowhere", out.directory().join("b.txt")).unwrap();
        assert!(out.bytes("a.txt", b"mine").unwrap().path.ends_with("a-2.txt"));
        assert!(out.bytes("b.txt", b"x").unwrap().path.ends_with("b-2.txt"));
        assert_eq!(fs::read(&outside).unwrap(), b"mine");
    }

    #[test]
    fn what_was_left_out_is_told_in_words() {
        assert_eq!(LeftOut::default().told(), None);
        let left_out = LeftOut { links: 1, special: 2, hidden: 3, ..LeftOut::default() };
        assert_eq!(left_out.told().unwrap(), "1 link, 2 pipes, sockets or devices, 3 hidden files");
        assert!(is_hidden(Path::new("a/.git/config")) && !is_hidden(Path::new("a/b.c")));
        assert!(is_cache(Path::new("a/__pycache__/b.pyc")));
    }
}
