//! `execute_code` and `execute_command`: runs them, and puts together what they say and show.

use std::io;

use rmcp::service::{RequestContext, RoleServer};
use serde_json::json;
use session::{
    Call, CallId, CommandRequest, Event, ExecuteRequest, Language, Outcome, Report, Session, Survival,
};

use super::collected::Collected;
use super::conversations::Held;
use super::cut::{self, cut};
use super::hints::{self, Place};
use super::output_file;
use super::progress::Progress;
use super::reply::{Refusal, Reply, sentence};

/// How many names are tried for a file that holds what was left out.
const NAMES: usize = 1000;

/// A piece of code.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) text: String,
    /// What it is written in, and what runs it.
    pub(super) language: Language,
    /// The file that it makes and that is wanted.
    pub(super) output: Option<String>,
}

/// Interrupts a call that nobody waits for any more.
struct Running {
    session: Session,
    id: Option<CallId>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.session.interrupt(id);
        }
    }
}

/// Follows a call to its end; interrupts it if the client cancels it, or goes.
async fn follow(held: &Held, mut call: Call, context: &RequestContext<RoleServer>) -> (Collected, Report) {
    let mut running = Running { session: held.open.session.clone(), id: Some(call.id()) };
    let (mut collected, progress) = (Collected::default(), Progress::begin(context));
    let mut cancelled = false;
    loop {
        let event = tokio::select! {
            event = call.next() => event,
            () = context.ct.cancelled(), if !cancelled => {
                cancelled = true;
                running.session.interrupt(call.id());
                continue;
            }
        };
        let Some(event) = event else { break };
        if let (Some(progress), Event::Stdout(bytes) | Event::Stderr(bytes)) = (&progress, &event) {
            progress.wrote(bytes);
        }
        collected.take(event);
    }
    running.id = None;
    let report = call.report().await;
    if report.outcome == Outcome::SessionEnded {
        // What is said of its files must be true, and the next call must find it gone. Faults are logged elsewhere.
        let _ = held.open.session.ended().await;
    }
    (collected, report)
}

fn new_id() -> Result<CallId, Refusal> {
    session::new_call_id().map_err(|error| Refusal::of(&error))
}

/// Runs code.
pub(super) async fn code(
    held: &Held,
    code: Code,
    place: &Place,
    reply: &mut Reply,
    context: &RequestContext<RoleServer>,
) -> Result<(), Refusal> {
    let session = &held.open.session;
    let request = ExecuteRequest::new(new_id()?, code.text.clone()).in_language(code.language);
    let call = session.execute(request).map_err(|error| Refusal::of(&error))?;
    let (collected, report) = follow(held, call, context).await;
    let failed = !matches!(
        report.outcome,
        Outcome::Ok | Outcome::TooMuchOutput { .. } | Outcome::Exited { status: 0 }
    );
    tell(held, reply, &collected, &report).await;
    reply.set("language", code.language.name());
    reply.set("variables", if report.variables == Survival::Kept { "kept" } else { "lost" });
    if let Some(count) = report.execution_count {
        reply.set("execution_count", count);
    }
    if let Some(value) = &collected.result {
        let (value, file) = fitted(session, value, "result", None).await;
        reply.say(value.as_str());
        reply.set("result", value);
        reply.set_some("result_file", file);
    }
    if let Some(raised) = report.raised.as_ref().filter(|_| failed) {
        let (traceback, _) = fitted(session, raised.traceback.trim_end(), "traceback", None).await;
        reply.say(traceback.as_str());
        reply.set(
            "error",
            json!({ "name": raised.name, "message": head(&raised.value), "traceback": traceback }),
        );
    }
    if let Some(told) = told(&report) {
        reply.say(told);
    }
    if failed {
        reply.failed(report.outcome.name());
        let hint = hints::of_code(&code, &report, place, session, held.new).await;
        reply.hint(hint);
    } else {
        reply.set("outcome", report.outcome.name());
    }
    let mut pictures = collected.pictures();
    if let Some(path) = &code.output {
        if failed {
            reply.say(format!("`{path}` was not looked for, since the code did not run to its end."));
        } else if output_file::give(held, path, reply).await? && pictures.len() == 1 {
            // The figure that was saved is the one that is shown.
            pictures.clear();
        }
    }
    collected.show(pictures, reply);
    Ok(())
}

/// Runs a command.
pub(super) async fn command(
    held: &Held,
    line: &str,
    place: &Place,
    reply: &mut Reply,
    context: &RequestContext<RoleServer>,
) -> Result<(), Refusal> {
    let session = &held.open.session;
    let call =
        session.command(CommandRequest::shell(new_id()?, line)).map_err(|error| Refusal::of(&error))?;
    let (collected, report) = follow(held, call, context).await;
    let status = report.exit_status.unwrap_or(match report.outcome {
        Outcome::Ok | Outcome::TooMuchOutput { .. } => 0,
        _ => 1,
    });
    tell(held, reply, &collected, &report).await;
    reply.set("exit_status", status);
    let natural = matches!(report.outcome, Outcome::Ok | Outcome::Raised | Outcome::Exited { .. });
    if let Some(told) = told(&report).filter(|_| !natural) {
        reply.say(told);
    }
    if natural && status == 0 {
        return Ok(());
    }
    if natural {
        reply.say(format!("The command ended with status {status}."));
        reply.failed("exited");
    } else if !matches!(report.outcome, Outcome::TooMuchOutput { .. }) || status != 0 {
        reply.failed(report.outcome.name());
    } else {
        reply.set("outcome", report.outcome.name());
    }
    reply.hint(hints::of_command(line, &collected.stderr_text(), status, place));
    Ok(())
}

/// What was printed, and what cellblock says of the call.
async fn tell(held: &Held, reply: &mut Reply, collected: &Collected, report: &Report) {
    let session = &held.open.session;
    for notice in &collected.notices {
        reply.first(sentence(notice));
    }
    let all = report.output_file.as_deref();
    let (stdout, stdout_file) = fitted(session, collected.stdout_text().trim_end(), "output", all).await;
    let (stderr, stderr_file) = fitted(session, collected.stderr_text().trim_end(), "errors", all).await;
    reply.say(stdout.as_str());
    if !stderr.is_empty() {
        reply.say(format!("stderr:\n{stderr}"));
    }
    reply.set("stdout", stdout);
    reply.set("stderr", stderr);
    reply.set_some("stdout_file", stdout_file);
    reply.set_some("stderr_file", stderr_file);
    reply.set("seconds", (report.elapsed.as_secs_f64() * 1000.0).round() / 1000.0);
}

/// How a call ended, where its output does not say that.
fn told(report: &Report) -> Option<String> {
    let outcome = &report.outcome;
    if matches!(outcome, Outcome::Ok | Outcome::Raised) {
        return None;
    }
    let survived = match (outcome, report.variables) {
        (Outcome::SessionEnded, _) => {
            "Variables are gone; the files that could be saved are in the workspace."
        }
        (_, Survival::Kept) => "Variables and files are kept.",
        (_, Survival::Lost) => "Variables are gone, files are kept.",
    };
    Some(format!("{} {survived}", sentence(&outcome.to_string())))
}

/// The first part of a text.
fn head(text: &str) -> String {
    text.chars().take(2000).collect()
}

/// A text as it is given, and the file that holds all of it if that is more: `whole` where there is one already, which
/// has what came behind the limit of a call's output, too.
async fn fitted(session: &Session, text: &str, name: &str, whole: Option<&str>) -> (String, Option<String>) {
    let Some(cut) = cut(text, cut::MOST) else { return (text.to_owned(), None) };
    if let Some(whole) = whole {
        return (cut.told(&format!("`{whole}` has all of it")), Some(whole.to_owned()));
    }
    match keep(session, text, name).await {
        Some(file) => (cut.told(&format!("`{file}` has all of it")), Some(file)),
        None => (cut.told("there was no room for a file that has all of it"), None),
    }
}

/// Keeps a text in a new file where the session works, and gives its name.
async fn keep(session: &Session, text: &str, name: &str) -> Option<String> {
    for n in 1..=NAMES {
        let file = format!("{name}-{n}.txt");
        match session.create_file(&file, io::Cursor::new(text.as_bytes().to_vec())).await {
            Ok(_) => return Some(file),
            Err(session::Error::File { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                tracing::warn!("failed to {}", crate::fault::chain(&error));
                return None;
            }
        }
    }
    None
}
