//! The machine as a cell sees it: files over those of `/proc`, and a `/sys` of its own, by which a library that asks
//! learns of the cell and not of the host.
//!
//! They are written once. What changes (memory in use, load) is what an idle machine has, since a file cannot follow it.
//! What calls tell and no file (`sysinfo`, the clocks) stays the host's: uptime, load, the size of its memory.

use std::fmt::Write as _;

use protocol::SessionId;

use crate::cell::Node;
use crate::limits::Limits;
use crate::plan::{CellFile, CellPath};

/// Files of /proc and directories of it that tell of the host or let a privileged reader harm it. Docker masks those of
/// the first group, and of /sys, of which a cell has nothing.
pub(crate) const MASKED: &[&str] = &[
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    // More than Docker: what others do on the host, and what it is made of.
    "/proc/bootconfig",
    "/proc/buddyinfo",
    "/proc/cgroups",
    "/proc/cmdline",
    "/proc/diskstats",
    "/proc/kallsyms",
    "/proc/key-users",
    "/proc/kmsg",
    "/proc/mdstat",
    "/proc/modules",
    "/proc/partitions",
    "/proc/pressure",
    "/proc/schedstat",
    "/proc/slabinfo",
    "/proc/softirqs",
    "/proc/swaps",
    "/proc/vmstat",
    "/proc/zoneinfo",
];

/// As Docker has them.
pub(crate) const READ_ONLY: &[&str] =
    &["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// The files of one cell.
pub(crate) fn files(session: SessionId, limits: &Limits, node: &Node) -> Vec<CellFile> {
    let cpus = (limits.cpus as usize).clamp(1, node.processors.len().max(1));
    let mut files = vec![
        file("/proc/meminfo", meminfo(limits.memory)),
        file("/proc/cpuinfo", cpuinfo(&node.cpuinfo, cpus)),
        file("/proc/stat", stat(cpus, node.boot_time)),
        file("/proc/loadavg", "0.00 0.00 0.00 1/1 1\n".to_owned()),
        file("/proc/sys/kernel/random/boot_id", boot_id(session)),
    ];
    files.extend(topology(cpus));
    files.extend(cgroup(cpus, limits.memory));
    files
}

fn file(path: &str, content: String) -> CellFile {
    CellFile { path: CellPath::fixed(path), content: content.into_bytes() }
}

/// What /proc/meminfo says: the cell's limit, all of it free.
fn meminfo(memory: u64) -> String {
    let kib = memory >> 10;
    let mut out = String::new();
    for (name, value) in [
        ("MemTotal", kib),
        ("MemFree", kib),
        ("MemAvailable", kib),
        ("Buffers", 0),
        ("Cached", 0),
        ("SwapCached", 0),
        ("Active", 0),
        ("Inactive", 0),
        ("SwapTotal", 0),
        ("SwapFree", 0),
        ("Shmem", 0),
        ("Slab", 0),
        ("SReclaimable", 0),
    ] {
        let _ = writeln!(out, "{:<16}{value:>8} kB", format!("{name}:"));
    }
    out
}

/// The first processors of the host's /proc/cpuinfo, as the cores of one socket.
fn cpuinfo(host: &str, cpus: usize) -> String {
    let mut out = String::new();
    for (cpu, block) in host.split("\n\n").filter(|block| !block.trim().is_empty()).take(cpus).enumerate() {
        for line in block.lines() {
            let value = match line.split(':').next().unwrap_or_default().trim() {
                "physical id" => 0,
                "siblings" | "cpu cores" => cpus,
                "core id" | "apicid" | "initial apicid" => cpu,
                _ => {
                    let _ = writeln!(out, "{line}");
                    continue;
                }
            };
            let name = line.split_inclusive(':').next().unwrap_or_default();
            let _ = writeln!(out, "{name} {value}");
        }
        out.push('\n');
    }
    out
}

/// What /proc/stat says: as many processors as the cell has, and not what they did.
fn stat(cpus: usize, boot_time: u64) -> String {
    let mut out = "cpu  0 0 0 0 0 0 0 0 0 0\n".to_owned();
    for cpu in 0..cpus {
        let _ = writeln!(out, "cpu{cpu} 0 0 0 0 0 0 0 0 0 0");
    }
    let _ = writeln!(
        out,
        "intr 0\nctxt 0\nbtime {boot_time}\nprocesses 0\nprocs_running 1\nprocs_blocked 0\nsoftirq 0"
    );
    out
}

/// Another for each cell: the host's would tell cells that they share it.
fn boot_id(session: SessionId) -> String {
    const VERSION: u128 = 0xf000 << 64;
    const VARIANT: u128 = 0xc000 << 48;
    // RFC 9562, 5.4
    let id = session.to_u128() & !VERSION & !VARIANT | 0x4000 << 64 | 0x8000 << 48;
    let hex = format!("{id:032x}");
    format!("{}-{}-{}-{}-{}\n", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// What /sys says of processors: the cores of one socket, each with one thread.
fn topology(cpus: usize) -> Vec<CellFile> {
    const CPU: &str = "/sys/devices/system/cpu";
    let all = if cpus == 1 { "0\n".to_owned() } else { format!("0-{}\n", cpus - 1) };
    let mut files: Vec<_> =
        ["online", "possible", "present"].map(|name| file(&format!("{CPU}/{name}"), all.clone())).into();
    files.push(file(&format!("{CPU}/kernel_max"), format!("{}\n", cpus - 1)));
    let everyone: Vec<_> = (0..cpus).collect();
    for cpu in 0..cpus {
        for (name, content) in [
            ("core_id", format!("{cpu}\n")),
            ("physical_package_id", "0\n".to_owned()),
            ("thread_siblings", mask(&[cpu], cpus)),
            ("thread_siblings_list", format!("{cpu}\n")),
            ("core_siblings", mask(&everyone, cpus)),
            ("core_siblings_list", all.clone()),
        ] {
            files.push(file(&format!("{CPU}/cpu{cpu}/topology/{name}"), content));
        }
    }
    files
}

/// A set of processors as /sys writes it: words of 32 bits in hexadecimal, the highest first.
fn mask(set: &[usize], cpus: usize) -> String {
    let mut words = vec![0_u32; cpus.div_ceil(32)];
    for cpu in set {
        words[cpu / 32] |= 1 << (cpu % 32);
    }
    let words: Vec<_> = words.iter().rev().map(|word| format!("{word:08x}")).collect();
    let digits = if cpus < 32 { cpus.div_ceil(4) } else { 8 };
    let text = words.join(",");
    // The first word has as many digits as it needs for all processors.
    format!("{}\n", &text[if cpus < 32 { 8 - digits } else { 0 }..])
}

/// The limits where interpreters look for those of a container: in the files of either version of cgroups.
///
/// Affinity cannot tell how many processors a cell has where a cgroup holds it to so much time, and calls that ask for
/// memory tell the host's.
fn cgroup(cpus: usize, memory: u64) -> Vec<CellFile> {
    const PERIOD: usize = 100_000; // µs; the kernel's default
    let quota = cpus * PERIOD;
    [
        ("cpu.max", format!("{quota} {PERIOD}\n")),
        ("memory.max", format!("{memory}\n")),
        ("memory.high", "max\n".to_owned()),
        ("cpu/cpu.cfs_quota_us", format!("{quota}\n")),
        ("cpu/cpu.cfs_period_us", format!("{PERIOD}\n")),
        ("memory/memory.limit_in_bytes", format!("{memory}\n")),
        // None; libuv takes the lower of the two, and nothing for zero.
        ("memory/memory.soft_limit_in_bytes", format!("{}\n", i64::MAX)),
    ]
    .map(|(name, content)| file(&format!("/sys/fs/cgroup/{name}"), content))
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Hard;

    fn text(cpus: usize, path: &str) -> String {
        let node = Node {
            processors: (0..cpus as u32).collect(),
            boot_time: 1_700_000_000,
            cpuinfo: "processor\t: 0\nsiblings\t: 64\ncore id\t\t: 7\n\n".repeat(cpus),
            hard: Hard { memory: true, cpus: true, processes: true },
            drop_groups: true,
            addresses: Vec::new(),
        };
        let limits = Limits { cpus: cpus as u32, ..Limits::default() };
        let mut files = files(SessionId::from_u128(7), &limits, &node).into_iter();
        let file = files.find(|file| file.path.as_str() == path).unwrap_or_else(|| panic!("{path}"));
        String::from_utf8(file.content).unwrap()
    }

    #[test]
    fn libraries_learn_of_the_cell() {
        assert!(text(2, "/proc/meminfo").starts_with("MemTotal:        4194304 kB\n"));
        let cpuinfo = text(2, "/proc/cpuinfo");
        assert_eq!(cpuinfo.matches("processor").count(), 2);
        assert!(cpuinfo.contains("siblings\t: 2\ncore id\t\t: 1\n\n"), "{cpuinfo}");
        assert_eq!(text(2, "/proc/stat").matches("\ncpu").count(), 2);
        assert_eq!(text(2, "/sys/devices/system/cpu/online"), "0-1\n");
        assert_eq!(text(1, "/sys/devices/system/cpu/online"), "0\n");
        assert_eq!(text(2, "/sys/fs/cgroup/cpu.max"), "200000 100000\n");
    }

    #[test]
    fn sets_of_processors_are_written_as_the_kernel_does() {
        let of = |cpu: usize, cpus| {
            text(cpus, &format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings"))
        };
        let all = |cpus| text(cpus, "/sys/devices/system/cpu/cpu0/topology/core_siblings");
        assert_eq!((of(0, 1), all(1)), ("1\n".to_owned(), "1\n".to_owned()));
        assert_eq!((of(5, 6), all(6)), ("20\n".to_owned(), "3f\n".to_owned()));
        assert_eq!((of(31, 32), all(32)), ("80000000\n".to_owned(), "ffffffff\n".to_owned()));
        assert_eq!(of(33, 64), "00000002,00000000\n");
        assert_eq!(all(64), "ffffffff,ffffffff\n");
    }

    #[test]
    fn each_cell_has_been_started_at_another_time() {
        assert_eq!(boot_id(SessionId::from_u128(7)), "00000000-0000-4000-8000-000000000007\n");
        let highest = boot_id(SessionId::from_u128(u128::MAX));
        assert_eq!(highest, "ffffffff-ffff-4fff-bfff-ffffffffffff\n");
    }
}
