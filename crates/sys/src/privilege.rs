//! Giving up: ids, capabilities, descriptors, system calls. Every call acts on the calling thread or process alone.
//!
//! The raw system calls are used for ids, since the C library's wrappers would do the same to all threads; callers
//! have one thread.

use std::io;
use std::os::fd::RawFd;

/// Capabilities by number, as in `linux/capability.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Capability {
    /// Signals to processes of other users.
    Kill = 5,
    /// Changes of group ids.
    SetGid = 6,
    /// Changes of user ids.
    SetUid = 7,
}

fn check(result: i64) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn prctl(option: i32, argument: u64) -> io::Result<()> {
    // SAFETY: none of the options that this module uses takes a pointer.
    check(i64::from(unsafe { libc::prctl(option, argument, 0, 0, 0) }))
}

/// Leaves all supplementary groups.
pub fn drop_groups() -> io::Result<()> {
    // SAFETY: a list of no groups is read from nowhere.
    check(unsafe { libc::syscall(libc::SYS_setgroups, 0, std::ptr::null::<u32>()) })
}

/// Becomes this user and group, for good: real, effective and saved ids. Capabilities are not touched.
pub fn set_ids(uid: u32, gid: u32) -> io::Result<()> {
    const SECBIT_NO_SETUID_FIXUP: u64 = 1 << 2;
    const SECBIT_KEEP_CAPS: u64 = 1 << 4;
    prctl(libc::PR_SET_SECUREBITS, SECBIT_KEEP_CAPS | SECBIT_NO_SETUID_FIXUP)?;
    // SAFETY: these take integers only.
    unsafe {
        check(libc::syscall(libc::SYS_setresgid, gid, gid, gid))?;
        check(libc::syscall(libc::SYS_setresuid, uid, uid, uid))
    }
}

/// Keeps these capabilities for this program, and gives up all others. What it executes has none and can gain none: the
/// bounding set is emptied, which takes nothing from who has a capability already.
pub fn keep_capabilities(keep: &[Capability]) -> io::Result<()> {
    const SECURE: u64 = 0b10_1111; // NOROOT, NO_SETUID_FIXUP and their locks, KEEP_CAPS locked off
    let mask = keep.iter().fold(0_u32, |mask, capability| mask | 1 << *capability as u8);
    for capability in 0..64 {
        match prctl(libc::PR_CAPBSET_DROP, capability) {
            // Past the last capability that this kernel knows.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => break,
            other => other?,
        }
    }
    prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL as u64)?;
    let _ = prctl(libc::PR_SET_SECUREBITS, SECURE);

    let header = [0x2008_0522_u32, 0]; // _LINUX_CAPABILITY_VERSION_3, this thread
    let sets = [[mask, mask, 0_u32], [0, 0, 0]]; // effective, permitted, inheritable; low and high halves
    // SAFETY: version 3 reads a header of two words and two sets of three, all of which are alive here.
    check(unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), sets.as_ptr()) })
}

/// Makes it impossible, for good, to gain privileges by an exec.
pub fn no_new_privileges() -> io::Result<()> {
    prctl(libc::PR_SET_NO_NEW_PRIVS, 1)
}

/// Whether other processes of the same user may look into this one, and /proc shows it as the user's.
pub fn set_dumpable(dumpable: bool) -> io::Result<()> {
    prctl(libc::PR_SET_DUMPABLE, u64::from(dumpable))
}

/// Installs a system-call filter: a compiled program of 8-byte instructions. It cannot be taken back.
pub fn install_filter(program: &[u8]) -> io::Result<()> {
    if program.is_empty() || !program.len().is_multiple_of(8) || program.len() / 8 > 4096 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let instructions: Vec<libc::sock_filter> = program
        .chunks_exact(8)
        .map(|bytes| libc::sock_filter {
            code: u16::from_ne_bytes([bytes[0], bytes[1]]),
            jt: bytes[2],
            jf: bytes[3],
            k: u32::from_ne_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
        })
        .collect();
    let program =
        libc::sock_fprog { len: instructions.len() as u16, filter: instructions.as_ptr().cast_mut() };
    // SAFETY: the program is alive, and its length is the number of its instructions; the kernel copies and verifies it.
    check(unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) })
}

/// Limits a resource: the number is the system's `RLIMIT_…`. A limit that is lower already stays.
pub fn lower_rlimit(resource: u8, soft: u64, hard: u64) -> io::Result<()> {
    let mut limit = libc::rlimit64 { rlim_cur: 0, rlim_max: 0 };
    let call = |new: *const libc::rlimit64, old: *mut libc::rlimit64| {
        // SAFETY: each pointer is null or to a limit that is alive.
        check(unsafe { libc::syscall(libc::SYS_prlimit64, 0, u32::from(resource), new, old) })
    };
    call(std::ptr::null(), &raw mut limit)?;
    limit.rlim_max = limit.rlim_max.min(hard);
    limit.rlim_cur = limit.rlim_max.min(soft);
    call(&raw const limit, std::ptr::null_mut())
}

/// May run on these processors only.
pub fn set_processors(processors: &[u32]) -> io::Result<()> {
    let mut set = rustix::thread::CpuSet::new();
    for cpu in processors {
        set.set(*cpu as usize);
    }
    Ok(rustix::thread::sched_setaffinity(None, &set)?)
}

/// Closes all descriptors from this number on.
pub fn close_from(first: RawFd) -> io::Result<()> {
    // SAFETY: callers own every descriptor of their process; those that this closes are not used again.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) })
}

/// Forgets all signal handlers and the mask that were inherited: exec keeps ignored signals ignored and blocked ones
/// blocked, and a new program expects neither.
pub fn default_signals() {
    // The kernel's own structure and not the C library's, which keeps signals 32 and 33 to itself: zeros are SIG_DFL, no
    // flags and an empty mask, on every architecture.
    let action = [0u64; 4];
    let none = 0u64;
    // SAFETY: the kernel reads at most four words of `action` and the 8 bytes of mask that the last argument names. The
    // signals that refuse an action (SIGKILL, SIGSTOP) keep theirs.
    unsafe {
        let nothing = std::ptr::null_mut::<u64>();
        for signal in 1..=64 {
            libc::syscall(libc::SYS_rt_sigaction, signal, &raw const action, nothing, size_of_val(&none));
        }
        let set = libc::SIG_SETMASK;
        libc::syscall(libc::SYS_rt_sigprocmask, set, &raw const none, nothing, size_of_val(&none));
    }
}

/// Lets the kernel reap this process's children.
pub fn ignore_children() {
    // SAFETY: ignoring a signal runs no code of ours.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
}

/// Puts an owned descriptor at this number, and closes what was there.
pub fn place(fd: std::os::fd::OwnedFd, number: RawFd) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    if fd.as_raw_fd() == number {
        std::mem::forget(fd);
        return Ok(());
    }
    // SAFETY: callers own the number's descriptor, if there is one, and do not use it again.
    check(i64::from(unsafe { libc::dup2(fd.as_raw_fd(), number) }))
}

/// The descriptor with this number, which nobody else in this process owns.
pub fn adopt(number: RawFd) -> std::os::fd::OwnedFd {
    use std::os::fd::FromRawFd;
    // SAFETY: what the number means was agreed upon with whoever started this program, and each number is adopted once.
    unsafe { std::os::fd::OwnedFd::from_raw_fd(number) }
}

/// A new session without a controlling terminal.
pub fn new_session() -> io::Result<()> {
    rustix::process::setsid()?;
    Ok(())
}
