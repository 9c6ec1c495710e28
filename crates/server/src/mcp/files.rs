//! `file_operations`: read, write, list and remove files of a session.
//!
//! Each path is tried, and what was done with one is there beside the sentence about another.

use std::io::{Cursor, Read};

use serde_json::{Value, json};
use session::{EntryKind, OpenFile, Session};

use super::arguments::{Arguments, shown};
use super::conversations::Held;
use super::cut::{self, cut};
use super::directory;
use super::reply::{PICTURE, Refusal, Reply, size};
use super::sort::{self, Sort};

/// The largest file that is read whole in order to be cut exactly, bytes.
const WHOLE: u64 = 8 << 20;
/// The most characters of all files of one call together.
const TOGETHER: usize = 400_000;
/// The most entries of a directory that are told.
const ENTRIES: usize = 2000;

/// What is to be done with files.
#[derive(Debug)]
pub(super) enum Operation {
    Read(Vec<String>),
    Write(Vec<(String, String)>),
    List(Vec<String>),
    Remove(Vec<String>),
}

impl Operation {
    pub(super) fn of(arguments: &mut Arguments) -> Result<Operation, Refusal> {
        let name = arguments.needed("operation", "it is \"read\", \"write\", \"list\" or \"remove\"")?;
        let paths = arguments.paths("paths")?;
        let content = arguments.list("content", FORM)?;
        let some = |what: &str| {
            if !paths.is_empty() {
                return Ok(paths.clone());
            }
            let example = format!("For example: {{\"operation\": \"{what}\", \"paths\": [\"file.txt\"]}}.");
            Err(Refusal::new(format!("`paths` is missing: which files to {what}."), example))
        };
        match name.trim().to_ascii_lowercase().as_str() {
            "read" => Ok(Operation::Read(some("read")?)),
            "remove" | "delete" => Ok(Operation::Remove(some("remove")?)),
            "list" if paths.is_empty() => Ok(Operation::List(vec![".".to_owned()])),
            "list" => Ok(Operation::List(paths)),
            "write" => Ok(Operation::Write(entries(content)?)),
            _ => Err(Refusal::new(
                format!("There is no operation `{}`.", shown(&name)),
                "Use \"read\", \"write\", \"list\" or \"remove\".",
            )),
        }
    }

    pub(super) async fn run(self, held: &Held, reply: &mut Reply) -> Result<(), Refusal> {
        let session = &held.open.session;
        let (done, failed) = match self {
            Operation::Read(paths) => read(session, paths, reply).await?,
            Operation::Write(entries) => write(session, entries, reply).await?,
            Operation::List(paths) => list(session, paths, reply).await?,
            Operation::Remove(paths) => remove(session, paths, reply).await?,
        };
        if failed > 0 {
            reply.failed(if done > 0 { "partly" } else { "failed" });
        }
        Ok(())
    }
}

const FORM: &str = "a list of entries: [{\"path\": \"out.txt\", \"text\": \"hello\"}]";

/// What is to be written.
fn entries(content: Vec<Value>) -> Result<Vec<(String, String)>, Refusal> {
    let example = "For example: {\"operation\": \"write\", \"content\": [{\"path\": \"out.txt\", \"text\": \"hello\"}]}.";
    if content.is_empty() {
        return Err(Refusal::new("`content` is missing: what to write.", example));
    }
    let entry = |(n, value): (usize, Value)| {
        let path = value["path"].as_str().filter(|path| !path.is_empty());
        let text = match &value["text"] {
            Value::Null => value["content"].as_str().map(str::to_owned),
            Value::String(text) => Some(text.clone()),
            // Whoever means JSON writes it so.
            other => serde_json::to_string_pretty(other).ok(),
        };
        match (path, text) {
            (Some(path), Some(text)) => Ok((path.to_owned(), text)),
            (None, _) => Err(Refusal::new(format!("`content[{n}]` has no `path`."), example)),
            (_, None) => Err(Refusal::new(format!("`content[{n}]` has no `text`."), example)),
        }
    };
    content.into_iter().enumerate().map(entry).collect()
}

type Counts = (usize, usize);

/// What became of each path.
#[derive(Default)]
struct Told {
    files: Vec<Value>,
    done: usize,
    failed: usize,
}

impl Told {
    fn done(&mut self, file: Value) {
        self.files.push(file);
        self.done += 1;
    }

    async fn failed(
        &mut self,
        session: &Session,
        what: &str,
        path: &str,
        error: &session::Error,
        reply: &mut Reply,
    ) -> Result<(), Refusal> {
        if matches!(error, session::Error::Ended) {
            return Err(Refusal::of(error));
        }
        let why = directory::why(path, error);
        let there = if directory::is_missing(error) {
            format!(" {}", directory::there(session, path).await)
        } else {
            String::new()
        };
        reply.say(format!("Not {what}: {why}.{there}"));
        self.wrong(path, &why);
        Ok(())
    }

    fn wrong(&mut self, path: &str, why: &str) {
        self.files.push(json!({ "path": path, "error": why }));
        self.failed += 1;
    }

    fn end(self, reply: &mut Reply) -> Counts {
        reply.set("files", self.files);
        (self.done, self.failed)
    }
}

async fn read(session: &Session, paths: Vec<String>, reply: &mut Reply) -> Result<Counts, Refusal> {
    let (mut told, mut room, several) = (Told::default(), TOGETHER, paths.len() > 1);
    for path in paths {
        let open = match session.read_file(&path).await {
            Ok(open) => open,
            Err(error) => {
                told.failed(session, "read", &path, &error, reply).await?;
                continue;
            }
        };
        let (name, bytes) = (path.clone(), open.size);
        let content = tokio::task::spawn_blocking(move || Content::of(&name, open)).await;
        let content = content.map_err(std::io::Error::other).and_then(|content| content);
        let heading = if several { format!("{path}:\n") } else { String::new() };
        match content {
            Ok(Content::Text { text, mime, whole }) => {
                let most = cut::MOST.min(room);
                let given = if !whole {
                    text
                } else if let Some(cut) = cut(&text, most) {
                    cut.told(&format!("read the file `{path}` piece by piece for all of it"))
                } else {
                    text
                };
                room = room.saturating_sub(given.chars().count());
                let shown = if given.is_empty() { "(the file is empty)" } else { given.as_str() };
                reply.say(format!("{heading}{shown}"));
                told.done(json!({ "path": path, "size": bytes, "mime_type": mime, "text": given }));
            }
            Ok(Content::Picture { bytes: picture, mime }) => {
                reply.say(format!("{path}: a picture, {}", size(bytes)));
                reply.picture(&picture, mime);
                told.done(json!({ "path": path, "size": bytes, "mime_type": mime }));
            }
            Ok(Content::Other { mime }) => {
                reply.say(format!(
                    "{path}: {mime}, {}. It is no text: read it with code, or save it with ci_push_to_workspace.",
                    size(bytes)
                ));
                told.done(json!({ "path": path, "size": bytes, "mime_type": mime, "binary": true }));
            }
            Err(error) => {
                reply.say(format!("Not read: `{}`: {error}.", shown(&path)));
                told.wrong(&path, &error.to_string());
            }
        }
    }
    Ok(told.end(reply))
}

/// What a file holds, as far as a model is given it.
enum Content {
    /// Text; whether it is all of it.
    Text {
        text: String,
        mime: String,
        whole: bool,
    },
    Picture {
        bytes: Vec<u8>,
        mime: &'static str,
    },
    Other {
        mime: String,
    },
}

impl Content {
    fn of(path: &str, open: OpenFile) -> std::io::Result<Content> {
        match sort::sort(path, &open.file) {
            Sort::Picture(mime) if open.size <= PICTURE => {
                let mut bytes = Vec::with_capacity(open.size as usize);
                open.file.take(PICTURE).read_to_end(&mut bytes)?;
                Ok(Content::Picture { bytes, mime })
            }
            Sort::Picture(mime) => Ok(Content::Other { mime: mime.to_owned() }),
            Sort::Binary(mime) => Ok(Content::Other { mime }),
            Sort::Text(mime) => text(open, mime),
        }
    }
}

fn text(open: OpenFile, mime: String) -> std::io::Result<Content> {
    use std::os::unix::fs::FileExt;
    if open.size <= WHOLE {
        let mut bytes = Vec::with_capacity(open.size as usize);
        open.file.take(WHOLE).read_to_end(&mut bytes)?;
        return Ok(match String::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => Content::Text { text, mime, whole: true },
            _ => Content::Other { mime },
        });
    }
    // Both ends of it, and how much is between them.
    let part = cut::MOST / 2;
    let (mut head, mut tail) = (vec![0; part], vec![0; part]);
    open.file.read_exact_at(&mut head, 0)?;
    open.file.read_exact_at(&mut tail, open.size - part as u64)?;
    let text = format!(
        "{}\n[… {} are left out here; read the file piece by piece for all of it …]\n{}",
        String::from_utf8_lossy(&head).trim_end_matches('\u{fffd}'),
        size(open.size - 2 * part as u64),
        String::from_utf8_lossy(&tail).trim_start_matches('\u{fffd}')
    );
    Ok(Content::Text { text, mime, whole: false })
}

async fn write(
    session: &Session,
    entries: Vec<(String, String)>,
    reply: &mut Reply,
) -> Result<Counts, Refusal> {
    let mut told = Told::default();
    for (path, text) in entries {
        if let Some(format) = sort::binary_name(&path) {
            let why = format!("`{}` would be {format}, and file_operations writes text", shown(&path));
            reply.say(format!(
                "Not written: {why}. Make it with execute_code, and name it in `output_filename` there; what you have \
                 in base 64, workspace_write takes with encoding=\"base64\"."
            ));
            told.wrong(&path, &why);
            continue;
        }
        let (bytes, hidden) = (text.len() as u64, sort::hidden(&text));
        match session.write_file(&path, Cursor::new(text.into_bytes())).await {
            Ok(_) => {
                reply.say(format!("Written: {path} ({})", size(bytes)));
                if let Some(format) = hidden {
                    reply.say(format!(
                        "The text of {path} looks like base 64 of {format}. It was written as that text; decode it \
                         with code if the file itself is wanted."
                    ));
                }
                told.done(json!({ "path": path, "size": bytes }));
            }
            Err(error) => told.failed(session, "written", &path, &error, reply).await?,
        }
    }
    Ok(told.end(reply))
}

async fn remove(session: &Session, paths: Vec<String>, reply: &mut Reply) -> Result<Counts, Refusal> {
    let mut told = Told::default();
    for path in paths {
        match session.remove_file(&path).await {
            Ok(()) => {
                reply.say(format!("Removed: {path}"));
                told.done(json!({ "path": path }));
            }
            Err(error) => told.failed(session, "removed", &path, &error, reply).await?,
        }
    }
    Ok(told.end(reply))
}

async fn list(session: &Session, paths: Vec<String>, reply: &mut Reply) -> Result<Counts, Refusal> {
    let (mut told, several) = (Told::default(), paths.len() > 1);
    for path in paths {
        let listing = match session.list_directory(&path).await {
            Ok(listing) => listing,
            Err(error) => {
                told.failed(session, "listed", &path, &error, reply).await?;
                continue;
            }
        };
        let mut entries = listing.entries;
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let rest = entries.len().saturating_sub(ENTRIES);
        let cut = listing.cut || rest > 0;
        let items: Vec<Value> = entries.into_iter().take(ENTRIES).map(item).collect();
        let lines: Vec<String> = items.iter().map(|item| format!("  {item}")).collect();
        let heading = if several { format!("{path}:\n") } else { String::new() };
        let body = if lines.is_empty() { "[]".to_owned() } else { format!("[\n{}\n]", lines.join(",\n")) };
        let more = if cut { format!("\nThere are {rest} more.") } else { String::new() };
        reply.say(format!("{heading}{body}{more}"));
        let directory = listing.path.display().to_string();
        told.done(json!({ "path": path, "directory": directory, "entries": items, "cut": cut }));
    }
    Ok(told.end(reply))
}

fn item(entry: session::DirectoryEntry) -> Value {
    let kind = match entry.kind {
        EntryKind::File => "file",
        EntryKind::Directory => "directory",
        EntryKind::Link(_) => "link",
        EntryKind::Special => "special",
    };
    json!({ "name": entry.name.to_string_lossy(), "type": kind, "size": entry.size })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(arguments: Value) -> Result<Operation, Refusal> {
        let Value::Object(given) = arguments else { panic!() };
        Operation::of(&mut Arguments::new("file_operations", Some(given)))
    }

    #[test]
    fn operations_are_taken_as_models_write_them() {
        let is = |given: Value, expected: &str| {
            assert!(format!("{:?}", of(given.clone()).unwrap()).starts_with(expected), "{given}");
        };
        is(json!({"operation": "READ", "paths": "a"}), "Read([\"a\"])");
        is(json!({"operation": "list"}), "List([\".\"])");
        is(json!({"operation": "list", "paths": ["a", "b"]}), "List([\"a\", \"b\"])");
        is(json!({"operation": "delete", "paths": ["a"]}), "Remove([\"a\"])");
        is(json!({"operation": "write", "content": {"path": "a", "text": "t"}}), "Write([(\"a\", \"t\")])");
        is(
            json!({"operation": "write", "content": "[{\"path\": \"a\", \"text\": \"\"}]"}),
            "Write([(\"a\", \"\")])",
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        for (given, says) in [
            (json!({}), "`operation` is missing"),
            (json!({"operation": "rename"}), "There is no operation `rename`."),
            (json!({"operation": "read"}), "`paths` is missing: which files to read."),
            (json!({"operation": "remove", "paths": []}), "`paths` is missing: which files to remove."),
            (json!({"operation": "write"}), "`content` is missing"),
            (json!({"operation": "write", "content": [{"text": "t"}]}), "`content[0]` has no `path`."),
            (json!({"operation": "write", "content": [{"path": "p"}]}), "`content[0]` has no `text`."),
            (json!({"operation": "write", "content": ["p"]}), "`content[0]` has no `path`."),
        ] {
            let refusal = of(given.clone()).unwrap_err();
            assert!(refusal.what.starts_with(says), "{given}: {refusal:?}");
        }
    }
}
