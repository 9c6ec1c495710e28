//! A session: its cell, its kernels and its line of calls.
//!
//! ```text
//!            opened            end, cell gone           destroyed
//!  Opening ──────────▶ Live ────────────────▶ Ending ─────────────▶ Ended
//!     │ end                                     ▲ │                   ▲
//!     └─────────────────────────────────────────┘ │ open failed       │
//!     └───────────────────────────────────────────┴───────────────────┘
//!
//!            turn             ready         execute             killed, exited,
//!  Vacant ──────────▶ Starting ────▶ Idle ──────────▶ Busy      the code left
//!    ▲                    │ failed     ▲      done      │
//!    └────────────────────┴────────────┴────────────────┴─────────────▶ Vacant
//! ```
//!
//! There is a slot for each runtime (Python, Node, Deno), and one line for all: calls run one at a time and in order,
//! whatever they are written in. A kernel that is no longer in its slot has no way back into it: what it still says is
//! about nobody.

use std::collections::{BTreeMap, VecDeque};

use environment::Runtime;
use protocol::{CallId, KernelId};

use super::call::{Input, Output, State, StopReason};
use super::slots::{Slot, Slots};
use super::words::{Action, Event, Present, Timer, Work};

/// How often a kernel is started for one call before the call is told that there is none.
const ATTEMPTS: u8 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Opening,
    Live,
    Ending,
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    Making,
    There,
    Destroying,
    Destroyed,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    state: State,
    work: Work,
    /// Whether a kernel was gone before the call came to it, once.
    unheard: bool,
}

/// A session.
#[derive(Debug)]
pub(crate) struct Machine {
    phase: Phase,
    cell: Cell,
    linked: bool,
    slots: Slots,
    last_kernel: u32,
    /// Calls that need a kernel, in order; the first one has its turn.
    line: VecDeque<CallId>,
    calls: BTreeMap<CallId, Entry>,
}

impl Machine {
    /// A session whose cell is being made.
    pub(crate) fn new() -> Machine {
        Machine {
            phase: Phase::Opening,
            cell: Cell::Making,
            linked: true,
            slots: Slots::new(),
            last_kernel: 0,
            line: VecDeque::new(),
            calls: BTreeMap::new(),
        }
    }

    /// Whether the session has ended; it takes nothing any more.
    pub(crate) fn ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// Whether the session ends, or has ended: what comes now is told so.
    pub(crate) fn ends(&self) -> bool {
        matches!(self.phase, Phase::Ending | Phase::Ended)
    }

    /// Calls that have not ended.
    pub(crate) fn calls(&self) -> usize {
        self.calls.len()
    }

    /// The first call in the line.
    pub(crate) fn first(&self) -> Option<CallId> {
        self.line.front().copied()
    }

    /// The session's kernels.
    pub(crate) fn kernels(&self) -> &Slots {
        &self.slots
    }

    /// The first call in the line, if it is one for this runtime.
    fn first_for(&self, runtime: Runtime) -> Option<CallId> {
        let needs = |call: &CallId| match self.calls.get(call).map(|entry| entry.work) {
            Some(Work::Code { runtime: ours, .. }) => ours == runtime,
            Some(Work::Command) | None => false,
        };
        self.first().filter(needs)
    }

    /// Takes an event; says what is to be done.
    pub(crate) fn step(&mut self, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.phase == Phase::Ended {
            return actions;
        }
        match event {
            Event::Opened => self.opened(),
            Event::OpenFailed => self.open_failed(&mut actions),
            Event::Submit { call, work } => self.submit(call, work, &mut actions),
            Event::KernelReady(kernel) => self.kernel_ready(kernel, &mut actions),
            Event::KernelFailed(kernel) => self.kernel_failed(kernel, &mut actions),
            Event::KernelExited(kernel) => self.kernel_exited(kernel, &mut actions),
            Event::Done { call, leaves } => self.done(call, leaves, &mut actions),
            Event::Unheard(call) => self.unheard(call, &mut actions),
            Event::CallExited(call) => self.call_exited(call, &mut actions),
            Event::Stop(call, reason) => self.feed(call, Input::Stop(reason), &mut actions),
            Event::Timer(call, timer) => self.feed(call, elapsed(timer), &mut actions),
            Event::Drained(call) => self.feed(call, Input::Drained, &mut actions),
            Event::LinkLost => self.link_lost(&mut actions),
            Event::Linked(present) => self.relinked(&present, &mut actions),
            Event::CellGone => self.cell_gone(&mut actions),
            Event::End => self.end(&mut actions),
            Event::Destroyed => self.destroyed(),
        }
        self.next_turn(&mut actions);
        self.end_when_empty(&mut actions);
        actions
    }

    fn opened(&mut self) {
        if self.cell == Cell::Making {
            self.cell = Cell::There;
            if self.phase == Phase::Opening {
                self.phase = Phase::Live;
            }
        }
    }

    fn open_failed(&mut self, actions: &mut Vec<Action>) {
        if self.cell == Cell::Making {
            self.cell = Cell::Destroyed;
            self.phase = Phase::Ending;
            self.feed_all(Input::Gone, actions);
        }
    }

    fn submit(&mut self, call: CallId, work: Work, actions: &mut Vec<Action>) {
        if self.calls.contains_key(&call) {
            return;
        }
        self.calls.insert(call, Entry { state: State::Queued, work, unheard: false });
        match (self.phase, work) {
            (Phase::Ending | Phase::Ended, _) => {
                self.feed(call, Input::Stop(StopReason::SessionEnds), actions);
            }
            (Phase::Opening | Phase::Live, Work::Code { .. }) => self.line.push_back(call),
            (Phase::Live, Work::Command) => self.feed(call, Input::Turn { ready: true }, actions),
            (Phase::Opening, Work::Command) => {}
        }
    }

    /// Gives the first in the line its turn, and commands that came before the cell theirs.
    fn next_turn(&mut self, actions: &mut Vec<Action>) {
        if self.phase != Phase::Live {
            return;
        }
        while let Some(command) = self.first_waiting_command() {
            self.feed(command, Input::Turn { ready: true }, actions);
        }
        let Some(&call) = self.line.front() else { return };
        let Some(Entry { state: State::Queued, work: Work::Code { runtime, fresh }, .. }) =
            self.calls.get(&call).copied()
        else {
            return;
        };
        if let (true, Slot::Idle(kernel)) = (fresh, self.slots.slot(runtime)) {
            actions.push(Action::KillKernel(kernel));
            self.slots.put(runtime, Slot::Vacant);
        }
        match self.slots.slot(runtime) {
            Slot::Vacant => {
                self.start_kernel(runtime, 0, actions);
                self.feed(call, Input::Turn { ready: false }, actions);
            }
            Slot::Starting { .. } => self.feed(call, Input::Turn { ready: false }, actions),
            Slot::Idle(_) => self.feed(call, Input::Turn { ready: true }, actions),
            // The call before it has been reported, and its kernel is being killed.
            Slot::Busy { .. } => {}
        }
    }

    fn first_waiting_command(&self) -> Option<CallId> {
        let waiting = |(call, entry): (&CallId, &Entry)| match (entry.work, entry.state) {
            (Work::Command, State::Queued) => Some(*call),
            _ => None,
        };
        self.calls.iter().find_map(waiting)
    }

    fn start_kernel(&mut self, runtime: Runtime, attempt: u8, actions: &mut Vec<Action>) {
        self.last_kernel += 1;
        let kernel = KernelId(self.last_kernel);
        self.slots.put(runtime, Slot::Starting { kernel, attempt });
        actions.push(Action::StartKernel { kernel, runtime, attempt });
    }

    fn kernel_ready(&mut self, kernel: KernelId, actions: &mut Vec<Action>) {
        let Some(runtime) = self.slots.runtime_of(kernel) else {
            // Given up on, and here after all.
            actions.push(Action::KillKernel(kernel));
            return;
        };
        if let Slot::Starting { .. } = self.slots.slot(runtime) {
            self.slots.put(runtime, Slot::Idle(kernel));
            if let Some(call) = self.first_for(runtime) {
                self.feed(call, Input::Ready, actions);
            }
        }
    }

    fn kernel_failed(&mut self, kernel: KernelId, actions: &mut Vec<Action>) {
        let Some(runtime) = self.slots.runtime_of(kernel) else { return };
        let Slot::Starting { attempt, .. } = self.slots.slot(runtime) else { return };
        self.slots.put(runtime, Slot::Vacant);
        let waiting = self.first_for(runtime).filter(|call| self.state(*call) == Some(State::Starting));
        match waiting {
            Some(_) if attempt + 1 < ATTEMPTS && self.phase == Phase::Live => {
                self.start_kernel(runtime, attempt + 1, actions);
            }
            Some(call) => self.feed(call, Input::Failed, actions),
            None => {}
        }
    }

    fn kernel_exited(&mut self, kernel: KernelId, actions: &mut Vec<Action>) {
        let Some(runtime) = self.slots.runtime_of(kernel) else { return };
        match self.slots.slot(runtime) {
            Slot::Busy { call, .. } => {
                self.slots.put(runtime, Slot::Vacant);
                self.feed(call, Input::Exited, actions);
            }
            Slot::Idle(_) => self.slots.put(runtime, Slot::Vacant),
            Slot::Starting { .. } => self.kernel_failed(kernel, actions),
            Slot::Vacant => {}
        }
    }

    fn done(&mut self, call: CallId, leaves: bool, actions: &mut Vec<Action>) {
        // What is being killed will die, whatever it said last.
        if matches!(self.state(call), Some(State::Killing(_))) {
            return;
        }
        if let Some((runtime, kernel)) = self.slots.busy_with(call) {
            self.slots.put(runtime, if leaves { Slot::Vacant } else { Slot::Idle(kernel) });
        }
        self.feed(call, Input::Done, actions);
    }

    /// Gives a call a new kernel in the place of the one that had gone: once, and then there is something else wrong.
    fn unheard(&mut self, call: CallId, actions: &mut Vec<Action>) {
        let Some(entry) = self.calls.get_mut(&call) else { return };
        if entry.work == Work::Command || std::mem::replace(&mut entry.unheard, true) {
            return self.call_exited(call, actions);
        }
        if let Some((runtime, kernel)) = self.slots.busy_with(call) {
            self.slots.put(runtime, Slot::Vacant);
            actions.push(Action::KillKernel(kernel));
            self.feed(call, Input::Unheard, actions);
            if self.state(call) == Some(State::Starting) {
                self.start_kernel(runtime, 0, actions);
            }
        }
    }

    fn call_exited(&mut self, call: CallId, actions: &mut Vec<Action>) {
        if let Some((runtime, kernel)) = self.slots.busy_with(call) {
            // Init does not know the call, so the kernel's state is anybody's guess.
            self.slots.put(runtime, Slot::Vacant);
            actions.push(Action::KillKernel(kernel));
        }
        self.feed(call, Input::Exited, actions);
    }

    fn link_lost(&mut self, actions: &mut Vec<Action>) {
        // Also one that had only just been made: nobody else would make another.
        if self.cell == Cell::There {
            self.linked = false;
            actions.push(Action::Reconnect);
        }
    }

    fn relinked(&mut self, present: &[Present], actions: &mut Vec<Action>) {
        if self.linked {
            return;
        }
        self.linked = true;
        let find = |kernel| present.iter().find(|each| each.kernel == kernel);
        for runtime in Runtime::ALL {
            match self.slots.slot(runtime) {
                Slot::Starting { kernel, .. } if find(kernel).is_some_and(|each| each.ready) => {
                    self.kernel_ready(kernel, actions);
                }
                Slot::Starting { kernel, attempt } => {
                    // Its descriptors may have been lost on the way.
                    actions.push(Action::KillKernel(kernel));
                    self.start_kernel(runtime, attempt, actions);
                }
                Slot::Idle(kernel) if find(kernel).is_none() => self.slots.put(runtime, Slot::Vacant),
                Slot::Busy { kernel, call }
                    if find(kernel).is_none() && matches!(self.state(call), Some(State::Killing(_))) =>
                {
                    self.kernel_exited(kernel, actions);
                }
                Slot::Vacant | Slot::Idle(_) | Slot::Busy { .. } => {}
            }
        }
        self.feed_all(Input::Relinked, actions);
    }

    fn cell_gone(&mut self, actions: &mut Vec<Action>) {
        if self.cell != Cell::There {
            return;
        }
        self.phase = Phase::Ending;
        self.slots = Slots::new();
        self.feed_all(Input::Gone, actions);
    }

    fn end(&mut self, actions: &mut Vec<Action>) {
        if matches!(self.phase, Phase::Opening | Phase::Live) {
            self.phase = Phase::Ending;
            self.feed_all(Input::Stop(StopReason::SessionEnds), actions);
        }
    }

    fn destroyed(&mut self) {
        if self.cell == Cell::Destroying {
            self.cell = Cell::Destroyed;
        }
    }

    fn end_when_empty(&mut self, actions: &mut Vec<Action>) {
        if self.phase != Phase::Ending || !self.calls.is_empty() {
            return;
        }
        match self.cell {
            Cell::Making | Cell::Destroying => {}
            Cell::There => {
                self.cell = Cell::Destroying;
                actions.push(Action::Destroy);
            }
            Cell::Destroyed => self.phase = Phase::Ended,
        }
    }

    fn state(&self, call: CallId) -> Option<State> {
        self.calls.get(&call).map(|entry| entry.state)
    }

    fn feed_all(&mut self, input: Input, actions: &mut Vec<Action>) {
        let calls: Vec<CallId> = self.calls.keys().copied().collect();
        for call in calls {
            self.feed(call, input, actions);
        }
    }

    /// Lets something happen to a call, and turns what it wants into actions.
    fn feed(&mut self, call: CallId, input: Input, actions: &mut Vec<Action>) {
        let Some(entry) = self.calls.get_mut(&call) else { return };
        let work = entry.work;
        let (next, outputs) = entry.state.step(input);
        entry.state = next;
        for output in outputs {
            match output {
                Output::Send => self.send(call, work, actions),
                Output::ArmLimit => actions.push(Action::Arm(call, Timer::Limit)),
                Output::Interrupt => actions.push(Action::Interrupt(call)),
                Output::ArmGrace => {
                    actions.push(Action::Arm(call, Timer::Nudge));
                    actions.push(Action::Arm(call, Timer::Grace));
                }
                Output::Kill => self.kill(call, work, actions),
                Output::ArmOverdue => actions.push(Action::Arm(call, Timer::Overdue)),
                Output::Abandon => self.cell_gone(actions),
                Output::Drain(ending) => actions.push(Action::Drain(call, ending)),
                Output::Finish => {
                    self.calls.remove(&call);
                    self.line.retain(|each| *each != call);
                    actions.push(Action::Finish(call));
                }
            }
        }
    }

    fn send(&mut self, call: CallId, work: Work, actions: &mut Vec<Action>) {
        let Work::Code { runtime, .. } = work else {
            actions.push(Action::StartCommand(call));
            return;
        };
        match self.slots.slot(runtime) {
            Slot::Idle(kernel) => {
                self.slots.put(runtime, Slot::Busy { kernel, call });
                actions.push(Action::Execute { kernel, call });
            }
            Slot::Busy { kernel, call: ours } if ours == call => {
                actions.push(Action::Execute { kernel, call });
            }
            Slot::Vacant | Slot::Starting { .. } | Slot::Busy { .. } => {
                unreachable!("a call runs only in the kernel that is its own")
            }
        }
    }

    fn kill(&mut self, call: CallId, work: Work, actions: &mut Vec<Action>) {
        match (work, self.slots.busy_with(call)) {
            (Work::Command, _) => actions.push(Action::KillCommand(call)),
            (Work::Code { .. }, Some((_, kernel))) => actions.push(Action::KillKernel(kernel)),
            (Work::Code { .. }, None) => unreachable!("a call that is being killed holds its kernel"),
        }
    }
}

fn elapsed(timer: Timer) -> Input {
    match timer {
        Timer::Limit => Input::Stop(StopReason::TimedOut),
        Timer::Nudge => Input::Nudge,
        Timer::Grace => Input::GraceOver,
        Timer::Overdue => Input::Overdue,
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
