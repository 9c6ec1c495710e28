//! Every system-call wrapper and every `unsafe` of cellblock, and nothing else.
//!
//! A module a topic. A wrapper takes and gives safe types, says what it does in the kernel's terms, and leaves the
//! decision what to do to others: nothing here knows what a cell is allowed.
//!
//! **Invariants.** Nothing allocates, locks or panics between fork and exec in a process that had threads. Each
//! `unsafe` block names the fact that makes it sound and who guarantees it.

pub mod appear;
pub mod child;
pub mod confine;
pub mod enter;
pub mod file;
pub mod inside;
pub mod landlock;
pub mod lease;
pub mod mount;
pub mod namespace;
pub mod netlink;
pub mod outer;
pub mod packet;
pub mod privilege;
pub mod process;
pub mod python;
pub mod ready;
pub mod remove;
pub mod scm;
pub mod space;
pub mod sparse;
pub mod spawn;
pub mod terminal;
pub mod tree;
