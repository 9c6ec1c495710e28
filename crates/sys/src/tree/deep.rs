//! Walks that go as deep as somebody may have gone to hide, with few descriptors.

use std::ffi::CString;
use std::io;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, statat};

#[cfg(doc)]
use super::walk;
use super::{Item, Kind, as_path, item, open_directory};

/// How deep a walk without paths goes. No program makes such a depth for its own good.
const ALL_DEPTH: usize = 16_384;
/// How many directories a walk without paths holds open, beside its root.
pub(super) const ALL_OPEN: usize = 256;

/// A directory on the way of a walk without paths.
struct Level {
    /// What it is called in the one above it.
    name: CString,
    /// Closed while the walk is far below it.
    directory: Option<OwnedFd>,
    /// The directories in it that were not walked yet.
    waiting: Vec<CString>,
}

/// As [`walk`], but as deep as somebody may have gone to hide: an item's path is its name alone, a directory's content
/// is shown before that of the directories in it, and few descriptors are open however deep it is. What lies below 16 384
/// levels is [`Kind::Closed`].
///
/// A tree that is changed meanwhile may be shown in part.
pub fn walk_all(root: &Path, visit: &mut dyn FnMut(&Item) -> ControlFlow<()>) -> io::Result<()> {
    let directory =
        rustix::fs::open(root, OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let device = rustix::fs::fstat(&directory)?.st_dev;
    let mut waiting = Vec::new();
    let mut flow = show(&directory, device, true, &mut waiting, visit)?;
    let mut levels = vec![Level { name: CString::default(), directory: Some(directory), waiting }];
    while flow.is_continue()
        && let Some(level) = levels.last_mut()
    {
        let Some(name) = level.waiting.pop() else {
            levels.pop();
            continue;
        };
        let child = reopen(&mut levels).and_then(|parent| open_directory(parent, as_path(&name)));
        let Ok(child) = child else { continue };
        let mut waiting = Vec::new();
        // What can be opened and not read holds nothing that could be shown.
        flow = show(&child, device, levels.len() < ALL_DEPTH, &mut waiting, visit)
            .unwrap_or(ControlFlow::Continue(()));
        levels.push(Level { name, directory: Some(child), waiting });
        if let Some(above) = levels.len().checked_sub(ALL_OPEN + 1).filter(|&above| above > 0) {
            levels[above].directory = None;
        }
    }
    Ok(())
}

/// The last of these levels, open. Those above it that were closed are opened on the way from the next open one, and the
/// nearest of them stay so: whoever climbs up a deep chain does not start from its root at each step.
fn reopen(levels: &mut [Level]) -> io::Result<&OwnedFd> {
    let last = levels.len() - 1;
    let open = levels.iter().rposition(|level| level.directory.is_some()).ok_or(io::ErrorKind::NotFound)?;
    for at in open + 1..=last {
        let above = levels[at - 1].directory.as_ref().ok_or(io::ErrorKind::NotFound)?;
        levels[at].directory = Some(open_directory(above, as_path(&levels[at].name))?);
        if at - 1 > 0 && at - 1 + ALL_OPEN < last {
            levels[at - 1].directory = None;
        }
    }
    levels[last].directory.as_ref().ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// Shows what is in a directory itself; the directories in it are added to `waiting`.
fn show(
    directory: &OwnedFd,
    device: u64,
    deeper: bool,
    waiting: &mut Vec<CString>,
    visit: &mut dyn FnMut(&Item) -> ControlFlow<()>,
) -> io::Result<ControlFlow<()>> {
    for entry in Dir::read_from(directory)? {
        let Ok(entry) = entry else { break };
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let Ok(stat) = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Symlink => Kind::Link,
            FileType::Directory if deeper && stat.st_dev == device => Kind::Directory,
            FileType::Directory => Kind::Closed,
            _ => Kind::Special,
        };
        let flow = visit(&item(as_path(name), kind, &stat));
        if flow.is_break() {
            return Ok(flow);
        }
        if kind == Kind::Directory {
            waiting.push(name.to_owned());
        }
    }
    Ok(ControlFlow::Continue(()))
}
