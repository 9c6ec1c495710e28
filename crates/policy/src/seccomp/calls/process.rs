//! Processes, threads, signals and scheduling.

use super::{ALLOW, NOT_PERMITTED, calls, entry};
use crate::seccomp::rule::{Check, Clause, Entry, Errno, Verdict};

/// Being born, waiting, dying; signals reach no further than the cell's PID namespace.
pub(super) static LIFE: &[Entry] = calls![ALLOW;
    SYS_execve: "starts a program",
    SYS_execveat: "starts a program by descriptor",
    SYS_exit: "ends a thread",
    SYS_exit_group: "ends a process",
    SYS_wait4: "waits for a child",
    SYS_waitid: "waits for a child, also by descriptor",
    SYS_pidfd_open: "a descriptor for a process; asyncio waits for children so",
    SYS_pidfd_send_signal: "a signal that cannot reach the wrong process",
    SYS_kill: "signals",
    SYS_tkill: "signals to a thread",
    SYS_tgkill: "signals to a thread",
    SYS_rt_sigaction: "signals",
    SYS_rt_sigprocmask: "signals",
    SYS_rt_sigpending: "signals",
    SYS_rt_sigsuspend: "signals",
    SYS_rt_sigtimedwait: "signals",
    SYS_rt_sigqueueinfo: "signals with a value",
    SYS_rt_tgsigqueueinfo: "signals with a value",
    SYS_rt_sigreturn: "the way back from a handler",
    SYS_sigaltstack: "faulthandler, V8",
    SYS_restart_syscall: "made by the kernel after a stop",
    SYS_set_tid_address: "the C library, at every start",
    SYS_set_robust_list: "the C library, at every start",
    SYS_rseq: "the C library, at every start",
    SYS_futex: "locks",
    SYS_getpid: "own id",
    SYS_getppid: "parent's id",
    SYS_gettid: "thread's id",
];

/// Scheduling and limits; more than the own share needs a capability or a cgroup that a cell does not have.
pub(super) static SCHEDULING: &[Entry] = calls![ALLOW;
    SYS_sched_yield: "spin locks",
    SYS_sched_getaffinity: "how many processors",
    SYS_sched_setaffinity: "thread pools pin threads, within the cell's processors",
    SYS_sched_getparam: "priorities",
    SYS_sched_setparam: "priorities, downward",
    SYS_sched_getscheduler: "priorities",
    SYS_sched_setscheduler: "priorities, downward",
    SYS_sched_getattr: "priorities",
    SYS_sched_setattr: "priorities, downward",
    SYS_sched_get_priority_max: "priorities",
    SYS_sched_get_priority_min: "priorities",
    SYS_sched_rr_get_interval: "priorities",
    SYS_getpriority: "nice",
    SYS_setpriority: "nice, downward",
    SYS_ioprio_get: "ionice",
    SYS_ioprio_set: "ionice, downward",
    SYS_getcpu: "allocators ask where they run",
    SYS_getrusage: "time and memory used",
    SYS_times: "time used",
    SYS_sysinfo: "memory and uptime; libraries size themselves by it",
    SYS_uname: "platform",
    SYS_getrandom: "random bytes",
    SYS_prlimit64: "resource limits, downward",
];

/// Every flag of clone that makes a namespace. `CLONE_NEWTIME` shares its bit with the exit signal and is none here.
const NEW_NAMESPACE: u32 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u32;

/// Operations of prctl that act on the caller alone. Absent on purpose:
///
/// - `PR_SET_SECCOMP`: see `seccomp`.
/// - `PR_SET_MM` and `PR_SET_PTRACER`: the one lies to others about the caller, the other lets them trace it; nobody
///   traces here.
/// - `PR_SET_SYSCALL_USER_DISPATCH`, `PR_SCHED_CORE`, `PR_SET_IO_FLUSHER`, `PR_SET_MEMORY_MERGE`: nothing in an
///   environment asks for them, and pages merged between cells would tell one what the other holds.
///
/// What is refused gets `EINVAL`, as from a kernel that does not have the operation.
const HARMLESS_OPERATIONS: &[u32] = &[
    libc::PR_SET_PDEATHSIG as u32,
    libc::PR_GET_PDEATHSIG as u32,
    libc::PR_GET_DUMPABLE as u32,
    libc::PR_SET_DUMPABLE as u32,
    libc::PR_GET_KEEPCAPS as u32,
    libc::PR_SET_KEEPCAPS as u32,
    libc::PR_GET_TIMING as u32,
    libc::PR_SET_NAME as u32,
    libc::PR_GET_NAME as u32,
    libc::PR_GET_SECCOMP as u32,
    libc::PR_CAPBSET_READ as u32,
    libc::PR_CAPBSET_DROP as u32,
    libc::PR_GET_SECUREBITS as u32,
    libc::PR_SET_SECUREBITS as u32,
    libc::PR_SET_TIMERSLACK as u32,
    libc::PR_GET_TIMERSLACK as u32,
    libc::PR_SET_CHILD_SUBREAPER as u32,
    libc::PR_GET_CHILD_SUBREAPER as u32,
    libc::PR_SET_NO_NEW_PRIVS as u32,
    libc::PR_GET_NO_NEW_PRIVS as u32,
    libc::PR_SET_THP_DISABLE as u32,
    libc::PR_GET_THP_DISABLE as u32,
    libc::PR_CAP_AMBIENT as u32,
    // linux/prctl.h; libc has these for some targets only.
    50,          // PR_SVE_SET_VL
    51,          // PR_SVE_GET_VL
    52,          // PR_GET_SPECULATION_CTRL
    53,          // PR_SET_SPECULATION_CTRL
    54,          // PR_PAC_RESET_KEYS
    55,          // PR_SET_TAGGED_ADDR_CTRL
    56,          // PR_GET_TAGGED_ADDR_CTRL
    63,          // PR_SME_SET_VL
    64,          // PR_SME_GET_VL
    65,          // PR_SET_MDWE
    66,          // PR_GET_MDWE
    0x5356_4d41, // PR_SET_VMA: names for mappings, given by glibc and V8
    0x4155_5856, // PR_GET_AUXV
];

/// Execution domains without effect on safety, and the question which one holds (moby's default profile has the same).
/// Absent: `READ_IMPLIES_EXEC`, `ADDR_NO_RANDOMIZE`, and the layouts of other systems.
const HARMLESS_DOMAINS: &[u32] = &[0, 0x0008, 0x0002_0000, 0x0002_0008, 0xffff_ffff];

/// Decided by flags.
pub(super) static CONTROLLED: &[Entry] = &[
    entry("clone", libc::SYS_clone, "threads and processes, but no namespaces", NOT_PERMITTED).unless(&[
        Clause { checks: &[Check { argument: 0, mask: NEW_NAMESPACE, values: &[0] }], verdict: ALLOW },
    ]),
    entry("prctl", libc::SYS_prctl, "what acts on the caller alone", Verdict::Refuse(Errno::Invalid)).unless(
        &[Clause {
            checks: &[Check { argument: 0, mask: u32::MAX, values: HARMLESS_OPERATIONS }],
            verdict: ALLOW,
        }],
    ),
    entry(
        "personality",
        libc::SYS_personality,
        "the harmless domains; none that weakens address layout",
        NOT_PERMITTED,
    )
    .unless(&[Clause {
        checks: &[Check { argument: 0, mask: u32::MAX, values: HARMLESS_DOMAINS }],
        verdict: ALLOW,
    }]),
];
