//! What the loop waits for in one turn.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use protocol::{CallId, KernelId};
use sys::ready::{self, Watch};

use super::pipes::Stream;

/// Where something can happen.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    KernelPipe(KernelId, Stream),
    KernelSocket(KernelId),
    KernelProgress(KernelId),
    CommandPipe(CallId, Stream),
    CommandProgress(CallId),
    Daemon,
    Listener,
    Children,
}

/// Something that happened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    pub(super) source: Source,
    pub(super) readable: bool,
    pub(super) writable: bool,
}

/// Descriptors to wait for, in the order in which their events are to be handled.
#[derive(Debug, Default)]
pub(super) struct Watches<'fd> {
    sources: Vec<(Source, bool)>,
    watches: Vec<Watch<'fd>>,
}

impl<'fd> Watches<'fd> {
    /// Waits for bytes to read.
    pub(super) fn read(&mut self, source: Source, fd: &'fd OwnedFd) {
        self.add(source, fd, true, false);
    }

    /// Waits for either of these. For neither: not at all, because a peer that is gone would wake the loop for ever.
    pub(super) fn add(&mut self, source: Source, fd: &'fd OwnedFd, read: bool, write: bool) {
        if read || write {
            self.sources.push((source, read));
            self.watches.push(ready::watch(fd.as_fd(), read, write));
        }
    }

    /// Waits until something happens, or so long.
    pub(super) fn wait(mut self, timeout: Option<Duration>) -> io::Result<Vec<Event>> {
        ready::wait(&mut self.watches, timeout)?;
        let event = |((source, read), watch): ((Source, bool), &Watch)| {
            let (readable, writable) = (read && ready::is_readable(watch), ready::is_writable(watch));
            (readable || writable).then_some(Event { source, readable, writable })
        };
        Ok(self.sources.into_iter().zip(&self.watches).filter_map(event).collect())
    }
}
