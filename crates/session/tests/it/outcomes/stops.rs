//! Calls that are made to stop: by the clock, by the client, by the end of the session.

use std::time::{Duration, Instant};

use session::{CommandRequest, ExecuteRequest, Outcome, Session, Survival, new_call_id};

use crate::kit::{BARE, Bench, COLD, Ran, next_stdout, print, request, start, with};

use super::{assert_kept, assert_lost, prepare, prepared};

/// What an interrupt ends at once. `BEGUN` is where it says that it has begun.
const WILLING: &[&str] = &[
    "BEGUN\nwhile True: pass",
    "import time\nBEGUN; time.sleep(1000)",
    "import subprocess; subprocess.run(['sh', '-c', 'echo begun; exec sleep 1000'])",
    "import subprocess; subprocess.run('echo begun; sleep 1000; sleep 1000', shell=True)",
    "!echo begun; sleep 1000",
    "!echo begun; sleep 1000 | cat; sleep 1000",
    "%%bash\necho begun; sleep 1000",
    "import os; os.system('echo begun; sleep 1000')",
    "import threading\nBEGUN; threading.Event().wait()",
    "import threading; t = threading.Thread(target=threading.Event().wait, daemon=True); t.start()\nBEGUN; t.join()",
    "import asyncio\nBEGUN; await asyncio.sleep(1000)",
    "import asyncio\nBEGUN; asyncio.run(asyncio.sleep(1000))",
    "import queue\nBEGUN; queue.Queue().get()",
    "import socket; s = socket.create_server(('127.0.0.1', 0))\nBEGUN; s.accept()",
    "import os; r, w = os.pipe()\nBEGUN; os.read(r, 1)",
    "import multiprocessing, time; p = multiprocessing.get_context('fork').Pool(1)\nBEGUN; p.map(time.sleep, [1000])",
    "import signal\nBEGUN; signal.pause()",
    "import re\nBEGUN; re.match('(a+)+$', 'a' * 40 + 'b')",
];

/// What takes no notice of an interrupt, or does not let itself be stopped by it. (`while True: pass` is no body for
/// such a loop: there Python raises an interrupt where the loop's `except` does not reach.)
const UNWILLING: &[&str] = &[
    "import time\nwhile True:\n    try:\n        BEGUN\n        while True: time.sleep(0.01)\n    except KeyboardInterrupt: pass",
    "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nBEGUN\nwhile True: pass",
    "BEGUN; sum(range(10 ** 12))",
    "import time\ndef last():\n    try: BEGUN; time.sleep(1000)\n    finally: last()\nlast()",
    "import hashlib\nBEGUN; hashlib.pbkdf2_hmac('sha256', b'', b'', 10 ** 9)",
    "import os, signal\nBEGUN; os.kill(os.getpid(), signal.SIGSTOP)",
];

fn begun(code: &str) -> String {
    code.replace("BEGUN", "print('begun')")
}

/// Nothing that a stopped call started is running.
async fn assert_quiet(session: &Session, stopped: &str) {
    let code = "
import glob, os
others = []
for path in glob.glob('/proc/[0-9]*/stat'):
    pid, rest = open(path).read().split(' (', 1)
    state = rest.rsplit(')', 1)[1].split()[0]
    if int(pid) not in (1, os.getpid()) and state != 'Z': others.append(rest)
print(others)";
    assert_eq!(print(session, code).await, "[]\n", "{stopped}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_interrupts_what_runs() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench, |limits| limits.grace_ms = 20_000).await;
        for code in WILLING {
            let mut call = start(&session, &begun(code));
            next_stdout(&mut call, "begun").await;
            let asked = Instant::now();
            session.interrupt(call.id());
            let ran = Ran::of(call).await;
            assert_eq!(
                ran.report.outcome,
                Outcome::Interrupted { variables: Survival::Kept },
                "{code}: {ran:?}"
            );
            assert!(asked.elapsed() < Duration::from_secs(10), "{code}: {:?}", asked.elapsed());
            assert_eq!(ran.raised().0, "KeyboardInterrupt", "{code}");
            assert_eq!(ran.report.outcome.to_string(), "interrupted on request");
            assert_kept(&session, &ran).await;
            if code.contains("sleep 1000") {
                assert_quiet(&session, code).await;
            }
        }
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_stop_is_killed() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench, |limits| limits.grace_ms = 600).await;
        for code in UNWILLING {
            let ran = loop {
                let mut call = start(&session, &begun(code));
                next_stdout(&mut call, "begun").await;
                session.interrupt(call.id());
                let ran = Ran::of(call).await;
                // The interrupt may meet the print: then it has not begun.
                let early =
                    ran.report.raised.as_ref().is_some_and(|raised| raised.traceback.contains("print"));
                if !early {
                    break ran;
                }
            };
            assert_eq!(
                ran.report.outcome,
                Outcome::Interrupted { variables: Survival::Lost },
                "{code}: {ran:?}"
            );
            assert_lost(&session, &ran, "interrupted on request").await;
            assert_quiet(&session, code).await;
            prepare(&session).await;
        }
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_has_a_limit() {
    with(COLD, async |bench: &Bench| {
        let session = prepared(bench, |limits| limits.grace_ms = 700).await;
        let limited =
            |code: &str| ExecuteRequest { timeout: Some(Duration::from_millis(400)), ..request(code) };
        for code in &WILLING[..4] {
            let ran = Ran::of(session.execute(limited(&begun(code))).unwrap()).await;
            let expected = Outcome::TimedOut { limit_ms: 400, variables: Survival::Kept };
            assert_eq!(ran.report.outcome, expected, "{code}: {ran:?}");
            assert_eq!(
                ran.report.outcome.to_string(),
                "stopped: the call took longer than its limit of 0.400 s"
            );
            assert!(ran.report.elapsed >= Duration::from_millis(400));
            assert_kept(&session, &ran).await;
        }
        for code in &UNWILLING[..2] {
            let ran = Ran::of(session.execute(limited(&begun(code))).unwrap()).await;
            assert_eq!(ran.report.outcome, Outcome::TimedOut { limit_ms: 400, variables: Survival::Lost });
            assert_lost(&session, &ran, "longer than its limit of 0.400 s").await;
            prepare(&session).await;
        }
        session.stop().await.unwrap();

        // The session's own limit holds for a call that asks for more.
        let session = prepared(bench, |limits| limits.call_ms = 500).await;
        let long = ExecuteRequest { timeout: Some(Duration::from_secs(1000)), ..request("while True: pass") };
        let ran = Ran::of(session.execute(long).unwrap()).await;
        assert_eq!(ran.report.outcome, Outcome::TimedOut { limit_ms: 500, variables: Survival::Kept });
        assert_kept(&session, &ran).await;
        // And for commands.
        let line = CommandRequest::shell(new_call_id().unwrap(), "trap '' INT TERM; sleep 1000; sleep 1000");
        let ran = Ran::of(session.command(line).unwrap()).await;
        assert_eq!(ran.report.outcome, Outcome::TimedOut { limit_ms: 500, variables: Survival::Kept });
        assert_quiet(&session, "a command").await;
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_can_be_taken_from_the_line() {
    with(COLD, async |bench: &Bench| {
        let session = prepared(bench, |_| {}).await;
        let mut running = start(&session, "print('begun')\nwhile True: pass");
        let waiting = [start(&session, "x = 1"), start(&session, "x = 2"), start(&session, "print(x)")];
        next_stdout(&mut running, "begun").await;
        session.interrupt(waiting[0].id());
        session.interrupt(waiting[1].id());
        let [first, second, third] = waiting;
        for call in [first, second] {
            let ran = Ran::of(call).await;
            assert_eq!(ran.report.outcome, Outcome::Interrupted { variables: Survival::Kept });
            assert_eq!((ran.report.elapsed, ran.events.len()), (Duration::ZERO, 0));
        }
        session.interrupt(running.id());
        let ran = Ran::of(running).await;
        assert_eq!(ran.report.outcome, Outcome::Interrupted { variables: Survival::Kept });
        assert_eq!(Ran::of(third).await.ok().stdout(), "a variable\n");
        // Of a call that has ended, or never was, nothing comes.
        session.interrupt(ran.report.call);
        session.interrupt(new_call_id().unwrap());
        assert_kept(&session, &ran).await;
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_session_ends_its_calls() {
    with(COLD, async |bench: &Bench| {
        for code in [WILLING[0], WILLING[2], UNWILLING[0], UNWILLING[5]] {
            let session = prepared(bench, |limits| limits.grace_ms = 500).await;
            let mut running = start(&session, &begun(code));
            let command =
                session.command(CommandRequest::shell(new_call_id().unwrap(), "sleep 1000")).unwrap();
            let waiting = start(&session, "print('never')");
            next_stdout(&mut running, "begun").await;
            session.stop().await.unwrap();
            for call in [running, command, waiting] {
                let ran = Ran::of(call).await;
                assert_eq!(ran.report.outcome, Outcome::SessionEnded, "{code}");
                assert_eq!(ran.report.variables, Survival::Lost);
                assert!(!ran.stdout().contains("never"));
            }
            assert!(matches!(session.execute(request("1")), Err(session::Error::Ended)));
            assert!(matches!(session.files().await, Err(session::Error::Ended)));
        }
        let session = prepared(bench, |_| {}).await;
        let sent = start(&session, "1");
        session.stop().await.unwrap();
        assert_eq!(Ran::of(sent).await.report.outcome, Outcome::SessionEnded);
    })
    .await;
}
