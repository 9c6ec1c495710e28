//! Forkserver and launcher are killed at every step: no session that lives loses anything, and they come back.

use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use session::{Outcome, Session};
use tokio::task::JoinSet;

use crate::kit::{BARE, Bench, Ran, next_stdout, print, run, shell, start, until, with};

#[derive(Debug, Clone, Copy)]
enum Victim {
    Forkserver,
    Launcher,
}

const BOTH: [Victim; 2] = [Victim::Forkserver, Victim::Launcher];

/// Kills it as it is now; whether there was one.
fn kill(bench: &Bench, victim: Victim) -> bool {
    match victim {
        Victim::Forkserver => bench.engine.forkserver().is_some_and(|forkserver| forkserver.kill().is_ok()),
        Victim::Launcher => {
            bench.engine.node().launcher().is_some_and(|pidfd| sys::namespace::kill(pidfd.as_fd()).is_ok())
        }
    }
}

/// A session with a variable, a child process and a file, and what they are.
async fn prepared(bench: &Bench) -> Session {
    let session = bench.session().await;
    let code = "
import subprocess
n, child = 0, subprocess.Popen(['cat'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
open('kept', 'w').write('here'); print('prepared')";
    assert_eq!(print(&session, code).await, "prepared\n");
    session
}

/// All of it is still there, for the `n`th time.
async fn assert_unharmed(session: &Session, n: u32) {
    let code = "
n += 1; child.stdin.write(b'%d\\n' % n); child.stdin.flush()
print(n, child.stdout.readline().decode().strip(), open('kept').read(), subprocess.run(['echo', 'new'], capture_output=True, text=True).stdout.strip())";
    let ran = run(session, code).await.ok();
    assert_eq!(ran.stdout(), format!("{n} {n} here new\n"));
    assert!(ran.notices().is_empty() && !ran.report.fresh_kernel, "{ran:?}");
    assert_eq!(shell(session, "cat kept").await.ok().stdout(), "here");
}

async fn assert_new_sessions_work(bench: &Bench) {
    let session = bench.session().await;
    assert_eq!(print(&session, "print('new')").await, "new\n");
    session.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_nothing_happens() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench).await;
        let mut n = 0;
        for victims in [&BOTH[..1], &BOTH[1..], &BOTH, &BOTH] {
            let before = bench.engine.forkserver().map(|forkserver| forkserver.process().pid);
            for victim in victims {
                assert!(kill(bench, *victim));
            }
            for _ in 0..2 {
                n += 1;
                assert_unharmed(&session, n).await;
                assert_new_sessions_work(bench).await;
            }
            if matches!(victims[0], Victim::Forkserver) {
                let now = || bench.engine.forkserver().map(|forkserver| forkserver.process().pid);
                until("another forkserver is there", || now().is_some_and(|pid| Some(pid) != before)).await;
            }
            // A fork, and not a cold start in its place.
            assert!(bench.engine.warm(Duration::from_secs(60)).await);
            let forked = bench.engine.forkserver().unwrap().forked();
            assert_new_sessions_work(bench).await;
            assert!(bench.engine.forkserver().unwrap().forked() > forked);
        }
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_calls_run() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench).await;
        let code = "
import os, time
print('begun')
for tick in range(200):
    print('tick', tick); subprocess.run(['echo', 'child', str(tick)])
    time.sleep(0.002)
tick";
        let mut call = start(&session, code);
        next_stdout(&mut call, "begun").await;
        let mut command = session
            .command(session::CommandRequest::shell(
                session::new_call_id().unwrap(),
                "echo begun; while [ ! -e end ]; do sleep 0.01; done; echo ended",
            ))
            .unwrap();
        next_stdout(&mut command, "begun").await;
        for victim in BOTH {
            assert!(kill(bench, victim));
        }
        assert_new_sessions_work(bench).await;
        let ran = Ran::of(call).await.ok();
        let out = ran.stdout();
        // The first may have come in one piece with the word that was waited for.
        for tick in 5..200 {
            assert!(
                out.contains(&format!("tick {tick}\n")) && out.contains(&format!("child {tick}\n")),
                "{tick}: {out}"
            );
        }
        assert_eq!((ran.value(), ran.notices().len()), (Some("199"), 0));
        session.create_file("end", &b""[..]).await.unwrap();
        assert_eq!(Ran::of(command).await.ok().stdout(), "ended\n");
        assert_unharmed(&session, 1).await;
        session.stop().await.unwrap();
    })
    .await;
}

/// Makes sessions, runs a call in each and ends them, while somebody kills at any moment.
async fn killed_during_a_storm(bench: &Bench, victims: &[Victim], rounds: u32, sessions: u32) {
    let living = prepared(bench).await;
    let done = AtomicBool::new(false);
    let kills = AtomicU32::new(0);
    let storm = async {
        for round in 0..rounds {
            let mut running = JoinSet::new();
            for n in 0..sessions {
                let session = bench.session().await;
                running.spawn(async move {
                    let ran = run(&session, &format!("x = {n}\nprint(x)")).await.ok();
                    assert_eq!(ran.stdout(), format!("{n}\n"));
                    session.clear(session::Language::Python).await.unwrap();
                    assert_eq!(print(&session, "print('x' in globals())").await, "False\n");
                    session.stop().await.unwrap();
                });
            }
            running.join_all().await;
            assert_unharmed(&living, round + 1).await;
        }
        done.store(true, Ordering::Relaxed);
    };
    let killer = async {
        // Not luck: any length will do, and they differ so that the kills meet different steps.
        for pause in [0, 1, 3, 7, 2, 17, 5, 11, 29, 13].into_iter().cycle() {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            if done.load(Ordering::Relaxed) {
                return;
            }
            let victim = victims[kills.load(Ordering::Relaxed) as usize % victims.len()];
            if kill(bench, victim) {
                kills.fetch_add(1, Ordering::Relaxed);
            }
            // A launcher that is killed again before it has made anything would keep any session from being made.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::join!(storm, killer);
    assert!(kills.load(Ordering::Relaxed) >= rounds / 2, "{kills:?} kills in {rounds} rounds");
    living.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_forkserver_killed_while_kernels_are_forked() {
    with(BARE, async |bench: &Bench| killed_during_a_storm(bench, &BOTH[..1], 10, 6).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_launcher_killed_while_cells_are_made() {
    with(BARE, async |bench: &Bench| killed_during_a_storm(bench, &BOTH[1..], 10, 6).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_killed_while_sessions_come_and_go() {
    with(BARE, async |bench: &Bench| killed_during_a_storm(bench, &BOTH, 8, 6).await).await;
}

/// A call either reached the kernel that dies, or gets a new one: no call is told that there is none.
#[tokio::test(flavor = "multi_thread")]
async fn a_kernel_that_dies_as_a_call_comes() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench).await;
        let (mut heard, mut fresh) = (0, 0);
        for round in 0..60 {
            let delay = f64::from(round % 20) * 0.0002;
            let code =
                format!("import os, threading; threading.Timer({delay}, os.kill, (os.getpid(), 9)).start()");
            run(&session, &code).await;
            let ran = run(&session, "print('heard')").await;
            match ran.report.outcome {
                Outcome::Ok if ran.report.fresh_kernel => {
                    fresh += 1;
                    ran.says_lost("killed (SIGKILL)");
                }
                Outcome::Ok => heard += 1,
                Outcome::Crashed { signal: Some(9), .. } => {}
                _ => panic!("round {round}: {ran:?}"),
            }
            // Its end, if it has not come yet.
            session.clear(session::Language::Python).await.unwrap();
        }
        assert!(heard > 0 && fresh > 0, "they never met: {heard} heard, {fresh} fresh");
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kernel_that_dies_between_calls_is_told_at_the_next() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench).await;
        let pid = run(&session, "import os; os.getpid()").await.ok().value().unwrap().to_owned();
        // Gone from the list of processes: init has reaped it. What init says of it comes before the command's end.
        let line = format!("kill -9 {pid}; while [ -d /proc/{pid} ]; do sleep 0.01; done; sleep 0.01");
        let ran = shell(&session, &line).await;
        assert_eq!(ran.report.outcome, Outcome::Ok, "{ran:?}");
        let next = run(&session, "print('n' in globals(), open('kept').read())").await.ok();
        assert_eq!(next.stdout(), "False here\n");
        next.says_lost("between calls it died: killed (SIGKILL)");
        let after = run(&session, "print('on')").await.ok();
        assert!(after.notices().is_empty() && !after.report.fresh_kernel, "{after:?}");
        session.stop().await.unwrap();
    })
    .await;
}
