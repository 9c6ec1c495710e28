//! What a node must know of its host, read once.

use std::fs;
use std::path::Path;

use policy::{COVERED, ETC, Host, ROOT, RootEntry};

/// The host's part in the template, as it is now.
pub fn facts() -> Host {
    let root = ROOT.iter().filter_map(|name| {
        let path = Path::new("/").join(name);
        let entry = match fs::read_link(&path) {
            Ok(to) => RootEntry::Link(to.to_str()?.to_owned()),
            Err(_) if path.is_dir() => RootEntry::Directory,
            Err(_) => return None,
        };
        Some(((*name).to_owned(), entry))
    });
    let etc = ETC.iter().filter_map(|name| {
        // A link would be followed when it is mounted; where it leads may be no part of the template.
        let found = fs::metadata(Path::new("/etc").join(name)).ok()?;
        Some(((*name).to_owned(), found.is_dir()))
    });
    let covered = COVERED.iter().filter(|path| Path::new(path).is_dir());
    Host {
        root: root.collect(),
        etc: etc.collect(),
        covered: covered.map(|path| (*path).to_owned()).collect(),
    }
}

/// When the host was started, in seconds since 1970; 0 where it does not say.
pub(crate) fn boot_time() -> u64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "));
    line.and_then(|seconds| seconds.trim().parse().ok()).unwrap_or(0)
}
