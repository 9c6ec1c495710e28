//! Files of a session, read, written, listed and removed from outside, as its own programs would do it: plainly, against
//! code that is hostile, and where there is no room.

mod hostile;
mod limits;
mod plain;
mod race;

use std::io::{Cursor, Read};

use session::{Error, FileFault, Left, Result, Session};

use crate::kit::within;

/// Writes a file that must be written.
async fn write(session: &Session, path: &str, content: impl AsRef<[u8]>) {
    let content = content.as_ref().to_vec();
    let length = content.len() as u64;
    let written = within("write a file", session.write_file(path, Cursor::new(content))).await;
    assert_eq!(written.unwrap_or_else(|error| panic!("{path}: {}", chain(&error))), length);
}

/// Reads a file that must be there: its path, and what it holds.
async fn read(session: &Session, path: &str) -> (String, Vec<u8>) {
    let opened = within("open a file", session.read_file(path)).await;
    let mut opened = opened.unwrap_or_else(|error| panic!("{path}: {}", chain(&error)));
    let mut content = Vec::new();
    opened.file.read_to_end(&mut content).unwrap();
    assert_eq!(opened.size, content.len() as u64);
    (opened.path.to_str().unwrap().to_owned(), content)
}

fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}

/// Why something was not done.
#[track_caller]
fn fault<T: std::fmt::Debug>(done: Result<T>) -> FileFault {
    let (fault, left) = fault_and_left(done);
    assert_eq!(left, Left::Untouched, "{fault:?}");
    fault
}

#[track_caller]
fn fault_and_left<T: std::fmt::Debug>(done: Result<T>) -> (FileFault, Left) {
    match done {
        Err(Error::CellFile { fault, left, .. }) => (fault, left),
        other => panic!("no fault of a file: {other:?}"),
    }
}
