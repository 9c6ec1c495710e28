//! What a server must not leave behind when it has stopped: processes, cgroups, directories of sessions.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// How long processes that were told to end may take.
const GRACE: Duration = Duration::from_secs(20);

/// By what a server's things are known while it runs.
pub(super) struct Marks {
    data: PathBuf,
    /// Names of its nodes: its cgroups are named after them.
    nodes: Vec<String>,
    /// Its processes, each with the time of its start, which tells it from a later one of the same id.
    processes: Vec<(u32, u64)>,
}

impl Marks {
    pub(super) fn of(server: u32, data: &Path) -> Result<Marks> {
        let nodes = names(&data.join("nodes"))?;
        let all = processes()?;
        let mut below = vec![server];
        let mut next = 0;
        while next < below.len() {
            let parent = below[next];
            below.extend(all.iter().filter(|(_, process)| process.parent == parent).map(|(pid, _)| *pid));
            next += 1;
        }
        let processes = below[1..].iter().filter_map(|pid| Some((*pid, all.get(pid)?.started))).collect();
        Ok(Marks { data: data.to_owned(), nodes, processes })
    }

    /// What is there some time after the server's end.
    pub(super) fn left(&self) -> Result<Vec<String>> {
        let deadline = Instant::now() + GRACE;
        loop {
            let left = self.look()?;
            if left.is_empty() || Instant::now() > deadline {
                return Ok(left);
            }
            sleep(Duration::from_millis(50));
        }
    }

    fn look(&self) -> Result<Vec<String>> {
        let mut left = Vec::new();
        let all = processes()?;
        let data = self.data.to_string_lossy();
        for (pid, process) in &all {
            let known = self.processes.contains(&(*pid, process.started));
            // Where one may look: whoever sees its files in a mount lives in a cell of it.
            let mounts = fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap_or_default();
            if process.state != 'Z' && (known || mounts.contains(&*data)) {
                left.push(format!("process {pid} ({})", process.name));
            }
        }
        for node in names(&self.data.join("nodes"))? {
            left.push(format!("the directory nodes/{node}"));
        }
        for group in cgroups() {
            if self.nodes.iter().any(|node| group.to_string_lossy().contains(node.as_str())) {
                left.push(format!("the cgroup {}", group.display()));
            }
        }
        Ok(left)
    }
}

struct Process {
    name: String,
    state: char,
    parent: u32,
    started: u64,
}

fn processes() -> Result<BTreeMap<u32, Process>> {
    let pids = names(Path::new("/proc"))?.into_iter().filter_map(|name| name.parse().ok());
    Ok(pids.filter_map(|pid| Some((pid, process(pid)?))).collect())
}

fn process(pid: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (before, after) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    Some(Process {
        name: before.split_once('(')?.1.to_owned(),
        state: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

/// All directories below the mounted cgroup trees.
fn cgroups() -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mut found: Vec<PathBuf> = mounts
        .lines()
        .filter_map(|line| {
            let (mount, kind) = line.split_once(" - ")?;
            let point = mount.split(' ').nth(4)?;
            kind.starts_with("cgroup").then(|| PathBuf::from(point))
        })
        .collect();
    let mut next = 0;
    while next < found.len() {
        let entries = fs::read_dir(&found[next]).into_iter().flatten().flatten();
        let below = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        found.extend(below.map(|entry| entry.path()).collect::<Vec<_>>());
        next += 1;
    }
    found
}

/// The names in a directory; none, where there is none.
fn names(directory: &Path) -> Result<Vec<String>> {
    match fs::read_dir(directory) {
        Ok(entries) => entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<std::io::Result<_>>()
            .with_context(|| format!("failed to list {}", directory.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("failed to list {}", directory.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_process_that_goes_on_is_found_until_it_ends() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let marks = Marks::of(std::process::id(), Path::new("/nowhere/at-all")).unwrap();
        let own = format!("process {} (sleep)", child.id());
        assert!(marks.look().unwrap().contains(&own));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!marks.look().unwrap().contains(&own));
    }
}
