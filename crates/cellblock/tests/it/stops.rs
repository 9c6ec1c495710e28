//! Programs that somebody stops.

use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::bench::{Bench, Ended};

/// Starts a program and waits until it has written its first line.
fn started(bench: &Bench, source: &str) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = bench.start_python(source);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "go\n");
    (child, stdout)
}

fn stop(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn end(child: Child, mut stdout: impl Read) -> Ended {
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    let mut ended = Ended::from(child.wait_with_output().unwrap());
    ended.stdout = rest;
    ended
}

#[test]
fn ctrl_c_interrupts_the_program_and_saves_what_it_made() {
    let Some(bench) = Bench::new() else { return };
    let source = "
open('made.txt', 'w').write('half')
try:
    print('go', flush=True)
    while True: pass
finally:
    print('tidied up')
";
    let (child, stdout) = started(&bench, source);
    stop(&child, Signal::INT);
    let ended = end(child, stdout);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(130), "tidied up\n"), "{ended:?}");
    assert!(
        ended.stderr.contains("KeyboardInterrupt") && ended.stderr.contains("error: interrupted on request")
    );
    assert_eq!(bench.read("cellblock-out/made.txt"), "half");
    bench.assert_nothing_left();
}

#[test]
fn a_program_that_ignores_ctrl_c_is_killed() {
    let Some(bench) = Bench::new() else { return };
    let source = "
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
print('go', flush=True)
while True: pass
";
    let (child, stdout) = started(&bench, source);
    let since = Instant::now();
    stop(&child, Signal::INT);
    let ended = end(child, stdout);
    assert_eq!(ended.status, Some(130), "{ended:?}");
    assert!(since.elapsed() > Duration::from_secs(2) && since.elapsed() < Duration::from_secs(60));
    bench.assert_nothing_left();
}

#[test]
fn being_told_to_end_saves_what_there_is_and_leaves_nothing() {
    let Some(bench) = Bench::new() else { return };
    for (signal, name) in [(Signal::TERM, "term"), (Signal::HUP, "hup")] {
        let source =
            format!("_ = open('{name}.txt', 'w').write('half')\nprint('go', flush=True)\nwhile True: pass");
        let (child, stdout) = started(&bench, &source);
        stop(&child, signal);
        let ended = end(child, stdout);
        assert_eq!(ended.status, Some(143), "{ended:?}");
        assert!(ended.stderr.contains("error: stopped: cellblock was told to end"), "{ended:?}");
        assert_eq!(bench.read(&format!("cellblock-out/{name}.txt")), "half");
        bench.assert_nothing_left();
    }
}

#[test]
fn a_reader_that_goes_away_stops_the_program() {
    let Some(bench) = Bench::new() else { return };
    let source = "print('go', flush=True)\nwhile True: print('more')";
    let (child, stdout) = started(&bench, source);
    drop(stdout);
    let ended = end(child, std::io::empty());
    assert_eq!(ended.status, Some(141), "{ended:?}");
    bench.assert_nothing_left();
}

#[test]
fn what_a_killed_run_left_is_gone_after_the_next() {
    let Some(bench) = Bench::new() else { return };
    let (child, stdout) = started(&bench, "print('go', flush=True)\nwhile True: pass");
    stop(&child, Signal::KILL);
    let ended = end(child, stdout);
    assert_eq!(ended.status, None);
    let ended = bench.python("print(1)", &[]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), "1\n"), "{ended:?}");
    bench.assert_nothing_left();
}
