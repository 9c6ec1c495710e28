//! The files of a session's workspace.
//!
//! Every one is opened beneath the workspace, without following links and without waiting: what is in there is hostile.

use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use cell::Cell;
use sys::tree::{self, Kind};
use tokio::sync::oneshot;

use crate::error::{Error, Result};
use crate::session::Session;
use crate::task::Message;

/// The most files that are listed.
const LISTED: usize = 100_000;

/// What something in a workspace is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A directory that cannot be read, or lies too deep.
    Closed,
    /// A symbolic link.
    Link,
    /// A fifo, a socket, a device.
    Special,
}

/// Something in a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Where it is, seen from the workspace.
    pub path: PathBuf,
    /// What it is.
    pub kind: FileKind,
    /// How long it is, bytes.
    pub size: u64,
    /// When its content was last changed, by the clock of a cell's code.
    pub modified: SystemTime,
}

impl Session {
    /// What is in the workspace, a directory before its content; at most 100 000 entries.
    pub async fn files(&self) -> Result<Vec<FileEntry>> {
        self.with_cell("list", Path::new("."), |cell| list(cell.workspace())).await
    }

    /// A regular file of the workspace, open for reading. Nothing else is opened.
    pub async fn open_file(&self, path: impl Into<PathBuf>) -> Result<File> {
        let path = path.into();
        let name = path.clone();
        self.with_cell("open", &path, move |cell| {
            let workspace = sys::file::directory(cell.workspace())?;
            sys::file::open_below(workspace.as_fd(), &name)
        })
        .await
    }

    /// Makes a new file in the workspace, and the directories above it; gives its length, bytes. One that exists is
    /// left as it is, which is an error.
    pub async fn create_file(
        &self,
        path: impl Into<PathBuf>,
        content: impl Read + Send + 'static,
    ) -> Result<u64> {
        let path = path.into();
        let name = path.clone();
        self.with_cell("create", &path, move |cell| create(cell, &name, content)).await
    }

    async fn with_cell<T: Send + 'static>(
        &self,
        what: &'static str,
        path: &Path,
        work: impl FnOnce(&Cell) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let (sender, answer) = oneshot::channel();
        let job = Box::new(move |cell: &Cell| _ = sender.send(work(cell)));
        self.send(Message::Files(job))?;
        let done = answer.await.map_err(|_| Error::Ended)?;
        done.map_err(|source| Error::File { what, path: path.to_owned(), source })
    }
}

fn list(workspace: &Path) -> io::Result<Vec<FileEntry>> {
    let mut entries = Vec::new();
    tree::walk(workspace, &mut |item| {
        let kind = match item.kind {
            Kind::File => FileKind::File,
            Kind::Directory => FileKind::Directory,
            Kind::Closed => FileKind::Closed,
            Kind::Link => FileKind::Link,
            Kind::Special => FileKind::Special,
        };
        let (path, size, modified) = (item.path.to_owned(), item.size, item.modified);
        entries.push(FileEntry { path, kind, size, modified });
        if entries.len() < LISTED { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(entries)
}

fn create(cell: &Cell, path: &Path, mut content: impl Read) -> io::Result<u64> {
    let workspace = sys::file::directory(cell.workspace())?;
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let parent = path.parent().unwrap_or(Path::new("."));
    let directory = tree::make_directories(&workspace, parent, &mut |made| {
        cell.give(made.as_fd()).map_err(io::Error::other)
    })?;
    let mut file = sys::file::create_below(directory.as_fd(), Path::new(name), 0o644)?;
    cell.give(file.as_fd()).map_err(io::Error::other)?;
    io::copy(&mut content, &mut file)
}
