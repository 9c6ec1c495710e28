//! What /proc says about cgroups.

use std::path::{Path, PathBuf};

/// One mounted hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// Which cgroup appears at the mount point.
    pub(super) root: PathBuf,
    /// Where it is mounted.
    pub(super) point: PathBuf,
    /// Version 1: its controllers. `None`: version 2.
    pub(super) controllers: Option<Vec<String>>,
    /// Whether nothing can be written.
    pub(super) read_only: bool,
}

/// The cgroup mounts in the text of /proc/self/mountinfo.
pub(super) fn mounts(mountinfo: &str) -> Vec<Mount> {
    mountinfo.lines().filter_map(mount).collect()
}

/// See `proc_pid_mountinfo(5)`: `36 35 98:0 /root /point options [optional …] - type source super-options`.
fn mount(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(3);
    let (root, point, options) = (before.next()?, before.next()?, before.next()?);
    let mut after = after.split(' ');
    let (kind, _source, super_options) = (after.next()?, after.next()?, after.next()?);
    let controllers = match kind {
        "cgroup2" => None,
        "cgroup" => Some(super_options.split(',').map(str::to_owned).collect()),
        _ => return None,
    };
    let read_only = options.split(',').chain(super_options.split(',')).any(|option| option == "ro");
    Some(Mount { root: unescape(root), point: unescape(point), controllers, read_only })
}

/// Spaces and the like are written as three octal digits behind a backslash.
fn unescape(text: &str) -> PathBuf {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let escaped = after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        plain.push(escaped.map_or('\\', char::from));
        rest = if escaped.is_some() { &after[3..] } else { after };
    }
    plain.push_str(rest);
    PathBuf::from(plain)
}

/// Our cgroup in the hierarchy with this controller (`None`: version 2), from the text of /proc/self/cgroup.
pub(super) fn own(cgroups: &str, controller: Option<&str>) -> Option<PathBuf> {
    cgroups.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (id, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let found = match controller {
            None => id == "0" && controllers.is_empty(),
            Some(controller) => controllers.split(',').any(|found| found == controller),
        };
        found.then(|| PathBuf::from(path))
    })
}

impl Mount {
    /// Where a cgroup is in this mount, relative to the mount point; `None` if it is not in it.
    pub(super) fn locate(&self, cgroup: &Path) -> Option<PathBuf> {
        let inside = cgroup.strip_prefix(&self.root).ok()?;
        // `/../…` is what a cgroup namespace shows of a cgroup outside.
        let plain = inside.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        plain.then(|| inside.to_owned())
    }
}
