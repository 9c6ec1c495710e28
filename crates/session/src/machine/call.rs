//! One tool call.
//!
//! ```text
//!           its turn, no kernel           ready
//!  Queued ──────────────────────▶ Starting ───▶ Running ──────────────────┐
//!   │  │       its turn                │          ▲  │ stop               │
//!   │  └───────────────────────────────┼──────────┘  ▼                    │ done
//!   │                                  │        Interrupting ─────────────┤ exited
//!   │                                  │             │ grace over         │ gone
//!   │                                  │             ▼                    │
//!   │ stop, gone                       │          Killing ────────────────┤ overdue
//!   │                     stop, failed │                                  │
//!   └──────────────────────────────────┴──────▶ Draining ◀────────────────┘
//!                                                  │ drained
//!                                                  ▼
//!                                                Ended
//! ```
//!
//! Whoever stops a call (the clock, the client, a full disk, the end of the session) takes the way through
//! `Interrupting`; the first reason is the one that is told. A call whose kernel had gone before it came there never
//! ran: it goes back from `Running` to `Starting`. In `Draining` the last output is being stored and the
//! evidence of how it ended is read.

/// Why a call is made to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// Its time is up.
    TimedOut,
    /// The client asked.
    Client,
    /// The cell's disk limit was reached.
    Disk,
    /// The session ends.
    SessionEnds,
}

/// Which event ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// It was stopped before it ran.
    NeverRan,
    /// No kernel could be started for it.
    NoKernel,
    /// The kernel reported its end.
    Done,
    /// The kernel, or the command, ended.
    Exited,
    /// The cell ended.
    CellGone,
    /// It was killed, and nobody heard that it died.
    Overdue,
}

/// All that the machine knows of a call's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ending {
    /// Which event ended it.
    pub(crate) how: How,
    /// Why it was made to stop, if it was.
    pub(crate) stop: Option<StopReason>,
    /// Whether it was killed, because the interrupt did not suffice.
    pub(crate) killed: bool,
}

/// Where a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It waits for its turn.
    Queued,
    /// A kernel is being started for it.
    Starting,
    /// It runs.
    Running,
    /// It was asked to stop.
    Interrupting(StopReason),
    /// It is being killed.
    Killing(StopReason),
    /// It has ended, and its last output is being stored.
    Draining(Ending),
    /// It has been reported.
    Ended,
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// Its turn has come.
    Turn {
        /// Whether what it runs in is there.
        ready: bool,
    },
    /// Its kernel is ready.
    Ready,
    /// No kernel could be started.
    Failed,
    /// The kernel reported its end.
    Done,
    /// Its kernel, or it itself, has exited.
    Exited,
    /// Its kernel had gone before it came.
    Unheard,
    /// It is to stop.
    Stop(StopReason),
    /// A part of the grace period is over.
    Nudge,
    /// The grace period is over.
    GraceOver,
    /// What was killed should have been gone long ago.
    Overdue,
    /// The connection to init is back.
    Relinked,
    /// The cell has ended.
    Gone,
    /// The last output is stored.
    Drained,
}

/// What is to be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// Send it to init.
    Send,
    /// Begin to count its time.
    ArmLimit,
    /// Interrupt it.
    Interrupt,
    /// Begin to count the grace period.
    ArmGrace,
    /// Kill it.
    Kill,
    /// Begin to count until it must be gone.
    ArmOverdue,
    /// Give up the cell: it does not do what it is told.
    Abandon,
    /// Store the last output and read the evidence.
    Drain(Ending),
    /// Report it.
    Finish,
}

impl State {
    /// The next state, and what is to be done. Events that come too late, or mean nothing here, change nothing.
    #[expect(
        clippy::too_many_lines,
        reason = "every state meets every event here, and none is left to a wildcard"
    )]
    pub(super) fn step(self, input: Input) -> (State, Vec<Output>) {
        use State::{Draining, Ended, Interrupting, Killing, Queued, Running, Starting};
        match (self, input) {
            // What was never heard has not begun: a new kernel may have it.
            (Queued, Input::Turn { ready: false }) | (Running, Input::Unheard) => (Starting, vec![]),
            (Queued, Input::Turn { ready: true }) | (Starting, Input::Ready) => {
                (Running, vec![Output::Send, Output::ArmLimit])
            }
            (Queued | Starting, Input::Stop(stop)) | (Interrupting(stop), Input::Unheard) => {
                drain(How::NeverRan, Some(stop), false)
            }
            (Starting, Input::Failed) => drain(How::NoKernel, None, false),

            (Running, Input::Done) => drain(How::Done, None, false),
            (Running, Input::Exited) => drain(How::Exited, None, false),
            (Queued | Starting | Running, Input::Gone) => drain(How::CellGone, None, false),
            (Running, Input::Stop(stop)) => (Interrupting(stop), vec![Output::Interrupt, Output::ArmGrace]),
            (Running, Input::Relinked) => (Running, vec![Output::Send]),

            (Interrupting(stop), Input::Done) => drain(How::Done, Some(stop), false),
            (Interrupting(stop), Input::Exited) => drain(How::Exited, Some(stop), false),
            (Interrupting(stop), Input::Gone) => drain(How::CellGone, Some(stop), false),
            // The first one may have come before the kernel had begun, or a moment before the code went to sleep.
            (Interrupting(stop), Input::Nudge) => (Interrupting(stop), vec![Output::Interrupt]),
            (Interrupting(stop), Input::GraceOver) => (Killing(stop), vec![Output::Kill, Output::ArmOverdue]),
            (Interrupting(stop), Input::Relinked) => {
                (Interrupting(stop), vec![Output::Send, Output::Interrupt])
            }

            (Killing(stop), Input::Exited | Input::Unheard) => drain(How::Exited, Some(stop), true),
            (Killing(stop), Input::Gone) => drain(How::CellGone, Some(stop), true),
            (Killing(stop), Input::Relinked) => (Killing(stop), vec![Output::Kill]),
            (Killing(stop), Input::Overdue) => {
                let (next, mut outputs) = drain(How::Overdue, Some(stop), true);
                outputs.push(Output::Abandon);
                (next, outputs)
            }

            (Draining(_), Input::Drained) => (Ended, vec![Output::Finish]),

            (
                Queued,
                Input::Ready
                | Input::Failed
                | Input::Done
                | Input::Exited
                | Input::Unheard
                | Input::Nudge
                | Input::GraceOver
                | Input::Overdue
                | Input::Relinked
                | Input::Drained,
            )
            | (
                Starting,
                Input::Turn { .. }
                | Input::Done
                | Input::Exited
                | Input::Unheard
                | Input::Nudge
                | Input::GraceOver
                | Input::Overdue
                | Input::Relinked
                | Input::Drained,
            )
            | (
                Running,
                Input::Turn { .. }
                | Input::Ready
                | Input::Failed
                | Input::Nudge
                | Input::GraceOver
                | Input::Overdue
                | Input::Drained,
            )
            | (
                Interrupting(_),
                Input::Turn { .. }
                | Input::Ready
                | Input::Failed
                | Input::Stop(_)
                | Input::Overdue
                | Input::Drained,
            )
            | (
                Killing(_),
                // A report that crossed the kill on its way: the kernel dies all the same.
                Input::Done
                | Input::Turn { .. }
                | Input::Ready
                | Input::Failed
                | Input::Stop(_)
                | Input::Nudge
                | Input::GraceOver
                | Input::Drained,
            )
            | (
                Draining(_),
                Input::Turn { .. }
                | Input::Ready
                | Input::Failed
                | Input::Done
                | Input::Exited
                | Input::Unheard
                | Input::Stop(_)
                | Input::Nudge
                | Input::GraceOver
                | Input::Overdue
                | Input::Relinked
                | Input::Gone,
            )
            | (Ended, _) => (self, vec![]),
        }
    }
}

fn drain(how: How, stop: Option<StopReason>, killed: bool) -> (State, Vec<Output>) {
    let ending = Ending { how, stop, killed };
    (State::Draining(ending), vec![Output::Drain(ending)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn input() -> impl Strategy<Value = Input> {
        prop_oneof![
            any::<bool>().prop_map(|ready| Input::Turn { ready }),
            Just(Input::Ready),
            Just(Input::Failed),
            Just(Input::Done),
            Just(Input::Exited),
            Just(Input::Unheard),
            prop_oneof![
                Just(StopReason::TimedOut),
                Just(StopReason::Client),
                Just(StopReason::Disk),
                Just(StopReason::SessionEnds)
            ]
            .prop_map(Input::Stop),
            Just(Input::Nudge),
            Just(Input::GraceOver),
            Just(Input::Overdue),
            Just(Input::Relinked),
            Just(Input::Gone),
            Just(Input::Drained),
        ]
    }

    proptest! {
        #[test]
        fn any_order_ends_in_one_report_and_then_silence(inputs in prop::collection::vec(input(), 0..40)) {
            let mut state = State::Queued;
            let (mut drains, mut finishes) = (0, 0);
            // Whatever came before, the end of the cell and of the last output end the call.
            for input in inputs.into_iter().chain([Input::Gone, Input::Drained, Input::Stop(StopReason::Client)]) {
                let ended = state == State::Ended;
                let (next, outputs) = state.step(input);
                prop_assert!(!ended || outputs.is_empty());
                drains += outputs.iter().filter(|o| matches!(o, Output::Drain(_))).count();
                finishes += outputs.iter().filter(|o| matches!(o, Output::Finish)).count();
                prop_assert!(finishes <= drains);
                state = next;
            }
            prop_assert_eq!((state, drains, finishes), (State::Ended, 1, 1));
        }

        #[test]
        fn the_first_reason_is_the_one_that_is_told(inputs in prop::collection::vec(input(), 0..40)) {
            let mut state = State::Queued;
            let mut first = None;
            for input in inputs {
                let taken = matches!(state, State::Queued | State::Starting | State::Running);
                if let (true, None, Input::Stop(reason)) = (taken, first, input) {
                    first = Some(reason);
                }
                state = state.step(input).0;
                if let State::Draining(ending) = state {
                    prop_assert_eq!(ending.stop, first);
                    prop_assert!(!ending.killed || first.is_some());
                    break;
                }
            }
        }
    }

    #[test]
    fn a_stubborn_call_is_interrupted_twice_and_then_killed() {
        let mut state = State::Queued;
        let mut outputs = Vec::new();
        for input in [
            Input::Turn { ready: true },
            Input::Stop(StopReason::TimedOut),
            Input::Nudge,
            Input::GraceOver,
            Input::Done,
            Input::Exited,
            Input::Drained,
        ] {
            let (next, more) = state.step(input);
            state = next;
            outputs.extend(more);
        }
        let ending = Ending { how: How::Exited, stop: Some(StopReason::TimedOut), killed: true };
        assert_eq!(
            outputs,
            [
                Output::Send,
                Output::ArmLimit,
                Output::Interrupt,
                Output::ArmGrace,
                Output::Interrupt,
                Output::Kill,
                Output::ArmOverdue,
                Output::Drain(ending),
                Output::Finish
            ]
        );
    }
}
