//! What a session's machine hears and says.

use environment::Runtime;
use protocol::{CallId, KernelId};

use super::call::{Ending, StopReason};

/// What a call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Code, in one of the session's kernels.
    Code {
        /// Which one.
        runtime: Runtime,
        /// Whether the kernel must be a new one.
        fresh: bool,
    },
    /// A command, beside everything else.
    Command,
}

/// A kernel that init named when the connection came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Present {
    /// Which.
    pub(crate) kernel: KernelId,
    /// Whether it is ready.
    pub(crate) ready: bool,
}

/// A clock that runs for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// Until its time is up.
    Limit,
    /// Until it is interrupted once more: a part of the grace period.
    Nudge,
    /// Until the grace period is over.
    Grace,
    /// Until what was killed must be gone.
    Overdue,
}

/// What happens to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// The cell is made and its init has answered.
    Opened,
    /// There is no cell.
    OpenFailed,
    /// A call has come.
    Submit { call: CallId, work: Work },
    /// A kernel is ready.
    KernelReady(KernelId),
    /// A kernel could not be started.
    KernelFailed(KernelId),
    /// A kernel has exited.
    KernelExited(KernelId),
    /// A kernel reported the end of a call.
    Done {
        /// Which call.
        call: CallId,
        /// Whether the code ended the interpreter.
        leaves: bool,
    },
    /// A command has exited, or init does not know the call (any more).
    CallExited(CallId),
    /// The kernel that a call was sent to had gone before: the code did not begin.
    Unheard(CallId),
    /// Somebody wants a call to stop.
    Stop(CallId, StopReason),
    /// A clock ran out.
    Timer(CallId, Timer),
    /// The last output of a call is stored.
    Drained(CallId),
    /// The connection to init broke.
    LinkLost,
    /// It is back, and this lives in the cell.
    Linked(Vec<Present>),
    /// The cell has ended.
    CellGone,
    /// The session is to end.
    End,
    /// Nothing is left of the cell.
    Destroyed,
}

/// What is to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Start a kernel. A second attempt takes the way that needs least.
    StartKernel { kernel: KernelId, runtime: Runtime, attempt: u8 },
    /// Send code to a kernel.
    Execute { kernel: KernelId, call: CallId },
    /// Send a command to init.
    StartCommand(CallId),
    /// Interrupt a call.
    Interrupt(CallId),
    /// Kill a kernel and what belongs to it.
    KillKernel(KernelId),
    /// Kill a command and what belongs to it.
    KillCommand(CallId),
    /// Start a clock.
    Arm(CallId, Timer),
    /// Store the last output and read the evidence, then say [`Event::Drained`].
    Drain(CallId, Ending),
    /// Report a call.
    Finish(CallId),
    /// Connect to init again.
    Reconnect,
    /// End the cell and remove what it leaves, then say [`Event::Destroyed`].
    Destroy,
}
