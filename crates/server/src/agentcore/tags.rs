//! Tags of interpreters.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::fault::{Fault, Kind};

use super::rules::{self, Rules};
use super::{Incoming, answer, identifiers, input, interpreters};

/// The most tags of a resource.
const MOST: usize = 50;

/// Checks tags that are to be set.
pub(super) fn check(rules: &mut Rules, tags: Option<&BTreeMap<String, String>>) {
    rules.count("tags", tags.map(BTreeMap::len), 0, MOST);
    for (key, value) in tags.into_iter().flatten() {
        rules.text("tags.key", Some(key), rules::TAG_KEY);
        rules.text(&format!("tags.{key}"), Some(value), rules::TAG_VALUE);
    }
}

/// The id of the interpreter that an ARN names, if it can have tags.
fn resource(incoming: &Incoming, arn: &str) -> Result<String, Fault> {
    if !arn.starts_with("arn:") {
        return Err(Fault::field("resourceArn", "Member must be the ARN of a code interpreter"));
    }
    let record = interpreters::find(incoming, arn)?;
    if record.id == identifiers::SYSTEM {
        return Err(Fault::new(Kind::AccessDenied, "the system's code interpreter has no tags"));
    }
    Ok(record.id)
}

fn gone(id: &str) -> Fault {
    Fault::not_found(format!("Code interpreter {id} not found"))
}

fn nothing() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

pub(super) fn tag(incoming: &Incoming, arn: &str) -> Result<Response<Body>, Fault> {
    #[derive(Deserialize)]
    struct Tag {
        tags: Option<BTreeMap<String, String>>,
    }
    let tag: Tag = input::parse(&incoming.body)?;
    let mut rules = Rules::default();
    if tag.tags.is_none() {
        rules.broken("tags", "Member must not be null");
    }
    check(&mut rules, tag.tags.as_ref());
    rules.hold()?;
    let id = resource(incoming, arn)?;
    let new = tag.tags.unwrap_or_default();
    let kept = incoming.service.records.change_tags(&incoming.principal, &id, |tags| {
        let mut all = tags.clone();
        all.extend(new);
        let fits = all.len() <= MOST;
        if fits {
            *tags = all;
        }
        fits
    });
    match kept {
        Some(true) => Ok(nothing()),
        Some(false) => Err(Fault::new(Kind::Quota, format!("a code interpreter has {MOST} tags at most"))),
        None => Err(gone(&id)),
    }
}

pub(super) fn untag(incoming: &Incoming, arn: &str) -> Result<Response<Body>, Fault> {
    let named = incoming.query.iter().filter(|(name, _)| name == "tagKeys");
    let keys: Vec<&str> = named.map(|(_, value)| value.as_str()).collect();
    let mut rules = Rules::default();
    rules.count("tagKeys", Some(keys.len()), 0, 200);
    for key in &keys {
        rules.text("tagKeys", Some(key), rules::TAG_KEY);
    }
    rules.hold()?;
    let id = resource(incoming, arn)?;
    let changed = incoming.service.records.change_tags(&incoming.principal, &id, |tags| {
        tags.retain(|key, _| !keys.contains(&key.as_str()));
    });
    changed.map(|()| nothing()).ok_or_else(|| gone(&id))
}

pub(super) fn list(incoming: &Incoming, arn: &str) -> Result<Response<Body>, Fault> {
    let record = interpreters::find(incoming, arn)?;
    answer(StatusCode::OK, &json!({ "tags": record.tags }))
}
