//! The names that saved files have as resources: `cellblock://workspace/NAME/PATH`.

use std::fmt::Write as _;

use rmcp::model::Resource;
use session::workspace::{Stored, WorkspaceName, WorkspacePath};

/// What every one of them begins with.
const BEGIN: &str = "cellblock://workspace/";
/// What a client fills in.
pub(super) const TEMPLATE: &str = "cellblock://workspace/{workspace}/{+path}";

/// The URI of a file.
pub(super) fn uri(workspace: &WorkspaceName, path: &WorkspacePath) -> String {
    let mut uri = format!("{BEGIN}{workspace}/");
    for byte in path.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// The file of a URI; a sentence, if it names none.
pub(super) fn parse(uri: &str) -> Result<(WorkspaceName, WorkspacePath), String> {
    let (workspace, path) = uri
        .strip_prefix(BEGIN)
        .and_then(|rest| rest.split_once('/'))
        .ok_or_else(|| format!("a resource of this server is {TEMPLATE}"))?;
    let workspace = WorkspaceName::parse(workspace).map_err(|refused| refused.to_string())?;
    let path = decoded(path).ok_or("the path of a resource is percent-encoded UTF-8")?;
    let path = WorkspacePath::parse(&path).map_err(|refused| refused.to_string())?;
    Ok((workspace, path))
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            bytes.push((digit(rest.next()?)? * 16 + digit(rest.next()?)?) as u8);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// A file as a resource.
pub(super) fn resource(workspace: &WorkspaceName, stored: &Stored) -> Resource {
    let resource = Resource::new(uri(workspace, &stored.path), stored.path.name()).with_size(stored.size);
    match mime_guess::from_path(stored.path.name()).first_raw() {
        Some(mime) => resource.with_mime_type(mime),
        None => resource,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_names_the_file_that_it_was_made_for() {
        let workspace = WorkspaceName::usual();
        for path in ["uploads/a.csv", "code-interpreter/ä b%20#c?.txt", "x/…", "a\\b"] {
            let path = WorkspacePath::parse(path).unwrap();
            let uri = uri(&workspace, &path);
            assert!(uri.is_ascii() && !uri.contains([' ', '#', '?']), "{uri}");
            assert_eq!(parse(&uri), Ok((workspace.clone(), path)));
        }
    }

    #[test]
    fn what_names_no_file_is_refused() {
        for wrong in [
            "",
            "file:///etc/passwd",
            "cellblock://workspace/default",
            "cellblock://workspace//a",
            "cellblock://workspace/default/",
            "cellblock://workspace/default/../a",
            "cellblock://workspace/default/%2e%2e/a",
            "cellblock://workspace/..%2Fother/a",
            "cellblock://workspace/default/%ff",
            "cellblock://workspace/default/%0a",
            "cellblock://workspace/default/%",
            "cellblock://workspace/default/%zz",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
