//! Many sessions at once that share nothing.

use std::collections::BTreeSet;

use session::{Limits, Outcome, Session};
use tokio::task::JoinSet;

use crate::kit::left::descendants;
use crate::kit::{BARE, Bench, DATA, Ran, alone, print, run, shell, start, with};

const EACH: &str = include_str!("side_by_side.py");

fn begin(number: usize, with_numpy: bool) -> String {
    format!("NUMBER, WITH_NUMPY = {number}, {}\n{EACH}", if with_numpy { "True" } else { "False" })
}

/// Runs the same in all sessions at once; what each of them said.
async fn all(sessions: &[Session], code: impl Fn(usize) -> String) -> Vec<Ran> {
    let mut running = JoinSet::new();
    for (number, session) in sessions.iter().enumerate() {
        let call = start(session, &code(number));
        running.spawn(async move { (number, Ran::of(call).await) });
    }
    let mut ran = running.join_all().await;
    ran.sort_by_key(|(number, _)| *number);
    ran.into_iter().map(|(_, ran)| ran.ok()).collect()
}

async fn open(bench: &Bench, count: usize) -> Vec<Session> {
    let limits = Limits { memory: 1 << 30, ..Limits::default() };
    let mut opening = Vec::new();
    for _ in 0..count {
        opening.push(bench.session_with(limits).await);
    }
    opening
}

/// Each line of what was said, for each session: no two have the same.
fn assert_distinct(said: &[Ran], what: &str) {
    let lines: Vec<Vec<String>> =
        said.iter().map(|ran| ran.stdout().lines().map(str::to_owned).collect()).collect();
    assert!(lines[0].len() > 5, "{:?}", lines[0]);
    for number in 0..lines[0].len() {
        let values: BTreeSet<&str> = lines.iter().map(|lines| &*lines[number]).collect();
        assert_eq!(values.len(), said.len(), "{what} {number}: {values:?}");
    }
}

async fn share_nothing(bench: &Bench, count: usize, with_numpy: bool) {
    let sessions = open(bench, count).await;
    all(&sessions, |number| begin(number, with_numpy)).await;
    // All of it is there at the same time now.
    for (number, ran) in all(&sessions, |_| "print(NUMBER, look())".to_owned()).await.iter().enumerate() {
        assert_eq!(ran.stdout(), format!("{number} []\n"));
    }
    assert_distinct(
        &all(&sessions, |_| "print(*draw(), sep='\\n')".to_owned()).await,
        "source of randomness",
    );
    let namespaces = all(&sessions, |_| "print(*namespaces(), sep='\\n')".to_owned()).await;
    assert_distinct(&namespaces, "namespace");
    let own = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"].map(|name| {
        let link = std::fs::read_link(format!("/proc/self/ns/{name}")).unwrap();
        format!("{name}={}", link.display())
    });
    for ran in &namespaces {
        assert!(ran.stdout().lines().all(|line| !own.iter().any(|own| own == line)), "{ran:?}");
    }
    let names = all(&sessions, |_| {
        "print(socket.gethostname())\ntry: socket.sethostname('mine')\nexcept OSError: print('refused')"
            .to_owned()
    })
    .await;
    assert!(names.iter().all(|ran| ran.stdout() == "cell\nrefused\n"), "{names:?}");

    // Nobody can be seen, signalled or traced by the ids that the host knows them by.
    let pids = descendants();
    assert!(pids.len() > 3 * count, "{pids:?}");
    let reach = format!(
        "
reached = []
for pid in {pids:?}:
    if pid in (1, os.getpid(), child.pid): continue
    for what in (lambda: os.kill(pid, 0), lambda: os.pidfd_open(pid), lambda: os.stat(f'/proc/{{pid}}'), lambda: os.getpgid(pid),
                 lambda: os.getpriority(os.PRIO_PROCESS, pid), lambda: os.sched_getaffinity(pid), lambda: checked(libc.ptrace(16, pid, 0, 0))):
        try: reached.append((pid, what()))
        except OSError: pass
print(reached)"
    );
    for ran in all(&sessions[..2], |_| reach.clone()).await {
        assert_eq!(ran.stdout(), "[]\n");
    }
    // And all that one can reach is its own.
    let ran = run(&sessions[0], "os.kill(-1, signal.SIGKILL)\nchild.wait()").await.ok();
    assert_eq!(ran.value(), Some("-9"));
    let ran = run(&sessions[1], "os.kill(0, signal.SIGKILL)").await;
    assert!(matches!(ran.report.outcome, Outcome::Crashed { signal: Some(9), .. }), "{ran:?}");
    for (number, ran) in all(&sessions[2..], |_| "print(NUMBER, look())".to_owned()).await.iter().enumerate()
    {
        assert_eq!(ran.stdout(), format!("{} []\n", number + 2));
    }
    for session in &sessions {
        session.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_with_libraries_share_nothing() {
    with(DATA, async |bench: &Bench| share_nothing(bench, 6, true).await).await;
}

mod alone {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn fifty_share_nothing() {
        alone(BARE, async |bench: &Bench| share_nothing(bench, 50, false).await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_does_holds_up_no_other() {
    with(BARE, async |bench: &Bench| {
        let sessions = open(bench, 4).await;
        let busy = [
            "while True: pass",
            "import time; time.sleep(1000)",
            "!sleep 1000",
            "while True: print('x' * 1000)",
        ];
        let calls: Vec<_> = sessions.iter().zip(busy).map(|(session, code)| start(session, code)).collect();
        let other = bench.session().await;
        for n in 0..20 {
            assert_eq!(print(&other, &format!("print({n})")).await, format!("{n}\n"));
        }
        assert_eq!(shell(&other, "echo on").await.ok().stdout(), "on\n");
        for (session, call) in sessions.iter().zip(calls) {
            session.interrupt(call.id());
            let ran = Ran::of(call).await;
            assert!(matches!(ran.report.outcome, Outcome::Interrupted { .. }), "{:?}", ran.report);
        }
        for session in sessions.iter().chain([&other]) {
            session.stop().await.unwrap();
        }
    })
    .await;
}
