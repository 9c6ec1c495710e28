//! The tools as clients see them: names, descriptions, schemas, annotations.
//!
//! Whatever stands here is read by a model at the begin of every conversation: no word that does not help it.

use std::sync::{Arc, LazyLock};

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

/// What a client is told when it connects.
pub(super) const INSTRUCTIONS: &str = "\
Runs Python, JavaScript, TypeScript and shell commands in a sandbox of your own. Variables and files stay from call to call. The working \
directory is the session's; files that were uploaded are in it. Figures that matplotlib shows or leaves open come back \
as images. Files last beyond the session when they are saved: with output_filename, with ci_push_to_workspace, or at \
the session's end. Saved files are read with workspace_read, under code-interpreter/.";

/// The names of the tools.
pub(super) const EXECUTE_CODE: &str = "execute_code";
pub(super) const EXECUTE_COMMAND: &str = "execute_command";
pub(super) const FILE_OPERATIONS: &str = "file_operations";
pub(super) const PUSH: &str = "ci_push_to_workspace";
pub(super) const WORKSPACE_READ: &str = "workspace_read";
pub(super) const WORKSPACE_LIST: &str = "workspace_list";
pub(super) const WORKSPACE_WRITE: &str = "workspace_write";

const NAMES: [&str; 7] =
    [EXECUTE_CODE, EXECUTE_COMMAND, FILE_OPERATIONS, PUSH, WORKSPACE_READ, WORKSPACE_LIST, WORKSPACE_WRITE];

const SESSION: &str =
    "A name of your choosing keeps another session beside the usual one; leave it out for the usual one.";

/// All tools.
pub(super) static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| {
    vec![execute_code(), execute_command(), file_operations(), push(), read(), list(), write()]
});

/// A tool by its name.
pub(super) fn named(name: &str) -> Option<(&'static str, &'static Tool)> {
    let name = NAMES.into_iter().find(|known| *known == name)?;
    TOOLS.iter().find(|tool| tool.name == name).map(|tool| (name, tool))
}

fn object(value: Value) -> Arc<JsonObject> {
    match value {
        Value::Object(object) => Arc::new(object),
        _ => Arc::default(),
    }
}

fn tool(
    name: &'static str,
    description: &'static str,
    (mut properties, required): (Value, &[&str]),
    output: Value,
    annotations: ToolAnnotations,
) -> Tool {
    properties["session_id"] = json!({ "type": "string", "description": SESSION });
    let input = json!({ "type": "object", "properties": properties, "required": required });
    Tool::new(name, description, object(input))
        .with_raw_output_schema(object(schema(output)))
        .with_annotations(annotations)
}

/// The schema of what a tool gives. What all give is there, too; of a call that was refused only that.
fn schema(own: Value) -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let mut properties = json!({
        "outcome": text(
            "ok, raised, exited, timed_out, interrupted, out_of_memory, crashed, too_much_output, disk_full, \
             session_ended; output_missing: there is no file output_filename; partly, failed: of files; refused: nothing \
             was done",
        ),
        "session_id": text("the session, for later calls"),
        "workspace": text("the workspace that its files are saved to"),
        "session_replaced": { "type": "boolean", "description": "variables of earlier calls are gone" },
        "notices": { "type": "array", "items": { "type": "string" } },
        "message": text("what went wrong, and what there is instead"),
        "try": text("what to try next"),
    });
    if let (Value::Object(properties), Value::Object(own)) = (&mut properties, own) {
        properties.extend(own);
    }
    json!({ "type": "object", "properties": properties, "required": ["outcome"] })
}

fn file_list() -> Value {
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "path": { "type": "string" },
                "size": { "type": "integer", "description": "bytes" },
                "mime_type": { "type": "string" },
                "uri": { "type": "string", "description": "of a resource that can be read" },
                "error": { "type": "string" },
            },
            "required": ["path"],
        },
    })
}

fn output() -> Value {
    json!({
        "stdout": { "type": "string" },
        "stderr": { "type": "string" },
        "stdout_file": { "type": "string", "description": "has all of stdout, where that was cut" },
        "stderr_file": { "type": "string", "description": "has all of stderr, where that was cut" },
        "seconds": { "type": "number" },
    })
}

fn execute_code() -> Tool {
    let mut out = output();
    out["result"] = json!({ "type": "string", "description": "the value of the last expression" });
    out["result_file"] = json!({ "type": "string", "description": "has all of result, where that was cut" });
    out["language"] = json!({ "type": "string", "enum": ["python", "javascript", "typescript"] });
    out["variables"] = json!({ "type": "string", "enum": ["kept", "lost"] });
    out["execution_count"] = json!({ "type": "integer" });
    out["error"] = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string" },
            "message": { "type": "string" },
            "traceback": { "type": "string" },
        },
    });
    out["files"] = file_list();
    out["charts"] =
        json!({ "type": "array", "items": {}, "description": "the data of figures that were shown" });
    out["tables"] =
        json!({ "type": "array", "items": {}, "description": "the data of tables that were shown" });
    tool(
        EXECUTE_CODE,
        "Run Python, JavaScript or TypeScript. Variables, imports and files stay for later calls; Python has its own \
         variables, JavaScript and TypeScript share theirs. Printed text and the value of the last expression come \
         back as text, matplotlib figures as images.",
        (
            json!({
                "code": { "type": "string", "description": "The code." },
                "language": {
                    "type": "string",
                    "enum": ["python", "javascript", "typescript"],
                    "default": "python",
                    "description": "javascript and typescript run on Node, with import, require and top-level await; a \
                                    promise as last value is waited for. TypeScript is type-checked first, names of \
                                    earlier calls too. Libraries: axios, cheerio, d3-array, date-fns, lodash, \
                                    mathjs, papaparse, simple-statistics, uuid, zod. display.image(bytes) shows a \
                                    picture, display.table(rows) a table.",
                },
                "output_filename": {
                    "type": "string",
                    "default": "",
                    "description": "A file that the code saves, by exactly that name: it is returned and saved to the \
                                    workspace.",
                },
            }),
            &["code"],
        ),
        out,
        runs().with_title_of("Run code"),
    )
}

fn execute_command() -> Tool {
    let mut out = output();
    out["exit_status"] = json!({ "type": "integer" });
    tool(
        EXECUTE_COMMAND,
        "Run a shell command (bash), such as `ls -la` or `pip install requests`, in the same sandbox and directory of \
         files as execute_code.",
        (json!({ "command": { "type": "string", "description": "The command line." } }), &["command"]),
        out,
        runs().with_title_of("Run a shell command"),
    )
}

fn file_operations() -> Tool {
    tool(
        FILE_OPERATIONS,
        "Read, write, list or remove files of the sandbox. Writes text only; make binary files with execute_code.",
        (
            json!({
                "operation": {
                    "type": "string",
                    "enum": ["read", "write", "list", "remove"],
                    "description": "What to do.",
                },
                "paths": {
                    "type": "array",
                    "items": { "type": "string" },
                    "description": "For read, list and remove. list without it: the working directory.",
                },
                "content": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": { "path": { "type": "string" }, "text": { "type": "string" } },
                        "required": ["path", "text"],
                    },
                    "description": "For write: the files with their texts.",
                },
            }),
            &["operation"],
        ),
        json!({ "files": { "type": "array", "items": { "type": "object" } } }),
        ToolAnnotations::with_title("Files of the sandbox")
            .read_only(false)
            .destructive(true)
            .idempotent(true)
            .open_world(false),
    )
}

fn push() -> Tool {
    tool(
        PUSH,
        "Save files of the sandbox to the workspace, where they outlast the session.",
        (
            json!({
                "paths": {
                    "type": "array",
                    "items": { "type": "string" },
                    "description": "Which files; leave it out for every file that changed.",
                },
            }),
            &[],
        ),
        json!({
            "status": { "type": "string" },
            "files_saved": { "type": "array", "items": { "type": "string" } },
            "count": { "type": "integer" },
            "files": file_list(),
            "left_out": { "type": "array", "items": { "type": "object" } },
        }),
        ToolAnnotations::with_title("Save files")
            .read_only(false)
            .destructive(true)
            .idempotent(true)
            .open_world(false),
    )
}

fn read() -> Tool {
    tool(
        WORKSPACE_READ,
        "Read a file of the workspace.",
        (
            json!({
                "path": {
                    "type": "string",
                    "description": "As workspace_list gives it, such as code-interpreter/chart.png.",
                },
            }),
            &["path"],
        ),
        json!({
            "status": { "type": "string" },
            "path": { "type": "string" },
            "encoding": { "type": "string", "enum": ["text", "base64", "binary"] },
            "content": { "type": "string" },
            "size": { "type": "integer" },
            "mime_type": { "type": "string" },
            "uri": { "type": "string" },
        }),
        ToolAnnotations::with_title("Read a saved file").read_only(true).open_world(false),
    )
}

fn list() -> Tool {
    tool(
        WORKSPACE_LIST,
        "List files of the workspace: what was uploaded (uploads/), what was saved (code-interpreter/), and others.",
        (
            json!({
                "path": {
                    "type": "string",
                    "default": "",
                    "description": "A directory, such as code-interpreter/; leave it out for all.",
                },
            }),
            &[],
        ),
        json!({
            "files": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "path": { "type": "string" },
                        "size": { "type": "integer" },
                        "last_modified": { "type": "string" },
                    },
                    "required": ["path", "size"],
                },
            },
            "count": { "type": "integer" },
        }),
        ToolAnnotations::with_title("List saved files").read_only(true).open_world(false),
    )
}

fn write() -> Tool {
    tool(
        WORKSPACE_WRITE,
        "Write a file to the workspace. One in uploads/ or code-interpreter/ is in the sandbox's working directory at \
         the next call.",
        (
            json!({
                "path": { "type": "string", "description": "Such as uploads/data.csv." },
                "content": { "type": "string", "description": "All of the file." },
                "encoding": {
                    "type": "string",
                    "enum": ["text", "base64"],
                    "default": "text",
                    "description": "base64 for what is not text.",
                },
            }),
            &["path", "content"],
        ),
        json!({
            "status": { "type": "string" },
            "path": { "type": "string" },
            "size": { "type": "integer" },
            "uri": { "type": "string" },
        }),
        ToolAnnotations::with_title("Write a saved file")
            .read_only(false)
            .destructive(true)
            .idempotent(true)
            .open_world(false),
    )
}

/// What runs code may do anything that a session may.
fn runs() -> ToolAnnotations {
    ToolAnnotations::new().read_only(false).destructive(true).idempotent(false).open_world(true)
}

trait Titled {
    fn with_title_of(self, title: &str) -> ToolAnnotations;
}

impl Titled for ToolAnnotations {
    fn with_title_of(mut self, title: &str) -> ToolAnnotations {
        self.title = Some(title.to_owned());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tools_are_those_of_the_skill() {
        let tools: String =
            TOOLS.iter().map(|tool| format!("{}\n", serde_json::to_string_pretty(tool).unwrap())).collect();
        insta::assert_snapshot!("tools", tools);
    }

    #[test]
    fn the_libraries_are_those_of_every_environment() {
        let said =
            TOOLS[0].input_schema["properties"]["language"]["description"].as_str().unwrap().to_owned();
        let libraries = environment::javascript_libraries().join(", ");
        assert!(said.contains(&format!("Libraries: {libraries}.")), "{said}");
    }

    #[test]
    fn what_a_model_reads_first_is_short() {
        let described: usize = TOOLS
            .iter()
            .map(|tool| {
                tool.description.as_ref().map_or(0, |text| text.len())
                    + serde_json::to_string(&tool.input_schema).unwrap().len()
            })
            .sum();
        // About 1300 tokens.
        assert!(described + INSTRUCTIONS.len() < 5200, "{described}");
    }
}
