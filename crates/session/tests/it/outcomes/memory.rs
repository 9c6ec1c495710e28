//! Out of memory, where the kernel holds the limit and where init watches.

use session::{Outcome, Session};

use crate::kit::{BARE, Bench, COLD, Ran, run, shell, with};

use super::{assert_kept, assert_lost, prepare, prepared};

const LIMIT: u64 = 256 << 20;

/// In steps, so that a watch that looks every few milliseconds sees it before a machine is full.
const GREEDY: &str = "
held = []
while True: held.append(bytearray(b'x' * (1 << 20)))";

fn assert_out_of_memory(ran: &Ran) {
    let Outcome::OutOfMemory { limit, peak: Some(peak) } = ran.report.outcome else { panic!("{ran:?}") };
    assert_eq!(limit, LIMIT);
    // What the kernel itself needs of it may be let go when memory is short.
    assert!(peak > LIMIT * 9 / 10, "{peak}");
    let text = ran.report.outcome.to_string();
    assert!(text.starts_with("killed: the cell's memory limit of 256 MiB was reached (peak "), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kernel_is_killed_and_that_is_told() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench, |limits| limits.memory = LIMIT).await;
        for round in 0..3 {
            let ran = run(&session, GREEDY).await;
            assert_out_of_memory(&ran);
            if bench.engine.node().hard().memory {
                assert!(ran.report.memory_peak.unwrap() <= LIMIT, "round {round}: {ran:?}");
            }
            assert_lost(&session, &ran, "memory limit of 256 MiB was reached").await;
            prepare(&session).await;
        }
        session.stop().await.unwrap();
    })
    .await;
}

/// The child that used it up is killed; the kernel and its variables are there.
async fn children_are_killed_first(session: &Session) {
    let child = "
import subprocess, sys
code = 'held = []\\nwhile True: held.append(bytearray(b\"x\" * (1 << 20)))'
subprocess.run([sys.executable, '-c', code]).returncode";
    let ran = run(session, child).await.ok();
    assert_eq!(ran.value(), Some("-9"));
    assert_eq!(ran.notices(), ["a process in the cell was killed: the memory limit of 256 MiB was reached"]);
    assert_kept(session, &ran).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_is_killed_and_the_kernel_lives() {
    for kernels in [BARE, COLD] {
        with(kernels, async |bench: &Bench| {
            let session = prepared(bench, |limits| limits.memory = LIMIT).await;
            children_are_killed_first(&session).await;
            let pool = "
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
def greedy(_):
    held = []
    while True: held.append(bytearray(b'x' * (1 << 20)))
with ProcessPoolExecutor(2, get_context('fork')) as pool:
    try: list(pool.map(greedy, range(2)))
    except BrokenProcessPool: print('told')";
            let ran = run(&session, pool).await.ok();
            assert_eq!(ran.stdout(), "told\n");
            assert!(ran.notices()[0].contains("the memory limit of 256 MiB was reached"), "{ran:?}");
            assert_kept(&session, &ran).await;
            session.stop().await.unwrap();
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_killed_and_the_kernel_lives() {
    with(COLD, async |bench: &Bench| {
        let session = prepared(bench, |limits| limits.memory = LIMIT).await;
        let line = "exec python -c 'held = []\nwhile True: held.append(bytearray(b\"x\" * (1 << 20)))'";
        let ran = shell(&session, line).await;
        assert_out_of_memory(&ran);
        assert_eq!(ran.report.exit_status, Some(137));
        let next = run(&session, "print(x)").await.ok();
        assert_eq!((next.stdout().as_str(), next.notices().len()), ("a variable\n", 0), "{next:?}");
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shared_memory_and_temporary_files_count() {
    with(COLD, async |bench: &Bench| {
        if !bench.engine.node().hard().memory {
            eprintln!("SKIPPED: only a cgroup counts the memory of files, and there is none here");
            return;
        }
        let session = prepared(bench, |limits| limits.memory = LIMIT).await;
        // /tmp and /dev/shm hold half of the limit each, so both together are too much.
        let code = "
for path in ('/tmp/a', '/dev/shm/b', '/tmp/c', '/dev/shm/d'):
    with open(path, 'wb') as file:
        for n in range(63): file.write(b'x' * (1 << 20))";
        let ran = run(&session, code).await;
        assert_out_of_memory(&ran);
        // They are still there, and the session goes on all the same.
        assert_lost(&session, &ran, "memory limit").await;
        run(
            &session,
            "import glob, os\nfor path in glob.glob('/tmp/?') + glob.glob('/dev/shm/?'): os.remove(path)",
        )
        .await
        .ok();
        session.stop().await.unwrap();
    })
    .await;
}
