//! Waiting for the end of a process.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A process that somebody waits for.
#[derive(Debug)]
pub(crate) struct Watched(AsyncFd<OwnedFd>);

impl Watched {
    /// Watches the process of this pidfd.
    #[expect(
        deprecated,
        reason = "its contract is about types that lie about their descriptor; this one owns it"
    )]
    pub(crate) fn new(pidfd: BorrowedFd) -> io::Result<Watched> {
        Ok(Watched(AsyncFd::with_interest(pidfd.try_clone_to_owned()?, Interest::READABLE)?))
    }

    /// When the process has ended. May be given up at any time.
    pub(crate) async fn ended(&self) {
        // An error means that the runtime ends, and everything with it.
        let _ = self.0.readable().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[tokio::test]
    async fn the_end_of_a_process_is_seen() {
        let mut child =
            std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let pid = rustix::process::Pid::from_child(&child);
        let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap();
        let watched = Watched::new(pidfd.as_fd()).unwrap();
        let soon = std::time::Duration::from_millis(50);
        assert!(tokio::time::timeout(soon, watched.ended()).await.is_err());
        drop(child.stdin.take());
        watched.ended().await;
        child.wait().unwrap();
    }
}
