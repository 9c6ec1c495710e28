//! Sessions: start, stop, get, list.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use session::records::SessionRecord;
use session::{Network, Principal, SessionId, SessionOptions};

use crate::fault::Fault;
use crate::open::{Kept, OpenSession};
use crate::state::Service;

use super::mounts::{self, FileSystem, Mounted};
use super::rules::{self, Rules};
use super::{Incoming, answer, idempotent, identifiers, input, interpreters, page, timestamp};

/// How long a session lives where a client does not say, s.
const TIMEOUT: i64 = 900;
/// How long it may live, s.
const LONGEST: i64 = 28_800;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Start {
    name: Option<String>,
    session_timeout_seconds: Option<i64>,
    certificates: Option<Vec<serde_json::Value>>,
    filesystem_configurations: Option<Vec<FileSystem>>,
    client_token: Option<String>,
    trace_id: Option<String>,
}

/// Certificates cannot be fetched from where they are.
pub(super) fn check_certificates(rules: &mut Rules, wanted: Option<usize>) {
    rules.count("certificates", wanted, 1, 200);
    if wanted.is_some_and(|count| count > 0) {
        rules.broken(
            "certificates",
            "certificates lie in AWS Secrets Manager, which this server does not reach",
        );
    }
}

/// What this edge keeps beside a session's record.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Extra {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file_systems: Option<Vec<FileSystem>>,
}

pub(super) async fn start(incoming: &Incoming, identifier: &str) -> Result<Response<Body>, Fault> {
    let interpreter = interpreters::find(incoming, identifier)?;
    let mut start: Start = input::parse(&incoming.body)?;
    let mut rules = Rules::default();
    rules.text("name", start.name.as_deref(), rules::SESSION_NAME);
    let longest = LONGEST.min(i64::try_from(incoming.service.bounds.life.as_secs()).unwrap_or(LONGEST));
    rules.number("sessionTimeoutSeconds", start.session_timeout_seconds, 1, longest);
    check_certificates(&mut rules, start.certificates.as_ref().map(Vec::len));
    mounts::check(&mut rules, start.filesystem_configurations.as_deref());
    rules.text("clientToken", start.client_token.as_deref(), rules::CLIENT_TOKEN);
    rules.text("traceId", start.trace_id.as_deref().or(incoming.header("x-amzn-trace-id")), rules::TRACE);
    rules.text("traceParent", incoming.header("traceparent"), rules::TRACE);
    rules.hold()?;
    let network = interpreters::reach(incoming, &interpreter)?;
    let usual = interpreters::file_systems(&interpreter)?;
    let file_systems = mounts::combined(&usual, start.filesystem_configurations.take());
    let mounted = mounts::mounted(file_systems.as_deref().unwrap_or_default())?;
    start.filesystem_configurations = file_systems;
    let token = start.client_token.clone();
    let open = open(incoming, &interpreter.id, network, mounted, start);
    let parameters = [interpreter.id.as_bytes(), &incoming.body];
    let text = idempotent::once(incoming, "start", token.as_deref(), &parameters, open).await?;
    let body: serde_json::Value = serde_json::from_str(&text).map_err(|error| Fault::internal(&error))?;
    answer(StatusCode::OK, &body)
}

async fn open(
    incoming: &Incoming,
    interpreter: &str,
    network: Network,
    mounted: Option<Mounted>,
    start: Start,
) -> Result<String, Fault> {
    let service = &incoming.service;
    let place = service.place()?;
    let engine = service.engine().await?;
    let seconds = start.session_timeout_seconds.unwrap_or(TIMEOUT);
    let timeout = Duration::from_secs(u64::try_from(seconds).unwrap_or(1)).min(service.bounds.life);
    let options = SessionOptions {
        limits: service.bounds.limits,
        network,
        type_errors: service.bounds.type_errors,
        ttl: Some(timeout),
        ..mounted.map(|mounted| mounted.options(&service.store, &incoming.principal)).unwrap_or_default()
    };
    let extra = Extra { file_systems: start.filesystem_configurations };
    let kept = Kept {
        interpreter: interpreter.to_owned(),
        name: start.name,
        extra: serde_json::to_string(&extra).map_err(|error| Fault::internal(&error))?,
    };
    let (open, created) = service.open_session(&engine, &incoming.principal, options, kept, place).await?;
    Ok(json!({
        "codeInterpreterIdentifier": interpreter,
        "sessionId": open.session.id().to_string(),
        "createdAt": timestamp(created),
    })
    .to_string())
}

/// The session that a request names in its query.
fn named(incoming: &Incoming, identifier: &str) -> Result<SessionRecord, Fault> {
    let interpreter = identifiers::interpreter(identifier)?;
    let id = incoming.parameter("sessionId");
    let mut rules = Rules::default();
    rules.required("sessionId", id, rules::SESSION_ID);
    rules.hold()?;
    let id = id.unwrap_or_default();
    let record = id.parse().ok().and_then(|id| incoming.service.records.session(&incoming.principal, id));
    record.filter(|record| record.interpreter == interpreter).ok_or_else(|| unknown(id))
}

fn unknown(id: &str) -> Fault {
    Fault::not_found(format!("Code interpreter session {id} not found"))
}

pub(super) async fn stop(incoming: &Incoming, identifier: &str) -> Result<Response<Body>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Stop {
        client_token: Option<String>,
    }
    let stop: Stop = input::parse(&incoming.body)?;
    let mut rules = Rules::default();
    rules.text("clientToken", stop.client_token.as_deref(), rules::CLIENT_TOKEN);
    rules.hold()?;
    let record = named(incoming, identifier)?;
    let service = &incoming.service;
    if let Some(open) = service.open.find(&incoming.principal, record.id) {
        open.session.stop().await.map_err(|error| Fault::internal(&error))?;
    }
    // Who watches the session keeps its end, too, but perhaps a moment later than the reply.
    let ended = service.records.end_session(&incoming.principal, record.id).unwrap_or(record);
    service.open.remove(&incoming.principal, ended.id);
    let body = json!({
        "codeInterpreterIdentifier": ended.interpreter,
        "sessionId": ended.id.to_string(),
        "lastUpdatedAt": timestamp(ended.updated),
    });
    answer(StatusCode::OK, &body)
}

fn status(record: &SessionRecord) -> &'static str {
    if record.ended.is_some() { "TERMINATED" } else { "READY" }
}

pub(super) fn get(incoming: &Incoming, identifier: &str) -> Result<Response<Body>, Fault> {
    let record = named(incoming, identifier)?;
    let mut body = json!({
        "codeInterpreterIdentifier": record.interpreter,
        "sessionId": record.id.to_string(),
        "createdAt": timestamp(record.created),
        "sessionTimeoutSeconds": record.timeout.as_secs(),
        "status": status(&record),
    });
    if let Some(name) = &record.name {
        body["name"] = name.as_str().into();
    }
    let extra: Extra = serde_json::from_str(&record.extra).unwrap_or_default();
    if let Some(file_systems) = extra.file_systems {
        body["filesystemConfigurations"] = json!(file_systems);
    }
    answer(StatusCode::OK, &body)
}

pub(super) fn list(incoming: &Incoming, identifier: &str) -> Result<Response<Body>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct List {
        max_results: Option<i64>,
        next_token: Option<String>,
        status: Option<String>,
    }
    let interpreter = interpreters::find(incoming, identifier)?.id;
    let list: List = input::parse(&incoming.body)?;
    let mut rules = Rules::default();
    rules.number("maxResults", list.max_results, 1, 100);
    rules.text("nextToken", list.next_token.as_deref(), rules::NEXT_TOKEN);
    rules.text("status", list.status.as_deref(), rules::SESSION_STATUS);
    rules.hold()?;
    let mut records = incoming.service.records.sessions(&incoming.principal);
    records.retain(|record| record.interpreter == interpreter);
    if let Some(wanted) = &list.status {
        records.retain(|record| status(record) == wanted);
    }
    let key = |record: &SessionRecord| record.id.to_string();
    let (records, next) = page::page(records, list.max_results, list.next_token.as_deref(), key)?;
    let items: Vec<_> = records.iter().map(item).collect();
    let mut body = json!({ "items": items });
    if let Some(next) = next {
        body["nextToken"] = next.into();
    }
    answer(StatusCode::OK, &body)
}

fn item(record: &SessionRecord) -> serde_json::Value {
    let mut item = json!({
        "codeInterpreterIdentifier": record.interpreter,
        "sessionId": record.id.to_string(),
        "status": status(record),
        "createdAt": timestamp(record.created),
        "lastUpdatedAt": timestamp(record.updated),
    });
    if let Some(name) = &record.name {
        item["name"] = name.as_str().into();
    }
    item
}

/// The open session that an invocation is for.
pub(super) fn invoked(
    service: &Service,
    principal: &Principal,
    identifier: &str,
    id: &str,
) -> Result<Arc<OpenSession>, Fault> {
    let interpreter = identifiers::interpreter(identifier)?;
    let known: Option<SessionId> = id.parse().ok();
    if let Some(open) = known.and_then(|id| service.open.find(principal, id)) {
        return if open.interpreter == interpreter { Ok(open) } else { Err(unknown(id)) };
    }
    match known.and_then(|id| service.records.session(principal, id)) {
        Some(record) if record.interpreter == interpreter => {
            Err(Fault::validation(format!("Code interpreter session {id} is not active")))
        }
        _ => Err(unknown(id)),
    }
}
