//! A working copy: the directory that a cell works on, and the workspace behind it.
//!
//! **What a file is.** Of each file that was brought or saved a version and a look are remembered ([`known`]). A file
//! that looks the same has that version's content, and nothing is opened or read to know it. One that looks otherwise, or
//! that nobody remembers, is the session's own: it is saved, and what arrives for its place does not replace it.
//!
//! ```text
//!               brought, large          filled               changed, removed
//!    (absent) ----------------> Coming --------> Same ------------------------> the session's own
//!        \                                       ^  ^                               |
//!         \------ brought, small or no lease ----/   \----------- saved ------------/
//! ```
//!
//! **Lazy content.** A large file is there at once with its size, and empty: this process holds a lease, so that whoever
//! opens it waits until it was filled, behind everybody's back and what is waited for first ([`fill`]). So a workspace opens
//! in the time that it takes to make its files. Where leases cannot be had, and for files that are too large for what
//! the kernel lets somebody wait, `refresh` waits instead.
//!
//! Rejected: FUSE (a daemon that dies takes every cell's files with it, and each read pays); overlayfs over the store's
//! directory (undefined when what is below changes, and a store need not be a directory); bringing everything first (a
//! first call that waits for files which it does not read); fanotify (needs privilege); seccomp notification (a price on
//! every open of every program).
//!
//! Empty directories are not kept: a store has files.

mod bring;
mod content;
mod fill;
mod journal;
mod known;
mod lease;
mod place;
mod save;
mod steady;
mod strip;

pub use strip::strip;

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sys::tree::Kind;
use tokio::sync::{Mutex, watch};

use crate::error::Result;
use crate::path::WorkspacePath;
use crate::store::{Stored, Workspace};
use bring::Listing;
use fill::Filler;
use known::{Known, State};

/// How a cell sees its workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// What is in `uploads/` and in `code-interpreter/` lies together in the directory, where both have a file the
    /// latter's; what is saved goes to `code-interpreter/`. Nothing is ever removed from the store.
    Flat,
    /// Everything lies at its own path, and the store follows the directory, also in what is removed: if the store still
    /// has the version that was brought or saved.
    Whole,
}

/// What was brought into a working copy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brought {
    /// How many files; of some the content may be on its way.
    pub files: usize,
    /// How much they hold, bytes.
    pub bytes: u64,
    /// Files that arrived, and whose place has one that the session made or changed: that one stays.
    pub kept: Vec<WorkspacePath>,
}

/// A file that is durable now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedFile {
    /// Where it lies in the working copy.
    pub local: PathBuf,
    /// What it is in the workspace.
    pub stored: Stored,
    /// Whether it was written now; else it had been before, and has not changed since.
    pub written: bool,
}

/// Something that was not saved or brought, and why: a sentence that can follow its name and a colon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Where it lies in the working copy.
    pub local: PathBuf,
    /// Why not.
    pub why: String,
    /// Whether something went wrong: a full disk, a store that failed, a file that did not hold still. Else it is nothing
    /// that can be saved, as a link.
    pub failed: bool,
}

impl LeftOut {
    fn new(local: &Path, why: impl Into<String>) -> LeftOut {
        LeftOut { local: local.to_owned(), why: why.into(), failed: false }
    }

    fn failed(local: &Path, why: impl Into<String>) -> LeftOut {
        LeftOut { failed: true, ..Self::new(local, why) }
    }
}

/// What was saved, and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Saved {
    /// Files that are durable now. After a [`WorkingCopy::save`] those that were written.
    pub files: Vec<SavedFile>,
    /// Files that were removed from the workspace, because the session removed them.
    pub removed: Vec<WorkspacePath>,
    /// What was left out: the first thousand, and how many more there are.
    pub left_out: Vec<LeftOut>,
}

/// What is wanted in a working copy, and is not there yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Left {
    /// How many files.
    pub files: usize,
    /// How much they hold, bytes.
    pub bytes: u64,
}

/// A directory that a cell works on, and the workspace behind it.
///
/// Its operations are done one at a time. [`WorkingCopy::close`] comes before the directory is removed; one that is
/// dropped is closed behind.
#[derive(Debug)]
pub struct WorkingCopy {
    base: Arc<Base>,
    filler: Filler,
    listing: Mutex<Listing>,
}

/// What a working copy and those who fill it share.
#[derive(Debug)]
struct Base {
    workspace: Workspace,
    view: View,
    directory: PathBuf,
    owner: u32,
    known: std::sync::Mutex<Known>,
    left: watch::Sender<Left>,
    on_way: lease::OnWay,
    faults: std::sync::Mutex<Vec<LeftOut>>,
    /// How much of what is saved at a time may be holes, bytes.
    holes: AtomicU64,
}

impl WorkingCopy {
    /// A working copy in this directory, whose files belong to this user and group.
    pub fn new(workspace: Workspace, view: View, directory: PathBuf, owner: u32) -> WorkingCopy {
        let base = Arc::new(Base {
            workspace,
            view,
            directory,
            owner,
            known: std::sync::Mutex::default(),
            left: watch::Sender::default(),
            on_way: lease::OnWay::default(),
            faults: std::sync::Mutex::default(),
            holes: AtomicU64::new(u64::MAX),
        });
        WorkingCopy { filler: Filler::new(base.clone()), base, listing: Mutex::default() }
    }

    /// Remembers in a file, outside of the directory, what was brought and saved; and goes on with what one that died had
    /// remembered there. What was on its way then is removed, and comes again with the next [`WorkingCopy::refresh`]:
    /// whoever opened it meanwhile read nothing but zeros.
    pub fn resume(&self, journal: &Path) -> Result<()> {
        let failed = |source| crate::Error::Disk { what: "read", path: journal.to_owned(), source };
        let coming = self.base.known().resume(journal).map_err(failed)?;
        place::remove_all(&self.base.directory, &coming).map_err(|source| self.base.listing(source))?;
        for (local, _) in &coming {
            self.base.known().remove(local);
        }
        Ok(())
    }

    /// Bounds how much of what is saved at a time may be holes, bytes; at first nothing does. A file with holes takes up
    /// less here than in a store, so that a limit of the disk alone would not keep code from filling the store.
    pub fn allow_holes(&self, bytes: u64) {
        self.base.holes.store(bytes, Ordering::Relaxed);
    }

    /// The workspace behind it.
    pub fn workspace(&self) -> &Workspace {
        &self.base.workspace
    }

    /// Brings what is in the store and not here yet: everything at first, later what has arrived. What the session
    /// made, changed or removed stays as it is; a file that was removed comes again when a new version of it arrives.
    ///
    /// When this returns every file is there, and the content of large ones may be on its way: whoever opens one waits for
    /// it. What could not be brought is in [`WorkingCopy::faults`]. A workspace that takes long to list is not listed each
    /// time, except after this process wrote to it.
    pub async fn refresh(&self) -> Result<Brought> {
        let mut listing = self.listing.lock().await;
        bring::refresh(&self.base, &self.filler, &mut listing).await
    }

    /// Saves these files (directories: all that is in them); paths are seen from the working copy. When this returns they
    /// are durable, and all of them are named in what it gives. What is not there is left out, and said.
    pub async fn push(&self, paths: &[PathBuf]) -> Result<Saved> {
        let mut listing = self.listing.lock().await;
        save::save(&self.base, &self.filler, &mut listing, Some(paths)).await
    }

    /// Saves every file that changed. When this returns they are durable.
    pub async fn save(&self) -> Result<Saved> {
        let mut listing = self.listing.lock().await;
        save::save(&self.base, &self.filler, &mut listing, None).await
    }

    /// What is wanted here and not here yet, as it becomes less.
    pub fn left(&self) -> watch::Receiver<Left> {
        self.base.left.subscribe()
    }

    /// Waits until all content is there, or it is known that it will not be.
    pub async fn settled(&self) {
        // The sender lives as long as this.
        let _ = self.left().wait_for(|left| left.files == 0).await;
    }

    /// Waits until the file at this place is not on its way any more. For whoever opened it without waiting, which fails
    /// while it is ([`std::io::ErrorKind::WouldBlock`]), and is what brings it first.
    pub async fn arrived(&self, local: &Path) {
        let mut left = self.left();
        let is_coming =
            || self.base.known().get(local).is_some_and(|file| matches!(file.state, State::Coming { .. }));
        while is_coming() && left.changed().await.is_ok() {}
    }

    /// What could not be brought since this was last asked.
    pub fn faults(&self) -> Vec<LeftOut> {
        std::mem::take(&mut *lock(&self.base.faults))
    }

    /// What was brought and is still as it was: what it takes up on the disk, bytes, with what is on its way.
    pub async fn extra_disk(&self) -> Result<u64> {
        let base = self.base.clone();
        blocking(move || base.extra_disk()).await.map_err(|source| self.base.listing(source))
    }

    /// Ends the bringing. A file whose content is not there is removed before anybody can take it for empty.
    pub async fn close(&self) {
        let _one = self.listing.lock().await;
        let closing = self.filler.clone();
        let _ = tokio::task::spawn_blocking(move || closing.close()).await;
    }
}

impl Drop for WorkingCopy {
    fn drop(&mut self) {
        let closing = self.filler.clone();
        if !closing.is_idle() {
            std::thread::spawn(move || closing.close());
        }
    }
}

impl Base {
    fn root(&self) -> io::Result<OwnedFd> {
        sys::file::directory(&self.directory)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        lock(&self.known)
    }

    fn fault(&self, local: &Path, why: impl Into<String>) {
        lock(&self.faults).push(LeftOut::failed(local, why));
    }

    /// The namespace into which is saved.
    fn namespace(&self) -> &'static str {
        match self.view {
            View::Flat => crate::CODE_INTERPRETER,
            View::Whole => "",
        }
    }

    /// What a known file is in the workspace.
    fn stored_path(&self, local: &Path, uploaded: bool) -> Result<WorkspacePath> {
        let namespace = if uploaded { crate::UPLOADS } else { self.namespace() };
        Ok(WorkspacePath::below(namespace, local)?)
    }

    fn extra_disk(&self) -> io::Result<u64> {
        let mut extra = 0;
        sys::tree::walk(&self.directory, &mut |item| {
            extra +=
                self.known().get(item.path).filter(|file| file.brought).map_or(0, |file| match &file.state {
                    State::Coming { inode, .. } if *inode == item.look.inode => {
                        item.size.next_multiple_of(4096)
                    }
                    State::Same(look) if *look == item.look => item.stored,
                    _ => 0,
                });
            std::ops::ControlFlow::Continue(())
        })?;
        Ok(extra)
    }

    fn listing(&self, source: io::Error) -> crate::Error {
        crate::Error::Disk { what: "list", path: self.directory.clone(), source }
    }
}

/// What is at a place, if there is anything that this process can see.
fn look(root: &OwnedFd, local: &Path) -> io::Result<Option<(Kind, sys::appear::Look)>> {
    match sys::appear::hold_below(root, local) {
        Ok((_, kind, look)) => Ok(Some((kind, look))),
        Err(error) if crate::local::is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Why something failed, as a sentence for whoever wants to know what became of a file.
fn why(what: &str, error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = format!("{what}: {error}");
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
