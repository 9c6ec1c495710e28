//! The one place that decides how a call ended.
//!
//! Everything that is known comes in as [`Evidence`]; what comes out is one [`Verdict`]. No other code compares exit
//! statuses, signals or counters. The rules, strongest first:
//!
//! 1. The session ends: that is what the call is told, whatever it did last.
//! 2. We stopped it: the reason for the stop, even if the code came to an end of its own after the limit. A client
//!    that asked too late, of a call that ran to its end, is told that it did.
//! 3. The kernel reported: as it says, but a full disk and too much output have outcomes of their own.
//! 4. The kernel died without a report: what the memory counters and the wait status prove.

use cell::Memory;
use protocol::{Full, Outcome, Survival, WaitStatus};

use crate::done::{Done, Status};
use crate::machine::{Ending, How, StopReason};

/// The watchdog of a cell without a hard memory limit killed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SoftKill {
    /// The limit, bytes.
    pub(crate) limit: u64,
    /// What was in use, bytes.
    pub(crate) seen: u64,
}

/// All that is known of a call's end.
#[derive(Debug, Clone)]
pub(crate) struct Evidence<'a> {
    /// What the machine saw.
    pub(crate) ending: Ending,
    /// Whether it was a command: then no variables were at stake.
    pub(crate) command: bool,
    /// The kernel's report, if there is one.
    pub(crate) done: Option<&'a Done>,
    /// How the kernel or the command exited, if it did.
    pub(crate) exit: Option<WaitStatus>,
    /// What init or the engine said was wrong: a broken protocol, a kernel that could not be started.
    pub(crate) fault: Option<&'a str>,
    /// The cell's memory, now.
    pub(crate) memory: Memory,
    /// Processes that the kernel killed for want of memory since the call began.
    pub(crate) oom_kills: u64,
    /// What the watchdog did during the call.
    pub(crate) soft_kill: Option<SoftKill>,
    /// The end of what was written.
    pub(crate) last_words: &'a [u8],
    /// What was written, bytes.
    pub(crate) written: u64,
    /// How much may be written, bytes.
    pub(crate) output_limit: u64,
    /// The file that holds all of it, if there is one.
    pub(crate) output_file: Option<&'a str>,
    /// The call's time limit, ms.
    pub(crate) limit_ms: u64,
    /// The cell's disk limit, bytes.
    pub(crate) disk_limit: u64,
    /// How much each of its file systems in memory holds, bytes.
    pub(crate) in_memory: u64,
    /// Whether the cell held more than that when the call ended, and more than when it began.
    pub(crate) disk_over: bool,
    /// How many processes and threads the cell may have.
    pub(crate) processes: u32,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The outcome.
    pub(crate) outcome: Outcome,
    /// Whether the variables are there.
    pub(crate) variables: Survival,
    /// What else the caller should know.
    pub(crate) notices: Vec<String>,
}

const SOFT_MEMORY: &str = "the memory limit is soft here: it is watched, and the largest process killed";
const SOFT_DISK: &str = "the disk limit is soft here: what lies on the disk is measured about once a second";

/// Decides how a call ended.
pub(crate) fn decide(evidence: &Evidence) -> Verdict {
    let survived = survived(evidence);
    let outcome = outcome(evidence, survived);
    let mut notices = Vec::new();
    if evidence.written > evidence.output_limit && !matches!(outcome, Outcome::TooMuchOutput { .. }) {
        notices.push(too_much_output(evidence).to_string());
    }
    match outcome {
        Outcome::OutOfMemory { .. } if evidence.soft_kill.is_some() => notices.push(SOFT_MEMORY.to_owned()),
        Outcome::OutOfMemory { .. } => {}
        _ => notices.extend(killed_beside(evidence)),
    }
    if evidence.done.is_some_and(no_process) {
        notices
            .push(format!("the cell has reached its limit of {} processes and threads", evidence.processes));
    }
    if evidence.ending.stop == Some(StopReason::Disk) || evidence.disk_over {
        notices.push(SOFT_DISK.to_owned());
    }
    Verdict { outcome, variables: survived, notices }
}

/// Whether variables survived, as the end itself shows. (An outcome's own word is about the usual case: a disk that
/// fills up while the code does not react to its interrupt costs the variables as well.)
fn survived(evidence: &Evidence) -> Survival {
    let ending = evidence.ending;
    if ending.stop == Some(StopReason::SessionEnds) {
        return Survival::Lost;
    }
    let kept = match ending.how {
        How::CellGone | How::Overdue | How::NoKernel => false,
        How::NeverRan => true,
        How::Exited => evidence.command,
        How::Done => !evidence.done.is_some_and(Done::leaves),
    };
    if kept { Survival::Kept } else { Survival::Lost }
}

fn outcome(evidence: &Evidence, variables: Survival) -> Outcome {
    let Ending { how, stop, .. } = evidence.ending;
    let ran_to_the_end =
        how == How::Done && evidence.done.is_some_and(|done| done.status == Status::Ok && !done.interrupted);
    match stop {
        Some(StopReason::SessionEnds) => Outcome::SessionEnded,
        Some(StopReason::Disk) => cell_full(evidence),
        Some(StopReason::TimedOut) => Outcome::TimedOut { limit_ms: evidence.limit_ms, variables },
        Some(StopReason::Client) if !ran_to_the_end => Outcome::Interrupted { variables },
        Some(StopReason::Client) | None => natural(evidence),
    }
}

fn natural(evidence: &Evidence) -> Outcome {
    match (evidence.ending.how, evidence.done) {
        (How::Done, Some(done)) => reported(evidence, done),
        (How::CellGone | How::Overdue, _) => out_of_memory(evidence).unwrap_or(Outcome::SessionEnded),
        // A call that never ran was stopped by somebody, and that was told above.
        (How::NeverRan, _) => Outcome::Interrupted { variables: Survival::Kept },
        (How::NoKernel, _) => out_of_memory(evidence).unwrap_or_else(|| Outcome::Crashed {
            signal: None,
            detail: format!(
                "it could not be started{}",
                evidence.fault.map(|fault| format!(": {fault}")).unwrap_or_default()
            ),
        }),
        (How::Done | How::Exited, _) => died(evidence),
    }
}

fn reported(evidence: &Evidence, done: &Done) -> Outcome {
    match done.status {
        Status::Exited => Outcome::Exited { status: done.exit_status.unwrap_or(0) & 0xff },
        Status::Raised => disk_full(evidence, done).unwrap_or(Outcome::Raised),
        Status::Ok if evidence.disk_over => cell_full(evidence),
        Status::Ok if evidence.written > evidence.output_limit => too_much_output(evidence),
        Status::Ok => Outcome::Ok,
    }
}

/// Whether code ended because it could not start a process or a thread. The same exception comes from sockets that do
/// not block, so the traceback must show what was tried.
fn no_process(done: &Done) -> bool {
    let starts = ["fork", "subprocess", "Popen", "spawn", "Process"];
    match (done.ename.as_deref(), done.evalue.as_deref()) {
        (Some("RuntimeError"), Some(value)) => value == "can't start new thread",
        (Some("BlockingIOError"), _) => {
            done.traceback.as_ref().is_some_and(|traceback| starts.iter().any(|word| traceback.says(word)))
        }
        _ => false,
    }
}

fn cell_full(evidence: &Evidence) -> Outcome {
    Outcome::DiskFull { full: Full::Cell, limit: evidence.disk_limit }
}

/// Whether code raised because there was no space left, and where.
fn disk_full(evidence: &Evidence, done: &Done) -> Option<Outcome> {
    let in_memory = |place| Outcome::DiskFull { full: Full::Memory(place), limit: evidence.in_memory };
    match (done.errno.as_deref(), done.full.as_deref()) {
        // One file reached the cell's limit by itself, or a quota says so.
        (Some("EFBIG" | "EDQUOT"), _) => Some(cell_full(evidence)),
        _ if evidence.disk_over => Some(cell_full(evidence)),
        (Some("ENOSPC"), Some("/tmp")) => Some(in_memory("/tmp")),
        (Some("ENOSPC"), Some("/dev/shm")) => Some(in_memory("/dev/shm")),
        (Some("ENOSPC"), _) => Some(Outcome::DiskFull { full: Full::Host, limit: evidence.disk_limit }),
        _ => None,
    }
}

fn died(evidence: &Evidence) -> Outcome {
    if let Some(fault) = evidence.fault {
        return Outcome::Crashed { signal: None, detail: fault.to_owned() };
    }
    match evidence.exit {
        Some(WaitStatus::Signaled(SIGKILL)) => out_of_memory(evidence).unwrap_or_else(|| Outcome::Crashed {
            signal: Some(SIGKILL),
            detail: if evidence.memory.hard {
                "killed (SIGKILL), and not by the cell's memory limit".to_owned()
            } else {
                "killed (SIGKILL)".to_owned()
            },
        }),
        Some(WaitStatus::Signaled(signal)) => heap_was_full(evidence, signal)
            .unwrap_or_else(|| Outcome::Crashed { signal: Some(signal), detail: signal_text(signal) }),
        // A command's status is its answer, and stands in the report.
        Some(WaitStatus::Exited(_)) if evidence.command => {
            if evidence.disk_over {
                cell_full(evidence)
            } else if evidence.written > evidence.output_limit {
                too_much_output(evidence)
            } else {
                Outcome::Ok
            }
        }
        Some(WaitStatus::Exited(status)) => Outcome::Exited { status: status & 0xff },
        Some(WaitStatus::Unknown) | None => out_of_memory(evidence).unwrap_or_else(|| Outcome::Crashed {
            signal: None,
            detail: "it left without a word".to_owned(),
        }),
    }
}

fn out_of_memory(evidence: &Evidence) -> Option<Outcome> {
    if let Some(SoftKill { limit, seen }) = evidence.soft_kill {
        let peak = evidence.memory.peak.map_or(seen, |peak| peak.max(seen));
        return Some(Outcome::OutOfMemory { limit, peak: Some(peak) });
    }
    (evidence.oom_kills > 0)
        .then_some(Outcome::OutOfMemory { limit: evidence.memory.limit, peak: evidence.memory.peak })
}

/// V8 ended itself because its heap, which may grow to the cell's limit, was full: where that limit is only watched, it
/// can be sooner than the watchdog. Its words are all that tells this from another abort; code that writes them and
/// aborts deceives only itself.
fn heap_was_full(evidence: &Evidence, signal: i32) -> Option<Outcome> {
    let said = |words: &str| evidence.last_words.windows(words.len()).any(|at| at == words.as_bytes());
    let full = ["JavaScript heap out of memory", "Fatal JavaScript out of memory"];
    if !([SIGTRAP, SIGABRT].contains(&signal) && !evidence.command && full.into_iter().any(said)) {
        return None;
    }
    // A single thing that is too large ends it as well, however little is in use.
    let reached = said("heap limit").then_some(evidence.memory.limit);
    Some(Outcome::OutOfMemory { limit: evidence.memory.limit, peak: evidence.memory.peak.or(reached) })
}

/// A process of the cell was killed, and it was not what the call ran in.
fn killed_beside(evidence: &Evidence) -> Option<String> {
    let limit = match evidence.soft_kill {
        Some(kill) => kill.limit,
        None if evidence.oom_kills > 0 => evidence.memory.limit,
        None => return None,
    };
    Some(format!("a process in the cell was killed: the memory limit of {} MiB was reached", limit >> 20))
}

fn too_much_output(evidence: &Evidence) -> Outcome {
    Outcome::TooMuchOutput {
        limit: evidence.output_limit,
        written: evidence.written,
        file: evidence.output_file.map(str::to_owned),
    }
}

const SIGTRAP: i32 = 5;
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;

/// A signal as a person reads it: `segmentation fault (SIGSEGV)`.
pub(crate) fn signal_text(signal: i32) -> String {
    let (text, name) = match signal {
        1 => ("hang-up", "SIGHUP"),
        2 => ("interrupt", "SIGINT"),
        3 => ("quit", "SIGQUIT"),
        4 => ("illegal instruction", "SIGILL"),
        5 => ("trap", "SIGTRAP"),
        6 => ("aborted", "SIGABRT"),
        7 => ("bus error", "SIGBUS"),
        8 => ("arithmetic fault", "SIGFPE"),
        9 => ("killed", "SIGKILL"),
        10 => ("user signal 1", "SIGUSR1"),
        11 => ("segmentation fault", "SIGSEGV"),
        12 => ("user signal 2", "SIGUSR2"),
        13 => ("broken pipe", "SIGPIPE"),
        14 => ("alarm clock", "SIGALRM"),
        15 => ("terminated", "SIGTERM"),
        24 => ("processor time limit", "SIGXCPU"),
        25 => ("file size limit", "SIGXFSZ"),
        31 => ("forbidden system call", "SIGSYS"),
        _ => return format!("signal {signal}"),
    };
    format!("{text} ({name})")
}

#[cfg(test)]
#[path = "outcome_tests.rs"]
mod tests;
