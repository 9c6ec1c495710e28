//! The files of a session's cell, as its own programs see them: anywhere in the cell, links followed, with the rights of
//! the cell's user, relative paths from where the session's interpreter works.
//!
//! The cell's init finds and opens; here what it handed over is judged again, since init is believed no more than its
//! cell, and read or written on a thread that may block. A file that is open belongs to whoever holds it: neither the
//! cell nor the session waits for it, and it may be read to its end when both are gone.
//!
//! **Invariants.** Nothing is opened by a path of the cell's here. Only regular files and directories of file systems
//! that hold files are read or written, so no read waits for code in the cell. Content that was not written whole is
//! never left to be taken for whole.
//!
//! Rejected: a new file beside the old one that takes its name when it is whole. It would keep the old content when
//! something fails, but it would break links and owners of the old one, need twice the room, and not be what a program
//! does that opens a file and writes to it.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use policy::files::holds_files;
use protocol::{FileDone, FileFailure, FileOperation, FileReply, FileRequest, FileStep, Full, MAX_PATH};
use sys::inside::{self, Access, Found};
use sys::tree::{self, Kind};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::error::{Error, Result};
use crate::fault::libc_errno::EAGAIN;
use crate::fault::{FileFault, Left};
use crate::room::Room;
use crate::session::Session;
use crate::task::{FileOrder, Granted, Message};

/// How long a cell may take to answer, which it does at once unless it starves.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long until a file is asked for again whose content is still being brought.
const AGAIN: Duration = Duration::from_millis(20);
/// The most entries of a directory that are told.
const ENTRIES: usize = 100_000;
/// The most bytes of names, and of what links say, that are told of a directory.
const NAMES: usize = 16 << 20;
/// What is held of a file that is being written.
const BUFFER: usize = 256 << 10;
/// The file system in memory (`TMPFS_MAGIC`).
const TMPFS: u32 = 0x0102_1994;

/// A regular file of a cell, open for reading.
#[derive(Debug)]
pub struct OpenFile {
    /// The file. Reading does not wait for the cell, but for the disk: do it on a thread that may block.
    pub file: File,
    /// How long it was when it was opened, bytes. Code in the cell may write to it at any time.
    pub size: u64,
    /// Its absolute path in the cell, without links; empty where that is not known.
    pub path: PathBuf,
}

/// What is in a directory of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The directory's absolute path in the cell, without links; empty where that is not known.
    pub path: PathBuf,
    /// What is in it, in the order in which the file system tells.
    pub entries: Vec<DirectoryEntry>,
    /// Whether there is more: at most 100 000 entries with 16 MiB of names are told.
    pub cut: bool,
}

/// Something in a directory of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// Its name; any bytes but `/` and zero.
    pub name: OsString,
    /// What it is.
    pub kind: EntryKind,
    /// How long it is, bytes.
    pub size: u64,
    /// When its content was last changed, by the clock of the cell's code.
    pub modified: SystemTime,
}

/// What something in a directory is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link to this, which may not be there.
    Link(PathBuf),
    /// A fifo, a socket, a device.
    Special,
}

impl Session {
    /// Opens a regular file anywhere in the cell for reading. A relative path starts where the session's interpreter
    /// works, or in the workspace if there is no interpreter or its directory is gone.
    ///
    /// Fails with [`Error::CellFile`], or with [`Error::Ended`]. The file may be read after the session's end.
    pub async fn read_file(&self, path: impl Into<PathBuf>) -> Result<OpenFile> {
        let operation = Operation::new("read", path.into());
        let (granted, done) = operation.ask(self, FileOperation::Read).await?;
        operation
            .on_thread(move || {
                let (file, found) = judge(granted.descriptor, Kind::File, Access::Read)?;
                Ok(OpenFile { file: file.into(), size: found.size, path: path_of(done) })
            })
            .await
    }

    /// Writes a file anywhere in the cell, in the place of what it held, and gives its length, bytes. A new one belongs
    /// to the cell's user (mode 0644), and so do directories made above it (mode 0755). Relative paths are as in
    /// [`Session::read_file`].
    ///
    /// Fails with [`Error::CellFile`], which also says what is left of the file: it is emptied if it cannot be written
    /// whole. What does not fit into the cell's disk limit is [`FileFault::NoSpace`]. If the session ends meanwhile that
    /// is [`Error::Ended`], and nothing is said of the file. Giving up the future does not stop the writing, which goes
    /// on until `content` ends or fails.
    pub async fn write_file(
        &self,
        path: impl Into<PathBuf>,
        content: impl Read + Send + 'static,
    ) -> Result<u64> {
        let operation = Operation::new("write", path.into());
        let (granted, done) = operation.ask(self, FileOperation::Write).await?;
        let path = path_of(done);
        let written = operation
            .on_thread(move || {
                let (file, found) = judge(granted.descriptor, Kind::File, Access::Write)?;
                write(&file.into(), &found, &path, &granted.room, content)
            })
            .await?;
        // If the session has ended, it may have been before the last byte was written.
        self.send(Message::Wrote)?;
        Ok(written)
    }

    /// Where a relative path starts now, as an absolute path in the cell.
    pub(crate) async fn working_directory(&self) -> Result<PathBuf> {
        let operation = Operation::new("find", PathBuf::from("."));
        let (_, done) = operation.ask(self, FileOperation::List).await?;
        Ok(path_of(done))
    }

    /// Tells what is in a directory anywhere in the cell. Relative paths are as in [`Session::read_file`].
    pub async fn list_directory(&self, path: impl Into<PathBuf>) -> Result<Listing> {
        let operation = Operation::new("list", path.into());
        let (granted, done) = operation.ask(self, FileOperation::List).await?;
        operation
            .on_thread(move || {
                let limit = granted.room.limit();
                let (directory, _) = judge(granted.descriptor, Kind::Directory, Access::Read)?;
                list(directory, path_of(done), ENTRIES)
                    .map_err(|error| Fault::from(FileFault::system(error, limit)))
            })
            .await
    }

    /// Removes a file anywhere in the cell; of a link, the link itself. A directory is removed if it is empty.
    /// Relative paths are as in [`Session::read_file`].
    pub async fn remove_file(&self, path: impl Into<PathBuf>) -> Result<()> {
        let operation = Operation::new("remove", path.into());
        let (granted, done) = operation.ask(self, FileOperation::Remove).await?;
        operation
            .on_thread(move || {
                let Granted { descriptor, room, .. } = granted;
                let found = descriptor.as_ref().and_then(|handle| inside::look(handle).ok());
                if let Some(found) = found.filter(|found| found.names == 0)
                    && in_memory(&found, &path_of(done)).is_none()
                {
                    room.give_back(found.stored);
                }
                // The blocks of a large file are freed when the last handle to it goes, which takes its time.
                drop(descriptor);
                Ok(())
            })
            .await?;
        self.send(Message::Wrote)
    }
}

/// A fault, and what it left.
struct Fault(FileFault, Left);

impl From<FileFault> for Fault {
    fn from(fault: FileFault) -> Fault {
        Fault(fault, Left::Untouched)
    }
}

/// What is being done, for errors.
struct Operation {
    what: &'static str,
    path: PathBuf,
}

impl Operation {
    fn new(what: &'static str, path: PathBuf) -> Operation {
        Operation { what, path }
    }

    fn failed(&self, Fault(fault, left): Fault) -> Error {
        Error::CellFile { what: self.what, path: self.path.clone(), left, fault }
    }

    /// Has init do its part.
    async fn ask(&self, session: &Session, operation: FileOperation) -> Result<(Granted, FileDone)> {
        let path = self.path.as_os_str().as_bytes();
        let fault = match path.len() {
            _ if path.contains(&0) => Some(FileFault::InvalidPath),
            0 => Some(FileFault::InvalidPath),
            1..=MAX_PATH => None,
            _ => Some(FileFault::NameTooLong),
        };
        if let Some(fault) = fault {
            return Err(self.failed(fault.into()));
        }
        let request = FileRequest { operation, path: path.to_vec() };
        let (begun, begins) = oneshot::channel();
        let mut granted = order(session, request.clone(), Some(begun))?;
        // What arrives in the workspace comes first, and takes the time that it takes.
        begins.await.map_err(|_| Error::Ended)?;
        let end = Instant::now() + PATIENCE;
        loop {
            let answered = tokio::time::timeout_at(end, granted).await;
            let answered = answered.map_err(|_| self.failed(FileFault::Silent.into()))?;
            let answered = answered.map_err(|_| Error::Ended)?;
            let failure = match answered.reply.clone() {
                FileReply::Done(done) => return Ok((answered, done)),
                FileReply::Failed(failure) => failure,
            };
            if !is_under_way(session, failure) || Instant::now() + AGAIN > end {
                return Err(self.failed(FileFault::of(failure, answered.room.limit()).into()));
            }
            tokio::time::sleep(AGAIN).await;
            granted = order(session, request.clone(), None)?;
        }
    }

    /// Does what may block.
    async fn on_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> std::result::Result<T, Fault> + Send + 'static,
    ) -> Result<T> {
        let done = tokio::task::spawn_blocking(work).await;
        let done =
            done.map_err(|error| Error::Step { what: "work on a file", source: io::Error::other(error) })?;
        done.map_err(|fault| self.failed(fault))
    }
}

fn order(
    session: &Session,
    request: FileRequest,
    begun: Option<oneshot::Sender<()>>,
) -> Result<oneshot::Receiver<Granted>> {
    let (answer, granted) = oneshot::channel();
    session.send(Message::File(Box::new(FileOrder { request, begun, answer })))?;
    Ok(granted)
}

/// Whether a file may be there whose content is still being brought: who asks for it has it brought before others.
fn is_under_way(session: &Session, failure: FileFailure) -> bool {
    session.workspace().is_some() && failure.step == FileStep::Open && failure.errno == EAGAIN
}

fn path_of(done: FileDone) -> PathBuf {
    OsString::from_vec(done.path).into()
}

/// Takes what init handed over, if it is what was asked for.
fn judge(
    descriptor: Option<OwnedFd>,
    kind: Kind,
    access: Access,
) -> std::result::Result<(OwnedFd, Found), Fault> {
    let descriptor = descriptor.ok_or(FileFault::Other)?;
    let found = inside::look(&descriptor).map_err(FileFault::System)?;
    if found.kind == kind && found.access == access && holds_files(found.file_system) {
        Ok((descriptor, found))
    } else {
        Err(FileFault::Other.into())
    }
}

fn write(
    file: &File,
    found: &Found,
    path: &Path,
    room: &Room,
    mut content: impl Read,
) -> std::result::Result<u64, Fault> {
    let (memory, limit) = (in_memory(found, path), room.limit());
    let full = |error: io::Error| match (error.kind(), memory) {
        (io::ErrorKind::StorageFull, Some(place)) => {
            FileFault::NoSpace { full: Full::Memory(place), limit: size_of(file) }
        }
        _ => FileFault::system(error, limit),
    };
    inside::empty(file).map_err(full)?;
    let counts = memory.is_none();
    if counts {
        room.give_back(found.stored);
    }
    let mut written = 0;
    let done = loop_through(&mut content, |piece| {
        let bytes = piece.len() as u64;
        let fits = if counts { room.take(bytes) } else { written + bytes <= limit };
        if !fits {
            return Err(FileFault::NoSpace { full: Full::Cell, limit });
        }
        let result = { file }.write_all(piece);
        written += bytes;
        result.map_err(full)
    });
    let Err(fault) = done else { return Ok(written) };
    if inside::empty(file).is_ok() {
        if counts {
            room.give_back(written);
        }
        return Err(Fault(fault, Left::Empty));
    }
    Err(Fault(fault, Left::Partly(file.metadata().map_or(0, |file| file.len()))))
}

/// Passes on everything that can be read, piece by piece.
fn loop_through(
    content: &mut impl Read,
    mut each: impl FnMut(&[u8]) -> std::result::Result<(), FileFault>,
) -> std::result::Result<(), FileFault> {
    let mut buffer = vec![0; BUFFER];
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => each(&buffer[..read])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(FileFault::Content(error)),
        }
    }
}

/// The place in the cell's memory where a file lies; none, if it lies on the disk. The workspace does, whatever the host
/// keeps it on.
fn in_memory(found: &Found, path: &Path) -> Option<&'static str> {
    let durable = path.starts_with(policy::MOUNTS) || path.starts_with(policy::HOME);
    if found.file_system != TMPFS || durable {
        return None;
    }
    Some(if path.starts_with("/dev/shm") { "/dev/shm" } else { "/tmp" })
}

/// How much the file system of a file holds, bytes.
fn size_of(file: &File) -> u64 {
    inside::capacity(file).unwrap_or(0)
}

fn list(directory: OwnedFd, path: PathBuf, most: usize) -> io::Result<Listing> {
    let (mut entries, mut names, mut cut) = (Vec::new(), 0, false);
    tree::list(directory, &mut |item, says| {
        let name = item.path.as_os_str().to_owned();
        names += name.len() + says.as_ref().map_or(0, Vec::len);
        cut = entries.len() == most || names > NAMES;
        if cut {
            return ControlFlow::Break(());
        }
        let kind = match item.kind {
            Kind::File => EntryKind::File,
            Kind::Directory | Kind::Closed => EntryKind::Directory,
            Kind::Link => EntryKind::Link(OsString::from_vec(says.unwrap_or_default()).into()),
            Kind::Special => EntryKind::Special,
        };
        entries.push(DirectoryEntry { name, kind, size: item.size, modified: item.modified });
        ControlFlow::Continue(())
    })?;
    Ok(Listing { path, entries, cut })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_told_as_far_as_there_is_room() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            std::fs::write(directory.path().join(name), name).unwrap();
        }
        let listing = |most| {
            let opened = File::open(directory.path()).unwrap();
            let listing = list(opened.into(), PathBuf::new(), most).unwrap();
            (listing.entries.len(), listing.cut)
        };
        assert_eq!([listing(2), listing(3), listing(4)], [(2, true), (3, false), (3, false)]);
    }

    #[test]
    fn what_init_hands_over_is_judged() {
        let refused = |descriptor: Option<OwnedFd>, kind, access| {
            assert!(matches!(judge(descriptor, kind, access), Err(Fault(FileFault::Other, Left::Untouched))));
        };
        let opened = |path: &str| Some(OwnedFd::from(File::open(path).unwrap()));
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        assert!(judge(opened(path), Kind::File, Access::Read).is_ok());
        refused(None, Kind::File, Access::Read);
        refused(opened(path), Kind::File, Access::Write);
        refused(opened(path), Kind::Directory, Access::Read);
        refused(opened("/dev/null"), Kind::File, Access::Read);
        refused(opened("/proc/self/environ"), Kind::File, Access::Read);
        refused(opened("/proc"), Kind::Directory, Access::Read);
        refused(Some(std::io::pipe().unwrap().0.into()), Kind::File, Access::Read);
        refused(Some(file.as_file().try_clone().unwrap().into()), Kind::File, Access::Read);
    }
}
