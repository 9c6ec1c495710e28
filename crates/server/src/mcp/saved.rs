//! The workspace: `ci_push_to_workspace`, `workspace_read`, `workspace_list`, `workspace_write`, and what
//! `output_filename` saves.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use session::workspace::{self, CODE_INTERPRETER, Stored, UPLOADS, Workspace, WorkspacePath};

use super::arguments::shown;
use super::conversations::Held;
use super::cut::{self, cut};
use super::directory::{self, alike};
use super::reply::{PICTURE, Refusal, Reply, size};
use super::sort::{self, Sort};
use super::uri::{resource, uri};

/// What paths begin with; whoever writes one with a `/` before it means that.
const NAMESPACES: [&str; 4] = [UPLOADS, CODE_INTERPRETER, "documents", "code-agent"];
/// Where the session's files lie in its cell.
const INSIDE: &str = "/mnt/workspace";
/// The most files that a listing tells.
const LISTED: usize = 2000;
/// How many files are linked to in one answer.
const LINKED: usize = 50;
/// The largest file that is given in base 64, bytes.
const BINARY: u64 = 8 << 20;

/// What went wrong with the workspace, for a model.
pub(super) fn refusal(error: &workspace::Error) -> Refusal {
    match error {
        workspace::Error::Refused(refused) => {
            Refusal::new(super::reply::sentence(&format!("cannot {refused}")), "Use another path.")
        }
        workspace::Error::NotFound(path) => Refusal::new(
            format!("There is no file `{path}` in the workspace."),
            "workspace_list tells what is there.",
        ),
        workspace::Error::InTheWay(_) => {
            Refusal::new(super::reply::sentence(&format!("cannot {error}")), "Use another path.")
        }
        error if error.is_full() => Refusal::new(
            "There is no room left for files of the workspace.",
            "Tell the user: files must be removed, or the server's disk made larger.",
        ),
        error => {
            tracing::error!("failed to {}", crate::fault::chain(error));
            Refusal::new("The workspace could not be reached.", "Try again; the server's log says more.")
        }
    }
}

fn time(time: std::time::SystemTime) -> String {
    jiff::Timestamp::try_from(time).map(|time| format!("{time:.0}")).unwrap_or_default()
}

fn data(workspace: &Workspace, stored: &Stored) -> Value {
    let mut file = json!({
        "path": stored.path.as_str(),
        "size": stored.size,
        "uri": uri(workspace.name(), &stored.path),
    });
    if let Some(mime) = mime_guess::from_path(stored.path.name()).first_raw() {
        file["mime_type"] = mime.into();
    }
    file
}

/// Saves one file; gives what it is in the workspace.
pub(super) async fn keep(held: &Held, path: &str) -> Result<Stored, Refusal> {
    let saved = held.open.session.push(vec![path.into()]).await.map_err(|error| of_push(&error))?;
    if let Some(file) = saved.files.into_iter().next() {
        return Ok(file.stored);
    }
    let why = saved
        .left_out
        .into_iter()
        .next()
        .map_or_else(|| "it is not there any more".to_owned(), |left| left.why);
    Err(Refusal::new(
        format!("`{}` was not saved: {why}.", shown(path)),
        "The code ran, and the file is in the sandbox.",
    ))
}

fn of_push(error: &session::Error) -> Refusal {
    match error {
        session::Error::Save(error) => refusal(error),
        session::Error::NoWorkspace => Refusal::new(
            "This session has no workspace that files could be saved to.",
            "Leave `session_id` out, or use a name of your choosing.",
        ),
        error => Refusal::of(error),
    }
}

/// `ci_push_to_workspace`.
pub(super) async fn push(held: &Held, paths: Vec<String>, reply: &mut Reply) -> Result<(), Refusal> {
    let session = &held.open.session;
    let Some(workspace) = session.workspace() else { return Err(of_push(&session::Error::NoWorkspace)) };
    // What models write for everything.
    let everything = paths.iter().all(|path| matches!(path.as_str(), "." | "./" | "*"));
    let wanted: Vec<PathBuf> =
        if everything { Vec::new() } else { paths.iter().map(PathBuf::from).collect() };
    let saved = session.push(wanted.clone()).await.map_err(|error| of_push(&error))?;
    let files: Vec<Stored> = saved.files.into_iter().map(|file| file.stored).collect();
    let (mut left_out, mut missing) = (Vec::new(), 0);
    for left in saved.left_out {
        let path = left.local.to_string_lossy().into_owned();
        let asked = wanted.contains(&left.local);
        let there =
            if asked { format!(" {}", directory::there(session, &path).await) } else { String::new() };
        if left_out.len() < LISTED {
            reply.say(format!("Not saved: `{}`: {}.{there}", shown(&path), left.why));
            left_out.push(json!({ "path": path, "error": left.why }));
        }
        missing += usize::from(asked || left.failed);
    }
    let names: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let told: Vec<String> =
        files.iter().take(LISTED).map(|file| format!("  {} ({})", file.path, size(file.size))).collect();
    match (files.len(), missing) {
        (0, 0) => reply.say("There is no file to save."),
        (0, _) => {}
        (count, _) => reply.say(format!("Saved {count}:\n{}", told.join("\n"))),
    }
    reply.set("status", if missing == 0 { "ok" } else { "partial" });
    reply.set("files_saved", json!(names));
    reply.set("count", files.len());
    reply.set("files", files.iter().take(LISTED).map(|file| data(workspace, file)).collect::<Vec<_>>());
    reply.set("left_out", left_out);
    for file in files.iter().take(LINKED) {
        reply.link(resource(workspace.name(), file));
    }
    if missing > 0 {
        reply.failed(if files.is_empty() { "failed" } else { "partly" });
    }
    Ok(())
}

/// `workspace_list`.
pub(super) async fn list(workspace: &Workspace, path: &str, reply: &mut Reply) -> Result<(), Refusal> {
    let directory = plain(path).trim_matches('/');
    let directory = if directory == "." { "" } else { directory };
    let files = workspace.list(directory).await.map_err(|error| refusal(&error))?;
    let lines: Vec<String> =
        files.iter().take(LISTED).map(|file| format!("  {} ({})", file.path, size(file.size))).collect();
    let place = if directory.is_empty() { "the workspace".to_owned() } else { format!("`{directory}/`") };
    let count = files.len();
    if count == 0 {
        reply.say(format!("There are no files in {place}."));
    } else {
        let more = if count > LISTED { format!("\n  and {} more", count - LISTED) } else { String::new() };
        reply.say(format!("{count} in {place}:\n{}{more}", lines.join("\n")));
    }
    let items: Vec<Value> = files
        .iter()
        .take(LISTED)
        .map(|file| json!({ "path": file.path.as_str(), "size": file.size, "last_modified": time(file.modified) }))
        .collect();
    reply.set("files", items);
    reply.set("count", count);
    Ok(())
}

/// A path as somebody may write it who copied it from elsewhere.
fn plain(path: &str) -> &str {
    path.trim().trim_start_matches("./").trim_start_matches('/')
}

fn parsed(path: &str) -> Result<WorkspacePath, Refusal> {
    let given = path.trim();
    let known = |name: &str| NAMESPACES.contains(&name);
    if given.starts_with('/') && !given.trim_start_matches('/').split('/').next().is_some_and(known) {
        let what = format!("`{}` is a path of the sandbox, not of the workspace.", shown(given));
        let below = Path::new(given).strip_prefix(INSIDE).ok().and_then(Path::to_str);
        return Err(match below.filter(|below| !below.is_empty()) {
            Some(below) => {
                let here = format!("In the workspace it is `{CODE_INTERPRETER}/{}`.", shown(below));
                Refusal::new(what, here)
            }
            None => Refusal::new(what, "Paths are as workspace_list gives them, such as uploads/data.csv."),
        });
    }
    WorkspacePath::parse(plain(path)).map_err(|refused| refusal(&refused.into()))
}

/// `workspace_read`.
pub(super) async fn read(workspace: &Workspace, path: &str, reply: &mut Reply) -> Result<(), Refusal> {
    let path = parsed(path)?;
    let reading = match workspace.read(&path).await {
        Ok(reading) => reading,
        Err(error @ workspace::Error::NotFound(_)) => {
            let Refusal { what, try_next, ended } = refusal(&error);
            let mut try_next = near(workspace, &path).await.unwrap_or(try_next);
            if path.as_str().starts_with(CODE_INTERPRETER) {
                try_next.push_str(" A file that only the sandbox has is saved with ci_push_to_workspace.");
            }
            return Err(Refusal { what, try_next, ended });
        }
        Err(error) => return Err(refusal(&error)),
    };
    let stored = reading.stored.clone();
    reply.set("status", "ok");
    reply.set("path", path.as_str());
    reply.set("size", stored.size);
    reply.set("uri", uri(workspace.name(), &path));
    if stored.size > BINARY {
        reply.set("encoding", "binary");
        reply.say(format!(
            "{path} has {}, which is too much for one answer. Read a part of it with execute_code.",
            size(stored.size)
        ));
        reply.link(resource(workspace.name(), &stored));
        return Ok(());
    }
    let bytes = reading.bytes().await.map_err(|error| refusal(&error))?;
    let sort = sort::of(path.name(), &bytes);
    reply.set("mime_type", sort.mime());
    match (&sort, std::str::from_utf8(&bytes)) {
        (Sort::Text(_), Ok(text)) => {
            let text = match cut(text, cut::MOST) {
                Some(cut) => cut.told("read a part of the file with execute_code"),
                None => text.to_owned(),
            };
            reply.set("encoding", "text");
            reply.say(if text.is_empty() { "(the file is empty)" } else { text.as_str() });
            reply.set("content", text);
        }
        (Sort::Picture(mime), _) if stored.size <= PICTURE => {
            reply.set("encoding", "base64");
            reply.set("content", STANDARD.encode(&bytes));
            reply.say(format!("{path}: a picture, {}", size(stored.size)));
            reply.picture(&bytes, mime);
        }
        _ => {
            reply.set("encoding", "base64");
            reply.set("content", STANDARD.encode(&bytes));
            reply.say(format!(
                "{path}: {}, {}. It is no text; use it with execute_code.",
                sort.mime(),
                size(stored.size)
            ));
            reply.link(resource(workspace.name(), &stored));
        }
    }
    Ok(())
}

/// The files whose names look like this one's, as a sentence.
async fn near(workspace: &Workspace, path: &WorkspacePath) -> Option<String> {
    let files = workspace.list("").await.ok()?;
    let names: Vec<String> = files
        .iter()
        .filter(|file| alike(file.path.name(), path.name()))
        .take(5)
        .map(|file| format!("`{}`", file.path))
        .collect();
    (!names.is_empty()).then(|| format!("Is {} meant?", names.join(" or ")))
}

/// What helps whoever wrote a file that code does not see.
fn unseen(path: &WorkspacePath) -> Option<String> {
    let seen = [UPLOADS, CODE_INTERPRETER];
    let first = path.as_str().split('/').next().unwrap_or_default();
    (!seen.contains(&first)).then(|| {
        format!("The sandbox does not see it there; it sees what lies in {UPLOADS}/, as `{UPLOADS}/{path}`.")
    })
}

/// `workspace_write`.
pub(super) async fn write(
    workspace: &Workspace,
    path: &str,
    content: String,
    encoding: &str,
    reply: &mut Reply,
) -> Result<(), Refusal> {
    let path = parsed(path)?;
    let content = match encoding.trim().to_ascii_lowercase().as_str() {
        "text" | "utf-8" | "utf8" | "" => Bytes::from(content),
        "base64" => {
            let plain: String = content.chars().filter(|char| !char.is_whitespace()).collect();
            let decoded = STANDARD.decode(plain).map_err(|error| {
                Refusal::new(
                    format!("`content` is no base64: {}.", error.to_string().trim_end_matches('.')),
                    "Nothing was written. Use encoding=\"text\" for text.",
                )
            })?;
            Bytes::from(decoded)
        }
        other => {
            let what = format!("There is no encoding `{}`.", shown(other));
            return Err(Refusal::new(what, "Use \"text\" or \"base64\"."));
        }
    };
    let stored = workspace.write(&path, content).await.map_err(|error| refusal(&error))?;
    reply.say(format!("Written: {path} ({})", size(stored.size)));
    reply.hint(unseen(&path));
    reply.set("status", "ok");
    reply.set("path", path.as_str());
    reply.set("size", stored.size);
    reply.set("uri", uri(workspace.name(), &path));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_code_does_not_see_is_told_with_the_path_that_it_sees() {
        let told = |path: &str| unseen(&parsed(path).unwrap());
        assert!(told("report.md").unwrap().contains("`uploads/report.md`"));
        assert!(told("documents/a").is_some());
        assert_eq!((told("uploads/a"), told("code-interpreter/in/a")), (None, None));
    }

    #[test]
    fn paths_of_the_sandbox_are_told_from_those_of_the_workspace() {
        for (given, path) in [
            ("uploads/a.csv", "uploads/a.csv"),
            ("/uploads/a.csv", "uploads/a.csv"),
            ("./code-interpreter/in/b", "code-interpreter/in/b"),
            (" documents/a ", "documents/a"),
            ("mine/a", "mine/a"),
        ] {
            assert_eq!(parsed(given).unwrap().as_str(), path, "{given}");
        }
        let refused = parsed("/mnt/workspace/in/a.csv").unwrap_err();
        assert_eq!(refused.try_next, "In the workspace it is `code-interpreter/in/a.csv`.");
        for wrong in ["/mnt/workspace", "/etc/passwd", "/tmp/a", "/", "../a", "uploads/../a", ""] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
