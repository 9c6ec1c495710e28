//! Files: reading, writing, copying and walking trees, with the path in every error.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

pub(crate) fn create_dir(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(Error::file("create", path))
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(Error::file("read", path))
}

pub(crate) fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(Error::file("read", path))
}

pub(crate) fn write(path: &Path, contents: impl AsRef<[u8]>) -> Result<()> {
    fs::write(path, contents).map_err(Error::file("write", path))
}

/// Replaces a file by a new one of the same mode. Never in place: the file may be a hard link into uv's cache.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> Result<()> {
    let mode = fs::metadata(path).map_err(Error::file("read", path))?.permissions();
    let beside = path.with_extension("new");
    write(&beside, contents)?;
    fs::set_permissions(&beside, mode).map_err(Error::file("set the mode of", &beside))?;
    fs::rename(&beside, path).map_err(Error::file("replace", path))
}

pub(crate) fn link(target: impl AsRef<Path>, path: &Path) -> Result<()> {
    symlink(target, path).map_err(Error::file("create the link", path))
}

/// Removes a tree; that it is not there is no error.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            fs::remove_file(path).map_err(Error::file("remove", path))
        }
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file("remove", path)(error)),
        _ => Ok(()),
    }
}

/// The entries of a directory, sorted by name.
pub(crate) fn entries(path: &Path) -> Result<Vec<fs::DirEntry>> {
    let mut entries = fs::read_dir(path)
        .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
        .map_err(Error::file("list", path))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    Ok(entries)
}

/// Copies a tree with the files that links lead to in their place. `keep` is asked about each entry by its path below `from`;
/// links that lead nowhere and files that are neither regular nor directories stay behind.
pub(crate) fn copy_tree(from: &Path, to: &Path, keep: &dyn Fn(&Path) -> bool) -> Result<()> {
    copy_below(from, to, Path::new(""), keep)
}

fn copy_below(from: &Path, to: &Path, below: &Path, keep: &dyn Fn(&Path) -> bool) -> Result<()> {
    create_dir(&to.join(below))?;
    for entry in entries(&from.join(below))? {
        let below = below.join(entry.file_name());
        let Ok(metadata) = fs::metadata(entry.path()) else { continue };
        if !keep(&below) {
            continue;
        }
        if metadata.is_dir() {
            copy_below(from, to, &below, keep)?;
        } else if metadata.is_file() {
            copy(&entry.path(), &to.join(&below))?;
        }
    }
    Ok(())
}

pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).map_err(Error::file("copy", from))?;
    Ok(())
}

/// Calls `visit` with every file, directory and link below `root`, a directory before what is in it.
pub(crate) fn walk(root: &Path, visit: &mut dyn FnMut(&Path, &fs::Metadata) -> Result<()>) -> Result<()> {
    for entry in entries(root)? {
        let path = entry.path();
        let metadata = entry.metadata().map_err(Error::file("read", &path))?;
        visit(&path, &metadata)?;
        if metadata.is_dir() {
            walk(&path, visit)?;
        }
    }
    Ok(())
}

/// Makes a tree readable by every user, whatever the umask was, and returns the bytes that it takes on disk.
pub(crate) fn publish_modes(root: &Path) -> Result<u64> {
    let mut bytes = 0;
    let mut readable = |path: &Path, metadata: &fs::Metadata| {
        bytes += metadata.blocks() * 512;
        let mode = metadata.permissions().mode() & 0o7777;
        let wanted = if metadata.is_dir() || mode & 0o111 != 0 { 0o755 } else { 0o644 };
        if metadata.is_symlink() || mode == wanted {
            return Ok(());
        }
        fs::set_permissions(path, fs::Permissions::from_mode(wanted))
            .map_err(Error::file("set the mode of", path))
    };
    let metadata = fs::symlink_metadata(root).map_err(Error::file("read", root))?;
    readable(root, &metadata)?;
    walk(root, &mut readable)?;
    Ok(bytes)
}

/// The first file called `name` in the directories of `PATH` that anyone may execute.
pub(crate) fn on_path(name: &str) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .filter(|file| {
            fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_published_whatever_they_were() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir_all(root.join("closed")).unwrap();
        fs::write(root.join("closed/data"), "x").unwrap();
        fs::write(root.join("program"), "x").unwrap();
        fs::set_permissions(root.join("closed/data"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(root.join("program"), fs::Permissions::from_mode(0o4700)).unwrap();
        fs::set_permissions(root.join("closed"), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(publish_modes(&root).unwrap() >= 2 * 512);
        let mode = |path: &str| fs::metadata(root.join(path)).unwrap().permissions().mode() & 0o7777;
        assert_eq!([mode("closed"), mode("closed/data"), mode("program")], [0o755, 0o644, 0o755]);
    }

    #[test]
    fn a_replaced_file_leaves_its_other_names_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (cached, used) = (dir.path().join("cached"), dir.path().join("used.js"));
        fs::write(&cached, "old").unwrap();
        fs::hard_link(&cached, &used).unwrap();
        replace(&used, b"new").unwrap();
        assert_eq!(
            (read_text(&cached).unwrap().as_str(), read_text(&used).unwrap().as_str()),
            ("old", "new")
        );
    }

    #[test]
    fn a_copy_follows_links_and_leaves_out_what_is_not_wanted() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::create_dir_all(from.join("test")).unwrap();
        fs::write(from.join("real"), "x").unwrap();
        symlink("real", from.join("alias")).unwrap();
        symlink("nowhere", from.join("dangling")).unwrap();
        copy_tree(&from, &to, &|path| path != Path::new("test")).unwrap();
        let names: Vec<_> = entries(&to).unwrap().iter().map(fs::DirEntry::file_name).collect();
        assert_eq!(names, ["alias", "real"]);
        assert!(!fs::symlink_metadata(to.join("alias")).unwrap().is_symlink());
    }
}
