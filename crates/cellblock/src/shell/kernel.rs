//! Where code runs: in a session of this process, or in one that a server holds.

use std::time::Duration;

use session::{
    Call, Check, Event, ExecuteRequest, Language, Outcome, Raised, Report, Session, Survival, new_call_id,
};

use super::client::{Client, Stream};
use super::enter::Checked;
use crate::run::status;

/// What can stand in place of the characters from `start` to the cursor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Completion {
    /// Counted in characters.
    pub(crate) start: usize,
    pub(crate) matches: Vec<String>,
}

/// How a call ended, from either side.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ended {
    /// The outcome's name.
    pub(crate) outcome: String,
    /// The outcome as a sentence, where it is worth one.
    pub(crate) complaint: Option<String>,
    pub(crate) hint: Option<&'static str>,
    pub(crate) raised: Option<Raised>,
    /// Whether the variables are there.
    pub(crate) kept: bool,
    /// The number that the code had.
    pub(crate) count: Option<u64>,
    pub(crate) elapsed: Duration,
    /// As an exit status of this program.
    pub(crate) status: u8,
    /// All that is told of it, as on the wire.
    pub(crate) json: serde_json::Value,
}

impl From<Report> for Ended {
    fn from(report: Report) -> Ended {
        let json = server::lines::report(&report);
        let complaint = status::complaint(&report);
        let hint = complaint.as_ref().and_then(|(_, hint)| *hint);
        let complaint = complaint.map(|(sentence, _)| sentence).or_else(|| match report.outcome {
            Outcome::Exited { .. } => Some(report.outcome.to_string()),
            _ => None,
        });
        Ended {
            outcome: report.outcome.name().to_owned(),
            complaint,
            hint,
            kept: report.variables == Survival::Kept,
            count: report.execution_count,
            elapsed: report.elapsed,
            status: status::status(&report),
            raised: report.raised,
            json,
        }
    }
}

/// A session's kernel of one language.
#[derive(Debug)]
pub(crate) struct Kernel {
    side: Side,
    language: Language,
}

#[derive(Debug)]
enum Side {
    Here(Session),
    There(Client),
}

impl Kernel {
    /// Of a session of this process.
    pub(crate) fn here(session: Session, language: Language) -> Kernel {
        Kernel { side: Side::Here(session), language }
    }

    /// Of a session that a server holds.
    pub(crate) fn there(client: Client, language: Language) -> Kernel {
        Kernel { side: Side::There(client), language }
    }

    /// What code is written in here.
    pub(crate) fn language(&self) -> Language {
        self.language
    }

    /// Sends code off.
    pub(crate) async fn execute(&self, code: &str, timeout: Option<Duration>) -> anyhow::Result<Running<'_>> {
        match &self.side {
            Side::Here(session) => {
                let request = ExecuteRequest::new(new_call_id()?, code).in_language(self.language);
                let request = ExecuteRequest { timeout, ..request };
                Ok(Running::Here(session, session.execute(request)?))
            }
            Side::There(client) => Ok(Running::There(client, client.execute(code, timeout).await?)),
        }
    }

    /// What earlier calls' leftovers say while no code runs, once there is something. A server tells of it with the next
    /// call only.
    pub(crate) async fn late(&self) -> Vec<Event> {
        match &self.side {
            Side::Here(session) => session.late().await,
            Side::There(_) => std::future::pending().await,
        }
    }

    /// What could stand at the cursor, counted in characters; none, if the kernel does not say.
    pub(crate) async fn complete(&self, code: &str, cursor: usize) -> Option<Completion> {
        match &self.side {
            Side::Here(session) => {
                let found = session.complete(self.language, code, cursor).await.ok()?;
                let matches = found.matches.into_iter().map(|found| found.text).collect();
                Some(Completion { start: found.start, matches })
            }
            Side::There(client) => client.complete(code, cursor).await.ok(),
        }
    }

    /// Whether code is whole; none, if the kernel does not say.
    pub(crate) async fn check(&self, code: &str) -> Option<Checked> {
        match &self.side {
            Side::Here(session) => Some(match session.check(self.language, code).await.ok()? {
                Check::Incomplete { indent } => Checked::Part(indent),
                Check::Complete | Check::Invalid => Checked::Whole,
            }),
            Side::There(client) => client.check(code).await.ok(),
        }
    }
}

/// A call.
#[derive(Debug)]
pub(crate) enum Running<'a> {
    Here(&'a Session, Call),
    There(&'a Client, Stream),
}

impl Running<'_> {
    /// What happens next in it; none when it has ended. May be given up at any time.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<Event>> {
        match self {
            Running::Here(_, call) => Ok(call.next().await),
            Running::There(_, stream) => stream.next().await,
        }
    }

    /// Interrupts it.
    pub(crate) async fn interrupt(&self) -> anyhow::Result<()> {
        match self {
            Running::Here(session, call) => session.interrupt(call.id()),
            Running::There(client, stream) => client.interrupt(stream.call()).await?,
        }
        Ok(())
    }

    /// How it ended.
    pub(crate) async fn end(self) -> anyhow::Result<Ended> {
        match self {
            Running::Here(_, call) => Ok(call.report().await.into()),
            Running::There(_, stream) => stream.end(),
        }
    }
}
