//! The model's rules for fields, as data: lengths, patterns, lists of values.
//!
//! Clients check little of this themselves (botocore: what is required, types, the least length), so the server must.
//! The rules are those of the service's published model.

use regex_lite::Regex;

use crate::fault::{Fault, FieldFault};

/// The rule of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    min: usize,
    max: usize,
    pattern: Option<&'static str>,
    values: &'static [&'static str],
}

const ANY: Text = Text { min: 0, max: usize::MAX, pattern: None, values: &[] };

pub(super) const SESSION_NAME: Text = Text { min: 1, max: 100, ..ANY };
pub(super) const SESSION_ID: Text = Text { pattern: Some("[0-9a-zA-Z]{1,40}"), ..ANY };
pub(super) const CLIENT_TOKEN: Text =
    Text { min: 33, max: 256, pattern: Some("[a-zA-Z0-9](-*[a-zA-Z0-9]){0,256}"), ..ANY };
pub(super) const NEXT_TOKEN: Text = Text { min: 1, max: 2048, pattern: Some(r"\S*"), ..ANY };
pub(super) const SESSION_STATUS: Text = Text { values: &["READY", "TERMINATED"], ..ANY };
pub(super) const TRACE: Text = Text { max: 1024, ..ANY };
pub(super) const INTERPRETER_NAME: Text = Text { pattern: Some("[a-zA-Z][a-zA-Z0-9_]{0,47}"), ..ANY };
pub(super) const INTERPRETER_TYPE: Text = Text { values: &["SYSTEM", "CUSTOM"], ..ANY };
pub(super) const DESCRIPTION: Text = Text { min: 1, max: 4096, ..ANY };
pub(super) const ROLE_ARN: Text =
    Text { min: 1, max: 2048, pattern: Some("arn:aws(-[^:]+)?:iam::([0-9]{12})?:role/.+"), ..ANY };
pub(super) const NETWORK_MODE: Text = Text { values: &["PUBLIC", "SANDBOX", "VPC"], ..ANY };
pub(super) const SECURITY_GROUP: Text = Text { pattern: Some("sg-[0-9a-zA-Z]{8,17}"), ..ANY };
pub(super) const SUBNET: Text = Text { pattern: Some("subnet-[0-9a-zA-Z]{8,17}"), ..ANY };
pub(super) const TAG_KEY: Text = Text { min: 1, max: 128, pattern: Some(r"[a-zA-Z0-9\s._:/=+@-]*"), ..ANY };
pub(super) const TAG_VALUE: Text = Text { max: 256, pattern: Some(r"[a-zA-Z0-9\s._:/=+@-]*"), ..ANY };
pub(super) const MOUNT_PATH: Text = Text { min: 6, max: 200, pattern: Some("/mnt/[a-zA-Z0-9._-]+/?"), ..ANY };
pub(super) const ACCESS_POINT_ARN: Text = Text { max: 256, ..ANY };
pub(super) const FILE_SYSTEM_ARN: Text = Text { max: 256, ..ANY };
pub(super) const TOOL: Text = Text {
    values: &[
        "executeCode",
        "executeCommand",
        "readFiles",
        "listFiles",
        "removeFiles",
        "writeFiles",
        "startCommandExecution",
        "getTask",
        "stopTask",
    ],
    ..ANY
};
pub(super) const LANGUAGE: Text = Text { values: &["python", "javascript", "typescript"], ..ANY };
pub(super) const RUNTIME: Text = Text { values: &["nodejs", "deno", "python"], ..ANY };

/// Collects what breaks its rule, so that a client hears of all of it at once.
#[derive(Debug, Default)]
pub(super) struct Rules(Vec<FieldFault>);

impl Rules {
    /// A text, if it is there.
    pub(super) fn text(&mut self, name: &str, value: Option<&str>, rule: Text) {
        if let Some(message) = value.and_then(|value| rule.broken(value)) {
            self.broken(name, message);
        }
    }

    /// A text that must be there.
    pub(super) fn required(&mut self, name: &str, value: Option<&str>, rule: Text) {
        if value.is_none() {
            self.broken(name, "Member must not be null");
        }
        self.text(name, value, rule);
    }

    /// A number, if it is there.
    pub(super) fn number(&mut self, name: &str, value: Option<i64>, min: i64, max: i64) {
        if value.is_some_and(|value| value < min) {
            self.broken(name, format!("Member must have value greater than or equal to {min}"));
        } else if value.is_some_and(|value| value > max) {
            self.broken(name, format!("Member must have value less than or equal to {max}"));
        }
    }

    /// How many of something there are.
    pub(super) fn count(&mut self, name: &str, count: Option<usize>, min: usize, max: usize) {
        if count.is_some_and(|count| count < min) {
            self.broken(name, format!("Member must have length greater than or equal to {min}"));
        } else if count.is_some_and(|count| count > max) {
            self.broken(name, format!("Member must have length less than or equal to {max}"));
        }
    }

    /// Something else that is wrong.
    pub(super) fn broken(&mut self, name: &str, message: impl Into<String>) {
        self.0.push(FieldFault { name: name.to_owned(), message: message.into() });
    }

    /// The fault, if a rule was broken.
    pub(super) fn hold(self) -> Result<(), Fault> {
        if self.0.is_empty() { Ok(()) } else { Err(Fault::fields(self.0)) }
    }
}

impl Text {
    /// How a value breaks the rule, if it does.
    fn broken(self, value: &str) -> Option<String> {
        let length = value.chars().count();
        if length < self.min {
            return Some(format!("Member must have length greater than or equal to {}", self.min));
        }
        if length > self.max {
            return Some(format!("Member must have length less than or equal to {}", self.max));
        }
        if !self.values.is_empty() && !self.values.contains(&value) {
            return Some(format!("Member must satisfy enum value set: [{}]", self.values.join(", ")));
        }
        match self.pattern {
            Some(pattern) if !whole(pattern, value) => {
                Some(format!("Member must satisfy regular expression pattern: {pattern}"))
            }
            _ => None,
        }
    }
}

/// Whether a pattern of this module matches all of a value.
pub(super) fn whole(pattern: &'static str, value: &str) -> bool {
    // Small patterns, a few times a request: compiling one takes microseconds.
    Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|regex| regex.is_match(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_one() {
        for rule in [
            SESSION_ID,
            CLIENT_TOKEN,
            NEXT_TOKEN,
            INTERPRETER_NAME,
            ROLE_ARN,
            SECURITY_GROUP,
            SUBNET,
            TAG_KEY,
            TAG_VALUE,
            MOUNT_PATH,
        ] {
            let pattern = rule.pattern.unwrap();
            assert!(Regex::new(&format!("^(?:{pattern})$")).is_ok(), "{pattern}");
        }
    }

    #[test]
    fn a_broken_rule_is_told_as_aws_tells_it() {
        let name = |value: &str| SESSION_NAME.broken(value);
        assert_eq!(name(&"x".repeat(100)), None);
        assert_eq!(name(&"\u{e9}".repeat(100)), None);
        assert_eq!(name(&"x".repeat(101)).unwrap(), "Member must have length less than or equal to 100");
        assert_eq!(name("").unwrap(), "Member must have length greater than or equal to 1");
        assert_eq!(
            SESSION_STATUS.broken("ready").unwrap(),
            "Member must satisfy enum value set: [READY, TERMINATED]"
        );
        assert!(SESSION_ID.broken("01ARZ3NDEKTSV4RRFFQ69G5FAV").is_none());
        for wrong in ["", "a b", "a\n", "../x", &"x".repeat(41)] {
            assert!(SESSION_ID.broken(wrong).is_some(), "{wrong:?}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let mut rules = Rules::default();
        rules.text("name", Some(""), SESSION_NAME);
        rules.number("sessionTimeoutSeconds", Some(28_801), 1, 28_800);
        rules.required("networkMode", None, NETWORK_MODE);
        let fault = rules.hold().unwrap_err();
        assert!(
            fault.message.starts_with("3 validation errors detected: Value at 'name' failed"),
            "{fault:?}"
        );
    }
}
