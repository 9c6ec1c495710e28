//! What is left of a working copy that nothing works on any more: the session's own.

use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::path::Path;

use sys::appear;
use sys::tree::{Item, Kind};

use super::known::Known;
use super::place;
use crate::error::{Error, Result};

/// Removes from a directory what is no loss: every file that is as it was brought or saved, as the journal of its working
/// copy says it, what was on its way, what is no file, and directories that are empty then. Gives how many files are left.
///
/// Blocks.
pub fn strip(directory: &Path, journal: &Path) -> Result<usize> {
    let failed = |source| Error::Disk { what: "tidy", path: directory.to_owned(), source };
    let mut known = Known::default();
    let coming = known.resume(journal).map_err(failed)?;
    place::remove_all(directory, &coming).map_err(failed)?;
    let (mut lost, mut directories, mut left) = (Vec::new(), Vec::new(), 0);
    sys::tree::walk(directory, &mut |item| {
        match item.kind {
            Kind::Directory => directories.push(item.path.to_owned()),
            Kind::File if !is_same(&known, item) => left += 1,
            Kind::File | Kind::Link | Kind::Special => lost.push(item.path.to_owned()),
            Kind::Closed => left += 1,
        }
        ControlFlow::Continue(())
    })
    .map_err(failed)?;
    let root = sys::file::directory(directory).map_err(failed)?;
    let within = |local: &Path, remove: &dyn Fn(&std::os::fd::OwnedFd, &OsStr)| {
        let parent = local.parent().filter(|parent| !parent.as_os_str().is_empty());
        if let Ok((directory, Kind::Directory, _)) =
            appear::hold_below(&root, parent.unwrap_or(Path::new(".")))
        {
            remove(&directory, local.file_name().unwrap_or_default());
        }
    };
    for local in lost {
        within(&local, &|directory, name| _ = appear::remove(directory, name));
    }
    // In a walk a directory comes before what is in it. One that is not empty stays.
    for local in directories.iter().rev() {
        within(local, &|directory, name| _ = appear::remove_directory(directory, name));
    }
    Ok(left)
}

fn is_same(known: &Known, item: &Item) -> bool {
    known.get(item.path).is_some_and(|file| file.is_same(&item.look))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{Store, View, WorkingCopy, WorkspaceName, WorkspacePath};

    #[tokio::test]
    async fn only_the_sessions_own_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let (here, journal) = (dir.path().join("here"), dir.path().join("brought"));
        fs::create_dir(&here).unwrap();
        let workspace =
            Store::local(&dir.path().join("store")).unwrap().workspace("local", &WorkspaceName::usual());
        for name in ["uploads/same/a", "uploads/changed", "code-interpreter/b"] {
            workspace.write(&WorkspacePath::parse(name).unwrap(), "brought").await.unwrap();
        }
        let copy = WorkingCopy::new(workspace, View::Flat, here.clone(), sys::file::own_ids().0);
        copy.resume(&journal).unwrap();
        copy.refresh().await.unwrap();
        fs::write(here.join("saved"), "saved").unwrap();
        copy.save().await.unwrap();
        fs::write(here.join("changed"), "by the session").unwrap();
        fs::create_dir_all(here.join("own/empty")).unwrap();
        fs::write(here.join("own/new"), "new").unwrap();
        std::os::unix::fs::symlink("nowhere", here.join("link")).unwrap();
        copy.close().await;
        for _ in 0..2 {
            assert_eq!(strip(&here, &journal).unwrap(), 2);
            let mut left: Vec<_> =
                fs::read_dir(&here).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            left.sort();
            assert_eq!(left, ["changed", "own"]);
            assert_eq!(fs::read_dir(here.join("own")).unwrap().count(), 1);
        }
    }
}
