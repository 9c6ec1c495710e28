//! Who wants a program to stop, and the exit status that tells it.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Why the program is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Somebody pressed Ctrl-C.
    Interrupt,
    /// Somebody wants this process to end.
    Terminate,
    /// Nobody reads its output.
    BrokenPipe,
}

pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    pub(crate) fn new() -> io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    pub(crate) async fn next(&mut self) -> Stop {
        tokio::select! {
            _ = self.interrupt.recv() => Stop::Interrupt,
            _ = self.terminate.recv() => Stop::Terminate,
            _ = self.hang_up.recv() => Stop::Terminate,
        }
    }
}

/// The exit status of a program that somebody stopped before it ran, or whose output nobody reads.
pub(crate) fn stopped(stop: Stop) -> u8 {
    match stop {
        Stop::Interrupt => 130,
        Stop::Terminate => 143,
        Stop::BrokenPipe => 141,
    }
}
