//! The wire of AWS's AgentCore code interpreter: sessions, tools, interpreters and tags, at AWS's own paths.
//!
//! A client finds everything where AWS puts it; docs/agentcore.md says where we go beyond that. An identifier in a
//! path may be an ARN, percent-encoded into one segment: routes are matched before anything is decoded.

mod arguments;
mod event_stream;
mod files;
mod idempotent;
mod identifiers;
pub(crate) mod input;
mod interpreters;
mod invocations;
mod invoke;
mod mounts;
mod network;
mod page;
mod results;
mod rules;
mod sessions;
mod tags;
mod tasks;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use bytes::Bytes;
use serde::Serialize;
use session::Principal;

use crate::body;
use crate::budget::Share;
use crate::fault::{Fault, Kind};
use crate::state::Service;

pub(crate) mod fuzz;

pub(crate) use invocations::Invocations;
pub(crate) use tasks::Tasks;

/// One request, read and not yet understood.
struct Incoming {
    service: Arc<Service>,
    principal: Principal,
    headers: HeaderMap,
    query: Vec<(String, String)>,
    body: Bytes,
    /// Held as long as the body is.
    _memory: Share,
}

impl Incoming {
    /// A parameter of the query.
    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find_map(|(key, value)| (key == name).then_some(value.as_str()))
    }

    /// A header, if it is there and is text.
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Whether a path is one of this wire's.
pub(crate) fn serves(path: &str) -> bool {
    matches!(path.split('/').nth(1), Some("code-interpreters" | "tags"))
}

/// Serves a request.
pub(crate) async fn serve(
    request: Request<Body>,
    service: Arc<Service>,
    principal: Principal,
) -> Response<Body> {
    dispatch(request, service, principal).await.unwrap_or_else(|fault| fault.response())
}

async fn dispatch(
    request: Request<Body>,
    service: Arc<Service>,
    principal: Principal,
) -> Result<Response<Body>, Fault> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let segments: Vec<&str> = path.trim_end_matches('/').split('/').skip(1).collect();
    let operation = Operation::of(&head.method, &segments)?;
    let limit = if operation == Operation::Invoke { invoke::BODY } else { input::BODY };
    let (body, memory) = body::read(body, &head.headers, limit, &service.bodies).await?;
    let query = head.uri.query().unwrap_or("").as_bytes();
    let query = form_urlencoded::parse(query).into_owned().collect();
    let incoming = Incoming { service, principal, headers: head.headers, query, body, _memory: memory };
    let subject = match segments.get(1) {
        Some(segment) => identifiers::decode(segment)?,
        None => String::new(),
    };
    match operation {
        Operation::Start => sessions::start(&incoming, &subject).await,
        Operation::Invoke => invoke::invoke(incoming, &subject).await,
        Operation::Stop => sessions::stop(&incoming, &subject).await,
        Operation::Get => sessions::get(&incoming, &subject),
        Operation::List => sessions::list(&incoming, &subject),
        Operation::CreateInterpreter => interpreters::create(&incoming).await,
        Operation::GetInterpreter => interpreters::get(&incoming, &subject),
        Operation::ListInterpreters => interpreters::list(&incoming),
        Operation::DeleteInterpreter => interpreters::delete(&incoming, &subject),
        Operation::Tag => tags::tag(&incoming, &subject),
        Operation::Untag => tags::untag(&incoming, &subject),
        Operation::ListTags => tags::list(&incoming, &subject),
    }
}

/// The operations of the two planes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Start,
    Invoke,
    Stop,
    Get,
    List,
    CreateInterpreter,
    GetInterpreter,
    ListInterpreters,
    DeleteInterpreter,
    Tag,
    Untag,
    ListTags,
}

impl Operation {
    fn of(method: &Method, segments: &[&str]) -> Result<Operation, Fault> {
        let operation = match (method.as_str(), segments) {
            ("PUT", ["code-interpreters", _, "sessions", "start"]) => Operation::Start,
            ("PUT", ["code-interpreters", _, "sessions", "stop"]) => Operation::Stop,
            ("GET", ["code-interpreters", _, "sessions", "get"]) => Operation::Get,
            ("POST", ["code-interpreters", _, "sessions", "list"]) => Operation::List,
            ("POST", ["code-interpreters", _, "tools", "invoke"]) => Operation::Invoke,
            ("PUT", ["code-interpreters"]) => Operation::CreateInterpreter,
            ("POST", ["code-interpreters"]) => Operation::ListInterpreters,
            ("GET", ["code-interpreters", _]) => Operation::GetInterpreter,
            ("DELETE", ["code-interpreters", _]) => Operation::DeleteInterpreter,
            ("POST", ["tags", _]) => Operation::Tag,
            ("DELETE", ["tags", _]) => Operation::Untag,
            ("GET", ["tags", _]) => Operation::ListTags,
            _ => {
                let message =
                    format!("there is no operation `{method}` at this path of the code interpreter");
                return Err(Fault::new(Kind::UnknownOperation, message));
            }
        };
        Ok(operation)
    }
}

/// An answer in JSON.
fn answer(status: StatusCode, body: &impl Serialize) -> Result<Response<Body>, Fault> {
    let text = serde_json::to_string(body).map_err(|error| Fault::internal(&error))?;
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// A time as this wire writes it.
fn timestamp(time: std::time::SystemTime) -> String {
    let time = jiff::Timestamp::try_from(time).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{time:.6}")
}
