//! File operations on their way to init and back.
//!
//! Init answers at once, so only the order in which they are sent matters, and that not too many descriptors are under
//! way at the same time: the kernel counts them, for all processes of a user together.

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use protocol::{
    CallId, FileDone, FileFailure, FileOperation, FileReply, FileRequest, FileStep, Frame, KernelId, Kind,
};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Task;
use crate::fault::libc_errno::{EBADMSG, ENOENT};
use crate::room::Room;

/// Operations that init may be asked for at once; the others wait here.
const AT_ONCE: usize = 16;

/// A file operation, and who waits for it.
pub(crate) struct FileOrder {
    pub(crate) request: FileRequest,
    /// Is told when it need not wait for the workspace any more; none, if it has waited already.
    pub(crate) begun: Option<oneshot::Sender<()>>,
    pub(crate) answer: oneshot::Sender<Granted>,
}

/// What came of a file operation.
pub(crate) struct Granted {
    pub(crate) reply: FileReply,
    /// There is one if it was done, unless that was found out by doing it again.
    pub(crate) descriptor: Option<OwnedFd>,
    pub(crate) room: Arc<Room>,
}

/// Operations that have not been answered.
pub(super) struct Orders {
    next: u128,
    sent: BTreeMap<CallId, Sent>,
    waiting: VecDeque<FileOrder>,
    pub(super) room: Arc<Room>,
    /// Files were written or removed for somebody since the disk was last measured.
    pub(super) unmeasured: bool,
}

struct Sent {
    order: FileOrder,
    /// It was sent before, over a connection that broke: it may have been done.
    again: bool,
}

impl Orders {
    pub(super) fn new(disk: u64) -> Orders {
        let room = Arc::new(Room::new(disk));
        Orders { next: 1, sent: BTreeMap::new(), waiting: VecDeque::new(), room, unmeasured: false }
    }

    /// Whether somebody writes a file now.
    pub(super) fn is_writing(&self) -> bool {
        Arc::strong_count(&self.room) > 1
    }

    /// Forgets all, which tells who waits that the session has ended.
    pub(super) fn clear(&mut self) {
        self.sent.clear();
        self.waiting.clear();
    }
}

impl Task {
    pub(super) fn order_file(&mut self, mut order: FileOrder) {
        self.last_use = Instant::now();
        if !self.destroying && !self.machine.ended() {
            if let Some(begun) = order.begun.take() {
                let _ = begun.send(());
            }
            self.orders.waiting.push_back(order);
            self.send_orders();
        }
    }

    /// Sends what may be sent now.
    fn send_orders(&mut self) {
        self.orders.waiting.retain(|order| !order.answer.is_closed());
        while self.link.is_some() && self.orders.sent.len() < AT_ONCE {
            let Some(order) = self.orders.waiting.pop_front() else { return };
            let call = CallId(self.orders.next);
            self.orders.next += 1;
            self.send_order(call, &order.request);
            self.orders.sent.insert(call, Sent { order, again: false });
        }
    }

    fn send_order(&mut self, call: CallId, request: &FileRequest) {
        let frame = Frame::new(Kind::File, request.encode()).call(call).kernel(self.working_kernel());
        if let Some(link) = &mut self.link {
            link.send(&frame);
        }
    }

    /// The kernel whose directory commands and paths start from.
    pub(super) fn working_kernel(&self) -> KernelId {
        self.machine.kernels().live(self.kernels.last()).unwrap_or(KernelId::NONE)
    }

    /// There is a new connection: what was asked over the old one is asked again.
    pub(super) fn send_orders_again(&mut self) {
        let sent = std::mem::take(&mut self.orders.sent);
        for (call, sent) in sent {
            self.send_order(call, &sent.order.request);
            self.orders.sent.insert(call, Sent { again: true, ..sent });
        }
        self.send_orders();
    }

    pub(super) fn on_file_reply(&mut self, call: CallId, payload: &[u8]) {
        let strange = FileFailure { step: FileStep::Open, errno: EBADMSG };
        let mut reply = FileReply::decode(payload).unwrap_or(FileReply::Failed(strange));
        let mut descriptor = None;
        if let FileReply::Done(_) = reply {
            descriptor = self.link.as_mut().and_then(super::Link::take_descriptor);
            if descriptor.is_none() {
                reply = FileReply::Failed(strange);
            }
        }
        let Some(Sent { order, again }) = self.orders.sent.remove(&call) else { return };
        let gone = FileFailure { step: FileStep::Find, errno: ENOENT };
        if again && order.request.operation == FileOperation::Remove && reply == FileReply::Failed(gone) {
            // It was there when it was asked for the first time, or it was not: nobody can tell, and it is gone.
            reply = FileReply::Done(FileDone { path: Vec::new(), created: false, from_workspace: false });
        }
        self.last_use = Instant::now();
        // Whoever does not wait any more lets go of the descriptor.
        let _ = order.answer.send(Granted { reply, descriptor, room: self.orders.room.clone() });
        self.send_orders();
    }

    /// Somebody has written or removed a file.
    pub(super) fn on_wrote(&mut self) {
        self.last_use = Instant::now();
        self.orders.unmeasured = true;
        self.watch_disk();
        self.changed();
    }
}
