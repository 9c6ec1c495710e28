//! The launcher, and the init of every cell, which is a fork of it.
//!
//! It is exec'd clean inside the outer user namespace: no environment, no descriptor but its control socket, before
//! any credential is loaded. It has one thread and answers one request at a time. It holds no state but its template,
//! so that losing it loses nothing: another one joins the same user namespace and goes on.
//!
//! **Invariants.** One thread, always: it forks without exec. It never waits on a cell longer than the cell's own
//! setting up takes. No cell depends on its life.

#[cfg(feature = "walls-apart")]
pub mod apart;
mod cell;
mod exec;
pub mod init;
mod network;
mod step;
mod template;
pub mod walls;

use std::os::fd::{AsFd, OwnedFd};

use policy::{CellPlan, Template};
use protocol::launcher::{Failure, Reply, Request};
use sys::privilege;

/// Serves the daemon at descriptor 3 until it hangs up.
pub fn serve() {
    privilege::ignore_children();
    let control = privilege::adopt(3);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let (bytes, descriptors) = match sys::scm::recv_with_fds(control.as_fd(), &mut buffer) {
            Ok((len, descriptors, _)) if len > 0 => (&buffer[..len], descriptors),
            _ => return,
        };
        let (reply, made) = match answer(bytes, descriptors) {
            Ok((pid, made)) => (Reply::Done(pid), made),
            Err(failure) => (Reply::Failed(failure), Vec::new()),
        };
        let made: Vec<_> = made.iter().map(AsFd::as_fd).collect();
        if sys::scm::send_with_fds(control.as_fd(), &reply.encode(), &made).is_err() {
            return;
        }
    }
}

/// Does what is asked; gives a process's id and the descriptors that go with the reply.
fn answer(bytes: &[u8], descriptors: Vec<OwnedFd>) -> Result<(u32, Vec<OwnedFd>), Failure> {
    let invalid = |step: &str| Failure { step: step.to_owned(), errno: 22 }; // EINVAL
    match Request::decode(bytes).map_err(|_| invalid("read the request"))? {
        Request::Setup(template) => {
            let template = Template::decode(&template).map_err(|_| invalid("read the template"))?;
            template::build(&template, descriptors).map(|()| (0, Vec::new()))
        }
        Request::Create(plan) => {
            let plan = CellPlan::decode(&plan).map_err(|_| invalid("read the plan"))?;
            let mut descriptors = descriptors.into_iter();
            let listener = descriptors.next().ok_or_else(|| invalid("find the listener"))?;
            let cgroups: Vec<OwnedFd> = descriptors.collect();
            let made = cell::create(&plan, listener, &cgroups)?;
            Ok((made.pid, std::iter::once(made.pidfd).chain(made.doors).collect()))
        }
        Request::Exec(spawn) => {
            let control = descriptors.into_iter().next().ok_or_else(|| invalid("find the descriptor"))?;
            exec::exec(&spawn, control).map(|(pid, pidfd)| (pid, vec![pidfd]))
        }
    }
}
