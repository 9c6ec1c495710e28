//! Calls that are refused with `EPERM`. Listed for the reason; leaving one out would refuse it all the same.

use super::{NOT_PERMITTED, calls};
use crate::seccomp::rule::Entry;

/// The kernel's own workings.
pub(super) static KERNEL: &[Entry] = calls![NOT_PERMITTED;
    SYS_init_module: "loads code into the kernel",
    SYS_finit_module: "loads code into the kernel",
    SYS_delete_module: "removes code from the kernel",
    SYS_kexec_load: "replaces the kernel",
    SYS_kexec_file_load: "replaces the kernel",
    SYS_reboot: "stops the host",
    SYS_bpf: "loads programs into the kernel",
    SYS_perf_event_open: "measures the host; a long list of holes",
    SYS_userfaultfd: "holds the kernel still in the middle of a copy; exploits are built on it",
    SYS_syslog: "the kernel's log tells addresses and other tenants",
    SYS_acct: "accounting of the whole host",
    SYS_swapon: "the host's swap",
    SYS_swapoff: "the host's swap",
    SYS_quotactl: "the host's quota, which holds the cell's disk limit",
    SYS_quotactl_fd: "the host's quota",
    SYS_settimeofday: "the host's clock",
    SYS_clock_settime: "the host's clock",
    SYS_adjtimex: "the host's clock",
    SYS_clock_adjtime: "the host's clock",
    SYS_sethostname: "set when the cell is made",
    SYS_setdomainname: "set when the cell is made",
    SYS_vhangup: "hangs up a terminal",
    SYS_sync: "writes out every file system of the host, and hangs where one of them does; it cannot report failure",
    SYS_fanotify_init: "watches whole mounts",
    SYS_fanotify_mark: "watches whole mounts",
];

/// Mounts and namespaces.
pub(super) static MOUNTS: &[Entry] = calls![NOT_PERMITTED;
    SYS_mount: "changes what a cell sees",
    SYS_umount2: "uncovers what is masked",
    SYS_pivot_root: "changes the root",
    SYS_chroot: "changes the root",
    SYS_open_tree: "copies mounts",
    SYS_move_mount: "changes what a cell sees",
    SYS_fsopen: "mounts, piece by piece",
    SYS_fsconfig: "mounts, piece by piece",
    SYS_fsmount: "mounts, piece by piece",
    SYS_fspick: "mounts, piece by piece",
    SYS_mount_setattr: "makes read-only mounts writable",
    SYS_unshare: "new namespaces give new powers over them",
    SYS_setns: "enters another namespace",
    SYS_name_to_handle_at: "first half of opening by handle",
    SYS_open_by_handle_at: "opens files by number, past every mount",
];

/// Other processes.
pub(super) static OTHERS: &[Entry] = calls![NOT_PERMITTED;
    SYS_ptrace: "reads and steers other processes",
    SYS_process_vm_readv: "reads other processes",
    SYS_process_vm_writev: "writes into other processes",
    SYS_process_mrelease: "acts on other processes' memory",
    SYS_pidfd_getfd: "takes other processes' descriptors",
    SYS_get_robust_list: "where another process keeps its locks; checkpoints alone ask",
    SYS_kcmp: "tells kernel addresses apart",
    SYS_migrate_pages: "moves other processes' memory",
    SYS_move_pages: "moves shared pages between memory nodes, and tells where they are",
    SYS_mbind: "chooses memory nodes, the host's affair; allocators ask, and go on without",
    SYS_set_mempolicy: "see mbind",
    SYS_get_mempolicy: "see mbind",
];

/// What the kernel keeps outside namespaces.
pub(super) static KEPT: &[Entry] = calls![NOT_PERMITTED;
    SYS_add_key: "keyrings know no namespaces",
    SYS_request_key: "keyrings know no namespaces, and it starts a program on the host",
    SYS_keyctl: "keyrings know no namespaces",
    SYS_lookup_dcookie: "names of files anywhere",
];
