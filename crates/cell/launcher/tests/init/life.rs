//! Connections, the cell's own life and end, kernels from outside, the soft memory limit.

use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::process::Command;

use protocol::{Frame, KernelId, Kind, Spawn, WaitStatus};

use crate::harness::{
    Cell, Options, call, command_status, descendants, own_uid, python, source, text, unreaped, until,
};

#[test]
fn a_cell_that_does_not_linger_ends_with_its_connection() {
    let mut cell = Cell::with(Options { linger_ms: 0, ..Options::default() });
    drop(cell.connect());
    assert!(cell.wait().success());
}

#[test]
fn a_cell_lingers_for_its_time_and_lives_on_if_a_daemon_comes() {
    let mut cell = Cell::with(Options { linger_ms: 50, ..Options::default() });
    assert!(cell.wait().success(), "nobody came");
    let mut cell = Cell::with(Options { linger_ms: 1000, ..Options::default() });
    drop(cell.connect());
    let mut daemon = cell.connect();
    daemon.start_kernel(1);
    // Longer than it lingers, with a daemon there.
    daemon.run(1, 1, "time.sleep(1.3)");
    drop(daemon);
    assert!(cell.wait().success());
}

#[test]
fn shutdown_is_told_what_is_left_to_say_and_ends_the_cell() {
    let mut cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.simple(Kind::Interrupt, 1, 9);
    daemon.simple(Kind::Shutdown, 0, 0);
    daemon.refused();
    assert!(daemon.try_next().is_none());
    assert!(cell.wait().success());
    // A daemon that does not read does not keep the cell alive.
    let mut cell = Cell::start();
    let daemon = cell.connect();
    daemon.command(1, "cat /dev/zero");
    daemon.command(2, "cat /dev/zero");
    daemon.simple(Kind::Shutdown, 0, 0);
    assert!(cell.wait().success());
}

#[test]
fn a_new_connection_takes_the_place_of_the_old_one() {
    let cell = Cell::start();
    let mut old = cell.connect();
    let mut new = cell.connect();
    assert!(old.try_next().is_none());
    new.command(1, "echo here");
    assert_eq!(text(&new.until_end(), Kind::Stdout), "here\n");
    // Even one that has not said anything.
    let _silent = cell.knock();
    assert!(new.try_next().is_none());
}

#[test]
fn a_daemon_that_cannot_be_understood_is_told_so_and_the_cell_lives() {
    let cell = Cell::start();
    let hello = Frame::new(Kind::Hello, []).encode();
    let mut newer = hello.clone();
    newer[2] = 2;
    let spawn = Frame::new(Kind::StartCommand, *b"\xff").encode();
    for (bytes, expected) in [
        (b"GET / HTTP/1.1\r\nHost: cell\r\n\r\n".to_vec(), "does not begin as one"),
        (newer, "version 2, and this end speaks 1"),
        (Frame::new(Kind::Execute, []).encode(), "not Hello"),
        (Frame::new(Kind::Stdout, []).encode(), "may not come from here"),
        ([hello, spawn].concat(), "ends too early"),
    ] {
        let mut daemon = cell.knock();
        (&daemon.socket).write_all(&bytes).unwrap();
        let broken = daemon.expect(Kind::Broken);
        assert_eq!(broken.kernel, KernelId::NONE);
        assert!(text(&[broken], Kind::Broken).contains(expected), "{expected}");
        assert!(daemon.try_next().is_none());
    }
    cell.connect();
}

#[test]
fn a_connection_hears_nothing_before_the_state() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.command(1, "sleep 0.05; echo out; exit 1");
    daemon.start_kernel(1);
    let mut silent = cell.knock();
    let mut ended = cell.knock();
    assert!(silent.try_next().is_none());
    until("the command is over", || descendants(cell.pid()).len() == 1);
    ended.send(Frame::new(Kind::Hello, []));
    assert_eq!(ended.next().kind, Kind::State);
    ended.command(1, "");
    let frames = ended.until_end();
    assert_eq!(
        (text(&frames, Kind::Stdout).as_str(), command_status(&frames)),
        ("out\n", WaitStatus::Exited(1))
    );
}

#[test]
fn a_kernel_that_comes_from_outside_is_known_by_its_credentials() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    let path = cell.directory.path().join("donor");
    let listener = UnixListener::bind(&path).unwrap();
    daemon.simple(Kind::PrepareKernel, 1, 0);
    assert_eq!(daemon.expect(Kind::KernelEnds).kernel, KernelId(1));
    let ends = daemon.take_descriptors(3);

    // The donor is a command, so that what it leaves behind becomes init's child.
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    let (donor, kernel) = (source("donor.py"), source("fake_kernel.py"));
    let pid = cell.pid().to_string();
    let arguments = [path.to_str().unwrap(), kernel.to_str().unwrap(), &pid];
    let argv = [&[python(), "-I", "-S", donor.to_str().unwrap()][..], &arguments].concat();
    let spawn = Spawn { argv: texts(&argv), env: Vec::new(), cwd: "/".to_owned() };
    daemon.send(Frame::new(Kind::StartCommand, spawn.encode()).call(call(1)));
    let (donor, _) = listener.accept().unwrap();
    sys::scm::send_with_fds(&donor, b"x", &ends.iter().map(AsFd::as_fd).collect::<Vec<_>>()).unwrap();
    drop(ends);

    let (mut ready, mut exited) = (false, false);
    while !(ready && exited) {
        match daemon.next() {
            Frame { kind: Kind::KernelReady, .. } => ready = true,
            frame @ Frame { kind: Kind::CommandExited, .. } => {
                assert_eq!(command_status(&[frame]), WaitStatus::Exited(0));
                exited = true;
            }
            frame => panic!("{frame:?}"),
        }
    }
    let frames = daemon.run(1, 2, "os.write(1, str(os.getppid()).encode())");
    assert_eq!(text(&frames, Kind::Stdout), pid);
    daemon.execute(1, 3, "send(STDOUT, 'loop')\nwhile True: pass");
    daemon.expect(Kind::Stdout);
    daemon.simple(Kind::Interrupt, 1, 3);
    assert_eq!(text(&daemon.until_end(), Kind::Done), "interrupted");
    daemon.execute(1, 4, "os._exit(9)");
    assert_eq!(daemon.exited(), (KernelId(1), WaitStatus::Exited(9)));
    assert_eq!(descendants(cell.pid()), []);
}

#[test]
fn above_the_soft_memory_limit_the_largest_process_is_killed_and_said_so() {
    const LIMIT: u64 = 200 << 20;
    let cell = Cell::with(Options { soft_memory: Some(LIMIT), ..Options::default() });
    let mut daemon = cell.connect();
    daemon.start_kernel(1);
    daemon.start_kernel(2);
    daemon.run(1, 1, "kept = 'kept'");
    let frames = daemon.run(2, 5, "hoard = b'x' * (300 << 20); time.sleep(1000)");
    let [told, exited] = frames.as_slice() else { panic!("{frames:?}") };
    assert_eq!((told.kind, told.kernel, told.call), (Kind::SoftMemory, KernelId(2), call(5)));
    let numbers = told.payload.as_chunks::<8>().0;
    let [limit, seen] = numbers else { panic!("{told:?}") };
    assert_eq!(u64::from_le_bytes(*limit), LIMIT);
    assert!((LIMIT..LIMIT * 3).contains(&u64::from_le_bytes(*seen)));
    assert_eq!(exited.kind, Kind::KernelExited);
    assert_eq!(WaitStatus::decode(&exited.payload), Ok(WaitStatus::Signaled(9)));
    // A child of a kernel is its kernel's.
    let code = "
child = subprocess.Popen([sys.executable, '-c', 'x = bytearray(b\"x\") * (300 << 20); input()'], stdin=subprocess.PIPE)
send(RESULT, str(child.wait()))";
    let frames = daemon.run(1, 6, code);
    assert_eq!(frames[0].kind, Kind::SoftMemory);
    assert_eq!((frames[0].kernel, frames[0].call), (KernelId(1), call(6)));
    assert_eq!(text(&frames, Kind::Result), "-9");
    assert_eq!(text(&daemon.run(1, 7, "send(STDOUT, kept)"), Kind::Stdout), "kept");
}

/// Init as the first process of a PID namespace, as far as this user may make one.
fn pid_1(flags: &[&str], identity: &[&str; 3]) -> Option<Cell> {
    let flags = [&["--pid", "--fork", "--mount-proc"], flags].concat();
    let unshare = |program| {
        let mut command = Command::new("unshare");
        command.args(&flags).arg(program);
        command
    };
    if !unshare("true").output().is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: this user cannot have an init that is PID 1 (`unshare {}`)", flags.join(" "));
        return None;
    }
    Some(Cell::from(unshare(env!("CARGO_BIN_EXE_init-alone")), Options::default(), identity))
}

#[test]
fn with_a_user_of_its_own_it_makes_its_children_the_cells_user() {
    let Some(cell) = pid_1(&[], &["12345", "12346", "other"]) else { return };
    let mut daemon = cell.connect();
    let script = "id -u; id -g; id -G; grep -E '^(Cap...|NoNewPrivs):' /proc/self/status; echo $PPID; cat /proc/1/comm";
    daemon.command(1, script);
    let output = text(&daemon.until_end(), Kind::Stdout);
    let lines: Vec<&str> = output.lines().map(|line| line.rsplit('\t').next().unwrap()).collect();
    let none = "0000000000000000";
    assert_eq!(lines, ["12345", "12346", "12346", none, none, none, none, none, "1", "1", "init"]);
    daemon.command(2, "kill -9 1");
    assert_eq!(command_status(&daemon.until_end()), WaitStatus::Exited(1));
}

#[test]
fn a_real_pid_1_reaps_everything_and_takes_no_connection_from_inside() {
    let user: &[&str] = if own_uid() == 0 { &[] } else { &["--user", "--map-root-user"] };
    let Some(cell) = pid_1(user, &["0", "0", "same"]) else { return };
    let mut daemon = cell.connect();
    daemon.start_kernel(1);
    let code = format!(
        "
s = socket.socket(socket.AF_UNIX); s.connect({:?})
send(STDOUT, repr(s.recv(100)))",
        cell.socket()
    );
    assert_eq!(text(&daemon.run(1, 1, &code), Kind::Stdout), "b''");
    let script = "kill -9 1; kill -INT 1; (setsid true &); setsid sleep 1000 &
        while [ $(cut -d' ' -f6 /proc/$!/stat) = $$ ]; do :; done; echo still";
    daemon.command(2, script);
    assert_eq!(text(&daemon.until_end(), Kind::Stdout), "still\n");
    // Init, the kernel, and the sleep that left its session.
    until("nothing else is left", || unreaped(cell.pid()).len() == 3);
    daemon.simple(Kind::Shutdown, 0, 0);
    assert!(daemon.try_next().is_none());
    until("all of it ended with init", || descendants(cell.pid()).is_empty());
}
