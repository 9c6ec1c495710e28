//! Output while code runs: when it comes, in which order, from whom.

use std::time::Duration;

use session::{CommandRequest, Event, new_call_id};

use crate::kit::{Bench, Ran, next_stdout, run, start};

use super::with_both;

with_both! {
    output_comes_while_code_runs,
    the_order_of_both_streams_is_kept,
    children_and_c_libraries_are_heard,
    output_after_the_end_comes_with_the_next_call,
    output_between_calls_is_given_to_whoever_waits,
}

async fn output_comes_while_code_runs(bench: &Bench) {
    let session = bench.session().await;
    // Each way of writing: the code goes on only when we have seen it, and say so by a file.
    let wait = "import os, time\ndef wait(name):\n    while not os.path.exists(name): time.sleep(0.005)\n";
    run(&session, wait).await.ok();
    let ways = [
        "print('first')\nwait('go-0')\nprint('last')",
        "print('first', end='', flush=True)\nwait('go-1')\nprint('last')",
        "!echo first; while [ ! -e go-2 ]; do sleep 0.01; done; echo last",
        "import os; os.write(1, b'first')\nwait('go-3')\nprint('last')",
        "import ctypes; ctypes.CDLL(None).puts(b'first')\nwait('go-4')\nprint('last')",
        "import subprocess\nsubprocess.run(['sh', '-c', 'echo first; while [ ! -e go-5 ]; do sleep 0.01; done; echo last'])\npass",
    ];
    for (n, code) in ways.iter().enumerate() {
        let mut call = start(&session, code);
        next_stdout(&mut call, "first").await;
        session.create_file(format!("go-{n}"), &b""[..]).await.unwrap();
        assert!(Ran::of(call).await.ok().stdout().ends_with("last\n"), "{code}");
    }
    // And so do commands, beside the code that waits for them.
    let code = start(&session, "wait('from-command'); open('from-code', 'w').close(); print('told')");
    let line = "echo first; while [ ! -e go-6 ]; do sleep 0.01; done; touch from-command; \
                while [ ! -e from-code ]; do sleep 0.01; done; echo last";
    let mut command = session.command(CommandRequest::shell(new_call_id().unwrap(), line)).unwrap();
    next_stdout(&mut command, "first").await;
    session.create_file("go-6", &b""[..]).await.unwrap();
    assert_eq!(Ran::of(command).await.ok().stdout(), "last\n");
    assert_eq!(Ran::of(code).await.ok().stdout(), "told\n");
    session.stop().await.unwrap();
}

async fn the_order_of_both_streams_is_kept(bench: &Bench) {
    let session = bench.session().await;
    let code = "
import sys
for n in range(200):
    print('out', n)
    print('err', n, file=sys.stderr)";
    let ran = run(&session, code).await.ok();
    let mut merged = String::new();
    for event in &ran.events {
        let (Event::Stdout(bytes) | Event::Stderr(bytes)) = event else { panic!("{event:?}") };
        merged.push_str(std::str::from_utf8(bytes).unwrap());
    }
    let expected: String = (0..200).map(|n| format!("out {n}\nerr {n}\n")).collect();
    assert_eq!(merged, expected);
    assert!(ran.stdout().lines().all(|line| line.starts_with("out")));
    assert_eq!(ran.report.written, expected.len() as u64);

    // What was printed before a child is started comes before what the child says.
    let code = "
import subprocess
for n in range(20):
    print('parent', n, end='\\n')
    subprocess.run(['echo', 'child', str(n)])";
    let expected: String = (0..20).map(|n| format!("parent {n}\nchild {n}\n")).collect();
    assert_eq!(run(&session, code).await.ok().stdout(), expected);

    let odd = r#"print('é' * 3, '\N{SNOWMAN}', '\x00', '\udcff', sep='|'); print("no newline", end='')"#;
    assert_eq!(run(&session, odd).await.ok().stdout(), "ééé|\u{2603}|\0|\\udcff\nno newline");
    session.stop().await.unwrap();
}

async fn children_and_c_libraries_are_heard(bench: &Bench) {
    let session = bench.session().await;
    let code = r#"
import ctypes, os, subprocess, sys, threading
from multiprocessing import get_context
ctypes.CDLL(None).printf(b"printf\n")
os.system("echo system; echo system-err >&2")
os.write(1, b"raw\n"); os.write(2, b"raw-err\n")
thread = threading.Thread(target=print, args=("thread",)); thread.start(); thread.join()
child = os.fork()
if child == 0:
    print("forked"); sys.stdout.flush(); os._exit(0)
os.waitpid(child, 0)
process = get_context("fork").Process(target=print, args=("multiprocessing",)); process.start(); process.join()
subprocess.run([sys.executable, "-c", "print('python')"])"#;
    let ran = run(&session, code).await;
    let (out, err) = (ran.stdout(), ran.stderr());
    for said in ["printf", "system", "raw", "thread", "forked", "multiprocessing", "python"] {
        assert_eq!(out.lines().filter(|line| *line == said).count(), 1, "{said}: {out}");
    }
    assert_eq!(err, "system-err\nraw-err\n");
    session.stop().await.unwrap();
}

async fn output_after_the_end_comes_with_the_next_call(bench: &Bench) {
    let session = bench.session().await;
    let code = "
import os, subprocess
subprocess.Popen(['sh', '-c', 'while [ ! -e go ]; do sleep 0.01; done; echo late; touch said'])
os.path.exists('go')";
    assert_eq!(run(&session, code).await.ok().value(), Some("False"));
    session.create_file("go", &b""[..]).await.unwrap();
    crate::kit::shell(&session, "while [ ! -e said ]; do sleep 0.01; done").await.ok();
    let ran = run(&session, "print('now')").await.ok();
    assert_eq!(ran.stdout(), "now\n");
    let late = |event: &Event| matches!(event, Event::LateStdout(bytes) if bytes.as_ref() == b"late\n");
    assert!(ran.events.iter().any(late), "{ran:?}");
    assert!(ran.notices()[0].contains("output of an earlier call"), "{ran:?}");
    session.stop().await.unwrap();
}

async fn output_between_calls_is_given_to_whoever_waits(bench: &Bench) {
    let session = bench.session().await;
    let code = "
import subprocess
subprocess.Popen(['sh', '-c', 'while [ ! -e go ]; do sleep 0.01; done; echo said'])
0";
    run(&session, code).await.ok();
    // Whoever gave up waiting takes nothing away.
    tokio::time::timeout(Duration::ZERO, session.late()).await.unwrap_err();
    let waits = session.clone();
    let given = tokio::spawn(async move { waits.late().await });
    session.create_file("go", &b""[..]).await.unwrap();
    let events = given.await.unwrap();
    assert!(matches!(&events[..], [Event::LateStdout(bytes)] if &bytes[..] == b"said\n"), "{events:?}");
    assert_eq!(run(&session, "1").await.ok().events.len(), 1);
    session.stop().await.unwrap();
    assert_eq!(session.late().await, []);
}
