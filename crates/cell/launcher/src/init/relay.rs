//! Where frames for the daemon go: to the daemon, into memory, or both.

use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Instant;

use protocol::{CallId, KernelId, Kind, RefusedReason};

use super::daemon::Daemon;
use super::remembered::Remembered;

/// The daemon, as far as it is there, and what is kept for it.
#[derive(Debug)]
pub(super) struct Relay {
    pub(super) daemon: Daemon,
    pub(super) calls: Remembered,
}

impl Relay {
    /// Tells the daemon something that is not part of a call. If nobody listens it is lost: the state that a new
    /// connection is told covers it.
    pub(super) fn tell(&mut self, kind: Kind, kernel: KernelId, call: CallId, payload: Vec<u8>) {
        self.daemon.push(kind, kernel, call, Rc::new(payload));
    }

    /// Hands descriptors to the daemon.
    pub(super) fn hand(&mut self, kind: Kind, kernel: KernelId, descriptors: Vec<OwnedFd>) {
        self.daemon.push_with(kind, kernel, CallId::NONE, Rc::default(), descriptors);
    }

    /// Answers a question that is not remembered, with a descriptor.
    pub(super) fn answer(
        &mut self,
        kind: Kind,
        kernel: KernelId,
        call: CallId,
        payload: Vec<u8>,
        descriptor: Option<OwnedFd>,
    ) {
        self.daemon.push_with(kind, kernel, call, Rc::new(payload), descriptor.into_iter().collect());
    }

    /// Tells the daemon that what it asked for is not done.
    pub(super) fn refuse(&mut self, kernel: KernelId, call: CallId, reason: RefusedReason, detail: &str) {
        self.tell(Kind::Refused, kernel, call, reason.encode(detail));
    }

    /// A frame of a call, or of none: kept, and sent to a daemon that asked for the call.
    pub(super) fn output(&mut self, kernel: KernelId, call: CallId, kind: Kind, payload: Vec<u8>) {
        let payload = Rc::new(payload);
        if call == CallId::NONE {
            self.daemon.push(kind, kernel, call, payload);
            return;
        }
        self.calls.record(call, kind, &payload);
        if self.calls.is_attached(call) {
            self.daemon.push(kind, kernel, call, payload);
        }
    }

    /// The last frame of a call.
    pub(super) fn end(&mut self, kernel: KernelId, call: CallId, kind: Kind, payload: Vec<u8>) {
        let payload = Rc::new(payload);
        let attached = self.calls.is_attached(call);
        self.calls.end(call, kind, &payload);
        if attached {
            self.daemon.push(kind, kernel, call, payload);
        }
    }

    /// Tells a call from its beginning.
    pub(super) fn replay(&mut self, call: CallId) {
        let (kernel, frames) = self.calls.replay(call);
        for frame in frames {
            self.daemon.push(frame.kind, kernel, call, frame.payload);
        }
    }

    /// The daemon is gone, or another one is there.
    pub(super) fn lost(&mut self, now: Instant) {
        self.daemon.hang_up(now);
        self.calls.detach_all();
    }
}
