//! Outside of the bed: makes the first namespaces and waits.
//!
//! The bed's processes live in a PID namespace of their own, whose PID 1 (`init`) dies with this process, however that
//! ends; the kernel then ends all others, and with them go namespaces and mounts. What is on a disk of the host is one
//! empty directory.

use std::ffi::OsString;
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::{env, fs};

use anyhow::{Context, Result, bail};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::thread::{CapabilitySet, capabilities, configure_capability_in_ambient_set, set_capabilities};
use sys::namespace::{unshare_children, unshare_user};

use crate::world;

/// How to run a bed.
#[derive(Debug, Default)]
pub struct Options {
    /// Whether packets are written down. Not where bytes are counted in gigabits.
    pub capture: bool,
    /// The Python that runs the servers.
    pub python: Option<PathBuf>,
}

/// What `init` may, besides what the user may: mounts and namespaces, interfaces, packet sockets, low ports.
pub(crate) const CAPABILITIES: [CapabilitySet; 4] = [
    CapabilitySet::SYS_ADMIN,
    CapabilitySet::NET_ADMIN,
    CapabilitySet::NET_RAW,
    CapabilitySet::NET_BIND_SERVICE,
];

/// Runs a command in a new bed, and gives its exit status as a shell would tell it.
pub fn run(options: &Options, command: &[OsString]) -> Result<u8> {
    if command.is_empty() {
        bail!("a command is missing; see `--help`");
    }
    let python = world::python(options.python.as_deref())?;
    let directory = Directory::create()?;
    let (uid, gid) = sys::file::own_ids();
    if uid != 0 {
        unshare_user().context("make a user namespace")?;
        fs::write("/proc/self/setgroups", "deny").context("give up groups")?;
        fs::write("/proc/self/uid_map", format!("{uid} {uid} 1")).context("map the user")?;
        fs::write("/proc/self/gid_map", format!("{gid} {gid} 1")).context("map the group")?;
        keep_through_exec().context("keep capabilities")?;
    }
    unshare_children().context("make a PID namespace")?;
    // `init` reads the end of it when this process is gone.
    let (life, held) = pipe_with(PipeFlags::CLOEXEC)?;
    fcntl_setfd(&life, FdFlags::empty())?;
    let status = Command::new(env::current_exe()?)
        .arg("init")
        .arg(life.as_raw_fd().to_string())
        .arg(&directory.0)
        .arg(&python)
        .arg(if options.capture { "capture" } else { "-" })
        .args(command)
        .status()
        .context("start the bed's PID 1")?;
    drop(held);
    Ok(code(status))
}

/// A program started by an ordinary user would lose the capabilities of the user namespace otherwise.
fn keep_through_exec() -> Result<()> {
    let mut sets = capabilities(None)?;
    for capability in CAPABILITIES {
        sets.inheritable |= capability;
    }
    set_capabilities(None, sets)?;
    for capability in CAPABILITIES {
        configure_capability_in_ambient_set(capability, true)?;
    }
    Ok(())
}

/// As a shell tells it.
pub(crate) fn code(status: ExitStatus) -> u8 {
    match (status.code(), status.signal()) {
        (Some(code), _) => code as u8,
        (None, signal) => 128 + signal.unwrap_or(0) as u8,
    }
}

/// Where the bed mounts a file system in memory.
struct Directory(PathBuf);

impl Directory {
    const PREFIX: &'static str = "cellblock-bed-";

    /// Makes it, and removes those of beds that were killed.
    fn create() -> Result<Self> {
        let parent = env::temp_dir();
        for entry in fs::read_dir(&parent).with_context(|| format!("list {}", parent.display()))? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let pid = name.strip_prefix(Self::PREFIX);
            if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
                // Another user's cannot be removed, and one that another run has just removed neither.
                let _ = fs::remove_dir(path);
            }
        }
        let path = parent.join(format!("{}{}", Self::PREFIX, std::process::id()));
        fs::create_dir(&path).with_context(|| format!("make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir(&self.0) {
            eprintln!("bed: {} stays: {error}", self.0.display());
        }
    }
}
