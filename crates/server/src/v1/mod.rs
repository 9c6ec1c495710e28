//! `/v1`: cellblock's own HTTP API, as far as `cellblock shell --session` needs it. docs/v1.md tells it.
//!
//! A session is named by its id in the path, and found by principal and id together. A call answers with its events as
//! they come, a JSON object a line, and its report last. A client that goes away stops listening, and its call goes on.

mod fault;
pub mod lines;
mod sessions;
mod stream;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, Response, header};
use bytes::Bytes;
use serde_json::{Value, json};
use session::{Check, CommandRequest, Principal, Session, new_call_id};

use crate::agentcore::input;
use crate::body;
use crate::fault::{Fault, Kind};
use crate::state::Service;

pub(crate) use fault::response as refuse;

/// The largest body, bytes: code is no place for data.
const BODY: u64 = 8 << 20;

/// Whether a path is one of this edge's.
pub(crate) fn serves(path: &str) -> bool {
    path.split('/').nth(1) == Some("v1")
}

/// Serves a request.
pub(crate) async fn serve(
    request: Request<Body>,
    service: Arc<Service>,
    principal: Principal,
) -> Response<Body> {
    dispatch(request, &service, &principal).await.unwrap_or_else(|fault| refuse(&fault))
}

async fn dispatch(
    request: Request<Body>,
    service: &Arc<Service>,
    principal: &Principal,
) -> Result<Response<Body>, Fault> {
    let (head, body) = request.into_parts();
    let segments: Vec<&str> = head.uri.path().trim_end_matches('/').split('/').skip(2).collect();
    let operation = Operation::of(&head.method, &segments)?;
    let (body, memory) = body::read(body, &head.headers, BODY, &service.bodies).await?;
    let session = |id: &str| sessions::find(service, principal, id);
    let answered = match (operation, segments.as_slice()) {
        (Operation::List, _) => Ok(answer(&sessions::list(service, principal))),
        (Operation::Execute, [_, id, _]) => execute(&session(id)?, &body),
        (Operation::Command, [_, id, _]) => command(&session(id)?, &body),
        (Operation::Interrupt, [_, id, _]) => interrupt(&session(id)?, &body),
        (Operation::Complete, [_, id, _]) => complete(&session(id)?, &body).await,
        (Operation::Check, [_, id, _]) => check(&session(id)?, &body).await,
        _ => Err(nothing_there()),
    };
    drop(memory);
    answered
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    List,
    Execute,
    Command,
    Interrupt,
    Complete,
    Check,
}

impl Operation {
    fn of(method: &Method, segments: &[&str]) -> Result<Operation, Fault> {
        match (method.as_str(), segments) {
            ("GET", ["sessions"]) => Ok(Operation::List),
            ("POST", ["sessions", _, "execute"]) => Ok(Operation::Execute),
            ("POST", ["sessions", _, "command"]) => Ok(Operation::Command),
            ("POST", ["sessions", _, "interrupt"]) => Ok(Operation::Interrupt),
            ("POST", ["sessions", _, "complete"]) => Ok(Operation::Complete),
            ("POST", ["sessions", _, "check"]) => Ok(Operation::Check),
            _ => Err(nothing_there()),
        }
    }
}

fn nothing_there() -> Fault {
    Fault::new(Kind::UnknownOperation, "there is no such operation in /v1; docs/v1.md tells what there is")
}

fn execute(session: &Session, body: &[u8]) -> Result<Response<Body>, Fault> {
    let sent: sessions::Execute = input::parse(body)?;
    let call = new_call_id().map_err(|error| Fault::internal(&error))?;
    let call = session.execute(sent.request(call)?).map_err(|error| refused(&error))?;
    Ok(stream::of(call))
}

fn command(session: &Session, body: &[u8]) -> Result<Response<Body>, Fault> {
    let sent: sessions::Command = input::parse(body)?;
    let call = new_call_id().map_err(|error| Fault::internal(&error))?;
    let request = CommandRequest { timeout: sent.time.limit()?, ..CommandRequest::shell(call, sent.command) };
    let call = session.command(request).map_err(|error| refused(&error))?;
    Ok(stream::of(call))
}

fn interrupt(session: &Session, body: &[u8]) -> Result<Response<Body>, Fault> {
    let sent: sessions::Interrupt = input::parse(body)?;
    session.interrupt(sent.call()?);
    Ok(answer(&json!({})))
}

async fn complete(session: &Session, body: &[u8]) -> Result<Response<Body>, Fault> {
    let sent: sessions::Complete = input::parse(body)?;
    let language = sent.written.language()?;
    let found = session.complete(language, &sent.code, sent.cursor).await;
    let found = found.map_err(|error| refused(&error))?;
    let matches = found.matches.iter().map(|found| json!({ "text": found.text, "kind": found.kind }));
    Ok(answer(&json!({
        "start": found.start,
        "end": found.end,
        "matches": matches.collect::<Vec<_>>(),
        "more": found.more,
    })))
}

async fn check(session: &Session, body: &[u8]) -> Result<Response<Body>, Fault> {
    let sent: sessions::Check = input::parse(body)?;
    let checked = session.check(sent.written.language()?, &sent.code).await;
    let (status, indent) = match checked.map_err(|error| refused(&error))? {
        Check::Complete => ("complete", 0),
        Check::Incomplete { indent } => ("incomplete", indent),
        Check::Invalid => ("invalid", 0),
    };
    Ok(answer(&json!({ "status": status, "indent": indent })))
}

/// A session that does not take a call has ended meanwhile.
fn refused(error: &session::Error) -> Fault {
    let later = |message: &str| Fault::new(Kind::Conflict, message);
    match error {
        session::Error::Ended => sessions::none(),
        session::Error::Busy => later("the interpreter runs code, and answers no question meanwhile"),
        session::Error::Unanswered => later("the interpreter did not answer in time"),
        error => Fault::internal(error),
    }
}

fn answer(body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::from(body.to_string())));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
