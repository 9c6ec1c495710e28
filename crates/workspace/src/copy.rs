//! A working copy: the directory that a cell works on, and the workspace behind it.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::error::Result;
use crate::path::WorkspacePath;
use crate::store::{Stored, Version, Workspace};
use crate::{CODE_INTERPRETER, UPLOADS};

/// How a cell sees its workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// What is in `uploads/` and in `code-interpreter/` lies together in the directory, where both have a file the
    /// latter's; what is saved goes to `code-interpreter/`. Nothing is ever removed from the store.
    Flat,
    /// Everything lies at its own path, and the store follows the directory, also in what is removed.
    Whole,
}

/// What was brought into a working copy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brought {
    /// How many files.
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

/// Something that was not saved, and why: a sentence that can follow its name and a colon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Where it lies in the working copy.
    pub local: PathBuf,
    /// Why not.
    pub why: String,
}

/// What was saved, and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Saved {
    /// Files that are durable now.
    pub files: Vec<SavedFile>,
    /// What was left out.
    pub left_out: Vec<LeftOut>,
}

/// What is remembered of a file that was brought or saved: if it looks the same, its content is that version's.
#[derive(Debug, Clone)]
struct Known {
    version: Version,
    look: (u64, u64, i64, i64),
}

/// A directory that a cell works on, and the workspace behind it.
#[derive(Debug)]
pub struct WorkingCopy {
    workspace: Workspace,
    view: View,
    directory: PathBuf,
    owner: u32,
    known: Mutex<HashMap<PathBuf, Known>>,
}

impl WorkingCopy {
    /// A working copy in this directory, whose files belong to this user and group.
    pub fn new(workspace: Workspace, view: View, directory: PathBuf, owner: u32) -> WorkingCopy {
        WorkingCopy { workspace, view, directory, owner, known: Mutex::default() }
    }

    /// The workspace behind it.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Brings what is in the store and not here yet: everything at first, later what has arrived. What the session
    /// made, changed or removed stays as it is.
    pub async fn refresh(&self) -> Result<Brought> {
        let mut brought = Brought::default();
        for (local, stored) in self.wanted().await? {
            let known = self.known().get(&local).cloned();
            if known.as_ref().is_some_and(|known| known.version == stored.version) {
                continue;
            }
            let look = self.look(&local);
            let own = match (&known, look) {
                (Some(known), Some(look)) => known.look != look,
                (Some(_) | None, None) => false,
                (None, Some(_)) => true,
            };
            if own {
                brought.kept.push(stored.path.clone());
                self.known().insert(local, Known { version: stored.version, look: (0, 0, 0, 0) });
                continue;
            }
            self.bring(&local, &stored).await?;
            brought.files += 1;
            brought.bytes += stored.size;
        }
        Ok(brought)
    }

    /// Saves these files (directories: all that is in them), whether they changed or not; paths are seen from the
    /// working copy. When this returns they are durable.
    pub async fn push(&self, paths: &[PathBuf]) -> Result<Saved> {
        self.save_where(|local| paths.iter().any(|path| local.starts_with(path))).await
    }

    /// Saves every file that changed. When this returns they are durable.
    pub async fn save(&self) -> Result<Saved> {
        self.save_where(|_| true).await
    }

    async fn save_where(&self, wanted: impl Fn(&Path) -> bool) -> Result<Saved> {
        let mut found = Vec::new();
        sys::tree::walk(&self.directory, &mut |item| {
            if wanted(item.path) {
                found.push((item.path.to_owned(), item.kind));
            }
            std::ops::ControlFlow::Continue(())
        })
        .map_err(|source| self.failed("list", Path::new("."), source))?;
        let mut saved = Saved::default();
        for (local, kind) in found {
            let left_out = |why: &str| LeftOut { local: local.clone(), why: why.to_owned() };
            match kind {
                sys::tree::Kind::File => {}
                sys::tree::Kind::Directory => continue,
                sys::tree::Kind::Closed => {
                    saved.left_out.push(left_out("it is a directory that cannot be read"));
                    continue;
                }
                sys::tree::Kind::Link => {
                    saved.left_out.push(left_out("it is a link"));
                    continue;
                }
                sys::tree::Kind::Special => {
                    saved.left_out.push(left_out("it is not a file"));
                    continue;
                }
            }
            let path = match WorkspacePath::below(self.namespace(), &local) {
                Ok(path) => path,
                Err(refused) => {
                    saved.left_out.push(left_out(refused.why()));
                    continue;
                }
            };
            let look = self.look(&local);
            let known = self.known().get(&local).cloned();
            if let (Some(known), Some(look)) = (&known, look)
                && known.look == look
                && let Ok(stored) = self.workspace.look(&path).await
                && stored.version == known.version
            {
                saved.files.push(SavedFile { local, stored, written: false });
                continue;
            }
            let file = sys::file::directory(&self.directory)
                .and_then(|directory| sys::file::open_below(directory.as_fd(), &local))
                .map_err(|source| self.failed("open", &local, source))?;
            let stored = self.workspace.write_from(&path, file).await?;
            if let Some(look) = look {
                self.known().insert(local.clone(), Known { version: stored.version.clone(), look });
            }
            saved.files.push(SavedFile { local, stored, written: true });
        }
        Ok(saved)
    }

    /// What should be here, by where it lies here.
    async fn wanted(&self) -> Result<Vec<(PathBuf, Stored)>> {
        if self.view == View::Whole {
            let all = self.workspace.list("").await?;
            return Ok(all.into_iter().map(|stored| (stored.path.as_str().into(), stored)).collect());
        }
        let mut wanted = HashMap::new();
        for namespace in [UPLOADS, CODE_INTERPRETER] {
            for stored in self.workspace.list(namespace).await? {
                if let Some(local) = stored.path.within(namespace) {
                    wanted.insert(PathBuf::from(local), stored);
                }
            }
        }
        Ok(wanted.into_iter().collect())
    }

    fn namespace(&self) -> &'static str {
        match self.view {
            View::Flat => CODE_INTERPRETER,
            View::Whole => "",
        }
    }

    async fn bring(&self, local: &Path, stored: &Stored) -> Result<()> {
        let content = self.workspace.read(&stored.path).await?.bytes().await?;
        let failed = |source| self.failed("bring", local, source);
        let parent = local.parent().unwrap_or(Path::new("."));
        let root = sys::file::directory(&self.directory).map_err(failed)?;
        let directory =
            sys::tree::make_directories(&root, parent, &mut |made| self.give(made)).map_err(failed)?;
        let name = Path::new(local.file_name().unwrap_or_default());
        // What is there is one that was brought earlier, and has not been touched since.
        let _ = std::fs::remove_file(self.directory.join(local));
        let mut file = sys::file::create_below(directory.as_fd(), name, 0o644).map_err(failed)?;
        self.give(&file).map_err(failed)?;
        io::Write::write_all(&mut file, &content).map_err(failed)?;
        let look = look(&file).map_err(failed)?;
        self.known().insert(local.to_owned(), Known { version: stored.version.clone(), look });
        Ok(())
    }

    fn give(&self, file: impl AsFd) -> io::Result<()> {
        if sys::file::own_ids().0 == self.owner {
            return Ok(());
        }
        sys::file::give(file.as_fd(), self.owner, self.owner)
    }

    fn look(&self, local: &Path) -> Option<(u64, u64, i64, i64)> {
        let directory = sys::file::directory(&self.directory).ok()?;
        look(&sys::file::open_below(directory.as_fd(), local).ok()?).ok()
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, Known>> {
        self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn failed(&self, what: &'static str, local: &Path, source: io::Error) -> crate::Error {
        crate::Error::Disk { what, path: self.directory.join(local), source }
    }
}

/// What code cannot change a file without changing.
fn look(file: &File) -> io::Result<(u64, u64, i64, i64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata()?;
    Ok((metadata.ino(), metadata.len(), metadata.ctime(), metadata.ctime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Store, WorkspaceName};

    #[tokio::test]
    async fn files_come_go_and_stay() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::local(&dir.path().join("store")).unwrap();
        let workspace = store.workspace("local", &WorkspaceName::usual());
        let path = |text| WorkspacePath::parse(text).unwrap();
        workspace.write(&path("uploads/a.csv"), "1,2").await.unwrap();
        let here = dir.path().join("here");
        std::fs::create_dir(&here).unwrap();
        let copy = WorkingCopy::new(workspace.clone(), View::Flat, here.clone(), sys::file::own_ids().0);
        assert_eq!(copy.refresh().await.unwrap(), Brought { files: 1, bytes: 3, kept: Vec::new() });
        assert_eq!(std::fs::read(here.join("a.csv")).unwrap(), b"1,2");
        std::fs::write(here.join("b.txt"), "made").unwrap();
        let saved = copy.save().await.unwrap();
        assert!(saved.left_out.is_empty());
        let made = workspace.read(&path("code-interpreter/b.txt")).await.unwrap();
        assert_eq!(made.bytes().await.unwrap().as_ref(), b"made");
    }
}
