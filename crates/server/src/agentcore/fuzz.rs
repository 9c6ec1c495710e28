//! The parsers of this wire for fuzz targets, with what they say in types that anybody has.

use std::io::Read;

use bytes::{Buf, Bytes};

use crate::fault::Fault;

use super::arguments::{Invocation, Tool};
use super::{event_stream, files, identifiers};

/// Reads the body of an invocation: the files that it writes, each with its path; none, if it writes none. A body that is
/// refused gives the fault's JSON.
pub fn invocation(body: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
    let fault = |fault: Fault| fault.json();
    if Invocation::check(body).map_err(fault)? != Tool::WriteFiles {
        return Ok(Vec::new());
    }
    let contents = files::contents(&Bytes::copy_from_slice(body)).map_err(fault)?;
    Ok(contents.into_iter().map(|(path, content)| (path, content.bytes())).collect())
}

impl files::Content {
    fn bytes(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // They are in memory and were read once; what cannot be read is not there.
        let _ = match self {
            files::Content::Text(text) => text.reader().read_to_end(&mut bytes),
            files::Content::Base64(blob) => files::decoder(blob).read_to_end(&mut bytes),
        };
        bytes
    }
}

/// Decodes a segment of a path.
#[must_use]
pub fn decode(segment: &str) -> Option<String> {
    identifiers::decode(segment).ok()
}

/// The id of the interpreter that an id or an ARN names.
#[must_use]
pub fn interpreter(identifier: &str) -> Option<String> {
    identifiers::interpreter(identifier).ok().map(str::to_owned)
}

/// The region that a header `Authorization` names.
#[must_use]
pub fn region(authorization: &str) -> Option<&str> {
    identifiers::region(Some(authorization))
}

/// The frame of a result.
#[must_use]
pub fn result(payload: &[u8]) -> Bytes {
    event_stream::result(payload)
}

/// The frame of an exception, with its payload.
#[must_use]
pub fn exception(message: &str) -> (Bytes, String) {
    let fault = Fault::validation(message);
    (event_stream::exception(&fault), fault.json())
}
