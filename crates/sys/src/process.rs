//! Processes: reaping children, sending signals, what a PID 1 sets for itself.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::process::{Pid, Signal as Number, WaitOptions};

/// A signal that cellblock sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT.
    Interrupt,
    /// SIGSTOP.
    Stop,
    /// SIGKILL.
    Kill,
}

impl Signal {
    fn number(self) -> Number {
        match self {
            Signal::Interrupt => Number::INT,
            Signal::Stop => Number::STOP,
            Signal::Kill => Number::KILL,
        }
    }
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It returned this status, 0 to 255.
    Exited(i32),
    /// It died of this signal.
    Signaled(i32),
}

fn pid(number: u32) -> io::Result<Pid> {
    // 0 and negative numbers mean groups, and everybody, to kill(2).
    i32::try_from(number).ok().and_then(Pid::from_raw).ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

/// This process's id.
pub fn own_pid() -> u32 {
    std::process::id()
}

/// The process session of this process; 0 if it began outside of this PID namespace.
pub fn own_session() -> u32 {
    // SAFETY: takes a number and gives a number.
    unsafe { libc::getsid(0).cast_unsigned() }
}

/// What lists of processes call this one; the first 15 bytes count.
pub fn set_name(name: &CStr) -> io::Result<()> {
    Ok(rustix::thread::set_name(name)?)
}

/// Lets this process, and what it starts, open as many descriptors as the system permits it.
pub fn raise_open_files() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?)
}

/// How many descriptors this process may open.
pub fn open_files() -> u64 {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// The bytes of a page of memory, the unit in which `/proc` counts.
pub fn page_size() -> u64 {
    // SAFETY: takes a number and gives a number.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as u64 }
}

/// How long the machine has been up, in the unit in which `/proc` tells when a process began.
pub fn uptime_ticks() -> u64 {
    let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let ticks = rustix::param::clock_ticks_per_second();
    // Neither is ever negative.
    since.tv_sec as u64 * ticks + since.tv_nsec as u64 * ticks / 1_000_000_000
}

/// Takes the next ended child off the kernel's hands, if there is one. Does not wait.
pub fn reap() -> io::Result<Option<(u32, Ended)>> {
    loop {
        let (pid, status) = match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some(found)) => found,
            Ok(None) | Err(rustix::io::Errno::CHILD) => return Ok(None),
            Err(rustix::io::Errno::INTR) => continue,
            Err(errno) => return Err(errno.into()),
        };
        let ended = match (status.exit_status(), status.terminating_signal()) {
            (Some(status), _) => Ended::Exited(status),
            (None, Some(signal)) => Ended::Signaled(signal),
            // Stopped and continued children are not asked for.
            (None, None) => continue,
        };
        return Ok(Some((pid.as_raw_nonzero().get().cast_unsigned(), ended)));
    }
}

/// A descriptor for a process: while it is open, it means this process and no later one with the same id.
pub fn pidfd(process: u32) -> io::Result<OwnedFd> {
    Ok(rustix::process::pidfd_open(pid(process)?, rustix::process::PidfdFlags::empty())?)
}

/// Sends a signal to the process that a pidfd means.
pub fn signal(pidfd: impl AsFd, signal: Signal) -> io::Result<()> {
    Ok(rustix::process::pidfd_send_signal(pidfd, signal.number())?)
}

/// Sends a signal to a process by its id, for whoever is sure that the id still means it.
pub fn signal_pid(process: u32, signal: Signal) -> io::Result<()> {
    Ok(rustix::process::kill_process(pid(process)?, signal.number())?)
}

/// Sends a signal to a process group by the id of its leader.
pub fn signal_group(leader: u32, signal: Signal) -> io::Result<()> {
    Ok(rustix::process::kill_process_group(pid(leader)?, signal.number())?)
}

/// Makes orphans below this process its children, as they are of a PID 1.
pub fn adopt_orphans() -> io::Result<()> {
    // Any process id means "on".
    Ok(rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_means_a_group_or_everybody() {
        for process in [0, u32::MAX, i32::MIN.cast_unsigned()] {
            assert_eq!(signal_pid(process, Signal::Kill).unwrap_err().kind(), io::ErrorKind::InvalidInput);
            assert_eq!(signal_group(process, Signal::Kill).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
    }

    #[test]
    fn a_pidfd_reaches_the_process_it_means() {
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let fd = pidfd(child.id()).unwrap();
        signal(&fd, Signal::Kill).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
        assert!(signal(&fd, Signal::Kill).is_err());
    }
}
