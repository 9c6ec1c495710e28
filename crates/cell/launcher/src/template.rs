//! Makes the template: the root that every cell copies, in the launcher's own mount namespace.
//!
//! Made once, so that a cell copies a few mounts instead of making a few dozen. When it is done, nothing else of the
//! host's file systems is left in this namespace.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use policy::{Entry, Template};
use protocol::launcher::Failure;
use sys::mount::{self, Forbid};

use crate::step::Step;

/// Where the new root is made before it is one.
const BUILD: &str = "/tmp";

/// Makes it and moves into it. `trees` are the sources of the binds where the caller has opened them.
pub(crate) fn build(template: &Template, trees: Vec<OwnedFd>) -> Result<(), Failure> {
    mount::make_private().step("make the mounts private")?;
    // All sources first: the new root will hide what it is mounted on.
    let binds = template.entries.iter().filter(|entry| matches!(entry, Entry::Bind { .. }));
    let trees = if trees.is_empty() { binds.map(open).collect::<Result<_, _>>()? } else { trees };

    mount::tmpfs(BUILD, 16 << 20, 0o755, Forbid { exec: true, ..Forbid::SUID_AND_DEVICES })
        .step("mount a new root")?;
    let mut trees = trees.into_iter();
    for entry in &template.entries {
        make(entry, &mut trees)?;
    }
    mount::pivot(BUILD).step("change the root")?;
    let all = Forbid { write: true, exec: true, ..Forbid::SUID_AND_DEVICES };
    mount::restrict("/", all).step("make the root read-only")
}

fn open(entry: &Entry) -> Result<OwnedFd, Failure> {
    let Entry::Bind { source, .. } = entry else { unreachable!("only binds are opened") };
    mount::clone_tree(&source.0).step(format_args!("open {}", source.0))
}

fn make(entry: &Entry, trees: &mut impl Iterator<Item = OwnedFd>) -> Result<(), Failure> {
    let below = |path: &policy::CellPath| format!("{BUILD}{path}");
    match entry {
        Entry::Dir { path, mode } => {
            let path = below(path);
            fs::create_dir(&path)
                .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(*mode)))
                .step(format_args!("make the directory {path}"))
        }
        Entry::Link { path, to } => symlink(to, below(path)).step(format_args!("make the link {path}")),
        Entry::File { path, mode, content } => {
            let at = below(path);
            fs::write(&at, content)
                .and_then(|()| fs::set_permissions(&at, fs::Permissions::from_mode(*mode)))
                .step(format_args!("make the file {path}"))
        }
        Entry::Bind { path, writable, exec, device, directory, .. } => {
            let tree = trees.next().ok_or(io::Error::from_raw_os_error(22)).step("find a tree")?;
            let what = Forbid { write: !writable, exec: !exec, device: !device, suid: true };
            let at = below(path);
            mount_point(Path::new(&at), *directory).step(format_args!("make a mount point at {path}"))?;
            mount::forbid(tree.as_fd(), what).step(format_args!("restrict {path}"))?;
            mount::attach(tree.as_fd(), &at).step(format_args!("mount {path}"))
        }
        Entry::Cover { path } => cover(&below(path)).step(format_args!("cover {path}")),
    }
}

/// An empty read-only directory over this one.
pub(crate) fn cover(path: &str) -> io::Result<()> {
    mount::tmpfs(path, 4096, 0o555, Forbid { write: true, exec: true, ..Forbid::SUID_AND_DEVICES })
}

fn mount_point(path: &Path, directory: bool) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match if directory { fs::create_dir(path) } else { fs::write(path, "") } {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}
