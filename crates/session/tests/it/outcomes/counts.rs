//! What is counted: processes, threads, descriptors, processors' time.

use session::{Limits, Outcome, Session};

use crate::kit::{BARE, Bench, COLD, print, run, with};

use super::{assert_kept, assert_lost, prepare, prepared};

fn few(limits: &mut Limits) {
    limits.processes = 64;
}

/// New processes can be made.
async fn assert_room(session: &Session) {
    let code = "import subprocess; print([subprocess.run(['true']).returncode for _ in range(3)])";
    assert_eq!(print(session, code).await, "[0, 0, 0]\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_are_refused_beyond_their_limit() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench, few).await;
        let code = "
import os, signal
children = []
try:
    while True:
        child = os.fork()
        if child == 0:
            while True: signal.pause()
        children.append(child)
finally:
    for child in children: os.kill(child, signal.SIGKILL); os.waitpid(child, 0)
    print(len(children))";
        let ran = run(&session, code).await;
        assert_eq!((&ran.report.outcome, ran.raised().0), (&Outcome::Raised, "BlockingIOError"), "{ran:?}");
        assert!(ran.raised().1.contains("Resource temporarily unavailable"), "{ran:?}");
        let said = ran.notices().join("\n");
        assert!(said.contains("limit of 64 processes and threads"), "what a model can act on: {ran:?}");
        let made: u32 = ran.stdout().trim().parse().unwrap();
        assert!((40..=64).contains(&made), "{made}");
        assert_kept(&session, &ran).await;
        assert_room(&session).await;

        let threads = "
import threading
stop, threads = threading.Event(), []
try:
    while True:
        thread = threading.Thread(target=stop.wait); thread.start(); threads.append(thread)
finally:
    stop.set()
    for thread in threads: thread.join()
    print(len(threads))";
        let ran = run(&session, threads).await;
        assert_eq!(ran.raised(), ("RuntimeError", "can't start new thread"));
        assert!(ran.notices().join("\n").contains("limit of 64 processes and threads"), "{ran:?}");
        assert_kept(&session, &ran).await;
        assert_room(&session).await;
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_bomb_is_one_sessions_trouble() {
    with(BARE, async |bench: &Bench| {
        let (session, other) = (prepared(bench, few).await, prepared(bench, few).await);
        let bomb = "
import os
print('begun', flush=True)
while True:
    try: os.fork()
    except OSError: pass";
        let mut call = crate::kit::start(&session, bomb);
        crate::kit::next_stdout(&mut call, "begun").await;
        // It has gone off when there is no room for one more.
        crate::kit::until("the bomb fills its cell", || crate::kit::left::descendants().len() > 60).await;
        assert_room(&other).await;
        session.interrupt(call.id());
        let ran = crate::kit::Ran::of(call).await;
        assert!(matches!(ran.report.outcome, Outcome::Interrupted { .. }), "{ran:?}");
        // Its children go on; a fresh context ends them.
        let cleared = session.clear(session::Language::Python).await.unwrap();
        assert_eq!(cleared.outcome, Outcome::Ok, "{cleared:?}");
        assert_room(&session).await;
        prepare(&session).await;
        assert_room(&session).await;
        assert_room(&other).await;
        session.stop().await.unwrap();
        other.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_cell_still_gets_a_kernel() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench, few).await;
        // Orphans that left the kernel's process session fill the cell, and the kernel dies.
        let code = "
import os, signal
while True:
    try:
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0: signal.pause()
            os._exit(0)
        if os.wait()[1]: break
    except OSError: break
os._exit(9)";
        let ran = run(&session, code).await;
        assert_eq!(ran.report.outcome, Outcome::Exited { status: 9 }, "{ran:?}");
        assert_lost(&session, &ran, "status 9").await;
        // It is the cell's own processes that are refused, and it can end them.
        let ran =
            run(&session, "import subprocess; [subprocess.Popen(['sleep', '60']) for _ in range(5)]").await;
        assert_eq!(ran.raised().0, "BlockingIOError", "{ran:?}");
        run(&session, "import os; os.kill(-1, 9)").await.ok();
        assert_room(&session).await;
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn descriptors_have_an_end() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench, |_| {}).await;
        let ran = run(&session, "held = []\nwhile True: held.append(open('/dev/null'))").await;
        assert_eq!((&ran.report.outcome, ran.raised().0), (&Outcome::Raised, "OSError"), "{ran:?}");
        assert!(ran.raised().1.contains("Too many open files"), "{ran:?}");
        // With not one left the session answers.
        let ran = run(&session, "print('none left', len(held) > 1000)").await.ok();
        assert_eq!(ran.stdout(), "none left True\n");
        let ran = run(&session, "1 / 0").await;
        assert_eq!(ran.raised().0, "ZeroDivisionError");
        run(&session, "del held").await.ok();
        assert_kept(&session, &ran).await;
        // All that a process can have, and no more.
        let code = "
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
held = []
try:
    while True: held.append(open('/dev/null'))
except OSError: print(len(held))
del held";
        let ran = run(&session, code).await.ok();
        let most: u64 = ran.stdout().trim().parse().unwrap();
        assert!((1000..=65_536).contains(&most), "{most}");
        assert_kept(&session, &ran).await;
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processors_time_is_shared_out() {
    with(COLD, async |bench: &Bench| {
        let session = prepared(bench, |limits| limits.cpus = 1).await;
        let code = "
import os, subprocess, sys, time
assert os.cpu_count() == 1 or len(os.sched_getaffinity(0)) == 1, os.cpu_count()
busy = 'import time\\nend = time.monotonic() + 2\\nwhile time.monotonic() < end: pass'
start = time.monotonic()
for child in [subprocess.Popen([sys.executable, '-c', busy]) for _ in range(4)]: child.wait()
elapsed = time.monotonic() - start
times = os.times()
print((times.children_user + times.children_system) / elapsed)";
        let ran = run(&session, code).await.ok();
        let used: f64 = ran.stdout().trim().parse().unwrap();
        assert!(used < 1.25, "four busy processes used {used} processors of 1");
        assert_kept(&session, &ran).await;
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_holds_a_limit_is_known() {
    with(COLD, async |bench: &Bench| {
        let session = prepared(bench, |_| {}).await;
        let ran = run(&session, "import os; os._exit(0)").await;
        assert_lost(&session, &ran, "status 0").await;
        // Where a cgroup holds the limits it also says what was used.
        let peak = run(&session, "held = bytearray(b'x' * (50 << 20))").await.ok().report.memory_peak;
        assert_eq!(peak.is_some(), bench.engine.node().hard().memory);
        assert!(peak.is_none_or(|peak| peak > 50 << 20), "{peak:?}");
        session.stop().await.unwrap();
    })
    .await;
}
