//! Kernels that send rubbish, flood, lie, hang or die: the cell and the other kernels live on.

use std::os::fd::OwnedFd;

use protocol::{CallId, Frame, KernelId, Kind, WaitStatus};

use crate::harness::{Cell, Daemon, call, descendants, dropped, fake_kernel, is_alive, joined, text, until};

/// A cell with a kernel 1 that behaves and a kernel 2 to do harm.
fn two() -> (Cell, Daemon) {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.start_kernel(1);
    daemon.start_kernel(2);
    daemon.run(1, 1, "kept = 'kept'");
    (cell, daemon)
}

/// Kernel 1 still runs code.
fn assert_lives(daemon: &mut Daemon) {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1_000_000);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed).into();
    daemon.execute(1, number, "send(STDOUT, kept)");
    let mut frames = Vec::new();
    while frames.last().is_none_or(|frame: &Frame| (frame.kind, frame.call) != (Kind::Done, call(number))) {
        frames.push(daemon.next());
    }
    frames.retain(|frame| frame.call == call(number));
    assert_eq!(text(&frames, Kind::Stdout), "kept");
}

#[test]
fn rubbish_ends_the_kernel_that_sent_it_and_no_other() {
    let (_cell, mut daemon) = two();
    let rubbish = [
        ("sock.sendall(b'not a frame, not a frame at all'); time.sleep(1000)", "does not begin as one"),
        ("sock.sendall(frame(STDOUT, version=9)); time.sleep(1000)", "version 9"),
        ("send(0x77); time.sleep(1000)", "no kind 0x77"),
        ("send(STATE); time.sleep(1000)", "State may not come from here"),
        ("send(KERNEL_EXITED, kernel=1); time.sleep(1000)", "KernelExited may not come from here"),
        ("send(RUN, 'x', kernel=1); time.sleep(1000)", "Run may not come from here"),
        ("send(READY); time.sleep(1000)", "twice"),
        (
            "sock.sendall(HEADER.pack(b'CB', 1, STDOUT, (32 << 20) + 1, 0, bytes(16))); time.sleep(1000)",
            "is the most",
        ),
    ];
    for (index, (code, expected)) in rubbish.into_iter().enumerate() {
        let (kernel, number) = (index as u32 + 2, index as u128 + 10);
        if kernel > 2 {
            daemon.start_kernel(kernel);
        }
        let frames = daemon.run(kernel, number, code);
        let [broken, exited] = frames.as_slice() else { panic!("{frames:?}") };
        assert_eq!((broken.kind, broken.kernel, broken.call), (Kind::Broken, KernelId(kernel), call(number)));
        let sentence = String::from_utf8_lossy(&broken.payload);
        assert!(sentence.contains(expected), "{sentence}");
        assert_eq!(exited.kind, Kind::KernelExited);
        assert_eq!(WaitStatus::decode(&exited.payload), Ok(WaitStatus::Signaled(9)));
        // The call ended with its kernel, and is told so again.
        assert_eq!(daemon.run(kernel, number, code), frames);
        assert_lives(&mut daemon);
    }
}

#[test]
fn a_kernel_cannot_speak_for_another_kernel_or_call() {
    let (_cell, mut daemon) = two();
    daemon.execute(1, 5, "send(STDOUT, 'on it'); time.sleep(1000)");
    daemon.expect(Kind::Stdout);
    let code = "
for kind in (STDOUT, STDERR, DISPLAY, RESULT):
    for forged in (0, 1, 5, 2**128 - 1): send(kind, 'forged', kernel=1, call=forged)
send(DONE, 'forged', kernel=1, call=5)
raise NoDone";
    let frames = daemon.run(2, 6, code);
    assert_eq!(frames.len(), 17);
    // Its own, or nobody's: what an earlier call of it left behind.
    let own = |frame: &&Frame| (frame.kernel, frame.call) == (KernelId(2), call(6));
    let late = |frame: &&Frame| (frame.kernel, frame.call) == (KernelId(2), CallId::NONE);
    assert_eq!(
        (frames.iter().filter(own).count(), frames.iter().filter(late).count()),
        (13, 4),
        "{frames:?}"
    );
    // Kernel 1 still runs what it ran.
    daemon.simple(Kind::Interrupt, 1, 5);
    let frames = daemon.until_end();
    assert_eq!((frames.last().unwrap().call, text(&frames, Kind::Done)), (call(5), "interrupted".into()));
}

#[test]
fn a_call_ended_before_it_was_read_is_a_broken_protocol() {
    let (_cell, mut daemon) = two();
    let instead = "
send(READY)
receive(HEADER.size)
send(DONE, 'without having read it')
time.sleep(1000)";
    daemon.send(Frame::new(Kind::StartKernel, fake_kernel(&[instead]).encode()).kernel(KernelId(3)));
    daemon.expect(Kind::KernelReady);
    daemon.send(Frame::new(Kind::Execute, vec![b'#'; 8 << 20]).kernel(KernelId(3)).call(call(9)));
    let broken = daemon.expect(Kind::Broken);
    assert!(text(&[broken], Kind::Broken).contains("before it had read it"));
    assert_eq!(daemon.exited().1, WaitStatus::Signaled(9));
    assert_lives(&mut daemon);
}

#[test]
fn a_kernel_that_does_not_read_blocks_nobody() {
    let (_cell, mut daemon) = two();
    let instead = "send(READY); time.sleep(1000)";
    daemon.send(Frame::new(Kind::StartKernel, fake_kernel(&[instead]).encode()).kernel(KernelId(3)));
    daemon.expect(Kind::KernelReady);
    daemon.send(Frame::new(Kind::Execute, vec![b'#'; 32 << 20]).kernel(KernelId(3)).call(call(9)));
    assert_lives(&mut daemon);
    daemon.simple(Kind::KillKernel, 3, 0);
    assert_eq!(daemon.exited(), (KernelId(3), WaitStatus::Signaled(9)));
}

#[test]
fn half_frames_hold_nobody_up() {
    let (_cell, mut daemon) = two();
    daemon.execute(
        2,
        5,
        "send(STDOUT, 'half'); sock.sendall(frame(STDOUT, b'x' * 1000000)[:500000]); time.sleep(1000)",
    );
    daemon.expect(Kind::Stdout);
    assert_lives(&mut daemon);
    daemon.start_kernel(3);
    daemon.execute(3, 6, "send(STDOUT, 'half'); sock.sendall(frame(STDOUT)[:10]); time.sleep(1000)");
    daemon.expect(Kind::Stdout);
    assert_lives(&mut daemon);
    for kernel in [2, 3] {
        daemon.simple(Kind::KillKernel, kernel, 0);
        let frames = daemon.until_end();
        assert_eq!(frames.len(), 1, "half a frame is no frame: {frames:?}");
    }
}

#[test]
fn a_kernel_that_dies_tells_how_and_what_it_said_before() {
    let (_cell, mut daemon) = two();
    let said = "send(STDOUT, 'a' * 100000); os.write(1, b'b' * 60000); ";
    for (index, (death, status)) in [
        ("os._exit(3)", WaitStatus::Exited(3)),
        ("os.kill(os.getpid(), signal.SIGSEGV)", WaitStatus::Signaled(11)),
        ("sock.sendall(frame(STDOUT, b'x' * 100)[:50]); os._exit(4)", WaitStatus::Exited(4)),
        ("sys.exit(5)", WaitStatus::Exited(5)),
        ("sock.close(); time.sleep(0.05); os._exit(6)", WaitStatus::Exited(6)),
        ("send(DONE, 'done', 0, call); os._exit(7)", WaitStatus::Exited(7)),
    ]
    .into_iter()
    .enumerate()
    {
        let (kernel, number) = (index as u32 + 2, index as u128 + 10);
        if kernel > 2 {
            daemon.start_kernel(kernel);
        }
        let mut frames = daemon.run(kernel, number, &format!("{said}{death}"));
        assert_eq!(joined(&frames, Kind::Stdout).len(), 160_000, "{death}");
        if frames.last().unwrap().kind == Kind::Done {
            frames.push(daemon.next());
            assert_eq!(frames.last().unwrap().call, CallId::NONE, "the call had ended");
        }
        let exited = frames.last().unwrap();
        assert_eq!((exited.kind, exited.kernel), (Kind::KernelExited, KernelId(kernel)));
        assert_eq!(WaitStatus::decode(&exited.payload), Ok(status), "{death}");
        assert_lives(&mut daemon);
    }
}

#[test]
fn a_kernel_that_closes_its_socket_and_stays_is_killed() {
    let (cell, mut daemon) = two();
    let frames = daemon.run(2, 5, "sock.close(); time.sleep(1000)");
    assert_eq!(WaitStatus::decode(&frames.last().unwrap().payload), Ok(WaitStatus::Signaled(9)));
    assert_eq!(descendants(cell.pid()).len(), 1);
    assert_lives(&mut daemon);
}

#[test]
fn a_kernel_that_dies_before_it_is_ready_is_told() {
    let (_cell, mut daemon) = two();
    for (kernel, instead, status) in [
        (3, "os.write(2, b'no such module'); os._exit(1)", WaitStatus::Exited(1)),
        (4, "sock.sendall(frame(READY)[:5]); os._exit(2)", WaitStatus::Exited(2)),
    ] {
        daemon.send(Frame::new(Kind::StartKernel, fake_kernel(&[instead]).encode()).kernel(KernelId(kernel)));
        if kernel == 3 {
            let said = daemon.expect(Kind::Stderr);
            assert_eq!(
                (said.kernel, said.call, &said.payload[..]),
                (KernelId(3), CallId::NONE, &b"no such module"[..])
            );
        }
        assert_eq!(daemon.exited(), (KernelId(kernel), status));
    }
    // One that says that it is ready, and is gone: both are told, in this order.
    for kernel in 10..20 {
        let instead = fake_kernel(&["send(READY); os._exit(0)"]);
        daemon.send(Frame::new(Kind::StartKernel, instead.encode()).kernel(KernelId(kernel)));
        assert_eq!(daemon.next().kind, Kind::KernelReady);
        assert_eq!(daemon.exited(), (KernelId(kernel), WaitStatus::Exited(0)));
    }
    // One that is to come from outside, and whose ends are closed: nobody knows who it was to be.
    daemon.simple(Kind::PrepareKernel, 5, 0);
    daemon.expect(Kind::KernelEnds);
    drop::<Vec<OwnedFd>>(daemon.take_descriptors(3));
    assert_eq!(daemon.exited(), (KernelId(5), WaitStatus::Unknown));
    daemon.simple(Kind::PrepareKernel, 6, 0);
    daemon.expect(Kind::KernelEnds);
    daemon.simple(Kind::KillKernel, 6, 0);
    assert_eq!(daemon.exited(), (KernelId(6), WaitStatus::Unknown));
    let said_something_else = fake_kernel(&["send(STDOUT, 'hello'); time.sleep(1000)"]);
    daemon.send(Frame::new(Kind::StartKernel, said_something_else.encode()).kernel(KernelId(7)));
    assert!(text(&[daemon.expect(Kind::Broken)], Kind::Broken).contains("not Ready"));
    assert_eq!(daemon.exited(), (KernelId(7), WaitStatus::Signaled(9)));
    assert_lives(&mut daemon);
}

#[test]
fn a_child_cannot_speak_the_first_word_for_its_kernel() {
    let (_cell, mut daemon) = two();
    let instead = "
if os.fork() == 0: send(READY)
time.sleep(1000)";
    daemon.send(Frame::new(Kind::StartKernel, fake_kernel(&[instead]).encode()).kernel(KernelId(3)));
    assert!(text(&[daemon.expect(Kind::Broken)], Kind::Broken).contains("speaks for it"));
    assert_eq!(daemon.exited(), (KernelId(3), WaitStatus::Signaled(9)));
}

#[test]
fn descriptors_that_a_kernel_sends_stay_open_nowhere() {
    let (cell, mut daemon) = two();
    let rights = "[(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [0, 1, 2]))]";
    let instead = format!("sock.sendmsg([frame(READY)], {rights})");
    daemon.send(Frame::new(Kind::StartKernel, fake_kernel(&[&instead]).encode()).kernel(KernelId(3)));
    daemon.expect(Kind::KernelReady);
    let before = cell.descriptors();
    let frames =
        daemon.run(3, 5, &format!("for _ in range(100): sock.sendmsg([frame(STDOUT, 'x')], {rights})"));
    assert_eq!(joined(&frames, Kind::Stdout).len(), 100);
    assert_eq!(cell.descriptors(), before);
}

#[test]
fn a_flood_to_a_daemon_that_does_not_read_fills_no_memory() {
    const FLOOD: u64 = 1 << 30;
    for (kernel, code) in [
        (1, "block = b'x' * 65536\nfor _ in range(1 << 14): os.write(1, block)"),
        (2, "block = frame(STDOUT, b'x' * 65536) * 16\nfor _ in range(1 << 10): sock.sendall(block)"),
    ] {
        let cell = Cell::start();
        let mut daemon = cell.connect();
        daemon.start_kernel(kernel);
        daemon.run(kernel, 1, "import resource");
        // Not one byte is read of this, until the kernel is held up by it.
        daemon.execute(kernel, 5, code);
        let kernel_pid = descendants(cell.pid())[0];
        until("the kernel waits", || {
            let waits = std::fs::read_to_string(format!("/proc/{kernel_pid}/wchan")).unwrap();
            waits.contains("pipe_write") || waits.contains("sock_alloc_send")
        });
        // Others are not held up for ever: another connection takes over, and the flood goes nowhere.
        drop(daemon);
        let mut daemon = cell.connect();
        while !daemon.state.ended.contains(&call(5)) {
            daemon = cell.connect();
        }
        let frames = daemon.run(kernel, 5, code);
        let kept = joined(&frames, Kind::Stdout).len() as u64;
        assert_eq!(kept + dropped(&frames), FLOOD);
        assert_eq!(text(&frames, Kind::Done), "done");
        let peak = cell.status("VmHWM");
        println!("peak of init: {peak} KiB");
        assert!(peak < 40 << 10, "{peak} KiB");
    }
}

#[test]
fn a_flood_of_tiny_frames_fills_no_memory() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.start_kernel(1);
    let code = "
block = (frame(STDOUT, b'x') + frame(STDERR, b'y') + frame(RESULT)) * 1000
for _ in range(1000): sock.sendall(block)";
    daemon.execute(1, 5, code);
    drop(daemon);
    let mut daemon = cell.connect();
    while !daemon.state.ended.contains(&call(5)) {
        daemon = cell.connect();
    }
    let frames = daemon.run(1, 5, code);
    let kept = (joined(&frames, Kind::Stdout).len() + joined(&frames, Kind::Stderr).len()) as u64;
    assert_eq!(kept + dropped(&frames), 2_000_000);
    let peak = cell.status("VmHWM");
    println!("peak of init: {peak} KiB");
    assert!(peak < 40 << 10, "{peak} KiB");
}

#[test]
fn a_daemon_that_reads_gets_all_of_a_flood() {
    let (cell, mut daemon) = two();
    let code = "block = b'x' * 65536\nfor _ in range(1600): os.write(1, block)";
    let before = cell.processor_time();
    let frames = daemon.run(2, 5, code);
    assert_eq!(joined(&frames, Kind::Stdout).len(), 1600 << 16);
    println!("processor time of init for 100 MiB: {:?}", cell.processor_time().saturating_sub(before));
    assert!(frames.iter().all(|frame| frame.payload.len() <= 64 << 10));
    assert!(cell.status("VmHWM") < 40 << 10);
}

#[test]
fn killing_a_kernel_ends_what_it_started() {
    let (cell, mut daemon) = two();
    let code = "
subprocess.Popen(['sleep', '1000'])
subprocess.Popen(['setsid', 'sleep', '1000'])
subprocess.Popen(['sh', '-c', 'sleep 1000 & sleep 1000 & wait'])
if os.fork() == 0:
    if os.fork() == 0: time.sleep(1000)
    os._exit(0)
os.wait()";
    daemon.run(2, 5, code);
    until("all of them run", || descendants(cell.pid()).len() == 8);
    let family = descendants(cell.pid());
    daemon.simple(Kind::KillKernel, 2, 0);
    assert_eq!(daemon.exited(), (KernelId(2), WaitStatus::Signaled(9)));
    assert_eq!(descendants(cell.pid()).len(), 1);
    assert_eq!(family.iter().filter(|&&pid| is_alive(pid)).count(), 1);
    assert_lives(&mut daemon);
}

#[test]
fn a_kernel_that_crashes_takes_its_session_along() {
    let (cell, mut daemon) = two();
    daemon.run(2, 5, "subprocess.Popen(['sleep', '1000'])");
    daemon.execute(2, 6, "os.kill(os.getpid(), signal.SIGKILL)");
    assert_eq!(daemon.exited().1, WaitStatus::Signaled(9));
    assert_eq!(descendants(cell.pid()).len(), 1);
}
