//! A kernel made of plain files: enough of its rules that breaking them fails a test.
//!
//! [`files`](super::super::files) tells it of every write and of every directory that comes or goes. It cares only for
//! trees that a [`Fake`] made.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::cgroup::{Support, discover};

const MARK: &str = "FAKE";
const EBUSY: i32 = 16;
const EINVAL: i32 = 22;
const ENOENT: i32 = 2;

/// A host's root directory.
pub(super) struct Fake {
    root: TempDir,
}

impl Fake {
    /// A host with these lines in /proc/self/mountinfo and /proc/self/cgroup.
    pub(super) fn new(mounts: &[&str], cgroups: &[&str]) -> Fake {
        let fake = Fake { root: TempDir::new().expect("a directory for a test") };
        put(&fake.path(MARK), "");
        put(&fake.path("proc/self/mountinfo"), &(mounts.join("\n") + "\n"));
        put(&fake.path("proc/self/cgroup"), &(cgroups.join("\n") + "\n"));
        fake
    }

    /// A version 2 host whose processes, ours among them, are in one cgroup.
    pub(super) fn two(own: &str) -> Fake {
        let mount = "30 23 0:26 / /sys/fs/cgroup rw,nosuid,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate";
        let fake = Fake::new(&[mount], &[&format!("0::/{own}")]);
        let top = fake.path("sys/fs/cgroup");
        put(&top.join("cgroup.procs"), "1\n2\n");
        put(&top.join("cgroup.controllers"), "cpuset cpu io memory hugetlb pids\n");
        put(&top.join("cgroup.subtree_control"), "\n");
        fake
    }

    /// A version 1 host with these mounts, e.g. `cpu,cpuacct`, and our cgroup in all of them.
    pub(super) fn one(mounts: &[&str], own: &str) -> Fake {
        let mount =
            |name: &&str| format!("34 31 0:29 / /sys/fs/cgroup/{name} rw,relatime - cgroup cgroup rw,{name}");
        let lines: Vec<_> = mounts.iter().map(mount).collect();
        let own_lines: Vec<_> = mounts.iter().map(|name| format!("3:{name}:/{own}")).collect();
        let fake = Fake::new(
            &lines.iter().map(String::as_str).collect::<Vec<_>>(),
            &own_lines.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        for name in mounts {
            let mut dir = fake.path("sys/fs/cgroup").join(name);
            fs::create_dir_all(&dir).expect("it can be made");
            fill(&dir);
            for part in own.split('/').filter(|part| !part.is_empty()) {
                dir.push(part);
                fs::create_dir_all(&dir).expect("it can be made");
                fill(&dir);
            }
        }
        fake
    }

    /// Below the root directory.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// In the version 2 tree.
    pub(super) fn cgroup(&self, path: &str) -> PathBuf {
        self.path("sys/fs/cgroup").join(path)
    }

    /// A cgroup and those above it, with these processes and these controllers handed down from everywhere above it and
    /// from it.
    pub(super) fn add(&self, path: &str, processes: &[u32], handed_down: &str) -> &Fake {
        let mut dir = self.cgroup("");
        for part in path.split('/').filter(|part| !part.is_empty()) {
            dir.push(part);
            fs::create_dir_all(&dir).expect("it can be made");
            fill(&dir);
        }
        put(&dir.join("cgroup.procs"), &lines(processes));
        if dir.join("cgroup.subtree_control").exists() {
            put(&dir.join("cgroup.subtree_control"), handed_down);
        }
        self
    }

    /// Makes a cgroup one that we may not change.
    pub(super) fn lock(&self, path: &str) -> &Fake {
        for file in ["cgroup.procs", "cgroup.subtree_control"] {
            let file = self.cgroup(path).join(file);
            fs::remove_file(&file).expect("it is there");
            fs::create_dir(&file).expect("a directory cannot be opened for writing, also not by root");
        }
        self
    }

    pub(super) fn discover(&self) -> Support {
        discover(self.root.path()).expect("/proc can be read")
    }

    /// What a file holds.
    pub(super) fn text(&self, path: &str) -> String {
        let path = self.cgroup(path);
        fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            .trim()
            .to_owned()
    }

    /// Every directory of the tree that the daemon made, for "nothing is left".
    pub(super) fn made(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        walk(&self.cgroup(""), &mut |dir| {
            if dir.file_name().is_some_and(|name| name.to_string_lossy().starts_with("cellblock")) {
                found.push(dir.to_owned());
            }
        });
        found
    }
}

fn lines(items: &[impl ToString]) -> String {
    items.iter().flat_map(|item| [item.to_string(), "\n".to_owned()]).collect()
}

/// Writes a file, and its directory.
pub(super) fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("it is below the root")).expect("it can be made");
    fs::write(path, text).expect("it can be written");
}

/// The top of the hierarchy that a directory is in, if it is in a fake tree, and its name: `""` in version 2.
fn hierarchy(dir: &Path) -> Option<(PathBuf, String)> {
    let root = dir.ancestors().find(|path| path.join(MARK).exists())?;
    let top = root.join("sys/fs/cgroup");
    if top.join("cgroup.controllers").exists() {
        return Some((top, String::new()));
    }
    let name = dir.strip_prefix(&top).ok()?.components().next()?.as_os_str().to_str()?.to_owned();
    Some((top.join(&name), name))
}

/// What the kernel puts into a new cgroup.
pub(in crate::cgroup) fn fill(dir: &Path) {
    let Some((top, name)) = hierarchy(dir) else { return };
    let mut files = vec![("cgroup.procs", "")];
    let controllers = if name.is_empty() {
        let parent = dir.parent().expect("the top is not filled");
        let controllers = fs::read_to_string(parent.join("cgroup.subtree_control")).unwrap_or_default();
        put(&dir.join("cgroup.controllers"), &controllers);
        files.extend([("cgroup.subtree_control", ""), ("cgroup.events", "populated 0\nfrozen 0\n")]);
        files.extend([("cgroup.kill", ""), ("cpu.stat", "usage_usec 0\nuser_usec 0\n")]);
        controllers
    } else {
        name.replace(',', " ")
    };
    for controller in controllers.split_whitespace() {
        files.extend(match (name.is_empty(), controller) {
            (true, "memory") => vec![
                ("memory.max", "max"),
                ("memory.swap.max", "max"),
                ("memory.current", "0"),
                ("memory.peak", "0"),
                ("memory.oom.group", "0"),
                ("memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0\n"),
            ],
            (true, "cpu") => vec![("cpu.max", "max 100000")],
            (false, "memory") => vec![
                ("memory.limit_in_bytes", "9223372036854771712"),
                ("memory.memsw.limit_in_bytes", "9223372036854771712"),
                ("memory.usage_in_bytes", "0"),
                ("memory.max_usage_in_bytes", "0"),
                ("memory.swappiness", "60"),
                ("memory.use_hierarchy", "1"),
                ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n"),
            ],
            (false, "cpu") => vec![("cpu.cfs_quota_us", "-1"), ("cpu.cfs_period_us", "100000")],
            (false, "cpuacct") => vec![("cpuacct.usage", "0")],
            (_, "pids") => vec![("pids.max", "max"), ("pids.events", "max 0\n")],
            _ => vec![],
        });
    }
    for (file, text) in files {
        // The top of a version 1 tree decides what its children have, so that a test can take a file away.
        let known = name.is_empty() || dir == top || top.join(file).exists();
        if known && !dir.join(file).exists() {
            put(&dir.join(file), text);
        }
    }
}

/// What the kernel does when something is written; `None` outside fake trees.
pub(in crate::cgroup) fn write(path: &Path, value: &str) -> Option<io::Result<()>> {
    let dir = path.parent()?;
    let (top, name) = hierarchy(dir)?;
    let errno = |number| Some(Err(io::Error::from_raw_os_error(number)));
    if !path.is_file() {
        return errno(ENOENT);
    }
    let words = |file: &str| -> Vec<String> {
        let text = fs::read_to_string(dir.join(file)).unwrap_or_default();
        text.split_whitespace().map(str::to_owned).collect()
    };
    match path.file_name()?.to_str()? {
        "cgroup.procs" => {
            if name.is_empty() && dir != top && !words("cgroup.subtree_control").is_empty() {
                return errno(EBUSY);
            }
            let pid = if value == "0" { std::process::id().to_string() } else { value.to_owned() };
            walk(&top, &mut |other| {
                let rest = fs::read_to_string(other.join("cgroup.procs")).unwrap_or_default();
                let rest: Vec<_> = rest.lines().filter(|line| *line != pid).collect();
                let _ = fs::write(other.join("cgroup.procs"), lines(&rest));
            });
            let there = fs::read_to_string(path).unwrap_or_default();
            put(path, &format!("{there}{pid}\n"));
        }
        "cgroup.subtree_control" => {
            let (sign, controller) = value.split_at(1);
            let mut handed_down = words("cgroup.subtree_control");
            if sign == "+" {
                if !words("cgroup.controllers").contains(&controller.to_owned()) {
                    return errno(ENOENT);
                }
                if dir != top && !words("cgroup.procs").is_empty() {
                    return errno(EBUSY);
                }
                handed_down.push(controller.to_owned());
            } else {
                let mut used = false;
                for child in directories(dir) {
                    used |= crate::cgroup::files::has_word(&child.join("cgroup.subtree_control"), controller);
                }
                if used {
                    return errno(EBUSY);
                }
                handed_down.retain(|word| word != controller);
            }
            put(path, &handed_down.join(" "));
            for child in directories(dir) {
                fill(&child);
            }
        }
        "cgroup.kill" => {
            put(&dir.join("cgroup.procs"), "");
        }
        // Memory and swap together may not be less than memory alone.
        "memory.memsw.limit_in_bytes" if number(value) < number(&words("memory.limit_in_bytes")[0]) => {
            return errno(EINVAL);
        }
        "memory.limit_in_bytes"
            if words("memory.memsw.limit_in_bytes")
                .first()
                .is_some_and(|both| number(value) > number(both)) =>
        {
            return errno(EINVAL);
        }
        // No child may have more than its parent.
        "cpu.cfs_quota_us" => {
            let above = fs::read_to_string(dir.parent()?.join("cpu.cfs_quota_us")).unwrap_or("-1".to_owned());
            if number(value) > number(above.trim()) {
                return errno(EINVAL);
            }
            put(path, value);
        }
        _ => put(path, value),
    }
    Some(Ok(()))
}

/// What the kernel says when a cgroup is to be removed; its files go with it.
pub(in crate::cgroup) fn empty(dir: &Path) -> io::Result<()> {
    if hierarchy(dir).is_none() || !dir.exists() {
        return Ok(());
    }
    let processes = fs::read_to_string(dir.join("cgroup.procs")).unwrap_or_default();
    if !processes.trim().is_empty() || !directories(dir).is_empty() {
        return Err(io::Error::from_raw_os_error(EBUSY));
    }
    for entry in fs::read_dir(dir)?.flatten() {
        fs::remove_file(entry.path())?;
    }
    Ok(())
}

fn number(value: &str) -> u64 {
    value.parse().unwrap_or(u64::MAX)
}

/// [`Fake::lock`] makes directories of these.
fn is_file_of_the_kernel(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("cgroup."))
}

fn directories(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir() && !is_file_of_the_kernel(path)).collect()
}

fn walk(dir: &Path, visit: &mut dyn FnMut(&Path)) {
    visit(dir);
    for child in directories(dir) {
        walk(&child, visit);
    }
}
