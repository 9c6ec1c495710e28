//! One module for each mode, and for what is the same in all of them.

mod allow;
mod alone;
mod dns;
mod internet;
mod limits;
mod none;
