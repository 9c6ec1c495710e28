//! What a store in a local directory does by itself.
//!
//! It is listed here and not by `object_store`, which ends a listing at the first name that it does not like, as anybody
//! may have put one into `uploads/`, follows links, and asks the disk four times for each file. The versions are the
//! same: a test holds them together.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, SystemTime};

use sys::tree::{Item, Kind};

use crate::path::{WorkspacePath, is_staged};
use crate::store::{Stored, Version};
use crate::{UPLOADS, WorkspaceName};

/// How old a file is that was never published, and that nobody can be writing any more.
const FORGOTTEN: Duration = Duration::from_secs(24 * 3600);

/// The files below a directory of a workspace, which need not be there.
pub(crate) fn list(root: &Path, below: &str) -> io::Result<Vec<Stored>> {
    let start = if below.is_empty() { Path::new(".") } else { Path::new(below) };
    let held = sys::file::directory(root).and_then(|directory| sys::appear::hold_below(&directory, start));
    let directory = match held {
        Ok((directory, Kind::Directory, _)) => directory,
        Ok(_) => return Ok(Vec::new()),
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    sys::tree::walk_below(directory, &mut |item| {
        if item.kind == Kind::File
            && let Ok(path) = WorkspacePath::below(below, item.path)
        {
            files.push(Stored { path, size: item.size, modified: item.modified, version: version(item) });
        }
        ControlFlow::Continue(())
    })?;
    files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// As `object_store` makes it of a local file.
fn version(item: &Item) -> Version {
    let modified = item.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros();
    Version(format!("\"{:x}-{modified:x}-{:x}\"", item.look.inode, item.size).into())
}

/// Whether an error says that nothing is there.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Removes what was being written when a daemon died, a day ago or earlier, and says how many files that were.
///
/// Not in `uploads/`, where people put files under any name with what they have: one of that form would be theirs.
pub(crate) fn clean(store: &Path) -> io::Result<usize> {
    let mut found = Vec::new();
    sys::tree::walk(store, &mut |item| {
        let name = item.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_upload = item.path.iter().nth(2).is_some_and(|namespace| namespace == UPLOADS);
        let is_ours = item.path.iter().count() > 2
            && item
                .path
                .iter()
                .nth(1)
                .and_then(|name| name.to_str())
                .is_some_and(|name| WorkspaceName::parse(name).is_ok());
        if item.kind == Kind::File
            && is_staged(name)
            && is_ours
            && !is_upload
            && item.modified.elapsed().is_ok_and(|age| age > FORGOTTEN)
        {
            found.push(item.path.to_owned());
        }
        ControlFlow::Continue(())
    })?;
    Ok(found.into_iter().filter(|path| std::fs::remove_file(store.join(path)).is_ok()).count())
}

/// Makes the absence of a file durable.
pub(crate) fn sync_removal(file: &Path) {
    // Directories that are gone, too, are absent from the first one that is there.
    let synced = file.ancestors().skip(1).find_map(|directory| std::fs::File::open(directory).ok());
    if let Some(Err(error)) = synced.map(|directory| directory.sync_all()) {
        tracing::warn!(%error, path = %file.display(), "could not sync a directory of the store");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    #[tokio::test]
    async fn versions_are_what_writing_says() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::local(dir.path()).unwrap();
        let workspace = store.workspace("p q", &WorkspaceName::usual());
        for (name, size) in [("uploads/a", 3), ("code-interpreter/b/c", 12 << 20)] {
            let path = WorkspacePath::parse(name).unwrap();
            let written = workspace.write_from(&path, io::Read::take(io::repeat(7), size)).await.unwrap();
            let listed = workspace.list(name.rsplit_once('/').unwrap().0).await.unwrap();
            assert_eq!(listed.len(), 1);
            assert_eq!(
                (&listed[0].path, &listed[0].version, listed[0].size),
                (&path, &written.version, size)
            );
            assert_eq!(workspace.look(&path).await.unwrap(), listed[0]);
            assert_eq!(workspace.read(&path).await.unwrap().stored, listed[0]);
        }
    }

    #[tokio::test]
    async fn what_no_file_is_called_is_passed_over() {
        use std::os::unix::ffi::OsStrExt;
        let dir = tempfile::tempdir().unwrap();
        let store = Store::local(dir.path()).unwrap();
        let workspace = store.workspace("local", &WorkspaceName::usual());
        let uploads = dir.path().join("local/default/uploads");
        std::fs::create_dir_all(&uploads).unwrap();
        for name in [&b"latin-\xe9"[..], b"line\nbreak", b"half#1", b"good"] {
            std::fs::write(uploads.join(std::ffi::OsStr::from_bytes(name)), "x").unwrap();
        }
        std::os::unix::fs::symlink("/etc/passwd", uploads.join("link")).unwrap();
        std::os::unix::fs::symlink("..", uploads.join("loop")).unwrap();
        let listed = workspace.list("").await.unwrap();
        assert_eq!(listed.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["uploads/good"]);
        assert!(workspace.list("uploads/good").await.unwrap().is_empty());
        assert!(workspace.list("nothing").await.unwrap().is_empty());
    }

    #[test]
    fn only_what_was_forgotten_is_cleaned_up() {
        let dir = tempfile::tempdir().unwrap();
        let old = SystemTime::now() - 2 * FORGOTTEN;
        for (name, age) in [
            ("p/w/code-interpreter/a#1", Some(old)),
            ("p/w/code-interpreter/a#2", None),
            ("p/w/code-interpreter/a", Some(old)),
            ("p/w/uploads/track#1", Some(old)),
            ("p/other#1", Some(old)),
        ] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let file = std::fs::File::create(path).unwrap();
            file.set_modified(age.unwrap_or_else(SystemTime::now)).unwrap();
        }
        assert_eq!(clean(dir.path()).unwrap(), 1);
        assert!(!dir.path().join("p/w/code-interpreter/a#1").exists());
        assert_eq!(clean(dir.path()).unwrap(), 0);
    }
}
