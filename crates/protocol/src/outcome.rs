//! How a tool call ends: one closed list, the same on every wire.

use std::fmt;

/// Whether the interpreter's variables outlived the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Survival {
    /// They are there for the next call.
    Kept,
    /// They are gone; the next call gets a fresh kernel and is told so.
    Lost,
}

/// How a tool call ended. Files of the workspace outlive every one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Ran to the end.
    Ok,
    /// The code raised; the traceback is in the report.
    Raised,
    /// The code ended the interpreter, with this status.
    Exited {
        /// As the shell would see it, 0 to 255.
        status: i32,
    },
    /// The call's time was up: interrupted first, killed after a grace period.
    TimedOut {
        /// The limit, ms.
        limit_ms: u64,
        /// Whether the interrupt sufficed.
        variables: Survival,
    },
    /// The client asked for it; the same path as [`Outcome::TimedOut`].
    Interrupted {
        /// Whether the interrupt sufficed.
        variables: Survival,
    },
    /// The cell's memory limit killed the kernel.
    OutOfMemory {
        /// The limit, bytes.
        limit: u64,
        /// The most that the cell used, bytes, where it is known.
        peak: Option<u64>,
    },
    /// The kernel died of a signal, or left without a word.
    Crashed {
        /// The signal, if it was one.
        signal: Option<i32>,
        /// What is known, as a sentence.
        detail: String,
    },
    /// Ran to the end, and said more than the limit: the rest is in a file of the workspace.
    TooMuchOutput {
        /// The limit, bytes.
        limit: u64,
        /// All that was written, bytes.
        written: u64,
        /// The file in the workspace that holds it.
        file: Option<String>,
    },
    /// There was no space left.
    DiskFull {
        /// Where.
        full: Full,
        /// How much it holds, bytes; of a host's disk, what the cell might have used.
        limit: u64,
    },
    /// The session was stopped, or its time ran out, during the call.
    SessionEnded,
}

/// What had no space left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The cell's share of the disk.
    Cell,
    /// A file system of the cell that is in memory: where it is.
    Memory(&'static str),
    /// The disk that the host gives to all cells.
    Host,
}

impl Outcome {
    /// The outcome's name on every wire.
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Raised => "raised",
            Outcome::Exited { .. } => "exited",
            Outcome::TimedOut { .. } => "timed_out",
            Outcome::Interrupted { .. } => "interrupted",
            Outcome::OutOfMemory { .. } => "out_of_memory",
            Outcome::Crashed { .. } => "crashed",
            Outcome::TooMuchOutput { .. } => "too_much_output",
            Outcome::DiskFull { .. } => "disk_full",
            Outcome::SessionEnded => "session_ended",
        }
    }

    /// Whether variables survived.
    pub fn variables(&self) -> Survival {
        match self {
            Outcome::Ok | Outcome::Raised | Outcome::TooMuchOutput { .. } | Outcome::DiskFull { .. } => {
                Survival::Kept
            }
            Outcome::TimedOut { variables, .. } | Outcome::Interrupted { variables } => *variables,
            Outcome::Exited { .. }
            | Outcome::OutOfMemory { .. }
            | Outcome::Crashed { .. }
            | Outcome::SessionEnded => Survival::Lost,
        }
    }
}

impl fmt::Display for Outcome {
    /// A sentence for a person or a model: what happened, without what survived.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Ok => f.write_str("ran to the end"),
            Outcome::Raised => f.write_str("the code raised an exception"),
            Outcome::Exited { status } => write!(f, "the code ended the interpreter with status {status}"),
            Outcome::TimedOut { limit_ms, .. } => {
                write!(f, "stopped: the call took longer than its limit of {}", Seconds(*limit_ms))
            }
            Outcome::Interrupted { .. } => f.write_str("interrupted on request"),
            Outcome::OutOfMemory { limit, peak } => {
                write!(f, "killed: the cell's memory limit of {} was reached", Mebibytes(*limit))?;
                match peak {
                    Some(peak) => write!(f, " (peak {})", Mebibytes(*peak)),
                    None => Ok(()),
                }
            }
            Outcome::Crashed { detail, .. } => write!(f, "the interpreter crashed: {detail}"),
            Outcome::TooMuchOutput { limit, written, file } => {
                write!(f, "output cut: {written} bytes were written, and {limit} is the limit")?;
                match file {
                    Some(file) => write!(f, "; all of it is in `{file}`"),
                    None => Ok(()),
                }
            }
            Outcome::DiskFull { full: Full::Cell, limit } => {
                write!(f, "the cell's disk limit of {} was reached", Mebibytes(*limit))
            }
            Outcome::DiskFull { full: Full::Host, .. } => {
                f.write_str("the host's disk is full, and the cell's disk limit was not reached")
            }
            Outcome::DiskFull { full: Full::Memory(place), limit } => {
                write!(f, "`{place}` is full: it is in memory and holds {}", Mebibytes(*limit))
            }
            Outcome::SessionEnded => f.write_str("the session ended during the call"),
        }
    }
}

struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1000) {
            write!(f, "{} s", self.0 / 1000)
        } else {
            write!(f, "{}.{:03} s", self.0 / 1000, self.0 % 1000)
        }
    }
}

struct Mebibytes(u64);

impl fmt::Display for Mebibytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} MiB", self.0 >> 20)
    }
}
