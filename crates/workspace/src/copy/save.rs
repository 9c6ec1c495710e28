//! Saving what changed.

use std::io;
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use sys::appear::Look;
use sys::tree::{Item, Kind};
use tokio::sync::Semaphore;

use super::bring::Listing;
use super::fill::Filler;
use super::known::{Entry, State};
use super::steady::{Changed, Steady};
use super::{Base, LeftOut, Saved, SavedFile, View, blocking, look, why};
use crate::error::{Error, Result};
use crate::path::WorkspacePath;
use crate::points;
use crate::store::Stored;

/// How often, and how far apart, a file is asked for on which code in the cell holds a lease.
const FOREIGN: u32 = 50;
const FOREIGN_PAUSE: Duration = Duration::from_millis(20);
/// How many files are saved at a time: on one disk a sync is shared by those that wait for it.
const AT_A_TIME: usize = 16;
/// Files above this size are saved a few at a time, bytes: each takes some parts of memory.
const LARGE: u64 = 1 << 20;
/// How many of these.
const LARGE_AT_A_TIME: usize = 3;
/// How often a file is read that is changed meanwhile.
const TRIES: u32 = 5;
/// The pause before the second time; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(20);
/// How much of what is left out is told one by one.
const TOLD: usize = 1000;
/// Why a file was not saved whose place in the store is taken.
const IN_THE_WAY: &str =
    "the workspace has a directory where this is a file, or a file where this has a directory";
/// How many unchanged files are looked for in the store one by one; more than these are listed.
const LOOKS: usize = 16;

/// What a look around found.
#[derive(Debug, Default)]
struct Found {
    changed: Vec<PathBuf>,
    /// Where files lie that are as they were, and whether that is in `uploads/`; if these are asked for.
    same: Vec<(PathBuf, bool)>,
    left_out: Vec<LeftOut>,
    more: usize,
}

pub(super) async fn save(
    base: &Arc<Base>,
    filler: &Filler,
    listing: &mut Listing,
    paths: Option<&[PathBuf]>,
) -> Result<Saved> {
    points::reached("save: before anything is looked at");
    let before = base.workspace.writes();
    let found = {
        let (base, paths) = (base.clone(), paths.map(<[PathBuf]>::to_vec));
        blocking(move || look_around(&base, paths.as_deref())).await
    };
    let mut found = found.map_err(|source| base.listing(source))?;
    let mut saved = Saved::default();
    check_same(base, &mut found, &mut saved).await?;
    let follows = paths.is_none() && base.view == View::Whole;
    let room = Room {
        large: Semaphore::new(LARGE_AT_A_TIME),
        holes: AtomicU64::new(base.holes.load(Ordering::Relaxed)),
    };
    let mut files = stream::iter(std::mem::take(&mut found.changed))
        .map(|local| save_one(base, filler, &room, local))
        .buffer_unordered(AT_A_TIME);
    let mut blocked = Vec::new();
    while let Some(done) = files.next().await {
        match done {
            Ok(file) => saved.files.push(file),
            Err(left_out) if follows && left_out.why == IN_THE_WAY => blocked.push(left_out.local),
            Err(left_out) => found.leave_out(left_out),
        }
        points::reached("save: between two files");
    }
    drop(files);
    if follows {
        remove(base, &mut saved, &mut found).await;
        // A file may have taken the place of a directory that was removed, or the other way round.
        for local in blocked {
            match save_one(base, filler, &room, local).await {
                Ok(file) => saved.files.push(file),
                Err(left_out) => found.leave_out(left_out),
            }
        }
    }
    saved.left_out = std::mem::take(&mut found.left_out);
    saved.left_out.sort_by(|a, b| a.local.cmp(&b.local));
    if found.more > 0 {
        saved.left_out.push(LeftOut::new(Path::new("."), format!("{} more were left out", found.more)));
    }
    saved.files.sort_by(|a, b| a.local.cmp(&b.local));
    // What was written here need not be looked for.
    let written = saved.files.iter().filter(|file| file.written).count() + saved.removed.len();
    if listing.writes == before && base.workspace.writes() == before + written as u64 {
        listing.writes = before + written as u64;
    }
    points::reached("save: before the answer");
    Ok(saved)
}

/// What there is room for in one saving.
struct Room {
    large: Semaphore,
    /// Bytes of holes.
    holes: AtomicU64,
}

impl Room {
    fn has_holes_of(&self, bytes: u64) -> bool {
        let less = |left: u64| left.checked_sub(bytes);
        self.holes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

impl Found {
    fn leave_out(&mut self, left_out: LeftOut) {
        // What went wrong is told in any case.
        if self.left_out.len() < TOLD || left_out.failed && self.left_out.len() < 10 * TOLD {
            self.left_out.push(left_out);
        } else {
            self.more += 1;
        }
    }

    fn item(&mut self, base: &Base, local: &Path, kind: Kind, look: &Look, tell_same: bool) {
        match kind {
            Kind::Directory => {}
            // What may be in there is the session's, and so is a file that the store has no name for: it is no loss only if
            // it is kept elsewhere.
            Kind::Closed => self
                .leave_out(LeftOut::failed(local, "it is a directory that cannot be read, or lies too deep")),
            Kind::Link => self.leave_out(LeftOut::new(local, "it is a link")),
            Kind::Special => self.leave_out(LeftOut::new(local, "it is not a file")),
            Kind::File => {
                if let Err(refused) = WorkspacePath::below(base.namespace(), local) {
                    return self.leave_out(LeftOut::failed(local, refused.why()));
                }
                let mut known = base.known();
                match known.see(local).filter(|file| file.is_same(look)) {
                    None => self.changed.push(local.to_owned()),
                    Some(file) if tell_same => self.same.push((local.to_owned(), file.uploaded)),
                    Some(_) => {}
                }
            }
        }
    }
}

/// Finds what changed, without opening a file: everything, or what these paths name.
fn look_around(base: &Base, paths: Option<&[PathBuf]>) -> io::Result<Found> {
    let mut found = Found::default();
    let Some(paths) = paths else {
        base.known().begin_walk();
        sys::tree::walk(&base.directory, &mut |item: &Item| {
            found.item(base, item.path, item.kind, &item.look, false);
            ControlFlow::Continue(())
        })?;
        return Ok(found);
    };
    let root = base.root()?;
    for path in paths {
        // As the walk calls what is below it.
        let path: PathBuf = path.components().filter(|part| *part != std::path::Component::CurDir).collect();
        let at = if path.as_os_str().is_empty() { Path::new(".") } else { &path };
        match sys::appear::hold_below(&root, at) {
            Ok((directory, Kind::Directory, _)) => {
                let walked = sys::tree::walk_below(directory, &mut |item: &Item| {
                    found.item(base, &path.join(item.path), item.kind, &item.look, true);
                    ControlFlow::Continue(())
                });
                if walked.is_err() {
                    found.leave_out(LeftOut::new(&path, "it is a directory that cannot be read"));
                }
            }
            Ok((_, kind, look)) => found.item(base, &path, kind, &look, true),
            Err(error) => found.leave_out(LeftOut::new(&path, unreachable(&error))),
        }
    }
    found.changed.sort_unstable();
    found.changed.dedup();
    found.same.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    found.same.dedup_by(|a, b| a.0 == b.0);
    Ok(found)
}

/// Why there is nothing to be had at a path.
fn unreachable(error: &io::Error) -> String {
    const OUTSIDE: i32 = 18;
    const LOOP: i32 = 40;
    match error.raw_os_error() {
        _ if crate::local::is_absent(error) => "there is no such file".to_owned(),
        Some(LOOP) => "there is a link on the way to it".to_owned(),
        Some(OUTSIDE) => "it lies outside of the workspace".to_owned(),
        _ => why("it cannot be looked at", error),
    }
}

/// Looks whether the store still has what has not changed since it did; what is gone is saved again.
async fn check_same(base: &Base, found: &mut Found, saved: &mut Saved) -> Result<()> {
    let same = std::mem::take(&mut found.same);
    let mut listed = std::collections::HashMap::new();
    if same.len() > LOOKS {
        let all = base.workspace.list("").await?;
        listed.extend(all.into_iter().map(|stored| (stored.path.clone(), stored)));
    }
    let few = same.len() <= LOOKS;
    for (local, uploaded) in same {
        let Ok(path) = base.stored_path(&local, uploaded) else { continue };
        let stored: Option<Stored> = if few {
            match base.workspace.look(&path).await {
                Ok(stored) => Some(stored),
                Err(Error::NotFound(_)) => None,
                Err(error) => {
                    found.leave_out(LeftOut::failed(&local, why("the store did not find it", &error)));
                    continue;
                }
            }
        } else {
            listed.remove(&path)
        };
        if let Some(stored) = stored {
            // Also where somebody wrote a later version: an older one must not replace it.
            saved.files.push(SavedFile { local, stored, written: false });
        } else {
            base.known().remove(&local);
            found.changed.push(local);
        }
    }
    Ok(())
}

async fn save_one(
    base: &Arc<Base>,
    filler: &Filler,
    room: &Room,
    local: PathBuf,
) -> Result<SavedFile, LeftOut> {
    let path = WorkspacePath::below(base.namespace(), &local)
        .map_err(|refused| LeftOut::new(&local, refused.why()))?;
    for tries in 0..TRIES {
        if tries > 0 {
            tokio::time::sleep(PAUSE * 2u32.pow(tries - 1)).await;
        }
        points::reached("save: before a file is opened");
        let opened = {
            let (base, filler, local) = (base.clone(), filler.clone(), local.clone());
            blocking(move || open(&base, &filler, &local).and_then(Steady::new)).await
        };
        let content = opened.map_err(|error| not_opened(&local, &error))?;
        points::reached("save: a file was opened");
        let look = content.look();
        let known = base.known().get(&local).filter(|known| known.state == State::Same(look)).cloned();
        if let Some(known) = known
            && let Ok(path) = base.stored_path(&local, known.uploaded)
            && let Ok(stored) = base.workspace.look(&path).await
        {
            // It was on its way when it was looked at first.
            return Ok(SavedFile { local, stored, written: false });
        }
        if !room.has_holes_of(content.holes()) {
            return Err(LeftOut::new(
                &local,
                "with its holes, or its other names, it would take up more than this session may",
            ));
        }
        let _one_of_few = if look.size > LARGE { room.large.acquire().await.ok() } else { None };
        match base.workspace.write_from(&path, content).await {
            Ok(stored) => {
                let file = Entry::new(stored.version.clone(), false, false, State::Same(look));
                base.known().insert(&local, file);
                return Ok(SavedFile { local, stored, written: true });
            }
            Err(error) if Changed::is_in(&error) => {}
            Err(error) => return Err(not_written(&local, &error)),
        }
    }
    Err(LeftOut::failed(
        &local,
        "it is being written to all the time: it was not the same for as long as reading it takes",
    ))
}

/// Opens a file; one whose content is on its way when that is there.
///
/// It may also be one that has just come, and one on which code in the cell holds a lease of its own: that is asked for a
/// while, and then left out.
fn open(base: &Base, filler: &Filler, local: &Path) -> io::Result<std::fs::File> {
    let root = base.root()?;
    let mut foreign = 0;
    loop {
        match sys::file::open_below(root.as_fd(), local) {
            // This has told whoever holds the lease that somebody waits.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && foreign < FOREIGN => {
                if filler.is_idle() {
                    foreign += 1;
                    std::thread::sleep(FOREIGN_PAUSE);
                } else {
                    filler.wait(Duration::from_millis(100));
                }
            }
            opened => return opened,
        }
    }
}

fn not_opened(local: &Path, error: &io::Error) -> LeftOut {
    match error.kind() {
        _ if crate::local::is_absent(error) => LeftOut::new(local, "it was removed meanwhile"),
        io::ErrorKind::InvalidInput => LeftOut::new(local, "it is not a file any more"),
        _ => LeftOut::failed(local, why("it cannot be read", error)),
    }
}

fn not_written(local: &Path, error: &Error) -> LeftOut {
    match error {
        Error::InTheWay(_) => LeftOut::failed(local, IN_THE_WAY),
        error if error.is_full() => LeftOut::failed(local, "the disk that workspaces are kept on is full"),
        error => LeftOut::failed(local, why("the store did not take it", error)),
    }
}

/// Removes from the store what the session removed.
async fn remove(base: &Arc<Base>, saved: &mut Saved, found: &mut Found) {
    let gone = {
        let base = base.clone();
        blocking(move || {
            let root = base.root()?;
            let mut gone = base.known().unseen();
            // What lies behind something that cannot be read was not seen either.
            gone.retain(|(local, _)| matches!(look(&root, local), Ok(None | Some((Kind::Directory, _)))));
            Ok(gone)
        })
    };
    for (local, file) in gone.await.unwrap_or_default() {
        let Ok(path) = base.stored_path(&local, false) else { continue };
        points::reached("save: before removing");
        let removed = match base.workspace.look(&path).await {
            Ok(stored) if stored.version == file.version => base.workspace.remove(&path).await.map(|()| true),
            Ok(_) | Err(Error::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        };
        points::reached("save: after removing");
        match removed {
            Ok(removed) => {
                base.known().remove(&local);
                saved.removed.extend(removed.then_some(path));
            }
            Err(error) => {
                found.leave_out(LeftOut::failed(&local, why("the store did not remove it", &error)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_said_in_its_own_words() {
        for (kind, said) in [(io::ErrorKind::StorageFull, true), (io::ErrorKind::PermissionDenied, false)] {
            let source =
                object_store::Error::Generic { store: "local", source: io::Error::from(kind).into() };
            let error = Error::Object { what: "write", path: "a".into(), source };
            let left_out = not_written(Path::new("a"), &error);
            assert!(left_out.failed);
            assert_eq!(
                left_out.why == "the disk that workspaces are kept on is full",
                said,
                "{}",
                left_out.why
            );
        }
    }
}
