//! Mounts.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::CWD;
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, mount, mount_change,
    move_mount, open_tree, unmount,
};

/// What a mount forbids.
#[allow(clippy::struct_excessive_bools)] // Four independent flags of the kernel's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forbid {
    /// Writing.
    pub write: bool,
    /// Running programs.
    pub exec: bool,
    /// Device nodes.
    pub device: bool,
    /// Set-uid bits.
    pub suid: bool,
}

impl Forbid {
    /// Set-uid bits and device nodes: what nothing in a cell needs.
    pub const SUID_AND_DEVICES: Forbid = Forbid { write: false, exec: false, device: true, suid: true };

    fn flags(self) -> MountFlags {
        let mut flags = MountFlags::empty();
        flags.set(MountFlags::RDONLY, self.write);
        flags.set(MountFlags::NOEXEC, self.exec);
        flags.set(MountFlags::NODEV, self.device);
        flags.set(MountFlags::NOSUID, self.suid);
        flags
    }

    fn attributes(self) -> u64 {
        let mut attributes = 0;
        for (forbidden, attribute) in [
            (self.write, libc::MOUNT_ATTR_RDONLY),
            (self.exec, libc::MOUNT_ATTR_NOEXEC),
            (self.device, libc::MOUNT_ATTR_NODEV),
            (self.suid, libc::MOUNT_ATTR_NOSUID),
        ] {
            if forbidden {
                attributes |= attribute;
            }
        }
        attributes
    }
}

/// A copy of the mount at this path, with all mounts below it, that is attached nowhere yet.
pub fn clone_tree(path: &str) -> io::Result<OwnedFd> {
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    Ok(open_tree(CWD, path, flags)?)
}

/// Forbids things on a mount and on all mounts below it. What is forbidden already stays so.
pub fn forbid(tree: BorrowedFd, what: Forbid) -> io::Result<()> {
    let attributes =
        libc::mount_attr { attr_set: what.attributes(), attr_clr: 0, propagation: 0, userns_fd: 0 };
    // SAFETY: the path is empty and the structure is alive and as large as is said; the kernel only reads both.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | libc::AT_RECURSIVE,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Attaches a tree from [`clone_tree`] at this path, also where it came from another mount namespace.
pub fn attach(tree: BorrowedFd, path: &str) -> io::Result<()> {
    Ok(move_mount(tree, "", CWD, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?)
}

/// Mounts the tree at `source` at `path` as well.
pub fn bind(source: &str, path: &str, what: Forbid) -> io::Result<()> {
    use std::os::fd::AsFd;
    let tree = clone_tree(source)?;
    forbid(tree.as_fd(), what)?;
    attach(tree.as_fd(), path)
}

/// Mounts an empty file system in memory: at most `bytes` large, with this mode on its root.
pub fn tmpfs(path: &str, bytes: u64, mode: u32, what: Forbid) -> io::Result<()> {
    let options = std::ffi::CString::new(format!("size={bytes},mode={mode:o}"))?;
    mount_one("tmpfs", path, what, &options)
}

/// Mounts the process table of the current PID namespace.
pub fn proc(path: &str) -> io::Result<()> {
    mount_one("proc", path, Forbid { exec: true, ..Forbid::SUID_AND_DEVICES }, c"")
}

/// Mounts pseudo-terminals of its own: at most `max` of them.
pub fn devpts(path: &str, max: u32) -> io::Result<()> {
    let options = std::ffi::CString::new(format!("newinstance,ptmxmode=0666,mode=0620,max={max}"))?;
    mount_one("devpts", path, Forbid { exec: true, suid: true, ..Forbid::default() }, &options)
}

fn mount_one(kind: &str, path: &str, what: Forbid, options: &CStr) -> io::Result<()> {
    Ok(mount(kind, path, kind, what.flags(), options)?)
}

/// Forbids more on the one mount at this path.
pub fn restrict(path: &str, what: Forbid) -> io::Result<()> {
    Ok(rustix::mount::mount_remount(path, MountFlags::BIND | what.flags(), c"")?)
}

/// Takes what is mounted at this path, and below it, out of the tree at once.
pub fn detach(path: &str) -> io::Result<()> {
    Ok(unmount(path, UnmountFlags::DETACH)?)
}

/// Makes this namespace's mounts its own: neither side sees what the other mounts from now on.
pub fn make_private() -> io::Result<()> {
    Ok(mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?)
}

/// Makes the mount at this path the root, and lets the old one go.
pub fn pivot(path: &str) -> io::Result<()> {
    rustix::process::chdir(path)?;
    // With both names the same, the old root ends on top of the new one, from where it is detached.
    rustix::process::pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    rustix::process::chdir("/")?;
    Ok(())
}
