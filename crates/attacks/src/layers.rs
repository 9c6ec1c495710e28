//! The layers of the wall by name, and what each is put up on.

pub use launcher::apart::Layer;

/// Where a layer is put up, which is also where the control runs: nothing else differs between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ground {
    /// As the test's own user.
    Own,
    /// The same, without new privileges by an exec: only so may an ordinary user have a filter.
    Locked,
    /// As root of a user namespace: an ordinary user makes other namespaces and mounts only there.
    Namespace,
    /// The same, and with process ids of its own: only so may an ordinary user mount a /proc.
    Processes,
}

impl Ground {
    /// Whether it is a namespace, in which a user may have less than outside.
    pub fn is_namespace(self) -> bool {
        matches!(self, Ground::Namespace | Ground::Processes)
    }

    /// Its name, as `walls-apart` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Ground::Own => "own",
            Ground::Locked => "locked",
            Ground::Namespace => "namespace",
            Ground::Processes => "processes",
        }
    }
}

/// Every layer that can be put up by itself, with its name and what it is.
///
/// The layer `network`, the way out of a cell, joins them with its own attacks.
pub const LAYERS: &[(&str, Layer, &str)] = &[
    ("user", Layer::User, "a user namespace: nobody in it has an id that means anything on the host"),
    ("mount", Layer::Mount, "a mount namespace: what is mounted in it is seen by nobody else"),
    ("pid", Layer::Pid, "a PID namespace: no process outside has a number"),
    ("net", Layer::Net, "a network namespace: loopback of its own, no abstract socket of the host's"),
    ("ipc", Layer::Ipc, "an IPC namespace: segments, semaphores and queues of its own"),
    ("uts", Layer::Uts, "a UTS namespace: a host name of its own"),
    ("cgroup-namespace", Layer::CgroupNamespace, "a cgroup namespace: its own cgroup is the root"),
    ("capabilities", Layer::Capabilities, "no capability in any set"),
    ("no-new-privs", Layer::NoNewPrivileges, "no new privileges by running a program"),
    ("root", Layer::Root, "a root of read-only parts, without set-uid bits and devices; /proc masked"),
    ("descriptors", Layer::Descriptors, "every descriptor closed that is not meant to be there"),
    ("seccomp", Layer::Seccomp, "the filter of system calls"),
    ("landlock", Layer::Landlock, "Landlock's rules about paths"),
    ("rlimits", Layer::Rlimits, "resource limits"),
    ("cgroup", Layer::Cgroup, "cgroups: memory, processor time, processes"),
];

/// The layer of this name.
pub fn by_name(name: &str) -> Option<Layer> {
    LAYERS.iter().find(|(known, ..)| *known == name).map(|(_, layer, _)| *layer)
}

/// What a layer is called.
pub fn name(layer: Layer) -> &'static str {
    LAYERS.iter().find(|(_, known, _)| *known == layer).map_or("", |(name, ..)| name)
}

/// On what this layer is put up by this user, for an attack that may take more than an ordinary user has.
pub fn ground(layer: Layer, is_root: bool, needs_root: bool) -> Ground {
    match layer {
        _ if is_root => Ground::Own,
        Layer::Seccomp if needs_root => Ground::Namespace,
        Layer::User | Layer::NoNewPrivileges | Layer::Rlimits | Layer::Descriptors | Layer::Cgroup => {
            Ground::Own
        }
        Layer::Seccomp | Layer::Landlock => Ground::Locked,
        Layer::Root => Ground::Processes,
        _ => Ground::Namespace,
    }
}
