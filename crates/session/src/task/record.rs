//! What a session's task keeps of a call that has not ended.

use std::time::Duration;

use environment::Runtime;
use protocol::{CallId, WaitStatus};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::done::Done;
use crate::event::Event;
use crate::machine::{Ending, Work};
use crate::outcome::SoftKill;
use crate::output::{Output, Spooled};
use crate::question::Answer;
use crate::queue::Sender;

use super::way_out::Seen;

/// What a call is about.
#[derive(Debug)]
pub(crate) enum Content {
    /// What the kernel is told.
    Code(Value),
    /// What the kernel is asked, without running anything.
    Question(Value),
    /// A program and its arguments.
    Command(Vec<String>),
}

/// How long a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Time {
    /// So long; the session's own limit of a call holds as well.
    Limited(Option<std::time::Duration>),
    /// As long as the session lives.
    Sessions,
}

/// A call that has come in.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) call: CallId,
    pub(crate) work: Work,
    pub(crate) content: Content,
    pub(crate) time: Time,
    pub(crate) items: Sender,
    /// Who waits for the answer to a question.
    pub(crate) answer: Option<oneshot::Sender<Answer>>,
}

/// A call.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) items: Sender,
    pub(crate) answer: Option<oneshot::Sender<Answer>>,
    pub(crate) content: Content,
    pub(crate) command: bool,
    /// What runs its code; none of a command.
    pub(crate) runtime: Option<Runtime>,
    /// Whether it asked for a fresh context, and so needs no word about the old one.
    pub(crate) clears: bool,
    pub(crate) limit: Duration,
    pub(crate) output: Output,
    pub(crate) replay: Replay,
    pub(crate) started: Option<Instant>,
    pub(crate) ended: Option<Instant>,
    pub(crate) fresh: bool,
    pub(crate) done: Option<Done>,
    pub(crate) exit: Option<WaitStatus>,
    pub(crate) fault: Option<String>,
    pub(crate) soft_kill: Option<SoftKill>,
    /// Kills for want of memory in the cell before it began.
    pub(crate) oom_before: u64,
    /// What was on the disk before it began, bytes.
    pub(crate) disk_before: Option<u64>,
    pub(crate) network: Seen,
    pub(crate) ending: Option<Ending>,
    pub(crate) spooled: Option<Spooled>,
}

impl Record {
    /// A call that waits.
    pub(crate) fn new(submission: Submission, limit: Duration, output_limit: u64) -> Record {
        let (runtime, clears) = match submission.work {
            Work::Code { runtime, fresh } => (Some(runtime), fresh),
            Work::Command => (None, false),
        };
        Record {
            items: submission.items,
            answer: submission.answer,
            content: submission.content,
            command: runtime.is_none(),
            runtime,
            clears,
            limit,
            output: Output::new(output_limit),
            replay: Replay::default(),
            started: None,
            ended: None,
            fresh: false,
            done: None,
            exit: None,
            fault: None,
            soft_kill: None,
            oom_before: 0,
            disk_before: None,
            network: Seen::default(),
            ending: None,
            spooled: None,
        }
    }

    /// Whether it is a question about code, and no code.
    pub(crate) fn is_question(&self) -> bool {
        matches!(self.content, Content::Question(_))
    }

    /// Whether its code is likely to import what takes long: a guess, which only decides who waits for what.
    pub(crate) fn is_heavy(&self) -> bool {
        let Content::Code(call) = &self.content else { return false };
        let code = call["code"].as_str().unwrap_or_default();
        ["pandas", "matplotlib", "numpy"].iter().any(|name| code.contains(name))
    }

    /// Gives the caller an event. One that has gone away misses it.
    pub(crate) fn tell(&self, event: Event) {
        self.items.event(event);
    }

    /// Gives the caller a sentence.
    pub(crate) fn notice(&self, text: impl Into<String>) {
        self.tell(Event::Notice(text.into()));
    }

    /// The file that has all of the output, where there is one.
    pub(crate) fn whole_output(&self) -> Option<&Spooled> {
        self.spooled.as_ref().filter(|spooled| spooled.bytes == self.output.written())
    }
}

/// Init answers a call that is sent again by telling all of it again: this passes over what was told before.
///
/// Positions count the bytes of all payloads. Where init kept less than it sent, it says how much is missing, which
/// moves the position too.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Replay {
    received: u64,
    position: Option<u64>,
}

impl Replay {
    /// From now on everything is told again from the beginning.
    pub(crate) fn restart(&mut self) {
        self.position = Some(0);
    }

    /// Takes a payload of this many bytes; how many of its first bytes are known.
    pub(crate) fn take(&mut self, bytes: u64) -> u64 {
        let Some(position) = self.position else {
            self.received += bytes;
            return 0;
        };
        let known = self.received.saturating_sub(position).min(bytes);
        self.position = Some(position + bytes);
        self.received = self.received.max(position + bytes);
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_before_is_passed_over() {
        let mut replay = Replay::default();
        assert_eq!(replay.take(10), 0);
        assert_eq!(replay.take(5), 0);
        replay.restart();
        // The same fifteen bytes in one piece, and ten new ones behind them.
        assert_eq!(replay.take(12), 12);
        assert_eq!(replay.take(13), 3);
        assert_eq!(replay.take(4), 0);
        replay.restart();
        assert_eq!(replay.take(29), 29);
        assert_eq!(replay.take(1), 0);
    }
}
