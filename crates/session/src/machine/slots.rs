//! A session's kernels: one at most for each runtime.

use environment::Runtime;
use protocol::{CallId, KernelId};

/// One runtime's kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// There is none.
    Vacant,
    /// It is being started, for the first or the second time.
    Starting { kernel: KernelId, attempt: u8 },
    /// It is ready.
    Idle(KernelId),
    /// It runs this call.
    Busy { kernel: KernelId, call: CallId },
}

/// What there is of kernels, by [`Runtime`].
#[derive(Debug)]
pub(crate) struct Slots([Slot; Runtime::ALL.len()]);

impl Slots {
    /// No kernel.
    pub(super) fn new() -> Slots {
        Slots([Slot::Vacant; Runtime::ALL.len()])
    }

    /// The call that runs in this kernel.
    pub(crate) fn call_in(&self, kernel: KernelId) -> Option<CallId> {
        self.0.iter().find_map(|slot| match slot {
            Slot::Busy { kernel: ours, call } if *ours == kernel => Some(*call),
            _ => None,
        })
    }

    /// The kernel that runs this call; none, if no kernel does.
    pub(crate) fn of(&self, call: CallId) -> KernelId {
        self.busy_with(call).map_or(KernelId::NONE, |(_, kernel)| kernel)
    }

    /// A kernel that is ready to run code or runs it: this one if it is one, else any.
    pub(crate) fn live(&self, preferred: KernelId) -> Option<KernelId> {
        let live = |slot: &Slot| match slot {
            Slot::Vacant | Slot::Starting { .. } => None,
            Slot::Idle(kernel) | Slot::Busy { kernel, .. } => Some(*kernel),
        };
        let mut all = self.0.iter().filter_map(live);
        let first = all.next();
        if first == Some(preferred) || all.any(|kernel| kernel == preferred) {
            Some(preferred)
        } else {
            first
        }
    }

    /// Whether this kernel is the one that is being started.
    pub(crate) fn is_starting(&self, kernel: KernelId) -> bool {
        self.0.iter().any(|slot| matches!(slot, Slot::Starting { kernel: ours, .. } if *ours == kernel))
    }

    /// Whether this kernel is the session's.
    pub(crate) fn has(&self, kernel: KernelId) -> bool {
        self.runtime_of(kernel).is_some()
    }

    /// What this kernel of the session is.
    pub(crate) fn runtime_of(&self, kernel: KernelId) -> Option<Runtime> {
        Runtime::ALL.into_iter().find(|&runtime| match self.slot(runtime) {
            Slot::Vacant => false,
            Slot::Starting { kernel: ours, .. } | Slot::Idle(ours) | Slot::Busy { kernel: ours, .. } => {
                ours == kernel
            }
        })
    }

    /// What is in this runtime's slot.
    pub(super) fn slot(&self, runtime: Runtime) -> Slot {
        self.0[runtime as usize]
    }

    /// Puts something there.
    pub(super) fn put(&mut self, runtime: Runtime, slot: Slot) {
        self.0[runtime as usize] = slot;
    }

    /// Where this call runs.
    pub(super) fn busy_with(&self, call: CallId) -> Option<(Runtime, KernelId)> {
        Runtime::ALL.into_iter().find_map(|runtime| match self.slot(runtime) {
            Slot::Busy { kernel, call: ours } if ours == call => Some((runtime, kernel)),
            _ => None,
        })
    }
}
