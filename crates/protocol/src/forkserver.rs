//! What daemon and forkserver say to each other.
//!
//! ```text
//! daemon ── Request, descriptors ──▶ forkserver        control socket, SEQPACKET
//! daemon ◀── Hello ───────────────── forkserver        once, when it is warm
//! daemon ◀── Report ──────────────── forkserver        the pipe that came with the request
//! daemon ◀── Report ──────────────── kernel process    the same
//! ```
//!
//! A request brings the writing end of its own pipe. The forkserver says that nothing was forked, or that it has done
//! its part; the kernel process says that it is confined, or why not. These two come in any order. So the forkserver
//! waits for nobody, answers need no numbers, and when whoever should have answered is dead the pipe ends.

use crate::codec::{CodecError, Reader, Writer};

/// The longest request, bytes.
pub const MAX_REQUEST: usize = 128 << 10;

/// Descriptors of a request before those of its cgroups: init's pidfd, the kernel's stdout, stderr and socket, and
/// the pipe for the report.
pub const DESCRIPTORS: usize = 5;

/// Asks for a kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What the kernel process takes on: an encoded `policy::Confinement`.
    pub confinement: Vec<u8>,
    /// Its environment, `NAME=value`.
    pub variables: Vec<String>,
}

impl Request {
    /// The message's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.bytes(&self.confinement);
        out.list(self.variables.iter(), |w, variable| _ = w.str(variable));
        out.finish()
    }

    /// Reads the message.
    pub fn decode(bytes: &[u8]) -> Result<Request, CodecError> {
        let mut read = Reader::new(bytes);
        let confinement = read.bytes()?.to_vec();
        let variables = read.list(|r| r.str().map(str::to_owned))?;
        read.end()?;
        if variables.iter().any(|variable| variable.contains('\0') || !variable.contains('=')) {
            return Err(CodecError::Value("the environment"));
        }
        Ok(Request { confinement, variables })
    }
}

/// The forkserver's first and only words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hello {
    /// It is warm.
    Ready {
        /// The interpreter's version, e.g. `3.12.11`.
        version: String,
        /// Top-level modules that kernels need not import any more.
        modules: Vec<String>,
        /// Its memory, KiB.
        memory_kib: u64,
    },
    /// It could not get warm, and ends. What the interpreter said.
    Failed(String),
}

impl Hello {
    /// Reads the message, which the forkserver's Python half writes.
    pub fn decode(bytes: &[u8]) -> Result<Hello, CodecError> {
        let mut read = Reader::new(bytes);
        let hello = match read.u8()? {
            0 => Hello::Failed(read.str()?.to_owned()),
            1 => Hello::Ready {
                version: read.str()?.to_owned(),
                modules: read.list(|r| r.str().map(str::to_owned))?,
                memory_kib: read.u64()?,
            },
            _ => return Err(CodecError::Value("a hello")),
        };
        read.end()?;
        Ok(hello)
    }
}

macro_rules! steps {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $words:literal;)*) => {
        /// A step on the way from a request to a confined kernel process. The number is the wire's.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Step { $($(#[$doc])* $name = $value,)* }

        impl Step {
            fn from_u8(value: u8) -> Option<Step> {
                match value { $($value => Some(Step::$name),)* _ => None }
            }
        }

        impl std::fmt::Display for Step {
            /// The step in words that fit after "failed to".
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $(Step::$name => $words,)* })
            }
        }
    };
}

steps! {
    /// Reading the request.
    Request = 1, "read the request";
    /// Being alone: the forkserver has threads.
    Alone = 2, "fork a forkserver that has threads";
    /// Forking, outside and inside.
    Fork = 3, "fork";
    /// Joining the PID namespace.
    PidNamespace = 4, "join the cell's PID namespace";
    /// Joining the cgroups.
    Cgroup = 5, "join the cell's cgroup";
    /// Closing descriptors.
    Descriptors = 6, "put its descriptors in order";
    /// Joining the other namespaces.
    Namespaces = 7, "join the cell's namespaces";
    /// Beginning a process session.
    Session = 8, "begin a session";
    /// Setting resource limits.
    Limits = 9, "limit its resources";
    /// Choosing processors.
    Processors = 10, "choose its processors";
    /// Leaving supplementary groups.
    Groups = 11, "leave its groups";
    /// Changing user and group.
    Ids = 12, "become the cell's user";
    /// Dropping capabilities.
    Capabilities = 13, "drop its capabilities";
    /// Giving up new privileges.
    NoNewPrivileges = 14, "give up new privileges";
    /// Moving to the workspace.
    Directory = 15, "enter the workspace";
    /// Installing a system-call filter.
    Filter = 16, "install a system-call filter";
    /// Laying rules about paths upon itself.
    Landlock = 17, "confine itself to its paths";
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// From the forkserver: the rest is between the kernel process and its cell.
    Handed,
    /// From the kernel process: it is confined, and has this id inside the cell.
    Entered(u32),
    /// There is no kernel process.
    Failed {
        /// The step that failed.
        step: Step,
        /// The system's error number.
        errno: i32,
    },
}

impl Report {
    /// Bytes of a report.
    pub const LEN: usize = 5;

    /// The report's bytes.
    pub fn encode(self) -> [u8; Report::LEN] {
        let (step, value) = match self {
            Report::Handed => (255, 0),
            Report::Entered(pid) => (0, pid),
            Report::Failed { step, errno } => (step as u8, errno.cast_unsigned()),
        };
        let [a, b, c, d] = value.to_le_bytes();
        [step, a, b, c, d]
    }

    /// Reads a report; `None` if it is none.
    pub fn decode(bytes: [u8; Report::LEN]) -> Option<Report> {
        let [step, value @ ..] = bytes;
        let value = u32::from_le_bytes(value);
        Some(match step {
            0 => Report::Entered(value),
            255 => Report::Handed,
            step => Report::Failed { step: Step::from_u8(step)?, errno: value.cast_signed() },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reads_back() {
        let request = Request { confinement: vec![1, 2, 3], variables: vec!["A=1".into(), "B==".into()] };
        assert_eq!(Request::decode(&request.encode()), Ok(request));
    }

    #[test]
    fn a_variable_that_would_be_two_or_none_is_refused() {
        for variable in ["A=1\0B=2", "A", ""] {
            let request = Request { confinement: Vec::new(), variables: vec![variable.to_owned()] };
            assert_eq!(Request::decode(&request.encode()), Err(CodecError::Value("the environment")));
        }
    }

    #[test]
    fn a_report_reads_back() {
        for report in [Report::Handed, Report::Entered(7), Report::Failed { step: Step::Filter, errno: 22 }] {
            assert_eq!(Report::decode(report.encode()), Some(report));
        }
        assert_eq!(Report::decode([200, 0, 0, 0, 0]), None);
    }

    #[test]
    fn a_hello_is_read() {
        let mut bytes = Writer::new();
        bytes.u8(1).str("3.12.11").list(["numpy"].iter(), |w, name| _ = w.str(name)).u64(1024);
        let ready =
            Hello::Ready { version: "3.12.11".into(), modules: vec!["numpy".into()], memory_kib: 1024 };
        assert_eq!(Hello::decode(&bytes.finish()), Ok(ready));
        assert_eq!(Hello::decode(&Writer::new().u8(0).str("why").finish()), Ok(Hello::Failed("why".into())));
        assert_eq!(Hello::decode(&[9]), Err(CodecError::Value("a hello")));
    }
}
