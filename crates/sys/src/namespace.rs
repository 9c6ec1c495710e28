//! Namespaces: making, leaving and joining them.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// Which side of a fork this is.
#[derive(Debug)]
pub enum Forked {
    /// The new process.
    Child,
    /// The old one.
    Parent {
        /// The child's id, as the parent sees it.
        pid: u32,
        /// Readable when the child has ended.
        pidfd: OwnedFd,
    },
}

#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
}

/// A kind of namespace that a process is forked into. User and cgroup namespaces are made later, by the process itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Mounts.
    Mount,
    /// Process ids.
    Pid,
    /// Interfaces, addresses and abstract sockets.
    Net,
    /// System V and POSIX queues, semaphores and segments.
    Ipc,
    /// Host and domain name.
    Uts,
}

impl Kind {
    /// Those of a cell.
    pub const CELL: [Kind; 5] = [Kind::Mount, Kind::Pid, Kind::Net, Kind::Ipc, Kind::Uts];

    fn flag(self) -> libc::c_int {
        match self {
            Kind::Mount => libc::CLONE_NEWNS,
            Kind::Pid => libc::CLONE_NEWPID,
            Kind::Net => libc::CLONE_NEWNET,
            Kind::Ipc => libc::CLONE_NEWIPC,
            Kind::Uts => libc::CLONE_NEWUTS,
        }
    }
}

/// Forks into new namespaces of these kinds; the user namespace stays, and so owns the new ones.
///
/// The cgroup namespace is made later by [`unshare_cgroup`], since its root is wherever the process is by then.
///
/// # Panics
///
/// If the process has more than one thread: the child would have this one alone, and locks that others hold.
pub fn fork_into(kinds: &[Kind]) -> io::Result<Forked> {
    fork(kinds.iter().fold(0, |flags, kind| flags | kind.flag() as u64))
}

fn fork(flags: u64) -> io::Result<Forked> {
    assert_single_threaded();
    let mut pidfd: libc::c_int = -1;
    let mut args = CloneArgs {
        flags: flags | libc::CLONE_PIDFD as u64,
        pidfd: &raw mut pidfd as u64,
        exit_signal: libc::SIGCHLD as u64,
        ..CloneArgs::default()
    };
    // SAFETY: without CLONE_VM and without a stack of its own the child goes on with a copy of this one, as after
    // fork(2). There is no other thread (asserted above), so no lock can be held by one that the child lacks. `args`
    // and `pidfd` outlive the call.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw mut args, size_of::<CloneArgs>()) };
    match pid {
        0 => Ok(Forked::Child),
        pid if pid > 0 => {
            // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            Ok(Forked::Parent { pid: pid as u32, pidfd })
        }
        _ => Err(io::Error::last_os_error()),
    }
}

fn assert_single_threaded() {
    let threads = std::fs::read_dir("/proc/self/task").or_else(|_| std::fs::read_dir("/.proc/self/task"));
    if let Ok(threads) = threads {
        assert_eq!(threads.count(), 1, "only a process with one thread may fork without exec");
    }
}

fn unshare(flags: libc::c_int) -> io::Result<()> {
    // SAFETY: takes integers only, and neither the descriptor table nor the memory is among what is unshared.
    match unsafe { libc::unshare(flags) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Moves into a cgroup namespace whose root is the cgroup that this process is in.
pub fn unshare_cgroup() -> io::Result<()> {
    unshare(libc::CLONE_NEWCGROUP)
}

/// Moves into a user namespace of its own, in which it has all capabilities and, until the maps are written, no id.
pub fn unshare_user() -> io::Result<()> {
    unshare(libc::CLONE_NEWUSER)
}

/// Moves into a network namespace of its own, which has a loopback interface that is down and no other.
pub fn unshare_network() -> io::Result<()> {
    unshare(libc::CLONE_NEWNET)
}

/// Moves into a mount namespace of its own.
pub fn unshare_mounts() -> io::Result<()> {
    unshare(libc::CLONE_NEWNS)
}

/// Has the next child be PID 1 of a PID namespace of its own; this process stays where it is.
pub fn unshare_children() -> io::Result<()> {
    unshare(libc::CLONE_NEWPID)
}

/// Sets the host name of the current UTS namespace.
pub fn set_hostname(name: &str) -> io::Result<()> {
    Ok(rustix::system::sethostname(name.as_bytes())?)
}

/// Brings up the loopback interface of the current network namespace.
pub fn loopback_up() -> io::Result<()> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    // SAFETY: an ifreq of zeros is valid: a name of no characters, and a union of plain integers.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[0] = b'l' as libc::c_char;
    request.ifr_name[1] = b'o' as libc::c_char;
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the descriptor is an open socket, and the request is alive, whole and of the type that this ioctl reads.
    match unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Whether a process has ended, from its pidfd.
pub fn has_ended(pidfd: BorrowedFd) -> bool {
    wait_ended(pidfd, std::time::Duration::ZERO)
}

/// Waits until a process has ended, at most so long; says whether it has.
pub fn wait_ended(pidfd: BorrowedFd, timeout: std::time::Duration) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut fds = [PollFd::from_borrowed_fd(pidfd, PollFlags::IN)];
    let end = std::time::Instant::now() + timeout;
    loop {
        let left = end.saturating_duration_since(std::time::Instant::now());
        let left = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        match poll(&mut fds, Some(&left)) {
            Err(rustix::io::Errno::INTR) => {}
            result => return matches!(result, Ok(1..)),
        }
    }
}

/// Kills a process, by its pidfd, so that no other can be meant. One that has ended is no error.
pub fn kill(pidfd: BorrowedFd) -> io::Result<()> {
    match rustix::process::pidfd_send_signal(pidfd, rustix::process::Signal::KILL) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
