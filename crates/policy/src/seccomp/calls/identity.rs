//! Who a process is. Init gives its powers up behind this filter; for anyone else these calls give nothing, since a
//! cell's user namespace maps no other ids and holds no capabilities.

use super::{ALLOW, calls};
use crate::seccomp::rule::Entry;

/// Ids, groups, sessions, capabilities.
pub(super) static CALLS: &[Entry] = calls![ALLOW;
    SYS_getuid: "own ids",
    SYS_geteuid: "own ids",
    SYS_getgid: "own ids",
    SYS_getegid: "own ids",
    SYS_getresuid: "own ids",
    SYS_getresgid: "own ids",
    SYS_getgroups: "own ids",
    SYS_setuid: "only to ids one has",
    SYS_setgid: "only to ids one has",
    SYS_setreuid: "only to ids one has",
    SYS_setregid: "only to ids one has",
    SYS_setresuid: "init becomes the cell's user so",
    SYS_setresgid: "init becomes the cell's user so",
    SYS_setfsuid: "init acts as the cell's user so, on its files",
    SYS_setfsgid: "init acts as the cell's user so, on its files",
    SYS_setgroups: "init drops groups so",
    SYS_capget: "what one may",
    SYS_capset: "init drops capabilities so",
    SYS_getpgid: "job control",
    SYS_setpgid: "job control",
    SYS_getsid: "job control",
    SYS_setsid: "job control; subprocess(start_new_session=True)",
];
