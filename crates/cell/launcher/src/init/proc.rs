//! What `/proc` says of the cell's processes.
//!
//! Their names are the user's choice and stand unescaped in the middle of the line, so fields are counted from the last
//! parenthesis. A process that ends between two reads is no error: it is left out.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};

/// One process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) parent: u32,
    /// Its process group.
    pub(super) group: u32,
    /// Its process session, by the id of the process that began it.
    pub(super) session: u32,
    /// Whether it still runs: it is neither a zombie nor gone.
    pub(super) alive: bool,
}

/// Reads a line of `/proc/<pid>/stat`: `pid (name) state parent group session …`. Ids of what lies outside are 0.
fn parse_stat(line: &[u8]) -> Option<Process> {
    let name = line.iter().position(|&byte| byte == b'(')?;
    let end = line.iter().rposition(|&byte| byte == b')')?;
    let pid = number(line[..name].trim_ascii())?;
    let mut fields = line.get(end + 1..)?.split(|&byte| byte == b' ').filter(|field| !field.is_empty());
    let alive = !matches!(fields.next()?, b"Z" | b"X" | b"x");
    let mut next = || fields.next().and_then(number);
    let (parent, group, session) = (next()?, next()?, next()?);
    Some(Process { pid, parent, group, session, alive })
}

/// When a process began, by its line of `/proc/<pid>/stat`: ticks since the machine did.
fn parse_begun(line: &[u8]) -> Option<u64> {
    let end = line.iter().rposition(|&byte| byte == b')')?;
    // The 22nd field of the line; the state is the third.
    number(line.get(end + 1..)?.split(|&byte| byte == b' ').filter(|field| !field.is_empty()).nth(22 - 3)?)
}

/// The bytes of anonymous memory that a line of `/proc/<pid>/statm` tells of: resident less shared pages.
fn parse_statm(line: &[u8], page: u64) -> Option<u64> {
    let mut fields = line.split(|&byte| byte == b' ').skip(1);
    let resident: u64 = number(fields.next()?)?;
    let shared = number(fields.next()?)?;
    Some(resident.saturating_sub(shared).saturating_mul(page))
}

fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Reads a small file of a process into a buffer that holds its beginning.
fn read<'a>(pid: u32, name: &str, buffer: &'a mut [u8; 512]) -> Option<&'a [u8]> {
    let mut file = File::open(format!("/proc/{pid}/{name}")).ok()?;
    // One read gives the whole line, which the kernel makes anew for each.
    let len = file.read(buffer).ok()?;
    Some(&buffer[..len])
}

/// One process, unless it is gone.
pub(super) fn find(pid: u32) -> Option<Process> {
    read(pid, "stat", &mut [0; 512]).and_then(parse_stat)
}

/// The processes of a group, but its leader, that began at this tick or later.
pub(super) fn younger_in(group: u32, tick: u64) -> io::Result<Vec<u32>> {
    let young =
        |pid| read(pid, "stat", &mut [0; 512]).and_then(parse_begun).is_some_and(|begun| begun >= tick);
    let members = each()?.filter(|process| process.group == group && process.pid != group && process.alive);
    Ok(members.map(|process| process.pid).filter(|&pid| young(pid)).collect())
}

/// All processes that can be seen but init itself, each as it is when its turn comes.
pub(super) fn each() -> io::Result<impl Iterator<Item = Process>> {
    let own = sys::process::own_pid();
    let pids =
        std::fs::read_dir("/proc")?.filter_map(|entry| number(entry.ok()?.file_name().as_encoded_bytes()));
    Ok(pids.filter(move |&pid| pid != own).filter_map(find))
}

/// All processes of the cell but init itself.
pub(super) fn scan() -> io::Result<Vec<Process>> {
    let mut processes: Vec<Process> = each()?.collect();
    // A PID 1 sees its cell and nothing else. Anywhere else, everything else on the machine is there too, and not ours.
    let own = sys::process::own_pid();
    if own != 1 {
        let mut below = BTreeSet::from([own]);
        until_stable(&processes, |process| below.contains(&process.parent) && below.insert(process.pid));
        processes.retain(|process| below.contains(&process.pid));
    }
    Ok(processes)
}

/// Shows all processes, again and again, until none makes a difference any more. Ids wrap around, so a parent may come
/// after its child.
pub(super) fn until_stable(processes: &[Process], mut changes: impl FnMut(&Process) -> bool) {
    while processes.iter().filter(|process| changes(process)).count() > 0 {}
}

/// The bytes of anonymous memory that `/proc/<pid>/smaps_rollup` tells of, pages that are shared by division.
fn parse_share(text: &[u8]) -> Option<u64> {
    let line = text.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"Pss_Anon:"))?;
    number::<u64>(line.trim_ascii().strip_suffix(b" kB")?.trim_ascii()).map(|kibibytes| kibibytes << 10)
}

/// As [`memory`], but of pages that several processes share (after a fork) each has its part; nothing where that cannot
/// be told. It costs the system a walk through all of the process's pages.
pub(super) fn share(pid: u32) -> Option<u64> {
    read(pid, "smaps_rollup", &mut [0; 512]).and_then(parse_share)
}

/// How much memory of its own a process uses, bytes; 0 if it has ended.
pub(super) fn memory(pid: u32) -> u64 {
    let mut buffer = [0; 512];
    let page = sys::process::page_size();
    read(pid, "statm", &mut buffer).and_then(|line| parse_statm(line, page)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_whatever_the_name() {
        for name in ["python3", "a) R 1 1 1", ")", "(", "", " ", "a b", ") Z 0 0 0 (", "\u{fc})\n7 (x"] {
            let line = format!("42 ({name}) S 7 42 40 0 -1 4194304 100");
            let expected = Process { pid: 42, parent: 7, group: 42, session: 40, alive: true };
            assert_eq!(parse_stat(line.as_bytes()), Some(expected), "{name:?}");
        }
    }

    #[test]
    fn the_dead_are_known() {
        for (state, alive) in [("R", true), ("D", true), ("T", true), ("Z", false), ("X", false)] {
            let found = parse_stat(format!("42 (x) {state} 7 42 40").as_bytes()).unwrap();
            assert_eq!(found.alive, alive, "{state}");
        }
    }

    #[test]
    fn rubbish_is_no_process() {
        for line in [
            "",
            "42",
            "42 (x",
            "42 x)",
            "42 (x) S",
            "42 (x) S 7 42",
            "x (x) S 7 42 40",
            "42 (x) S a b c",
            ")(",
        ] {
            assert_eq!(parse_stat(line.as_bytes()), None, "{line}");
        }
        for line in ["", "1", "1 2", "1 x 3"] {
            assert_eq!(parse_statm(line.as_bytes(), 4096), None, "{line}");
        }
        let rollup = b"55-7f ---p 00 00:00 0 [rollup]\nRss: 900 kB\nPss: 300 kB\nPss_Anon:     120 kB\nPss_File: 9 kB\n";
        assert_eq!(parse_share(rollup), Some(120 << 10));
        for text in ["", "Pss_Anon:", "Pss_Anon: x kB", "Pss_Anon: 12 MB", "Pss: 3 kB\n"] {
            assert_eq!(parse_share(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse_statm(b"100 30 10 1 0 5 0\n", 4096), Some(20 * 4096));
        assert_eq!(parse_statm(b"100 10 30 1 0 5 0\n", 4096), Some(0));
    }

    #[test]
    fn this_machine_can_be_read() {
        let tick = sys::process::uptime_ticks();
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let found = scan().unwrap().into_iter().find(|process| process.pid == child.id());
        let (used, share) = (memory(child.id()), share(child.id()));
        let begun = read(child.id(), "stat", &mut [0; 512]).and_then(parse_begun).unwrap();
        assert!((tick..tick + 6000).contains(&begun), "{begun} {tick}");
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(found.map(|process| process.parent), Some(std::process::id()));
        assert!(used > 0 && share.is_some_and(|share| share <= used), "{share:?} {used}");
        assert_eq!(memory(child.id()), 0);
    }
}
