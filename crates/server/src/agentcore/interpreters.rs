//! Interpreters: the one that everybody has, and those that clients make.

use std::collections::BTreeMap;
use std::time::SystemTime;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use session::network::Mode;
use session::records::InterpreterRecord;
use session::{Network, Principal};

use crate::fault::{Fault, Kind};

use super::mounts::{self, FileSystem};
use super::network::{self, Configuration};
use super::rules::{self, Rules};
use super::sessions::check_certificates;
use super::{Incoming, answer, idempotent, identifiers, input, page, tags, timestamp};

/// The most interpreters of a principal; AWS has the same limit for an account.
const MOST: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    name: Option<String>,
    description: Option<String>,
    execution_role_arn: Option<String>,
    network_configuration: Option<Configuration>,
    certificates: Option<Vec<Value>>,
    filesystem_configurations: Option<Vec<FileSystem>>,
    client_token: Option<String>,
    tags: Option<BTreeMap<String, String>>,
}

/// What this edge keeps beside an interpreter's record.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Extra {
    network_configuration: Configuration,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    execution_role_arn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filesystem_configurations: Option<Vec<FileSystem>>,
}

/// The interpreter that an id or an ARN names.
pub(super) fn find(incoming: &Incoming, identifier: &str) -> Result<InterpreterRecord, Fault> {
    let id = identifiers::interpreter(identifier)?;
    let region = identifiers::region(incoming.header("authorization"));
    if id == identifiers::SYSTEM {
        return Ok(system(&incoming.principal, region));
    }
    incoming
        .service
        .records
        .interpreter(&incoming.principal, id)
        .ok_or_else(|| Fault::not_found(format!("Code interpreter {id} not found")))
}

/// What a session of this interpreter may reach.
pub(super) fn reach(incoming: &Incoming, interpreter: &InterpreterRecord) -> Result<Network, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Kept {
        network_configuration: Configuration,
    }
    let kept: Kept = serde_json::from_str(&interpreter.extra).map_err(|error| Fault::internal(&error))?;
    network::reach(&kept.network_configuration, &incoming.service.bounds.network).map_err(|why| {
        Fault::validation(format!(
            "Code interpreter {} was made when this server permitted more, and no session is opened with it: {why}",
            interpreter.id
        ))
    })
}

/// The file systems that every session of this interpreter has mounted.
pub(super) fn file_systems(interpreter: &InterpreterRecord) -> Result<Vec<FileSystem>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Kept {
        #[serde(default)]
        filesystem_configurations: Vec<FileSystem>,
    }
    let kept: Kept = serde_json::from_str(&interpreter.extra).map_err(|error| Fault::internal(&error))?;
    Ok(kept.filesystem_configurations)
}

fn system(principal: &Principal, region: Option<&str>) -> InterpreterRecord {
    InterpreterRecord {
        id: identifiers::SYSTEM.to_owned(),
        principal: principal.clone(),
        arn: identifiers::system_arn(region),
        name: "Amazon Bedrock AgentCore Code Interpreter".to_owned(),
        description: Some("AWS built-in code interpreter for secure code execution".to_owned()),
        extra: json!({ "networkConfiguration": { "networkMode": "SANDBOX" } }).to_string(),
        tags: BTreeMap::new(),
        created: SystemTime::UNIX_EPOCH,
        updated: SystemTime::UNIX_EPOCH,
    }
}

pub(super) async fn create(incoming: &Incoming) -> Result<Response<Body>, Fault> {
    let create: Create = input::parse(&incoming.body)?;
    let mut rules = Rules::default();
    rules.required("name", create.name.as_deref(), rules::INTERPRETER_NAME);
    rules.text("description", create.description.as_deref(), rules::DESCRIPTION);
    rules.text("executionRoleArn", create.execution_role_arn.as_deref(), rules::ROLE_ARN);
    network::check(&mut rules, create.network_configuration.as_ref());
    check_certificates(&mut rules, create.certificates.as_ref().map(Vec::len));
    mounts::check(&mut rules, create.filesystem_configurations.as_deref());
    rules.text("clientToken", create.client_token.as_deref(), rules::CLIENT_TOKEN);
    tags::check(&mut rules, create.tags.as_ref());
    rules.hold()?;
    mounts::mounted(create.filesystem_configurations.as_deref().unwrap_or_default())?;
    if let Some(configuration) = &create.network_configuration {
        let most = &incoming.service.bounds.network;
        network::reach(configuration, most).map_err(|why| {
            let instead = if most.mode == Mode::None { "SANDBOX" } else { "VPC or SANDBOX" };
            input::not_here("networkConfiguration.networkMode", &format!("{why}; use {instead}"))
        })?;
    }
    let token = create.client_token.clone();
    let make = async { make(incoming, create) };
    let text = idempotent::once(incoming, "create", token.as_deref(), &[&incoming.body], make).await?;
    let body: Value = serde_json::from_str(&text).map_err(|error| Fault::internal(&error))?;
    answer(StatusCode::ACCEPTED, &body)
}

fn make(incoming: &Incoming, create: Create) -> Result<String, Fault> {
    let (principal, records) = (&incoming.principal, &incoming.service.records);
    let name = create.name.unwrap_or_default();
    let own = records.interpreters(principal);
    if own.iter().any(|record| record.name == name) {
        return Err(Fault::new(
            Kind::Conflict,
            format!("a code interpreter with the name {name} exists already"),
        ));
    }
    if own.len() >= MOST {
        return Err(Fault::new(
            Kind::Quota,
            format!("there are {MOST} code interpreters, which is the most"),
        ));
    }
    let id = format!("{name}-{}", suffix()?);
    let Some(network_configuration) = create.network_configuration else {
        return Err(Fault::field("networkConfiguration", "Member must not be null"));
    };
    let extra = Extra {
        network_configuration,
        execution_role_arn: create.execution_role_arn,
        filesystem_configurations: create.filesystem_configurations,
    };
    let now = SystemTime::now();
    let record = InterpreterRecord {
        arn: identifiers::custom_arn(identifiers::region(incoming.header("authorization")), &id),
        id,
        principal: principal.clone(),
        name,
        description: create.description,
        extra: serde_json::to_string(&extra).map_err(|error| Fault::internal(&error))?,
        tags: create.tags.unwrap_or_default(),
        created: now,
        updated: now,
    };
    let body = json!({
        "codeInterpreterId": record.id,
        "codeInterpreterArn": record.arn,
        "createdAt": timestamp(now),
        "status": "READY",
    });
    records.add_interpreter(record);
    Ok(body.to_string())
}

/// Ten letters and digits, as at the end of AWS's ids.
fn suffix() -> Result<String, Fault> {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut random = session::new_call_id().map_err(|error| Fault::internal(&error))?.0;
    let letters = std::iter::from_fn(|| {
        let letter = LETTERS[(random % 62) as usize];
        random /= 62;
        Some(char::from(letter))
    });
    Ok(letters.take(10).collect())
}

fn summary(record: &InterpreterRecord) -> Value {
    let mut summary = json!({
        "codeInterpreterId": record.id,
        "codeInterpreterArn": record.arn,
        "name": record.name,
        "status": "READY",
        "createdAt": timestamp(record.created),
        "lastUpdatedAt": timestamp(record.updated),
    });
    if let Some(description) = &record.description {
        summary["description"] = description.as_str().into();
    }
    summary
}

pub(super) fn get(incoming: &Incoming, identifier: &str) -> Result<Response<Body>, Fault> {
    let record = find(incoming, identifier)?;
    let mut body = summary(&record);
    if let (Value::Object(body), Ok(Value::Object(extra))) = (&mut body, serde_json::from_str(&record.extra))
    {
        body.extend(extra);
    }
    answer(StatusCode::OK, &body)
}

pub(super) fn list(incoming: &Incoming) -> Result<Response<Body>, Fault> {
    let most = incoming.parameter("maxResults");
    let number = most.and_then(|text| text.parse::<i64>().ok());
    let (token, kind) = (incoming.parameter("nextToken"), incoming.parameter("type"));
    let mut rules = Rules::default();
    if most.is_some() && number.is_none() {
        rules.broken("maxResults", "Member must be a whole number");
    }
    rules.number("maxResults", number, 1, 100);
    rules.text("nextToken", token, rules::NEXT_TOKEN);
    rules.text("type", kind, rules::INTERPRETER_TYPE);
    rules.hold()?;
    let mut records = Vec::new();
    if kind != Some("SYSTEM") {
        records = incoming.service.records.interpreters(&incoming.principal);
    }
    if kind != Some("CUSTOM") {
        records.push(system(&incoming.principal, identifiers::region(incoming.header("authorization"))));
    }
    // Newest first, and the system's, which was always there, last.
    let key = |record: &InterpreterRecord| format!("{} {}", timestamp(record.created), record.id);
    records.sort_by_key(|record| std::cmp::Reverse(key(record)));
    let (records, next) = page::page(records, number, token, key)?;
    let summaries: Vec<Value> = records.iter().map(summary).collect();
    let mut body = json!({ "codeInterpreterSummaries": summaries });
    if let Some(next) = next {
        body["nextToken"] = next.into();
    }
    answer(StatusCode::OK, &body)
}

pub(super) fn delete(incoming: &Incoming, identifier: &str) -> Result<Response<Body>, Fault> {
    let mut rules = Rules::default();
    rules.text("clientToken", incoming.parameter("clientToken"), rules::CLIENT_TOKEN);
    rules.hold()?;
    let record = find(incoming, identifier)?;
    if record.id == identifiers::SYSTEM {
        return Err(Fault::new(Kind::AccessDenied, "the system's code interpreter cannot be deleted"));
    }
    // Sessions that were opened with it go on; they need nothing of it.
    incoming.service.records.remove_interpreter(&incoming.principal, &record.id);
    let body = json!({
        "codeInterpreterId": record.id,
        "status": "DELETING",
        "lastUpdatedAt": timestamp(SystemTime::now()),
    });
    answer(StatusCode::ACCEPTED, &body)
}
