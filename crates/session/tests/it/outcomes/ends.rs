//! Code that comes to its own end: well, by an exception, by leaving, by dying.

use session::Outcome;

use crate::kit::{BARE, Bench, COLD, run, with};

use super::{assert_kept, assert_lost, prepare, prepared};

#[tokio::test(flavor = "multi_thread")]
async fn ok_and_raised_keep_everything() {
    with(COLD, async |bench: &Bench| {
        let session = prepared(bench, |_| {}).await;
        let ran = run(&session, "y = 1").await.ok();
        assert!(ran.report.cpu.is_some() && ran.report.raised.is_none() && ran.report.exit_status.is_none());
        assert_kept(&session, &ran).await;
        let ran = run(&session, "raise ValueError('no')").await;
        assert_eq!(ran.report.outcome, Outcome::Raised);
        assert_eq!(ran.raised(), ("ValueError", "no"));
        assert_kept(&session, &ran).await;
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_the_interpreter_has_a_status() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench, |_| {}).await;
        for (code, status, said) in [
            ("import sys\nsys.exit(3)", 3, ""),
            ("import os\nos._exit(4)", 4, ""),
            ("exit()", 0, ""),
            ("quit(7)", 7, ""),
            ("raise SystemExit('a text as status')", 1, "a text as status\n"),
            ("raise SystemExit(-1)", 255, ""),
            ("def f(): raise SystemExit(5)\ntry: f()\nfinally: print('cleaned up')", 5, ""),
            ("import atexit; atexit.register(print, 'at the end')\nexit(6)", 6, ""),
            (
                "import os; os.closerange(3, 1000); print('never')",
                70,
                "the code closed the descriptor through which its interpreter speaks: it ends here\n",
            ),
            ("import os; os.execv('/bin/sh', ['sh', '-c', 'exit 8'])", 8, ""),
        ] {
            let ran = run(&session, code).await;
            assert_eq!(ran.report.outcome, Outcome::Exited { status }, "{code}: {ran:?}");
            assert_eq!(ran.stderr(), said, "{code}");
            let out = if code.contains("cleaned") {
                "cleaned up\n"
            } else if code.contains("atexit") {
                "at the end\n"
            } else {
                ""
            };
            assert_eq!(ran.stdout(), out, "{code}");
            assert_lost(&session, &ran, &format!("ended the interpreter with status {status}")).await;
            prepare(&session).await;
        }
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_names_its_signal() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench, |_| {}).await;
        for (code, signal, text) in [
            ("import ctypes\ndef deref(): ctypes.string_at(0)\nderef()", 11, "segmentation fault (SIGSEGV)"),
            ("import os, signal; os.kill(os.getpid(), signal.SIGABRT)", 6, "aborted (SIGABRT)"),
            ("import os; os.abort()", 6, "aborted (SIGABRT)"),
            ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 9, "killed (SIGKILL)"),
            ("import os, signal; os.kill(0, signal.SIGTERM)", 15, "terminated (SIGTERM)"),
            ("import signal; signal.raise_signal(8)", 8, "arithmetic fault (SIGFPE)"),
        ] {
            let ran = run(&session, code).await;
            let Outcome::Crashed { signal: found, detail } = &ran.report.outcome else {
                panic!("{code}: {ran:?}")
            };
            assert_eq!(*found, Some(signal), "{code}");
            assert!(detail.contains(text), "{detail}");
            assert!(ran.report.raised.is_none());
            if code.contains("deref") {
                // Where in the user's code it was.
                assert!(ran.stderr().contains("in deref"), "{ran:?}");
            }
            assert_lost(&session, &ran, text).await;
            prepare(&session).await;
        }
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_before_a_crash_is_told() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench, |_| {}).await;
        let code = "
import os
for n in range(1000): print('line', n)
print('no newline', end='', flush=True); os.write(1, b'raw'); os.write(2, b'raw-err')
os.kill(os.getpid(), 9)";
        let ran = run(&session, code).await;
        let (mut out, lines) = (ran.stdout(), (0..1000).map(|n| format!("line {n}\n")).collect::<String>());
        assert!(out.contains("raw"), "{out}");
        // Another way out than the lines': where among them it comes is not told.
        out = out.replacen("raw", "", 1);
        assert_eq!(out, lines + "no newline");
        assert_eq!(ran.stderr(), "raw-err");
        assert_lost(&session, &ran, "SIGKILL").await;
        session.stop().await.unwrap();
    })
    .await;
}
