//! Every line of the table of outcomes, from the evidence that leads to it.

use super::*;
use proptest::prelude::*;

const MEMORY: Memory = Memory { limit: 64 << 20, hard: true, peak: Some(60 << 20), oom_kills: 0 };

fn ending(how: How) -> Ending {
    Ending { how, stop: None, killed: false }
}

fn evidence(how: How) -> Evidence<'static> {
    Evidence {
        ending: ending(how),
        command: false,
        done: None,
        exit: None,
        fault: None,
        memory: MEMORY,
        oom_kills: 0,
        soft_kill: None,
        last_words: b"",
        written: 0,
        output_limit: 100,
        output_file: None,
        limit_ms: 1500,
        disk_limit: 10 << 20,
        in_memory: 5 << 20,
        disk_over: false,
        processes: 64,
    }
}

fn report(status: Status) -> Done {
    Done {
        status,
        execution_count: Some(1),
        cpu_seconds: None,
        ename: None,
        evalue: None,
        traceback: None,
        interrupted: false,
        exit_status: None,
        errno: None,
        full: None,
        cwd: None,
    }
}

#[track_caller]
fn decides(evidence: &Evidence, outcome: Outcome, variables: Survival) {
    let verdict = decide(evidence);
    assert_eq!((verdict.outcome, verdict.variables), (outcome, variables), "{evidence:?}");
}

#[test]
fn what_the_kernel_reports() {
    let (ok, raised) = (report(Status::Ok), report(Status::Raised));
    let exited = Done { exit_status: Some(3), ..report(Status::Exited) };
    let full = Done { errno: Some("ENOSPC".into()), ..report(Status::Raised) };
    let other = Done { errno: Some("ENOENT".into()), ..report(Status::Raised) };
    let base = evidence(How::Done);
    decides(&Evidence { done: Some(&ok), ..base.clone() }, Outcome::Ok, Survival::Kept);
    decides(&Evidence { done: Some(&raised), ..base.clone() }, Outcome::Raised, Survival::Kept);
    decides(&Evidence { done: Some(&other), ..base.clone() }, Outcome::Raised, Survival::Kept);
    decides(&Evidence { done: Some(&exited), ..base.clone() }, Outcome::Exited { status: 3 }, Survival::Lost);
    let disk = Outcome::DiskFull { full: Full::Cell, limit: 10 << 20 };
    let host = Outcome::DiskFull { full: Full::Host, limit: 10 << 20 };
    decides(&Evidence { done: Some(&full), ..base.clone() }, host, Survival::Kept);
    let memory = Outcome::DiskFull { full: Full::Memory("/tmp"), limit: 5 << 20 };
    let tmp = Done { full: Some("/tmp".into()), ..full.clone() };
    decides(&Evidence { done: Some(&tmp), ..base.clone() }, memory, Survival::Kept);
    let large = Done { errno: Some("EFBIG".into()), ..full };
    decides(&Evidence { done: Some(&large), ..base.clone() }, disk.clone(), Survival::Kept);
    decides(&Evidence { done: Some(&ok), disk_over: true, ..base }, disk, Survival::Kept);
}

#[test]
fn a_program_that_ran_to_its_end_leaves_nothing_behind() {
    let (ok, raised) = (
        Done { exit_status: Some(0), ..report(Status::Ok) },
        Done { exit_status: Some(1), ..report(Status::Raised) },
    );
    let base = evidence(How::Done);
    decides(&Evidence { done: Some(&ok), ..base.clone() }, Outcome::Ok, Survival::Lost);
    decides(&Evidence { done: Some(&raised), ..base }, Outcome::Raised, Survival::Lost);
}

#[test]
fn a_process_that_could_not_be_started_names_the_limit() {
    let notices = |name: &str, value: &str, traceback: &str| {
        let done = Done {
            ename: Some(name.to_owned()),
            evalue: Some(value.to_owned()),
            traceback: Some(crate::done::Traceback::Text(traceback.to_owned())),
            ..report(Status::Raised)
        };
        decide(&Evidence { done: Some(&done), ..evidence(How::Done) }).notices
    };
    let limit = ["the cell has reached its limit of 64 processes and threads"];
    assert_eq!(notices("RuntimeError", "can't start new thread", ""), limit);
    assert_eq!(notices("BlockingIOError", "[Errno 11]", "child = os.fork()"), limit);
    assert_eq!(notices("BlockingIOError", "[Errno 11]", "socket.recv(1)").len(), 0);
    assert_eq!(notices("RuntimeError", "other", "os.fork()").len(), 0);
}

#[test]
fn a_stop_that_took_hold_is_told_and_one_that_came_too_late_is_not() {
    let interrupted = Done { interrupted: true, ..report(Status::Raised) };
    let ok = report(Status::Ok);
    let stopped =
        |stop| Evidence { ending: Ending { stop: Some(stop), ..ending(How::Done) }, ..evidence(How::Done) };
    let kept = Survival::Kept;
    decides(
        &Evidence { done: Some(&interrupted), ..stopped(StopReason::TimedOut) },
        Outcome::TimedOut { limit_ms: 1500, variables: kept },
        kept,
    );
    decides(
        &Evidence { done: Some(&interrupted), ..stopped(StopReason::Client) },
        Outcome::Interrupted { variables: kept },
        kept,
    );
    decides(
        &Evidence { done: Some(&ok), ..stopped(StopReason::TimedOut) },
        Outcome::TimedOut { limit_ms: 1500, variables: kept },
        kept,
    );
    decides(&Evidence { done: Some(&ok), ..stopped(StopReason::Client) }, Outcome::Ok, kept);
    decides(
        &Evidence { done: Some(&ok), ..stopped(StopReason::SessionEnds) },
        Outcome::SessionEnded,
        Survival::Lost,
    );
}

#[test]
fn a_stop_that_needed_a_kill_costs_the_variables() {
    let killed = |stop| Evidence {
        ending: Ending { how: How::Exited, stop: Some(stop), killed: true },
        exit: Some(WaitStatus::Signaled(9)),
        ..evidence(How::Exited)
    };
    let lost = Survival::Lost;
    decides(&killed(StopReason::TimedOut), Outcome::TimedOut { limit_ms: 1500, variables: lost }, lost);
    decides(&killed(StopReason::Client), Outcome::Interrupted { variables: lost }, lost);
    decides(&killed(StopReason::Disk), Outcome::DiskFull { full: Full::Cell, limit: 10 << 20 }, lost);
    let command = Evidence { command: true, ..killed(StopReason::TimedOut) };
    decides(&command, Outcome::TimedOut { limit_ms: 1500, variables: Survival::Kept }, Survival::Kept);
}

#[test]
fn a_kernel_killed_while_the_counter_grew_ran_out_of_memory() {
    let killed = Evidence { exit: Some(WaitStatus::Signaled(9)), ..evidence(How::Exited) };
    let hard = Evidence { oom_kills: 1, ..killed.clone() };
    decides(&hard, Outcome::OutOfMemory { limit: 64 << 20, peak: Some(60 << 20) }, Survival::Lost);
    let soft = Evidence { soft_kill: Some(SoftKill { limit: 64 << 20, seen: 70 << 20 }), ..killed.clone() };
    decides(&soft, Outcome::OutOfMemory { limit: 64 << 20, peak: Some(70 << 20) }, Survival::Lost);
    assert_eq!((decide(&hard).notices, decide(&soft).notices), (vec![], vec![SOFT_MEMORY.to_owned()]));
    let Outcome::Crashed { signal: Some(9), .. } = decide(&killed).outcome else {
        panic!("a kill without want of memory is a crash")
    };
}

#[test]
fn an_interpreter_that_says_that_its_heap_is_full_ran_out_of_memory() {
    let node =
        b"FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n 1: 0x74f963";
    let deno = b"# Fatal JavaScript out of memory: Reached heap limit\n#";
    let unmeasured = Memory { hard: false, peak: None, ..MEMORY };
    let gave_up = |signal, last_words| Evidence {
        exit: Some(WaitStatus::Signaled(signal)),
        memory: unmeasured,
        last_words,
        ..evidence(How::Exited)
    };
    let full = |peak| Outcome::OutOfMemory { limit: 64 << 20, peak };
    decides(&gave_up(6, node), full(Some(64 << 20)), Survival::Lost);
    decides(&gave_up(5, deno), full(Some(64 << 20)), Survival::Lost);
    decides(&Evidence { memory: MEMORY, ..gave_up(5, deno) }, full(Some(60 << 20)), Survival::Lost);
    decides(
        &gave_up(5, b"# Fatal JavaScript out of memory: CALL_AND_RETRY_LAST"),
        full(None),
        Survival::Lost,
    );
    for other in [gave_up(6, b"assertion failed"), gave_up(11, node)] {
        let Outcome::Crashed { .. } = decide(&other).outcome else { panic!("{other:?}") };
    }
    let command = Evidence { command: true, ..gave_up(6, node) };
    let Outcome::Crashed { .. } = decide(&command).outcome else { panic!("a program of the user's crashed") };
}

#[test]
fn a_child_killed_for_memory_changes_nothing_and_is_told() {
    let ok = report(Status::Ok);
    let verdict = decide(&Evidence { done: Some(&ok), oom_kills: 1, ..evidence(How::Done) });
    assert_eq!(verdict.outcome, Outcome::Ok);
    assert_eq!(verdict.notices, ["a process in the cell was killed: the memory limit of 64 MiB was reached"]);
}

#[test]
fn signals_and_silence_are_crashes() {
    let exit = |exit| Evidence { exit, ..evidence(How::Exited) };
    let crashed = |signal, detail: &str| Outcome::Crashed { signal, detail: detail.to_owned() };
    decides(
        &exit(Some(WaitStatus::Signaled(11))),
        crashed(Some(11), "segmentation fault (SIGSEGV)"),
        Survival::Lost,
    );
    decides(&exit(Some(WaitStatus::Signaled(35))), crashed(Some(35), "signal 35"), Survival::Lost);
    decides(&exit(None), crashed(None, "it left without a word"), Survival::Lost);
    decides(
        &Evidence { fault: Some("it broke the protocol"), ..exit(Some(WaitStatus::Signaled(9))) },
        crashed(None, "it broke the protocol"),
        Survival::Lost,
    );
    decides(
        &Evidence { fault: Some("no such file"), ..evidence(How::NoKernel) },
        crashed(None, "it could not be started: no such file"),
        Survival::Lost,
    );
    // `os._exit(4)`: no report, but no crash either.
    decides(&exit(Some(WaitStatus::Exited(4))), Outcome::Exited { status: 4 }, Survival::Lost);
}

#[test]
fn a_command_answers_with_its_status_and_costs_no_variables() {
    let exit = |exit| Evidence { command: true, exit: Some(exit), ..evidence(How::Exited) };
    decides(&exit(WaitStatus::Exited(2)), Outcome::Ok, Survival::Kept);
    let segfault = Outcome::Crashed { signal: Some(11), detail: "segmentation fault (SIGSEGV)".to_owned() };
    decides(&exit(WaitStatus::Signaled(11)), segfault, Survival::Kept);
    let hungry = Evidence { oom_kills: 1, ..exit(WaitStatus::Signaled(9)) };
    decides(&hungry, Outcome::OutOfMemory { limit: 64 << 20, peak: Some(60 << 20) }, Survival::Kept);
}

#[test]
fn output_over_the_limit_is_an_outcome_only_of_what_went_well() {
    let (ok, raised) = (report(Status::Ok), report(Status::Raised));
    let over = Evidence { written: 101, output_file: Some("output-1.txt"), ..evidence(How::Done) };
    let cut = Outcome::TooMuchOutput { limit: 100, written: 101, file: Some("output-1.txt".to_owned()) };
    decides(&Evidence { done: Some(&ok), ..over.clone() }, cut.clone(), Survival::Kept);
    let verdict = decide(&Evidence { done: Some(&raised), ..over.clone() });
    assert_eq!((verdict.outcome, verdict.notices), (Outcome::Raised, vec![cut.to_string()]));
    decides(&Evidence { done: Some(&ok), written: 100, ..over }, Outcome::Ok, Survival::Kept);
}

#[test]
fn a_cell_that_ended_took_the_session_with_it() {
    decides(&evidence(How::CellGone), Outcome::SessionEnded, Survival::Lost);
    let hungry = Evidence { oom_kills: 2, ..evidence(How::CellGone) };
    decides(&hungry, Outcome::OutOfMemory { limit: 64 << 20, peak: Some(60 << 20) }, Survival::Lost);
}

#[test]
fn a_call_that_never_ran_is_told_why() {
    let stopped = |stop| Evidence {
        ending: Ending { stop: Some(stop), ..ending(How::NeverRan) },
        ..evidence(How::NeverRan)
    };
    decides(&stopped(StopReason::Client), Outcome::Interrupted { variables: Survival::Kept }, Survival::Kept);
    decides(&stopped(StopReason::SessionEnds), Outcome::SessionEnded, Survival::Lost);
}

proptest! {
    /// Whatever comes together, there is a verdict, and outcome and variables do not contradict each other.
    #[test]
    fn no_evidence_is_beyond_judgement(
        how in prop_oneof![
            Just(How::NeverRan), Just(How::NoKernel), Just(How::Done),
            Just(How::Exited), Just(How::CellGone), Just(How::Overdue)
        ],
        stop in prop::option::of(prop_oneof![
            Just(StopReason::TimedOut), Just(StopReason::Client),
            Just(StopReason::Disk), Just(StopReason::SessionEnds)
        ]),
        status in prop::option::of(prop_oneof![Just(Status::Ok), Just(Status::Raised), Just(Status::Exited)]),
        exit in prop::option::of(prop_oneof![
            any::<i32>().prop_map(WaitStatus::Exited),
            any::<i32>().prop_map(WaitStatus::Signaled),
            Just(WaitStatus::Unknown)
        ]),
        (command, interrupted, killed, disk_over, exit_status) in
            any::<(bool, bool, bool, bool, Option<i32>)>(),
        (oom_kills, written) in (0u64..3, 0u64..200),
    ) {
        let done = status.map(|status| Done { interrupted, exit_status, ..report(status) });
        let verdict = decide(&Evidence {
            ending: Ending { how, stop, killed },
            command, done: done.as_ref(), exit, oom_kills, written, disk_over,
            ..evidence(how)
        });
        if let Outcome::Exited { status } = verdict.outcome {
            prop_assert!((0..=255).contains(&status));
        }
        if let Outcome::TimedOut { variables, .. } | Outcome::Interrupted { variables } = verdict.outcome {
            prop_assert_eq!(variables, verdict.variables);
        }
        let well = matches!(verdict.outcome, Outcome::Ok | Outcome::Raised | Outcome::TooMuchOutput { .. });
        if well && !done.is_some_and(|done| done.leaves()) {
            prop_assert_eq!(verdict.variables, Survival::Kept);
        }
        prop_assert_eq!(matches!(stop, Some(StopReason::SessionEnds)), verdict.outcome == Outcome::SessionEnded && stop.is_some());
    }
}
