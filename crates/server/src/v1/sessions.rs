//! What requests say, and the sessions that they are about.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::{Value, json};
use session::{CallId, ExecuteRequest, Language, Principal, Session, TypeErrors};

use crate::fault::Fault;
use crate::language::{Usual, Wrong, language};
use crate::state::Service;

/// How long a call may take.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Time {
    #[serde(default)]
    timeout_ms: Option<u64>,
}

impl Time {
    pub(super) fn limit(&self) -> Result<Option<Duration>, Fault> {
        match self.timeout_ms {
            Some(0) => Err(Fault::validation("`timeout_ms` is at least 1")),
            limit => Ok(limit.map(Duration::from_millis)),
        }
    }
}

/// What code is written in, and what runs it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Written {
    #[serde(default)]
    language: Option<String>,
    #[serde(default)]
    runtime: Option<String>,
}

impl Written {
    pub(super) fn language(&self) -> Result<Language, Fault> {
        let name = self.language.as_deref().unwrap_or("python");
        language(name, self.runtime.as_deref(), Usual::Node).map_err(|wrong| match wrong {
            Wrong::Language(name) => Fault::validation(format!(
                "there is no language `{name}`; there are python, javascript and typescript"
            )),
            Wrong::Runtime { language, by } => {
                Fault::validation(format!("the runtime of {language} is {by}"))
            }
        })
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Execute {
    pub(super) code: String,
    #[serde(flatten)]
    written: Written,
    #[serde(default)]
    clear: bool,
    #[serde(default)]
    type_errors: Option<String>,
    #[serde(flatten)]
    pub(super) time: Time,
}

impl Execute {
    /// The code, to be run as this call.
    pub(super) fn request(self, call: CallId) -> Result<ExecuteRequest, Fault> {
        let language = self.written.language()?;
        let type_errors = match self.type_errors.as_deref() {
            None => None,
            Some("refuse") => Some(TypeErrors::Refuse),
            Some("warn") => Some(TypeErrors::Warn),
            Some(_) => return Err(Fault::validation("`type_errors` is \"refuse\" or \"warn\"")),
        };
        Ok(ExecuteRequest {
            language,
            type_errors,
            clear_context: self.clear,
            timeout: self.time.limit()?,
            ..ExecuteRequest::new(call, self.code)
        })
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Command {
    pub(super) command: String,
    #[serde(flatten)]
    pub(super) time: Time,
}

#[derive(Debug, Deserialize)]
pub(super) struct Complete {
    pub(super) code: String,
    /// In characters.
    pub(super) cursor: usize,
    #[serde(flatten)]
    pub(super) written: Written,
}

#[derive(Debug, Deserialize)]
pub(super) struct Check {
    pub(super) code: String,
    #[serde(flatten)]
    pub(super) written: Written,
}

#[derive(Debug, Deserialize)]
pub(super) struct Interrupt {
    call: String,
}

impl Interrupt {
    pub(super) fn call(&self) -> Result<CallId, Fault> {
        let hex = self.call.len() == 32 && self.call.bytes().all(|byte| byte.is_ascii_hexdigit());
        let call = hex.then(|| u128::from_str_radix(&self.call, 16).ok()).flatten();
        call.map(CallId).ok_or_else(|| Fault::validation("`call` is the id that the call's first line told"))
    }
}

/// The fault of a session that is not there: it has ended, is another principal's, or never was.
pub(super) fn none() -> Fault {
    Fault::not_found("there is no such session; GET /v1/sessions lists those that are open")
}

/// The open session of this id, if it is this principal's.
pub(super) fn find(service: &Service, principal: &Principal, id: &str) -> Result<Session, Fault> {
    let open = id.parse().ok().and_then(|id| service.open.find(principal, id));
    open.map(|open| open.session.clone()).ok_or_else(none)
}

/// A principal's open sessions, newest first.
pub(super) fn list(service: &Service, principal: &Principal) -> Value {
    let open = service
        .records
        .sessions(principal)
        .into_iter()
        .filter(|record| record.ended.is_none() && service.open.find(principal, record.id).is_some());
    let now = SystemTime::now();
    let told = |record: session::records::SessionRecord| {
        let age = now.duration_since(record.created).unwrap_or_default();
        json!({ "id": record.id.to_string(), "name": record.name, "age_seconds": age.as_secs() })
    };
    json!({ "sessions": open.map(told).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_named_as_it_was_told() {
        let call = |call: &str| Interrupt { call: call.to_owned() }.call().ok();
        assert_eq!(call(&CallId(77).to_string()), Some(CallId(77)));
        for wrong in ["", "77", "+0000000000000000000000000000077", "x0000000000000000000000000000077"] {
            assert_eq!(call(wrong), None, "{wrong}");
        }
    }
}
