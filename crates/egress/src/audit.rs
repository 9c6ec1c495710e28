//! What is told of each connection's end and of each refusal.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use policy::network::Refusal;

/// One line of the record that an operator keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// The name that was wanted, as far as it is known.
    pub name: Option<String>,
    /// The address that was wanted or reached; none for a lookup.
    pub address: Option<SocketAddr>,
    /// How it went.
    pub verdict: Verdict,
    /// Bytes that left.
    pub bytes_out: u64,
    /// Bytes that came.
    pub bytes_in: u64,
    /// How long it took.
    pub milliseconds: u64,
}

/// How a connection or a lookup ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Both sides closed it.
    Closed,
    /// One side broke it off.
    Reset,
    /// The session ended.
    Cut,
    /// It was not let through.
    Refused(Refusal),
    /// It was let through and came to nothing.
    Failed(Failure),
}

/// Why nothing answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The name has no address.
    Unresolved,
    /// No resolver answers.
    Resolver,
    /// Nobody listens there.
    Refused,
    /// Nobody answers.
    TimedOut,
    /// There is no way there.
    Unreachable,
    /// Something else.
    Other,
}

impl From<&io::Error> for Failure {
    fn from(error: &io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => Failure::Refused,
            io::ErrorKind::TimedOut => Failure::TimedOut,
            io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => Failure::Unreachable,
            _ => Failure::Other,
        }
    }
}

impl fmt::Display for Failure {
    /// Fits after the name or address and "could not be reached: ".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Failure::Unresolved => "there is no such name",
            Failure::Resolver => "the name server does not answer",
            Failure::Refused => "connection refused",
            Failure::TimedOut => "connection timed out",
            Failure::Unreachable => "no route to it",
            Failure::Other => "the connection could not be made",
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Closed => f.write_str("closed"),
            Verdict::Reset => f.write_str("reset"),
            Verdict::Cut => f.write_str("cut"),
            Verdict::Refused(refusal) => write!(f, "refused: {refusal}"),
            Verdict::Failed(failure) => write!(f, "failed: {failure}"),
        }
    }
}
