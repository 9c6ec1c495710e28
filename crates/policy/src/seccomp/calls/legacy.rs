//! Older forms of allowed calls, which only `x86_64` has.

#[cfg(target_arch = "x86_64")]
use super::{ALLOW, NOT_PERMITTED, calls, entry, files::NO_DEVICE};
use crate::seccomp::rule::Entry;
#[cfg(target_arch = "x86_64")]
use crate::seccomp::rule::{Check, Clause};

/// Each does what its newer form does.
#[cfg(not(target_arch = "x86_64"))]
pub(super) static CALLS: &[Entry] = &[];

/// Each does what its newer form does.
#[cfg(target_arch = "x86_64")]
pub(super) static CALLS: &[Entry] = calls![ALLOW;
    SYS_open: "openat",
    SYS_creat: "openat",
    SYS_stat: "newfstatat",
    SYS_lstat: "newfstatat",
    SYS_access: "faccessat",
    SYS_readlink: "readlinkat",
    SYS_symlink: "symlinkat",
    SYS_link: "linkat",
    SYS_unlink: "unlinkat",
    SYS_rmdir: "unlinkat",
    SYS_mkdir: "mkdirat",
    SYS_rename: "renameat",
    SYS_chmod: "fchmodat",
    SYS_chown: "fchownat",
    SYS_lchown: "fchownat",
    SYS_utime: "utimensat",
    SYS_utimes: "utimensat",
    SYS_futimesat: "utimensat",
    SYS_getdents: "getdents64",
    SYS_dup2: "dup3",
    SYS_pipe: "pipe2",
    SYS_poll: "ppoll",
    SYS_select: "pselect6",
    SYS_epoll_create: "epoll_create1",
    SYS_epoll_wait: "epoll_pwait",
    SYS_eventfd: "eventfd2",
    SYS_signalfd: "signalfd4",
    SYS_inotify_init: "inotify_init1",
    SYS_fork: "clone without flags",
    SYS_vfork: "clone without namespaces",
    SYS_getpgrp: "getpgid",
    SYS_getrlimit: "prlimit64",
    SYS_setrlimit: "prlimit64",
    SYS_alarm: "setitimer",
    SYS_pause: "rt_sigsuspend",
    SYS_time: "clock_gettime",
    SYS_arch_prctl: "thread-local storage, and the wide registers that torch asks for",
    335 uretprobe: "made by the kernel's own return probes; refused, a process that the host traces would die",
    336 uprobe: "made by the kernel's own probes on entry; see uretprobe",
];

/// What 64-bit programs do not have.
#[cfg(target_arch = "x86_64")]
pub(super) static REFUSED: &[Entry] = calls![NOT_PERMITTED;
    SYS_modify_ldt: "segments of 16 and 32 bits, for Wine and DOSEMU; many holes",
    SYS_set_thread_area: "for programs of 32 bits",
    SYS_get_thread_area: "for programs of 32 bits",
    SYS_epoll_ctl_old: "never made",
    SYS_epoll_wait_old: "never made",
    SYS_iopl: "the host's hardware",
    SYS_ioperm: "the host's hardware",
    SYS_uselib: "gone since 5.1; was for libraries of before 1995",
    SYS_ustat: "tells of any device; statfs has what programs want",
    SYS_sysfs: "the kernel's list of file systems, by number",
    SYS__sysctl: "gone since 5.5",
];

/// What 64-bit programs do not have.
#[cfg(not(target_arch = "x86_64"))]
pub(super) static REFUSED: &[Entry] = &[];

/// What could make a device.
#[cfg(target_arch = "x86_64")]
pub(super) static DEVICES: &[Entry] =
    &[entry("mknod", libc::SYS_mknod, "fifos, sockets and plain files; see mknodat", NOT_PERMITTED).unless(
        &[Clause { checks: &[Check { argument: 1, mask: libc::S_IFMT, values: NO_DEVICE }], verdict: ALLOW }],
    )];

/// What could make a device.
#[cfg(not(target_arch = "x86_64"))]
pub(super) static DEVICES: &[Entry] = &[];
