//! Calls: run, watched, sent again, interrupted.

use std::time::{Duration, Instant};

use protocol::{CallId, Frame, KernelId, Kind, RefusedReason};

use crate::harness::{Cell, call, dropped, joined, text, until};

fn kinds(frames: &[Frame]) -> Vec<Kind> {
    frames.iter().map(|frame| frame.kind).collect()
}

#[test]
fn output_comes_under_the_call_in_order_and_before_its_end() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.start_kernel(1);
    let code = "
send(STDOUT, 'said '); send(DISPLAY, '{}'); send(RESULT, '42')
os.write(1, b'raw' * 20000); os.write(2, b'error')";
    let frames = daemon.run(1, 7, code);
    assert!(frames.iter().all(|frame| (frame.kernel, frame.call) == (KernelId(1), call(7))));
    let framed: Vec<Kind> =
        kinds(&frames).into_iter().filter(|kind| !matches!(kind, Kind::Stdout | Kind::Stderr)).collect();
    assert_eq!(framed, [Kind::Display, Kind::Result, Kind::Done]);
    let output = text(&frames, Kind::Stdout);
    assert_eq!((output.len(), output.matches("raw").count()), (5 + 60000, 20000));
    assert_eq!(text(&frames, Kind::Stderr), "error");
    assert_eq!(text(&frames, Kind::Done), "done");
}

#[test]
fn a_thousand_calls_keep_their_state_and_cost_little() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.start_kernel(1);
    daemon.run(1, 1, "n = 0");
    let (start, before) = (Instant::now(), cell.processor_time());
    for number in 2..=1001 {
        let frames = daemon.run(1, number, "n += 1; send(STDOUT, str(n))");
        assert_eq!(text(&frames, Kind::Stdout), (number - 1).to_string());
        assert_eq!(frames.last().unwrap().call, call(number));
        daemon.simple(Kind::Forget, 0, number);
    }
    println!(
        "round trip: {:?}, processor time of init: {:?}",
        start.elapsed() / 1000,
        cell.processor_time().saturating_sub(before) / 1000
    );
    assert!(cell.status("VmHWM") < 10 << 10, "{} KiB", cell.status("VmHWM"));
}

#[test]
fn carrying_a_small_frame_costs_microseconds() {
    const FRAMES: u64 = 20_000;
    let cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.start_kernel(1);
    daemon.run(1, 1, "small = frame(STDOUT, 'x')");
    let before = cell.processor_time();
    let frames = daemon.run(1, 2, &format!("for _ in range({FRAMES}): sock.sendall(small)"));
    assert_eq!(joined(&frames, Kind::Stdout).len() as u64, FRAMES);
    let each = cell.processor_time().saturating_sub(before) / FRAMES as u32;
    println!("processor time of init for each frame: {each:?}");
    // Ten times of what is meant to be, because this may be a build without optimisation on a busy machine.
    assert!(each < Duration::from_micros(100), "{each:?}");
}

#[test]
fn output_after_a_call_belongs_to_none() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.start_kernel(1);
    daemon.run(1, 7, "import threading");
    let code = "
def late():
    while not idle: pass
    send(STDOUT, 'late'); os.write(2, b'later'); send(DONE, 'nothing ran')
    send(STDOUT, 'last')
idle = False
threading.Thread(target=late).start()
send(DONE, 'done'); idle = True
raise NoDone";
    let mut seen = daemon.run(1, 8, code);
    assert_eq!(kinds(&seen).last(), Some(&Kind::Done));
    let ended = seen.len();
    while !joined(&seen, Kind::Stdout).ends_with(b"last") || joined(&seen, Kind::Stderr) != b"later" {
        seen.push(daemon.next());
    }
    let late = &seen[ended..];
    assert!(late.iter().all(|frame| frame.call == CallId::NONE && frame.kernel == KernelId(1)), "{late:?}");
    assert!(!kinds(late).contains(&Kind::Done), "an end of nothing is dropped");
    // Raw output may have been in the pipe by the time that init saw the end.
    assert_eq!(text(late, Kind::Stdout), "latelast");
}

#[test]
fn a_call_sent_again_is_answered_and_not_run_again() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.start_kernel(1);
    daemon.run(1, 1, "n = 0");
    let code = "n += 1; send(STDOUT, str(n)); send(RESULT, 'r')";
    let first = daemon.run(1, 2, code);
    let second = daemon.run(1, 2, code);
    assert_eq!(first, second);
    // From another connection too, and for a kernel that is gone.
    drop(daemon);
    let mut daemon = cell.connect();
    assert_eq!(daemon.state.ended, [call(1), call(2)]);
    daemon.simple(Kind::KillKernel, 1, 0);
    daemon.exited();
    assert_eq!(daemon.run(1, 2, code), first);
    daemon.simple(Kind::Forget, 0, 2);
    daemon.execute(1, 2, code);
    assert_eq!(daemon.refused().0, RefusedReason::Forgotten);
}

#[test]
fn the_oldest_calls_are_forgotten_and_do_not_run_again() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.start_kernel(1);
    daemon.run(1, 1, "n = 0");
    for number in 2..=300 {
        daemon.run(1, number, "n += 1");
    }
    daemon.execute(1, 2, "n += 1");
    assert_eq!(daemon.refused().0, RefusedReason::Forgotten);
    assert_eq!(daemon.run(1, 300, "n += 1").len(), 1);
    assert_eq!(text(&daemon.run(1, 301, "send(STDOUT, str(n))"), Kind::Stdout), "299");
}

#[test]
fn a_call_that_runs_is_attached_to_by_the_next_daemon() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.start_kernel(1);
    let marker = cell.directory.path().join("go on");
    let code = format!(
        "
send(STDOUT, 'one ')
while not os.path.exists({marker:?}): time.sleep(0.001)
send(STDOUT, 'two'); send(RESULT, 'r')"
    );
    daemon.execute(1, 5, &code);
    assert_eq!(daemon.expect(Kind::Stdout).payload, b"one ");
    drop(daemon);
    let mut daemon = cell.connect();
    let kernel = daemon.state.kernels[0];
    assert_eq!((kernel.id, kernel.ready, kernel.running), (KernelId(1), true, call(5)));
    daemon.execute(1, 5, &code);
    assert_eq!(daemon.next().payload, b"one ");
    std::fs::write(&marker, "").unwrap();
    let rest = daemon.until_end();
    assert_eq!(kinds(&rest), [Kind::Stdout, Kind::Result, Kind::Done]);
    assert_eq!(text(&rest, Kind::Stdout), "two");
}

#[test]
fn what_ended_while_no_daemon_was_there_is_kept_and_what_was_too_much_is_counted() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.start_kernel(1);
    let code = "
send(STDOUT, 'begin')
for _ in range(1000): os.write(1, b'x' * 10000)
send(RESULT, 'r')";
    daemon.execute(1, 5, code);
    daemon.expect(Kind::Stdout);
    drop(daemon);
    // A connection that does not ask for the call hears nothing of it.
    let mut daemon = cell.connect();
    while daemon.state.ended.is_empty() {
        assert_eq!(daemon.state.kernels[0].running, call(5));
        daemon = cell.connect();
    }
    let frames = daemon.run(1, 5, code);
    let output = joined(&frames, Kind::Stdout);
    assert_eq!(output.len() as u64 + dropped(&frames), 5 + 10_000_000);
    assert_eq!(output.len(), 256 << 10);
    assert_eq!(kinds(&frames[frames.len() - 3..]), [Kind::Dropped, Kind::Result, Kind::Done]);
    assert!(frames.iter().all(|frame| frame.call == call(5)));
}

#[test]
fn what_cannot_run_is_refused() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.execute(1, 1, "");
    assert_eq!(daemon.refused().0, RefusedReason::NoKernel);
    daemon.start_kernel(1);
    daemon.execute(1, 0, "");
    assert_eq!(daemon.refused().0, RefusedReason::NoCall);
    daemon.execute(1, 1, "send(STDOUT, 'on it'); time.sleep(1000)");
    daemon.expect(Kind::Stdout);
    daemon.execute(1, 2, "");
    assert_eq!(daemon.refused().0, RefusedReason::Busy);
    for kind in [Kind::Interrupt, Kind::KillCommand] {
        daemon.simple(kind, 1, 99);
        assert_eq!(daemon.refused().0, RefusedReason::NoCall, "{kind:?}");
    }
    daemon.simple(Kind::KillKernel, 9, 0);
    assert_eq!(daemon.refused().0, RefusedReason::NoKernel);
    daemon.simple(Kind::PrepareKernel, 1, 0);
    assert_eq!(daemon.refused().0, RefusedReason::Busy);
    daemon.simple(Kind::PrepareKernel, 0, 0);
    assert_eq!(daemon.refused().0, RefusedReason::NoKernel);
    // The call that was refused as busy is a new one still.
    daemon.simple(Kind::Interrupt, 1, 1);
    assert_eq!(text(&daemon.until_end(), Kind::Done), "interrupted");
    assert_eq!(text(&daemon.run(1, 2, ""), Kind::Done), "done");
}

#[test]
fn an_interrupt_reaches_what_the_call_started_and_nothing_older() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.start_kernel(1);
    daemon.run(1, 1, "import subprocess; older = subprocess.Popen(['sleep', '1000'])");
    // What a process of the same tick is cannot be told.
    let tick = sys::process::uptime_ticks();
    until("the clock ticks", || sys::process::uptime_ticks() > tick + 1);
    // A child and its child, who take the signal when they are asked for it, however early it comes.
    let code = "
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
out, into = os.pipe()
if os.fork() == 0:
    grandchild = os.fork()
    os.write(into, b'ready ')
    signal.sigwait([signal.SIGINT])
    os.write(into, b'caught ')
    os._exit(0)
os.close(into)
assert os.read(out, 6) == os.read(out, 6) == b'ready '
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
send(STDOUT, 'begun')
time.sleep(1000)";
    daemon.execute(1, 2, code);
    daemon.expect(Kind::Stdout);
    daemon.simple(Kind::Interrupt, 1, 2);
    assert_eq!(text(&daemon.until_end(), Kind::Done), "interrupted");
    let code = "
send(STDOUT, os.fdopen(out).read() + str(older.poll()))
older.kill()
older.wait()";
    assert_eq!(text(&daemon.run(1, 3, code), Kind::Stdout), "caught caught None");
}

#[test]
fn an_interrupt_reaches_the_call_it_names_and_no_other() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.start_kernel(1);
    let endless = "
send(STDOUT, 'looping')
while True: pass";
    daemon.run(1, 1, "kept = 'still here'");
    daemon.execute(1, 2, endless);
    daemon.expect(Kind::Stdout);
    daemon.simple(Kind::Interrupt, 1, 1);
    daemon.simple(Kind::Interrupt, 1, 3);
    assert_eq!(daemon.refused().0, RefusedReason::NoCall);
    daemon.simple(Kind::Interrupt, 1, 2);
    assert_eq!(text(&daemon.until_end(), Kind::Done), "interrupted");
    daemon.simple(Kind::Interrupt, 1, 2);
    assert_eq!(text(&daemon.run(1, 3, "send(STDOUT, kept)"), Kind::Stdout), "still here");
}

#[test]
fn large_frames_pass_in_both_directions_beside_small_ones() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.start_kernel(1);
    daemon.start_kernel(2);
    let mut code = b"send(DISPLAY, b'p' * (32 << 20)); send(STDOUT, str(length))\0".to_vec();
    code.resize(32 << 20, b'#');
    daemon.send(Frame::new(Kind::Execute, code).kernel(KernelId(1)).call(call(1)));
    daemon.execute(2, 2, "send(STDOUT, 'small')");
    let (mut ended, mut frames) = (0, Vec::new());
    while ended < 2 {
        frames.extend(daemon.until_end());
        ended += 1;
    }
    let large: Vec<&Frame> = frames.iter().filter(|frame| frame.kind == Kind::Display).collect();
    assert_eq!(large.len(), 1);
    assert_eq!((large[0].payload.len(), large[0].call), (32 << 20, call(1)));
    assert!(large[0].payload.iter().all(|&byte| byte == b'p'));
    // `length` is the kernel's own: what it read of the call.
    let said: Vec<&[u8]> =
        frames.iter().filter(|frame| frame.kind == Kind::Stdout).map(|frame| &frame.payload[..]).collect();
    assert!(said.contains(&&b"small"[..]) && said.contains(&(32 << 20).to_string().as_bytes()), "{said:?}");
    // Too large to be kept, so it is counted when the call is told again.
    assert_eq!(dropped(&daemon.run(1, 1, "")), 32 << 20);
}

#[test]
fn a_child_that_writes_for_ever_does_not_delay_the_end_of_a_call() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.start_kernel(1);
    let code = "
child = os.fork()
if child == 0:
    while True: os.write(1, b'x' * 4096)
os.write(2, b'e' * 60000)";
    let frames = daemon.run(1, 1, code);
    assert_eq!(joined(&frames, Kind::Stderr).len(), 60000);
    assert_eq!(text(&frames, Kind::Done), "done");
    // It goes on, under no call, until its kernel is killed.
    assert_eq!(daemon.expect(Kind::Stdout).call, CallId::NONE);
    daemon.simple(Kind::KillKernel, 1, 0);
    daemon.exited();
}

#[test]
fn what_a_kernel_says_of_an_earlier_call_is_of_no_call() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.start_kernel(1);
    let frames = daemon.run(
        1,
        1,
        "send(STDOUT, 'own'); send(STDOUT, 'late', call=0); send(STDERR, 'own too', call=7)",
    );
    let of = |number| frames.iter().filter(|frame| frame.call == call(number)).count();
    // Whose else it is, a kernel does not decide.
    assert_eq!((of(0), of(1), of(7)), (1, 3, 0), "{frames:?}");
}

#[test]
fn an_interrupt_is_told_in_a_frame_too() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.start_kernel(1);
    let wait = "
signal.signal(signal.SIGINT, signal.SIG_IGN)
send(STDOUT, 'waits')
header = HEADER.unpack(receive(HEADER.size))
send(STDOUT, f'{header[2] == CANCEL} {header[3]} {int.from_bytes(header[5], \"little\")}')";
    daemon.execute(1, 5, wait);
    assert_eq!(daemon.expect(Kind::Stdout).payload, b"waits");
    daemon.simple(Kind::Interrupt, 1, 5);
    assert_eq!(text(&daemon.until_end(), Kind::Stdout), "True 0 5");
}
