//! The forkserver's native half: loaded by `forkserver.py` through `ctypes.PyDLL`.
//!
//! Python imports and warms up; from then on it stays inside [`cellblock_serve`], which reads requests, forks and
//! confines. Python runs again only in the kernel processes, and there only after they have been confined.
//!
//! **What must stay true.** One thread, and nothing that user code wrote: every byte of this process can be read by
//! every cell that has a kernel from it.

mod kernel;

use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use policy::Confinement;
use protocol::forkserver::{MAX_REQUEST, Report, Request, Step};
use sys::enter::{self, Side};
use sys::privilege;
use sys::python::AroundFork;

use kernel::Descriptors;

/// The control socket's number, and later that of the kernel's own.
const CONTROL: i32 = 3;

/// How long a cell may hold up a fork: only stopping the process that forks inside of it can do that.
const PATIENCE: Duration = Duration::from_secs(2);

/// The environment of a kernel process, in the form of `/proc/self/environ`.
static VARIABLES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

sys::python_function! {
    /// Closes this process to all others. To be called before anything else is done. 0, or a negative error number.
    fn cellblock_begin(_attached) -> i32 {
        match privilege::set_dumpable(false) {
            Ok(()) => 0,
            Err(error) => -kernel::errno(&error),
        }
    }
}

sys::python_function! {
    /// Whether this process has one thread, as all forkservers must.
    fn cellblock_is_alone(_attached) -> i32 {
        i32::from(enter::is_single_threaded())
    }
}

sys::python_function! {
    /// Serves requests. 1: this is now a kernel process, confined. 0: the daemon has hung up. Else a negative error
    /// number.
    fn cellblock_serve(attached) -> i32 {
        let Some(around) = attached.around_fork() else { return -kernel::EINVAL };
        // Not dropped: in a kernel process the number means something else.
        let control = ManuallyDrop::new(privilege::adopt(CONTROL));
        serve(&control, &around)
    }
}

sys::python_function! {
    /// The environment of this kernel process: `NAME=value`, each with a null byte behind it.
    fn cellblock_variables(_attached) -> *const u8 {
        VARIABLES.lock().unwrap_or_else(PoisonError::into_inner).as_ptr()
    }
}

sys::python_function! {
    /// The bytes of [`cellblock_variables`].
    fn cellblock_variables_len(_attached) -> usize {
        VARIABLES.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

fn serve(control: &OwnedFd, around: &AroundFork) -> i32 {
    let mut buffer = vec![0; MAX_REQUEST];
    loop {
        let (bytes, descriptors) = match sys::scm::recv_with_fds(control.as_fd(), &mut buffer) {
            Ok((0, ..)) => return 0,
            Ok((len, descriptors, _)) => (&buffer[..len], descriptors),
            Err(error) => return -kernel::errno(&error),
        };
        // Without the pipe nobody can be told, and nobody waits.
        let Some(descriptors) = Descriptors::new(descriptors) else { continue };
        let Some((confinement, variables)) = read(bytes) else {
            tell(&descriptors, Step::Request, &std::io::ErrorKind::InvalidInput.into());
            continue;
        };
        around.before();
        match enter::fork_into(descriptors.init.as_fd(), PATIENCE) {
            Ok(Side::Kernel) => {
                kernel::settle(&confinement, descriptors);
                around.in_child();
                keep(&variables);
                return 1;
            }
            Ok(Side::Caller(_)) => {
                around.in_parent();
                hand_over(&descriptors);
            }
            Err(failure) => {
                around.in_parent();
                let step = match failure.step {
                    enter::Step::Threads => Step::Alone,
                    enter::Step::Usher | enter::Step::Parent | enter::Step::Fork => Step::Fork,
                    enter::Step::PidNamespace => Step::PidNamespace,
                    // There may be a kernel process, which then speaks for itself.
                    enter::Step::Lost => {
                        hand_over(&descriptors);
                        continue;
                    }
                };
                tell(&descriptors, step, &failure.source);
            }
        }
    }
}

fn read(bytes: &[u8]) -> Option<(Confinement, Vec<String>)> {
    let Request { confinement, variables } = Request::decode(bytes).ok()?;
    Some((Confinement::decode(&confinement).ok()?, variables))
}

fn hand_over(descriptors: &Descriptors) {
    let _ = kernel::report(&descriptors.report, Report::Handed);
}

fn tell(descriptors: &Descriptors, step: Step, error: &std::io::Error) {
    // Whoever asked may have given up.
    let _ = kernel::report(&descriptors.report, Report::Failed { step, errno: kernel::errno(error) });
}

fn keep(variables: &[String]) {
    let mut block = VARIABLES.lock().unwrap_or_else(PoisonError::into_inner);
    for variable in variables {
        block.extend_from_slice(variable.as_bytes());
        block.push(0);
    }
}
