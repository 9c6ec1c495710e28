//! Files that leave the cell.
//!
//! Their names and contents were chosen by hostile code. So they go into one directory, as regular files that cannot be
//! executed, under names that nothing had before; what is there already is never replaced. All together they take up
//! no more of the host than the cell could have: a file with many names, or one that is written while it is read, is no
//! way around the disk limit. A `.git` stays in the cell: git runs what stands in it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};

use session::{FileEntry, FileKind, Session};

use super::copy::Content;
use super::left_out::LeftOut;
use crate::hints::Hint;
use crate::place::{told, try_writing};
use crate::printer;
use crate::progress::Saving;

/// How many names are tried for one file.
const NAMES: u32 = 10_000;
/// How many entries of a workspace the engine lists.
const LISTED: usize = 100_000;
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

/// When saving is to be broken off.
#[derive(Debug, Clone, Default)]
pub(crate) struct Halt {
    /// Somebody does not want to wait any longer.
    pub(crate) asked: Arc<AtomicBool>,
    /// It must be over by then.
    pub(crate) until: Option<Instant>,
}

impl Halt {
    fn check(&self) -> io::Result<()> {
        if self.asked.load(Ordering::Relaxed) {
            return Err(io::Error::other("saving was interrupted"));
        }
        if self.until.is_some_and(|until| until <= Instant::now()) {
            return Err(io::Error::other("there was no time left to save it"));
        }
        Ok(())
    }
}

/// The directory that files are saved in; made when the first one comes.
#[derive(Debug)]
pub(crate) struct Out {
    directory: PathBuf,
    limit: u64,
    /// How much may still be written, bytes.
    left: Cell<u64>,
}

impl Out {
    /// This directory, which need not exist; it gets `limit` bytes at most.
    pub(crate) fn new(directory: &Path, limit: u64) -> Out {
        Out { directory: directory.to_owned(), limit, left: Cell::new(limit) }
    }

    /// The directory.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether files can be made there, which is tried.
    pub(crate) fn check(&self) -> Result<(), Hint> {
        try_writing(&self.directory).map(|_| ()).map_err(|error| {
            let what = format!("save files in `{}`", told(&self.directory));
            Hint::new(what, "name a directory that you may write to with `--out DIR`").because(error)
        })
    }

    /// Saves what the program made or changed.
    pub(crate) async fn save(
        &self,
        session: &Session,
        before: &Before,
        halt: &Halt,
        progress: &mut Saving,
    ) -> session::Result<(Vec<Saved>, LeftOut)> {
        let (mut saved, mut left_out) = (Vec::new(), LeftOut::default());
        let entries = session.files().await?;
        left_out.cut = entries.len() >= LISTED;
        for entry in entries {
            match whose(&entry.path) {
                Some(Own::Interpreter) => continue,
                Some(own) => {
                    let few = match own {
                        Own::Git => &mut left_out.repositories,
                        _ => &mut left_out.caches,
                    };
                    // The directory stands for what is in it.
                    if entry.path.parent().is_none_or(|parent| whose(parent).is_none()) {
                        few.add(&entry.path);
                    }
                    continue;
                }
                None => {}
            }
            match entry.kind {
                FileKind::Directory => {}
                FileKind::Closed => left_out.closed.add(&entry.path),
                FileKind::Link => left_out.links.add(&entry.path),
                FileKind::Special => left_out.special.add(&entry.path),
                FileKind::File if before.get(&entry.path) == Some(&(entry.size, entry.modified)) => {}
                FileKind::File => match self.one(session, &entry, halt, progress).await {
                    Ok(each) => saved.push(each),
                    Err(why) => left_out.fail(entry.path, why),
                },
            }
        }
        saved.sort_by(|a: &Saved, b| a.name.cmp(&b.name));
        Ok((saved, left_out))
    }

    async fn one(
        &self,
        session: &Session,
        entry: &FileEntry,
        halt: &Halt,
        progress: &mut Saving,
    ) -> Result<Saved, String> {
        progress.step(0);
        halt.check().map_err(|error| error.to_string())?;
        let file = session.open_file(&entry.path).await.map_err(|error| printer::chain(&error))?;
        let length = file.metadata().map_err(|error| error.to_string())?.len();
        let mut step = |bytes| {
            progress.step(bytes);
            halt.check()
        };
        self.place(&entry.path, &Content::File(&file, length), &mut step).map_err(|error| error.to_string())
    }

    /// Saves bytes under a name.
    pub(crate) fn bytes(&self, name: &str, bytes: &[u8]) -> io::Result<Saved> {
        self.place(Path::new(name), &Content::Bytes(bytes), &mut |_| Ok(()))
    }

    /// Puts content under its name, or the next one that is free.
    fn place(
        &self,
        name: &Path,
        content: &Content,
        step: &mut dyn FnMut(u64) -> io::Result<()>,
    ) -> io::Result<Saved> {
        let wanted = self.directory.join(name);
        if let Some(parent) = wanted.parent() {
            fs::create_dir_all(parent)?;
        }
        let saved = |path, same| Saved { name: name.to_owned(), path, bytes: content.length(), same };
        for number in 1..=NAMES {
            let path = numbered(&wanted, number);
            match File::options().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    let left = self.left.get();
                    let written = content.copy(&file, &mut |bytes| {
                        step(bytes)?;
                        let left = self.left.get().checked_sub(bytes).ok_or_else(|| self.over())?;
                        self.left.set(left);
                        Ok(())
                    });
                    return match written {
                        Ok(()) => Ok(saved(path, false)),
                        Err(error) => {
                            self.left.set(left);
                            let _ = fs::remove_file(&path);
                            Err(error)
                        }
                    };
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if is_same(&path, content, step)? {
                        return Ok(saved(path, true));
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn over(&self) -> io::Error {
        let limit = printer::bytes(self.limit);
        io::Error::other(format!("no more than {limit} is saved, the cell's disk limit (`--disk MIB`)"))
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

fn is_same(path: &Path, content: &Content, step: &mut dyn FnMut(u64) -> io::Result<()>) -> io::Result<bool> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_file() || metadata.len() != content.length() {
        return Ok(false);
    }
    // One that cannot be read is not known to be the same.
    let Ok(there) = File::open(path) else { return Ok(false) };
    content.is_same(&Content::File(&there, metadata.len()), step)
}

/// Whose something is that the program did not make for its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Own {
    /// What interpreters leave beside programs; nobody misses it.
    Interpreter,
    Cache,
    Git,
}

fn whose(path: &Path) -> Option<Own> {
    path.components().find_map(|part| {
        let Component::Normal(name) = part else { return None };
        match name.to_str()? {
            "__pycache__" | ".ipynb_checkpoints" => Some(Own::Interpreter),
            ".cache" | ".pytest_cache" | ".mypy_cache" | ".ruff_cache" => Some(Own::Cache),
            ".git" => Some(Own::Git),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_there_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let out = Out::new(&directory.path().join("out"), 1 << 20);
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
        let out = Out::new(&directory.path().join("out"), 1 << 20);
        fs::create_dir(out.directory()).unwrap();
        std::os::unix::fs::symlink(&outside, out.directory().join("a.txt")).unwrap();
        std::os::unix::fs::symlink("nowhere", out.directory().join("b.txt")).unwrap();
        assert!(out.bytes("a.txt", b"mine").unwrap().path.ends_with("a-2.txt"));
        assert!(out.bytes("b.txt", b"x").unwrap().path.ends_with("b-2.txt"));
        assert_eq!(fs::read(&outside).unwrap(), b"mine");
    }

    #[test]
    fn no_more_than_the_limit_is_saved() {
        let directory = tempfile::tempdir().unwrap();
        let out = Out::new(directory.path(), 10);
        assert!(out.bytes("a", b"123456").is_ok());
        let error = out.bytes("b", b"12345").unwrap_err().to_string();
        assert!(error.contains("no more than 10 B is saved"), "{error}");
        assert!(!directory.path().join("b").exists());
        // What did not fit took up nothing, and the same again takes up nothing either.
        assert!(out.bytes("a", b"123456").unwrap().same);
        assert!(out.bytes("c", b"1234").is_ok());
    }

    #[test]
    fn a_place_where_nothing_can_be_saved_is_known_before() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("file"), "").unwrap();
        fs::create_dir(at("there")).unwrap();
        std::os::unix::fs::symlink("nowhere", at("dangling")).unwrap();
        std::os::unix::fs::symlink("there", at("link")).unwrap();
        let checked = |path: PathBuf| Out::new(&path, 1).check().is_ok();
        for good in ["there", "link", "new", "new/and/deeper", ""] {
            assert!(checked(at(good)), "{good}");
        }
        for bad in ["file", "file/below", "dangling", "dangling/below"] {
            assert!(!checked(at(bad)), "{bad}");
        }
        assert!(!checked("/proc/nope".into()));
        assert!(fs::read_dir(at("there")).unwrap().next().is_none());
    }

    #[test]
    fn saving_can_be_broken_off() {
        let asked = Halt::default();
        assert!(asked.check().is_ok());
        asked.asked.store(true, Ordering::Relaxed);
        assert!(asked.check().is_err());
        assert!(Halt { until: Some(Instant::now()), ..Halt::default() }.check().is_err());
    }

    #[test]
    fn what_belongs_to_git_and_to_interpreters_is_known() {
        assert_eq!(whose(Path::new("a/.git/config")), Some(Own::Git));
        assert_eq!(whose(Path::new("a/__pycache__/b.pyc")), Some(Own::Interpreter));
        assert_eq!(whose(Path::new(".github/ci.yml")), None);
    }
}
