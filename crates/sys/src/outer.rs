//! Starting a program in an outer user namespace: clean, with one descriptor, and as that namespace's root.

use std::ffi::{CStr, c_char};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

/// The step at which a start failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Step {
    /// Making the process.
    Fork = 1,
    /// Making, or joining, the user namespace.
    UserNamespace = 2,
    /// Writing the maps of ids.
    Maps = 3,
    /// Becoming root of the user namespace.
    Root = 4,
    /// Making mount, network, IPC and UTS namespaces.
    Namespaces = 5,
    /// Putting the descriptors in order.
    Descriptors = 6,
    /// Running the program.
    Exec = 7,
}

impl Step {
    fn from_u8(value: u8) -> Step {
        match value {
            2 => Step::UserNamespace,
            3 => Step::Maps,
            4 => Step::Root,
            5 => Step::Namespaces,
            6 => Step::Descriptors,
            7 => Step::Exec,
            _ => Step::Fork,
        }
    }
}

/// What to start.
#[derive(Debug)]
pub struct Outer<'a> {
    /// The program, as a descriptor: a memory file will do.
    pub program: BorrowedFd<'a>,
    /// What it is called.
    pub name: &'a CStr,
    /// The user namespace to join; `None` makes a new one.
    pub join: Option<BorrowedFd<'a>>,
    /// What it finds as descriptor 3; 0, 1 and 2 are /dev/null.
    pub control: BorrowedFd<'a>,
    /// Whether supplementary groups can be dropped.
    pub drop_groups: bool,
}

/// A program that was started.
#[derive(Debug)]
pub struct Started {
    /// Its id.
    pub pid: u32,
    /// Readable when it has ended.
    pub pidfd: OwnedFd,
}

/// Starts it. `write_maps` is called with the process's id, once its new user namespace is there.
///
/// When this returns, the program runs, or has failed for a reason of its own.
pub fn start(
    outer: &Outer,
    write_maps: impl FnOnce(u32) -> io::Result<()>,
) -> Result<Started, (Step, io::Error)> {
    let at = |step| move |error: io::Error| (step, error);
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .map_err(|errno| (Step::Fork, errno.into()))?;
    let null =
        rustix::fs::open("/dev/null", rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC, 0.into())
            .map_err(|errno| (Step::Descriptors, errno.into()))?;
    let child = Child {
        program: outer.program.as_raw_fd(),
        name: outer.name.as_ptr(),
        join: outer.join.map_or(-1, |fd| fd.as_raw_fd()),
        control: outer.control.as_raw_fd(),
        sync: theirs.as_raw_fd(),
        null: null.as_raw_fd(),
        drop_groups: outer.drop_groups,
    };
    // SAFETY: this process may have many threads, so the child calls nothing but system calls until it execs:
    // `Child::run` allocates nothing, takes no lock, and never returns.
    let pid = match unsafe { libc::fork() } {
        // SAFETY: this is the child, and all that `child` names is still open and alive in it.
        0 => unsafe { child.run() },
        pid if pid > 0 => pid,
        _ => return Err((Step::Fork, io::Error::last_os_error())),
    };
    drop(theirs);
    let reap = |error| {
        let mut status = 0;
        // SAFETY: the child is ours and not yet reaped, so both calls mean it; `status` is alive.
        unsafe {
            libc::kill(pid, libc::SIGKILL);
            libc::waitpid(pid, &raw mut status, 0);
        }
        error
    };
    // SAFETY: takes integers only; the child is not reaped yet, so the id is its.
    let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if pidfd < 0 {
        return Err(reap((Step::Fork, io::Error::last_os_error())));
    }
    // SAFETY: the kernel has just made this descriptor for us.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd as RawFd) };

    let mut write_maps = Some(write_maps);
    let mut message = [0_u8; 8];
    loop {
        match rustix::io::read(&ours, &mut message) {
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(reap((Step::Exec, errno.into()))),
            // The child's end closed when the program began.
            Ok(0) => return Ok(Started { pid: pid as u32, pidfd }),
            Ok(1) => {
                let Some(write) = write_maps.take() else { continue };
                write(pid as u32).map_err(at(Step::Maps)).map_err(reap)?;
                rustix::io::write(&ours, b"m").map_err(|errno| reap((Step::Maps, errno.into())))?;
            }
            Ok(_) => {
                let errno = i32::from_ne_bytes([message[4], message[5], message[6], message[7]]);
                return Err(reap((Step::from_u8(message[0]), io::Error::from_raw_os_error(errno))));
            }
        }
    }
}

/// All that the child needs, as plain numbers made before the fork.
struct Child {
    program: RawFd,
    name: *const c_char,
    join: RawFd,
    control: RawFd,
    sync: RawFd,
    null: RawFd,
    drop_groups: bool,
}

impl Child {
    /// From fork to exec.
    ///
    /// # Safety
    ///
    /// To be called in a process that was just forked, and only there; all descriptors are open, and `name` is alive.
    unsafe fn run(&self) -> ! {
        // Raw system calls throughout: the C library's wrappers for ids would signal threads that are not here.
        // SAFETY: all arguments are integers or pointers to memory that outlives the calls, see above; signal sets
        // of zeros are valid.
        unsafe {
            let mut none: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut none);
            libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
            libc::setsid();
            libc::umask(0o022);

            if self.join >= 0 {
                self.check(Step::UserNamespace, libc::setns(self.join, libc::CLONE_NEWUSER).into());
            } else {
                self.check(Step::UserNamespace, libc::unshare(libc::CLONE_NEWUSER).into());
                self.check(Step::Maps, libc::write(self.sync, b"u".as_ptr().cast(), 1) as i64);
                let mut answer = 0_u8;
                if libc::read(self.sync, (&raw mut answer).cast(), 1) != 1 {
                    libc::_exit(1);
                }
            }
            if self.drop_groups {
                self.check(Step::Root, libc::syscall(libc::SYS_setgroups, 0, std::ptr::null::<u32>()));
            }
            self.check(Step::Root, libc::syscall(libc::SYS_setresgid, 0, 0, 0));
            self.check(Step::Root, libc::syscall(libc::SYS_setresuid, 0, 0, 0));
            let apart = libc::CLONE_NEWNS | libc::CLONE_NEWNET | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;
            self.check(Step::Namespaces, libc::unshare(apart).into());

            // First all out of the way, then each to its place: no number may be overwritten before it is moved.
            let [program, control, sync, null] =
                [self.program, self.control, self.sync, self.null].map(|fd| {
                    let high = libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 16);
                    self.check(Step::Descriptors, high.into());
                    high
                });
            for number in 0..3 {
                self.check(Step::Descriptors, libc::dup2(null, number).into());
            }
            self.check(Step::Descriptors, libc::dup2(control, 3).into());
            self.check(Step::Descriptors, libc::dup3(program, 4, libc::O_CLOEXEC).into());
            self.check(Step::Descriptors, libc::dup3(sync, 5, libc::O_CLOEXEC).into());
            self.check(Step::Descriptors, libc::syscall(libc::SYS_close_range, 6, u32::MAX, 0));

            let argv = [self.name, std::ptr::null()];
            let envp: [*const c_char; 1] = [std::ptr::null()];
            libc::syscall(
                libc::SYS_execveat,
                4,
                c"".as_ptr(),
                argv.as_ptr(),
                envp.as_ptr(),
                libc::AT_EMPTY_PATH,
            );
            Child { sync: 5, ..*self }.fail(Step::Exec)
        }
    }

    unsafe fn check(&self, step: Step, result: i64) {
        if result < 0 {
            // SAFETY: as for `run`, from which alone this is called.
            unsafe { self.fail(step) }
        }
    }

    unsafe fn fail(&self, step: Step) -> ! {
        // SAFETY: as for `run`; the message is alive and 8 bytes long.
        unsafe {
            let errno = (*libc::__errno_location()).to_ne_bytes();
            let message = [step as u8, 0, 0, 0, errno[0], errno[1], errno[2], errno[3]];
            libc::write(self.sync, message.as_ptr().cast(), message.len());
            libc::_exit(1)
        }
    }
}

/// Waits for a child of this process to end, and reaps it.
pub fn reap(pidfd: &OwnedFd) {
    use std::os::fd::AsFd;
    let _ = rustix::process::waitid(
        rustix::process::WaitId::PidFd(pidfd.as_fd()),
        rustix::process::WaitIdOptions::EXITED,
    );
}

/// A pair of sockets that keep messages apart.
pub fn packet_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}
