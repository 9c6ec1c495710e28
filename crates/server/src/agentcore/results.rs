//! What a tool gives: content blocks for a model to read, and structured content for a program.
//!
//! A call's events become text in the order in which they came: what was printed, the value of the last expression and
//! what was displayed as text, and a block for each picture. AWS's rules hold for the rest: standard output of code
//! without white space at its ends; a command's output all in `stdout` if it succeeded and all in `stderr` if not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use session::{Event, MimeBundle, MimeData, Outcome, Report, Survival};

/// What a tool gives.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolResult {
    pub(super) content: Vec<Block>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) structured_content: Option<Structured>,
    pub(super) is_error: bool,
}

/// One block of content.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block {
    Text {
        text: String,
    },
    #[serde(rename_all = "camelCase")]
    Image {
        data: String,
        mime_type: String,
    },
    Resource {
        resource: Resource,
    },
    #[serde(rename_all = "camelCase")]
    ResourceLink {
        #[serde(skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
        uri: String,
        name: String,
        description: &'static str,
    },
}

/// A file's content.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resource {
    pub(super) uri: String,
    pub(super) mime_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    /// In base 64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) blob: Option<String>,
}

/// What programs read.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Structured {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) task_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) task_status: Option<&'static str>,
    pub(super) stdout: String,
    pub(super) stderr: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exit_code: Option<i32>,
    /// In seconds, as the service sends it (its model says milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) execution_time: Option<f64>,
}

impl ToolResult {
    /// A sentence.
    pub(super) fn sentence(text: impl Into<String>) -> ToolResult {
        ToolResult {
            content: vec![Block::Text { text: text.into() }],
            structured_content: None,
            is_error: false,
        }
    }

    /// A sentence that says what went wrong.
    pub(super) fn wrong(text: impl Into<String>) -> ToolResult {
        ToolResult { is_error: true, ..ToolResult::sentence(text) }
    }
}

/// Collects what a piece of code says and shows.
#[derive(Debug, Default)]
pub(super) struct Collected {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    images: Vec<Block>,
    notices: Vec<String>,
}

/// Pictures, the better form first.
const PICTURES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

impl Collected {
    pub(super) fn take(&mut self, event: Event) {
        match event {
            Event::Stdout(bytes) | Event::LateStdout(bytes) => self.stdout.extend_from_slice(&bytes),
            Event::Stderr(bytes) | Event::LateStderr(bytes) => self.stderr.extend_from_slice(&bytes),
            Event::Display(bundle) | Event::Result(bundle) => self.show(&bundle),
            Event::Notice(sentence) => self.notices.push(sentence),
        }
    }

    fn show(&mut self, bundle: &MimeBundle) {
        let picture = PICTURES.iter().find_map(|mime| match bundle.get(mime)? {
            MimeData::Binary(bytes) => Some((*mime, bytes)),
            MimeData::Text(_) | MimeData::Json(_) => None,
        });
        if let Some((mime, bytes)) = picture {
            self.images.push(Block::Image { data: STANDARD.encode(bytes), mime_type: mime.to_owned() });
            return;
        }
        let text = ["text/plain", "text/markdown", "text/latex", "text/html"]
            .iter()
            .find_map(|mime| bundle.text(mime));
        if let Some(text) = text {
            // On lines of its own, as a notebook shows it.
            if !self.stdout.is_empty() && !self.stdout.ends_with(b"\n") {
                self.stdout.push(b'\n');
            }
            self.stdout.extend_from_slice(text.as_bytes());
            self.stdout.push(b'\n');
        }
    }

    /// The result of code that has ended like this.
    pub(super) fn code(self, report: &Report) -> ToolResult {
        let stdout = String::from_utf8_lossy(&self.stdout).trim().to_owned();
        let mut stderr = String::from_utf8_lossy(&self.stderr).trim_end().to_owned();
        for notice in &self.notices {
            add_line(&mut stderr, notice);
        }
        let (exit_code, told) = code_status(report);
        if let Some(raised) = report.raised.as_ref().filter(|_| exit_code != 0) {
            add_line(&mut stderr, raised.traceback.trim_end());
        }
        if let Some(told) = told {
            add_line(&mut stderr, &told);
        }
        let mut content = Vec::new();
        content.extend((!stdout.is_empty()).then(|| Block::Text { text: stdout.clone() }));
        content.extend(self.images);
        content.extend((!stderr.is_empty()).then(|| Block::Text { text: stderr.clone() }));
        let structured = Structured {
            stdout,
            stderr,
            exit_code: Some(exit_code),
            execution_time: Some(report.elapsed.as_secs_f64()),
            ..Structured::default()
        };
        ToolResult { content, structured_content: Some(structured), is_error: exit_code != 0 }
    }
}

fn add_line(text: &mut String, line: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(line);
}

/// The status of code as a shell would tell it, and a sentence where the traceback does not say all.
fn code_status(report: &Report) -> (i32, Option<String>) {
    let outcome = &report.outcome;
    let sentence = match report.variables {
        Survival::Kept => outcome.to_string(),
        Survival::Lost => format!("{outcome}; variables are lost, files are kept"),
    };
    match outcome {
        Outcome::Ok => (0, None),
        Outcome::TooMuchOutput { .. } => (0, Some(sentence)),
        Outcome::Raised => (1, None),
        Outcome::Exited { status } => (*status, Some(sentence)),
        Outcome::DiskFull { .. } => (1, Some(sentence)),
        Outcome::TimedOut { .. } => (124, Some(sentence)),
        Outcome::Interrupted { .. } => (130, Some(sentence)),
        Outcome::OutOfMemory { .. } => (137, Some(sentence)),
        Outcome::Crashed { signal, .. } => (128 + signal.unwrap_or(9), Some(sentence)),
        Outcome::SessionEnded => (143, Some(outcome.to_string())),
    }
}

/// The status that a command ended with, and a sentence where that does not say all.
pub(super) fn command_status(report: &Report) -> (i32, Option<String>) {
    let outcome = &report.outcome;
    match outcome {
        Outcome::Ok | Outcome::Raised | Outcome::Exited { .. } => (report.exit_status.unwrap_or(0), None),
        Outcome::TooMuchOutput { .. } => (report.exit_status.unwrap_or(0), Some(outcome.to_string())),
        // The interpreter is as it was: what died is a command beside it.
        Outcome::Crashed { detail, .. } => {
            (report.exit_status.unwrap_or(137), Some(format!("the command was ended: {detail}")))
        }
        Outcome::SessionEnded => (143, Some(outcome.to_string())),
        _ => {
            let (usual, _) = code_status(report);
            let status = report.exit_status.filter(|status| *status != 0).unwrap_or(usual);
            (status, Some(outcome.to_string()))
        }
    }
}

/// The result of a command with all of its output in the order in which it came.
pub(super) fn command(mut output: String, status: i32, told: Option<String>, seconds: f64) -> ToolResult {
    if let Some(told) = told {
        if !output.is_empty() && !output.ends_with('\n') {
            output.push('\n');
        }
        output.push_str(&told);
        output.push('\n');
    }
    let content = if output.is_empty() { Vec::new() } else { vec![Block::Text { text: output.clone() }] };
    let (stdout, stderr) = if status == 0 { (output, String::new()) } else { (String::new(), output) };
    let structured = Structured {
        stdout,
        stderr,
        exit_code: Some(status),
        execution_time: Some(seconds),
        ..Structured::default()
    };
    ToolResult { content, structured_content: Some(structured), is_error: status != 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use session::{CallId, MimeParts, Raised};
    use std::time::Duration;

    fn report(outcome: Outcome) -> Report {
        Report {
            call: CallId(1),
            variables: outcome.variables(),
            outcome,
            raised: None,
            exit_status: None,
            execution_count: Some(1),
            elapsed: Duration::from_millis(250),
            cpu: None,
            memory_peak: None,
            written: 0,
            output_file: None,
            fresh_kernel: false,
        }
    }

    fn bundle(mime: &str, data: MimeData) -> MimeBundle {
        MimeParts { data: vec![(mime.to_owned(), data)], ..MimeParts::default() }.into()
    }

    fn json(result: &ToolResult) -> serde_json::Value {
        serde_json::to_value(result).unwrap()
    }

    #[test]
    fn code_that_prints_is_as_aws_sends_it() {
        let mut collected = Collected::default();
        collected.take(Event::Stdout(Bytes::from_static(b"  Hello World!!!\n")));
        assert_eq!(
            json(&collected.code(&report(Outcome::Ok))),
            serde_json::json!({
                "content": [{"type": "text", "text": "Hello World!!!"}],
                "structuredContent":
                    {"stdout": "Hello World!!!", "stderr": "", "exitCode": 0, "executionTime": 0.25},
                "isError": false
            })
        );
    }

    #[test]
    fn code_that_raises_is_as_aws_sends_it() {
        let mut collected = Collected::default();
        collected.take(Event::Stdout(Bytes::from_static(b"hi\n")));
        let traceback =
            "Traceback (most recent call last):\n  …\nZeroDivisionError: division by zero\n".to_owned();
        let raised = Raised { name: "ZeroDivisionError".into(), value: "division by zero".into(), traceback };
        let result = collected.code(&Report { raised: Some(raised), ..report(Outcome::Raised) });
        let json = json(&result);
        assert_eq!(json["isError"], true);
        assert_eq!(json["structuredContent"]["exitCode"], 1);
        assert_eq!(json["content"][0]["text"], "hi");
        let stderr = json["structuredContent"]["stderr"].as_str().unwrap();
        assert!(stderr.ends_with("\nZeroDivisionError: division by zero"), "{stderr}");
        assert_eq!(json["content"][1]["text"], stderr);
    }

    #[test]
    fn values_and_pictures_are_shown() {
        let mut collected = Collected::default();
        collected.take(Event::Stdout(Bytes::from_static(b"begin")));
        collected.take(Event::Result(bundle("text/plain", MimeData::Text("42".to_owned()))));
        collected.take(Event::Display(bundle("image/png", MimeData::Binary(Bytes::from_static(b"\x89PNG")))));
        let json = json(&collected.code(&report(Outcome::Ok)));
        assert_eq!(json["structuredContent"]["stdout"], "begin\n42");
        assert_eq!(
            json["content"][1],
            serde_json::json!({"type": "image", "data": "iVBORw==", "mimeType": "image/png"})
        );
    }

    #[test]
    fn what_ends_badly_says_how_and_what_was_lost() {
        let memory = Outcome::OutOfMemory { limit: 64 << 20, peak: None };
        let structured = Collected::default().code(&report(memory)).structured_content.unwrap();
        assert_eq!(structured.exit_code, Some(137));
        assert_eq!(
            structured.stderr,
            "killed: the cell's memory limit of 64 MiB was reached; variables are lost, files are kept"
        );
        let left = Collected::default().code(&report(Outcome::Exited { status: 0 }));
        assert!(!left.is_error);
    }

    #[test]
    fn a_commands_end_is_not_the_interpreters() {
        let killed = Outcome::Crashed { signal: Some(9), detail: "killed (SIGKILL)".into() };
        let killed = Report { exit_status: Some(137), ..report(killed) };
        assert_eq!(command_status(&killed), (137, Some("the command was ended: killed (SIGKILL)".into())));
        let stopped = Report { exit_status: Some(130), ..report(Outcome::SessionEnded) };
        assert_eq!(command_status(&stopped).0, 143);
    }

    #[test]
    fn a_commands_output_is_where_aws_puts_it() {
        let good = command("out\n".to_owned(), 0, None, 0.5).structured_content.unwrap();
        assert_eq!((good.stdout.as_str(), good.stderr.as_str()), ("out\n", ""));
        let bad = command("out\n".to_owned(), 3, None, 0.5);
        assert!(bad.is_error);
        let bad = bad.structured_content.unwrap();
        assert_eq!((bad.stdout.as_str(), bad.stderr.as_str(), bad.exit_code), ("", "out\n", Some(3)));
    }
}
