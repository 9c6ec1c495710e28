//! One cell's cgroup.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::discover::Version;
use super::files::{self, PROCS};
use super::place::{Branch, Use};
use super::{Controller, Error, Result, kill};

/// How long a share of processor time is measured, µs; the kernel's own default.
pub(super) const PERIOD: u32 = 100_000;
/// The least quota that the kernel takes, µs.
const LEAST_QUOTA: u64 = 1000;
/// Version 1: memory and swap together.
pub(super) const SWAP_V1: &str = "memory.memsw.limit_in_bytes";

/// What one cell may use. What the host cannot limit is not limited, see [`Support`](super::Support).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CgroupLimits {
    /// Memory of all processes, bytes; no swap.
    pub memory_bytes: u64,
    /// Processors' worth of time, at least 0.01.
    pub cpus: f64,
    /// Processes and threads.
    pub processes: u32,
}

impl From<&policy::Limits> for CgroupLimits {
    fn from(limits: &policy::Limits) -> CgroupLimits {
        CgroupLimits {
            memory_bytes: limits.memory,
            cpus: f64::from(limits.cpus),
            processes: limits.processes,
        }
    }
}

/// One cell's cgroup. Dropping it changes nothing; [`CellGroup::remove`] ends it.
#[derive(Debug)]
pub struct CellGroup {
    version: Version,
    branches: Vec<Branch>,
    ceiling: Option<u64>,
    /// Version 2: the file through which the peak was last reset; reads through it count from then.
    peak: Mutex<Option<File>>,
}

impl CellGroup {
    pub(super) fn new(version: Version, branches: Vec<Branch>, ceiling: Option<u64>) -> CellGroup {
        CellGroup { version, branches, ceiling, peak: Mutex::new(None) }
    }

    /// Changes the limits, also of a living cell. Fails if it uses more memory already (version 1) or else makes the
    /// kernel kill for it (version 2).
    pub fn set_limits(&self, limits: &CgroupLimits) -> Result<()> {
        if let Some(dir) = self.dir(Use::Limit(Controller::Memory)) {
            limit_memory(self.version, dir, Some(limits.memory_bytes))?;
        }
        if let Some(dir) = self.dir(Use::Limit(Controller::Pids)) {
            files::write(&dir.join("pids.max"), &limits.processes)?;
        }
        if let Some(dir) = self.dir(Use::Limit(Controller::Cpu)) {
            let quota = (limits.cpus * f64::from(PERIOD)) as u64;
            let quota = quota.min(self.ceiling.unwrap_or(u64::MAX)).max(LEAST_QUOTA);
            if self.version == Version::V2 {
                files::write(&dir.join("cpu.max"), &format_args!("{quota} {PERIOD}"))?;
            } else {
                files::write(&dir.join("cpu.cfs_period_us"), &PERIOD)?;
                files::write(&dir.join("cpu.cfs_quota_us"), &quota)?;
            }
        }
        Ok(())
    }

    /// The doors into the cgroup: a process that writes `0` to each has joined it. One for version 2, one a tree for
    /// version 1. Whoever holds one needs no right of its own; the kernel looks at who opened it.
    pub fn join_fds(&self) -> Result<Vec<OwnedFd>> {
        let open = |branch: &Branch| {
            let path = branch.dir.join(PROCS);
            let opened = files::open(&path).map(OwnedFd::from);
            opened.map_err(|source| Error::Write { path, value: "0".to_owned(), source })
        };
        self.branches.iter().map(open).collect()
    }

    /// Memory in use, bytes; `None` where it is not counted.
    pub fn memory_current(&self) -> Result<Option<u64>> {
        self.memory_number("memory.usage_in_bytes", "memory.current")
    }

    /// The most memory that was in use since the cgroup was made or [`CellGroup::reset_memory_peak`], bytes; `None`
    /// where it is not counted (version 2 counts it since 5.19).
    pub fn memory_peak(&self) -> Result<Option<u64>> {
        let mut held = self.peak.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = held.as_mut() {
            let mut text = String::new();
            let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
            return match read {
                Ok(_) => Ok(text.trim().parse().ok()),
                Err(source) => Err(Error::Read { path: self.branches[0].dir.join("memory.peak"), source }),
            };
        }
        drop(held);
        self.memory_number("memory.max_usage_in_bytes", "memory.peak")
    }

    /// Lets the peak count from now. Gives whether that is possible: version 2 can since 6.12.
    pub fn reset_memory_peak(&self) -> Result<bool> {
        let Some(dir) = self.dir(Use::Limit(Controller::Memory)) else { return Ok(false) };
        if self.version == Version::V1 {
            files::write(&dir.join("memory.max_usage_in_bytes"), &0)?;
            return Ok(true);
        }
        // The reset holds for readers of this very open file. Older kernels have no such file or let nobody write it.
        let Ok(mut file) = OpenOptions::new().read(true).write(true).open(dir.join("memory.peak")) else {
            return Ok(false);
        };
        if file.write_all(b"reset").is_err() {
            return Ok(false);
        }
        *self.peak.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
        Ok(true)
    }

    /// How often the kernel killed a process of this cell for want of memory; only grows. 0 where it holds no memory
    /// limit, since then it kills nobody for it.
    pub fn oom_kills(&self) -> Result<u64> {
        let Some(dir) = self.dir(Use::Limit(Controller::Memory)) else { return Ok(0) };
        let file = if self.version == Version::V1 { "memory.oom_control" } else { "memory.events" };
        Ok(files::keyed(&dir.join(file), "oom_kill")?.unwrap_or(0))
    }

    /// How often a process or thread was refused for the limit; only grows. 0 where the kernel holds no such limit.
    pub fn pids_refused(&self) -> Result<u64> {
        let Some(dir) = self.dir(Use::Limit(Controller::Pids)) else { return Ok(0) };
        Ok(files::keyed(&dir.join("pids.events"), "max")?.unwrap_or(0))
    }

    /// Processor time that all processes have used; `None` where it is not counted.
    pub fn cpu_usage(&self) -> Result<Option<Duration>> {
        let Some(dir) = self.dir(Use::CpuTime) else { return Ok(None) };
        if self.version == Version::V1 {
            Ok(files::number(&dir.join("cpuacct.usage"))?.map(Duration::from_nanos))
        } else {
            Ok(files::keyed(&dir.join("cpu.stat"), "usage_usec")?.map(Duration::from_micros))
        }
    }

    /// Sends every process SIGKILL, however fast they fork. They may take a while to die. Afterwards the cgroup is good
    /// for nothing but removal: nothing can be started in it.
    pub fn kill_all(&self) -> Result<()> {
        kill::all(&self.branches)
    }

    /// Kills what is still in it, waits up to 10 s for that to die, and removes it.
    pub fn remove(self) -> Result<()> {
        kill::all(&self.branches)?;
        let mut failed = None;
        for branch in &self.branches {
            if let Err(error) = kill::remove(&self.branches, &branch.dir) {
                failed = failed.or(Some(error));
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn dir(&self, good: Use) -> Option<&Path> {
        let branch = self.branches.iter().find(|branch| branch.uses.contains(&good))?;
        Some(&branch.dir)
    }

    fn memory_number(&self, one: &str, two: &str) -> Result<Option<u64>> {
        let Some(dir) = self.dir(Use::Limit(Controller::Memory)) else { return Ok(None) };
        let path: PathBuf = dir.join(if self.version == Version::V1 { one } else { two });
        match files::number(&path) {
            Err(Error::Read { source, .. }) if files::gone(&source) && dir.exists() => Ok(None),
            other => other,
        }
    }
}

/// Limits memory, without swap on top of it.
pub(super) fn limit_memory(version: Version, dir: &Path, bytes: Option<u64>) -> Result<()> {
    if version == Version::V2 {
        let swap = dir.join("memory.swap.max");
        // Absent where the kernel has no swap to count.
        if swap.exists() {
            files::write(&swap, &0)?;
        }
        return match bytes {
            Some(bytes) => files::write(&dir.join("memory.max"), &bytes),
            None => files::write(&dir.join("memory.max"), &"max"),
        };
    }
    let value = bytes.map_or("-1".to_owned(), |bytes| bytes.to_string());
    let both = dir.join(SWAP_V1);
    let counted = both.exists();
    if counted {
        // The sum may never be below memory alone, also for a moment.
        files::write(&both, &-1)?;
    }
    files::write(&dir.join("memory.limit_in_bytes"), &value)?;
    if counted {
        files::write(&both, &value)?;
    }
    Ok(())
}
