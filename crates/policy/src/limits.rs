//! How much a cell may have.

use protocol::codec::{CodecError, Reader, Writer};

/// What one cell may use at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Processors' worth of time; thread pools are made this large.
    pub cpus: u32,
    /// Memory of all its processes together, bytes; no swap.
    pub memory: u64,
    /// Processes and threads.
    pub processes: u32,
    /// What it may keep on disk, bytes.
    pub disk: u64,
    /// What one call may print before the rest goes to a file, bytes.
    pub output: u64,
    /// How long one call may take, ms.
    pub call_ms: u64,
    /// How long an interrupted call has to come to an end before its kernel is killed, ms.
    pub grace_ms: u64,
}

impl Limits {
    /// How much each of a cell's file systems in memory holds (`/tmp`, `/dev/shm`), bytes.
    pub fn in_memory(&self) -> u64 {
        self.memory / 2
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            cpus: 2,
            memory: 4 << 30,
            processes: 512,
            disk: 10 << 30,
            output: 4 << 20,
            call_ms: 15 * 60 * 1000,
            grace_ms: 3000,
        }
    }
}

/// One resource limit of a process, as setrlimit takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rlimit {
    /// Which; the number of the system's `RLIMIT_…`.
    pub resource: Resource,
    /// Where the kernel begins to refuse.
    pub soft: u64,
    /// How far the process may raise it.
    pub hard: u64,
}

/// A resource that is limited; the value is Linux's number on `x86_64` and `aarch64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Resource {
    /// The largest file, bytes.
    FileSize = 1,
    /// The largest core file, bytes.
    Core = 4,
    /// Processes and threads of the user, counted in the cell's own user namespace.
    Processes = 6,
    /// Open descriptors.
    OpenFiles = 7,
    /// Locked memory, bytes.
    LockedMemory = 8,
    /// Signals that may wait.
    PendingSignals = 11,
    /// POSIX message queues, bytes.
    MessageQueues = 12,
    /// Real-time priority.
    RealTimePriority = 14,
}

impl Resource {
    const ALL: [Resource; 8] = [
        Resource::FileSize,
        Resource::Core,
        Resource::Processes,
        Resource::OpenFiles,
        Resource::LockedMemory,
        Resource::PendingSignals,
        Resource::MessageQueues,
        Resource::RealTimePriority,
    ];
}

/// The resource limits under all other limits.
///
/// Absent on purpose: the address space (`RLIMIT_AS` breaks V8 and torch, which reserve far more than they use).
pub fn rlimits(limits: &Limits) -> Vec<Rlimit> {
    let fixed = |resource, value| Rlimit { resource, soft: value, hard: value };
    vec![
        fixed(Resource::FileSize, limits.disk),
        // Not 0: the kernel starts a piped core pattern's program for 0 and refuses only from 1 on.
        fixed(Resource::Core, 1),
        fixed(Resource::Processes, u64::from(limits.processes)),
        // Many libraries walk all descriptors up to the soft limit; servers raise it themselves.
        Rlimit { resource: Resource::OpenFiles, soft: 4096, hard: 65536 },
        fixed(Resource::LockedMemory, 8 << 20),
        fixed(Resource::PendingSignals, 4096),
        fixed(Resource::MessageQueues, 819_200),
        fixed(Resource::RealTimePriority, 0),
    ]
}

impl Rlimit {
    pub(crate) fn write(self, out: &mut Writer) {
        out.u8(self.resource as u8).u64(self.soft).u64(self.hard);
    }

    pub(crate) fn read(read: &mut Reader) -> Result<Rlimit, CodecError> {
        let number = read.u8()?;
        let resource =
            Resource::ALL.into_iter().find(|r| *r as u8 == number).ok_or(CodecError::Value("a resource"))?;
        Ok(Rlimit { resource, soft: read.u64()?, hard: read.u64()? })
    }
}
