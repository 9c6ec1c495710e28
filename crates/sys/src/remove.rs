//! Removing a tree that its last owner made hard to remove: closed directories, names of any bytes, a depth that no
//! path and no stack is long enough for.
//!
//! A directory that is found in another one is moved up to the root of the tree before it is emptied. So there are never
//! more than three descriptors open, and nothing recurses. Rejected: the standard library's removal, which holds a
//! descriptor and a stack frame for each level, and a hostile tree decides how many these are.
//!
//! Whoever could change the tree meanwhile should be dead. Still no link is followed: every step goes from an open
//! directory to a name in it.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, chmod, openat, renameat, unlinkat};
use rustix::io::Errno;

/// Removes a directory and everything in it. One that is not there is no error.
pub fn tree(path: &Path) -> io::Result<()> {
    let root = match open(CWD, path) {
        Err(Errno::NOENT) => return Ok(()),
        opened => opened?,
    };
    let mut waiting = remove_files(&root)?;
    let mut moved = 0_u64;
    while let Some(name) = waiting.pop() {
        let directory = match open(&root, &name) {
            Err(Errno::NOENT) => continue,
            opened => opened?,
        };
        for inner in remove_files(&directory)? {
            waiting.push(move_up(&directory, &inner, &root, &mut moved)?);
        }
        unlinkat(&root, &name, AtFlags::REMOVEDIR)?;
    }
    Ok(unlinkat(CWD, path, AtFlags::REMOVEDIR)?)
}

/// Opens a directory, and makes it one that can be read and changed.
fn open(parent: impl AsFd, name: impl rustix::path::Arg) -> Result<OwnedFd, Errno> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // A closed directory can be had in this way only.
    let held = openat(parent, name, flags | OFlags::PATH, Mode::empty())?;
    // Root needs no permission; whoever is neither root nor the owner fails below.
    let _ = chmod(format!("/proc/self/fd/{}", held.as_raw_fd()), Mode::RWXU);
    openat(&held, ".", flags | OFlags::RDONLY, Mode::empty())
}

/// Removes everything but directories, whose names it gives.
fn remove_files(directory: &OwnedFd) -> io::Result<Vec<CString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            names.push(entry.file_name().to_owned());
        }
    }
    let mut directories = Vec::new();
    for name in names {
        match unlinkat(directory, &name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(Errno::ISDIR | Errno::PERM) => directories.push(name),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(directories)
}

/// Moves a directory to the root, under a name that is free there, which it gives.
fn move_up(from: &OwnedFd, name: &CStr, root: &OwnedFd, moved: &mut u64) -> io::Result<CString> {
    let mut opened = false;
    loop {
        let free = CString::new(format!(".{moved}"))?;
        match renameat(from, name, root, &free) {
            Ok(()) => {
                *moved += 1;
                return Ok(free);
            }
            Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => *moved += 1,
            // To get another parent, it must be one that can be written.
            Err(Errno::ACCESS) if !opened => {
                open(from, name)?;
                opened = true;
            }
            Err(errno) => return Err(errno.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("sys-remove-{}-{name}", std::process::id()));
        fs::create_dir(&path).unwrap();
        path
    }

    #[test]
    fn a_tree_goes_and_what_links_name_stays() {
        let (doomed, kept) = (scratch("doomed"), scratch("kept"));
        fs::write(kept.join("file"), "x").unwrap();
        fs::create_dir_all(doomed.join("a/b/c")).unwrap();
        // Names that the removal itself would choose.
        for taken in [".0", ".1", ".2"] {
            fs::write(doomed.join(taken), "x").unwrap();
        }
        fs::create_dir_all(doomed.join(".3/full")).unwrap();
        fs::write(doomed.join("a/b/line\nbreak"), "x").unwrap();
        symlink(&kept, doomed.join("a/link")).unwrap();
        symlink(&kept, doomed.join("link")).unwrap();
        for (closed, mode) in [("a/b/c", 0), ("a/b", 0o500), ("a", 0)] {
            fs::set_permissions(doomed.join(closed), fs::Permissions::from_mode(mode)).unwrap();
        }
        tree(&doomed).unwrap();
        assert!(fs::symlink_metadata(&doomed).is_err());
        assert_eq!(fs::read_to_string(kept.join("file")).unwrap(), "x");
        tree(&doomed).unwrap();
        tree(&kept).unwrap();
    }

    #[test]
    fn a_link_in_the_place_of_the_tree_is_refused() {
        let kept = scratch("aim");
        let link = kept.with_extension("link");
        symlink(&kept, &link).unwrap();
        assert!(tree(&link).is_err());
        assert!(kept.is_dir());
        fs::remove_file(link).unwrap();
        tree(&kept).unwrap();
    }

    #[test]
    fn no_depth_is_too_deep() {
        let doomed = scratch("deep");
        let mut at = open(CWD, &doomed).unwrap();
        // More than a path can name, and than a process may usually have open.
        for _ in 0..2100 {
            rustix::fs::mkdirat(&at, "d", Mode::RWXU).unwrap();
            at = open(&at, "d").unwrap();
        }
        drop(at);
        tree(&doomed).unwrap();
        assert!(!doomed.exists());
    }
}
