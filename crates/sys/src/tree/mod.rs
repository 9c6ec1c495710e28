//! Trees that somebody hostile may be changing while they are read.
//!
//! Every step goes from an open directory to a name in it, and follows no link: whatever is put in the place of a
//! directory after it was looked at, the walk stays below its root. Nothing but directories is opened.

mod deep;
#[cfg(test)]
mod tests;

use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, mkdirat, openat2, statat};
use rustix::io::Errno;

use crate::appear::Look;
pub use deep::walk_all;

/// How deep a walk with paths goes: one descriptor is open for each directory on the way.
const DEPTH: usize = 256;
/// What something in a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory whose content is walked as well.
    Directory,
    /// A directory that could not be read, or that lies too deep.
    Closed,
    /// A symbolic link.
    Link,
    /// A fifo, a socket, a device.
    Special,
}

impl Kind {
    /// What something with this mode is, as far as the mode tells.
    pub(crate) fn of(mode: rustix::fs::RawMode) -> Kind {
        Kind::from(FileType::from_raw_mode(mode))
    }
}

impl From<FileType> for Kind {
    fn from(kind: FileType) -> Kind {
        match kind {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Directory,
            FileType::Symlink => Kind::Link,
            _ => Kind::Special,
        }
    }
}

/// Something in a tree.
#[derive(Debug)]
pub struct Item<'a> {
    /// Where it is, seen from the root.
    pub path: &'a Path,
    /// What it is.
    pub kind: Kind,
    /// How long it is, bytes.
    pub size: u64,
    /// What it takes up on the disk, bytes.
    pub stored: u64,
    /// How many names it has.
    pub names: u64,
    /// What is the same for all of its names.
    pub identity: (u64, u64),
    /// When its content was last changed.
    pub modified: SystemTime,
    /// How it looks to whoever wants to know whether it was changed.
    pub look: Look,
}

/// Shows everything below a directory to `visit`, a directory before its content, until it breaks off.
///
/// What vanishes meanwhile is passed over. An error is one of the root itself.
pub fn walk(root: &Path, visit: &mut dyn FnMut(&Item) -> ControlFlow<()>) -> io::Result<()> {
    walk_below(
        rustix::fs::open(root, OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?,
        visit,
    )
}

/// As [`walk`], below a directory that is held or open.
pub fn walk_below(root: impl AsFd, visit: &mut dyn FnMut(&Item) -> ControlFlow<()>) -> io::Result<()> {
    let directory = open_directory(root, Path::new("."))?;
    let device = rustix::fs::fstat(&directory)?.st_dev;
    let _ = below(directory, device, &mut PathBuf::new(), DEPTH, visit)?;
    Ok(())
}

fn below(
    directory: OwnedFd,
    device: u64,
    path: &mut PathBuf,
    depth: usize,
    visit: &mut dyn FnMut(&Item) -> ControlFlow<()>,
) -> io::Result<ControlFlow<()>> {
    let entries = Dir::read_from(&directory)?;
    for entry in entries {
        let Ok(entry) = entry else { break };
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let Ok(stat) = statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        path.push(as_path(name));
        let mut opened = None;
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Symlink => Kind::Link,
            FileType::Directory if depth > 0 && stat.st_dev == device => {
                opened = open_directory(&directory, as_path(name)).ok();
                if opened.is_some() { Kind::Directory } else { Kind::Closed }
            }
            FileType::Directory => Kind::Closed,
            _ => Kind::Special,
        };
        let flow = visit(&item(path, kind, &stat));
        let flow = match (flow, opened) {
            // What can be opened and not read holds nothing that could be shown.
            (ControlFlow::Continue(()), Some(opened)) => {
                below(opened, device, path, depth - 1, visit).unwrap_or(ControlFlow::Continue(()))
            }
            (flow, _) => flow,
        };
        path.pop();
        if flow.is_break() {
            return Ok(flow);
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Is shown what is in a directory, and with a link what it says; until it breaks off.
pub type Visit<'a> = dyn FnMut(&Item, Option<Vec<u8>>) -> ControlFlow<()> + 'a;

/// Shows what is in this open directory, in the order in which it is read, until `visit` breaks off; an item's path is
/// its name.
///
/// Nothing in it is opened. What cannot be looked at, in a directory that may be read and not entered, has no size and
/// no times.
pub fn list(directory: OwnedFd, visit: &mut Visit) -> io::Result<()> {
    // Its names are looked at through another descriptor, because reading it takes this one.
    let names = directory.try_clone()?;
    for entry in Dir::new(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
        let found = match statat(&names, name, flags) {
            Ok(stat) => item(as_path(name), Kind::of(stat.st_mode), &stat),
            // It has vanished meanwhile.
            Err(Errno::NOENT) => continue,
            Err(_) => unknown(as_path(name), entry.file_type()),
        };
        let says =
            || rustix::fs::readlinkat(&names, name, Vec::new()).map_or(Vec::new(), CString::into_bytes);
        let says = (found.kind == Kind::Link).then(says);
        if visit(&found, says).is_break() {
            break;
        }
    }
    Ok(())
}

/// What a directory itself says of a name in it.
fn unknown(path: &Path, kind: FileType) -> Item<'_> {
    let kind = kind.into();
    let look = Look { inode: 0, size: 0, changed: (0, 0), modified: (0, 0) };
    Item {
        path,
        kind,
        size: 0,
        stored: 0,
        names: 0,
        identity: (0, 0),
        modified: SystemTime::UNIX_EPOCH,
        look,
    }
}

fn as_path(name: &CStr) -> &Path {
    Path::new(OsStr::from_bytes(name.to_bytes()))
}

fn item<'a>(path: &'a Path, kind: Kind, stat: &Stat) -> Item<'a> {
    let since =
        Duration::new(stat.st_mtime.try_into().unwrap_or(0), stat.st_mtime_nsec.try_into().unwrap_or(0));
    Item {
        path,
        kind,
        size: stat.st_size.try_into().unwrap_or(0),
        stored: u64::try_from(stat.st_blocks).unwrap_or(0) * 512,
        names: links(stat),
        identity: (stat.st_dev, stat.st_ino),
        modified: SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH),
        look: Look::from(stat),
    }
}

/// The number's width is not the same on every machine.
#[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
fn links(stat: &Stat) -> u64 {
    stat.st_nlink as u64
}

fn open_directory(directory: impl AsFd, path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    Ok(openat2(directory, path, flags, Mode::empty(), resolve)?)
}

/// Makes the directories of a relative path below an open one, as far as they are missing, and gives the open last one.
/// Each that was made is shown to `made`. A path with `..` is refused.
pub fn make_directories(
    root: impl AsFd,
    path: &Path,
    made: &mut dyn FnMut(&OwnedFd) -> io::Result<()>,
) -> io::Result<OwnedFd> {
    let mut directory = open_directory(&root, Path::new("."))?;
    for part in path.components() {
        let name = match part {
            Component::Normal(name) => Path::new(name),
            Component::CurDir => continue,
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        };
        let new = match mkdirat(&directory, name, Mode::from_raw_mode(0o755)) {
            Ok(()) => true,
            Err(Errno::EXIST) => false,
            Err(errno) => return Err(errno.into()),
        };
        directory = open_directory(&directory, name)?;
        if new {
            made(&directory)?;
        }
    }
    Ok(directory)
}
