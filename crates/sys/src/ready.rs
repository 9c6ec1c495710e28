//! Waiting on many descriptors, and reading from those that are ready without ever waiting on one.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

pub use rustix::event::PollFd as Watch;
use rustix::event::{PollFlags, Timespec};
use rustix::io::Errno;

/// What a read found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming {
    /// So many bytes, at least one.
    Bytes(usize),
    /// Nothing now.
    Nothing,
    /// Nothing ever again.
    End,
}

/// A watch for bytes to read (or an end, or a connection to accept) and for room to write.
///
/// A watch for neither still sees errors and a peer that is gone.
pub fn watch(fd: BorrowedFd, read: bool, write: bool) -> Watch {
    let mut flags = PollFlags::empty();
    flags.set(PollFlags::IN, read);
    flags.set(PollFlags::OUT, write);
    Watch::from_borrowed_fd(fd, flags)
}

/// Whether something was seen for which a read is worth it.
pub fn is_readable(watch: &Watch) -> bool {
    watch.revents().intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR)
}

/// Whether something was seen for which a write is worth it, be it to learn that the peer is gone.
pub fn is_writable(watch: &Watch) -> bool {
    watch.revents().intersects(PollFlags::OUT | PollFlags::HUP | PollFlags::ERR)
}

/// Waits until something that is watched happens or the time is up. A signal ends the wait too.
pub fn wait(watches: &mut [Watch], timeout: Option<Duration>) -> io::Result<()> {
    let timeout = timeout.map(|timeout| Timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    match rustix::event::poll(watches, timeout.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Reads from a descriptor that does not block. A connection that its other end has torn down has ended.
pub fn read(fd: impl AsFd, buffer: &mut [u8]) -> io::Result<Incoming> {
    loop {
        match rustix::io::read(&fd, &mut *buffer) {
            Ok(0) | Err(Errno::CONNRESET) => return Ok(Incoming::End),
            Ok(bytes) => return Ok(Incoming::Bytes(bytes)),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(Incoming::Nothing),
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// How many bytes wait in a pipe or stream socket.
pub fn waiting(fd: impl AsFd) -> io::Result<usize> {
    Ok(usize::try_from(rustix::io::ioctl_fionread(fd)?).unwrap_or(usize::MAX))
}

/// Makes reads and writes through this descriptor's open file fail instead of wait.
pub fn set_nonblocking(fd: impl AsFd) -> io::Result<()> {
    Ok(rustix::io::ioctl_fionbio(fd, true)?)
}

/// A pipe, closed on exec: a reading end that does not block and a writing end that does.
pub fn output_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    set_nonblocking(&read)?;
    Ok((read, write))
}

/// Accepts a connection, closed on exec and not blocking; `None` if nobody waits.
pub fn accept(listener: impl AsFd) -> io::Result<Option<OwnedFd>> {
    use rustix::net::{SocketFlags, accept_with};
    match accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
        Ok(socket) => Ok(Some(socket)),
        Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// `/dev/null` for reading and writing, at the lowest free number, closed on exec.
pub fn null() -> io::Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags, open};
    Ok(open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?)
}

/// The same open file under a number of at least `lowest`, closed on exec.
pub fn duplicate(fd: impl AsFd, lowest: i32) -> io::Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(fd, lowest)?)
}

/// Tells of ended children: has SIGCHLD sent, blocks it and gives a descriptor that is readable while one is pending.
///
/// For a process with one thread: in another thread the signal would not be blocked, and be lost.
pub fn children() -> io::Result<OwnedFd> {
    // SAFETY: no handler is installed. The set is plain memory that sigemptyset makes whole before anything reads it, and
    // it outlives the calls.
    let fd = unsafe {
        // Where it is ignored, ended children vanish unseen.
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        if libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
        libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_says_what_waits_and_when_it_ends() {
        let (read_end, write_end) = output_pipe().unwrap();
        let mut buffer = [0; 8];
        assert_eq!(read(&read_end, &mut buffer).unwrap(), Incoming::Nothing);
        rustix::io::write(&write_end, b"abc").unwrap();
        assert_eq!(waiting(&read_end).unwrap(), 3);
        let mut watches = [watch(read_end.as_fd(), true, false)];
        wait(&mut watches, None).unwrap();
        assert!(is_readable(&watches[0]));
        assert_eq!(read(&read_end, &mut buffer).unwrap(), Incoming::Bytes(3));
        drop(write_end);
        wait(&mut watches, None).unwrap();
        assert!(is_readable(&watches[0]));
        assert_eq!(read(&read_end, &mut buffer).unwrap(), Incoming::End);
    }

    #[test]
    fn a_torn_connection_has_ended() {
        let (here, there) = crate::scm::stream_pair().unwrap();
        rustix::io::write(&here, b"never read").unwrap();
        drop(there);
        assert_eq!(read(&here, &mut [0; 8]).unwrap(), Incoming::End);
    }

    #[test]
    fn a_wait_ends_with_its_time() {
        let (read_end, _write_end) = output_pipe().unwrap();
        let mut watches = [watch(read_end.as_fd(), true, false)];
        wait(&mut watches, Some(Duration::from_millis(1))).unwrap();
        assert!(!is_readable(&watches[0]));
    }
}
