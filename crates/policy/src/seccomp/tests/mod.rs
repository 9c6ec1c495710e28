//! The table against the programs, and the programs against the kernel.

mod aarch64;
mod interpreter;
mod live;
mod table;
