//! What an engine left behind: processes, mounts, cgroups, files.
//!
//! Processes are found as descendants of this one: it adopts those whose parents end, so that none gets away, and
//! parents can be read of every process. Where one may look into other users' processes they are also found by the
//! data directory that they see, which tells them from those of other engines.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitOptions};

use super::Bench;

/// How long processes that were told to end may take.
const GRACE: Duration = Duration::from_secs(20);

/// Processes whose parents end become children of this one.
pub(crate) fn adopt_orphans() {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).unwrap();
}

/// By what the things of an engine are known.
#[derive(Debug)]
pub(crate) struct Marks {
    data: PathBuf,
    nodes: Vec<String>,
}

impl Marks {
    pub(crate) fn of(bench: &Bench) -> Marks {
        Marks { data: bench.data.clone(), nodes: names(&bench.data.join("nodes")) }
    }
}

/// Nothing is left that bears an engine's marks.
pub(crate) async fn assert_nothing(marks: &Marks) {
    let Marks { data, nodes } = marks;
    assert_eq!(names(&data.join("nodes")), Vec::<String>::new(), "directories are left");
    let path = data.to_string_lossy();
    let mounts: Vec<String> = lines("/proc/self/mountinfo").filter(|line| line.contains(&*path)).collect();
    assert_eq!(mounts, Vec::<String>::new(), "mounts are left");
    let groups: Vec<PathBuf> = cgroups().into_iter().filter(|group| is_of(group, nodes)).collect();
    assert_eq!(groups, Vec::<PathBuf>::new(), "cgroups are left");
    gone("processes in its namespaces", || {
        let sees = |pid: &u32| lines(format!("/proc/{pid}/mountinfo")).any(|line| line.contains(&*path));
        processes().into_keys().filter(sees).map(describe).collect()
    })
    .await;
}

/// No descendant of this process is left.
pub(crate) async fn assert_no_process() {
    gone("descendants", || {
        reap_adopted();
        descendants().into_iter().map(describe).collect()
    })
    .await;
}

/// Of what had many processes, so many are left at most.
pub(crate) async fn assert_no_more_than(what: &str, most: usize) {
    gone(&format!("processes of {what}"), || {
        reap_adopted();
        let left = descendants();
        if left.len() > most { left.into_iter().map(describe).collect() } else { Vec::new() }
    })
    .await;
}

async fn gone(what: &str, left: impl Fn() -> Vec<String>) {
    let end = Instant::now() + GRACE;
    loop {
        let left = left();
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < end, "{what} are left: {left:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// All processes below this one, the dead among them.
pub(crate) fn descendants() -> Vec<u32> {
    let processes = processes();
    let mut found = vec![std::process::id()];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(processes.iter().filter(|(_, process)| process.parent == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found.split_off(1)
}

/// Ends the lives of dead processes that became ours; the engine's own child it must reap itself.
fn reap_adopted() {
    let own = std::process::id();
    for (pid, process) in processes() {
        if process.parent == own && process.state == 'Z' && !process.name.starts_with("cellblock-launc") {
            let _ = rustix::process::waitpid(Pid::from_raw(pid.cast_signed()), WaitOptions::NOHANG);
        }
    }
}

struct Process {
    name: String,
    state: char,
    parent: u32,
}

fn processes() -> BTreeMap<u32, Process> {
    let pids = names(Path::new("/proc")).into_iter().filter_map(|name| name.parse().ok());
    pids.filter_map(|pid| Some((pid, process(pid)?))).collect()
}

fn process(pid: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (before, after) = stat.rsplit_once(')')?;
    let mut fields = after.split_whitespace();
    let (state, parent) = (fields.next()?.chars().next()?, fields.next()?.parse().ok()?);
    Some(Process { name: before.split_once('(')?.1.to_owned(), state, parent })
}

fn describe(pid: u32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line).replace('\0', " ");
    match process(pid) {
        Some(Process { name, state, parent }) => format!("{pid} ({name}) {state}, child of {parent}: {line}"),
        None => format!("{pid}, which has just ended"),
    }
}

/// All directories below the mounted cgroup trees.
pub(crate) fn cgroups() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = lines("/proc/self/mountinfo")
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

/// Whether a cgroup, or what it is in, is named after one of these nodes.
pub(crate) fn is_of(cgroup: &Path, nodes: &[String]) -> bool {
    cgroup.iter().any(|part| nodes.iter().any(|node| part.to_string_lossy().contains(node.as_str())))
}

/// The names in a directory; none, where there is none.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn lines(path: impl AsRef<Path>) -> impl Iterator<Item = String> {
    let text = fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().map(str::to_owned).collect::<Vec<_>>().into_iter()
}
