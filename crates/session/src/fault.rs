//! Why nothing came of a file operation, in words for whoever asked for it.

use std::fmt;
use std::io;

use protocol::{FileFailure, FileStep, Full, Outcome};

/// Why a file of a cell was not read, written, listed or removed. Reads well after a colon.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileFault {
    /// `ENOENT`.
    #[error("there is no such file or directory")]
    NotFound,
    /// It, or a part of the path before it, is no directory.
    #[error("it is not a directory")]
    NotADirectory,
    /// A directory, where a file is meant.
    #[error("it is a directory")]
    IsADirectory,
    /// A directory that is not empty is not removed.
    #[error("the directory is not empty")]
    NotEmpty,
    /// A fifo, a socket or a device.
    #[error("it is not a regular file")]
    Special,
    /// A file of `/proc`, or of another file system whose files are the kernel's.
    #[error("it belongs to the kernel, and is no file that is kept")]
    OfTheKernel,
    /// The cell's user may not do that.
    #[error("permission denied")]
    PermissionDenied,
    /// It lies where nobody may write.
    #[error("the file system is read-only")]
    ReadOnly,
    /// Links in a circle, or one of the kernel's own (`/proc/self/fd/0`).
    #[error("its links lead in a circle or nowhere")]
    Links,
    /// The path is longer than 4095 bytes, or a name in it than 255.
    #[error("the name is too long")]
    NameTooLong,
    /// The path is empty or holds a zero byte.
    #[error("the path is empty or holds a zero byte")]
    InvalidPath,
    /// A program that runs, a mount, or a file that somebody holds a lease on.
    #[error("it is in use")]
    Busy,
    /// There is no room for it.
    #[error("{}", Outcome::DiskFull { full: *full, limit: *limit })]
    NoSpace {
        /// What is full.
        full: Full,
        /// How much it holds, bytes.
        limit: u64,
    },
    /// What was to be written could not be read.
    #[error("its content could not be read")]
    Content(#[source] io::Error),
    /// The cell did not answer in time.
    #[error("the cell does not answer")]
    Silent,
    /// What came from the cell is not what was asked for.
    #[error("the cell handed over something else")]
    Other,
    /// Anything else that the system said.
    #[error(transparent)]
    System(io::Error),
}

/// What a failed write has left of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// It is as it was.
    Untouched,
    /// What it held is gone, and it is empty.
    Empty,
    /// What it held is gone, and it holds so many bytes of the new content, because it could not be emptied.
    Partly(u64),
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Left::Untouched => Ok(()),
            Left::Empty => f.write_str(", which is empty now"),
            Left::Partly(bytes) => write!(f, ", which holds the first {bytes} bytes now"),
        }
    }
}

impl FileFault {
    /// What init says.
    pub(crate) fn of(failure: FileFailure, limit: u64) -> FileFault {
        match failure.step {
            FileStep::FileSystem => FileFault::OfTheKernel,
            FileStep::Kind if failure.errno == libc_errno::ENXIO => FileFault::Special,
            FileStep::User
            | FileStep::Start
            | FileStep::Find
            | FileStep::Parent
            | FileStep::Kind
            | FileStep::Open
            | FileStep::Create
            | FileStep::Remove => FileFault::system(io::Error::from_raw_os_error(failure.errno), limit),
        }
    }

    /// What the system says. The limit is that of the cell's disk, bytes.
    pub(crate) fn system(error: io::Error, limit: u64) -> FileFault {
        use io::ErrorKind as Kind;
        match error.kind() {
            Kind::NotFound => FileFault::NotFound,
            Kind::NotADirectory => FileFault::NotADirectory,
            Kind::IsADirectory => FileFault::IsADirectory,
            Kind::DirectoryNotEmpty => FileFault::NotEmpty,
            Kind::PermissionDenied => FileFault::PermissionDenied,
            Kind::ReadOnlyFilesystem => FileFault::ReadOnly,
            Kind::InvalidFilename => FileFault::NameTooLong,
            Kind::WouldBlock | Kind::ResourceBusy | Kind::ExecutableFileBusy | Kind::TimedOut => {
                FileFault::Busy
            }
            Kind::StorageFull => FileFault::NoSpace { full: Full::Host, limit },
            Kind::QuotaExceeded | Kind::FileTooLarge => FileFault::NoSpace { full: Full::Cell, limit },
            _ if error.raw_os_error() == Some(libc_errno::ELOOP) => FileFault::Links,
            _ => FileFault::System(error),
        }
    }
}

/// Numbers that the standard library has no name for.
pub(crate) mod libc_errno {
    pub(crate) const ENOENT: i32 = 2;
    pub(crate) const ENXIO: i32 = 6;
    pub(crate) const EAGAIN: i32 = 11;
    pub(crate) const ELOOP: i32 = 40;
    pub(crate) const EBADMSG: i32 = 74;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_come_in_the_callers_words() {
        let said = |step, errno| FileFault::of(FileFailure { step, errno }, 32 << 20).to_string();
        for (step, errno, words) in [
            (FileStep::Find, 2, "there is no such file or directory"),
            (FileStep::Parent, 20, "it is not a directory"),
            (FileStep::Kind, 21, "it is a directory"),
            (FileStep::Kind, 6, "it is not a regular file"),
            (FileStep::FileSystem, 1, "it belongs to the kernel, and is no file that is kept"),
            (FileStep::Open, 13, "permission denied"),
            (FileStep::Remove, 1, "permission denied"),
            (FileStep::Create, 30, "the file system is read-only"),
            (FileStep::Find, 36, "the name is too long"),
            (FileStep::Find, 40, "its links lead in a circle or nowhere"),
            (FileStep::Open, 11, "it is in use"),
            (FileStep::Open, 26, "it is in use"),
            (FileStep::Remove, 16, "it is in use"),
            (FileStep::Remove, 39, "the directory is not empty"),
            (FileStep::Create, 122, "the cell's disk limit of 32 MiB was reached"),
            (FileStep::Create, 28, "the host's disk is full, and the cell's disk limit was not reached"),
        ] {
            assert_eq!(said(step, errno), words, "{step:?} {errno}");
        }
    }
}
