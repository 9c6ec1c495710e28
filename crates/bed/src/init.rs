//! The bed's PID 1: mounts, namespaces, captures and servers, then the command; reaps whatever ends.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, set_parent_process_death_signal, wait};
use rustix::thread::{capabilities, clear_ambient_capability_set, set_capabilities};
use serde_json::Value;
use sys::mount::{self, Forbid};

use crate::world::{self, Role};
use crate::{capture, facts, network, run};

/// Bytes that files of the bed may fill: captures, mostly.
const SPACE: u64 = 1 << 30;

/// How long processes that the command left may take to go by themselves.
const GRACE: Duration = Duration::from_secs(5);

/// Makes the bed in this process's namespaces and runs the command in it; the exit status is the command's.
///
/// `life` is a descriptor's number: the end of a pipe whose other end whoever started the bed holds.
pub fn init(life: i32, directory: &Path, python: &Path, captured: bool, command: &[OsString]) -> Result<u8> {
    die_with_starter(life)?;
    prepare_mounts(directory)?;
    let mut facts = facts::of(directory, python)?;
    let resolvers = facts::texts(&facts, "/machine/resolvers")?;
    let lines: String = resolvers.iter().map(|address| format!("nameserver {address}\n")).collect();
    replace("/etc/resolv.conf", &directory.join("resolv.conf"), &lines)?;

    let (world, machine) = network::make(&facts)?;
    if captured {
        facts["captures"] = capture::start(directory, &[("world", &world), ("machine", &machine)])?;
        machine.enter()?;
    }
    let file = directory.join(facts::FILE);
    fs::write(&file, serde_json::to_vec_pretty(&facts)?).context("write the facts")?;
    world.enter()?;
    let elsewhere = world::start(python, directory, Role::World)?;
    machine.enter()?;
    let here = world::start(python, directory, Role::Machine)?;

    let command = start(command, &file)?;
    let status = wait_for(&command, &[elsewhere.id(), here.id()])?;
    let left = left_behind(&[elsewhere.id(), here.id()])?;
    for line in &left {
        eprintln!("bed: left behind: {line}");
    }
    match run::code(status) {
        0 if !left.is_empty() => bail!("the command left {} processes behind", left.len()),
        code => Ok(code),
    }
}

fn die_with_starter(life: i32) -> Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let life = sys::privilege::adopt(life);
    rustix::io::fcntl_setfd(&life, rustix::io::FdFlags::CLOEXEC)?;
    let mut waiting = [PollFd::new(&life, PollFlags::IN)];
    poll(&mut waiting, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))?;
    if waiting[0].revents().contains(PollFlags::HUP) {
        bail!("whoever started the bed is gone");
    }
    Ok(())
}

fn prepare_mounts(directory: &Path) -> Result<()> {
    sys::namespace::unshare_mounts().context("make a mount namespace")?;
    mount::make_private().context("make mounts private")?;
    mount::proc("/proc").context("mount /proc")?;
    let directory = directory.to_str().context("the temporary directory's name is not UTF-8")?;
    mount::tmpfs(directory, SPACE, 0o755, Forbid::SUID_AND_DEVICES).context("mount the bed's directory")
}

/// Has everybody in the bed read `text` at `path`.
fn replace(path: &str, file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("write {}", file.display()))?;
    let source = file.to_str().context("the temporary directory's name is not UTF-8")?;
    mount::bind(source, path, Forbid::SUID_AND_DEVICES).with_context(|| format!("mount {path}"))
}

/// Starts the command, which has no capability unless it is root's.
fn start(command: &[OsString], facts: &Path) -> Result<Child> {
    clear_ambient_capability_set()?;
    let mut sets = capabilities(None)?;
    sets.inheritable = rustix::thread::CapabilitySet::empty();
    set_capabilities(None, sets)?;
    let (program, arguments) = command.split_first().context("no command")?;
    // A group of its own would not be the terminal's: an interrupt from there ends all of the bed.
    let mut command = Command::new(program);
    command.args(arguments).env(facts::VARIABLE, facts).arg0(program);
    command.spawn().with_context(|| format!("start {}", program.display()))
}

/// Reaps until the command has ended; that a server ends before it is an error.
fn wait_for(command: &Child, servers: &[u32]) -> Result<std::process::ExitStatus> {
    loop {
        let (pid, status) = match wait(WaitOptions::empty()) {
            Ok(Some(ended)) => ended,
            Ok(None) | Err(rustix::io::Errno::INTR) => continue,
            Err(errno) => return Err(errno).context("wait for the command"),
        };
        let pid = pid.as_raw_nonzero().get().cast_unsigned();
        if pid == command.id() {
            return Ok(exit_status(status));
        }
        if servers.contains(&pid) {
            bail!("the bed's servers ended ({})", exit_status(status));
        }
    }
}

fn exit_status(status: WaitStatus) -> std::process::ExitStatus {
    std::os::unix::process::ExitStatusExt::from_raw(status.as_raw())
}

/// The processes that are there some time after the command's end, one line each.
fn left_behind(servers: &[u32]) -> Result<Vec<String>> {
    let deadline = Instant::now() + GRACE;
    loop {
        while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
        let left = others(servers)?;
        if left.is_empty() || Instant::now() > deadline {
            return Ok(left);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// All processes but this one, the servers and what those started.
fn others(servers: &[u32]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        // One that ends meanwhile has neither.
        let Ok(status) = fs::read_to_string(entry.path().join("status")) else { continue };
        let parent = field(&status, "PPid:").parse().unwrap_or(0);
        let ours = pid == 1 || [pid.cast_unsigned(), parent].iter().any(|pid| servers.contains(pid));
        if !ours && Pid::from_raw(pid).is_some() && !field(&status, "State:").starts_with('Z') {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            found.push(format!("process {pid} ({}): {line}", field(&status, "Name:")));
        }
    }
    Ok(found)
}

fn field<'a>(status: &'a str, name: &str) -> &'a str {
    status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim()
}

/// The facts of a bed, from the file that [`facts::VARIABLE`] names.
pub(crate) fn read_facts(file: &Path) -> Result<Value> {
    let text = fs::read(file).with_context(|| format!("read {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("understand {}", file.display()))
}
