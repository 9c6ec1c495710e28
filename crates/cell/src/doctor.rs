//! What this machine can and cannot do: each wall between a cell and the host, tried, with the consequence and the
//! remedy where one does not stand.

mod network;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use policy::network::Network;
use policy::{Limits, Mount};
use protocol::SessionId;

use crate::cgroup::{self, Controller};
use crate::{CellRequest, Error, Node, NodeOptions};

/// Whether a layer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The kernel holds it.
    Hard,
    /// Something weaker stands in.
    Soft,
    /// It does not stand.
    Missing,
}

/// One layer between hostile code and the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Its name.
    pub name: &'static str,
    /// Whether it holds here.
    pub state: State,
    /// How it is held, or why not.
    pub detail: String,
    /// What that means; empty for a hard layer.
    pub consequence: String,
    /// What to do about it; empty where there is nothing to do.
    pub remedy: String,
}

impl Layer {
    fn hard(name: &'static str, detail: impl Into<String>) -> Layer {
        Layer {
            name,
            state: State::Hard,
            detail: detail.into(),
            consequence: String::new(),
            remedy: String::new(),
        }
    }

    fn less(
        name: &'static str,
        state: State,
        detail: impl Into<String>,
        consequence: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Layer {
        let (detail, consequence, remedy) = (detail.into(), consequence.into(), remedy.into());
        Layer { name, state, detail, consequence, remedy }
    }
}

/// What was found out about this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The layers; if no cell can be made, the one that is in the way.
    pub layers: Vec<Layer>,
    /// The network modes beside `none`: whether they can be had. `None`: no cell can be made.
    pub modes: Option<Layer>,
}

/// Tries every layer and every network mode: makes cells below `scratch`, which must exist, and ends them.
pub fn examine(scratch: &Path) -> Found {
    let (options, request) = trial(scratch);
    let tried = Node::start(&options).and_then(|node| {
        let (hard, own_ids) = (node.hard(), node.own_ids());
        node.create(&request)?.destroy()?;
        Ok((hard, own_ids, network::modes(&node, &request)))
    });
    let (hard, own_ids, modes) = match tried {
        Ok(found) => found,
        Err(error) => return Found { layers: vec![broken(&error)], modes: None },
    };
    let mut layers = vec![
        Layer::hard("namespaces", "user, mount, PID, network, IPC, UTS and cgroup namespaces of its own"),
        ids(own_ids),
        Layer::hard("root", "a read-only root of listed parts; /proc without what tells of the host"),
        Layer::hard(
            "seccomp",
            format!("{} system calls listed, all others refused", policy::seccomp::table().count()),
        ),
        landlock(),
        Layer::hard("network", "no interface but loopback; what a mode lets out goes through cellblock"),
    ];
    layers.extend(limits(hard));
    layers.push(disk());
    Found { layers, modes: Some(modes) }
}

/// A node and a cell to try things with.
fn trial(scratch: &Path) -> (NodeOptions, CellRequest) {
    // Any directory will do for what the cell does not run.
    let options = NodeOptions {
        data: scratch.to_owned(),
        environment: PathBuf::from("/usr/lib"),
        runtime: PathBuf::from("/usr/lib"),
        total_memory: None,
    };
    let request = CellRequest {
        session: SessionId::from_u128(0),
        limits: Limits::default(),
        network: Network::default(),
        mount: Mount::default(),
        linger_ms: 0,
    };
    (options, request)
}

fn landlock() -> Layer {
    if let Some(version) = sys::landlock::abi() {
        return Layer::hard(
            "landlock",
            format!("paths are listed below the mounts, too (version {version})"),
        );
    }
    Layer::less(
        "landlock",
        State::Missing,
        "this kernel has no Landlock that is of use",
        "mounts, ids and permissions alone say which paths a cell has",
        "Linux 5.19 or later, with `landlock` in what /sys/kernel/security/lsm names (kernel parameter `lsm=`)",
    )
}

fn ids(own: bool) -> Layer {
    if own {
        return Layer::hard("ids", "each cell its own user on the host, its init another");
    }
    Layer::less(
        "ids",
        State::Soft,
        "all cells are the same user on the host, who started cellblock",
        "namespaces alone keep cells apart",
        "start as root: cells then get ids of their own, and still no privilege",
    )
}

fn limits(hard: policy::Hard) -> Vec<Layer> {
    let support = cgroup::discover(Path::new("/"));
    let why = |controller| match &support {
        Ok(support) => match support.why_not().iter().find(|reason| reason.controller == controller) {
            Some(reason) => (reason.to_string(), reason.remedy()),
            None => ("no cgroup can be made".to_owned(), String::new()),
        },
        Err(error) => (error.to_string(), String::new()),
    };
    [
        (
            "memory",
            Controller::Memory,
            hard.memory,
            "init looks every 50 ms, and kills the largest process over the limit",
        ),
        ("cpu", Controller::Cpu, hard.cpus, "processes are kept on as many processors as the limit says"),
        ("processes", Controller::Pids, hard.processes, "each cell's user may have so many (RLIMIT_NPROC)"),
    ]
    .into_iter()
    .map(|(name, controller, hard, stand_in)| {
        if hard {
            return Layer::hard(name, "held by a cgroup");
        }
        let (detail, remedy) = why(controller);
        Layer::less(name, State::Soft, detail, stand_in, remedy)
    })
    .collect()
}

fn disk() -> Layer {
    Layer::less(
        "disk",
        State::Soft,
        "no quota is used",
        "one file may not grow over the limit (RLIMIT_FSIZE); all together are measured while a call runs",
        "put the data directory on a file system of its own, which bounds what all cells take together",
    )
}

/// The step that failed, and why.
fn told(error: &Error) -> (&str, Option<&io::Error>) {
    match error {
        Error::Launcher { step, source } => (step.as_str(), Some(source)),
        Error::Step { what, source } => (what.as_str(), Some(source)),
        _ => ("", None),
    }
}

/// The layer at which a cell could not be made at all, and the usual reasons for that.
fn broken(error: &Error) -> Layer {
    let (step, source) = told(error);
    let refused = source.is_some_and(|source| source.kind() == io::ErrorKind::PermissionDenied);
    let detail = match source {
        Some(source) => format!("failed to {error}: {source}"),
        None => format!("failed to {error}"),
    };
    let remedy = if step.contains("user namespace")
        || step.contains("namespaces for the launcher")
        || step == "make a new root"
    {
        user_namespaces()
    } else if step == "mount /proc" && refused {
        "this container hides parts of /proc: start it with them visible (Docker and Podman: \
         `--security-opt systempaths=unconfined`; Kubernetes: `procMount: Unmasked`)"
            .to_owned()
    } else if step.contains("system-call filter") {
        "the kernel needs CONFIG_SECCOMP_FILTER".to_owned()
    } else {
        String::new()
    };
    Layer::less("namespaces", State::Missing, detail, "no cell can be made here", remedy)
}

/// Why user namespaces may be closed, by the switches that distributions have.
fn user_namespaces() -> String {
    let switch = |path: &str| fs::read_to_string(path).map(|text| text.trim().to_owned()).ok();
    if switch("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").as_deref() == Some("1") {
        return "AppArmor keeps user namespaces from programs without a profile (Ubuntu 23.10 and later): \
                `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`, or start as root"
            .to_owned();
    }
    if switch("/proc/sys/kernel/unprivileged_userns_clone").as_deref() == Some("0") {
        return "`sudo sysctl kernel.unprivileged_userns_clone=1`, or start as root".to_owned();
    }
    if switch("/proc/sys/user/max_user_namespaces").as_deref() == Some("0") {
        return "`sudo sysctl user.max_user_namespaces=15000`".to_owned();
    }
    "in a container, allow it user namespaces and mounts (Docker and Podman: \
     `--security-opt seccomp=unconfined --security-opt apparmor=unconfined`)"
        .to_owned()
}
