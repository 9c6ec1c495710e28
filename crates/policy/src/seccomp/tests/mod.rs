//! The table against the programs, and the programs against the kernel.

mod aarch64;
mod interpreter;
mod live;
#[cfg(target_arch = "x86_64")]
mod page;
mod table;
