//! What daemon and init say to each other about files.
//!
//! Init does not read or write for the daemon: it finds, checks and opens, and hands the open descriptor over. So an
//! answer is small and comes at once, whatever the file holds.
//!
//! Requests are not remembered as calls are: done again, each leads to the same state (a file that was made is opened,
//! a name that was removed is not there), and whoever asks again can tell. Remembering them would mean to keep open
//! descriptors for a daemon that is gone.

use crate::codec::{CodecError, Reader, Writer};

/// The longest path, bytes (the kernel's `PATH_MAX` without the zero byte at its end).
pub const MAX_PATH: usize = 4095;

macro_rules! numbered {
    ($(#[$doc:meta])* $type:ident, $field:literal; $($(#[$each:meta])* $name:ident = $value:literal;)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum $type { $($(#[$each])* $name = $value,)* }

        impl $type {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [$type] = &[$($type::$name,)*];

            fn decode(value: u8) -> Result<$type, CodecError> {
                match value { $($value => Ok($type::$name),)* _ => Err(CodecError::Value($field)) }
            }
        }
    };
}

numbered! {
    /// What is to be done with a file. The number is the wire's.
    FileOperation, "an operation";
    /// Open a regular file for reading.
    Read = 1;
    /// Open a directory for listing.
    List = 2;
    /// Open a regular file for writing. What it holds is left for whoever gets the descriptor to cut. A missing file is
    /// made (mode 0644), and so are missing directories above it (mode 0755).
    Write = 3;
    /// Remove a name: a file's, a link's (not what it leads to), a fifo's, an empty directory's. The descriptor is a
    /// handle to what had the name, so that init does not wait until a large file's blocks are freed.
    Remove = 4;
}

numbered! {
    /// A step on the way to a file. The number is the wire's.
    FileStep, "a step";
    /// Become the cell's user.
    User = 1;
    /// Find where relative paths start.
    Start = 2;
    /// Find what the path leads to.
    Find = 3;
    /// Find or make the directory that the path's last name is in.
    Parent = 4;
    /// Judge what it is: not what the operation is for. `EISDIR`, `ENOTDIR`, or for a fifo, socket or device `ENXIO`.
    Kind = 5;
    /// Judge where it is: on a file system whose files are the kernel's.
    FileSystem = 6;
    /// Open it.
    Open = 7;
    /// Make it.
    Create = 8;
    /// Remove it.
    Remove = 9;
}

/// Asks init to do something with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRequest {
    /// What.
    pub operation: FileOperation,
    /// The path as the cell's programs would write it: 1 to [`MAX_PATH`] bytes, any but zero.
    pub path: Vec<u8>,
}

impl FileRequest {
    /// The message's bytes.
    pub fn encode(&self) -> Vec<u8> {
        Writer::new().u8(self.operation as u8).bytes(&self.path).finish()
    }

    /// Reads the message.
    pub fn decode(bytes: &[u8]) -> Result<FileRequest, CodecError> {
        let mut read = Reader::new(bytes);
        let (operation, path) = (FileOperation::decode(read.u8()?)?, read.bytes()?);
        read.end()?;
        if path.is_empty() || path.len() > MAX_PATH || path.contains(&0) {
            return Err(CodecError::Value("a path"));
        }
        Ok(FileRequest { operation, path: path.to_vec() })
    }
}

/// What init has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDone {
    /// The absolute path in the cell of what the descriptor means, links resolved; empty if it has none.
    pub path: Vec<u8>,
    /// Whether the file was made.
    pub created: bool,
    /// The path is relative, and it started from the workspace although a kernel was named: that one's directory was
    /// not to be had.
    pub from_workspace: bool,
}

/// Why init has not done it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileFailure {
    /// The step that failed.
    pub step: FileStep,
    /// The system's error number.
    pub errno: i32,
}

/// What init answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileReply {
    /// It is done; a descriptor comes along.
    Done(FileDone),
    /// It is not done.
    Failed(FileFailure),
}

impl FileReply {
    /// The message's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        match self {
            FileReply::Done(done) => {
                out.u8(0).bytes(&done.path).bool(done.created).bool(done.from_workspace);
            }
            FileReply::Failed(failure) => {
                out.u8(1).u8(failure.step as u8).u32(failure.errno.cast_unsigned());
            }
        }
        out.finish()
    }

    /// Reads the message.
    pub fn decode(bytes: &[u8]) -> Result<FileReply, CodecError> {
        let mut read = Reader::new(bytes);
        let reply = match read.u8()? {
            0 => FileReply::Done(FileDone {
                path: read.bytes()?.to_vec(),
                created: read.bool()?,
                from_workspace: read.bool()?,
            }),
            1 => FileReply::Failed(FileFailure {
                step: FileStep::decode(read.u8()?)?,
                errno: read.u32()?.cast_signed(),
            }),
            _ => return Err(CodecError::Value("an answer")),
        };
        read.end()?;
        Ok(reply)
    }
}
