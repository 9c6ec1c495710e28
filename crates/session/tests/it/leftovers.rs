//! What is left of many sessions that were made, used and ended: nothing.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use session::{Limits, Outcome};
use tokio::task::JoinSet;

use crate::kit::left::{self, cgroups, descendants, names};
use crate::kit::{BARE, Bench, Ran, alone, is_root, start};

/// How many sessions; the long form is for whoever changes how cells end.
fn count() -> usize {
    if std::env::var_os("CELLBLOCK_TEST_LONG").is_some() { 500 } else { 60 }
}

const WAVE: usize = 20;

/// Leaves as much behind as code can: processes in other sessions, files, links, sockets, memory with a name.
const USE: &str = "
import os, socket, subprocess
from multiprocessing import shared_memory
print(1 + 1)
for place in ('.', '/home/user', '/tmp', '/dev/shm'):
    os.makedirs(f'{place}/a/b', exist_ok=True)
    for n in range(5): open(f'{place}/a/b/{n}', 'w').write('x')
os.symlink('/', 'root'); os.mkfifo('fifo'); os.mkdir('closed', 0)
held = [socket.create_server(('127.0.0.1', 8000)), socket.socket(socket.AF_UNIX), shared_memory.SharedMemory('named', create=True, size=4096)]
held[1].bind('socket')
if os.fork() == 0:
    os.setsid()
    if os.fork(): os._exit(0)
    os.execvp('sleep', ['sleep', '1000'])
os.wait()
child = subprocess.Popen(['sleep', '1000'])";

/// Everything of which there must not be more.
#[derive(Debug, PartialEq, Eq)]
struct Inventory {
    processes: Vec<u32>,
    descriptors: usize,
    launchers_descriptors: usize,
    forkservers_descriptors: usize,
    mounts: usize,
    cgroups: BTreeSet<PathBuf>,
    namespaces: BTreeSet<String>,
    files: Vec<String>,
    unix_sockets: usize,
}

impl Inventory {
    fn take(bench: &Bench) -> Inventory {
        let nodes = names(&bench.data.join("nodes"));
        let own = |group: &PathBuf| left::is_of(group, &nodes);
        let launcher = pid(&bench.engine.node().launcher().unwrap());
        let forkserver = bench.engine.forkserver().unwrap().process().pid;
        let mut processes = descendants();
        processes.sort_unstable();
        let descriptors =
            |process: &dyn std::fmt::Display| names(Path::new(&format!("/proc/{process}/fd"))).len();
        Inventory {
            descriptors: descriptors(&"self"),
            // Another user's process, unless root looks.
            launchers_descriptors: if is_root() { descriptors(&launcher) } else { 0 },
            forkservers_descriptors: if is_root() { descriptors(&forkserver) } else { 0 },
            mounts: fs::read_to_string("/proc/self/mountinfo").unwrap().lines().count()
                + fs::read_to_string(format!("/proc/{launcher}/mountinfo"))
                    .unwrap_or_default()
                    .lines()
                    .count(),
            cgroups: cgroups().into_iter().filter(own).collect(),
            namespaces: processes.iter().flat_map(|pid| namespaces(*pid)).collect(),
            files: files(&bench.data),
            unix_sockets: fs::read_to_string("/proc/self/net/unix")
                .unwrap()
                .lines()
                .filter(|line| line.contains(&*bench.data.to_string_lossy()))
                .count(),
            processes,
        }
    }
}

/// The process that a pidfd means.
fn pid(pidfd: &impl AsRawFd) -> u32 {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd())).unwrap();
    info.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok()).unwrap()
}

fn namespaces(pid: u32) -> Vec<String> {
    let directory = format!("/proc/{pid}/ns");
    let link = |name: String| Some(fs::read_link(format!("{directory}/{name}")).ok()?.display().to_string());
    names(Path::new(&directory)).into_iter().filter_map(link).collect()
}

/// Every path below a directory but the kernels' sources, and homes made ahead, of which there may be some.
fn files(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for name in names(directory) {
        let path = directory.join(&name);
        found.push(path.display().to_string());
        if path.is_dir() && name != "runtime" && name != "homes" {
            found.extend(files(&path));
        }
    }
    found.sort();
    found
}

async fn wave(bench: &Bench, sessions: usize) {
    let limits = Limits { memory: 256 << 20, processes: 64, grace_ms: 500, ..Limits::default() };
    let mut running = JoinSet::new();
    for n in 0..sessions {
        let session = bench.session_with(limits).await;
        running.spawn(async move {
            let ran = Ran::of(start(&session, USE)).await.ok();
            assert_eq!(ran.stdout(), "2\n");
            // Each way to come to an end.
            match n % 5 {
                0 => session.stop().await.unwrap(),
                1 => {
                    let call = start(&session, "while True: pass");
                    session.stop().await.unwrap();
                    assert_eq!(Ran::of(call).await.report.outcome, Outcome::SessionEnded);
                }
                2 => {
                    Ran::of(start(&session, "os._exit(1)")).await;
                    session.stop().await.unwrap();
                }
                3 => {
                    session.clear(session::Language::Python).await.unwrap();
                    session.stop().await.unwrap();
                }
                _ => drop(session),
            }
        });
    }
    running.join_all().await;
}

mod alone {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_is_left_of_sessions() {
        alone(BARE, async |bench: &Bench| {
            // The first ones bring about what stays as long as the engine does: threads, directories.
            wave(bench, WAVE).await;
            left::assert_no_more_than("the first wave", 2).await;
            let before = Inventory::take(bench);
            let begun = std::time::Instant::now();
            for _ in 0..count() / WAVE {
                wave(bench, WAVE).await;
            }
            left::assert_no_more_than("all waves", 2).await;
            eprintln!("{} sessions in {:?}", count(), begun.elapsed());
            let after = Inventory::take(bench);
            assert_eq!(after, before);
            assert_eq!(after.processes.len(), 2, "the launcher and the forkserver: {after:?}");
        })
        .await;
    }
}
