//! `InvokeCodeInterpreter`: which tool, its arguments, and the stream of its answer.
//!
//! Code and commands: everything that can be checked is checked first, then the headers go out at once and an event
//! that clients pass over follows every ten seconds, so that nobody's read time-out ends a long call and sends it
//! again. File tools take no time, and their headers wait for the result: only so can the size of an answer be refused
//! as AWS refuses it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use bytes::Bytes;
use session::{CommandRequest, ExecuteRequest, Session, new_call_id};
use tracing::Instrument;

use crate::fault::Fault;
use crate::open::OpenSession;
use crate::pieces::Pieces;
use crate::request_id::RequestId;

use super::arguments::{Invocation, Tool};
use super::invocations::{Awaited, Begun, Digest, Ended, Promise, digest};
use super::results::{Collected, ToolResult, command, command_status};
use super::rules::{self, Rules};
use super::{Incoming, event_stream, files, sessions};

/// The largest body, bytes: files of 100 MB together, in base 64, and what is around them.
pub(super) const BODY: u64 = 140_000_000;
/// What is checked at once, bytes: it takes less time than handing it to another thread.
const SMALL: usize = 64 << 10;
/// How often a stream says that it is alive.
const ALIVE: Duration = Duration::from_secs(10);
/// The largest event that botocore reads, bytes.
const BOTOCORE: usize = 24 << 20;
/// The largest that others are sent; AWS's own limit is about this.
pub(super) const OTHERS: usize = 50 << 20;
/// The header that names the session, in requests and answers.
const SESSION: &str = "x-amzn-code-interpreter-session-id";

pub(super) async fn invoke(incoming: Incoming, identifier: &str) -> Result<Response<Body>, Fault> {
    let id = incoming.header(SESSION).map(str::to_owned);
    let mut rules = Rules::default();
    rules.required("sessionId", id.as_deref(), rules::SESSION_ID);
    rules.text("traceId", incoming.header("x-amzn-trace-id"), rules::TRACE);
    rules.text("traceParent", incoming.header("traceparent"), rules::TRACE);
    rules.hold()?;
    let id = id.unwrap_or_default();
    let open = sessions::invoked(&incoming.service, &incoming.principal, identifier, &id)?;
    let largest = largest(incoming.header("user-agent"));
    let invocation_id = incoming.header("amz-sdk-invocation-id").map(str::to_owned);
    let (incoming, checked) = check(incoming).await?;
    let (tool, digest) = checked?;
    let waits = tool.waits();
    let answer = match open.invocations.begin(invocation_id.as_deref(), &digest) {
        Begun::Known(answer) => answer,
        Begun::New(promise, answer) => {
            let forgotten = invocation_id.filter(|_| tool.only_reads());
            let work = async move {
                run(&open, incoming, tool, promise).await;
                if let Some(id) = forgotten {
                    open.invocations.forget(&id, &digest);
                }
            };
            RequestId::spawn(work.instrument(tracing::Span::current()));
            answer
        }
    };
    let body = if waits { whole(answer, largest).await? } else { stream(answer, largest) };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/vnd.amazon.eventstream"));
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(SESSION, value);
    }
    Ok(response)
}

/// Checks a body, and tells it from others. A large one where that holds up nobody.
async fn check(incoming: Incoming) -> Result<(Incoming, Result<(Tool, Digest), Fault>), Fault> {
    let check = |body: &[u8]| Ok((Invocation::check(body)?, digest(body)));
    if incoming.body.len() < SMALL {
        let checked = check(&incoming.body);
        return Ok((incoming, checked));
    }
    tokio::task::spawn_blocking(move || {
        let checked = check(&incoming.body);
        (incoming, checked)
    })
    .await
    .map_err(|error| Fault::internal(&error))
}

/// The largest event that this client reads, bytes.
fn largest(user_agent: Option<&str>) -> usize {
    let agent = user_agent.unwrap_or("").to_ascii_lowercase();
    if agent.contains("botocore") || agent.contains("boto3") { BOTOCORE } else { OTHERS }
}

pub(super) fn too_large() -> Fault {
    Fault::validation("Response payload too large. Reduce the number or size of files in a single call.")
}

/// Runs a tool to its end, whoever still listens.
async fn run(open: &OpenSession, incoming: Incoming, tool: Tool, promise: Promise) {
    let (name, begun) = (tool.name(), Instant::now());
    let carried_out = carry_out(open, incoming, tool).await;
    let ended = match &carried_out {
        Ok(result) if result.is_error => "wrong",
        Ok(_) => "ok",
        Err(fault) => fault.kind.name(),
    };
    let ms = begun.elapsed().as_millis() as u64;
    tracing::info!(session = %open.session.id(), tool = name, ended, ms, "a tool has run");
    let answer = match carried_out {
        Ok(result) => serde_json::to_vec(&result).map(Bytes::from).map_err(|error| Fault::internal(&error)),
        Err(fault) => Err(fault),
    };
    promise.send_replace(Some(Arc::new(Ended::now(answer))));
}

async fn carry_out(open: &OpenSession, incoming: Incoming, tool: Tool) -> Result<ToolResult, Fault> {
    let session = &open.session;
    match tool {
        Tool::Code { code, language, clear_context } => {
            let request = ExecuteRequest { clear_context, language, ..ExecuteRequest::new(new_id()?, code) };
            let mut call = session.execute(request).map_err(|error| refused(session, &error))?;
            drop(incoming);
            let mut collected = Collected::default();
            while let Some(event) = call.next().await {
                collected.take(event);
            }
            Ok(collected.code(&call.report().await))
        }
        Tool::Command { command: line } => {
            let request = CommandRequest::new(new_id()?, shell(line));
            let mut call = session.command(request).map_err(|error| refused(session, &error))?;
            drop(incoming);
            let mut output = Vec::new();
            while let Some(event) = call.next().await {
                match event {
                    session::Event::Stdout(bytes) | session::Event::Stderr(bytes) => {
                        output.extend_from_slice(&bytes);
                    }
                    _ => {}
                }
            }
            let report = call.report().await;
            let (status, told) = command_status(&report);
            let output = String::from_utf8_lossy(&output).into_owned();
            Ok(command(output, status, told, report.elapsed.as_secs_f64()))
        }
        Tool::StartCommand { command } => {
            let request =
                CommandRequest { unlimited: true, ..CommandRequest::new(new_id()?, shell(command)) };
            let call = session.command(request).map_err(|error| refused(session, &error))?;
            Ok(open.tasks.follow(call))
        }
        Tool::GetTask { task } => Ok(open.tasks.get(&task).unwrap_or_else(|| no_task("get_task", &task))),
        Tool::StopTask { task } => {
            Ok(open.tasks.stop(&task, session).unwrap_or_else(|| no_task("stop_task", &task)))
        }
        Tool::ReadFiles { paths } => files::read(session, paths).await,
        Tool::ListFiles { path } => files::list(session, path).await,
        Tool::RemoveFiles { paths } => files::remove(session, paths).await,
        Tool::WriteFiles => files::write(session, incoming).await,
    }
}

/// A command with its errors in one stream with its output: this wire has one place for both, and their order is exact
/// only where they are written to one pipe. The shell that runs the line takes the place of the one that joins them.
fn shell(line: String) -> Vec<String> {
    const JOINED: &str = "exec /bin/sh -c \"$0\" 2>&1";
    vec!["/bin/sh".to_owned(), "-c".to_owned(), JOINED.to_owned(), line]
}

fn no_task(tool: &str, id: &str) -> ToolResult {
    let shown: String = id.chars().take(100).collect();
    ToolResult::wrong(format!("Error executing tool {tool}: Task {shown} not found"))
}

fn new_id() -> Result<session::CallId, Fault> {
    new_call_id().map_err(|error| Fault::internal(&error))
}

/// The fault of a session that has ended, in AWS's words.
pub(super) fn not_active(session: &Session) -> Fault {
    Fault::validation(format!("Code interpreter session {} is not active", session.id()))
}

/// A session that does not take a call has ended meanwhile.
fn refused(session: &Session, error: &session::Error) -> Fault {
    match error {
        session::Error::Ended => not_active(session),
        error => Fault::internal(error),
    }
}

/// The answer, once it is there.
async fn awaited(answer: &mut Awaited) -> Arc<Ended> {
    let ended = answer.wait_for(Option::is_some).await.ok().and_then(|ended| ended.clone());
    ended.unwrap_or_else(|| Arc::new(Ended::now(Err(broken()))))
}

fn broken() -> Fault {
    Fault::new(crate::fault::Kind::Internal, "cellblock failed in the middle of this call; its log says more")
}

/// A body whose headers wait for the answer.
async fn whole(mut answer: Awaited, largest: usize) -> Result<Body, Fault> {
    match &awaited(&mut answer).await.answer {
        Ok(payload) if payload.len() > largest => Err(too_large()),
        Ok(payload) => Ok(Body::from(event_stream::result(payload))),
        Err(fault) => Err(fault.clone()),
    }
}

/// A body whose headers go out at once.
fn stream(answer: Awaited, largest: usize) -> Body {
    let (pieces, body) = Pieces::new();
    RequestId::spawn(speak(pieces, answer, largest));
    body
}

/// Keeps a stream alive until its answer is there. It ends when the client has gone; what it asked for does not.
async fn speak(pieces: Pieces, mut answer: Awaited, largest: usize) {
    let last = loop {
        tokio::select! {
            ended = awaited(&mut answer) => break match &ended.answer {
                Ok(payload) if payload.len() > largest => event_stream::exception(&too_large()),
                Ok(payload) => event_stream::result(payload),
                Err(fault) => event_stream::exception(fault),
            },
            () = tokio::time::sleep(ALIVE) => {
                if pieces.send(event_stream::keep_alive()).await.is_none() {
                    return;
                }
            }
        }
    };
    let _ = pieces.send(last).await;
}
