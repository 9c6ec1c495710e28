//! Which layers of the wall a process gets on its way to be init: all of them, always.
//!
//! The feature `walls-apart` adds the one other way, for tests that show what each layer stops by itself: the same
//! journey, with the same plan, on which only one layer is put up. It is a feature and not an argument, so that a
//! launcher without it has nothing to be told: there, [`Walls`] has no value but one, and the questions are gone when
//! it is compiled. What is shipped is built by `cell`'s build script, for which no other package's wishes count.

/// A layer between hostile code and the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// A user namespace in which nobody has an id of the host's that means anything, and an ordinary id in it.
    User,
    /// A mount namespace.
    Mount,
    /// A PID namespace.
    Pid,
    /// A network namespace with loopback alone.
    Net,
    /// An IPC namespace.
    Ipc,
    /// A UTS namespace: the host's name.
    Uts,
    /// A cgroup namespace.
    CgroupNamespace,
    /// No capabilities, in no set.
    Capabilities,
    /// No new privileges by an exec.
    NoNewPrivileges,
    /// A root of read-only binds, what is the cell's own, and a masked /proc. Its mounts need a mount namespace.
    Root,
    /// No descriptor but those it is meant to have.
    Descriptors,
    /// The system-call filter.
    Seccomp,
    /// Landlock's rules about paths.
    Landlock,
    /// Resource limits.
    Rlimits,
    /// The cgroups that limit memory, processor time and processes.
    Cgroup,
}

/// The layers that are put up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Walls {
    #[cfg(feature = "walls-apart")]
    standing: Standing,
}

#[cfg(feature = "walls-apart")]
#[derive(Debug, Clone, Copy)]
enum Standing {
    All,
    Only(Layer),
    None,
}

impl Walls {
    /// All of them.
    pub(crate) const ALL: Walls = Walls {
        #[cfg(feature = "walls-apart")]
        standing: Standing::All,
    };

    /// One alone, or none at all.
    #[cfg(feature = "walls-apart")]
    pub(crate) fn only(layer: Option<Layer>) -> Walls {
        Walls { standing: layer.map_or(Standing::None, Standing::Only) }
    }

    /// Whether this one is put up.
    #[cfg(feature = "walls-apart")]
    pub(crate) fn have(self, layer: Layer) -> bool {
        match self.standing {
            Standing::All => true,
            // Mounts are made for a process, and for nobody else.
            Standing::Only(Layer::Root) => [Layer::Root, Layer::Mount].contains(&layer),
            Standing::Only(only) => only == layer,
            Standing::None => false,
        }
    }

    /// Whether this one is put up: yes.
    #[cfg(not(feature = "walls-apart"))]
    #[allow(clippy::unused_self)] // The other one needs it.
    pub(crate) fn have(self, _layer: Layer) -> bool {
        true
    }
}
