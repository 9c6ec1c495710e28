//! Putting a file into a working copy, where code may be doing anything meanwhile.
//!
//! A file is made without a name, and gets its name in one step: nobody opens it before it is complete or leased. A name
//! that is free is taken only if it still is; one that has an older version changes places with the new file, and if
//! what came out is not that version they change back.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sys::appear::{self, Look};
use sys::tree::Kind;

use super::Base;
use super::known::{Entry, State};

/// A file that has no place yet.
#[derive(Debug)]
pub(super) struct New {
    directory: OwnedFd,
    name: OsString,
    /// What it is called meanwhile, where files must be called something.
    meanwhile: Option<OsString>,
}

/// How a file was put into its place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Placed {
    /// It is there.
    There,
    /// The session has something there: it was left as it is.
    Taken,
}

impl New {
    /// A new file for a place, and the way to put it there; `None` if the session made something on the way to it.
    pub(super) fn make(base: &Base, root: &OwnedFd, local: &Path) -> io::Result<Option<(New, File)>> {
        let parent = local.parent().unwrap_or(Path::new(""));
        let made = sys::tree::make_directories(root, parent, &mut |made| give(base, made));
        let directory = match made {
            Ok(directory) => directory,
            Err(error) if is_in_the_way(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let name = local.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        let (file, meanwhile) = match appear::nameless(&directory, 0o644) {
            Ok(file) => (file, None),
            Err(error)
                if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) =>
            {
                return Err(error);
            }
            // Not every file system has such.
            Err(_) => {
                let meanwhile = meanwhile(&name);
                appear::remove(&directory, &meanwhile)?;
                (appear::named(&directory, &meanwhile, 0o644)?, Some(meanwhile))
            }
        };
        Ok(Some((New { directory, name, meanwhile }, file)))
    }

    /// Whether it can be seen before it is put into its place.
    pub(super) fn is_seen(&self) -> bool {
        self.meanwhile.is_some()
    }

    /// Puts it into its place: one that is free, or one that has the version that looks so.
    pub(super) fn put(mut self, file: &File, old: Option<&Look>) -> io::Result<Placed> {
        let Some(old) = old else {
            let done = match self.meanwhile.take() {
                None => appear::name(file, &self.directory, &self.name),
                Some(meanwhile) => {
                    let done = appear::rename(&self.directory, &meanwhile, &self.name);
                    if done.is_err() {
                        appear::remove(&self.directory, &meanwhile)?;
                    }
                    done
                }
            };
            return match done {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Placed::Taken),
                done => done.map(|()| Placed::There),
            };
        };
        if self.meanwhile.is_none() {
            let meanwhile = meanwhile(&self.name);
            appear::remove(&self.directory, &meanwhile)?;
            appear::name(file, &self.directory, &meanwhile)?;
            self.meanwhile = Some(meanwhile);
        }
        let Some(meanwhile) = &self.meanwhile else { return Ok(Placed::Taken) };
        let is_old = |name: &OsStr| {
            appear::Look::at(&self.directory, name).is_ok_and(|(kind, look)| {
                // Changing places changes the one time that nobody can set.
                kind == Kind::File
                    && (look.inode, look.size, look.modified) == (old.inode, old.size, old.modified)
            })
        };
        let there = is_old(&self.name) && appear::exchange(&self.directory, meanwhile, &self.name).is_ok();
        if there && !is_old(meanwhile) {
            appear::exchange(&self.directory, meanwhile, &self.name)?;
            appear::remove(&self.directory, meanwhile)?;
            return Ok(Placed::Taken);
        }
        appear::remove(&self.directory, meanwhile)?;
        Ok(if there { Placed::There } else { Placed::Taken })
    }
}

/// A name beside another that nobody else uses.
fn meanwhile(name: &OsStr) -> OsString {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let mut hasher = RandomState::new().build_hasher();
    hasher.write(name.as_encoded_bytes());
    format!(".cellblock-{:016x}", hasher.finish()).into()
}

/// Gives what was made to whom the working copy belongs.
pub(super) fn give(base: &Base, made: impl AsFd) -> io::Result<()> {
    if sys::file::own_ids().0 == base.owner {
        return Ok(());
    }
    sys::file::give(made.as_fd(), base.owner, base.owner)
}

/// Whether an error says that something else stands where a directory should be.
fn is_in_the_way(error: &io::Error) -> bool {
    const LOOP: i32 = 40;
    matches!(error.kind(), io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists)
        || error.raw_os_error() == Some(LOOP)
}

/// Removes a file from a working copy, under whatever name the code has given it; says whether it is gone.
pub(super) fn remove(base: &Base, local: &Path, file: &File) -> io::Result<bool> {
    let inode = Look::of(file)?.inode;
    let root = base.root()?;
    remove_name(&root, local, inode)?;
    if appear::names(file)? > 0 {
        let mut names: Vec<PathBuf> = Vec::new();
        sys::tree::walk(&base.directory, &mut |item| {
            if item.kind == Kind::File && item.look.inode == inode {
                names.push(item.path.to_owned());
            }
            std::ops::ControlFlow::Continue(())
        })?;
        for name in names {
            remove_name(&root, &name, inode)?;
        }
    }
    Ok(appear::names(file)? == 0)
}

/// When a file was made, nanoseconds since 1970; 0 where the file system does not say.
pub(super) fn born(file: &File) -> io::Result<i128> {
    let born = file.metadata()?.created().unwrap_or(SystemTime::UNIX_EPOCH);
    Ok(born.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos().try_into().unwrap_or(0))
}

/// Removes files that were on their way, under whatever names the code has given them.
pub(super) fn remove_all(directory: &Path, coming: &[(Box<Path>, Entry)]) -> io::Result<()> {
    if coming.is_empty() {
        return Ok(());
    }
    let ids = coming.iter().filter_map(|(_, file)| match file.state {
        State::Coming { inode, born } => Some((inode, born)),
        _ => None,
    });
    let ids: HashMap<u64, i128> = ids.collect();
    let mut names = Vec::new();
    sys::tree::walk(directory, &mut |item| {
        if item.kind == Kind::File && ids.contains_key(&item.look.inode) {
            names.push((item.path.to_owned(), item.look.inode));
        }
        std::ops::ControlFlow::Continue(())
    })?;
    let root = sys::file::directory(directory)?;
    for (name, inode) in names {
        let Ok((held, _, _)) = appear::hold_below(&root, &name) else { continue };
        if Some(&born(&held.into())?) == ids.get(&inode) {
            remove_name(&root, &name, inode)?;
        }
    }
    Ok(())
}

fn remove_name(root: &OwnedFd, local: &Path, inode: u64) -> io::Result<()> {
    let parent = match local.parent() {
        None => return Ok(()),
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
    };
    let Ok((directory, Kind::Directory, _)) = appear::hold_below(root, parent) else { return Ok(()) };
    let name = local.file_name().unwrap_or_default();
    match Look::at(&directory, name) {
        Ok((Kind::File, look)) if look.inode == inode => appear::remove(&directory, name),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// A new file, with a name beside its place or without one.
    fn new(root: &Path, named: bool, content: &str) -> (New, File) {
        let directory = sys::file::directory(root).unwrap();
        let beside = named.then(|| OsString::from(".beside"));
        let mut file = match &beside {
            Some(beside) => appear::named(&directory, beside, 0o644).unwrap(),
            None => appear::nameless(&directory, 0o644).unwrap(),
        };
        file.write_all(content.as_bytes()).unwrap();
        (New { directory, name: "a".into(), meanwhile: beside }, file)
    }

    #[test]
    fn only_what_is_free_or_old_is_taken() {
        for named in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let place = dir.path().join("a");
            let put = |content: &str, old: Option<&Look>| {
                let (new, file) = new(dir.path(), named, content);
                let placed = new.put(&file, old).unwrap();
                let found = std::fs::read_to_string(&place).unwrap_or_default();
                assert!(std::fs::read_dir(dir.path()).unwrap().count() <= 1, "nothing is left beside it");
                (placed, found)
            };
            assert_eq!(put("one", None), (Placed::There, "one".into()));
            assert_eq!(put("two", None), (Placed::Taken, "one".into()));
            let old = Look::of(File::open(&place).unwrap()).unwrap();
            assert_eq!(put("two", Some(&old)), (Placed::There, "two".into()));
            assert_eq!(put("three", Some(&old)), (Placed::Taken, "two".into()));
            let old = Look::of(File::open(&place).unwrap()).unwrap();
            std::fs::remove_file(&place).unwrap();
            assert_eq!(put("four", Some(&old)), (Placed::Taken, String::new()));
            std::fs::create_dir(&place).unwrap();
            for old in [None, Some(&old)] {
                assert_eq!(put("five", old).0, Placed::Taken);
            }
            std::fs::remove_dir(&place).unwrap();
            std::os::unix::fs::symlink("/etc/hostname", &place).unwrap();
            assert_eq!(put("six", None).0, Placed::Taken);
        }
    }
}
