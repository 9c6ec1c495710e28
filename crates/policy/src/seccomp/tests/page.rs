//! The page about system calls, `docs/system-calls.md`, made of the table, of the names that Docker's default profile
//! allows, and of those that were seen while environments were measured. On `x86_64`, which has the most calls.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use crate::seccomp::{Entry, Verdict, calls, table, verdict};

/// What stands above the tables.
const HEAD: &str = "\
# System calls

This page is made from the table in `crates/policy/src/seccomp`; a test keeps it true. There each call has its verdict and
the reason for it, and here is what of that differs from Docker's default profile.

A cell may make the calls that are listed as allowed. A refused call is not made and returns an error, the one that the
kernel itself would give, so that libraries take another way: `ENOSYS` where they have one, `EPERM` where there is none.
What is not listed gets `EPERM`, what is newer than the newest listed call `ENOSYS`. Only a program of another architecture
is killed. The filter cannot be changed from inside; a cell's own filters are refused.

Sockets are made by family: `AF_UNIX`; `AF_INET` and `AF_INET6` with streams and datagrams, TCP and UDP; `AF_NETLINK` for
routing. Any other family, `AF_VSOCK` among them, gets `EAFNOSUPPORT`, another protocol `EPROTONOSUPPORT`, a raw socket
`EPERM`.

The list for aarch64 is the same without the older forms of calls that only x86_64 has. Its numbers are checked against
libc's and the program is interpreted in tests; it has not been run on such a machine.
";

/// What stands between the tables of differences and those of what was seen.
const MEASURED: &str = "
## Measured

What environments call was counted with `crates/policy/src/seccomp/tests/measure.py`, which reads what strace tells of a
whole `cellblock run` and keeps what processes of cells did: all modules of `lean` imported; a task for each library of
`full` (`crates/session/tests/full/libraries`); the programs in `examples/patterns`; pip with a wheel and npm with a
package from disk; git (commit, merge, clone, rebase, gc, fsck); gcc and make; programs for Node and Deno with workers,
servers, watchers, child processes and lookups; multiprocessing in all its forms; some eighty usual commands; reading and
writing files from outside.

    strace -f -q -s 0 --decode-pids=pidns -o '|python3 measure.py calls.tsv' cellblock run --env full program.py

These were refused, and this is what the programs then did:

| call | answer | who asked | what it did then |
| --- | --- | --- | --- |
| clone3 | ENOSYS | the C library, for threads and processes | clone |
| io_uring_setup | ENOSYS | libuv in Node, tokio in Deno and Python libraries | epoll and threads |
| mbind, get_mempolicy | EPERM | OpenBLAS in numpy, programs with libnuma | went on without |
| socket: netlink for socket diagnosis | EPROTONOSUPPORT | ss | read /proc/net |
";

fn names(list: &str) -> BTreeSet<&str> {
    list.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).collect()
}

/// What Docker's default profile does where arguments decide here.
fn beside(name: &str) -> &'static str {
    match name {
        "clone" => "makes no namespace",
        "personality" => "the same values",
        "socket" => "every family but `AF_ALG` and `AF_VSOCK`",
        _ => "everything",
    }
}

fn allowed(entry: &Entry) -> bool {
    !entry.clauses.is_empty() || entry.otherwise == Verdict::Allow
}

fn page() -> String {
    let docker = names(include_str!("docker.txt"));
    let seen = names(include_str!("seen.txt"));
    let mut entries: Vec<_> = table().collect();
    entries.sort_by_key(|entry| entry.name);
    let count = |wanted: bool| entries.iter().filter(|entry| allowed(entry) == wanted).count();

    let mut page = HEAD.to_owned();
    let _ = writeln!(
        page,
        "\nListed for x86_64: {} calls that are allowed and {} that are refused.",
        count(true),
        count(false)
    );
    page.push_str(
        "\n## Docker allows them, a cell does not\n\n| call | answer | why |\n| --- | --- | --- |\n",
    );
    for entry in entries.iter().filter(|entry| docker.contains(entry.name) && !allowed(entry)) {
        let _ = writeln!(page, "| {} | {} | {} |", entry.name, entry.otherwise, entry.reason);
    }
    page.push_str(
        "\n## Allowed with some arguments\n\n| call | Docker allows | a cell allows |\n| --- | --- | --- |\n",
    );
    for entry in entries.iter().filter(|entry| !entry.clauses.is_empty()) {
        assert!(docker.contains(entry.name), "{}", entry.name);
        let _ = writeln!(page, "| {} | {} | {} |", entry.name, beside(entry.name), entry.reason);
    }
    page.push_str("\n## A cell allows them, Docker does not\n\n| call | why |\n| --- | --- |\n");
    for entry in entries.iter().filter(|entry| !docker.contains(entry.name) && allowed(entry)) {
        let _ = writeln!(page, "| {} | {} |", entry.name, entry.reason);
    }
    page.push_str(MEASURED);
    page.push_str(
        "\nThese are allowed and were not seen. They are kept because they do what an allowed call does, in an older form\n\
         or with more arguments, or because programs that a session may bring along use them.\n\n| call | why |\n\
         | --- | --- |\n",
    );
    for entry in entries.iter().filter(|entry| allowed(entry) && !seen.contains(entry.name)) {
        let _ = writeln!(page, "| {} | {} |", entry.name, entry.reason);
    }
    page
}

#[test]
fn the_page_is_that_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/system-calls.md");
    if std::env::var_os("CELLBLOCK_UPDATE_DOCS").is_some_and(|value| value == "1") {
        std::fs::write(&path, page()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page(), "renew docs/system-calls.md: run this test with CELLBLOCK_UPDATE_DOCS=1");
}

#[test]
fn every_call_that_docker_allows_or_that_was_seen_is_in_the_table() {
    let listed: BTreeSet<_> = table().map(|entry| entry.name).collect();
    for list in [include_str!("docker.txt"), include_str!("seen.txt")] {
        let missing: Vec<_> = names(list).into_iter().filter(|name| !listed.contains(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
    assert!(calls::only_x86_64().count() > 40);
}

/// Of what was seen, nothing is refused but what the page tells of.
#[test]
fn what_was_seen_and_is_refused_is_told() {
    let told = names("clone3 io_uring_setup mbind get_mempolicy");
    let refused: BTreeSet<_> = table()
        .filter(|entry| names(include_str!("seen.txt")).contains(entry.name) && !allowed(entry))
        .map(|entry| entry.name)
        .collect();
    assert_eq!(refused, told);
    assert!(told.iter().all(|name| MEASURED.contains(name)));
    assert!(matches!(verdict(u32::MAX, &[0; 6]), Verdict::Refuse(_)));
}
