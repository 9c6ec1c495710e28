//! The table, by topic.

use super::rule::{Clause, Entry, Errno, Verdict};

mod absent;
mod events;
mod files;
mod identity;
mod ipc;
mod legacy;
mod memory;
mod net;
mod process;
mod refused;
mod time;

/// Lists calls that share a verdict. `SYS_…` takes the number from libc; a number and a name stand for calls that libc
/// does not know on every architecture (from 424 on, numbers are the same on all).
macro_rules! calls {
    ($verdict:expr; $($call:tt $($name:ident)? : $reason:literal,)*) => {
        &[$(calls!(@entry $verdict, $call $($name)?, $reason)),*]
    };
    (@entry $verdict:expr, $number:literal $name:ident, $reason:literal) => {
        super::entry(stringify!($name), $number, $reason, $verdict)
    };
    (@entry $verdict:expr, $call:ident, $reason:literal) => {
        super::entry(stringify!($call).split_at(4).1, libc::$call, $reason, $verdict)
    };
}
use calls;

/// All topics.
pub(super) static TOPICS: &[&[Entry]] = &[
    files::OPEN,
    files::NAMES,
    files::DEVICES,
    events::CALLS,
    events::CONTROL,
    memory::OWN,
    memory::MAPPED,
    process::LIFE,
    process::SCHEDULING,
    process::CONTROLLED,
    identity::CALLS,
    ipc::CALLS,
    ipc::QUEUES,
    net::CALLS,
    net::CHECKED,
    time::CALLS,
    legacy::CALLS,
    legacy::DEVICES,
    legacy::REFUSED,
    refused::KERNEL,
    refused::MOUNTS,
    refused::OTHERS,
    refused::KEPT,
    absent::CALLS,
    absent::UNLISTED,
];

/// Names that only `x86_64` has.
#[cfg(test)]
pub(super) fn only_x86_64() -> impl Iterator<Item = &'static str> {
    [legacy::CALLS, legacy::DEVICES, legacy::REFUSED].into_iter().flatten().map(|entry| entry.name)
}

const ALLOW: Verdict = Verdict::Allow;
const NOT_PERMITTED: Verdict = Verdict::Refuse(Errno::NotPermitted);
const NOT_IMPLEMENTED: Verdict = Verdict::Refuse(Errno::NotImplemented);
const NONE: &[Clause] = &[];

const fn entry(name: &'static str, number: libc::c_long, reason: &'static str, otherwise: Verdict) -> Entry {
    Entry { name, number: number as u32, reason, clauses: NONE, otherwise }
}
