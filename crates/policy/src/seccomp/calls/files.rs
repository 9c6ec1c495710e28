//! Files and directories. Which of them can be reached is the mount namespace's affair.

use super::{ALLOW, NOT_PERMITTED, calls, entry};
use crate::seccomp::rule::{Check, Clause, Entry};

/// What is done with an open file.
pub(super) static OPEN: &[Entry] = calls![ALLOW;
    SYS_read: "reads",
    SYS_readv: "reads into several buffers",
    SYS_pread64: "reads at a place",
    SYS_preadv: "reads at a place into several buffers",
    SYS_preadv2: "the same with flags",
    SYS_write: "writes",
    SYS_writev: "writes several buffers",
    SYS_pwrite64: "writes at a place",
    SYS_pwritev: "writes several buffers at a place",
    SYS_pwritev2: "the same with flags",
    SYS_lseek: "moves the place",
    SYS_close: "closes",
    SYS_close_range: "subprocess and glib close many at once",
    SYS_dup: "copies a descriptor",
    SYS_dup3: "copies a descriptor to a number",
    SYS_fcntl: "flags, and the record locks of sqlite and duckdb",
    SYS_flock: "whole-file locks of pip, git and npm",
    SYS_fstat: "size, owner, times",
    SYS_fstatfs: "free space",
    SYS_ftruncate: "shared memory gets its size so",
    SYS_fallocate: "databases reserve space",
    SYS_fadvise64: "advice on reading, used by cp and tar",
    SYS_readahead: "advice on reading",
    SYS_fsync: "databases",
    SYS_fdatasync: "databases",
    SYS_sync_file_range: "databases",
    SYS_sendfile: "shutil and web servers copy with it",
    SYS_copy_file_range: "cp, shutil and Deno copy with it",
    SYS_splice: "pipes; without vmsplice it moves only what could be read and written",
    SYS_tee: "pipes",
    SYS_fchmod: "permissions",
    SYS_fchown: "ownership; gives nothing without capabilities",
    SYS_fchdir: "working directory",
    SYS_getdents64: "lists a directory",
    SYS_fgetxattr: "extended attributes, read by ls and cp",
    SYS_fsetxattr: "extended attributes",
    SYS_flistxattr: "extended attributes",
    SYS_fremovexattr: "extended attributes",
];

/// What is done with names.
pub(super) static NAMES: &[Entry] = calls![ALLOW;
    SYS_openat: "opens",
    SYS_openat2: "opens beneath a directory, as init does for file operations",
    SYS_faccessat: "may it be opened",
    SYS_faccessat2: "the same with flags",
    SYS_newfstatat: "size, owner, times",
    SYS_statx: "the same, newer",
    SYS_statfs: "free space",
    SYS_readlinkat: "reads a link",
    SYS_symlinkat: "makes a link",
    SYS_linkat: "makes a hard link",
    SYS_unlinkat: "removes",
    SYS_mkdirat: "makes a directory",
    SYS_renameat: "renames",
    SYS_renameat2: "renames without replacing, as mv and npm do",
    SYS_truncate: "cuts",
    SYS_fchmodat: "permissions",
    452 fchmodat2: "permissions; glibc 2.39 asks for it first",
    SYS_fchownat: "ownership; gives nothing without capabilities",
    SYS_utimensat: "times, set by tar and pip",
    SYS_umask: "permissions of new files",
    SYS_chdir: "working directory",
    SYS_getcwd: "working directory",
    SYS_getxattr: "extended attributes, read by ls and cp",
    SYS_lgetxattr: "extended attributes",
    SYS_setxattr: "extended attributes",
    SYS_lsetxattr: "extended attributes",
    SYS_listxattr: "extended attributes",
    SYS_llistxattr: "extended attributes",
    SYS_removexattr: "extended attributes",
    SYS_lremovexattr: "extended attributes",
    SYS_inotify_init1: "watchers of Node and watchdog",
    SYS_inotify_add_watch: "watchers",
    SYS_inotify_rm_watch: "watchers",
    SYS_landlock_create_ruleset: "xz confines itself so; it can only make narrower",
    SYS_landlock_add_rule: "xz confines itself so",
    SYS_landlock_restrict_self: "xz confines itself so",
];

/// The low half of `mode`'s type bits: regular files (by either name), fifos and sockets. Not devices.
pub(super) const NO_DEVICE: &[u32] = &[0, libc::S_IFREG, libc::S_IFIFO, libc::S_IFSOCK];

/// What could make a device.
pub(super) static DEVICES: &[Entry] = &[entry(
    "mknodat",
    libc::SYS_mknodat,
    "fifos, sockets and plain files; a device node would be a door to the host's hardware",
    NOT_PERMITTED,
)
.unless(&[Clause {
    checks: &[Check { argument: 2, mask: libc::S_IFMT, values: NO_DEVICE }],
    verdict: ALLOW,
}])];
