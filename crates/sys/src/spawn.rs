//! Starting a program as a child, from a process that must never wait.
//!
//! Everything is prepared before the fork; the child only makes system calls. Whether the program could be executed is
//! told through a pipe that the execution closes, because even exec can be made to wait (a lease on the program's file,
//! a cgroup out of memory): the caller watches the pipe instead. Rejected: vfork, whose parent waits.

use std::ffi::CString;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::thread::{CapabilitySet, CapabilitySets};

use crate::landlock::Ruleset;
use crate::ready::{self, Incoming};

/// A program with all that it is started with, ready to be handed to the kernel.
#[derive(Debug, Clone)]
pub struct Program {
    argv: Vec<CString>,
    env: Vec<CString>,
    directory: CString,
}

impl Program {
    /// This program (an absolute path, then its arguments), environment (`NAME=value`) and working directory.
    ///
    /// An error of kind `InvalidInput` if there is no program or a text holds a zero byte.
    pub fn new(argv: Vec<String>, env: Vec<String>, directory: String) -> io::Result<Program> {
        if argv.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no program is named"));
        }
        let texts = |texts: Vec<String>| texts.into_iter().map(CString::new).collect::<Result<Vec<_>, _>>();
        Ok(Program { argv: texts(argv)?, env: texts(env)?, directory: CString::new(directory)? })
    }
}

/// The user and group that a child becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// A child that has been forked.
#[derive(Debug)]
pub struct Spawned {
    /// Its id; also that of the session and process group that it leads.
    pub pid: u32,
    /// Becomes readable when the program runs or cannot: see [`progress`].
    pub progress: OwnedFd,
}

/// How far a child has come.
#[derive(Debug)]
pub enum Progress {
    /// It has not come to the program yet.
    Starting,
    /// The program runs, or the child was killed before.
    Started,
    /// The program cannot be run, and the child is gone.
    Failed(Step, io::Error),
}

/// What a child does before its program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Step {
    /// Begin a session.
    Session = 1,
    /// Put its descriptors in their places.
    Descriptors = 2,
    /// Become its user, without capabilities.
    Identity = 3,
    /// Go to its directory.
    Directory = 4,
    /// Execute its program.
    Execute = 5,
    /// Lay rules about paths upon itself.
    Landlock = 6,
}

impl Step {
    const ALL: [Step; 6] =
        [Step::Session, Step::Descriptors, Step::Identity, Step::Directory, Step::Execute, Step::Landlock];

    /// The step in words that fit after "failed to".
    pub fn name(self) -> &'static str {
        match self {
            Step::Session => "begin a session",
            Step::Descriptors => "place its descriptors",
            Step::Identity => "become its user",
            Step::Directory => "go to its directory",
            Step::Execute => "run the program",
            Step::Landlock => "confine itself to its paths",
        }
    }
}

/// Starts a program in a session of its own, with these descriptors as its 0, 1, 2, …, and no others.
///
/// The child becomes `identity` if one is given, and gives up all capabilities either way. Signals are as a new process
/// has them. Resource limits and system-call filters are the caller's own, which the child inherits. It starts in
/// `directory`, if one is given and its user may go there, else in the program's; behind `landlock`, if that is given.
pub fn spawn(
    program: &Program,
    descriptors: &[BorrowedFd],
    directory: Option<BorrowedFd>,
    identity: Option<Identity>,
    landlock: Option<&Ruleset>,
) -> io::Result<Spawned> {
    // Above their places, so that no dup2 overwrites a source that comes later.
    let lowest = i32::try_from(descriptors.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let sources: Vec<OwnedFd> =
        descriptors.iter().map(|fd| ready::duplicate(fd, lowest)).collect::<io::Result<_>>()?;
    let directory = directory.map(|fd| ready::duplicate(fd, lowest)).transpose()?;
    let landlock = landlock.map(|ruleset| ruleset.duplicate(lowest)).transpose()?;
    let (progress, report) = ready::output_pipe()?;
    let report = ready::duplicate(&report, lowest)?;
    let pointers = |texts: &[CString]| -> Vec<*const libc::c_char> {
        texts.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect()
    };
    let child = Child {
        argv: &pointers(&program.argv),
        env: &pointers(&program.env),
        program,
        sources: &sources,
        directory: directory.as_ref(),
        identity,
        landlock: landlock.as_ref(),
    };
    // SAFETY: without CLONE_VM the child has a copy of everything. It goes straight to `run`, which makes system calls
    // only: no allocation, no lock, no unwinding, so it does not matter what other threads of the parent held. The raw
    // call is not fork(3), so no handlers run either.
    match unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) } {
        0 => child.run(&report),
        pid if pid > 0 => Ok(Spawned { pid: pid as u32, progress }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Asks how far a child has come. Does not wait.
pub fn progress(spawned: &OwnedFd) -> io::Result<Progress> {
    let mut report = [0; 5];
    Ok(match ready::read(spawned, &mut report)? {
        Incoming::Nothing => Progress::Starting,
        Incoming::End => Progress::Started,
        Incoming::Bytes(_) => {
            let [step, errno @ ..] = report;
            let step = Step::ALL.into_iter().find(|known| *known as u8 == step).unwrap_or(Step::Execute);
            Progress::Failed(step, io::Error::from_raw_os_error(i32::from_le_bytes(errno)))
        }
    })
}

/// What the child needs, all of it allocated by the parent.
struct Child<'a> {
    argv: &'a [*const libc::c_char],
    env: &'a [*const libc::c_char],
    program: &'a Program,
    sources: &'a [OwnedFd],
    directory: Option<&'a OwnedFd>,
    identity: Option<Identity>,
    landlock: Option<&'a Ruleset>,
}

impl Child<'_> {
    /// Between fork and exec: system calls only.
    fn run(&self, report: &OwnedFd) -> ! {
        let (step, errno) = self.prepare().err().unwrap_or_else(|| self.execute());
        let mut bytes = [step as u8, 0, 0, 0, 0];
        bytes[1..].copy_from_slice(&errno.raw_os_error().to_le_bytes());
        // Nothing can be done if it fails: then the parent sees a program that ended with 127.
        let _ = rustix::io::write(report, &bytes);
        // SAFETY: ends this process without running anything of the parent's.
        unsafe { libc::_exit(127) }
    }

    fn prepare(&self) -> Result<(), (Step, Errno)> {
        rustix::process::setsid().map_err(|errno| (Step::Session, errno))?;
        self.place().map_err(|errno| (Step::Descriptors, errno))?;
        crate::privilege::default_signals();
        self.become_user().map_err(|errno| (Step::Identity, errno))?;
        if let Some(ruleset) = self.landlock {
            ruleset.restrict().map_err(|errno| (Step::Landlock, errno))?;
        }
        // Last, so that it is the user who must be allowed to go there.
        if self.directory.is_some_and(|directory| rustix::process::fchdir(directory).is_ok()) {
            return Ok(());
        }
        let directory = self.program.directory.as_c_str();
        rustix::process::chdir(directory).map_err(|errno| (Step::Directory, errno))
    }

    /// Comes back only if it fails.
    fn execute(&self) -> (Step, Errno) {
        // SAFETY: both arrays end with a null pointer, and the texts they point to live in `program`.
        unsafe {
            libc::execve(self.program.argv[0].as_ptr(), self.argv.as_ptr(), self.env.as_ptr());
        }
        (Step::Execute, last_errno())
    }

    fn place(&self) -> Result<(), Errno> {
        use std::os::fd::AsRawFd;
        let count = self.sources.len() as libc::c_int;
        for (place, source) in (0..count).zip(self.sources) {
            // SAFETY: takes numbers. Whatever had the number `place` in the parent is the parent's; this is a copy of
            // its table.
            if unsafe { libc::dup2(source.as_raw_fd(), place) } < 0 {
                return Err(last_errno());
            }
        }
        // Every descriptor of the parent should be closed on exec already. Not on a kernel before 5.11: then they are
        // only as closed as they were made.
        let (from, to, flag) = (count as libc::c_uint, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
        // SAFETY: takes numbers, and only sets a flag on descriptors.
        unsafe { libc::syscall(libc::SYS_close_range, from, to, flag) };
        Ok(())
    }

    fn become_user(&self) -> Result<(), Errno> {
        use rustix::thread::{Gid, Uid};
        use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
        for number in 0..64 {
            let capability = CapabilitySet::from_bits_retain(1 << number);
            // Past the last one. Or not allowed without CAP_SETPCAP, which makes no difference: no_new_privs lets no
            // program gain any.
            if rustix::thread::remove_capability_from_bounding_set(capability).is_err() {
                break;
            }
        }
        if let Some(Identity { uid, gid }) = self.identity {
            match set_thread_groups(&[]) {
                // A user namespace made by an ordinary user denies it; its groups are what the host gave.
                Ok(()) | Err(Errno::PERM) => {}
                Err(errno) => return Err(errno),
            }
            let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
            set_thread_res_gid(gid, gid, gid)?;
            set_thread_res_uid(uid, uid, uid)?;
        }
        let none = CapabilitySet::empty();
        rustix::thread::clear_ambient_capability_set()?;
        rustix::thread::set_capabilities(
            None,
            CapabilitySets { effective: none, permitted: none, inheritable: none },
        )?;
        rustix::thread::set_no_new_privs(true)
    }
}

/// Why the last system call of this thread failed.
pub(crate) fn last_errno() -> Errno {
    // SAFETY: the C library's errno of this thread, which is a plain integer.
    Errno::from_raw_os_error(unsafe { *libc::__errno_location() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::fd::AsFd;

    fn program(argv: &[&str], directory: &str) -> Program {
        let argv = argv.iter().map(|&text| text.to_owned()).collect();
        Program::new(argv, vec!["NAME=value".to_owned()], directory.to_owned()).unwrap()
    }

    fn run(program: &Program) -> (Progress, String) {
        run_behind(program, None)
    }

    /// Runs a program to its end with its output in a pipe.
    fn run_behind(program: &Program, landlock: Option<&Ruleset>) -> (Progress, String) {
        let null = ready::null().unwrap();
        let (output, writing) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        let spawned =
            spawn(program, &[null.as_fd(), writing.as_fd(), writing.as_fd()], None, None, landlock).unwrap();
        drop(writing);
        let mut text = String::new();
        std::fs::File::from(output).read_to_string(&mut text).unwrap();
        let pid = rustix::process::Pid::from_raw(spawned.pid as i32);
        rustix::process::waitpid(pid, rustix::process::WaitOptions::empty()).unwrap();
        (progress(&spawned.progress).unwrap(), text)
    }

    #[test]
    fn a_program_gets_what_it_was_given_and_nothing_else() {
        let script =
            "echo $NAME; pwd; ls /proc/self/fd | tr '\\n' ' '; cat /proc/self/status; cat /proc/self/stat";
        let (progress, text) = run(&program(&["/bin/sh", "-c", script], "/usr"));
        assert!(matches!(progress, Progress::Started));
        let mut lines = text.lines();
        assert_eq!((lines.next(), lines.next()), (Some("value"), Some("/usr")));
        // 3 is the directory that ls lists.
        let rest = lines.next().unwrap();
        assert!(rest.starts_with("0 1 2 3 Name"), "{rest}");
        let field = |name: &str| {
            text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}")).trim()
        };
        for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:", "SigBlk:", "SigIgn:"] {
            assert_eq!(u64::from_str_radix(field(set), 16), Ok(0), "{set}");
        }
        assert_eq!(field("NoNewPrivs:"), "1");
        // After the command: state, parent, group, session.
        let stat: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
        assert_eq!(stat[2], stat[3], "the group and the session are the child's own");
    }

    #[test]
    fn what_cannot_be_run_is_told_with_the_step() {
        for (program, step, errno) in [
            (program(&["/no/such/program"], "/"), Step::Execute, Errno::NOENT),
            (program(&["/etc"], "/"), Step::Execute, Errno::ACCESS),
            (program(&["/bin/sh"], "/no/such/directory"), Step::Directory, Errno::NOENT),
        ] {
            match run(&program).0 {
                Progress::Failed(failed, error) => {
                    assert_eq!((failed, error.raw_os_error()), (step, Some(errno.raw_os_error())));
                }
                other => panic!("{step:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn rules_hold_for_the_program_and_for_nobody_else() {
        const LOOK_AND_RUN: u64 = 1 << 0 | 1 << 2 | 1 << 3;
        let Some(ruleset) = Ruleset::new([("/", LOOK_AND_RUN)]).unwrap() else {
            eprintln!("SKIPPED: this kernel has no Landlock that is of use");
            return;
        };
        let script = program(&["/bin/sh", "-c", "echo begun; true > /dev/null && echo written"], "/");
        let (progress, text) = run_behind(&script, Some(&ruleset));
        assert!(matches!(progress, Progress::Started) && text.starts_with("begun\n"), "{text}");
        assert!(text.contains("/dev/null") && !text.contains("written"), "{text}");
        assert_eq!(run_behind(&script, None).1, "begun\nwritten\n");
    }

    #[test]
    fn texts_with_a_zero_byte_are_refused() {
        let text = |text: &str| vec![text.to_owned()];
        for (argv, env, directory) in [
            (vec![], vec![], "/"),
            (text("/bin/a\0b"), vec![], "/"),
            (text("/bin/a"), text("A=\0"), "/"),
            (text("/bin/a"), vec![], "/\0"),
        ] {
            let error = Program::new(argv, env, directory.to_owned()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
    }
}
