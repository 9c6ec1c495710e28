//! A tool's arguments: one flat structure on the wire, one variant of [`Tool`] once they are checked.
//!
//! Texts are borrowed from the body where JSON allows it: a file of 100 MB is not held a second time for being read.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use session::Language;

use crate::fault::Fault;
use crate::language::{Usual, Wrong, language};

use super::input::{self, Object};
use super::rules::{self, Rules};

/// The longest text of any argument, bytes.
const LONGEST: usize = 100_000_000;
/// The most paths, or files, of one call.
const MOST: usize = 10_000;

/// A request as it stands on the wire.
#[derive(Debug, Deserialize)]
pub(super) struct Invocation<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    arguments: Option<Object<Arguments<'a>>>,
}

/// Arguments of all tools.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Arguments<'a> {
    #[serde(borrow, default)]
    code: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    language: Option<Cow<'a, str>>,
    clear_context: Option<bool>,
    #[serde(borrow, default)]
    command: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    path: Option<Cow<'a, str>>,
    paths: Option<Vec<String>>,
    #[serde(borrow, default)]
    content: Option<Vec<Object<File<'a>>>>,
    #[serde(borrow, default)]
    directory_path: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    task_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    runtime: Option<Cow<'a, str>>,
}

/// A file that is to be written. Its content is read when it is written.
#[derive(Debug, Deserialize)]
pub(super) struct File<'a> {
    pub(super) path: Option<String>,
    #[serde(borrow, default)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) blob: Option<&'a RawValue>,
}

/// A tool with what it needs. The files that are to be written stay in the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tool {
    Code { code: String, language: Language, clear_context: bool },
    Command { command: String },
    StartCommand { command: String },
    GetTask { task: String },
    StopTask { task: String },
    ReadFiles { paths: Vec<String> },
    ListFiles { path: String },
    RemoveFiles { paths: Vec<String> },
    WriteFiles,
}

impl Tool {
    /// Its name on the wire.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Tool::Code { .. } => "executeCode",
            Tool::Command { .. } => "executeCommand",
            Tool::StartCommand { .. } => "startCommandExecution",
            Tool::GetTask { .. } => "getTask",
            Tool::StopTask { .. } => "stopTask",
            Tool::ReadFiles { .. } => "readFiles",
            Tool::ListFiles { .. } => "listFiles",
            Tool::RemoveFiles { .. } => "removeFiles",
            Tool::WriteFiles => "writeFiles",
        }
    }

    /// Whether it only reads, so that it may run again for whoever asks again.
    pub(super) fn only_reads(&self) -> bool {
        matches!(self, Tool::GetTask { .. } | Tool::ReadFiles { .. } | Tool::ListFiles { .. })
    }

    /// Whether the headers of the answer wait for its result.
    pub(super) fn waits(&self) -> bool {
        !matches!(self, Tool::Code { .. } | Tool::Command { .. })
    }
}

impl<'a> Invocation<'a> {
    /// Reads a request and checks it.
    pub(super) fn check(body: &'a [u8]) -> Result<Tool, Fault> {
        let invocation: Invocation<'a> = input::parse(body)?;
        let mut rules = Rules::default();
        rules.required("name", invocation.name.as_deref(), rules::TOOL);
        let Object(arguments) = invocation.arguments.unwrap_or_default();
        arguments.check(&mut rules);
        rules.hold()?;
        arguments.tool(invocation.name.as_deref().unwrap_or_default())
    }

    /// The files that a request wants to be written.
    pub(super) fn files(body: &'a [u8]) -> Result<Vec<File<'a>>, Fault> {
        let invocation: Invocation<'a> = input::parse(body)?;
        let content = invocation.arguments.and_then(|Object(arguments)| arguments.content);
        Ok(content.unwrap_or_default().into_iter().map(|Object(file)| file).collect())
    }
}

impl Arguments<'_> {
    fn check(&self, rules: &mut Rules) {
        rules.text("arguments.language", self.language.as_deref(), rules::LANGUAGE);
        rules.text("arguments.runtime", self.runtime.as_deref(), rules::RUNTIME);
        let texts = [
            ("arguments.code", &self.code),
            ("arguments.command", &self.command),
            ("arguments.path", &self.path),
            ("arguments.directoryPath", &self.directory_path),
            ("arguments.taskId", &self.task_id),
        ];
        for (name, text) in texts {
            rules.count(name, text.as_deref().map(str::len), 0, LONGEST);
        }
        rules.count("arguments.paths", self.paths.as_ref().map(Vec::len), 0, MOST);
        rules.count("arguments.content", self.content.as_ref().map(Vec::len), 0, MOST);
        for (n, Object(file)) in self.content.iter().flatten().enumerate() {
            let name = format!("arguments.content[{n}]");
            if file.path.is_none() {
                rules.broken(&format!("{name}.path"), "Member must not be null");
            }
            if file.text.is_some() == file.blob.is_some() {
                rules.broken(&name, "Member must have exactly one of text and blob");
            }
        }
    }

    /// The tool of this name with its own arguments; those of other tools are passed over, as AWS does.
    fn tool(self, name: &str) -> Result<Tool, Fault> {
        let needed = |value: Option<Cow<'_, str>>, field: &str| {
            let value = value.map(Cow::into_owned);
            value.ok_or_else(|| Fault::field(format!("arguments.{field}"), format!("{name} needs `{field}`")))
        };
        let paths = |paths: Option<Vec<String>>| match paths {
            Some(paths) if !paths.is_empty() => Ok(paths),
            _ => Err(Fault::field("arguments.paths", format!("{name} needs `paths`, with at least one"))),
        };
        Ok(match name {
            "executeCode" => {
                let code = needed(self.code, "code")?;
                let name = self.language.as_deref().unwrap_or("python");
                let language = language(name, self.runtime.as_deref(), Usual::Deno).map_err(wrong)?;
                Tool::Code { code, language, clear_context: self.clear_context.unwrap_or(false) }
            }
            "executeCommand" => Tool::Command { command: needed(self.command, "command")? },
            "startCommandExecution" => Tool::StartCommand { command: needed(self.command, "command")? },
            "getTask" => Tool::GetTask { task: needed(self.task_id, "taskId")? },
            "stopTask" => Tool::StopTask { task: needed(self.task_id, "taskId")? },
            "readFiles" => Tool::ReadFiles { paths: paths(self.paths)? },
            "removeFiles" => Tool::RemoveFiles { paths: paths(self.paths)? },
            "listFiles" => {
                let path = self.directory_path.or(self.path).map(Cow::into_owned).unwrap_or_default();
                Tool::ListFiles { path }
            }
            "writeFiles" => match self.content {
                Some(content) if !content.is_empty() => Tool::WriteFiles,
                _ => {
                    let message = "writeFiles needs `content`, with at least one file";
                    return Err(Fault::field("arguments.content", message));
                }
            },
            _ => return Err(Fault::field("name", format!("there is no tool `{name}`"))),
        })
    }
}

fn wrong(wrong: Wrong) -> Fault {
    match wrong {
        Wrong::Language(name) => Fault::field("arguments.language", format!("there is no language `{name}`")),
        Wrong::Runtime { language, by } => {
            Fault::field("arguments.runtime", format!("the runtime of {language} is {by}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use session::Dialect;

    fn tool(json: &str) -> Result<Tool, Fault> {
        Invocation::check(json.as_bytes())
    }

    #[test]
    fn tools_take_their_own_arguments() {
        assert_eq!(
            tool(r#"{"name":"executeCode","arguments":{"code":"1\n2","clearContext":true,"paths":["x"]}}"#),
            Ok(Tool::Code { code: "1\n2".into(), language: Language::Python, clear_context: true })
        );
        let language = |more: &str| match tool(&format!(
            r#"{{"name":"executeCode","arguments":{{"code":"1",{more}}}}}"#
        )) {
            Ok(Tool::Code { language, .. }) => language,
            other => panic!("{other:?}"),
        };
        assert_eq!(language(r#""language":"javascript""#), Language::Deno(Dialect::JavaScript));
        assert_eq!(
            language(r#""language":"typescript","runtime":"nodejs""#),
            Language::Node(Dialect::TypeScript)
        );
        assert_eq!(tool(r#"{"name":"listFiles"}"#), Ok(Tool::ListFiles { path: String::new() }));
        assert_eq!(
            tool(r#"{"name":"listFiles","arguments":{"path":"a","directoryPath":null}}"#),
            Ok(Tool::ListFiles { path: "a".into() })
        );
        assert_eq!(
            tool(r#"{"name":"writeFiles","arguments":{"content":[{"path":"a","text":"b"}]}}"#),
            Ok(Tool::WriteFiles)
        );
    }

    #[test]
    fn what_is_wrong_names_its_field() {
        for (json, field) in [
            ("{}", "name"),
            (r#"{"name":"executecode"}"#, "name"),
            (r#"{"name":3}"#, "name"),
            (r#"{"name":"executeCode"}"#, "arguments.code"),
            (r#"{"name":"executeCode","arguments":{"code":1}}"#, "arguments.code"),
            (r#"{"name":"executeCode","arguments":{"code":"1","language":"ruby"}}"#, "arguments.language"),
            (
                r#"{"name":"executeCode","arguments":{"code":"1","language":"javascript","runtime":"python"}}"#,
                "arguments.runtime",
            ),
            (r#"{"name":"executeCode","arguments":["print(1)"]}"#, "arguments"),
            (r#"{"name":"writeFiles","arguments":{"content":[["a","b"]]}}"#, "arguments.content[0]"),
            (r#"{"name":"readFiles","arguments":{"paths":["a",1]}}"#, "arguments.paths[1]"),
            (r#"{"name":"readFiles","arguments":{"paths":[]}}"#, "arguments.paths"),
            (r#"{"name":"writeFiles","arguments":{"content":[{"text":"x"}]}}"#, "arguments.content[0].path"),
            (r#"{"name":"writeFiles","arguments":{"content":[{"path":"x"}]}}"#, "arguments.content[0]"),
        ] {
            let fault = tool(json).unwrap_err();
            assert!(fault.json().contains(&format!("\"name\":\"{field}\"")), "{json}: {}", fault.json());
        }
    }

    proptest! {
        #[test]
        fn no_body_is_too_strange(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Invocation::check(&body);
        }

        #[test]
        fn no_arguments_are_too_strange(name in "[a-zA-Z]{0,12}|executeCode|readFiles|writeFiles|listFiles",
                                        arguments in "\\PC{0,80}|\\{\"(code|paths|content|path)\":[\\[\\]{}\"a0,:]{0,20}\\}") {
            let _ = tool(&format!("{{\"name\":\"{name}\",\"arguments\":{arguments}}}"));
        }
    }
}
