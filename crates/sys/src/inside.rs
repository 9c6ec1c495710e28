//! Files as a process of a cell reaches them: from a directory, along links, in the cell's own root.
//!
//! Two steps, so that nothing hostile is ever opened: [`locate`] gives a handle to whatever a path leads to, which
//! neither waits nor touches it; when [`look`] has told what it is, [`open`] opens *that*, whatever the path leads to by
//! now. What a path leads to is the calling thread's affair: its root and, in [`as_user`], its file-system user.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, openat, openat2};

use crate::spawn::Identity;
use crate::tree::Kind;

/// Does something with the permissions of this user, who also owns what is made meanwhile; `None`: as who one is.
///
/// Only the file-system ids of this thread change, so nobody gets power over the process meanwhile. It needs
/// `CAP_SETUID` and `CAP_SETGID`. If they do not change, nothing is done, which is an error.
pub fn as_user<T>(user: Option<Identity>, act: impl FnOnce() -> T) -> io::Result<T> {
    let Some(Identity { uid, gid }) = user else { return Ok(act()) };
    let back = Back { uid: file_uid(uid), gid: file_gid(gid) };
    // The calls tell what was, and not whether it changed. An id that cannot be one changes nothing.
    if file_uid(u32::MAX) != uid || file_gid(u32::MAX) != gid {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let done = act();
    drop(back);
    Ok(done)
}

/// The ids to go back to, on every way out. They are the process's own, so that cannot be denied.
struct Back {
    uid: u32,
    gid: u32,
}

impl Drop for Back {
    fn drop(&mut self) {
        file_uid(self.uid);
        file_gid(self.gid);
        // A change of ids makes a process as dumpable as the host says, which should not, but may be entirely.
        let _ = crate::privilege::set_dumpable(false);
    }
}

fn file_uid(uid: u32) -> u32 {
    // SAFETY: takes an integer, and changes this thread alone.
    (unsafe { libc::syscall(libc::SYS_setfsuid, uid) }) as u32
}

fn file_gid(gid: u32) -> u32 {
    // SAFETY: takes an integer, and changes this thread alone.
    (unsafe { libc::syscall(libc::SYS_setfsgid, gid) }) as u32
}

/// What a path's last name may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// Anything; a link is followed.
    Any,
    /// A directory, or a link to one.
    Directory,
    /// The name itself, also if it is a link's.
    Name,
}

/// A handle to what a path leads to, from this directory; it cannot be read or written.
///
/// No link of the kernel's own (`/proc/self/fd/0`, `/proc/1/root`) is followed.
pub fn locate(from: BorrowedFd, path: &CStr, last: Last) -> io::Result<OwnedFd> {
    let more = match last {
        Last::Any => OFlags::empty(),
        Last::Directory => OFlags::DIRECTORY,
        Last::Name => OFlags::NOFOLLOW,
    };
    let flags = OFlags::PATH | OFlags::CLOEXEC | more;
    Ok(openat2(from, path, flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS)?)
}

/// A handle to the directory at an absolute path of ours.
pub fn directory(path: &CStr) -> io::Result<OwnedFd> {
    locate(rustix::fs::CWD, path, Last::Directory)
}

/// A handle to the directory that a process works in, as this user may have it.
pub fn working_directory(pid: u32) -> io::Result<OwnedFd> {
    // The kernel's own link is what is wanted here. Handles touch nothing, so it does not matter where it leads.
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat(rustix::fs::CWD, format!("/proc/{pid}/cwd"), flags, Mode::empty())?)
}

/// What a descriptor means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// What it is. A directory is never said to be closed.
    pub kind: Kind,
    /// The kind of its file system, by the number that `statfs` gives.
    pub file_system: u32,
    /// Its file system's device.
    pub device: u64,
    /// Names that it has left.
    pub names: u64,
    /// Length, bytes.
    pub size: u64,
    /// What it takes up, bytes.
    pub stored: u64,
    /// What may be done with the descriptor.
    pub access: Access,
}

/// What may be done with a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It is a handle.
    Nothing,
    /// Reading, or listing.
    Read,
    /// Writing.
    Write,
    /// Both.
    Both,
}

/// Tells what a descriptor means.
#[allow(clippy::useless_conversion, clippy::unnecessary_cast)] // Widths differ from machine to machine.
pub fn look(fd: impl AsFd) -> io::Result<Found> {
    let stat = rustix::fs::fstat(&fd)?;
    let file_system = rustix::fs::fstatfs(&fd)?.f_type as u32;
    let flags = rustix::fs::fcntl_getfl(&fd)?;
    let access = match flags & OFlags::RWMODE {
        _ if flags.contains(OFlags::PATH) => Access::Nothing,
        OFlags::RDONLY => Access::Read,
        OFlags::WRONLY => Access::Write,
        _ => Access::Both,
    };
    Ok(Found {
        kind: Kind::of(stat.st_mode),
        file_system,
        device: stat.st_dev as u64,
        names: stat.st_nlink as u64,
        size: stat.st_size.try_into().unwrap_or(0),
        stored: u64::try_from(stat.st_blocks).unwrap_or(0) * 512,
        access,
    })
}

/// Opens what a handle means: a regular file for reading or writing, a directory for listing. The caller has looked at
/// it. Does not wait for somebody who holds a lease on the file: then it is an error of kind `WouldBlock`.
///
/// Needs a /proc, where a handle has a name that leads to it and to nothing else.
pub fn open(handle: &OwnedFd, access: Access) -> io::Result<OwnedFd> {
    let mode = match access {
        Access::Nothing => return handle.try_clone(),
        Access::Read => OFlags::RDONLY,
        Access::Write => OFlags::WRONLY,
        Access::Both => OFlags::RDWR,
    };
    let flags = mode | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(openat(rustix::fs::CWD, own_name(handle), flags, Mode::empty())?)
}

/// The path of what a descriptor means, as it is now.
pub fn path(fd: &OwnedFd) -> io::Result<Vec<u8>> {
    Ok(rustix::fs::readlink(own_name(fd), Vec::new())?.into_bytes())
}

fn own_name(fd: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}

/// Makes a new, empty file in a directory and opens it for writing. What exists already, a link too, is left alone.
pub fn create(parent: &OwnedFd, name: &CStr, mode: u32) -> io::Result<OwnedFd> {
    let how = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::WRONLY;
    let flags = how | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(openat(parent, name, flags, Mode::from_raw_mode(mode))?)
}

/// Makes a directory in a directory.
pub fn make_directory(parent: &OwnedFd, name: &CStr, mode: u32) -> io::Result<()> {
    Ok(rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(mode))?)
}

/// What a link in a directory says.
pub fn read_link(parent: impl AsFd, name: &CStr) -> io::Result<Vec<u8>> {
    Ok(rustix::fs::readlinkat(parent, name, Vec::new())?.into_bytes())
}

/// Removes a name from a directory: that of an empty directory, or that of anything else.
pub fn remove(parent: &OwnedFd, name: &CStr, directory: bool) -> io::Result<()> {
    let flags = if directory { AtFlags::REMOVEDIR } else { AtFlags::empty() };
    Ok(rustix::fs::unlinkat(parent, name, flags)?)
}

/// Cuts a file to no content.
pub fn empty(file: &File) -> io::Result<()> {
    Ok(rustix::fs::ftruncate(file, 0)?)
}

/// How much the file system of a file holds, bytes.
#[allow(clippy::unnecessary_cast)] // Widths differ from machine to machine.
pub fn capacity(fd: impl AsFd) -> io::Result<u64> {
    let found = rustix::fs::fstatfs(fd)?;
    Ok((found.f_blocks as u64).saturating_mul(u64::try_from(found.f_bsize).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;
    use std::fs;
    use std::io::Read;
    use std::os::unix::ffi::OsStrExt;
    use std::path::{Path, PathBuf};

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> (Scratch, OwnedFd) {
            let path = std::env::temp_dir().join(format!("sys-inside-{}-{name}", std::process::id()));
            fs::create_dir(&path).unwrap();
            let opened = directory(&text(&path)).unwrap();
            (Scratch(path), opened)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn text(path: &Path) -> CString {
        CString::new(path.as_os_str().as_bytes()).unwrap()
    }

    fn errno<T: std::fmt::Debug>(result: io::Result<T>) -> Option<i32> {
        result.unwrap_err().raw_os_error()
    }

    #[test]
    fn what_was_looked_at_is_what_is_opened() {
        let (scratch, from) = Scratch::new("same");
        fs::write(scratch.0.join("file"), "one").unwrap();
        let handle = locate(from.as_fd(), c"file", Last::Any).unwrap();
        let found = look(&handle).unwrap();
        assert_eq!((found.kind, found.size, found.names, found.access), (Kind::File, 3, 1, Access::Nothing));
        fs::rename(scratch.0.join("file"), scratch.0.join("old")).unwrap();
        fs::write(scratch.0.join("file"), "another").unwrap();
        let opened = open(&handle, Access::Read).unwrap();
        assert_eq!(look(&opened).unwrap().access, Access::Read);
        let mut content = String::new();
        File::from(opened).read_to_string(&mut content).unwrap();
        assert_eq!(content, "one");
        assert_eq!(path(&handle).unwrap(), scratch.0.join("old").as_os_str().as_bytes());
    }

    #[test]
    fn nothing_waits_for_a_fifo_and_no_link_of_the_kernels_is_followed() {
        let (scratch, from) = Scratch::new("fifo");
        let fifo = scratch.0.join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, Mode::RWXU, 0).unwrap();
        assert_eq!(look(locate(from.as_fd(), c"fifo", Last::Any).unwrap()).unwrap().kind, Kind::Special);
        std::os::unix::fs::symlink("/proc/self/root/etc/passwd", scratch.0.join("out")).unwrap();
        assert_eq!(errno(locate(from.as_fd(), c"out", Last::Any)), Some(libc::ELOOP));
        let link = locate(from.as_fd(), c"out", Last::Name).unwrap();
        assert_eq!(look(link).unwrap().kind, Kind::Link);
    }

    #[test]
    fn what_exists_is_not_made_again() {
        let (scratch, from) = Scratch::new("made");
        make_directory(&from, c"d", 0o755).unwrap();
        let d = locate(from.as_fd(), c"d", Last::Directory).unwrap();
        let file = create(&d, c"file", 0o644).unwrap();
        assert_eq!(look(&file).unwrap().access, Access::Write);
        assert_eq!(errno(create(&d, c"file", 0o644)), Some(libc::EEXIST));
        std::os::unix::fs::symlink("nowhere", scratch.0.join("d/link")).unwrap();
        assert_eq!(errno(create(&d, c"link", 0o644)), Some(libc::EEXIST));
        assert_eq!(read_link(&d, c"link").unwrap(), b"nowhere");
        assert_eq!(errno(remove(&from, c"d", true)), Some(libc::ENOTEMPTY));
        remove(&d, c"file", false).unwrap();
        remove(&d, c"link", false).unwrap();
        remove(&from, c"d", true).unwrap();
        // The place of a process is told even when it is gone: it has no name any more.
        assert_eq!(look(&d).unwrap().names, 0);
    }

    #[test]
    fn a_user_is_oneself_or_another_or_nobody() {
        let (own, group) = crate::file::own_ids();
        assert_eq!(as_user(None, || 1).unwrap(), 1);
        let identity = Identity { uid: own, gid: group };
        assert_eq!(as_user(Some(identity), || file_uid(u32::MAX)).unwrap(), own);
        let other = Identity { uid: 54_321, gid: 54_321 };
        let ids = as_user(Some(other), || (file_uid(u32::MAX), file_gid(u32::MAX)));
        match ids {
            Ok(ids) => assert_eq!((own, ids), (0, (54_321, 54_321))),
            // Without the capability nothing is done.
            Err(error) => assert_eq!((own == 0, error.kind()), (false, io::ErrorKind::PermissionDenied)),
        }
        assert_eq!((file_uid(u32::MAX), file_gid(u32::MAX)), (own, group));
    }
}
