//! The programs in the kernel: a Python child confines itself with them and then tries things.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::seccomp::{Verdict, programs, table, verdict};

const PYTHON: &str = "/usr/bin/python3";

/// What the child printed and how it ended; `None`, having said so, where there is no Python to run it.
fn child(task: &str, confined: bool, calls: &[(u32, [u64; 6])]) -> Option<Output> {
    if !Path::new(PYTHON).exists() {
        eprintln!("SKIPPED: there is no {PYTHON}, which installs the filter for this test");
        return None;
    }
    let mut input = String::new();
    if confined {
        input.extend(programs()[0].encode().iter().map(|byte| format!("{byte:02x}")));
    } else {
        input.push('-');
    }
    for (number, arguments) in calls {
        input.extend(["\n".to_owned(), number.to_string()]);
        input.extend(arguments.iter().map(|argument| format!(" {argument}")));
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/seccomp/tests/child.py");
    let mut child = Command::new(PYTHON)
        .args(["-I", script, task])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Python starts");
    child.stdin.take().expect("it was asked for").write_all(input.as_bytes()).expect("the child reads");
    Some(child.wait_with_output().expect("the child ends"))
}

/// The errno of each call, 0 for success.
fn errnos(confined: bool, calls: &[(u32, [u64; 6])]) -> Option<Vec<u16>> {
    let output = child("calls", confined, calls)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let errnos: Vec<u16> = text.lines().map(|line| line.parse().expect("a number")).collect();
    assert_eq!(errnos.len(), calls.len(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(errnos)
}

fn refusal(number: u32, arguments: &[u64; 6]) -> u16 {
    match verdict(number, arguments) {
        Verdict::Refuse(errno) => errno.number(),
        Verdict::Allow => panic!("{number} is allowed"),
    }
}

#[test]
fn refused_calls_fail_in_the_kernel_as_the_table_says() {
    // Arguments that no call takes: without the filter each fails with another error and does nothing.
    const NONSENSE: [u64; 6] = [u64::MAX; 6];
    // These take none, so that there is no calling them wrongly.
    let without_arguments = ["vhangup", "sync"];
    let calls: Vec<_> = table()
        .filter(|entry| entry.clauses.is_empty() && entry.otherwise != Verdict::Allow)
        .filter(|entry| !without_arguments.contains(&entry.name))
        .map(|entry| (entry.name, (entry.number, NONSENSE)))
        .collect();
    let numbers: Vec<_> = calls.iter().map(|(_, call)| *call).collect();
    let Some(confined) = errnos(true, &numbers) else { return };
    for ((name, (number, arguments)), errno) in calls.iter().zip(&confined) {
        assert_eq!(*errno, refusal(*number, arguments), "{name}");
    }

    let Some(free) = errnos(false, &numbers) else { return };
    let stopped = free.iter().zip(&confined).filter(|(free, confined)| free != confined).count();
    // A user without privilege is told EPERM by the kernel itself for many.
    assert!(stopped >= 20, "the filter made a difference for {stopped} calls only");
    for (((name, _), free), confined) in calls.iter().zip(&free).zip(&confined) {
        if free == confined {
            eprintln!("note: without the filter, too, `{name}` fails with error {free} here");
        }
    }
}

#[test]
fn calls_are_refused_by_their_arguments() {
    let n = |name: &str| table().find(|entry| entry.name == name).expect("it is listed").number;
    let list = |arguments: &[u64]| {
        let mut all = [0; 6];
        all[..arguments.len()].copy_from_slice(arguments);
        all
    };
    let high = 1 << 32;
    let calls = [
        (n("socket"), list(&[libc::AF_VSOCK as u64, libc::SOCK_STREAM as u64])),
        (n("socket"), list(&[libc::AF_VSOCK as u64 | high, libc::SOCK_STREAM as u64])),
        (n("socket"), list(&[libc::AF_ALG as u64, libc::SOCK_SEQPACKET as u64])),
        (n("socket"), list(&[libc::AF_PACKET as u64, libc::SOCK_RAW as u64])),
        (n("socket"), list(&[libc::AF_BLUETOOTH as u64, libc::SOCK_RAW as u64])),
        (n("socket"), list(&[libc::AF_XDP as u64, libc::SOCK_RAW as u64])),
        (n("socket"), list(&[libc::AF_INET as u64, libc::SOCK_RAW as u64, 1])),
        (n("socket"), list(&[libc::AF_INET as u64, libc::SOCK_STREAM as u64, 132])),
        (n("socket"), list(&[libc::AF_NETLINK as u64, libc::SOCK_RAW as u64, 12])),
        (n("socketpair"), list(&[libc::AF_INET as u64, libc::SOCK_STREAM as u64])),
        (n("clone"), list(&[(libc::CLONE_NEWUSER | libc::SIGCHLD) as u64])),
        (n("clone"), list(&[(libc::CLONE_NEWNS | libc::SIGCHLD) as u64])),
        (n("ioctl"), list(&[0, libc::TIOCSTI])),
        (n("ioctl"), list(&[0, libc::TIOCSTI | high])),
        (n("ioctl"), list(&[0, 0xb701])), // NS_GET_USERNS
        (n("madvise"), list(&[0, 0, libc::MADV_MERGEABLE as u64])),
        (n("prctl"), list(&[libc::PR_SET_MM as u64])),
        (n("prctl"), list(&[libc::PR_SET_SECCOMP as u64, 2])),
        (n("personality"), list(&[0x0004_0000])),
        (n("mknodat"), list(&[u64::MAX, 0, u64::from(libc::S_IFCHR), 0x0103])),
        (
            n("mmap"),
            list(&[0, 2 << 20, 3, (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_HUGETLB) as u64]),
        ),
        (n("memfd_create"), list(&[0, u64::from(libc::MFD_HUGETLB)])),
        (n("setsockopt"), list(&[0, libc::SOL_SOCKET as u64, libc::SO_ATTACH_FILTER as u64])),
        (n("setsockopt"), list(&[0, libc::IPPROTO_TCP as u64, libc::TCP_ULP as u64])),
        (9999, [0; 6]),
        (n("getpid") | 1 << 30, [0; 6]),
    ];
    let Some(errnos) = errnos(true, &calls) else { return };
    for ((number, arguments), errno) in calls.iter().zip(errnos) {
        assert_eq!(errno, refusal(*number, arguments), "{number} {arguments:x?}");
    }
}

#[test]
fn ordinary_programs_notice_nothing() {
    let Some(output) = child("harmless", true, &[]) else { return };
    let text = String::from_utf8_lossy(&output.stdout);
    let failed: Vec<_> = text.lines().filter(|line| !line.starts_with("ok ")).collect();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && failed.is_empty(), "{failed:?} {said}");
    assert_eq!(text.lines().count(), 12, "{text} {said}");
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_call_of_a_foreign_architecture_kills() {
    use std::os::unix::process::ExitStatusExt;
    let Some(free) = child("foreign", false, &[]) else { return };
    if free.stdout != b"survived True\n" {
        eprintln!("SKIPPED: this kernel has no 32-bit calls, so there is nothing foreign to call");
        return;
    }
    let confined = child("foreign", true, &[]).expect("it ran before");
    assert_eq!(confined.status.signal(), Some(libc::SIGSYS), "{confined:?}");
    assert!(confined.stdout.is_empty());
}
