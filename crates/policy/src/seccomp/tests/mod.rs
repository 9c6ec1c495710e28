//! The table against the programs, and the programs against the kernel.

mod interpreter;
mod live;
mod table;
