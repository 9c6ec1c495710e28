//! Starts a program of the environment in a copy of the template: a forkserver.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;

use policy::{CELLS, HOST_PROC};
use protocol::Spawn;
use protocol::launcher::Failure;
use sys::mount::{self, Forbid};
use sys::namespace::{self, Forked, Kind};
use sys::privilege;

use crate::step::Step;

/// Starts it, as root of the outer user namespace: it is to enter cells. In the child this does not return.
pub(crate) fn exec(spawn: &Spawn, control: OwnedFd) -> Result<(u32, OwnedFd), Failure> {
    let (mut ours, theirs) = UnixStream::pair().step("make a socket")?;
    match namespace::fork_into(&[Kind::Mount]).step("make a mount namespace")? {
        Forked::Child => {
            drop(ours);
            let Err(failure) = run(spawn, control);
            let _ = (&theirs).write_all(&failure.errno.to_ne_bytes());
            let _ = (&theirs).write_all(failure.step.as_bytes());
            std::process::exit(1)
        }
        Forked::Parent { pid, pidfd } => {
            drop(theirs);
            // The child's end closes at exec.
            let mut word = Vec::new();
            ours.read_to_end(&mut word).step("hear from the program")?;
            match word.split_first_chunk::<4>() {
                None => Ok((pid, pidfd)),
                Some((errno, step)) => Err(Failure {
                    step: String::from_utf8_lossy(step).into_owned(),
                    errno: i32::from_ne_bytes(*errno),
                }),
            }
        }
    }
}

fn run(spawn: &Spawn, control: OwnedFd) -> Result<std::convert::Infallible, Failure> {
    // It reads /proc to know itself; kernels that are forked from it leave this namespace with everything in it.
    let quiet = Forbid { exec: true, ..Forbid::SUID_AND_DEVICES };
    mount::bind(HOST_PROC, "/proc", quiet).step("mount /proc")?;
    mount::tmpfs("/tmp", 64 << 20, 0o1777, quiet).step("mount /tmp")?;
    mount::tmpfs("/dev/shm", 64 << 20, 0o1777, quiet).step("mount /dev/shm")?;
    for path in [CELLS, HOST_PROC] {
        mount::detach(path).step(format_args!("let go of {path}"))?;
    }
    privilege::default_signals();
    privilege::new_session().step("make a session")?;
    // All others close on exec, the launcher's ear among them: that is how it learns that the program runs.
    privilege::place(control, 3).step("place the descriptor")?;

    let [program, arguments @ ..] = spawn.argv.as_slice() else {
        return Err(Failure { step: "find the program's name".to_owned(), errno: 22 }); // EINVAL
    };
    let error = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(spawn.env.iter().filter_map(|variable| variable.split_once('=')))
        .current_dir(&spawn.cwd)
        .exec();
    Err(error).step(format_args!("run {program}"))
}
