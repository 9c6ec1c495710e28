//! A message, understood as far as handing it on needs.

use bytes::Bytes;
use serde_json::Value;

/// Where a request of a revision without connections says which it is.
const OWN_REVISION: &str = "io.modelcontextprotocol/protocolVersion";

/// A message of the client, as far as it is understood.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) text: Bytes,
    pub(super) id: Option<Value>,
    pub(super) method: Option<String>,
    /// What a request of this method is for: a tool's name, a resource's URI.
    pub(super) name: Option<String>,
    pub(super) revision: Option<String>,
    /// The id of the request that it cancels.
    pub(super) cancels: Option<Value>,
}

impl Message {
    pub(super) fn of(text: Bytes) -> Message {
        let value: Value = serde_json::from_slice(&text).unwrap_or_default();
        let word = |value: &Value| value.as_str().map(str::to_owned);
        let (method, params) = (word(&value["method"]), &value["params"]);
        let cancels = (method.as_deref() == Some("notifications/cancelled"))
            .then(|| params["requestId"].clone())
            .filter(|id| !id.is_null());
        Message {
            id: value.get("id").filter(|_| method.is_some()).cloned(),
            name: word(&params["name"]).or_else(|| word(&params["uri"])),
            revision: word(&params["_meta"][OWN_REVISION]),
            method,
            cancels,
            text,
        }
    }

    /// Whether it begins a connection.
    pub(super) fn begins(&self) -> bool {
        self.method.as_deref() == Some("initialize")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn messages_are_understood_as_far_as_they_must_be() {
        let of = |text: &'static str| Message::of(Bytes::from_static(text.as_bytes()));
        let call = of(r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"execute_code",
            "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#);
        assert_eq!(call.id, Some(json!("a")));
        assert_eq!(call.name.as_deref(), Some("execute_code"));
        assert_eq!(call.revision.as_deref(), Some("2026-07-28"));
        let cancelled =
            of(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}"#);
        assert_eq!((cancelled.id, cancelled.cancels), (None, Some(json!(7))));
        let answer = of(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
        assert!(answer.id.is_none() && answer.method.is_none());
        assert!(of("no json").id.is_none());
    }
}
