//! Files that are not quite files: programs in memory, locks, paths below a directory.

use std::fs::File;
use std::io::{self, Write};
use std::num::NonZeroU64;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    Advice, FlockOperation, MemfdFlags, Mode, OFlags, ResolveFlags, fadvise, flock, memfd_create, openat2,
};

/// A program in memory, which nobody can change any more.
pub fn program(name: &str, bytes: &[u8]) -> io::Result<OwnedFd> {
    let mut file = File::from(memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    file.write_all(bytes)?;
    let seals = rustix::fs::SealFlags::WRITE
        | rustix::fs::SealFlags::GROW
        | rustix::fs::SealFlags::SHRINK
        | rustix::fs::SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(&file, seals)?;
    Ok(file.into())
}

/// A lock that is held as long as the file is open, and that the kernel lets go of when its holder dies.
#[derive(Debug)]
pub struct Lock(File);

impl Lock {
    /// Takes the lock at this path, or says that another holds it (`None`).
    pub fn try_take(path: &Path) -> io::Result<Option<Lock>> {
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Lock(file))),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// The open file.
    pub fn file(&self) -> &File {
        &self.0
    }
}

/// Opens a directory, for use with paths below it.
pub fn directory(path: &Path) -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(path, OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::PATH, Mode::empty())?)
}

/// Makes a new file below a directory that may be hostile: no link is followed, nothing that exists is opened.
pub fn create_below(directory: BorrowedFd, path: &Path, mode: u32) -> io::Result<File> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    Ok(openat2(directory, path, flags, Mode::from_raw_mode(mode), resolve)?.into())
}

/// Opens a regular file below a directory that may be hostile, to read it: no link is followed, and a fifo or device
/// is refused without waiting for it.
pub fn open_below(directory: BorrowedFd, path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let file = File::from(openat2(directory, path, flags, Mode::empty(), resolve)?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    Ok(file)
}

/// Has a whole file read into the page cache, on the account of whoever calls. Its pages are being read when this
/// returns, or are there.
pub fn read_ahead(path: &Path) -> io::Result<()> {
    // A request for more than a device reads ahead (128 KiB unless it is set otherwise) is cut without a word.
    const AT_ONCE: u64 = 128 << 10;
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    for begin in (0..length).step_by(AT_ONCE as usize) {
        fadvise(&file, begin, NonZeroU64::new(AT_ONCE), Advice::WillNeed)?;
    }
    Ok(())
}

/// Gives a file or directory to this user and group.
pub fn give(file: BorrowedFd, uid: u32, gid: u32) -> io::Result<()> {
    use rustix::fs::{Gid, Uid};
    Ok(rustix::fs::fchown(file.as_fd(), Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?)
}

/// The processors that this process may run on.
pub fn processors() -> io::Result<Vec<u32>> {
    let set = rustix::thread::sched_getaffinity(None)?;
    Ok((0..rustix::thread::CpuSet::MAX_CPU).filter(|cpu| set.is_set(*cpu)).map(|cpu| cpu as u32).collect())
}

/// The user and group that this process acts as.
pub fn own_ids() -> (u32, u32) {
    (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
}
