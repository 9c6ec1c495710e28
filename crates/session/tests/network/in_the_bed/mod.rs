//! One module for each mode.

mod none;
