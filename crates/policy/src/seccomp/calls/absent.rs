//! Calls that a cell's kernel "does not have" (`ENOSYS`): libraries probe for them and take the older way.

use super::{NOT_IMPLEMENTED, calls, entry};
use crate::seccomp::rule::Entry;

/// libc does not know its number, which differs.
#[cfg(target_arch = "x86_64")]
const IO_PGETEVENTS: libc::c_long = 333;
#[cfg(target_arch = "aarch64")]
const IO_PGETEVENTS: libc::c_long = 292;

/// What libc does not list.
pub(super) static UNLISTED: &[Entry] =
    &[entry("io_pgetevents", IO_PGETEVENTS, "see io_setup", NOT_IMPLEMENTED)];

/// Each with what is used instead. The newest number here is the newest the table knows; all above it get the same
/// answer.
pub(super) static CALLS: &[Entry] = calls![NOT_IMPLEMENTED;
    SYS_clone3: "its flags lie behind a pointer, where a filter cannot look; the C library then uses clone",
    SYS_io_uring_setup: "makes calls that no filter sees; libuv and tokio then use epoll and threads",
    SYS_io_uring_enter: "makes calls that no filter sees",
    SYS_io_uring_register: "makes calls that no filter sees",
    SYS_io_setup: "one budget of requests for the whole host (fs.aio-max-nr); the C library uses threads",
    SYS_io_destroy: "see io_setup",
    SYS_io_getevents: "see io_setup",
    SYS_io_submit: "see io_setup",
    SYS_io_cancel: "see io_setup",
    SYS_seccomp: "a filter of one's own adds no safety here, and its compiled form comes out of one budget for the \
                  whole host (net.core.bpf_jit_limit): a cell could keep the next cell from getting its filter",
    SYS_vmsplice: "holds on to pages that are shared with the forkserver; programs then write",
    SYS_syncfs: "writes out a whole file system, which others share; programs use fsync",
    SYS_memfd_secret: "memory that the host cannot see or move",
    SYS_process_madvise: "acts on other processes; allocators then use madvise",
    SYS_remap_file_pages: "emulated since 4.0, and used by nobody",
    SYS_nfsservctl: "gone since 3.1",
    450 set_mempolicy_home_node: "no library asks for it",
    451 cachestat: "tells which pages of shared files others have used",
    453 map_shadow_stack: "the C library then goes without",
    SYS_futex_waitv: "libraries use futex; Wine alone asks for it",
    454 futex_wake: "libraries use futex",
    455 futex_wait: "libraries use futex",
    456 futex_requeue: "libraries use futex",
    457 statmount: "tells of mounts; programs then read /proc/self/mountinfo",
    458 listmount: "tells of mounts",
    459 lsm_get_self_attr: "no library asks for it",
    460 lsm_set_self_attr: "no library asks for it",
    461 lsm_list_modules: "tells which walls the host has",
    462 mseal: "the dynamic loader then goes without",
    463 setxattrat: "libraries use setxattr",
    464 getxattrat: "libraries use getxattr",
    465 listxattrat: "libraries use listxattr",
    466 removexattrat: "libraries use removexattr",
    467 open_tree_attr: "copies mounts",
    468 file_getattr: "programs use ioctl",
    469 file_setattr: "programs use ioctl",
];
