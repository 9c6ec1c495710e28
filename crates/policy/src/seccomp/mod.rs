//! The system-call wall: which calls a cell may make, as data, and the filter that holds it to them.
//!
//! Every call of the kernel that is allowed is listed in [`calls`] with the reason, and so is every refused one that
//! deserves a word. What is not listed is refused with `EPERM`; calls newer than the newest listed one, and those of
//! the x32 ABI, do not exist (`ENOSYS`), so that libraries which probe for them take the older way. Only a process of
//! a foreign architecture is killed.
//!
//! **Invariants.** An entry is decided by the number and the low 32 bits of arguments, never by what a pointer points
//! to. Init runs behind the same filter, so calls that give up power (`setresuid`, `capset`, …) are allowed: that they
//! give nothing is the user namespace's doing. The calls that matter for speed are decided by their number alone.
//!
//! **Rejected.**
//! - seccompiler. It makes a linear chain and one program for each errno: this table came to six programs of together
//!   2032 instructions, and is one of 343 here. The kernel installs ours in 0.1 ms and the largest of the six alone in
//!   0.75 to 0.95 ms, which every kernel of every session would wait for. A call costs 30 ns more than without a filter
//!   (`getppid`: 136 ns, then 166 ns), and 60 ns more if it has clauses (`mmap`, `ioctl`).
//! - Several programs, for any other reason: the first that refuses seccomp(2) is the last that can be installed.
//! - Letting programs install filters of their own: see the entry for `seccomp`.
//! - Killing or trapping on a refused call: a library's probe must not end a session.
//! - User notification, which costs two switches a call and needs a process that answers.

mod bpf;
mod calls;
mod rule;
#[cfg(test)]
mod tests;

pub use bpf::{Instruction, Program};
pub use rule::{Check, Clause, Entry, Errno, Verdict};

/// The filters of a cell, in the order in which they are to be installed, after `no_new_privs`. There is one.
pub fn programs() -> Vec<Program> {
    vec![bpf::compile(table(), bpf::ARCHITECTURE)]
}

/// Every listed call, by topic.
pub fn table() -> impl Iterator<Item = &'static Entry> {
    calls::TOPICS.iter().copied().flatten()
}

/// What a cell gets when it makes this call: the table's word, or the one for what it does not list.
pub fn verdict(number: u32, arguments: &[u64; 6]) -> Verdict {
    if let Some(entry) = table().find(|entry| entry.number == number) {
        return entry.verdict(arguments);
    }
    let newest = table().map(|entry| entry.number).max();
    let known = newest.is_some_and(|newest| number < newest);
    Verdict::Refuse(if known { Errno::NotPermitted } else { Errno::NotImplemented })
}
