//! What a new process takes on beyond what `privilege` has it give up: its cgroup, its descriptors, its place.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

/// Moves this process into a cgroup: the descriptor is that of its `cgroup.procs` (or `tasks`), open for writing.
pub fn join_cgroup(procs: impl AsFd) -> io::Result<()> {
    match rustix::io::write(procs, b"0") {
        Ok(1) => Ok(()),
        Ok(_) => Err(io::ErrorKind::WriteZero.into()),
        Err(errno) => Err(errno.into()),
    }
}

/// Leaves this process 0 as it is and these: `standard` as 1, 2 and 3 (closed on exec), `more` from 4 on (closed on
/// exec). Everything else is closed.
pub fn keep_descriptors<const N: usize>(
    standard: [OwnedFd; 3],
    more: [OwnedFd; N],
) -> io::Result<[OwnedFd; N]> {
    const FIRST: RawFd = 4;
    // Out of the way first, so that no number is overwritten before what it means has been moved.
    let above = FIRST + N as RawFd;
    let away = |fd: OwnedFd| -> io::Result<OwnedFd> { Ok(rustix::io::fcntl_dupfd_cloexec(fd, above)?) };
    let [stdout, stderr, socket] = standard;
    let standard = [(away(stdout)?, 0), (away(stderr)?, 0), (away(socket)?, libc::O_CLOEXEC)];
    let mut places = [const { None }; N];
    for (place, fd) in places.iter_mut().zip(more) {
        *place = Some(away(fd)?);
    }
    let all = standard.into_iter().chain(places.into_iter().flatten().map(|fd| (fd, libc::O_CLOEXEC)));
    for (number, (fd, flags)) in (1..).zip(all) {
        // SAFETY: takes integers only. What had the number is not used again: the caller gives up everything.
        if unsafe { libc::dup3(fd.as_raw_fd(), number, flags) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    crate::privilege::close_from(above)?;
    // SAFETY: these numbers were given out above, and to nobody else.
    Ok(std::array::from_fn(|index| unsafe { OwnedFd::from_raw_fd(FIRST + index as RawFd) }))
}

/// Puts /dev/null, as this process sees it now, in the place of standard input.
pub fn close_input() -> io::Result<()> {
    crate::privilege::place(File::open("/dev/null")?.into(), 0)
}

/// Makes this process a likelier victim when memory runs out, from 0 to 1000. Without a /proc nothing happens.
pub fn expendable(score: u16) {
    if let Ok(mut file) = File::options().write(true).open("/proc/self/oom_score_adj") {
        let _ = file.write_all(score.to_string().as_bytes());
    }
}

/// Creates files without permission for others to write, and works in this directory.
pub fn settle_in(directory: &str) -> io::Result<()> {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    Ok(rustix::process::chdir(directory)?)
}

/// Ends this process at once: no handler runs, nothing is flushed.
pub fn vanish(status: i32) -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(status) }
}
