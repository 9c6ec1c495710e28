//! What a call gives while it runs, and what it gives at its end.

use std::ops::Deref;
use std::time::Duration;

use bytes::Bytes;
use protocol::{CallId, Outcome, Survival};
use serde_json::Value;

/// Something that happened in a call, in the order in which it happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Written to standard output.
    Stdout(Bytes),
    /// Written to standard error.
    Stderr(Bytes),
    /// Displayed: a figure, or what was given to `display`.
    Display(MimeBundle),
    /// The value of the last expression.
    Result(MimeBundle),
    /// A sentence of ours: what happened around the code that its author should know.
    Notice(String),
    /// Written to standard output before this call, when no call ran: by a thread or a child process of an earlier one.
    LateStdout(Bytes),
    /// Written to standard error before this call, when no call ran.
    LateStderr(Bytes),
}

/// One thing in several forms; whoever shows it takes the form that it can show best.
///
/// It is no larger than a pointer, so that an event is small: hostile code can make millions of them wait.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MimeBundle(Box<MimeParts>);

impl From<MimeParts> for MimeBundle {
    fn from(parts: MimeParts) -> MimeBundle {
        MimeBundle(Box::new(parts))
    }
}

impl Deref for MimeBundle {
    type Target = MimeParts;

    fn deref(&self) -> &MimeParts {
        &self.0
    }
}

/// What is in a [`MimeBundle`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MimeParts {
    /// The forms by their MIME types, in the order in which the kernel gave them.
    pub data: Vec<(String, MimeData)>,
    /// What the code said about the forms: widths, heights. An object, or null.
    pub metadata: Value,
    /// What later bundles name in order to replace this one.
    pub display_id: Option<String>,
    /// Whether this one replaces the one of the same `display_id`.
    pub update: bool,
}

impl MimeParts {
    /// The form of this MIME type.
    pub fn get(&self, mime: &str) -> Option<&MimeData> {
        self.data.iter().find_map(|(name, data)| (name == mime).then_some(data))
    }

    /// The text of this MIME type, if it is a text.
    pub fn text(&self, mime: &str) -> Option<&str> {
        match self.get(mime)? {
            MimeData::Text(text) => Some(text),
            MimeData::Json(_) | MimeData::Binary(_) => None,
        }
    }
}

/// One form of what is displayed.
#[derive(Debug, Clone, PartialEq)]
pub enum MimeData {
    /// A text: plain, HTML, SVG, Markdown, `LaTeX`.
    Text(String),
    /// A value: JSON and what is built on it. A large one is left as its text.
    Json(Value),
    /// Bytes: pictures and documents.
    Binary(Bytes),
}

/// An exception, as the language tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Raised {
    /// Its class: `ValueError`.
    pub name: String,
    /// Its message.
    pub value: String,
    /// The traceback, without frames of ours; it ends with the class and the message.
    pub traceback: String,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Which call.
    pub call: CallId,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether the session's variables are there after the call.
    pub variables: Survival,
    /// The exception that ended it, if one did; also the `KeyboardInterrupt` of one that was stopped.
    pub raised: Option<Raised>,
    /// What a command returned, as a shell tells it: 0 to 255, 128 and the signal for one that died of a signal. Of
    /// code: what the interpreter ended with, if it did.
    pub exit_status: Option<i32>,
    /// The number of this piece of code in its kernel, from 1.
    pub execution_count: Option<u64>,
    /// How long it ran, without its time in the line and without the start of its kernel.
    pub elapsed: Duration,
    /// Processor time that the kernel used for it.
    pub cpu: Option<Duration>,
    /// The most memory that the cell has used so far, bytes, where it is known.
    pub memory_peak: Option<u64>,
    /// All that it wrote to standard output and standard error, bytes.
    pub written: u64,
    /// The file that has all of that, where it was more than the limit.
    pub output_file: Option<String>,
    /// Whether the kernel was started for this call: no earlier call's variables are in it.
    pub fresh_kernel: bool,
}
