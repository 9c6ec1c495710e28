//! What a tool answers: text and pictures for a model, and the same as data for a program.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rmcp::model::{CallToolResult, ContentBlock, Resource};
use serde_json::{Map, Value, json};
use session::workspace::Workspace;

use super::conversations::Held;

/// Types of pictures that models see, the better form first.
pub(super) const PICTURES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];
/// The largest picture that is given, bytes; larger ones are refused by the services that models run on.
pub(super) const PICTURE: u64 = 5 << 20;

/// Why a call was not carried out, for whoever made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What happened, as sentences.
    pub(crate) what: String,
    /// What to try, as sentences.
    pub(crate) try_next: String,
    /// Whether the session had ended, so that another one can be tried.
    pub(crate) ended: bool,
}

impl Refusal {
    pub(crate) fn new(what: impl Into<String>, try_next: impl Into<String>) -> Refusal {
        Refusal { what: what.into(), try_next: try_next.into(), ended: false }
    }

    /// A session that does not take a call.
    pub(super) fn of(error: &session::Error) -> Refusal {
        match error {
            session::Error::Ended => Refusal {
                ended: true,
                ..Refusal::new(
                    "The session has ended. Its variables are gone; the files that it saved are in the workspace.",
                    "Call again: a new session takes its place.",
                )
            },
            error => {
                tracing::error!("failed to {}", crate::fault::chain(error));
                Refusal::new(
                    "cellblock itself failed; nothing is wrong with what you sent.",
                    "Try again; if it fails again, tell the user that the server's log says more.",
                )
            }
        }
    }

    /// The answer.
    pub(super) fn answer(self) -> CallToolResult {
        let Refusal { what, try_next, .. } = self;
        let mut result = CallToolResult::error(vec![ContentBlock::text(format!("{what} {try_next}"))]);
        result.structured_content = Some(json!({ "outcome": "refused", "message": what, "try": try_next }));
        result
    }
}

/// A clause as a sentence: with a capital letter and a full stop.
pub(crate) fn sentence(clause: &str) -> String {
    let mut chars = clause.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let rest = chars.as_str();
    let stop = if rest.ends_with(['.', '!', '?', ':']) { "" } else { "." };
    format!("{first}{rest}{stop}")
}

/// How much that is, for people.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{:.1} KB", bytes as f64 / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.2} GB", bytes as f64 / 1_073_741_824.0),
    }
}

/// An answer that is being put together.
#[derive(Debug, Default)]
pub(super) struct Reply {
    /// What came before anything else: sentences of ours.
    first: Vec<String>,
    parts: Vec<String>,
    blocks: Vec<ContentBlock>,
    data: Map<String, Value>,
    is_error: bool,
}

impl Reply {
    /// An answer from this session.
    pub(super) fn of(held: &Held) -> Reply {
        let mut reply = Reply::default();
        reply.set("session_id", held.called.as_str());
        reply.set_some("workspace", held.workspace.as_ref().map(ToString::to_string));
        reply.set("outcome", "ok");
        if held.replaced {
            reply.first(
                "The earlier session of this conversation has ended and a new one took its place: its variables are \
                 gone, the files that it saved are not.",
            );
            reply.set("session_replaced", true);
        }
        reply
    }

    /// An answer that needs no session.
    pub(super) fn without_session(workspace: &Workspace) -> Reply {
        let mut reply = Reply::default();
        reply.set("workspace", workspace.name().as_str());
        reply.set("outcome", "ok");
        reply
    }

    /// A sentence that is read first, if there is one.
    pub(super) fn first_some(&mut self, sentence: Option<String>) {
        self.first.extend(sentence);
    }

    /// A sentence that is read first.
    pub(super) fn first(&mut self, sentence: impl Into<String>) {
        self.first.push(sentence.into());
    }

    /// A paragraph.
    pub(super) fn say(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.parts.push(text);
        }
    }

    /// A picture, of the bytes of its file.
    pub(super) fn picture(&mut self, bytes: &[u8], mime: &str) {
        self.blocks.push(ContentBlock::image(STANDARD.encode(bytes), mime));
    }

    /// A file that can be read as a resource.
    pub(super) fn link(&mut self, resource: Resource) {
        self.blocks.push(ContentBlock::resource_link(resource));
    }

    /// A field of the data.
    pub(super) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.data.insert(name.to_owned(), value.into());
    }

    /// A field that is there only if there is a value for it.
    pub(super) fn set_some(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    /// What to try next.
    pub(super) fn hint(&mut self, hint: Option<String>) {
        if let Some(hint) = hint {
            self.set("try", hint.as_str());
            self.parts.push(hint);
        }
    }

    /// It is an error, of this outcome.
    pub(super) fn failed(&mut self, outcome: &str) {
        self.set("outcome", outcome);
        self.is_error = true;
    }

    /// The answer; of a call of which there is nothing to say, these words.
    pub(super) fn answer(self, otherwise: &str) -> CallToolResult {
        let Reply { first, mut parts, mut blocks, mut data, is_error } = self;
        if parts.is_empty() && blocks.is_empty() {
            parts.push(otherwise.to_owned());
        }
        if is_error && !data.contains_key("message") {
            // Some clients show their model the data alone.
            let given = |part: &&String| !data.values().any(|value| value.as_str() == Some(part.as_str()));
            let message: Vec<&str> = parts.iter().filter(given).map(String::as_str).collect();
            data.insert("message".to_owned(), json!(message.join("\n\n")));
        }
        if !first.is_empty() {
            data.insert("notices".to_owned(), json!(first));
            parts.insert(0, first.join("\n"));
        }
        let mut content = Vec::with_capacity(blocks.len() + 1);
        if !parts.is_empty() {
            content.push(ContentBlock::text(parts.join("\n\n")));
        }
        content.append(&mut blocks);
        let mut result =
            if is_error { CallToolResult::error(content) } else { CallToolResult::success(content) };
        result.structured_content = Some(Value::Object(data));
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_become_sentences() {
        assert_eq!(sentence("it is starting"), "It is starting.");
        assert_eq!(sentence("Is it?"), "Is it?");
        assert_eq!(sentence(""), ".");
    }

    #[test]
    fn sizes_are_for_people() {
        let sizes = [0, 1, 1023, 1024, 1536, 5 << 20, 3 << 30].map(size);
        assert_eq!(sizes, ["0 bytes", "1 byte", "1023 bytes", "1.0 KB", "1.5 KB", "5.0 MB", "3.00 GB"]);
    }

    #[test]
    fn the_data_says_what_went_wrong_as_well() {
        let mut reply = Reply::default();
        reply.set("stdout", "42");
        reply.say("42");
        reply.say("There is no file `a`. There is `b`.");
        reply.failed("output_missing");
        let answer = serde_json::to_value(reply.answer("(no output)")).unwrap();
        assert_eq!(answer["structuredContent"]["message"], "There is no file `a`. There is `b`.");
        assert_eq!(answer["isError"], true);
    }

    #[test]
    fn an_answer_begins_with_what_must_be_known() {
        let mut reply = Reply::default();
        reply.say("42");
        reply.first("Variables are gone.");
        reply.picture(b"\x89PNG", "image/png");
        let answer = serde_json::to_value(reply.answer("(no output)")).unwrap();
        assert_eq!(answer["content"][0]["text"], "Variables are gone.\n\n42");
        assert_eq!(answer["content"][1]["mimeType"], "image/png");
        assert_eq!(answer["structuredContent"]["notices"][0], "Variables are gone.");
        let answer = serde_json::to_value(Reply::default().answer("(no output)")).unwrap();
        assert_eq!(answer["content"][0]["text"], "(no output)");
    }
}
