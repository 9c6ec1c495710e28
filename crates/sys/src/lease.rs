//! Leases: whoever opens a file waits in the kernel until its holder has put the content there.
//!
//! A write lease can be had on a regular file that nobody else has open, by its owner or with `CAP_LEASE`. While it is
//! held, another's `open` (and `truncate`) waits, and one with `O_NONBLOCK` fails with `EWOULDBLOCK`. Looking at the file,
//! renaming and removing it go on as ever. The wait ends when the lease is let go of, when the file is closed, when
//! the holder dies, and after `/proc/sys/fs/lease-break-time` seconds whatever happens.
//!
//! That somebody waits is told by SIGIO, whose default is to end the process. So a lease is taken for a thread that
//! listens: it has blocked the signal, and waits for it.

use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

/// A thread that is told when somebody waits for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener(libc::pid_t);

impl Listener {
    /// Wakes the thread, if it is still there.
    pub fn wake(self) {
        // SAFETY: takes numbers. The signal is blocked in that thread; it goes to a thread of this process or to none.
        unsafe {
            libc::syscall(libc::SYS_tgkill, libc::getpid(), self.0, libc::SIGIO);
        }
    }
}

/// What the calling thread hears with. The signal stays blocked when it is dropped: a lease may still send one.
#[derive(Debug)]
pub struct Ear {
    listener: Listener,
    thread: PhantomData<*mut ()>,
}

impl Ear {
    /// Has the calling thread listen.
    pub fn new() -> io::Result<Ear> {
        let mut set = std::mem::MaybeUninit::uninit();
        // SAFETY: the set is plain memory that sigemptyset makes whole before anything reads it, and it outlives the
        // calls.
        let (failed, thread) = unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            libc::sigaddset(set.as_mut_ptr(), libc::SIGIO);
            let failed = libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut());
            (failed, libc::gettid())
        };
        if failed != 0 {
            return Err(io::Error::from_raw_os_error(failed));
        }
        Ok(Ear { listener: Listener(thread), thread: PhantomData })
    }

    /// For whom leases are taken that this thread is to hear of.
    pub fn listener(&self) -> Listener {
        self.listener
    }

    /// Waits until somebody waits for a file, somebody wakes the thread, or the time is up. What was told before counts.
    pub fn wait(&self, timeout: Duration) {
        let time = libc::timespec {
            tv_sec: timeout.as_secs().try_into().unwrap_or(libc::time_t::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        };
        let mut set = std::mem::MaybeUninit::uninit();
        // SAFETY: as above; the time outlives the call, and nobody asks for what the signal says beside its number.
        unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            libc::sigaddset(set.as_mut_ptr(), libc::SIGIO);
            libc::sigtimedwait(set.as_ptr(), std::ptr::null_mut(), &raw const time);
        }
    }
}

/// A file with a write lease, which ends with it.
#[derive(Debug)]
pub struct Leased(File);

impl Leased {
    /// Takes a write lease; gives the file back if it cannot be had: somebody has it open, or the file system has none.
    pub fn take(file: File, listener: Listener) -> Result<Leased, File> {
        #[repr(C)]
        struct Owner {
            kind: libc::c_int,
            id: libc::pid_t,
        }
        const OWNER_THREAD: libc::c_int = 0;
        let owner = Owner { kind: OWNER_THREAD, id: listener.0 };
        // SAFETY: the descriptor is open, and the owner is as F_SETOWN_EX reads it and outlives the call. Without an owner
        // the signal would end this process, so a lease is not taken unless the owner was.
        let taken = unsafe {
            libc::fcntl(file.as_raw_fd(), F_SETOWN_EX, &raw const owner) == 0
                && libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_WRLCK) == 0
        };
        if taken { Ok(Leased(file)) } else { Err(file) }
    }

    /// Whether somebody waits for it, or has waited as long as the system allows.
    pub fn is_wanted(&self) -> bool {
        // SAFETY: the descriptor is open; gives a number.
        unsafe { libc::fcntl(self.0.as_raw_fd(), libc::F_GETLEASE) != libc::F_WRLCK }
    }

    /// The file.
    pub fn file(&self) -> &File {
        &self.0
    }
}

impl AsFd for Leased {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Not in every version of the `libc` crate.
const F_SETOWN_EX: libc::c_int = 15;

/// How long the kernel lets somebody wait, if this system has leases.
pub fn longest_wait() -> Option<Duration> {
    let seconds = std::fs::read_to_string("/proc/sys/fs/lease-break-time").ok()?.trim().parse().ok()?;
    let enabled = std::fs::read_to_string("/proc/sys/fs/leases-enable").ok()?;
    (enabled.trim() == "1").then(|| Duration::from_secs(seconds))
}

/// The clock that files' times are taken from where these are coarse: no change from now on is stamped earlier than this.
/// Seconds and nanoseconds.
pub fn file_clock() -> (i64, i64) {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    #[allow(clippy::useless_conversion)]
    (now.tv_sec.into(), now.tv_nsec.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn whoever_opens_it_waits_for_the_content() {
        let path = std::env::temp_dir().join(format!("sys-lease-{}", std::process::id()));
        let ear = Ear::new().unwrap();
        let file = File::options().create_new(true).read(true).write(true).open(&path).unwrap();
        let leased = Leased::take(file, ear.listener()).expect("a file of one's own can be leased");
        assert!(!leased.is_wanted());
        let reader = std::thread::spawn({
            let path = path.clone();
            move || {
                let mut text = String::new();
                File::open(path).unwrap().read_to_string(&mut text).unwrap();
                text
            }
        });
        while !leased.is_wanted() {
            ear.wait(Duration::from_secs(30));
        }
        leased.file().write_all(b"content").unwrap();
        drop(leased);
        assert_eq!(reader.join().unwrap(), "content");
        // One that somebody has open cannot be had.
        let other = File::open(&path).unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        assert!(Leased::take(file, ear.listener()).is_err());
        drop(other);
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_listener_can_be_woken() {
        let (send, receive) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let ear = Ear::new().unwrap();
            send.send(ear.listener()).unwrap();
            let before = std::time::Instant::now();
            ear.wait(Duration::from_secs(60));
            before.elapsed()
        });
        receive.recv().unwrap().wake();
        assert!(thread.join().unwrap() < Duration::from_secs(50));
    }
}
