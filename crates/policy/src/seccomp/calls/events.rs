//! Waiting for things, and talking to devices.

use super::{ALLOW, NOT_PERMITTED, calls, entry};
use crate::seccomp::rule::{Check, Clause, Entry};

/// Waiting.
pub(super) static CALLS: &[Entry] = calls![ALLOW;
    SYS_ppoll: "waits for descriptors",
    SYS_pselect6: "waits for descriptors",
    SYS_epoll_create1: "asyncio, libuv, tokio",
    SYS_epoll_ctl: "asyncio, libuv, tokio",
    SYS_epoll_pwait: "asyncio, libuv, tokio",
    SYS_epoll_pwait2: "the same in nanoseconds",
    SYS_eventfd2: "wakes an event loop",
    SYS_signalfd4: "signals in an event loop",
    SYS_timerfd_create: "timers in an event loop",
    SYS_timerfd_settime: "timers in an event loop",
    SYS_timerfd_gettime: "timers in an event loop",
    SYS_pipe2: "subprocess, and everything else",
];

/// `TIOCSETD` is not in libc for every target; asm-generic/ioctls.h.
const SET_LINE_DISCIPLINE: u32 = 0x5423;
/// `TIOCLINUX`, asm-generic/ioctls.h.
const LINUX_CONSOLE: u32 = 0x541c;

/// Devices.
pub(super) static CONTROL: &[Entry] = &[entry(
    "ioctl",
    libc::SYS_ioctl,
    "terminals, sockets, non-blocking files; refused: typing into a terminal that others read, the console's \
     clipboard, and line disciplines, which load modules",
    ALLOW,
)
.unless(&[Clause {
    checks: &[Check {
        argument: 1,
        mask: u32::MAX,
        values: &[libc::TIOCSTI as u32, LINUX_CONSOLE, SET_LINE_DISCIPLINE],
    }],
    verdict: NOT_PERMITTED,
}])];
