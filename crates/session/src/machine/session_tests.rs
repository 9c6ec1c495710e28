//! Any order of events, and then the stories that the orders must tell.

use std::collections::{BTreeMap, BTreeSet};

use super::super::call::{Ending, How};
use super::*;
use proptest::prelude::*;

/// Plays the world for a machine: keeps what is due, and holds every invariant at every step.
#[derive(Default)]
struct World {
    submitted: BTreeSet<CallId>,
    executed: Vec<CallId>,
    order: Vec<CallId>,
    finished: BTreeMap<CallId, u32>,
    endings: BTreeMap<CallId, Ending>,
    destroys: u32,
    kernels: BTreeSet<KernelId>,
}

impl World {
    fn take(&mut self, machine: &mut Machine, event: Event) -> Vec<Action> {
        if let Event::Submit { call, work } = event
            && !machine.ended()
        {
            // The session's task never gives an id that was used before.
            if self.finished.contains_key(&call) {
                return Vec::new();
            }
            if self.submitted.insert(call) && matches!(work, Work::Code { .. }) {
                self.order.push(call);
            }
        }
        let ended = machine.ended();
        let actions = machine.step(event);
        assert!(!ended || actions.is_empty(), "something was asked for after the end");
        for action in &actions {
            match action {
                Action::StartKernel { kernel, .. } => {
                    assert!(self.kernels.insert(*kernel), "a kernel's id was used twice");
                }
                Action::Execute { call, .. } if self.executed.last() != Some(call) => {
                    let before = self.executed.last().copied();
                    assert!(
                        before.is_none_or(|before| self.finished.contains_key(&before)),
                        "two calls ran in the kernel at once"
                    );
                    self.executed.push(*call);
                }
                Action::Drain(call, ending) => {
                    assert!(self.endings.insert(*call, *ending).is_none(), "a call ended twice");
                }
                Action::Finish(call) => {
                    *self.finished.entry(*call).or_default() += 1;
                    assert!(self.endings.contains_key(call), "a call was reported before it ended");
                }
                Action::Destroy => {
                    self.destroys += 1;
                    assert_eq!(machine.calls(), 0, "the cell was destroyed under a call");
                }
                _ => {}
            }
        }
        actions
    }

    /// Ends the session as a good driver does, and checks what must then be true.
    fn finish(mut self, mut machine: Machine) {
        let mut due: VecDeque<Event> = [Event::Opened, Event::End].into();
        let mut rounds = 0;
        while !machine.ended() {
            rounds += 1;
            assert!(rounds < 10_000, "the session does not end: {machine:?}");
            let event = due.pop_front().unwrap_or(Event::CellGone);
            for action in self.take(&mut machine, event) {
                match action {
                    Action::KillKernel(kernel) => due.push_back(Event::KernelExited(kernel)),
                    Action::KillCommand(call) => due.push_back(Event::CallExited(call)),
                    Action::Drain(call, _) => due.push_back(Event::Drained(call)),
                    Action::Destroy => due.push_back(Event::Destroyed),
                    Action::Arm(call, timer) => due.push_back(Event::Timer(call, timer)),
                    _ => {}
                }
            }
            // What was left undrained by the random part is drained now.
            if due.is_empty() {
                let open: Vec<CallId> = machine.calls.keys().copied().collect();
                due.extend(open.into_iter().map(Event::Drained));
                due.push_back(if machine.cell == Cell::Destroying {
                    Event::Destroyed
                } else {
                    Event::CellGone
                });
            }
        }
        for call in &self.submitted {
            assert_eq!(self.finished.get(call), Some(&1), "call {call} must be reported exactly once");
        }
        assert!(self.destroys <= 1);
        let ran: Vec<CallId> =
            self.order.iter().copied().filter(|call| self.executed.contains(call)).collect();
        assert_eq!(self.executed, ran, "calls must run in the order in which they came");
    }
}

fn call() -> impl Strategy<Value = CallId> {
    (1u128..6).prop_map(CallId)
}

fn kernel() -> impl Strategy<Value = KernelId> {
    (1u32..6).prop_map(KernelId)
}

fn runtime() -> impl Strategy<Value = Runtime> {
    prop_oneof![2 => Just(Runtime::Python), 1 => Just(Runtime::Node), 1 => Just(Runtime::Deno)]
}

fn event() -> impl Strategy<Value = Event> {
    let stop = prop_oneof![
        Just(StopReason::TimedOut),
        Just(StopReason::Client),
        Just(StopReason::Disk),
        Just(StopReason::SessionEnds)
    ];
    let timer = prop_oneof![Just(Timer::Limit), Just(Timer::Nudge), Just(Timer::Grace), Just(Timer::Overdue)];
    let work = prop_oneof![
        3 => (runtime(), any::<bool>()).prop_map(|(runtime, fresh)| Work::Code { runtime, fresh }),
        1 => Just(Work::Command)
    ];
    let present = prop::collection::vec(
        (kernel(), any::<bool>()).prop_map(|(kernel, ready)| Present { kernel, ready }),
        0..4,
    );
    prop_oneof![
        2 => Just(Event::Opened),
        1 => Just(Event::OpenFailed),
        6 => (call(), work).prop_map(|(call, work)| Event::Submit { call, work }),
        5 => kernel().prop_map(Event::KernelReady),
        2 => kernel().prop_map(Event::KernelFailed),
        2 => kernel().prop_map(Event::KernelExited),
        5 => (call(), any::<bool>()).prop_map(|(call, leaves)| Event::Done { call, leaves }),
        2 => call().prop_map(Event::CallExited),
        2 => call().prop_map(Event::Unheard),
        3 => (call(), stop).prop_map(|(call, stop)| Event::Stop(call, stop)),
        4 => (call(), timer).prop_map(|(call, timer)| Event::Timer(call, timer)),
        6 => call().prop_map(Event::Drained),
        1 => Just(Event::LinkLost),
        2 => present.prop_map(Event::Linked),
        1 => Just(Event::CellGone),
        1 => Just(Event::End),
        1 => Just(Event::Destroyed),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_order_of_events_keeps_every_invariant(events in prop::collection::vec(event(), 0..80)) {
        let mut machine = Machine::new();
        let mut world = World::default();
        for event in events {
            world.take(&mut machine, event);
        }
        world.finish(machine);
    }

    /// As above, but the cell is there and works: the deep states are reached far more often.
    #[test]
    fn any_order_in_a_live_cell_keeps_every_invariant(
        events in prop::collection::vec(event().prop_filter("keeps the session open", |event| {
            !matches!(event, Event::CellGone | Event::End | Event::OpenFailed | Event::Destroyed)
        }), 0..120)
    ) {
        let mut machine = Machine::new();
        let mut world = World::default();
        world.take(&mut machine, Event::Opened);
        for event in events {
            world.take(&mut machine, event);
        }
        world.finish(machine);
    }
}

const A: CallId = CallId(0xa);
const B: CallId = CallId(0xb);
const FIRST: KernelId = KernelId(1);
const SECOND: KernelId = KernelId(2);

fn code(call: CallId) -> Event {
    Event::Submit { call, work: Work::Code { runtime: Runtime::Python, fresh: false } }
}

fn live() -> Machine {
    let mut machine = Machine::new();
    machine.step(Event::Opened);
    machine
}

/// A session whose first kernel is idle.
fn idle() -> Machine {
    let mut machine = live();
    machine.step(code(A));
    machine.step(Event::KernelReady(FIRST));
    machine.step(Event::Done { call: A, leaves: false });
    machine.step(Event::Drained(A));
    machine
}

#[test]
fn the_first_call_starts_a_kernel_and_the_second_does_not() {
    let mut machine = live();
    assert_eq!(
        machine.step(code(A)),
        [Action::StartKernel { kernel: FIRST, runtime: Runtime::Python, attempt: 0 }]
    );
    assert_eq!(machine.step(code(B)), []);
    assert_eq!(
        machine.step(Event::KernelReady(FIRST)),
        [Action::Execute { kernel: FIRST, call: A }, Action::Arm(A, Timer::Limit)]
    );
    let done = Ending { how: How::Done, stop: None, killed: false };
    assert_eq!(machine.step(Event::Done { call: A, leaves: false }), [Action::Drain(A, done)]);
    assert_eq!(
        machine.step(Event::Drained(A)),
        [Action::Finish(A), Action::Execute { kernel: FIRST, call: B }, Action::Arm(B, Timer::Limit)]
    );
}

#[test]
fn code_that_left_gets_a_fresh_kernel_next_time() {
    let mut machine = live();
    machine.step(code(A));
    machine.step(Event::KernelReady(FIRST));
    machine.step(Event::Done { call: A, leaves: true });
    machine.step(Event::Drained(A));
    assert_eq!(machine.step(Event::KernelExited(FIRST)), []);
    assert_eq!(
        machine.step(code(B)),
        [Action::StartKernel { kernel: SECOND, runtime: Runtime::Python, attempt: 0 }]
    );
}

#[test]
fn a_fresh_context_kills_the_kernel_that_is_there() {
    let mut machine = idle();
    let fresh = Event::Submit { call: B, work: Work::Code { runtime: Runtime::Python, fresh: true } };
    assert_eq!(
        machine.step(fresh),
        [
            Action::KillKernel(FIRST),
            Action::StartKernel { kernel: SECOND, runtime: Runtime::Python, attempt: 0 }
        ]
    );
    assert_eq!(machine.step(Event::KernelExited(FIRST)), []);
}

#[test]
fn a_kernel_that_dies_between_calls_is_replaced() {
    let mut machine = idle();
    assert_eq!(machine.step(Event::KernelExited(FIRST)), []);
    assert_eq!(
        machine.step(code(B)),
        [Action::StartKernel { kernel: SECOND, runtime: Runtime::Python, attempt: 0 }]
    );
}

#[test]
fn a_call_that_no_kernel_heard_gets_another_one_once() {
    let mut machine = idle();
    machine.step(code(B));
    assert_eq!(
        machine.step(Event::Unheard(B)),
        [
            Action::KillKernel(FIRST),
            Action::StartKernel { kernel: SECOND, runtime: Runtime::Python, attempt: 0 }
        ]
    );
    assert_eq!(machine.step(Event::KernelExited(FIRST)), []);
    assert_eq!(
        machine.step(Event::KernelReady(SECOND)),
        [Action::Execute { kernel: SECOND, call: B }, Action::Arm(B, Timer::Limit)]
    );
    let exited = Ending { how: How::Exited, stop: None, killed: false };
    assert_eq!(machine.step(Event::Unheard(B)), [Action::KillKernel(SECOND), Action::Drain(B, exited)]);
}

#[test]
fn a_call_that_no_kernel_heard_can_be_stopped() {
    let mut machine = idle();
    machine.step(code(B));
    machine.step(Event::Stop(B, StopReason::Client));
    let never = Ending { how: How::NeverRan, stop: Some(StopReason::Client), killed: false };
    assert_eq!(machine.step(Event::Unheard(B)), [Action::KillKernel(FIRST), Action::Drain(B, never)]);
}

#[test]
fn a_start_that_fails_is_tried_once_more_and_then_told() {
    let mut machine = live();
    machine.step(code(A));
    assert_eq!(
        machine.step(Event::KernelFailed(FIRST)),
        [Action::StartKernel { kernel: SECOND, runtime: Runtime::Python, attempt: 1 }]
    );
    let none = Ending { how: How::NoKernel, stop: None, killed: false };
    assert_eq!(machine.step(Event::KernelExited(SECOND)), [Action::Drain(A, none)]);
    machine.step(Event::Drained(A));
    assert_eq!(
        machine.step(code(B)),
        [Action::StartKernel { kernel: KernelId(3), runtime: Runtime::Python, attempt: 0 }]
    );
}

#[test]
fn a_kernel_whose_call_was_stopped_waits_for_the_next() {
    let mut machine = live();
    machine.step(code(A));
    let never = Ending { how: How::NeverRan, stop: Some(StopReason::Client), killed: false };
    assert_eq!(machine.step(Event::Stop(A, StopReason::Client)), [Action::Drain(A, never)]);
    machine.step(Event::Drained(A));
    assert_eq!(machine.step(Event::KernelReady(FIRST)), []);
    assert_eq!(
        machine.step(code(B)),
        [Action::Execute { kernel: FIRST, call: B }, Action::Arm(B, Timer::Limit)]
    );
}

#[test]
fn commands_run_beside_code() {
    let mut machine = live();
    machine.step(code(A));
    machine.step(Event::KernelReady(FIRST));
    let command = Event::Submit { call: B, work: Work::Command };
    assert_eq!(machine.step(command), [Action::StartCommand(B), Action::Arm(B, Timer::Limit)]);
    let exited = Ending { how: How::Exited, stop: None, killed: false };
    assert_eq!(machine.step(Event::CallExited(B)), [Action::Drain(B, exited)]);
    assert_eq!(machine.step(Event::Drained(B)), [Action::Finish(B)]);
}

#[test]
fn a_running_call_is_sent_again_when_the_connection_is_back() {
    let mut machine = live();
    machine.step(code(A));
    machine.step(Event::KernelReady(FIRST));
    assert_eq!(machine.step(Event::LinkLost), [Action::Reconnect]);
    // One that is lost before it has told anything is made once more.
    assert_eq!(machine.step(Event::LinkLost), [Action::Reconnect]);
    let present = vec![Present { kernel: FIRST, ready: true }];
    assert_eq!(machine.step(Event::Linked(present)), [Action::Execute { kernel: FIRST, call: A }]);
}

#[test]
fn an_end_takes_the_way_of_every_other_stop() {
    let mut machine = live();
    machine.step(code(A));
    machine.step(code(B));
    machine.step(Event::KernelReady(FIRST));
    let never = Ending { how: How::NeverRan, stop: Some(StopReason::SessionEnds), killed: false };
    assert_eq!(
        machine.step(Event::End),
        [
            Action::Interrupt(A),
            Action::Arm(A, Timer::Nudge),
            Action::Arm(A, Timer::Grace),
            Action::Drain(B, never)
        ]
    );
    machine.step(Event::Drained(B));
    assert_eq!(
        machine.step(Event::Timer(A, Timer::Grace)),
        [Action::KillKernel(FIRST), Action::Arm(A, Timer::Overdue)]
    );
    machine.step(Event::KernelExited(FIRST));
    assert_eq!(machine.step(Event::Drained(A)), [Action::Finish(A), Action::Destroy]);
    assert_eq!(machine.step(Event::Destroyed), []);
    assert!(machine.ended());
}

#[test]
fn what_cannot_be_killed_takes_the_cell_with_it() {
    let mut machine = live();
    machine.step(code(A));
    machine.step(Event::KernelReady(FIRST));
    machine.step(Event::Stop(A, StopReason::TimedOut));
    machine.step(Event::Timer(A, Timer::Grace));
    let overdue = Ending { how: How::Overdue, stop: Some(StopReason::TimedOut), killed: true };
    assert_eq!(machine.step(Event::Timer(A, Timer::Overdue)), [Action::Drain(A, overdue)]);
    assert_eq!(machine.step(Event::Drained(A)), [Action::Finish(A), Action::Destroy]);
}

#[test]
fn each_runtime_has_a_kernel_of_its_own_and_one_line_serves_all() {
    let in_node = |call, fresh| Event::Submit { call, work: Work::Code { runtime: Runtime::Node, fresh } };
    let mut machine = idle();
    // Python's kernel is idle, and of no use to Node.
    assert_eq!(
        machine.step(in_node(B, false)),
        [Action::StartKernel { kernel: SECOND, runtime: Runtime::Node, attempt: 0 }]
    );
    // Python's next call waits its turn, though its own kernel is there.
    let c = CallId(0xc);
    assert_eq!(machine.step(code(c)), []);
    assert!(machine.step(Event::KernelReady(SECOND)).contains(&Action::Execute { kernel: SECOND, call: B }));
    machine.step(Event::Done { call: B, leaves: false });
    assert!(machine.step(Event::Drained(B)).contains(&Action::Execute { kernel: FIRST, call: c }));
    machine.step(Event::Done { call: c, leaves: false });
    machine.step(Event::Drained(c));
    // A fresh one for Node costs Python nothing.
    let d = CallId(0xd);
    let third = KernelId(3);
    assert_eq!(
        machine.step(in_node(d, true)),
        [
            Action::KillKernel(SECOND),
            Action::StartKernel { kernel: third, runtime: Runtime::Node, attempt: 0 }
        ]
    );
    assert_eq!(machine.kernels().runtime_of(FIRST), Some(Runtime::Python));
    assert_eq!(machine.kernels().live(FIRST), Some(FIRST));
    // Python's death while Node starts is nobody's failure.
    machine.step(Event::KernelExited(FIRST));
    assert!(machine.step(Event::KernelReady(third)).contains(&Action::Execute { kernel: third, call: d }));
    assert_eq!(machine.kernels().live(FIRST), Some(third));
}
