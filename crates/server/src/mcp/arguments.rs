//! The arguments of tools, as models write them: a list may be one entry, or the JSON text of a list.
//!
//! What cannot be meant is refused in a sentence that says what is allowed; what is merely unusual is taken.

use rmcp::model::JsonObject;
use serde_json::Value;

use super::reply::Refusal;

/// The most entries of a list.
const ENTRIES: usize = 1000;
/// How much of a wrong value is repeated, characters.
const SHOWN: usize = 80;

/// The arguments of one call.
#[derive(Debug)]
pub(super) struct Arguments {
    tool: &'static str,
    given: JsonObject,
    known: Vec<&'static str>,
}

impl Arguments {
    pub(super) fn new(tool: &'static str, given: Option<JsonObject>) -> Arguments {
        Arguments { tool, given: given.unwrap_or_default(), known: Vec::new() }
    }

    /// The argument of this name; null is none.
    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.given.remove(name).filter(|value| !value.is_null())
    }

    /// A text; a number is one, too.
    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>, Refusal> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(other) => Err(self.wrong(name, "a text", &other)),
        }
    }

    /// A text; whoever means JSON may write it as that.
    pub(super) fn document(&mut self, name: &'static str) -> Result<Option<String>, Refusal> {
        if self.given.get(name).is_some_and(|value| value.is_object() || value.is_array()) {
            return Ok(self.take(name).and_then(|value| serde_json::to_string_pretty(&value).ok()));
        }
        self.text(name)
    }

    /// A text that is not empty; an empty one is none.
    pub(super) fn words(&mut self, name: &'static str) -> Result<Option<String>, Refusal> {
        Ok(self.text(name)?.filter(|text| !text.trim().is_empty()))
    }

    /// A text that there must be.
    pub(super) fn needed(&mut self, name: &'static str, what: &str) -> Result<String, Refusal> {
        let tool = self.tool;
        self.words(name)?.ok_or_else(|| {
            Refusal::new(format!("`{name}` is missing: {what}."), format!("Call {tool} again with `{name}`."))
        })
    }

    /// A list of paths.
    pub(super) fn paths(&mut self, name: &'static str) -> Result<Vec<String>, Refusal> {
        let mut paths = Vec::new();
        for entry in self.list(name, "a list of paths: [\"a.txt\"]")? {
            match entry {
                Value::String(path) if !path.is_empty() => paths.push(path),
                Value::Object(mut entry) => match entry.remove("path") {
                    Some(Value::String(path)) if !path.is_empty() => paths.push(path),
                    _ => return Err(self.wrong(name, "a list of paths: [\"a.txt\"]", &Value::Object(entry))),
                },
                Value::String(_) | Value::Null => {}
                other => return Err(self.wrong(name, "a list of paths: [\"a.txt\"]", &other)),
            }
        }
        Ok(paths)
    }

    /// A list, however it was written.
    pub(super) fn list(&mut self, name: &'static str, form: &str) -> Result<Vec<Value>, Refusal> {
        let entries = match self.take(name) {
            None => Vec::new(),
            Some(Value::Array(entries)) => entries,
            Some(Value::String(text)) => from_text(text),
            Some(entry @ Value::Object(_)) => vec![entry],
            Some(other) => return Err(self.wrong(name, form, &other)),
        };
        if entries.len() > ENTRIES {
            let what =
                format!("`{name}` has {} entries, and one call takes {ENTRIES} at most.", entries.len());
            return Err(Refusal::new(what, "Split it over several calls."));
        }
        Ok(entries)
    }

    /// What was given and is no argument of this tool, as a sentence.
    pub(super) fn unknown(&self) -> Option<String> {
        let names: Vec<String> = self.given.keys().take(5).map(|name| format!("`{}`", shown(name))).collect();
        if names.is_empty() {
            return None;
        }
        let known: Vec<String> = self.known.iter().map(|name| format!("`{name}`")).collect();
        Some(format!(
            "{} has no parameter {} and passed it over; it has {}.",
            self.tool,
            names.join(", "),
            known.join(", ")
        ))
    }

    fn wrong(&self, name: &str, form: &str, value: &Value) -> Refusal {
        let what = format!("`{name}` must be {form}, and is {}.", shown(&value.to_string()));
        Refusal::new(what, format!("Call {} again with `{name}` of that form.", self.tool))
    }
}

/// A list in a text: JSON, or the one entry.
fn from_text(text: String) -> Vec<Value> {
    let trimmed = text.trim();
    let parsed = if trimmed.starts_with(['[', '{', '"']) { serde_json::from_str(trimmed).ok() } else { None };
    match parsed {
        Some(Value::Array(entries)) => entries,
        Some(entry) => vec![entry],
        None if trimmed.is_empty() => Vec::new(),
        None => vec![Value::String(text)],
    }
}

/// A text as it can be repeated in a sentence.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown.replace("\\\"", "\"").replace("\\'", "'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(value: Value) -> Arguments {
        match value {
            Value::Object(given) => Arguments::new("file_operations", Some(given)),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn lists_are_taken_as_models_write_them() {
        for (given, expected) in [
            (json!(["a", "b"]), vec!["a", "b"]),
            (json!("a"), vec!["a"]),
            (json!("[\"a\", \"b c\"]"), vec!["a", "b c"]),
            (json!("[draft].txt"), vec!["[draft].txt"]),
            (json!([{"path": "a"}]), vec!["a"]),
            (json!({"path": "a"}), vec!["a"]),
            (json!(null), vec![]),
            (json!(""), vec![]),
            (json!([""]), vec![]),
        ] {
            assert_eq!(of(json!({ "paths": given })).paths("paths").unwrap(), expected, "{given}");
        }
    }

    #[test]
    fn what_is_no_list_is_refused_in_a_sentence() {
        let refusal = of(json!({ "paths": 7 })).paths("paths").unwrap_err();
        assert_eq!(refusal.what, "`paths` must be a list of paths: [\"a.txt\"], and is 7.");
        assert!(of(json!({ "paths": [[]] })).paths("paths").is_err());
        assert!(of(json!({ "paths": vec!["a"; 1001] })).paths("paths").is_err());
    }

    #[test]
    fn texts_are_texts() {
        let mut arguments = of(json!({ "code": 6, "command": ["ls"], "empty": " " }));
        assert_eq!(arguments.text("code").unwrap().as_deref(), Some("6"));
        assert!(arguments.text("command").is_err());
        let refusal = arguments.needed("empty", "what to do").unwrap_err();
        assert_eq!(refusal.what, "`empty` is missing: what to do.");
    }

    #[test]
    fn what_was_passed_over_is_said() {
        let mut arguments = of(json!({ "code": "1", "filename": "a.png" }));
        arguments.text("code").unwrap();
        assert_eq!(
            arguments.unknown().unwrap(),
            "file_operations has no parameter `filename` and passed it over; it has `code`."
        );
        let mut arguments = of(json!({ "code": "1" }));
        arguments.text("code").unwrap();
        assert_eq!(arguments.unknown(), None);
    }
}
