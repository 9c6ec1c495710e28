//! What init keeps of calls, so that one that is sent again is answered and never run again.
//!
//! ```text
//!          begin           end                 too old, too much, or `forget`
//!   new ──────────▶ running ──────────▶ ended ──────────────────────────────▶ forgotten
//!    ▲                 │
//!    └── did not start ┘
//! ```
//!
//! Pure: no descriptors, no clock. Everything is bounded ([`OUTPUT`], [`KEPT`], [`ENDED`], [`FORGOTTEN`]) and the bounds
//! count what a frame costs beside its bytes, so that a flood of small frames is a flood too. Of a call's output the
//! beginning is kept, and how much is missing after it. When room is short, calls that ended lose all but how they ended,
//! the oldest first; when the ends themselves need the room, the oldest of those are forgotten. A call whose id has been
//! forgotten too (after [`FORGOTTEN`] others) would be taken for a new one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use protocol::{CallId, KernelId, Kind};

/// Bytes of stdout and stderr kept of one call.
pub(super) const OUTPUT: usize = 256 << 10;
/// Bytes kept of all calls together; only the end of the newest call, and the last piece of output, may go beyond.
pub(super) const KEPT: usize = 8 << 20;
/// Calls that ended and are kept.
pub(super) const ENDED: usize = 256;
/// Ids of calls that are known and no longer kept.
pub(super) const FORGOTTEN: usize = 4096;

/// What a kept frame costs beside its bytes.
const ENTRY: usize = 128;
/// Output is kept in pieces of about this size, however small the pieces it came in.
const PIECE: usize = 64 << 10;

/// What is known of a call id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing.
    New,
    /// It runs.
    Running,
    /// It ended, and its frames can be told again.
    Ended,
    /// It ended, and that is all.
    Forgotten,
}

/// One frame of a call as it is told again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) kind: Kind,
    pub(super) payload: Rc<Vec<u8>>,
}

impl Kept {
    fn cost(&self) -> usize {
        ENTRY + self.payload.capacity()
    }
}

#[derive(Debug)]
enum Phase {
    Running {
        /// Whether the connected daemon has asked for this call, so that its frames go there as they come.
        attached: bool,
    },
    Ended(Kept),
}

#[derive(Debug)]
struct Call {
    kernel: KernelId,
    phase: Phase,
    frames: Vec<Kept>,
    /// Bytes of output among `frames`.
    output: usize,
    /// Whether some output was not kept: what follows would stand in its place.
    cut: bool,
    /// Bytes that were not kept.
    dropped: u64,
    /// How many of `frames` came before the first that was not kept.
    gap: usize,
}

impl Call {
    fn cost(&self) -> usize {
        let end = match &self.phase {
            Phase::Running { .. } => 0,
            Phase::Ended(end) => end.cost(),
        };
        self.frames.iter().map(Kept::cost).sum::<usize>() + end
    }

    fn drop_bytes(&mut self, bytes: usize) {
        if self.dropped == 0 {
            self.gap = self.frames.len();
        }
        self.dropped += bytes as u64;
    }

    /// Appends to the last piece if it is output of the same kind with room left, else begins a new one. Gives what
    /// that costs.
    fn append(&mut self, kind: Kind, bytes: &[u8]) -> usize {
        self.output += bytes.len();
        if let Some(last) = self.frames.last_mut().filter(|last| last.kind == kind)
            && let Some(piece) = Rc::get_mut(&mut last.payload).filter(|piece| piece.len() < PIECE)
        {
            let before = piece.capacity();
            piece.extend_from_slice(bytes);
            return piece.capacity() - before;
        }
        let piece = Kept { kind, payload: Rc::new(bytes.to_vec()) };
        let cost = piece.cost();
        self.frames.push(piece);
        cost
    }
}

/// The calls that are known.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    calls: BTreeMap<CallId, Call>,
    /// The calls that ended and are kept, oldest first.
    ended: VecDeque<CallId>,
    forgotten: BTreeSet<CallId>,
    /// The same ids, oldest first.
    forgotten_order: VecDeque<CallId>,
    /// What all frames cost.
    kept: usize,
}

impl Remembered {
    /// What is known of this call.
    pub(super) fn known(&self, call: CallId) -> Known {
        match self.calls.get(&call).map(|call| &call.phase) {
            Some(Phase::Running { .. }) => Known::Running,
            Some(Phase::Ended(_)) => Known::Ended,
            None if self.forgotten.contains(&call) => Known::Forgotten,
            None => Known::New,
        }
    }

    /// A new call runs, for the daemon that is connected.
    pub(super) fn begin(&mut self, call: CallId, kernel: KernelId) {
        let phase = Phase::Running { attached: true };
        let fresh = Call { kernel, phase, frames: Vec::new(), output: 0, cut: false, dropped: 0, gap: 0 };
        self.calls.insert(call, fresh);
    }

    /// A call that was begun did not run after all; it is as new.
    pub(super) fn did_not_start(&mut self, call: CallId) {
        if let Some(call) = self.calls.remove(&call) {
            self.kept -= call.cost();
        }
    }

    /// Whether a running call's frames go to the connected daemon.
    pub(super) fn is_attached(&self, call: CallId) -> bool {
        matches!(self.calls.get(&call).map(|call| &call.phase), Some(Phase::Running { attached: true }))
    }

    /// The daemon is gone: running calls go on without.
    pub(super) fn detach_all(&mut self) {
        for call in self.calls.values_mut() {
            match &mut call.phase {
                Phase::Running { attached } => *attached = false,
                Phase::Ended(_) => {}
            }
        }
    }

    /// The calls that ended and can be told again, oldest first.
    pub(super) fn ended(&self) -> impl Iterator<Item = CallId> {
        self.ended.iter().copied()
    }

    /// Keeps a frame of a running call, as far as there is room.
    pub(super) fn record(&mut self, call: CallId, kind: Kind, payload: &Rc<Vec<u8>>) {
        let Some(Call { phase: Phase::Running { .. }, .. }) = self.calls.get(&call) else { return };
        match kind {
            Kind::Stdout | Kind::Stderr => self.record_output(call, kind, payload),
            _ => self.record_whole(call, kind, payload),
        }
    }

    fn record_output(&mut self, id: CallId, kind: Kind, payload: &[u8]) {
        let Some(call) = self.calls.get(&id) else { return };
        let mut fits = if call.cut { 0 } else { payload.len().min(OUTPUT - call.output.min(OUTPUT)) };
        if fits > 0 && !self.strip_for(ENTRY + fits) {
            fits = 0;
        }
        let (head, tail) = payload.split_at(fits);
        let Some(call) = self.calls.get_mut(&id) else { return };
        if !head.is_empty() {
            self.kept += call.append(kind, head);
        }
        if !tail.is_empty() {
            call.cut = true;
            call.drop_bytes(tail.len());
        }
    }

    fn record_whole(&mut self, id: CallId, kind: Kind, payload: &Rc<Vec<u8>>) {
        let frame = Kept { kind, payload: Rc::clone(payload) };
        let room = self.strip_for(frame.cost());
        let Some(call) = self.calls.get_mut(&id) else { return };
        if room {
            self.kept += frame.cost();
            call.frames.push(frame);
        } else {
            call.drop_bytes(payload.len());
        }
    }

    /// A running call has ended with this frame, which is kept whatever its size.
    pub(super) fn end(&mut self, id: CallId, kind: Kind, payload: &Rc<Vec<u8>>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Phase::Ended(_) = call.phase {
            return;
        }
        self.kept -= call.cost();
        call.phase = Phase::Ended(Kept { kind, payload: Rc::clone(payload) });
        if let Some(piece) = call.frames.last_mut().and_then(|last| Rc::get_mut(&mut last.payload)) {
            piece.shrink_to_fit();
        }
        self.kept += call.cost();
        self.ended.push_back(id);
        while self.ended.len() > ENDED {
            self.forget_oldest();
        }
        let fits = self.strip_for(0);
        while !fits && self.kept > KEPT && self.ended.len() > 1 {
            self.forget_oldest();
        }
    }

    /// The frames of a running or ended call from the beginning; a running one is attached and goes on from there.
    pub(super) fn replay(&mut self, id: CallId) -> (KernelId, Vec<Kept>) {
        let Some(call) = self.calls.get_mut(&id) else { return (KernelId::NONE, Vec::new()) };
        let mut frames = call.frames.clone();
        if call.dropped > 0 {
            let payload = Rc::new(call.dropped.to_le_bytes().to_vec());
            frames.insert(call.gap.min(frames.len()), Kept { kind: Kind::Dropped, payload });
        }
        match &mut call.phase {
            Phase::Running { attached } => *attached = true,
            Phase::Ended(end) => frames.push(end.clone()),
        }
        (call.kernel, frames)
    }

    /// Frees the frames of a call that ended; its id stays known. Of a running call nothing is forgotten.
    pub(super) fn forget(&mut self, id: CallId) {
        let Some(Call { phase: Phase::Ended(_), .. }) = self.calls.get(&id) else { return };
        if let Some(call) = self.calls.remove(&id) {
            self.kept -= call.cost();
        }
        self.ended.retain(|&ended| ended != id);
        self.forgotten.insert(id);
        self.forgotten_order.push_back(id);
        if self.forgotten_order.len() > FORGOTTEN
            && let Some(oldest) = self.forgotten_order.pop_front()
        {
            self.forgotten.remove(&oldest);
        }
    }

    /// Makes room for `bytes` more at the expense of calls that ended, oldest first; says whether there is enough now.
    fn strip_for(&mut self, bytes: usize) -> bool {
        for index in 0..self.ended.len() {
            if self.kept + bytes <= KEPT {
                break;
            }
            self.strip(self.ended[index]);
        }
        self.kept + bytes <= KEPT
    }

    /// Keeps of a call that ended only how it ended.
    fn strip(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let frames = std::mem::take(&mut call.frames);
        self.kept -= frames.iter().map(Kept::cost).sum::<usize>();
        let bytes: usize = frames.iter().map(|frame| frame.payload.len()).sum();
        call.output = 0;
        call.dropped += bytes as u64;
        call.gap = 0;
    }

    fn forget_oldest(&mut self) {
        if let Some(&oldest) = self.ended.front() {
            self.forget(oldest);
        }
    }
}

#[cfg(test)]
#[path = "remembered_tests.rs"]
mod tests;
