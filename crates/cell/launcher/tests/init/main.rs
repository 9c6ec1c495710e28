//! Init's loop as an ordinary process, with a daemon and kernels that behave, and some that do not.

mod calls;
mod commands;
mod files;
mod harness;
mod hostile;
mod life;
