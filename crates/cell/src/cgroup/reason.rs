//! Why a limit cannot be held by the kernel, and what to do about it.

use std::fmt;

/// What a cgroup can limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Controller {
    /// Memory of all processes together, without swap.
    Memory,
    /// Number of processes and threads.
    Pids,
    /// Processor time.
    Cpu,
}

impl Controller {
    /// All of them.
    pub const ALL: [Controller; 3] = [Controller::Memory, Controller::Pids, Controller::Cpu];

    /// The kernel's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Controller::Memory => "memory",
            Controller::Pids => "pids",
            Controller::Cpu => "cpu",
        }
    }
}

impl fmt::Display for Controller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why one controller cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Which.
    pub controller: Controller,
    /// Why.
    pub cause: Cause,
}

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// No cgroup file system is mounted that we can see.
    NotMounted,
    /// The kernel was built or started without the controller.
    NotInKernel,
    /// The kernel has the controller but not this file, and with it the limit.
    NoLimit {
        /// The missing file.
        file: &'static str,
    },
    /// The cgroup file system is mounted read-only, as in a container.
    ReadOnly,
    /// The cgroup belongs to someone else.
    NotOurs {
        /// Our cgroup, as /proc/self/cgroup names it.
        cgroup: String,
    },
    /// The cgroup is one of version 1, which only root may divide.
    NotRoot {
        /// Our cgroup, as /proc/self/cgroup names it.
        cgroup: String,
    },
    /// We may use our cgroup, but the controller was not handed down to it.
    NotDelegated {
        /// Our cgroup, as /proc/self/cgroup names it.
        cgroup: String,
    },
    /// Other processes sit in our cgroup, and version 2 lets only an empty one be divided.
    Shared {
        /// Our cgroup, as /proc/self/cgroup names it.
        cgroup: String,
        /// How many others.
        others: usize,
    },
}

impl Reason {
    /// What to do about it, as one or two sentences.
    pub fn remedy(&self) -> String {
        let run_delegated = "start it in a cgroup of its own: `systemd-run --user --scope -p Delegate=yes cellblock …`, \
             or as a service with `Delegate=yes`";
        match &self.cause {
            Cause::NotMounted => {
                "mount the cgroup file system: `mount -t cgroup2 none /sys/fs/cgroup`; in a container, start it \
                 with one"
                    .to_owned()
            }
            Cause::NotInKernel => match self.controller {
                Controller::Memory => {
                    "enable it on the kernel's command line: `cgroup_enable=memory`, and no `cgroup_disable=memory`"
                        .to_owned()
                }
                other => format!("use a kernel with `{other}` cgroups, started without `cgroup_disable={other}`"),
            },
            Cause::NoLimit { .. } => match self.controller {
                Controller::Cpu => "use a kernel built with `CONFIG_CFS_BANDWIDTH`".to_owned(),
                other => format!("use a kernel that can limit `{other}`"),
            },
            Cause::ReadOnly => {
                "mount /sys/fs/cgroup writable in the container, with a cgroup namespace of its own (Docker: \
                 `--cgroupns=private --security-opt writable-cgroups=true`, or `--privileged`)"
                    .to_owned()
            }
            Cause::NotRoot { .. } => {
                "start it as root, or use version 2, which can be handed to users: `systemd.unified_cgroup_hierarchy=1` on \
                 the kernel's command line"
                    .to_owned()
            }
            Cause::NotOurs { .. } | Cause::Shared { .. } => run_delegated.to_owned(),
            Cause::NotDelegated { .. } => format!(
                "let systemd hand it down: put `[Service]` and `Delegate=cpu memory pids` into \
                 /etc/systemd/system/user@.service.d/delegate.conf, log in again, and {run_delegated}"
            ),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let controller = self.controller;
        match &self.cause {
            Cause::NotMounted => {
                write!(f, "no cgroup file system with the `{controller}` controller is mounted")
            }
            Cause::NotInKernel => write!(f, "the kernel has no `{controller}` controller"),
            Cause::NoLimit { file } => write!(f, "the kernel's `{controller}` controller has no `{file}`"),
            Cause::ReadOnly => write!(f, "the cgroup file system with `{controller}` is mounted read-only"),
            Cause::NotOurs { cgroup } => {
                write!(f, "the `{controller}` cgroup `{cgroup}` belongs to someone else")
            }
            Cause::NotRoot { cgroup } => {
                write!(f, "only root may divide the version 1 `{controller}` cgroup `{cgroup}`")
            }
            Cause::NotDelegated { cgroup } => {
                write!(f, "the `{controller}` controller is not handed down to the cgroup `{cgroup}`")
            }
            Cause::Shared { cgroup, others } => {
                write!(
                    f,
                    "`{controller}` cannot be divided: other processes ({others}) share the cgroup `{cgroup}`"
                )
            }
        }
    }
}
