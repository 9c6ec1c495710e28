//! What a cell's programs may reach by path, whatever is mounted: Landlock's rules, as data.
//!
//! The mounts of a cell are its real root. These rules stand below them: should a mount be missing, writable or
//! uncovered by mistake, a program still gets no more than is listed here. They are the same for
//! every cell but for the name of its workspace.
//!
//! **Rejected.**
//! - Rules for TCP: what a cell may connect to is its network's affair, and its own loopback is free.
//! - Scopes for signals and abstract sockets. Both end at the cell's namespaces already. A kernel that is forked from a
//!   forkserver has rules of its own, as has every command, so a scope would come between processes of one cell.
//! - Rules for init. Whoever has any may not look into a process that has others (its working directory, its share of
//!   memory), which init must. It runs no code but ours, and everything that it starts has the rules.

use crate::mount::Mount;
use crate::plan::CellPath;
use crate::template::{DEVICES, HOME, WORKSPACE};

/// A set of rights, with the bits that `linux/landlock.h` gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights(pub u64);

impl Rights {
    /// Runs programs.
    pub const EXECUTE: Rights = Rights(1 << 0);
    /// Opens files for writing.
    pub const WRITE: Rights = Rights(1 << 1);
    /// Opens files for reading.
    pub const READ: Rights = Rights(1 << 2);
    /// Lists directories.
    pub const LIST: Rights = Rights(1 << 3);
    /// Makes, removes, renames and cuts everything but devices: `REMOVE_DIR`, `REMOVE_FILE`, `MAKE_DIR`, `MAKE_REG`,
    /// `MAKE_SOCK`, `MAKE_FIFO`, `MAKE_SYM`, `REFER` (renames and links from one directory to another) and `TRUNCATE`.
    pub const CHANGE: Rights =
        Rights(1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 12 | 1 << 13 | 1 << 14);
    /// Makes devices: `MAKE_CHAR` and `MAKE_BLOCK`.
    pub const MAKE_DEVICES: Rights = Rights(1 << 6 | 1 << 11);
    /// Controls devices: `IOCTL_DEV`.
    pub const CONTROL: Rights = Rights(1 << 15);

    /// These and those.
    #[must_use]
    pub const fn and(self, more: Rights) -> Rights {
        Rights(self.0 | more.0)
    }

    /// Whether all of those are among these.
    pub const fn has(self, those: Rights) -> bool {
        self.0 & those.0 == those.0
    }
}

/// A path, and what is granted on it and on everything beneath it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Where. A link stands for what it leads to; what does not exist is passed over.
    pub path: CellPath,
    /// What.
    pub rights: Rights,
}

const LOOK: Rights = Rights::LIST.and(Rights::READ);
const RUN: Rights = LOOK.and(Rights::EXECUTE);
const DEVICE: Rights = Rights::READ.and(Rights::WRITE).and(Rights::CONTROL);
const KEEP: Rights = LOOK.and(Rights::WRITE).and(Rights::CHANGE);
const OWN: Rights = KEEP.and(Rights::EXECUTE);

const PATHS: &[(&str, Rights)] = &[
    // Names of everything: what is not to be seen is not mounted.
    ("/", Rights::LIST),
    ("/usr", RUN),
    ("/bin", RUN),
    ("/sbin", RUN),
    ("/lib", RUN),
    ("/lib32", RUN),
    ("/lib64", RUN),
    ("/libx32", RUN),
    // The environment and what belongs to it.
    ("/opt/cellblock", RUN),
    ("/etc", LOOK),
    ("/sys", LOOK),
    // A process may change what is its own there: its name, its place among the victims when memory runs out.
    ("/proc", LOOK.and(Rights::WRITE)),
    (WORKSPACE, OWN),
    (HOME, OWN),
    ("/tmp", OWN),
    ("/var/tmp", OWN),
    // Mounted without the right to run programs.
    ("/dev/shm", KEEP),
    ("/dev/pts", DEVICE),
];

/// The rules of a cell that has its workspace there.
pub(crate) fn grants(mount: &Mount) -> Vec<Grant> {
    let devices = DEVICES.iter().map(|device| (format!("/dev/{device}"), DEVICE));
    let named = |path| if path == WORKSPACE { mount.as_str() } else { path };
    let paths = PATHS.iter().map(|&(path, rights)| (named(path).to_owned(), rights));
    paths
        .chain(devices)
        .map(|(path, rights)| Grant {
            path: if path == "/" { CellPath::root() } else { CellPath::fixed(&path) },
            rights,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Entry;
    use crate::template::{Host, ROOT, RootEntry, Roots, template};
    use crate::{ENVIRONMENT, HostPath, RUNTIME};

    fn rights(path: &str) -> Rights {
        let beneath = |grant: &&Grant| {
            let place = grant.path.as_str();
            place == "/" || path == place || path.starts_with(&format!("{place}/"))
        };
        grants(&Mount::default()).iter().filter(beneath).fold(Rights(0), |all, grant| all.and(grant.rights))
    }

    #[test]
    fn what_a_cell_keeps_is_its_own_and_all_else_stays_as_it_is() {
        for path in [WORKSPACE, "/mnt/workspace/a/b", HOME, "/tmp/x", "/dev/shm/x"] {
            assert!(rights(path).has(KEEP), "{path}");
        }
        for grant in grants(&Mount::default()) {
            assert!(
                !grant.rights.has(Rights(1 << 6)) && !grant.rights.has(Rights(1 << 11)),
                "{}",
                grant.path
            );
            let own = [WORKSPACE, HOME, "/tmp", "/var/tmp", "/dev/shm"].contains(&grant.path.as_str());
            assert_eq!(grant.rights.0 & Rights::CHANGE.0 != 0, own, "{}", grant.path);
        }
        for path in ["/root/.ssh", "/run/docker.sock", "/var/lib", "/mnt/disk", "/.cells", "/srv"] {
            assert_eq!(rights(path), Rights::LIST, "{path}");
        }
    }

    #[test]
    fn everything_in_the_template_can_be_read_and_programs_run_where_the_mount_lets_them() {
        let host = Host {
            root: ROOT.iter().map(|&name| (name.to_owned(), RootEntry::Directory)).collect(),
            etc: vec![("ssl/certs".to_owned(), true)],
            covered: Vec::new(),
        };
        let of = |path: &str| HostPath(path.to_owned());
        let roots = Roots { environment: of("/e"), runtime: of("/r"), cells: of("/c") };
        let hidden = [crate::CELLS, crate::HOST_PROC];
        let mut programs = 0;
        for entry in template(&host, &roots).entries {
            let Entry::Bind { path, exec, writable, device, .. } = entry else { continue };
            if hidden.contains(&path.as_str()) {
                assert_eq!(rights(path.as_str()), Rights::LIST, "{path}");
                continue;
            }
            let rights = rights(path.as_str());
            assert!(rights.has(Rights::READ), "{path}");
            assert_eq!(rights.has(Rights::EXECUTE), exec, "{path}");
            assert_eq!(rights.has(Rights::WRITE), writable, "{path}");
            assert_eq!(rights.has(Rights::CONTROL), device, "{path}");
            programs += usize::from(exec);
        }
        assert_eq!(programs, ROOT.len() + [ENVIRONMENT, RUNTIME].len());
    }
}
