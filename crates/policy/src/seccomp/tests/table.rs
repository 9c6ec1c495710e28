//! The table, and that the program says what the table says.

use std::collections::BTreeMap;

use super::interpreter::{Call, allowed_by_number, run};
use crate::seccomp::bpf::{ARCHITECTURE, RET_ALLOW, RET_ERRNO, RET_KILL_PROCESS};
use crate::seccomp::{Check, Entry, Errno, Instruction, Verdict, programs, table, verdict};

const NOTHING: [u64; 6] = [0; 6];

fn program() -> Vec<Instruction> {
    let [program] = &programs()[..] else { panic!("there is one program") };
    program.instructions().to_vec()
}

fn returned(verdict: Verdict) -> u32 {
    match verdict {
        Verdict::Allow => RET_ALLOW,
        Verdict::Refuse(errno) => RET_ERRNO | u32::from(errno.number()),
    }
}

fn named(name: &str) -> &'static Entry {
    table().find(|entry| entry.name == name).unwrap_or_else(|| panic!("`{name}` is not in the table"))
}

/// Values worth trying for an argument with these checks: each one listed and its neighbours, with and without bits
/// that do not count, and noise in the half that must be ignored.
fn interesting(checks: &[&Check]) -> Vec<u64> {
    let mut values = vec![0, 1, u64::from(u32::MAX), u64::MAX];
    for check in checks {
        for &value in check.values {
            for near in [value, value.wrapping_add(1), value.wrapping_sub(1), value | !check.mask] {
                values.extend([
                    u64::from(near),
                    u64::from(near) | 1 << 32,
                    u64::from(near) | 0xffff_ffff << 32,
                ]);
            }
        }
        values.extend((0..32).map(|bit| 1 << bit));
    }
    values.sort_unstable();
    values.dedup();
    values
}

/// Argument lists that reach every clause of an entry from every side.
fn argument_lists(entry: &Entry) -> Vec<[u64; 6]> {
    let mut by_argument: BTreeMap<usize, Vec<&Check>> = BTreeMap::new();
    for check in entry.clauses.iter().flat_map(|clause| clause.checks) {
        by_argument.entry(usize::from(check.argument)).or_default().push(check);
    }
    let mut lists = vec![NOTHING, [u64::MAX; 6]];
    for (argument, checks) in by_argument {
        let values = interesting(&checks);
        let before = lists.clone();
        // Every combination for calls with few listed values; socket has three arguments that matter.
        lists = before
            .iter()
            .flat_map(|list| {
                values.iter().map(move |value| {
                    let mut list = *list;
                    list[argument] = *value;
                    list
                })
            })
            .collect();
    }
    lists
}

#[test]
fn every_entry_is_decided_by_the_program_as_by_the_table() {
    let program = program();
    for entry in table() {
        for arguments in argument_lists(entry) {
            let call = Call::new(entry.number, arguments);
            assert_eq!(
                run(&program, &call).0,
                returned(entry.verdict(&arguments)),
                "{} {call:x?}",
                entry.name
            );
        }
    }
}

#[test]
fn every_number_is_decided_by_the_program_as_by_the_table() {
    let program = program();
    for number in (0..2048).chain([1 << 30, 1 << 30 | 1, 1 << 31, u32::MAX - 1, u32::MAX]) {
        for arguments in [NOTHING, [u64::MAX; 6]] {
            let got = run(&program, &Call::new(number, arguments)).0;
            assert_eq!(got, returned(verdict(number, &arguments)), "{number}");
        }
    }
}

#[test]
fn no_number_and_no_name_is_listed_twice() {
    let (mut numbers, mut names) = (BTreeMap::new(), BTreeMap::new());
    for entry in table() {
        assert_eq!(numbers.insert(entry.number, entry.name), None, "number {}", entry.number);
        assert_eq!(names.insert(entry.name, entry.number), None, "name {}", entry.name);
        assert!(!entry.reason.is_empty(), "{} has no reason", entry.name);
    }
    // Too few would mean that a topic is not in the list of topics.
    assert!(numbers.len() > 280, "{}", numbers.len());
}

#[test]
fn a_foreign_architecture_kills_whatever_it_calls() {
    let program = program();
    // i386, arm, and the other one of ours; then something that is none.
    for architecture in [0x4000_0003, 0x4000_0028, 0xc000_003e, 0xc000_00b7, 0, u32::MAX] {
        for number in [0, 1, 59, 221, 9999] {
            let call = Call { architecture, number, arguments: NOTHING };
            let killed = run(&program, &call).0 == RET_KILL_PROCESS;
            assert_eq!(killed, architecture != ARCHITECTURE, "{call:x?}");
        }
    }
}

#[test]
fn the_x32_forms_of_allowed_calls_do_not_exist() {
    let program = program();
    for entry in table() {
        let call = Call::new(entry.number | 1 << 30, NOTHING);
        assert_eq!(
            run(&program, &call).0,
            returned(Verdict::Refuse(Errno::NotImplemented)),
            "{}",
            entry.name
        );
    }
}

#[test]
fn what_the_table_allows_by_number_the_kernel_answers_from_its_bitmap() {
    let program = program();
    for entry in table() {
        let by_number = entry.clauses.is_empty() && entry.otherwise == Verdict::Allow;
        assert_eq!(allowed_by_number(&program, entry.number), by_number, "{}", entry.name);
    }
    // What is looked at on every call must stay a short list.
    let looked_at: Vec<_> =
        table().filter(|entry| !entry.clauses.is_empty()).map(|entry| entry.name).collect();
    let expected =
        ["mknodat", "ioctl", "mmap", "madvise", "memfd_create", "clone", "prctl", "personality", "socket"];
    assert_eq!(looked_at[..9], expected);
    assert!(looked_at.len() <= 12, "{looked_at:?}");
}

#[test]
fn the_program_is_short_and_shallow() {
    let program = program();
    assert!(program.len() <= 400, "{} instructions", program.len());
    let deepest =
        table().map(|entry| (run(&program, &Call::new(entry.number, [u64::MAX; 6])).1, entry.name)).max();
    assert!(deepest.is_some_and(|(steps, _)| steps <= 60), "{deepest:?}");
}

#[test]
fn a_program_is_encoded_as_the_kernel_reads_it() {
    let programs = programs();
    let bytes = programs[0].encode();
    assert_eq!(bytes.len(), 8 * programs[0].instructions().len());
    for (bytes, instruction) in bytes.chunks_exact(8).zip(programs[0].instructions()) {
        assert_eq!(u16::from_ne_bytes([bytes[0], bytes[1]]), instruction.code);
        assert_eq!([bytes[2], bytes[3]], [instruction.jt, instruction.jf]);
        assert_eq!(u32::from_ne_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]), instruction.k);
    }
}

#[test]
fn dangerous_calls_are_refused_whatever_their_arguments() {
    let dangerous = "mount umount2 pivot_root chroot open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr \
        unshare setns ptrace process_vm_readv process_vm_writev pidfd_getfd process_madvise process_mrelease kcmp bpf \
        perf_event_open userfaultfd add_key request_key keyctl open_by_handle_at name_to_handle_at init_module \
        finit_module delete_module kexec_load kexec_file_load reboot quotactl quotactl_fd acct swapon swapoff \
        settimeofday clock_settime adjtimex clock_adjtime lookup_dcookie nfsservctl vhangup syslog sethostname \
        setdomainname io_uring_setup io_uring_enter io_uring_register io_setup clone3 seccomp vmsplice memfd_secret \
        fanotify_init fanotify_mark migrate_pages move_pages statmount listmount cachestat remap_file_pages";
    let program = program();
    for name in dangerous.split_whitespace() {
        let entry = named(name);
        assert!(entry.clauses.is_empty(), "{name}");
        for arguments in [NOTHING, [1; 6], [u64::MAX; 6]] {
            let got = run(&program, &Call::new(entry.number, arguments)).0;
            assert_eq!(got & 0xffff_0000, RET_ERRNO, "{name}");
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn what_is_not_listed_is_refused() {
    let program = program();
    let unlisted =
        [libc::SYS_getpmsg, libc::SYS_afs_syscall, libc::SYS_tuxcall, libc::SYS_security, libc::SYS_vserver];
    for number in unlisted {
        let got = run(&program, &Call::new(number as u32, [u64::MAX; 6])).0;
        assert_eq!(got, returned(Verdict::Refuse(Errno::NotPermitted)), "{number}");
    }
    let newer = run(&program, &Call::new(470, NOTHING)).0;
    assert_eq!(newer, returned(Verdict::Refuse(Errno::NotImplemented)));
}

#[test]
fn sockets_are_made_by_family() {
    let refused = Verdict::Refuse;
    let socket = |family: i32, kind: i32, protocol: i32| {
        named("socket").verdict(&[family as u64, kind as u64, protocol as u64, 0, 0, 0])
    };
    let stream = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    for family in [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6] {
        assert_eq!(socket(family, stream, 0), Verdict::Allow, "{family}");
        assert_eq!(socket(family, libc::SOCK_DGRAM, 0), Verdict::Allow, "{family}");
    }
    assert_eq!(socket(libc::AF_INET, stream, libc::IPPROTO_TCP), Verdict::Allow);
    assert_eq!(socket(libc::AF_INET6, libc::SOCK_DGRAM, libc::IPPROTO_UDP), Verdict::Allow);
    assert_eq!(socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE), Verdict::Allow);

    assert_eq!(socket(libc::AF_INET, stream, 132 /* SCTP */), refused(Errno::NoSuchProtocol));
    assert_eq!(socket(libc::AF_INET, libc::SOCK_SEQPACKET, 0), refused(Errno::NoSuchProtocol));
    assert_eq!(socket(libc::AF_INET, libc::SOCK_RAW, 1), refused(Errno::NotPermitted));
    for protocol in (1..32).filter(|protocol| *protocol != libc::NETLINK_ROUTE) {
        assert_eq!(
            socket(libc::AF_NETLINK, libc::SOCK_RAW, protocol),
            refused(Errno::NoSuchProtocol),
            "{protocol}"
        );
    }
    // Every other family, VSOCK (40), PACKET, ALG, XDP, BLUETOOTH and CAN among them, and those to come.
    let ours = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
    for family in (0..512).filter(|family| !ours.contains(family)).chain([-1, i32::MIN]) {
        assert_eq!(socket(family, stream, 0), refused(Errno::NoSuchFamily), "{family}");
    }
    let pair = |family: i32| named("socketpair").verdict(&[family as u64, 1, 0, 0, 0, 0]);
    assert_eq!(pair(libc::AF_UNIX), Verdict::Allow);
    assert_eq!(pair(libc::AF_INET), refused(Errno::NoSuchFamily));
    assert_eq!(pair(libc::AF_TIPC), refused(Errno::NoSuchFamily));
}

#[test]
fn clone_makes_no_namespace() {
    let clone = |flags: i32| named("clone").verdict(&[flags as u64, 0, 0, 0, 0, 0]);
    let thread =
        libc::CLONE_VM | libc::CLONE_FS | libc::CLONE_FILES | libc::CLONE_SIGHAND | libc::CLONE_THREAD;
    assert_eq!(clone(thread | libc::CLONE_SETTLS | libc::CLONE_CHILD_CLEARTID), Verdict::Allow);
    assert_eq!(clone(libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD), Verdict::Allow);
    for flag in [
        libc::CLONE_NEWNS,
        libc::CLONE_NEWCGROUP,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWNET,
    ] {
        assert_eq!(clone(flag | libc::SIGCHLD), Verdict::Refuse(Errno::NotPermitted), "{flag:x}");
    }
}

#[test]
fn no_other_process_can_be_spied_on_and_no_device_made() {
    let prctl = |operation: u64| named("prctl").verdict(&[operation, 0, 0, 0, 0, 0]);
    assert_eq!(prctl(libc::PR_SET_NAME as u64), Verdict::Allow);
    assert_eq!(prctl(libc::PR_SET_DUMPABLE as u64), Verdict::Allow);
    for operation in [libc::PR_SET_MM, libc::PR_SET_SECCOMP, libc::PR_SET_PTRACER, 59, 62, 67] {
        assert_eq!(prctl(operation as u64), Verdict::Refuse(Errno::Invalid), "{operation}");
    }

    let ioctl = |request: u64| named("ioctl").verdict(&[0, request, 0, 0, 0, 0]);
    assert_eq!(ioctl(libc::TIOCGWINSZ), Verdict::Allow);
    assert_eq!(ioctl(libc::FIONBIO), Verdict::Allow);
    assert_eq!(ioctl(libc::SIOCGIFCONF), Verdict::Allow);
    assert_eq!(ioctl(libc::FICLONE), Verdict::Allow);
    // Of file systems, namespaces, devices, pages of a process.
    for request in [0xc020_660b, 0x401c_5820, 0xb701, 0x8008_1272, 0xc060_6610, 0x4b33, 0xffff_ffff] {
        assert_eq!(ioctl(request), Verdict::Refuse(Errno::NoSuchControl), "{request:x}");
    }
    for request in [libc::TIOCSTI, libc::TIOCSTI | 1 << 32, 0x541c, 0x5423] {
        assert_eq!(ioctl(request), Verdict::Refuse(Errno::NotPermitted), "{request:x}");
    }

    let mknodat = |mode: u32| named("mknodat").verdict(&[0, 0, u64::from(mode), 0, 0, 0]);
    for mode in [0o644, libc::S_IFREG | 0o600, libc::S_IFIFO | 0o666, libc::S_IFSOCK] {
        assert_eq!(mknodat(mode), Verdict::Allow, "{mode:o}");
    }
    for mode in [libc::S_IFCHR, libc::S_IFBLK, libc::S_IFBLK | 0o7777, libc::S_IFDIR] {
        assert_eq!(mknodat(mode), Verdict::Refuse(Errno::NotPermitted), "{mode:o}");
    }
}

#[test]
fn init_can_give_up_its_powers_behind_the_filter() {
    let calls = "setresuid setresgid setgroups capset kill setsid prlimit64 openat2 sendmsg recvmsg signalfd4 \
        epoll_create1 waitid wait4 pidfd_open pidfd_send_signal execve exit_group close_range dup3 clone";
    for name in calls.split_whitespace() {
        assert_eq!(named(name).verdict(&NOTHING), Verdict::Allow, "{name}");
    }
    for operation in [libc::PR_SET_NO_NEW_PRIVS, libc::PR_CAPBSET_DROP, libc::PR_SET_DUMPABLE] {
        let verdict = named("prctl").verdict(&[operation as u64, 0, 0, 0, 0, 0]);
        assert_eq!(verdict, Verdict::Allow, "{operation}");
    }
}
