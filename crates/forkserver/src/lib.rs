//! Runs warm interpreters, and forks kernels from them into cells.
//!
//! A [`Forkserver`] is a Python process outside all cells that has imported and exercised what kernels need. Asked for
//! a kernel, it forks once; the copy becomes a process of the cell's. Its Python half is `cellblock_kernel/forkserver.py`,
//! its native half, [`HELPER`], is embedded here, and how a process gets into a cell is told in `sys::enter`.
//!
//! **Invariants.** A forkserver has one thread, no network, and never runs what a user wrote: every byte of it can be
//! read by every cell that has a kernel from it. No kernel depends on its life: it can be killed at any moment, what
//! was asked of it then ends with an error that says so, and another one can be asked instead. It never waits for a
//! kernel, and for a cell at most two seconds, if somebody in there tries to hold it up.
//!
//! Rejected: a fork server that joins cells itself and comes back (without privilege on the host there is no way
//! back), and one fork more instead of the shared memory (it copies the page tables twice).

mod client;
mod error;
mod warm;

pub use client::{Forkserver, KernelEnds, Target, Warm};
pub use error::{Error, Result, Step};
pub use warm::WarmSet;

/// The native half: a shared library that is installed beside the kernels' sources, as [`HELPER_NAME`].
pub const HELPER: &[u8] = include_bytes!(env!("CELLBLOCK_FORKSERVER_HELPER"));

/// Where `forkserver.py` looks for the native half, below the runtime's directory.
pub const HELPER_NAME: &str = "libcellblock_forkserver.so";
