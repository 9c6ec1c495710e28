//! What the table is made of.

use std::fmt;

/// One system call, and what a cell gets when it makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its name, without a prefix: `openat`.
    pub name: &'static str,
    /// Its number on the architecture this was compiled for.
    pub number: u32,
    /// Why a cell may, or may not.
    pub reason: &'static str,
    /// What is decided by the arguments: the first clause that holds counts.
    pub clauses: &'static [Clause],
    /// What counts where no clause holds.
    pub otherwise: Verdict,
}

/// A verdict for some arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clause {
    /// All of these must hold.
    pub checks: &'static [Check],
    /// What counts then.
    pub verdict: Verdict,
}

/// A condition on one argument: its low 32 bits, masked, are one of some values.
///
/// Low bits only, because the kernel drops the high half of every argument that is checked here. A comparison of all
/// 64 bits would let `ioctl(fd, TIOCSTI | 1 << 32)` pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// Which argument, from 0.
    pub argument: u8,
    /// Which of its low 32 bits are looked at.
    pub mask: u32,
    /// What they may be.
    pub values: &'static [u32],
}

/// What a cell gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The call is made.
    Allow,
    /// The call is not made and fails with this.
    Refuse(Errno),
}

/// How a refused call fails. Each is what the kernel itself would answer, so that programs know what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errno {
    /// `EPERM`: not for the likes of you.
    NotPermitted,
    /// `ENOSYS`: this kernel has no such call; libraries take the older way.
    NotImplemented,
    /// `EAFNOSUPPORT`: no such family of addresses.
    NoSuchFamily,
    /// `EPROTONOSUPPORT`: no such protocol in this family.
    NoSuchProtocol,
    /// `ENOPROTOOPT`: no such socket option.
    NoSuchOption,
    /// `ENOTTY`: no such operation of this kind of file.
    NoSuchControl,
    /// `EINVAL`: no such operation of a call that has many.
    Invalid,
    /// `ENOMEM`: none of this kind of memory left.
    NoMemory,
}

impl Entry {
    /// What a cell gets for these arguments. The compiled programs say the same.
    pub fn verdict(&self, arguments: &[u64; 6]) -> Verdict {
        let holds = |check: &Check| {
            check.values.contains(&(arguments[usize::from(check.argument)] as u32 & check.mask))
        };
        let clause = self.clauses.iter().find(|clause| clause.checks.iter().all(holds));
        clause.map_or(self.otherwise, |clause| clause.verdict)
    }

    /// The same entry, decided by clauses first.
    pub(super) const fn unless(mut self, clauses: &'static [Clause]) -> Entry {
        self.clauses = clauses;
        self
    }
}

impl Errno {
    /// The number, as the kernel returns it.
    pub fn number(self) -> u16 {
        let number = match self {
            Errno::NotPermitted => libc::EPERM,
            Errno::NotImplemented => libc::ENOSYS,
            Errno::NoSuchFamily => libc::EAFNOSUPPORT,
            Errno::NoSuchProtocol => libc::EPROTONOSUPPORT,
            Errno::NoSuchOption => libc::ENOPROTOOPT,
            Errno::NoSuchControl => libc::ENOTTY,
            Errno::Invalid => libc::EINVAL,
            Errno::NoMemory => libc::ENOMEM,
        };
        number as u16
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Errno::NotPermitted => "EPERM",
            Errno::NotImplemented => "ENOSYS",
            Errno::NoSuchFamily => "EAFNOSUPPORT",
            Errno::NoSuchProtocol => "EPROTONOSUPPORT",
            Errno::NoSuchOption => "ENOPROTOOPT",
            Errno::NoSuchControl => "ENOTTY",
            Errno::Invalid => "EINVAL",
            Errno::NoMemory => "ENOMEM",
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Allow => f.write_str("allowed"),
            Verdict::Refuse(errno) => write!(f, "{errno}"),
        }
    }
}
