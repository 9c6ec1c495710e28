//! The terminal that a descriptor is, if it is one.

use std::io;
use std::os::fd::AsFd;

use rustix::termios::{self, OptionalActions, Termios};

/// How many columns and rows it shows; `None` for what is no terminal, or does not say.
pub fn size(terminal: impl AsFd) -> Option<(u16, u16)> {
    let size = termios::tcgetwinsize(terminal).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

/// How a terminal treats its lines.
#[derive(Debug, Clone)]
pub struct Mode(Termios);

impl Mode {
    /// As it is now.
    pub fn of(terminal: impl AsFd) -> io::Result<Mode> {
        Ok(Mode(termios::tcgetattr(terminal)?))
    }

    /// Makes it so again, at once.
    pub fn restore(&self, terminal: impl AsFd) -> io::Result<()> {
        Ok(termios::tcsetattr(terminal, OptionalActions::Now, &self.0)?)
    }
}
