//! The list as `aarch64` has it: names, numbers and verdicts, and the program that is compiled from them.
//!
//! It was never run on such a machine. The numbers are libc's: compiled for that target (`cargo check --tests --target
//! aarch64-unknown-linux-gnu`), each line proves its own.

use std::collections::BTreeMap;

use super::interpreter::{Call, run};
use crate::seccomp::bpf::{AARCH64, RET_ALLOW, RET_ERRNO, RET_KILL_PROCESS, X86_64, compile};
use crate::seccomp::{Entry, Verdict, calls, table};

macro_rules! snapshot {
    ($($call:ident $number:literal $verdict:ident;)*) => {
        /// Name, number, verdict.
        const SNAPSHOT: &[(&str, u32, &str)] =
            &[$((stringify!($call).split_at(4).1, $number, stringify!($verdict))),*];
        $(snapshot!(@proof $call $number);)*
    };
    (@proof $call:ident $number:literal) => {
        #[cfg(target_arch = "aarch64")]
        const _: () = assert!(known::$call == $number);
    };
}

/// libc's numbers, and those that it lacks from the kernel's own list (include/uapi/asm-generic/unistd.h).
#[cfg(target_arch = "aarch64")]
#[allow(non_upper_case_globals)]
mod known {
    pub(super) use libc::*;

    pub(super) const SYS_io_pgetevents: c_long = 292;
    pub(super) const SYS_set_mempolicy_home_node: c_long = 450;
    pub(super) const SYS_cachestat: c_long = 451;
    pub(super) const SYS_fchmodat2: c_long = 452;
    pub(super) const SYS_map_shadow_stack: c_long = 453;
    pub(super) const SYS_futex_wake: c_long = 454;
    pub(super) const SYS_futex_wait: c_long = 455;
    pub(super) const SYS_futex_requeue: c_long = 456;
    pub(super) const SYS_statmount: c_long = 457;
    pub(super) const SYS_listmount: c_long = 458;
    pub(super) const SYS_lsm_get_self_attr: c_long = 459;
    pub(super) const SYS_lsm_set_self_attr: c_long = 460;
    pub(super) const SYS_lsm_list_modules: c_long = 461;
}

snapshot! {
    SYS_read 63 allowed;
    SYS_readv 65 allowed;
    SYS_pread64 67 allowed;
    SYS_preadv 69 allowed;
    SYS_preadv2 286 allowed;
    SYS_write 64 allowed;
    SYS_writev 66 allowed;
    SYS_pwrite64 68 allowed;
    SYS_pwritev 70 allowed;
    SYS_pwritev2 287 allowed;
    SYS_lseek 62 allowed;
    SYS_close 57 allowed;
    SYS_close_range 436 allowed;
    SYS_dup 23 allowed;
    SYS_dup3 24 allowed;
    SYS_fcntl 25 allowed;
    SYS_flock 32 allowed;
    SYS_fstat 80 allowed;
    SYS_fstatfs 44 allowed;
    SYS_ftruncate 46 allowed;
    SYS_fallocate 47 allowed;
    SYS_fadvise64 223 allowed;
    SYS_readahead 213 allowed;
    SYS_fsync 82 allowed;
    SYS_fdatasync 83 allowed;
    SYS_syncfs 267 allowed;
    SYS_sync_file_range 84 allowed;
    SYS_sendfile 71 allowed;
    SYS_copy_file_range 285 allowed;
    SYS_splice 76 allowed;
    SYS_tee 77 allowed;
    SYS_fchmod 52 allowed;
    SYS_fchown 55 allowed;
    SYS_fchdir 50 allowed;
    SYS_getdents64 61 allowed;
    SYS_fgetxattr 10 allowed;
    SYS_fsetxattr 7 allowed;
    SYS_flistxattr 13 allowed;
    SYS_fremovexattr 16 allowed;
    SYS_openat 56 allowed;
    SYS_openat2 437 allowed;
    SYS_faccessat 48 allowed;
    SYS_faccessat2 439 allowed;
    SYS_newfstatat 79 allowed;
    SYS_statx 291 allowed;
    SYS_statfs 43 allowed;
    SYS_readlinkat 78 allowed;
    SYS_symlinkat 36 allowed;
    SYS_linkat 37 allowed;
    SYS_unlinkat 35 allowed;
    SYS_mkdirat 34 allowed;
    SYS_renameat 38 allowed;
    SYS_renameat2 276 allowed;
    SYS_truncate 45 allowed;
    SYS_fchmodat 53 allowed;
    SYS_fchmodat2 452 allowed;
    SYS_fchownat 54 allowed;
    SYS_utimensat 88 allowed;
    SYS_umask 166 allowed;
    SYS_chdir 49 allowed;
    SYS_getcwd 17 allowed;
    SYS_getxattr 8 allowed;
    SYS_lgetxattr 9 allowed;
    SYS_setxattr 5 allowed;
    SYS_lsetxattr 6 allowed;
    SYS_listxattr 11 allowed;
    SYS_llistxattr 12 allowed;
    SYS_removexattr 14 allowed;
    SYS_lremovexattr 15 allowed;
    SYS_inotify_init1 26 allowed;
    SYS_inotify_add_watch 27 allowed;
    SYS_inotify_rm_watch 28 allowed;
    SYS_landlock_create_ruleset 444 allowed;
    SYS_landlock_add_rule 445 allowed;
    SYS_landlock_restrict_self 446 allowed;
    SYS_mknodat 33 arguments;
    SYS_ppoll 73 allowed;
    SYS_pselect6 72 allowed;
    SYS_epoll_create1 20 allowed;
    SYS_epoll_ctl 21 allowed;
    SYS_epoll_pwait 22 allowed;
    SYS_epoll_pwait2 441 allowed;
    SYS_eventfd2 19 allowed;
    SYS_signalfd4 74 allowed;
    SYS_timerfd_create 85 allowed;
    SYS_timerfd_settime 86 allowed;
    SYS_timerfd_gettime 87 allowed;
    SYS_pipe2 59 allowed;
    SYS_ioctl 29 arguments;
    SYS_brk 214 allowed;
    SYS_munmap 215 allowed;
    SYS_mremap 216 allowed;
    SYS_mprotect 226 allowed;
    SYS_madvise 233 allowed;
    SYS_msync 227 allowed;
    SYS_mincore 232 allowed;
    SYS_mlock 228 allowed;
    SYS_mlock2 284 allowed;
    SYS_munlock 229 allowed;
    SYS_mlockall 230 allowed;
    SYS_munlockall 231 allowed;
    SYS_pkey_alloc 289 allowed;
    SYS_pkey_mprotect 288 allowed;
    SYS_pkey_free 290 allowed;
    SYS_membarrier 283 allowed;
    SYS_mmap 222 arguments;
    SYS_memfd_create 279 arguments;
    SYS_execve 221 allowed;
    SYS_execveat 281 allowed;
    SYS_exit 93 allowed;
    SYS_exit_group 94 allowed;
    SYS_wait4 260 allowed;
    SYS_waitid 95 allowed;
    SYS_pidfd_open 434 allowed;
    SYS_pidfd_send_signal 424 allowed;
    SYS_kill 129 allowed;
    SYS_tkill 130 allowed;
    SYS_tgkill 131 allowed;
    SYS_rt_sigaction 134 allowed;
    SYS_rt_sigprocmask 135 allowed;
    SYS_rt_sigpending 136 allowed;
    SYS_rt_sigsuspend 133 allowed;
    SYS_rt_sigtimedwait 137 allowed;
    SYS_rt_sigqueueinfo 138 allowed;
    SYS_rt_tgsigqueueinfo 240 allowed;
    SYS_rt_sigreturn 139 allowed;
    SYS_sigaltstack 132 allowed;
    SYS_restart_syscall 128 allowed;
    SYS_set_tid_address 96 allowed;
    SYS_set_robust_list 99 allowed;
    SYS_get_robust_list 100 allowed;
    SYS_rseq 293 allowed;
    SYS_futex 98 allowed;
    SYS_futex_waitv 449 allowed;
    SYS_getpid 172 allowed;
    SYS_getppid 173 allowed;
    SYS_gettid 178 allowed;
    SYS_sched_yield 124 allowed;
    SYS_sched_getaffinity 123 allowed;
    SYS_sched_setaffinity 122 allowed;
    SYS_sched_getparam 121 allowed;
    SYS_sched_setparam 118 allowed;
    SYS_sched_getscheduler 120 allowed;
    SYS_sched_setscheduler 119 allowed;
    SYS_sched_getattr 275 allowed;
    SYS_sched_setattr 274 allowed;
    SYS_sched_get_priority_max 125 allowed;
    SYS_sched_get_priority_min 126 allowed;
    SYS_sched_rr_get_interval 127 allowed;
    SYS_getpriority 141 allowed;
    SYS_setpriority 140 allowed;
    SYS_ioprio_get 31 allowed;
    SYS_ioprio_set 30 allowed;
    SYS_getcpu 168 allowed;
    SYS_getrusage 165 allowed;
    SYS_times 153 allowed;
    SYS_sysinfo 179 allowed;
    SYS_uname 160 allowed;
    SYS_getrandom 278 allowed;
    SYS_prlimit64 261 allowed;
    SYS_clone 220 arguments;
    SYS_prctl 167 arguments;
    SYS_personality 92 arguments;
    SYS_getuid 174 allowed;
    SYS_geteuid 175 allowed;
    SYS_getgid 176 allowed;
    SYS_getegid 177 allowed;
    SYS_getresuid 148 allowed;
    SYS_getresgid 150 allowed;
    SYS_getgroups 158 allowed;
    SYS_setuid 146 allowed;
    SYS_setgid 144 allowed;
    SYS_setreuid 145 allowed;
    SYS_setregid 143 allowed;
    SYS_setresuid 147 allowed;
    SYS_setresgid 149 allowed;
    SYS_setfsuid 151 allowed;
    SYS_setfsgid 152 allowed;
    SYS_setgroups 159 allowed;
    SYS_capget 90 allowed;
    SYS_capset 91 allowed;
    SYS_getpgid 155 allowed;
    SYS_setpgid 154 allowed;
    SYS_getsid 156 allowed;
    SYS_setsid 157 allowed;
    SYS_shmget 194 allowed;
    SYS_shmat 196 allowed;
    SYS_shmdt 197 allowed;
    SYS_shmctl 195 allowed;
    SYS_semget 190 allowed;
    SYS_semop 193 allowed;
    SYS_semtimedop 192 allowed;
    SYS_semctl 191 allowed;
    SYS_msgget 186 allowed;
    SYS_msgsnd 189 allowed;
    SYS_msgrcv 188 allowed;
    SYS_msgctl 187 allowed;
    SYS_mq_open 180 allowed;
    SYS_mq_unlink 181 allowed;
    SYS_mq_timedsend 182 allowed;
    SYS_mq_timedreceive 183 allowed;
    SYS_mq_notify 184 allowed;
    SYS_mq_getsetattr 185 allowed;
    SYS_bind 200 allowed;
    SYS_listen 201 allowed;
    SYS_accept 202 allowed;
    SYS_accept4 242 allowed;
    SYS_connect 203 allowed;
    SYS_shutdown 210 allowed;
    SYS_sendto 206 allowed;
    SYS_sendmsg 211 allowed;
    SYS_sendmmsg 269 allowed;
    SYS_recvfrom 207 allowed;
    SYS_recvmsg 212 allowed;
    SYS_recvmmsg 243 allowed;
    SYS_getsockname 204 allowed;
    SYS_getpeername 205 allowed;
    SYS_getsockopt 209 allowed;
    SYS_socket 198 arguments;
    SYS_socketpair 199 arguments;
    SYS_setsockopt 208 arguments;
    SYS_clock_gettime 113 allowed;
    SYS_clock_getres 114 allowed;
    SYS_clock_nanosleep 115 allowed;
    SYS_nanosleep 101 allowed;
    SYS_gettimeofday 169 allowed;
    SYS_getitimer 102 allowed;
    SYS_setitimer 103 allowed;
    SYS_timer_create 107 allowed;
    SYS_timer_settime 110 allowed;
    SYS_timer_gettime 108 allowed;
    SYS_timer_getoverrun 109 allowed;
    SYS_timer_delete 111 allowed;
    SYS_init_module 105 EPERM;
    SYS_finit_module 273 EPERM;
    SYS_delete_module 106 EPERM;
    SYS_kexec_load 104 EPERM;
    SYS_kexec_file_load 294 EPERM;
    SYS_reboot 142 EPERM;
    SYS_bpf 280 EPERM;
    SYS_perf_event_open 241 EPERM;
    SYS_userfaultfd 282 EPERM;
    SYS_syslog 116 EPERM;
    SYS_acct 89 EPERM;
    SYS_swapon 224 EPERM;
    SYS_swapoff 225 EPERM;
    SYS_quotactl 60 EPERM;
    SYS_quotactl_fd 443 EPERM;
    SYS_settimeofday 170 EPERM;
    SYS_clock_settime 112 EPERM;
    SYS_adjtimex 171 EPERM;
    SYS_clock_adjtime 266 EPERM;
    SYS_sethostname 161 EPERM;
    SYS_setdomainname 162 EPERM;
    SYS_vhangup 58 EPERM;
    SYS_sync 81 EPERM;
    SYS_fanotify_init 262 EPERM;
    SYS_fanotify_mark 263 EPERM;
    SYS_mount 40 EPERM;
    SYS_umount2 39 EPERM;
    SYS_pivot_root 41 EPERM;
    SYS_chroot 51 EPERM;
    SYS_open_tree 428 EPERM;
    SYS_move_mount 429 EPERM;
    SYS_fsopen 430 EPERM;
    SYS_fsconfig 431 EPERM;
    SYS_fsmount 432 EPERM;
    SYS_fspick 433 EPERM;
    SYS_mount_setattr 442 EPERM;
    SYS_unshare 97 EPERM;
    SYS_setns 268 EPERM;
    SYS_name_to_handle_at 264 EPERM;
    SYS_open_by_handle_at 265 EPERM;
    SYS_ptrace 117 EPERM;
    SYS_process_vm_readv 270 EPERM;
    SYS_process_vm_writev 271 EPERM;
    SYS_process_mrelease 448 EPERM;
    SYS_pidfd_getfd 438 EPERM;
    SYS_kcmp 272 EPERM;
    SYS_migrate_pages 238 EPERM;
    SYS_move_pages 239 EPERM;
    SYS_mbind 235 EPERM;
    SYS_set_mempolicy 237 EPERM;
    SYS_get_mempolicy 236 EPERM;
    SYS_add_key 217 EPERM;
    SYS_request_key 218 EPERM;
    SYS_keyctl 219 EPERM;
    SYS_lookup_dcookie 18 EPERM;
    SYS_clone3 435 ENOSYS;
    SYS_io_uring_setup 425 ENOSYS;
    SYS_io_uring_enter 426 ENOSYS;
    SYS_io_uring_register 427 ENOSYS;
    SYS_io_setup 0 ENOSYS;
    SYS_io_destroy 1 ENOSYS;
    SYS_io_getevents 4 ENOSYS;
    SYS_io_submit 2 ENOSYS;
    SYS_io_cancel 3 ENOSYS;
    SYS_seccomp 277 ENOSYS;
    SYS_vmsplice 75 ENOSYS;
    SYS_memfd_secret 447 ENOSYS;
    SYS_process_madvise 440 ENOSYS;
    SYS_remap_file_pages 234 ENOSYS;
    SYS_nfsservctl 42 ENOSYS;
    SYS_set_mempolicy_home_node 450 ENOSYS;
    SYS_cachestat 451 ENOSYS;
    SYS_map_shadow_stack 453 ENOSYS;
    SYS_futex_wake 454 ENOSYS;
    SYS_futex_wait 455 ENOSYS;
    SYS_futex_requeue 456 ENOSYS;
    SYS_statmount 457 ENOSYS;
    SYS_listmount 458 ENOSYS;
    SYS_lsm_get_self_attr 459 ENOSYS;
    SYS_lsm_set_self_attr 460 ENOSYS;
    SYS_lsm_list_modules 461 ENOSYS;
    SYS_mseal 462 ENOSYS;
    SYS_io_pgetevents 292 ENOSYS;
}

/// What a verdict is called here: `arguments` where they decide.
fn word(entry: &Entry) -> String {
    if entry.clauses.is_empty() { entry.otherwise.to_string() } else { "arguments".to_owned() }
}

/// The table with the numbers of this architecture.
fn here() -> Vec<Entry> {
    let numbers: BTreeMap<_, _> = SNAPSHOT.iter().map(|&(name, number, _)| (name, number)).collect();
    table().filter_map(|entry| Some(Entry { number: *numbers.get(entry.name)?, ..*entry })).collect()
}

#[test]
fn the_list_is_as_it_was() {
    let foreign: Vec<_> = calls::only_x86_64().collect();
    let numbers: BTreeMap<_, _> = SNAPSHOT.iter().map(|&(name, number, _)| (name, number)).collect();
    let number = |entry: &Entry| numbers.get(entry.name).map_or("?".to_owned(), u32::to_string);
    let wanted: String = table()
        .filter(|entry| !foreign.contains(&entry.name))
        .map(|entry| format!("    SYS_{} {} {};\n", entry.name, number(entry), word(entry)))
        .collect();
    let had: String =
        SNAPSHOT.iter().map(|(name, number, word)| format!("    SYS_{name} {number} {word};\n")).collect();
    assert!(wanted == had, "the list has changed; if that was meant, it is now\n{wanted}");
    if cfg!(target_arch = "aarch64") {
        assert!(table().all(|entry| numbers.get(entry.name) == Some(&entry.number)));
    }
}

#[test]
fn the_program_says_what_the_list_says() {
    let table = here();
    let program = compile(table.iter(), AARCH64).instructions().to_vec();
    for entry in &table {
        for arguments in [[0; 6], [u64::MAX; 6]] {
            let call = Call { architecture: AARCH64, number: entry.number, arguments };
            let expected = match entry.verdict(&arguments) {
                Verdict::Allow => RET_ALLOW,
                Verdict::Refuse(errno) => RET_ERRNO | u32::from(errno.number()),
            };
            assert_eq!(run(&program, &call).0, expected, "{}", entry.name);
            let foreign = Call { architecture: X86_64, ..call };
            assert_eq!(run(&program, &foreign).0, RET_KILL_PROCESS, "{}", entry.name);
        }
    }
    let mut numbers: Vec<_> = table.iter().map(|entry| entry.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), table.len(), "two names have one number");
}
