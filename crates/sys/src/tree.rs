//! Trees that somebody hostile may be changing while they are read.
//!
//! Every step goes from an open directory to a name in it, and follows no link: whatever is put in the place of a
//! directory after it was looked at, the walk stays below its root. Nothing but directories is opened.

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

/// How deep a walk with paths goes: one descriptor is open for each directory on the way.
const DEPTH: usize = 256;
/// How deep a walk without paths goes. No program makes such a depth for its own good.
const ALL_DEPTH: usize = 16_384;
/// How many directories a walk without paths holds open, beside its root.
const ALL_OPEN: usize = 256;

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

/// A directory on the way of a walk without paths.
struct Level {
    /// What it is called in the one above it.
    name: CString,
    /// Closed while the walk is far below it.
    directory: Option<OwnedFd>,
    /// The directories in it that were not walked yet.
    waiting: Vec<CString>,
}

/// As [`walk`], but as deep as somebody may have gone to hide: an item's path is its name alone, a directory's content
/// is shown before that of the directories in it, and few descriptors are open however deep it is. What lies below 16 384
/// levels is [`Kind::Closed`].
///
/// A tree that is changed meanwhile may be shown in part.
pub fn walk_all(root: &Path, visit: &mut dyn FnMut(&Item) -> ControlFlow<()>) -> io::Result<()> {
    let directory =
        rustix::fs::open(root, OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let device = rustix::fs::fstat(&directory)?.st_dev;
    let mut waiting = Vec::new();
    let mut flow = show(&directory, device, true, &mut waiting, visit)?;
    let mut levels = vec![Level { name: CString::default(), directory: Some(directory), waiting }];
    while flow.is_continue()
        && let Some(level) = levels.last_mut()
    {
        let Some(name) = level.waiting.pop() else {
            levels.pop();
            continue;
        };
        let child = reopen(&mut levels).and_then(|parent| open_directory(parent, as_path(&name)));
        let Ok(child) = child else { continue };
        let mut waiting = Vec::new();
        // What can be opened and not read holds nothing that could be shown.
        flow = show(&child, device, levels.len() < ALL_DEPTH, &mut waiting, visit)
            .unwrap_or(ControlFlow::Continue(()));
        levels.push(Level { name, directory: Some(child), waiting });
        if let Some(above) = levels.len().checked_sub(ALL_OPEN + 1).filter(|&above| above > 0) {
            levels[above].directory = None;
        }
    }
    Ok(())
}

/// The last of these levels, open. Those above it that were closed are opened on the way from the next open one, and the
/// nearest of them stay so: whoever climbs up a deep chain does not start from its root at each step.
fn reopen(levels: &mut [Level]) -> io::Result<&OwnedFd> {
    let last = levels.len() - 1;
    let open = levels.iter().rposition(|level| level.directory.is_some()).ok_or(io::ErrorKind::NotFound)?;
    for at in open + 1..=last {
        let above = levels[at - 1].directory.as_ref().ok_or(io::ErrorKind::NotFound)?;
        levels[at].directory = Some(open_directory(above, as_path(&levels[at].name))?);
        if at - 1 > 0 && at - 1 + ALL_OPEN < last {
            levels[at - 1].directory = None;
        }
    }
    levels[last].directory.as_ref().ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// Shows what is in a directory itself; the directories in it are added to `waiting`.
fn show(
    directory: &OwnedFd,
    device: u64,
    deeper: bool,
    waiting: &mut Vec<CString>,
    visit: &mut dyn FnMut(&Item) -> ControlFlow<()>,
) -> io::Result<ControlFlow<()>> {
    for entry in Dir::read_from(directory)? {
        let Ok(entry) = entry else { break };
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let Ok(stat) = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Symlink => Kind::Link,
            FileType::Directory if deeper && stat.st_dev == device => Kind::Directory,
            FileType::Directory => Kind::Closed,
            _ => Kind::Special,
        };
        let flow = visit(&item(as_path(name), kind, &stat));
        if flow.is_break() {
            return Ok(flow);
        }
        if kind == Kind::Directory {
            waiting.push(name.to_owned());
        }
    }
    Ok(ControlFlow::Continue(()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let path = std::env::temp_dir().join(format!("sys-tree-{}-{name}", std::process::id()));
            fs::create_dir(&path).unwrap();
            Scratch(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn listed(root: &Path) -> Vec<(String, Kind)> {
        let mut found = Vec::new();
        walk(root, &mut |item| {
            found.push((item.path.display().to_string(), item.kind));
            ControlFlow::Continue(())
        })
        .unwrap();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    }

    #[test]
    fn everything_is_shown_and_no_link_is_followed() {
        let root = Scratch::new("shown");
        fs::create_dir_all(root.0.join("a/b")).unwrap();
        fs::write(root.0.join("a/b/file"), "1234").unwrap();
        symlink("/etc", root.0.join("etc")).unwrap();
        symlink("..", root.0.join("a/up")).unwrap();
        let fifo = root.0.join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, FileType::Fifo, Mode::RWXU, 0).unwrap();
        let expected = [
            ("a", Kind::Directory),
            ("a/b", Kind::Directory),
            ("a/b/file", Kind::File),
            ("a/up", Kind::Link),
            ("etc", Kind::Link),
            ("fifo", Kind::Special),
        ];
        assert_eq!(listed(&root.0), expected.map(|(name, kind)| (name.to_owned(), kind)));
    }

    #[test]
    fn sizes_and_second_names_are_told() {
        let root = Scratch::new("sizes");
        fs::write(root.0.join("one"), vec![0; 10_000]).unwrap();
        fs::hard_link(root.0.join("one"), root.0.join("two")).unwrap();
        let mut identities = Vec::new();
        walk(&root.0, &mut |item| {
            assert_eq!((item.size, item.names), (10_000, 2));
            assert!(item.stored >= 10_000);
            assert!(item.modified.elapsed().unwrap() < Duration::from_secs(3600));
            identities.push(item.identity);
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(identities.len(), 2);
        assert_eq!(identities[0], identities[1]);
    }

    #[test]
    fn a_walk_can_be_broken_off_and_ends_in_the_deep() {
        let root = Scratch::new("deep");
        let mut deep = root.0.clone();
        for _ in 0..DEPTH + 10 {
            deep.push("d");
        }
        fs::create_dir_all(&deep).unwrap();
        let found = listed(&root.0);
        assert_eq!(found.len(), DEPTH + 1);
        assert_eq!(found.last().unwrap().1, Kind::Closed);
        let mut seen = 0;
        walk(&root.0, &mut |_| {
            seen += 1;
            if seen == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
        assert_eq!(seen, 5);
    }

    #[test]
    fn a_walk_without_paths_goes_deeper_with_few_descriptors() {
        let root = Scratch::new("deeper");
        // A chain with a side branch at each step: after each way down the walk must come up again.
        let mut directory = crate::file::directory(&root.0).unwrap();
        for _ in 0..500 {
            for name in ["a", "z"] {
                directory = match make_directories(&directory, Path::new(name), &mut |_| Ok(())) {
                    Ok(made) if name == "z" => made,
                    made => made.map(|_| directory).unwrap(),
                };
            }
        }
        drop(directory);
        let open = || fs::read_dir("/proc/self/fd").unwrap().count();
        let (before, mut most, mut seen) = (open(), 0, 0);
        walk_all(&root.0, &mut |item| {
            assert_eq!(item.kind, Kind::Directory);
            most = most.max(open());
            seen += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(seen, 1000);
        // Other tests of this process may open some, too.
        assert!(most - before < ALL_OPEN + 40, "{before} {most}");
        crate::remove::tree(&root.0).unwrap();
    }

    #[test]
    fn directories_are_made_below_and_through_no_link() {
        let root = Scratch::new("made");
        let open = crate::file::directory(&root.0).unwrap();
        let mut made = 0;
        let mut count = |_: &OwnedFd| {
            made += 1;
            Ok(())
        };
        make_directories(&open, Path::new("a/./b"), &mut count).unwrap();
        make_directories(&open, Path::new("a/c"), &mut count).unwrap();
        assert_eq!(made, 3);
        assert!(root.0.join("a/b").is_dir() && root.0.join("a/c").is_dir());
        symlink("/tmp", root.0.join("out")).unwrap();
        for path in ["out/x", "../x", "/x"] {
            assert!(make_directories(&open, Path::new(path), &mut |_| Ok(())).is_err(), "{path}");
        }
    }
}
