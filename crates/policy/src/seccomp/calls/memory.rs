//! Memory of the caller's own.

use super::{ALLOW, NOT_IMPLEMENTED, calls, entry};
use crate::seccomp::rule::{Check, Clause, Entry, Errno, Verdict};

/// Decided by the number alone.
pub(super) static OWN: &[Entry] = calls![ALLOW;
    SYS_brk: "the heap",
    SYS_munmap: "gives memory back",
    SYS_mremap: "realloc",
    SYS_mprotect: "guard pages, compiled code",
    SYS_msync: "mapped files",
    SYS_mincore: "stack unwinders test addresses; since 5.2 the kernel tells of own files only",
    SYS_mlock: "keeps keys out of swap, within RLIMIT_MEMLOCK",
    SYS_mlock2: "the same with flags",
    SYS_munlock: "undoes it",
    SYS_mlockall: "within RLIMIT_MEMLOCK",
    SYS_munlockall: "undoes it",
    SYS_pkey_alloc: "V8 guards its code with memory keys",
    SYS_pkey_mprotect: "V8 guards its code with memory keys",
    SYS_pkey_free: "V8 guards its code with memory keys",
    SYS_membarrier: "lock-free libraries",
];

/// Memory from the host's pool of huge pages is charged to no memory cgroup. The pool is empty on most hosts, and these
/// are the answers of a host where it is.
const HUGE_PAGES: &str = "memory; refused: huge pages of the host, which the memory limit does not count";

/// `MADV_MERGEABLE` gets the answer of a kernel that merges no pages.
const NO_MERGING: Clause = Clause {
    checks: &[Check { argument: 2, mask: u32::MAX, values: &[libc::MADV_MERGEABLE as u32] }],
    verdict: Verdict::Refuse(Errno::Invalid),
};

/// Decided by flags.
pub(super) static MAPPED: &[Entry] = &[
    entry("mmap", libc::SYS_mmap, HUGE_PAGES, ALLOW).unless(&[Clause {
        checks: &[Check { argument: 3, mask: libc::MAP_HUGETLB as u32, values: &[libc::MAP_HUGETLB as u32] }],
        verdict: Verdict::Refuse(Errno::NoMemory),
    }]),
    entry(
        "madvise",
        libc::SYS_madvise,
        "allocators give pages back; refused: merging equal pages, whose timing tells what other cells hold",
        ALLOW,
    )
    .unless(&[NO_MERGING]),
    entry("memfd_create", libc::SYS_memfd_create, HUGE_PAGES, ALLOW).unless(&[Clause {
        checks: &[Check { argument: 1, mask: libc::MFD_HUGETLB, values: &[libc::MFD_HUGETLB] }],
        verdict: NOT_IMPLEMENTED,
    }]),
];
