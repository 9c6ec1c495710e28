//! The file that `output_filename` names: given to the model, and saved.

use std::fs::File;
use std::os::unix::fs::FileExt;

use serde_json::json;

use super::conversations::Held;
use super::directory;
use super::reply::{PICTURE, Refusal, Reply, size};
use super::saved;
use super::sort::{Sort, sort};
use super::uri::{resource, uri};

/// Gives the file to whoever asked for it; whether that was a picture.
pub(super) async fn give(held: &Held, path: &str, reply: &mut Reply) -> Result<bool, Refusal> {
    let session = &held.open.session;
    let open = match session.read_file(path).await {
        Ok(open) => open,
        Err(session::Error::Ended) => return Err(Refusal::of(&session::Error::Ended)),
        Err(error) => {
            let there = directory::there(session, path).await;
            reply.say(format!("The code ran, but {}. {there}", directory::why(path, &error)));
            reply.failed("output_missing");
            return Ok(false);
        }
    };
    let (bytes, known) = (open.size, sort(path, &open.file));
    let picture = match known {
        Sort::Picture(mime) if bytes <= PICTURE => read(&open.file).await.map(|content| (mime, content)),
        _ => None,
    };
    let mut file = json!({ "path": path, "size": bytes, "mime_type": known.mime() });
    // A session that has none to save to gives it all the same.
    let kept = match session.workspace() {
        Some(workspace) => saved::keep(held, path).await.map(|stored| Some((workspace, stored))),
        None => Ok(None),
    };
    match kept {
        Ok(Some((workspace, stored))) => {
            reply.say(format!("File saved: {path} ({}), as {} in the workspace.", size(bytes), stored.path));
            file["uri"] = uri(workspace.name(), &stored.path).into();
            if picture.is_none() {
                reply.link(resource(workspace.name(), &stored));
            }
        }
        Ok(None) => reply.say(format!("File: {path} ({})", size(bytes))),
        Err(refusal) => {
            reply.say(format!("{} {}", refusal.what, refusal.try_next));
            reply.failed("failed");
        }
    }
    reply.set("files", json!([file]));
    if let Some((mime, content)) = picture {
        reply.picture(&content, mime);
        return Ok(true);
    }
    Ok(false)
}

/// All of a file that is known to be small.
async fn read(file: &File) -> Option<Vec<u8>> {
    let file = file.try_clone().ok()?;
    let read = tokio::task::spawn_blocking(move || {
        let mut content = vec![0; PICTURE as usize];
        let mut held = 0;
        while held < content.len() {
            match file.read_at(&mut content[held..], held as u64) {
                Ok(0) => break,
                Ok(read) => held += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        content.truncate(held);
        Ok(content)
    });
    read.await.ok()?.ok()
}
