//! A program's end as an exit status, and as a sentence.

use session::{Full, Outcome, Report};

use super::save::Saved;
use crate::place::told;

/// Its time was up; the same as `timeout`.
const TIMED_OUT: u8 = 124;
/// What a shell says of a program that died of this signal.
const SIGNALED: u8 = 128;

/// The exit status of `cellblock run` for a program that ended like this.
pub(crate) fn status(report: &Report) -> u8 {
    match &report.outcome {
        Outcome::Ok | Outcome::TooMuchOutput { .. } => low_byte(report.exit_status.unwrap_or(0)),
        Outcome::Raised | Outcome::DiskFull { .. } => 1,
        Outcome::Exited { status } => low_byte(*status),
        Outcome::TimedOut { .. } => TIMED_OUT,
        Outcome::Interrupted { .. } => SIGNALED + 2,
        Outcome::OutOfMemory { .. } => SIGNALED + 9,
        Outcome::Crashed { signal: Some(signal), .. } => SIGNALED.saturating_add(low_byte(*signal)),
        Outcome::Crashed { signal: None, .. } | Outcome::SessionEnded => crate::OUR_FAILURE,
    }
}

fn low_byte(status: i32) -> u8 {
    status.to_le_bytes()[0]
}

/// What is said of a program that did not come to its own end; the traceback speaks for one that raised.
pub(crate) fn complaint(report: &Report) -> Option<(String, Option<&'static str>)> {
    let hint = match &report.outcome {
        Outcome::Ok | Outcome::Exited { .. } | Outcome::Raised => return None,
        Outcome::TimedOut { .. } => Some("give it more time with `--timeout SECONDS`"),
        Outcome::OutOfMemory { .. } => Some("give it more memory with `--memory MIB`"),
        Outcome::DiskFull { full: Full::Cell, .. } => Some("give it more disk with `--disk MIB`"),
        Outcome::DiskFull { full: Full::Memory(_), .. } => {
            Some("write to the workspace, or give it more memory")
        }
        Outcome::Interrupted { .. }
        | Outcome::Crashed { .. }
        | Outcome::TooMuchOutput { .. }
        | Outcome::DiskFull { .. }
        | Outcome::SessionEnded => None,
    };
    Some((report.outcome.to_string(), hint))
}

/// Calls the file that holds output over the limit by the name that it was saved under.
pub(crate) fn name_output(outcome: &mut Outcome, saved: &[Saved]) {
    if let Outcome::TooMuchOutput { file, .. } = outcome {
        let name = file.take();
        let found =
            saved.iter().find(|saved| name.as_ref().is_some_and(|name| saved.name.as_os_str() == &**name));
        *file = found.map(|saved| told(&saved.path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::{CallId, Survival};
    use std::time::Duration;

    fn report(outcome: Outcome, exit_status: Option<i32>) -> Report {
        Report {
            call: CallId(1),
            outcome,
            variables: Survival::Lost,
            raised: None,
            exit_status,
            execution_count: None,
            elapsed: Duration::ZERO,
            cpu: None,
            memory_peak: None,
            written: 0,
            output_file: None,
            fresh_kernel: true,
        }
    }

    #[test]
    fn every_end_has_its_documented_status() {
        let crashed = |signal| Outcome::Crashed { signal, detail: String::new() };
        for (outcome, exit_status, expected) in [
            (Outcome::Ok, Some(0), 0),
            (Outcome::Ok, None, 0),
            (Outcome::Raised, Some(1), 1),
            (Outcome::Exited { status: 7 }, Some(7), 7),
            (Outcome::TimedOut { limit_ms: 1, variables: Survival::Lost }, Some(1), 124),
            (Outcome::Interrupted { variables: Survival::Kept }, None, 130),
            (Outcome::OutOfMemory { limit: 1, peak: None }, None, 137),
            (crashed(Some(11)), None, 139),
            (crashed(None), None, 125),
            (Outcome::TooMuchOutput { limit: 1, written: 2, file: None }, Some(0), 0),
            (Outcome::DiskFull { full: Full::Cell, limit: 1 }, Some(1), 1),
            (Outcome::SessionEnded, None, 125),
        ] {
            assert_eq!(status(&report(outcome.clone(), exit_status)), expected, "{outcome:?}");
        }
    }
}
