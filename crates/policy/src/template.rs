//! What every cell sees as its root: read-only, the same for all cells of a node, and nothing of the host that
//! tells of its users, its secrets or its services.
//!
//! Rejected: the host's whole root with holes cut into it. A list of what is there fails closed when a host has a
//! directory that nobody thought of.

use crate::plan::{CellPath, Entry, HostPath, Template};

/// Where a cell sees its environment.
pub const ENVIRONMENT: &str = "/opt/cellblock/env";
/// Where a cell sees the kernels' own sources.
pub const RUNTIME: &str = "/opt/cellblock/runtime";
/// Where a cell sees its workspace, or a link to it where its place has another name (see [`Mount`](crate::Mount)); the working
/// directory of everything that runs.
pub const WORKSPACE: &str = "/mnt/workspace";
/// The home of a cell's user.
pub const HOME: &str = "/home/user";
/// Where a session installs packages; what lies there is found before the environment's.
pub(crate) const LAYER: &str = "/home/user/.local";
/// Where npm puts what is installed there.
pub const LAYER_MODULES: &str = "/home/user/.local/lib/node_modules";
/// By which that is found from the workspace, wherever in `/mnt` it is: Node, Deno and TypeScript look for a directory of this name
/// in each directory above a file.
pub const LAYER_LINK: &str = "/mnt/node_modules";
/// Where the template, and no cell, has the node's cells directory.
pub const CELLS: &str = "/.cells";
/// Where the template, and no cell, has the host's /proc: a new one may be mounted only where one is fully visible.
pub const HOST_PROC: &str = "/.proc";

/// The host's part in a template: facts, found by `cell`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Host {
    /// Of [`ROOT`], those that the host has.
    pub root: Vec<(String, RootEntry)>,
    /// Of [`ETC`], those that the host has, and whether each is a directory.
    pub etc: Vec<(String, bool)>,
    /// Of [`COVERED`], those that the host has.
    pub covered: Vec<String>,
}

/// A name in the host's root directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootEntry {
    /// A symbolic link, as on systems where /bin is part of /usr.
    Link(String),
    /// A directory of its own.
    Directory,
}

/// What a node adds to the host's part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roots {
    /// The environment.
    pub environment: HostPath,
    /// The kernels' sources.
    pub runtime: HostPath,
    /// The node's cells directory.
    pub cells: HostPath,
}

/// Names in the host's root directory that programs need.
pub const ROOT: &[&str] = &["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"];

/// Names in the host's /etc that programs need and that tell nothing of the host but its distribution.
pub const ETC: &[&str] = &[
    // The loader's index of libraries.
    "ld.so.cache",
    // Many names in /usr/bin are links to here.
    "alternatives",
    // Certificates of public authorities; never the directory with private keys beside them.
    "ssl/certs",
    "ssl/openssl.cnf",
    "pki/ca-trust/extracted",
    "pki/tls/certs",
    "ca-certificates/extracted",
    "crypto-policies/back-ends",
    "fonts",
    "ImageMagick-6",
    "ImageMagick-7",
    "mime.types",
    "magic",
    "protocols",
    "services",
];

/// Parts of /usr that belong to the host's administrator and not to its distribution.
pub const COVERED: &[&str] = &["/usr/local", "/usr/src"];

/// Devices that a cell has; terminals come from its own devpts.
pub const DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom", "tty"];

const FILES: &[(&str, &str)] = &[
    (
        "/etc/passwd",
        "root:x:0:0:root:/root:/usr/sbin/nologin\n\
         user:x:1000:1000:user:/home/user:/bin/sh\n\
         nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    ),
    ("/etc/group", "root:x:0:\nuser:x:1000:\nnogroup:x:65534:\n"),
    // With the cell's own name: who looks that up, as Node does, must not ask the network.
    ("/etc/hosts", "127.0.0.1 localhost cell\n::1 localhost cell\n"),
    // Files alone: with no network a lookup must fail at once, not after asking nobody for 30 s.
    ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n"),
    ("/etc/resolv.conf", "# This cell has no network.\n"),
    ("/etc/shells", "/bin/sh\n/bin/bash\n"),
    // The workspace may come from another host, where its files had another owner.
    ("/etc/gitconfig", "[safe]\n\tdirectory = *\n"),
];

const LINKS: &[(&str, &str)] = &[
    ("/etc/mtab", "/proc/self/mounts"),
    ("/etc/os-release", "../usr/lib/os-release"),
    ("/var/tmp", "/tmp"),
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/ptmx", "pts/ptmx"),
    // What the walk upward from any directory finds last: for Node, Deno and TypeScript the environment's libraries are there.
    ("/node_modules", "/opt/cellblock/env/lib/node_modules"),
    // What the session installed comes before, for everything that lies in the workspace; `import` has no other way.
    (LAYER_LINK, LAYER_MODULES),
];

/// Mount points and empty directories, parents first.
const DIRECTORIES: &[(&str, u32)] = &[
    ("/dev", 0o755),
    ("/dev/pts", 0o755),
    ("/dev/shm", 0o755),
    ("/etc", 0o755),
    ("/home", 0o755),
    (HOME, 0o755),
    ("/mnt", 0o755),
    (WORKSPACE, 0o755),
    ("/opt", 0o755),
    ("/opt/cellblock", 0o755),
    ("/proc", 0o555),
    ("/root", 0o700),
    ("/run", 0o755),
    ("/sys", 0o555),
    ("/tmp", 0o755),
    ("/var", 0o755),
];

/// The root that all cells of a node copy.
pub fn template(host: &Host, roots: &Roots) -> Template {
    let mut entries = Vec::new();
    for &(path, mode) in DIRECTORIES {
        entries.push(Entry::Dir { path: CellPath::fixed(path), mode });
    }
    let bind = |source: &HostPath, path: String, exec, directory| Entry::Bind {
        source: source.clone(),
        path: CellPath::fixed(&path),
        writable: false,
        exec,
        device: false,
        directory,
    };
    for (name, entry) in &host.root {
        let path = format!("/{name}");
        entries.push(match entry {
            RootEntry::Link(to) => Entry::Link { path: CellPath::fixed(&path), to: to.clone() },
            RootEntry::Directory => bind(&HostPath(path.clone()), path, true, true),
        });
    }
    for path in &host.covered {
        entries.push(Entry::Cover { path: CellPath::fixed(path) });
    }
    for (name, directory) in &host.etc {
        let path = format!("/etc/{name}");
        entries.push(bind(&HostPath(path.clone()), path, false, *directory));
    }
    for &(path, content) in FILES {
        let content = content.as_bytes().to_vec();
        entries.push(Entry::File { path: CellPath::fixed(path), mode: 0o644, content });
    }
    for &(path, to) in LINKS {
        entries.push(Entry::Link { path: CellPath::fixed(path), to: to.to_owned() });
    }
    for device in DEVICES {
        let path = format!("/dev/{device}");
        entries.push(Entry::Bind {
            source: HostPath(path.clone()),
            path: CellPath::fixed(&path),
            writable: true,
            exec: false,
            device: true,
            directory: false,
        });
    }
    entries.push(bind(&roots.environment, ENVIRONMENT.to_owned(), true, true));
    entries.push(bind(&roots.runtime, RUNTIME.to_owned(), true, true));
    for (source, path) in [(roots.cells.clone(), CELLS), (HostPath("/proc".to_owned()), HOST_PROC)] {
        entries.push(Entry::Bind {
            source,
            path: CellPath::fixed(path),
            writable: true,
            exec: path == CELLS,
            device: false,
            directory: true,
        });
    }
    Template { entries }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Template {
        let host = Host {
            root: vec![
                ("usr".into(), RootEntry::Directory),
                ("bin".into(), RootEntry::Link("usr/bin".into())),
            ],
            etc: vec![("ld.so.cache".into(), false), ("alternatives".into(), true)],
            covered: vec!["/usr/local".into()],
        };
        let roots = Roots {
            environment: HostPath("/data/environments/lean-1".into()),
            runtime: HostPath("/data/runtime/1".into()),
            cells: HostPath("/data/nodes/1/cells".into()),
        };
        template(&host, &roots)
    }

    #[test]
    fn reads_back() {
        let template = example();
        assert_eq!(Template::decode(&template.encode()), Ok(template));
    }

    #[test]
    fn nothing_of_the_host_but_the_listed() {
        const ALLOWED: &[&str] =
            &["/usr", "/etc/ld.so.cache", "/etc/alternatives", "/data/", "/dev/", "/proc"];
        for entry in example().entries {
            if let Entry::Bind { source, path, writable, device, .. } = entry {
                assert!(ALLOWED.iter().any(|allowed| source.0.starts_with(allowed)), "{}", source.0);
                // What is writable is a device or is gone before a cell runs anything.
                let hidden = [CELLS, HOST_PROC].contains(&path.as_str());
                assert_eq!(writable, device || hidden, "{path}");
            }
        }
    }

    #[test]
    fn libraries_of_javascript_are_found_from_everywhere() {
        let to = format!("{ENVIRONMENT}/lib/node_modules");
        let link = Entry::Link { path: CellPath::fixed("/node_modules"), to };
        assert!(example().entries.contains(&link));
    }

    #[test]
    fn parents_come_before_children() {
        let mut known = vec!["/".to_owned(), CELLS.to_owned()];
        for entry in example().entries {
            let (Entry::Dir { path, .. }
            | Entry::Link { path, .. }
            | Entry::File { path, .. }
            | Entry::Bind { path, .. }) = &entry
            else {
                continue;
            };
            let parent = path
                .as_str()
                .rsplit_once('/')
                .map_or("/", |(parent, _)| if parent.is_empty() { "/" } else { parent });
            // The launcher makes what is missing above a bind; above anything else it must have been said.
            assert!(known.iter().any(|k| k == parent) || matches!(entry, Entry::Bind { .. }), "{path}");
            known.push(path.as_str().to_owned());
        }
    }
}
