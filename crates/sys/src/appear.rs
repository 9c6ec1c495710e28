//! Files that appear under their names in one step, in directories that somebody hostile may be changing.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, RenameFlags, ResolveFlags, Stat, fstat, linkat, openat, openat2,
};
use rustix::io::Errno;

use crate::tree::Kind;

/// What the kernel says of a file, which changes with its content: nobody can set all of it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Look {
    /// Which file it is, on its file system.
    pub inode: u64,
    /// How long it is, bytes.
    pub size: u64,
    /// When it was last changed in any way: seconds and nanoseconds.
    pub changed: (i64, i64),
    /// When its content was last changed, as whoever may write to it says. Where the kernel's times are coarse, a change in
    /// the moment in which a file was looked at shows here alone, if this was set to an earlier time before.
    pub modified: (i64, i64),
}

impl Look {
    /// Looks at an open file.
    pub fn of(file: impl AsFd) -> io::Result<Look> {
        Ok(Look::from(&fstat(file)?))
    }

    /// What a name in an open directory is, and how it looks. No link is followed.
    pub fn at(directory: impl AsFd, name: &OsStr) -> io::Result<(Kind, Look)> {
        let stat = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok((Kind::of(stat.st_mode), Look::from(&stat)))
    }
}

/// The numbers' types are not the same on every machine.
#[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
impl From<&Stat> for Look {
    fn from(stat: &Stat) -> Look {
        Look {
            inode: stat.st_ino as u64,
            size: stat.st_size.try_into().unwrap_or(0),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as i64),
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as i64),
        }
    }
}

/// How many names an open file has.
pub fn names(file: impl AsFd) -> io::Result<u64> {
    #[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
    Ok(fstat(file)?.st_nlink as u64)
}

/// Takes hold of what is at a path below a directory, without opening it for anything, and says what it is. No link is
/// followed: one at the end is what is held, one on the way is an error.
pub fn hold_below(directory: impl AsFd, path: &Path) -> io::Result<(OwnedFd, Kind, Look)> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let held = openat2(directory, path, flags, Mode::empty(), resolve)?;
    let stat = fstat(&held)?;
    Ok((held, Kind::of(stat.st_mode), Look::from(&stat)))
}

/// A new file in this directory that has no name yet. Not every file system has such.
pub fn nameless(directory: impl AsFd, mode: u32) -> io::Result<File> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    Ok(openat(directory, ".", flags, Mode::from_raw_mode(mode))?.into())
}

/// A new file under a name that is free.
pub fn named(directory: impl AsFd, name: &OsStr, mode: u32) -> io::Result<File> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(directory, name, flags, Mode::from_raw_mode(mode))?.into())
}

/// Gives a nameless file a name that is free.
pub fn name(file: &File, directory: impl AsFd, name: &OsStr) -> io::Result<()> {
    let from = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(linkat(CWD, from, directory, name, AtFlags::SYMLINK_FOLLOW)?)
}

/// Renames within a directory, to a name that is free.
pub fn rename(directory: impl AsFd, from: &OsStr, to: &OsStr) -> io::Result<()> {
    Ok(rustix::fs::renameat_with(&directory, from, &directory, to, RenameFlags::NOREPLACE)?)
}

/// Lets two names in a directory change places, in one step.
pub fn exchange(directory: impl AsFd, one: &OsStr, other: &OsStr) -> io::Result<()> {
    Ok(rustix::fs::renameat_with(&directory, one, &directory, other, RenameFlags::EXCHANGE)?)
}

/// Removes a name in a directory, if it is no directory.
pub fn remove(directory: impl AsFd, name: &OsStr) -> io::Result<()> {
    match rustix::fs::unlinkat(directory, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Removes a directory in a directory, if it is empty.
pub fn remove_directory(directory: impl AsFd, name: &OsStr) -> io::Result<()> {
    match rustix::fs::unlinkat(directory, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Begins to write what was changed in a file through a mapping, so that the next change through it is stamped.
pub fn write_behind(file: &File) {
    // SAFETY: the descriptor is open; takes numbers. If it cannot be done nothing is lost.
    unsafe {
        libc::sync_file_range(file.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_appears_whole_and_takes_no_place() {
        let root = std::env::temp_dir().join(format!("sys-appear-{}", std::process::id()));
        std::fs::create_dir(&root).unwrap();
        let directory = crate::file::directory(&root).unwrap();
        let text = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
        let mut file = nameless(&directory, 0o644).unwrap();
        file.write_all(b"one").unwrap();
        assert_eq!((std::fs::read_dir(&root).unwrap().count(), names(&file).unwrap()), (0, 0));
        name(&file, &directory, OsStr::new("a")).unwrap();
        assert_eq!((text("a").as_str(), names(&file).unwrap()), ("one", 1));
        let refused = name(&nameless(&directory, 0o644).unwrap(), &directory, OsStr::new("a")).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        named(&directory, OsStr::new("b"), 0o644).unwrap().write_all(b"two").unwrap();
        assert!(named(&directory, OsStr::new("b"), 0o644).is_err());
        assert!(rename(&directory, OsStr::new("a"), OsStr::new("b")).is_err());
        exchange(&directory, OsStr::new("a"), OsStr::new("b")).unwrap();
        assert_eq!((text("a").as_str(), text("b").as_str()), ("two", "one"));
        remove(&directory, OsStr::new("a")).unwrap();
        remove(&directory, OsStr::new("a")).unwrap();
        rename(&directory, OsStr::new("b"), OsStr::new("a")).unwrap();
        assert_eq!(Look::of(&file).unwrap(), Look::at(&directory, OsStr::new("a")).unwrap().1);
        std::os::unix::fs::symlink("a", root.join("link")).unwrap();
        assert_eq!(hold_below(&directory, Path::new("link")).unwrap().1, Kind::Link);
        assert!(hold_below(&directory, Path::new("link/x")).is_err());
        assert!(hold_below(&directory, Path::new("../x")).is_err());
        std::fs::remove_dir_all(&root).unwrap();
    }
}
