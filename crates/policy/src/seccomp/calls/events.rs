//! Waiting for things, and talking to devices.

use super::{ALLOW, NOT_PERMITTED, calls, entry};
use crate::seccomp::rule::{Check, Clause, Entry, Errno, Verdict};

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

/// How a file answers that has no such operation.
const NO_CONTROL: Verdict = Verdict::Refuse(Errno::NoSuchControl);

/// The second byte of an operation says whose it is: `T` is for terminals, and also has what every file can do (do not
/// block, close on exec, how much there is to read); 0x89 is for sockets.
const TERMINALS_AND_SOCKETS: Check =
    Check { argument: 1, mask: 0xff00, values: &[(b'T' as u32) << 8, 0x89 << 8] };

/// Of files: `FICLONE` and `FICLONERANGE`, by which cp, git and npm share what they copy, and `FS_IOC_GETFLAGS`.
const FILES: Check = Check { argument: 1, mask: u32::MAX, values: &[0x4004_9409, 0x4020_940d, 0x8008_6601] };

/// Devices.
pub(super) static CONTROL: &[Entry] = &[entry(
    "ioctl",
    libc::SYS_ioctl,
    "terminals, sockets, non-blocking files, copies that share; refused: typing into a terminal that others read, the \
     console's clipboard, line disciplines, which load modules, and whatever else drivers and file systems offer",
    NO_CONTROL,
)
.unless(&[
    Clause {
        checks: &[Check {
            argument: 1,
            mask: u32::MAX,
            values: &[libc::TIOCSTI as u32, LINUX_CONSOLE, SET_LINE_DISCIPLINE],
        }],
        verdict: NOT_PERMITTED,
    },
    Clause { checks: &[TERMINALS_AND_SOCKETS], verdict: ALLOW },
    Clause { checks: &[FILES], verdict: ALLOW },
])];
