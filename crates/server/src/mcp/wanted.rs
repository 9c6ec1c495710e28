//! What a call asks for: checked before a session is opened for it, and then carried out.

use rmcp::service::{RequestContext, RoleServer};
use session::Language;
use session::workspace::Workspace;

use super::arguments::{Arguments, shown};
use super::call::{self, Code};
use super::conversations::Held;
use super::files::Operation;
use super::hints::Place;
use super::reply::{Refusal, Reply};
use super::{saved, tools};
use crate::language::{Usual, language};

/// What a call asks for.
#[derive(Debug)]
pub(super) enum Wanted {
    OfSession(InSession),
    OfFiles(OfFiles),
}

/// What needs a session.
#[derive(Debug)]
pub(super) enum InSession {
    Code(Code),
    Command(String),
    Files(Operation),
    Push(Vec<String>),
}

/// What is done with saved files, and needs none.
#[derive(Debug)]
pub(super) enum OfFiles {
    Read(String),
    List(String),
    Write { path: String, content: String, encoding: String },
}

impl Wanted {
    pub(super) fn of(name: &str, arguments: &mut Arguments) -> Result<Wanted, Refusal> {
        let wanted = match name {
            tools::WORKSPACE_READ => {
                let path =
                    arguments.needed("path", "which file to read; workspace_list tells what is there")?;
                return Ok(Wanted::OfFiles(OfFiles::Read(path)));
            }
            tools::WORKSPACE_LIST => {
                return Ok(Wanted::OfFiles(OfFiles::List(arguments.words("path")?.unwrap_or_default())));
            }
            tools::WORKSPACE_WRITE => return Ok(Wanted::OfFiles(OfFiles::write(arguments)?)),
            tools::EXECUTE_CODE => InSession::code(arguments)?,
            tools::EXECUTE_COMMAND => {
                InSession::Command(arguments.needed("command", "the command line to run")?)
            }
            tools::PUSH => InSession::Push(arguments.paths("paths")?),
            _ => InSession::Files(Operation::of(arguments)?),
        };
        Ok(Wanted::OfSession(wanted))
    }
}

impl InSession {
    fn code(arguments: &mut Arguments) -> Result<InSession, Refusal> {
        let code = arguments.needed("code", "the code to run, as text")?;
        let (language, output) = (arguments.words("language")?, arguments.words("output_filename")?);
        let language = language_of(language.as_deref().unwrap_or("python"))?;
        Ok(InSession::Code(Code { text: code, language, output }))
    }

    /// What is said if there is nothing to say.
    pub(super) fn nothing(&self) -> &'static str {
        match self {
            InSession::Code(_) | InSession::Command(_) => "(no output)",
            InSession::Files(_) | InSession::Push(_) => "Done.",
        }
    }

    pub(super) async fn carry_out(
        self,
        held: &Held,
        place: &Place,
        reply: &mut Reply,
        context: &RequestContext<RoleServer>,
    ) -> Result<(), Refusal> {
        match self {
            InSession::Code(code) => call::code(held, code, place, reply, context).await,
            InSession::Command(line) => call::command(held, &line, place, reply, context).await,
            InSession::Files(operation) => operation.run(held, reply).await,
            InSession::Push(paths) => saved::push(held, paths, reply).await,
        }
    }
}

impl OfFiles {
    fn write(arguments: &mut Arguments) -> Result<OfFiles, Refusal> {
        let path = arguments.needed("path", "where to write, such as \"uploads/data.csv\"")?;
        let encoding = arguments.words("encoding")?.unwrap_or_else(|| "text".to_owned());
        let content = arguments.document("content")?.ok_or_else(|| {
            Refusal::new("`content` is missing: what to write.", "Call workspace_write again with `content`.")
        })?;
        Ok(OfFiles::Write { path, content, encoding })
    }

    pub(super) async fn carry_out(self, workspace: &Workspace, reply: &mut Reply) -> Result<(), Refusal> {
        match self {
            OfFiles::Read(path) => saved::read(workspace, &path, reply).await,
            OfFiles::List(path) => saved::list(workspace, &path, reply).await,
            OfFiles::Write { path, content, encoding } => {
                saved::write(workspace, &path, content, &encoding, reply).await
            }
        }
    }
}

/// The language of this name. Models shorten them, and name what runs them.
fn language_of(name: &str) -> Result<Language, Refusal> {
    let (called, runtime) = match name.trim().to_ascii_lowercase().as_str() {
        "python" | "python3" | "py" | "ipython" | "" => ("python", None),
        "javascript" | "js" | "node" | "nodejs" => ("javascript", None),
        "typescript" | "ts" => ("typescript", None),
        "deno" => ("typescript", Some("deno")),
        "bash" | "sh" | "shell" | "zsh" | "console" => {
            return Err(Refusal::new(
                format!("`{}` is no language of execute_code.", shown(name)),
                "Call execute_command with the command instead.",
            ));
        }
        _ => ("", None),
    };
    language(called, runtime, Usual::Node).map_err(|_| {
        Refusal::new(
            format!("There is no language `{}`.", shown(name)),
            "Use \"python\", \"javascript\" or \"typescript\".",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use session::Dialect;

    fn of(tool: &'static str, given: Value) -> Result<Wanted, Refusal> {
        let Value::Object(given) = given else { panic!("{given}") };
        Wanted::of(tool, &mut Arguments::new(tool, Some(given)))
    }

    #[test]
    fn a_language_that_there_is_not_is_named_with_what_helps() {
        let of = |language: &str| of(tools::EXECUTE_CODE, json!({ "code": "1", "language": language }));
        for python in ["python", "Python", "py", "", " "] {
            assert!(of(python).is_ok(), "{python}");
        }
        for (name, language) in [
            ("JavaScript", Language::Node(Dialect::JavaScript)),
            ("node", Language::Node(Dialect::JavaScript)),
            ("ts", Language::Node(Dialect::TypeScript)),
            ("deno", Language::Deno(Dialect::TypeScript)),
        ] {
            let Ok(Wanted::OfSession(InSession::Code(code))) = of(name) else { panic!("{name}") };
            assert_eq!(code.language, language, "{name}");
        }
        for (language, says) in [("bash", "execute_command"), ("r", "\"python\"")] {
            let refusal = of(language).unwrap_err();
            assert!(refusal.what.contains(language) && refusal.try_next.contains(says), "{refusal:?}");
        }
    }

    #[test]
    fn what_must_be_there_is_named() {
        for (tool, given, name) in [
            (tools::EXECUTE_CODE, json!({}), "`code`"),
            (tools::EXECUTE_CODE, json!({ "code": "" }), "`code`"),
            (tools::EXECUTE_COMMAND, json!({ "command": null }), "`command`"),
            (tools::FILE_OPERATIONS, json!({}), "`operation`"),
            (tools::WORKSPACE_READ, json!({}), "`path`"),
            (tools::WORKSPACE_WRITE, json!({ "content": "" }), "`path`"),
            (tools::WORKSPACE_WRITE, json!({ "path": "a" }), "`content`"),
        ] {
            let refusal = of(tool, given).unwrap_err();
            assert!(refusal.what.starts_with(&format!("{name} is missing")), "{refusal:?}");
        }
        assert!(of(tools::PUSH, json!({})).is_ok() && of(tools::WORKSPACE_LIST, json!({})).is_ok());
        assert!(of(tools::WORKSPACE_WRITE, json!({ "path": "a", "content": {"a": 1} })).is_ok());
    }
}
