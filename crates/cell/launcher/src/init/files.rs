//! Files of the cell for the daemon: found, judged and opened here, read and written there.
//!
//! What a path leads to is chosen by hostile code, which may also change it at any moment. So a path is only ever
//! resolved to a *handle*, which opens nothing; what the handle means is judged, a regular file or a directory on a file
//! system that holds files; and then that, and not the path, is opened. A fifo, a device, a terminal or a file of the
//! kernel's own (`/proc/self/mem` would be init's memory) is refused before anything of it could wait or happen.
//!
//! **Invariants.** Everything is done as the cell's user, so that what may be reached, and whom a new file belongs to,
//! is what it would be for the user's own programs. Links are followed as they would follow them: init's root is the
//! root that the template made, which has nothing above it, and the kernel's own links, the only ones that could lead
//! past it, are not followed. Nothing is cut, read, written or freed here, so that no size of a file or a directory
//! makes init wait; how much is looked up is bounded.
//!
//! Rejected: opening with `O_NONBLOCK` and judging what came of it, since opening alone may do something (a device, a
//! fifo's other end); a helper process as the user, since a process costs a hundred times what changing two ids does;
//! removing directories with all that they hold, since that takes as long as somebody wants it to.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use protocol::{FileDone, FileFailure, FileOperation, FileReply, FileRequest, FileStep};
use sys::inside::{self, Access, Found, Last};
use sys::spawn::Identity;
use sys::tree::Kind;

/// How often a file is looked for that others make, remove or link meanwhile; as many links in a row the kernel follows.
const ROUNDS: usize = 40;
/// How often a directory is made that others remove meanwhile.
const TRIES: usize = 4;
/// How long directories may be made. Long chains of links can make each lookup take milliseconds.
const PATIENCE: Duration = Duration::from_millis(200);

const EINVAL: i32 = 22;
const EISDIR: i32 = 21;
const ENOTDIR: i32 = 20;
const ENOENT: i32 = 2;
const EEXIST: i32 = 17;
const EBUSY: i32 = 16;
const ENXIO: i32 = 6;
const EPERM: i32 = 1;
const ELOOP: i32 = 40;
const ETIMEDOUT: i32 = 110;

/// Where relative paths start.
#[derive(Debug, Clone, Copy)]
pub(super) enum Start {
    Workspace,
    /// In the directory that a kernel works in, whose process this is, if it is known.
    Kernel(Option<u32>),
}

type Result<T> = std::result::Result<T, FileFailure>;

/// What was done.
struct Opened {
    descriptor: OwnedFd,
    path: Vec<u8>,
    created: bool,
}

/// Does what is asked, and answers.
pub(super) fn serve(
    request: FileRequest,
    start: Start,
    user: Option<Identity>,
) -> (FileReply, Option<OwnedFd>) {
    let done = inside::as_user(user, || act(request, start)).at(FileStep::User);
    match done.and_then(|done| done) {
        Ok((done, descriptor)) => (FileReply::Done(done), Some(descriptor)),
        Err(failure) => (FileReply::Failed(failure), None),
    }
}

/// The directory that a process works in, unless it is gone, hidden, or a directory without a name.
pub(super) fn directory_of(leader: u32, user: Option<Identity>) -> Option<OwnedFd> {
    let open = || inside::working_directory(leader);
    let directory = inside::as_user(user, open).and_then(|opened| opened).ok()?;
    inside::look(&directory).is_ok_and(|found| found.names > 0).then_some(directory)
}

fn act(request: FileRequest, start: Start) -> Result<(FileDone, OwnedFd)> {
    let FileRequest { operation, path } = request;
    let (from, from_workspace) = start_of(&path, start)?;
    let from = from.as_fd();
    let opened = match operation {
        FileOperation::Read => existing(from, path, Kind::File, Access::Read)?,
        FileOperation::List => existing(from, path, Kind::Directory, Access::Read)?,
        FileOperation::Write => write(from, path)?,
        FileOperation::Remove => remove(from, &path)?,
    };
    let Opened { descriptor, path, created } = opened;
    Ok((FileDone { path, created, from_workspace }, descriptor))
}

/// Where this path starts, and whether that is the workspace for want of what was asked for.
fn start_of(path: &[u8], start: Start) -> Result<(OwnedFd, bool)> {
    if path.starts_with(b"/") {
        return Ok((inside::directory(c"/").at(FileStep::Start)?, false));
    }
    let kernels = match start {
        Start::Kernel(leader) => leader.and_then(|leader| directory_of(leader, None)),
        Start::Workspace => None,
    };
    if let Some(directory) = kernels {
        return Ok((directory, false));
    }
    let workspace = inside::directory(&text(policy::WORKSPACE)?).at(FileStep::Start)?;
    Ok((workspace, matches!(start, Start::Kernel(_))))
}

fn existing(from: BorrowedFd, path: Vec<u8>, kind: Kind, access: Access) -> Result<Opened> {
    let handle = inside::locate(from, &text(path)?, Last::Any).at(FileStep::Find)?;
    open(&handle, kind, access)
}

/// Opens what is found to be what it should be.
fn open(handle: &OwnedFd, kind: Kind, access: Access) -> Result<Opened> {
    let found = judge(handle)?;
    if found.kind != kind {
        let errno = match (found.kind, kind) {
            (Kind::Directory, _) => EISDIR,
            (_, Kind::Directory) => ENOTDIR,
            _ => ENXIO,
        };
        return Err(FileFailure { step: FileStep::Kind, errno });
    }
    let descriptor = inside::open(handle, access).at(FileStep::Open)?;
    let path = inside::path(&descriptor).unwrap_or_default();
    Ok(Opened { descriptor, path, created: false })
}

/// Looks at what a handle means. It lies where files are.
fn judge(handle: &OwnedFd) -> Result<Found> {
    let found = inside::look(handle).at(FileStep::Find)?;
    if policy::files::holds_files(found.file_system) {
        Ok(found)
    } else {
        Err(FileFailure { step: FileStep::FileSystem, errno: EPERM })
    }
}

/// Opens a file for writing, or makes it. As if programs opened it: a link to what is not there leads to what is made.
fn write(from: BorrowedFd, path: Vec<u8>) -> Result<Opened> {
    let end = Instant::now() + PATIENCE;
    let (mut held, mut path): (Option<OwnedFd>, _) = (None, path);
    for _ in 0..ROUNDS {
        let from = held.as_ref().map_or(from, AsFd::as_fd);
        match inside::locate(from, &text(path.clone())?, Last::Any) {
            Ok(handle) => return open(&handle, Kind::File, Access::Write),
            Err(error) if error.raw_os_error() == Some(ENOENT) => {}
            Err(error) => return Err(error).at(FileStep::Find),
        }
        let (above, name) = split(&path);
        let name = match name {
            b"" => return Err(FileFailure { step: FileStep::Kind, errno: EISDIR }),
            b"." | b".." => return Err(FileFailure { step: FileStep::Find, errno: ENOENT }),
            name => name.to_vec(),
        };
        let parent = make_directories(from, above, end)?;
        let c_name = text(name.clone())?;
        match inside::create(&parent, &c_name, 0o644) {
            Ok(descriptor) => {
                let path = inside::path(&descriptor).unwrap_or_default();
                return Ok(Opened { descriptor, path, created: true });
            }
            // It leads to something that is not there, or has just appeared, or was there and is gone.
            Err(error) if error.raw_os_error() == Some(EEXIST) => {
                path = inside::read_link(&parent, &c_name).unwrap_or(name);
                held = Some(parent);
            }
            Err(error) => return Err(error).at(FileStep::Create),
        }
        late(end)?;
    }
    Err(FileFailure { step: FileStep::Find, errno: ELOOP })
}

/// A path's directory part, which may be empty, and its last name, which is empty after a slash.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let at = path.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    path.split_at(at)
}

/// The directory at this path, made as far as it is missing.
fn make_directories(from: BorrowedFd, path: &[u8], end: Instant) -> Result<OwnedFd> {
    let step = FileStep::Parent;
    if path.is_empty() {
        let directory = from.try_clone_to_owned().at(step)?;
        return judge(&directory).map(|_| directory);
    }
    match inside::locate(from, &text(path)?, Last::Directory) {
        Ok(directory) => return judge(&directory).map(|_| directory),
        Err(error) if error.raw_os_error() == Some(ENOENT) => {}
        Err(error) => return Err(error).at(step),
    }
    let mut directory =
        if path[0] == b'/' { inside::directory(c"/") } else { from.try_clone_to_owned() }.at(step)?;
    for name in path.split(|&byte| byte == b'/').filter(|name| !name.is_empty()) {
        directory = enter(&directory, &text(name)?)?;
        late(end)?;
    }
    judge(&directory).map(|_| directory)
}

/// The directory with this name, made if it is missing.
fn enter(directory: &OwnedFd, name: &std::ffi::CStr) -> Result<OwnedFd> {
    let step = FileStep::Parent;
    for _ in 0..TRIES {
        match inside::locate(directory.as_fd(), name, Last::Directory) {
            Err(error) if error.raw_os_error() == Some(ENOENT) => {}
            found => return found.at(step),
        }
        judge(directory)?;
        match inside::make_directory(directory, name, 0o755) {
            // Made by somebody else, or a link that leads nowhere: the next look tells.
            Err(error) if error.raw_os_error() != Some(EEXIST) => return Err(error).at(step),
            _ => {}
        }
    }
    Err(FileFailure { step, errno: ENOENT })
}

fn late(end: Instant) -> Result<()> {
    if Instant::now() < end { Ok(()) } else { Err(FileFailure { step: FileStep::Parent, errno: ETIMEDOUT }) }
}

/// Removes what has this name, links as such. A directory goes if it is empty.
fn remove(from: BorrowedFd, path: &[u8]) -> Result<Opened> {
    let bare = &path[..path.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1)];
    let (above, name) = split(bare);
    match name {
        b"" => return Err(FileFailure { step: FileStep::Remove, errno: EBUSY }),
        b"." | b".." => return Err(FileFailure { step: FileStep::Remove, errno: EINVAL }),
        _ => {}
    }
    let parent = if above.is_empty() {
        from.try_clone_to_owned()
    } else {
        inside::locate(from, &text(above)?, Last::Directory)
    }
    .at(FileStep::Parent)?;
    judge(&parent)?;
    let name = text(name)?;
    let descriptor = inside::locate(parent.as_fd(), &name, Last::Name).at(FileStep::Find)?;
    let directory = inside::look(&descriptor).at(FileStep::Find)?.kind == Kind::Directory;
    if bare.len() < path.len() && !directory {
        return Err(FileFailure { step: FileStep::Kind, errno: ENOTDIR });
    }
    let path = inside::path(&descriptor).unwrap_or_default();
    inside::remove(&parent, &name, directory).at(FileStep::Remove)?;
    Ok(Opened { descriptor, path, created: false })
}

fn text(path: impl Into<Vec<u8>>) -> Result<CString> {
    CString::new(path).map_err(|_| FileFailure { step: FileStep::Find, errno: EINVAL })
}

/// Says at which step something failed.
trait At<T> {
    fn at(self, step: FileStep) -> Result<T>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, step: FileStep) -> Result<T> {
        self.map_err(|error| FileFailure { step, errno: error.raw_os_error().unwrap_or(EPERM) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_split_at_their_last_slash() {
        for (path, above, name) in
            [("a", "", "a"), ("a/b", "a/", "b"), ("/a", "/", "a"), ("a/", "a/", ""), ("/", "/", "")]
        {
            assert_eq!(split(path.as_bytes()), (above.as_bytes(), name.as_bytes()), "{path}");
        }
    }
}
