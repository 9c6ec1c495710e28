//! Forking a process into the PID namespace of a cell, from outside of it.
//!
//! ```text
//! caller          usher                          parent                  kernel
//!   depart ─────▶ setns(init, PID)
//!   (suspended)   clone ───────────────────────▶ in the cell: fork ────▶ goes on in the caller's frame,
//!   (suspended)   waits, at most `patience`  ◀── _exit                   in its own copy of the memory,
//!   wait4     ◀── _exit                                                  as a child of the cell's init
//! ```
//!
//! Three processes on one memory, and one fork. A caller that joined the PID namespace itself could not come back
//! when it is not privileged on the host, so a short-lived *usher* does that, sharing the caller's memory
//! (`CLONE_VM`), and makes a short-lived *parent*, which is in the namespace. It forks once and ends, so that the
//! cell's init inherits the kernel process, reaps it and sees its status. Only that one fork copies page tables.
//!
//! **What must stay true.**
//!
//! - The caller has one thread, and its frame does not change while usher and parent live (`CLONE_VFORK`): it is what
//!   the kernel process goes on in. Usher and parent allocate nothing, take no lock and run no code but this file's
//!   and [`_Fork`](https://man7.org/linux/man-pages/man3/_Fork.3.html): they may be killed at any instruction.
//! - The parent may be seen, and where a host has only one id for everything also stopped or killed, by hostile
//!   processes of the cell. Therefore the usher, whom they cannot see, does not wait for it for ever, and the caller
//!   does not wait for it at all.
//! - Usher and parent stay in the caller's cgroups. Joining the cell's would put the caller's memory, which they
//!   share, within reach of the cell's out-of-memory killer. The kernel process joins by itself.
//! - A kernel process never has the process id that the caller has in its own namespace: libraries that compare ids
//!   to find out that they were forked would go on with the caller's random numbers.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, AtomicU8, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::thread::ThreadNameSpaceType;

#[cfg(target_arch = "aarch64")]
#[path = "enter/aarch64.rs"]
mod arch;
#[cfg(target_arch = "x86_64")]
#[path = "enter/x86_64.rs"]
mod arch;
mod thread;

use arch::{depart, resume, spawn_parent};
use thread::{Signals, empty_mask, register_rseq, set_mask};

/// Which side of the fork this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The caller; the kernel process has this id inside the cell.
    Caller(u32),
    /// The kernel process. All signals are still blocked: see [`unblock_signals`].
    Kernel,
}

/// The step at which nothing was forked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Step {
    /// The caller has more than one thread.
    Threads = 1,
    /// Making the usher.
    Usher = 2,
    /// Joining the PID namespace.
    PidNamespace = 3,
    /// Making the parent inside it.
    Parent = 4,
    /// Forking.
    Fork = 5,
    /// The parent was killed, or did not end in time. A kernel process may have come to life all the same.
    Lost = 6,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[error("enter a cell, at {step:?}")]
pub struct EnterError {
    /// The step.
    pub step: Step,
    /// Why.
    pub source: io::Error,
}

/// Forks into the PID namespace of the process that `init` (a pidfd) means, and returns twice.
///
/// The caller waits at most about `patience`, whatever happens inside the cell. In the kernel process everything is
/// as after fork(2), other namespaces too; joining them, see [`join`], is its first business.
pub fn fork_into(init: BorrowedFd, patience: Duration) -> Result<Side, EnterError> {
    // One at a time, because of the one stack; held by nobody else, since there is one thread.
    static PARENTS_STACK: Mutex<Stack> = Mutex::new(Stack([0; STACK]));

    if !is_single_threaded() {
        return Err(EnterError { step: Step::Threads, source: io::ErrorKind::Unsupported.into() });
    }
    let Ok(mut stack) = PARENTS_STACK.try_lock() else {
        return Err(EnterError { step: Step::Threads, source: io::ErrorKind::ResourceBusy.into() });
    };
    let passage = Passage {
        frame: AtomicUsize::new(0),
        init: init.as_raw_fd(),
        own: own_pid(),
        fork: fork_function(),
        stack: stack.0.as_mut_ptr_range().end,
        patience,
        failed: AtomicU8::new(0),
        errno: AtomicI32::new(0),
        kernel: AtomicI32::new(0),
    };
    let signals = Signals::block();
    // SAFETY: there is no other thread, and the passage outlives the call. In the kernel process this returns into a
    // copy of this very frame, which nothing has changed since.
    let usher = unsafe { depart(&raw const passage) };
    if usher == 0 {
        signals.keep_alternate_stack();
        register_rseq();
        return Ok(Side::Kernel);
    }
    if usher > 0 {
        reap(usher as libc::pid_t);
    } else {
        passage.fail(Step::Usher, Errno::from_raw_os_error(-usher as i32));
    }
    signals.restore();
    passage.outcome()
}

/// Joins all the other namespaces of the process that `init` (a pidfd) means. The user namespace is among them: the
/// calling process has every capability in it and none outside.
pub fn join(init: BorrowedFd) -> io::Result<()> {
    let all = ThreadNameSpaceType::USER
        | ThreadNameSpaceType::MOUNT
        | ThreadNameSpaceType::NETWORK
        | ThreadNameSpaceType::INTER_PROCESS_COMMUNICATION
        | ThreadNameSpaceType::HOST_NAME_AND_NIS_DOMAIN_NAME
        | ThreadNameSpaceType::CONTROL_GROUP;
    Ok(rustix::thread::move_into_thread_name_spaces(init, all)?)
}

/// Whether this process has one thread, and shares its memory with no other.
pub fn is_single_threaded() -> bool {
    // SAFETY: takes integers only. The kernel refuses this, without an effect, to whoever has threads, and has nothing
    // to do for anybody else.
    unsafe { libc::unshare(libc::CLONE_THREAD) == 0 }
}

/// Blocks no signal any more. What has been waiting arrives now.
pub fn unblock_signals() {
    set_mask(&empty_mask());
}

/// Bytes of stack for the parent: it calls `_Fork` and little else.
const STACK: usize = 64 << 10;

#[repr(align(16))]
struct Stack([u8; STACK]);

type Fork = unsafe extern "C" fn() -> libc::pid_t;

/// What caller, usher and parent share. Atomic, since one writes while another has it borrowed; their order comes from
/// waiting for each other's end.
#[repr(C)]
struct Passage {
    /// The stack pointer inside `depart`. Read and written by the assembly: stays first.
    frame: AtomicUsize,
    init: RawFd,
    own: libc::pid_t,
    fork: Fork,
    stack: *mut u8,
    patience: Duration,
    /// The step that failed, or 0.
    failed: AtomicU8,
    errno: AtomicI32,
    kernel: AtomicI32,
}

impl Passage {
    fn fail(&self, step: Step, errno: Errno) {
        self.errno.store(errno.raw_os_error(), Relaxed);
        self.failed.store(step as u8, Relaxed);
    }

    fn outcome(&self) -> Result<Side, EnterError> {
        let failed = self.failed.load(Relaxed);
        if failed == 0
            && let Ok(pid @ 1..) = u32::try_from(self.kernel.load(Relaxed))
        {
            return Ok(Side::Caller(pid));
        }
        let step = [Step::Usher, Step::PidNamespace, Step::Parent, Step::Fork]
            .into_iter()
            .find(|step| *step as u8 == failed)
            // Nobody said anything: the usher itself was killed.
            .unwrap_or(Step::Lost);
        let errno = match self.errno.load(Relaxed) {
            0 => Errno::SRCH,
            errno => Errno::from_raw_os_error(errno),
        };
        Err(EnterError { step, source: errno.into() })
    }
}

/// The usher: in the caller's memory and on its stack, below the frame of `depart`.
unsafe extern "C" fn usher(passage: *const Passage) -> ! {
    // SAFETY: the caller, who waits for us, holds it.
    let passage = unsafe { &*passage };
    // SAFETY: the descriptor was borrowed for the whole of `fork_into`, and this process has a copy of the table.
    let init = unsafe { BorrowedFd::borrow_raw(passage.init) };
    if let Err(errno) = rustix::thread::move_into_thread_name_spaces(init, ThreadNameSpaceType::PROCESS_ID) {
        passage.fail(Step::PidNamespace, errno);
        exit();
    }
    let mut pidfd: RawFd = -1;
    // SAFETY: the stack belongs to this call of `fork_into`, and the parent has ended before the usher ends.
    let parent = unsafe { spawn_parent(passage, passage.stack, &raw mut pidfd) };
    if parent < 0 {
        passage.fail(Step::Parent, Errno::from_raw_os_error(-parent as i32));
        exit();
    }
    // SAFETY: the kernel has just made this descriptor, in this process's own table, where it stays open to the end.
    let pidfd = unsafe { BorrowedFd::borrow_raw(pidfd) };
    attend(passage, parent as libc::pid_t, pidfd);
    exit()
}

/// Waits for the parent's end, and brings it about if need be.
fn attend(passage: &Passage, parent: libc::pid_t, pidfd: BorrowedFd) {
    let patience = Timespec {
        tv_sec: passage.patience.as_secs() as i64,
        tv_nsec: passage.patience.subsec_nanos().into(),
    };
    let ended = rustix::event::poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&patience));
    if !matches!(ended, Ok(1..)) {
        // Stopped by somebody in the cell. SIGKILL works on stopped processes, too.
        let _ = rustix::process::pidfd_send_signal(pidfd, rustix::process::Signal::KILL);
    }
    if reap(parent) != 0 {
        passage.fail(Step::Lost, Errno::TIMEDOUT);
    }
}

/// The parent: in the caller's memory, on a stack of its own, in the cell's PID namespace.
unsafe extern "C" fn parent(passage: *const Passage) -> ! {
    // SAFETY: the caller, who waits for the usher, who waits for us, holds it.
    let passage = unsafe { &*passage };
    loop {
        // SAFETY: `_Fork` may be called at any time. Without it there is fork(2), which in a process with one thread
        // takes no lock but those of fork handlers.
        let pid = unsafe { (passage.fork)() };
        if pid == 0 {
            if own_pid() == passage.own {
                exit();
            }
            // SAFETY: this is the kernel process, whose copy of the frame of `depart` is as it was.
            unsafe { resume(passage) }
        }
        if pid == passage.own {
            // That one ends by itself; while it waits to be reaped, its id is not given again.
            continue;
        }
        if pid < 0 {
            let errno = io::Error::last_os_error().raw_os_error().unwrap_or(libc::EAGAIN);
            passage.fail(Step::Fork, Errno::from_raw_os_error(errno));
        }
        passage.kernel.store(pid, Relaxed);
        exit()
    }
}

fn exit() -> ! {
    // SAFETY: ends this process alone, without running any handler.
    unsafe { libc::_exit(0) }
}

fn own_pid() -> libc::pid_t {
    rustix::process::getpid().as_raw_nonzero().get()
}

/// Waits for an usher or parent, which send no signal when they end, so that nobody's SIGCHLD matters. Gives the
/// status: 0, if it ended by itself.
fn reap(pid: libc::pid_t) -> i32 {
    let mut status = 0;
    loop {
        // SAFETY: the status is alive.
        let result = unsafe {
            libc::syscall(libc::SYS_wait4, pid, &raw mut status, libc::__WALL, std::ptr::null::<u8>())
        };
        if result >= 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return status;
        }
    }
}

/// `_Fork`, where the C library has it (glibc from 2.34 on): it takes no lock and runs no handler, so that a parent
/// that is killed inside of it leaves nothing locked in the caller's memory.
fn fork_function() -> Fork {
    // SAFETY: a symbol is looked up by a name that is alive; if there is one, it has the type that POSIX gives it.
    unsafe {
        let found = libc::dlsym(libc::RTLD_DEFAULT, c"_Fork".as_ptr());
        if found.is_null() { libc::fork } else { std::mem::transmute::<*mut libc::c_void, Fork>(found) }
    }
}
