//! File tools: read, list, remove, write.
//!
//! Paths are taken as the session's own programs would take them: relative ones from where the interpreter works,
//! absolute ones from the cell's root. (AWS refuses absolute paths and `..`; in a cell they lead nowhere but into the
//! cell.) Each file is tried: what could be read is there beside the sentence about what could not.
//!
//! A file is text if all of it is UTF-8 without a zero byte, whatever its name says; its type is told by its name.

use std::io::Read;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::read::DecoderReader;
use bytes::{Buf, Bytes};
use serde_json::value::RawValue;
use session::{DirectoryEntry, EntryKind, FileFault, OpenFile, Session};

use crate::fault::Fault;

use super::Incoming;
use super::arguments::{File, Invocation};
use super::invoke::{OTHERS, not_active, too_large};
use super::results::{Block, Resource, ToolResult};

/// Where sessions keep their files.
const WORKSPACE: &str = "/mnt/workspace/";
/// The largest file that is written, bytes.
const LARGEST: u64 = 100_000_000;

/// The result of something that was done with several files.
fn result(mut content: Vec<Block>, failures: Vec<String>) -> ToolResult {
    let is_error = !failures.is_empty();
    content.extend(failures.into_iter().map(|text| Block::Text { text }));
    ToolResult { content, structured_content: None, is_error }
}

/// A failure in a tool's own words, unless it is one of the whole call.
fn failure(
    session: &Session,
    tool: &str,
    kind: &str,
    path: &str,
    error: &session::Error,
) -> Result<String, Fault> {
    let shown = shown(path);
    match error {
        session::Error::CellFile { fault: FileFault::NotFound, .. } => {
            Ok(format!("Error executing tool {tool}: {kind} {shown} not found"))
        }
        session::Error::CellFile { fault: FileFault::InvalidPath | FileFault::NameTooLong, .. } => {
            Ok(format!("Error executing tool {tool}: Invalid file path: {}", behind(error)))
        }
        session::Error::CellFile { left, .. } => {
            Ok(format!("Error executing tool {tool}: {kind} {shown}{left}: {}", behind(error)))
        }
        session::Error::Ended => Err(not_active(session)),
        error => Err(Fault::internal(error)),
    }
}

/// Why something failed, without what.
fn behind(error: &session::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

fn shown(path: &str) -> String {
    path.chars().take(300).collect()
}

pub(super) async fn read(session: &Session, paths: Vec<String>) -> Result<ToolResult, Fault> {
    let (mut content, mut failures) = (Vec::new(), Vec::new());
    let mut room = OTHERS;
    for path in paths {
        match session.read_file(&path).await {
            Ok(open) => {
                let block = tokio::task::spawn_blocking(move || block(&path, open, room))
                    .await
                    .map_err(|error| Fault::internal(&error))?;
                match block {
                    Ok(Some((block, size))) => {
                        room = room.saturating_sub(size);
                        content.push(block);
                    }
                    Ok(None) => return Err(too_large()),
                    Err(sentence) => failures.push(sentence),
                }
            }
            Err(error) => failures.push(failure(session, "read_files", "File", &path, &error)?),
        }
    }
    Ok(result(content, failures))
}

/// A file's content as a block, and how large that is; none, if it is larger than `room`.
fn block(path: &str, open: OpenFile, room: usize) -> Result<Option<(Block, usize)>, String> {
    if open.size > room as u64 {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(open.size).unwrap_or(0));
    // It may grow while it is read.
    open.file
        .take(room as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("Error executing tool read_files: File {}: {error}", shown(path)))?;
    let mime = mime_guess::from_path(path).first_raw();
    let resource = |mime: Option<&str>, usual: &str| Resource {
        uri: uri(path),
        mime_type: mime.unwrap_or(usual).to_owned(),
        text: None,
        blob: None,
    };
    let resource = match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Resource { text: Some(text), ..resource(mime, "text/plain") },
        text => {
            let bytes = text.map_or_else(std::string::FromUtf8Error::into_bytes, String::into_bytes);
            Resource { blob: Some(STANDARD.encode(bytes)), ..resource(mime, "application/octet-stream") }
        }
    };
    let size = resource.text.as_ref().or(resource.blob.as_ref()).map_or(0, String::len);
    Ok((size <= room).then_some((Block::Resource { resource }, size)))
}

/// A file's URI as AWS writes it: below the workspace the path from there, elsewhere the whole path.
fn uri(path: &str) -> String {
    match path.strip_prefix(WORKSPACE).unwrap_or(path) {
        absolute if absolute.starts_with('/') => format!("file://{absolute}"),
        relative => format!("file:///{}", relative.strip_prefix("./").unwrap_or(relative)),
    }
}

pub(super) async fn list(session: &Session, path: String) -> Result<ToolResult, Fault> {
    let asked = if path.is_empty() { "." } else { path.as_str() };
    let listing = match session.list_directory(asked).await {
        Ok(listing) => listing,
        Err(error) => {
            return Ok(ToolResult::wrong(failure(session, "list_files", "Directory", asked, &error)?));
        }
    };
    let mut content: Vec<Block> = listing.entries.iter().map(|entry| link(asked, entry)).collect();
    if listing.cut {
        content.push(Block::Text { text: format!("{} has more in it than is listed here", shown(asked)) });
    }
    Ok(result(content, Vec::new()))
}

fn link(directory: &str, entry: &DirectoryEntry) -> Block {
    let name = entry.name.to_string_lossy().into_owned();
    let path = Path::new(directory.trim_start_matches("./")).join(&name);
    let path = path.to_string_lossy();
    let (description, mime_type) = match entry.kind {
        EntryKind::File => ("File", mime_guess::from_path(&name).first_raw().map(str::to_owned)),
        EntryKind::Directory => ("Directory", None),
        EntryKind::Link(_) => ("Link", None),
        EntryKind::Special => ("Special file", None),
    };
    Block::ResourceLink { mime_type, uri: uri(path.trim_start_matches("./")), name, description }
}

pub(super) async fn remove(session: &Session, paths: Vec<String>) -> Result<ToolResult, Fault> {
    let count = paths.len();
    let mut failures = Vec::new();
    for path in paths {
        if let Err(error) = session.remove_file(&path).await {
            failures.push(failure(session, "remove_files", "File", &path, &error)?);
        }
    }
    let done = format!("Successfully removed all {count} files");
    Ok(if failures.is_empty() { ToolResult::sentence(done) } else { result(Vec::new(), failures) })
}

pub(super) async fn write(session: &Session, incoming: Incoming) -> Result<ToolResult, Fault> {
    // All of it is checked before any of it is written.
    let (incoming, checked) = tokio::task::spawn_blocking(move || {
        let checked = contents(&incoming.body);
        (incoming, checked)
    })
    .await
    .map_err(|error| Fault::internal(&error))?;
    let files = checked?;
    let count = files.len();
    let mut failures = Vec::new();
    for (path, content) in files {
        let written = match content {
            Content::Text(bytes) => session.write_file(&path, bytes.reader()).await,
            Content::Base64(bytes) => session.write_file(&path, decoder(bytes)).await,
        };
        if let Err(error) = written {
            failures.push(failure(session, "write_files", "File", &path, &error)?);
        }
    }
    drop(incoming);
    let done = format!("Successfully wrote all {count} files");
    Ok(if failures.is_empty() { ToolResult::sentence(done) } else { result(Vec::new(), failures) })
}

/// Reads what stands there in base 64.
pub(super) fn decoder(blob: Bytes) -> impl Read {
    DecoderReader::new(blob.reader(), &STANDARD)
}

/// What a file is to hold.
pub(super) enum Content {
    Text(Bytes),
    Base64(Bytes),
}

/// The files of a request with their paths. What JSON writes as it is stays where it is, in the body.
pub(super) fn contents(body: &Bytes) -> Result<Vec<(String, Content)>, Fault> {
    let mut contents = Vec::new();
    for (n, File { path, text, blob }) in Invocation::files(body)?.into_iter().enumerate() {
        let name = format!("arguments.content[{n}]");
        let content = match (text, blob) {
            (Some(text), _) => {
                let text = string(body, text, &format!("{name}.text"))?;
                check(text.len() as u64, &format!("{name}.text"))?;
                Content::Text(text)
            }
            (None, Some(blob)) => {
                let field = format!("{name}.blob");
                let blob = string(body, blob, &field)?;
                let size = std::io::copy(&mut decoder(blob.clone()), &mut std::io::sink())
                    .map_err(|error| Fault::field(&field, format!("Member must be base 64: {error}")))?;
                check(size, &field)?;
                Content::Base64(blob)
            }
            (None, None) => return Err(Fault::field(name, "Member must have exactly one of text and blob")),
        };
        contents.push((path.unwrap_or_default(), content));
    }
    Ok(contents)
}

fn check(size: u64, field: &str) -> Result<(), Fault> {
    if size <= LARGEST {
        return Ok(());
    }
    Err(Fault::field(field, format!("Member must have length less than or equal to {LARGEST}")))
}

/// The text of a JSON string; the bytes of the body themselves where nothing in it is escaped.
fn string(body: &Bytes, raw: &RawValue, field: &str) -> Result<Bytes, Fault> {
    let inner = raw.get().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) if !inner.contains('\\') => Ok(body.slice_ref(inner.as_bytes())),
        _ => {
            let text: String = serde_json::from_str(raw.get())
                .map_err(|_| Fault::field(field, "Member must be a string"))?;
            Ok(Bytes::from(text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Vec<(String, Vec<u8>)>, Fault> {
        let files = contents(&Bytes::copy_from_slice(body.as_bytes()))?;
        Ok(files
            .into_iter()
            .map(|(path, content)| {
                let mut bytes = Vec::new();
                match content {
                    Content::Text(text) => text.reader().read_to_end(&mut bytes),
                    Content::Base64(blob) => decoder(blob).read_to_end(&mut bytes),
                }
                .unwrap();
                (path, bytes)
            })
            .collect())
    }

    #[test]
    fn contents_are_what_was_sent() {
        let body = r#"{"name":"writeFiles","arguments":{"content":[
            {"path":"a","text":"plain\u00e9 é"},{"path":"b","text":"one\r\ntwo\\"},{"path":"c","blob":"AAEC"},
            {"path":"d","blob":"\/w=="},{"path":"e","text":""}]}}"#;
        let files = read(body).unwrap();
        let expected: [(&str, &[u8]); 5] = [
            ("a", "plainé é".as_bytes()),
            ("b", b"one\r\ntwo\\"),
            ("c", b"\0\x01\x02"),
            ("d", b"\xff"),
            ("e", b""),
        ];
        assert_eq!(files, expected.map(|(path, bytes)| (path.to_owned(), bytes.to_vec())));
    }

    #[test]
    fn what_is_no_content_is_refused() {
        for content in
            [r#"{"path":"a","text":3}"#, r#"{"path":"a","blob":"===="}"#, r#"{"path":"a","blob":"A"}"#]
        {
            let body = format!(r#"{{"name":"writeFiles","arguments":{{"content":[{content}]}}}}"#);
            assert!(read(&body).is_err(), "{content}");
        }
    }

    #[test]
    fn uris_are_as_aws_writes_them() {
        for (path, expected) in [
            ("rel.txt", "file:///rel.txt"),
            ("./rel.txt", "file:///rel.txt"),
            ("a/b.txt", "file:///a/b.txt"),
            ("/mnt/workspace/a/b.txt", "file:///a/b.txt"),
            ("/tmp/x", "file:///tmp/x"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }
}
