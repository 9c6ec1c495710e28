//! What an editor asks about code before it is run: how a word could go on, and whether the code is whole.
//!
//! The interpreter that will run it answers, because it alone knows what lives in it. A question runs nothing, spends
//! no number, and is told to nobody else: what is printed meanwhile belongs to the time between calls. It waits for no
//! code: an interpreter that runs something says so by [`Error::Busy`].
//!
//! The answer comes from a cell. It is bounded here, and holds nothing that a terminal would obey.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tokio::sync::oneshot;

use crate::error::{Error, Result};
use crate::language::Language;
use crate::machine::Work;
use crate::session::Session;
use crate::task::{Content, Time};

/// How long the interpreter may think. It is interrupted then, and keeps its variables.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most matches.
const MATCHES: usize = 100;
/// The longest match, bytes.
const MATCH: usize = 1024;
/// The most code that is asked about, and the longest answer that is read, bytes.
const TEXT: usize = 1 << 20;
/// The deepest line that is offered, characters.
const INDENT: usize = 400;

/// How the word at the cursor could go on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    /// Where what a match replaces begins, in characters from the beginning of the code.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// What could stand there, in the order in which it should be offered; at most 100.
    pub matches: Vec<Match>,
    /// Whether there would be more.
    pub more: bool,
}

/// One way for a word to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// What stands there then: one line, without control characters.
    pub text: String,
    /// What it is, where that is known, as in Python: `function`, `class`, `module`, `instance`, `keyword`, `param`, `dict key`,
    /// `path`, `magic`. Empty where it is not.
    pub kind: String,
}

/// Whether a piece of code can be run as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// It can.
    Complete,
    /// It goes on.
    Incomplete {
        /// How many blanks its next line begins with.
        indent: usize,
    },
    /// It cannot, whatever follows.
    Invalid,
}

/// What came of a question in a session's task. Dropping the sender says that nobody answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The interpreter runs code.
    Busy,
    /// Its report.
    Report(Vec<u8>),
}

/// A kernel's report, of which this is all that matters.
#[derive(Debug, Deserialize)]
struct Report {
    answer: Said,
}

/// Everything that either answer holds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Said {
    start: usize,
    end: usize,
    matches: Vec<(String, String)>,
    more: bool,
    check: String,
    indent: usize,
}

impl Session {
    /// How the word at the cursor (characters from the beginning of the code) could go on, in code of this language.
    ///
    /// Starts an interpreter of it where there is none yet.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] at once while code runs or waits, [`Error::Unanswered`] when no answer comes within 2 s.
    pub async fn complete(&self, language: Language, code: &str, cursor: usize) -> Result<Completion> {
        let length = code.chars().count();
        let cursor = cursor.min(length);
        let said = self.ask(language, code, json!({ "code": code, "cursor": cursor })).await?;
        Ok(said.completion(length))
    }

    /// Whether this code can be run as it is, or goes on: asked at the end of a line.
    ///
    /// # Errors
    ///
    /// As [`Session::complete`].
    pub async fn check(&self, language: Language, code: &str) -> Result<Check> {
        let said = self.ask(language, code, json!({ "code": code, "check": true })).await?;
        said.check().ok_or(Error::Unanswered)
    }

    async fn ask(&self, language: Language, code: &str, mut question: serde_json::Value) -> Result<Said> {
        if code.len() > TEXT {
            return Err(Error::Unanswered);
        }
        if let Some(dialect) = language.dialect() {
            question["language"] = dialect.name().into();
        }
        let (answer, answered) = oneshot::channel();
        let content = Content::Question(json!({ "complete": question }));
        let call = crate::engine::new_call_id()?;
        // What the call itself says is of no use to anybody.
        let _call = self.submit(
            call,
            Work::Code { runtime: language.runtime(), fresh: false },
            content,
            Time::Limited(Some(PATIENCE)),
            Some(answer),
        )?;
        match answered.await {
            Ok(Answer::Busy) => Err(Error::Busy),
            Ok(Answer::Report(report)) => read(&report).ok_or(Error::Unanswered),
            Err(_) => Err(Error::Unanswered),
        }
    }
}

fn read(report: &[u8]) -> Option<Said> {
    if report.len() > TEXT {
        return None;
    }
    serde_json::from_slice(report).ok().map(|Report { answer }| answer)
}

impl Said {
    fn completion(self, length: usize) -> Completion {
        let end = self.end.min(length);
        let mut matches: Vec<Match> = self
            .matches
            .into_iter()
            .filter(|(text, kind)| is_clean(text) && is_clean(kind))
            .map(|(text, kind)| Match { text, kind })
            .take(MATCHES + 1)
            .collect();
        let more = self.more || matches.len() > MATCHES;
        matches.truncate(MATCHES);
        Completion { start: self.start.min(end), end, matches, more }
    }

    fn check(&self) -> Option<Check> {
        match self.check.as_str() {
            "complete" => Some(Check::Complete),
            "incomplete" => Some(Check::Incomplete { indent: self.indent.min(INDENT) }),
            "invalid" => Some(Check::Invalid),
            _ => None,
        }
    }
}

/// Whether this can be shown in a line of a terminal.
fn is_clean(text: &str) -> bool {
    text.len() <= MATCH && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(answer: &str) -> Said {
        read(format!("{{\"status\":\"ok\",\"answer\":{answer}}}").as_bytes()).unwrap()
    }

    #[test]
    fn an_answer_is_taken_as_it_is() {
        let completion =
            said(r#"{"start":3,"end":5,"matches":[["apply","function"],["apart",""]],"more":true}"#)
                .completion(9);
        assert_eq!((completion.start, completion.end, completion.more), (3, 5, true));
        assert_eq!(completion.matches[0], Match { text: "apply".to_owned(), kind: "function".to_owned() });
        assert_eq!(completion.matches.len(), 2);
    }

    #[test]
    fn places_lie_in_the_code() {
        let completion = said(r#"{"start":70,"end":50}"#).completion(9);
        assert_eq!((completion.start, completion.end), (9, 9));
        let completion = said(r#"{"start":8,"end":2}"#).completion(9);
        assert_eq!((completion.start, completion.end), (2, 2));
    }

    #[test]
    fn what_a_terminal_would_obey_is_left_out_and_the_rest_is_bounded() {
        let long = "x".repeat(MATCH + 1);
        let bad = format!(r#"{{"matches":[["\u001b[2J",""],["a\nb",""],["{long}",""],["fine","\u0007"]]}}"#);
        assert_eq!(said(&bad).completion(0), Completion::default());
        let many = format!(r#"{{"matches":[["m",""]{}]}}"#, r#",["m",""]"#.repeat(MATCHES));
        let completion = said(&many).completion(0);
        assert_eq!((completion.matches.len(), completion.more), (MATCHES, true));
    }

    #[test]
    fn a_check_has_three_answers() {
        assert_eq!(said(r#"{"check":"complete"}"#).check(), Some(Check::Complete));
        let deep = said(r#"{"check":"incomplete","indent":100000}"#).check();
        assert_eq!(deep, Some(Check::Incomplete { indent: INDENT }));
        assert_eq!(said(r#"{"check":"invalid"}"#).check(), Some(Check::Invalid));
        assert_eq!(said(r#"{"check":"perhaps"}"#).check(), None);
    }

    #[test]
    fn what_is_no_answer_is_none() {
        for report in
            ["", "[]", "{}", r#"{"answer":1}"#, r#"{"answer":{"start":-1}}"#, r#"{"answer":{"matches":[1]}}"#]
        {
            assert!(read(report.as_bytes()).is_none(), "{report}");
        }
        assert!(read(format!(r#"{{"answer":{{"check":"{}"}}}}"#, "x".repeat(TEXT)).as_bytes()).is_none());
    }
}
