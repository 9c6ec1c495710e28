//! Reading clocks, sleeping, timers.

use super::{ALLOW, calls};
use crate::seccomp::rule::Entry;

/// Nothing here sets a clock.
pub(super) static CALLS: &[Entry] = calls![ALLOW;
    SYS_clock_gettime: "the time",
    SYS_clock_getres: "how fine a clock is",
    SYS_clock_nanosleep: "sleeps",
    SYS_nanosleep: "sleeps",
    SYS_gettimeofday: "the time",
    SYS_getitimer: "signal.setitimer",
    SYS_setitimer: "signal.setitimer",
    SYS_timer_create: "timers",
    SYS_timer_settime: "timers",
    SYS_timer_gettime: "timers",
    SYS_timer_getoverrun: "timers",
    SYS_timer_delete: "timers",
];
