//! Commands: run, ended, interrupted, and what they leave behind.

use protocol::{Frame, KernelId, Kind, RefusedReason, Spawn, WaitStatus};

use crate::harness::{
    Cell, Daemon, call, command_status, descendants, is_alive, joined, name, python, text, unreaped, until,
};

fn run(daemon: &mut Daemon, number: u128, script: &str) -> Vec<Frame> {
    daemon.command(number, script);
    daemon.until_end()
}

#[test]
fn a_command_has_output_a_status_and_nothing_to_read() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    let frames = run(&mut daemon, 1, "echo $NAME; pwd; cat; echo error >&2; exit 3");
    assert_eq!(text(&frames, Kind::Stdout), "value\n/\n");
    assert_eq!(text(&frames, Kind::Stderr), "error\n");
    assert_eq!(command_status(&frames), WaitStatus::Exited(3));
    assert!(frames.iter().all(|frame| (frame.kernel, frame.call) == (KernelId::NONE, call(1))));
    assert_eq!(command_status(&run(&mut daemon, 2, "kill -SEGV $$")), WaitStatus::Signaled(11));
    let frames = run(&mut daemon, 3, "head -c 3000000 /dev/zero");
    assert_eq!(joined(&frames, Kind::Stdout).len(), 3_000_000);
    assert_eq!(descendants(cell.pid()), []);
}

#[test]
fn a_command_inherits_no_descriptor() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.start_kernel(1);
    daemon.simple(Kind::PrepareKernel, 2, 0);
    daemon.expect(Kind::KernelEnds);
    // 3 is the directory that ls reads.
    let frames = run(&mut daemon, 1, "ls /proc/self/fd; readlink /proc/self/fd/0");
    assert_eq!(text(&frames, Kind::Stdout), "0\n1\n2\n3\n/dev/null\n");
}

#[test]
fn what_a_finished_command_left_in_its_session_is_ended_and_its_pipes_delay_nothing() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    let frames = run(&mut daemon, 1, "sleep 1000 & echo $!; sleep 1000 & echo $!");
    assert_eq!(command_status(&frames), WaitStatus::Exited(0));
    for pid in text(&frames, Kind::Stdout).lines() {
        assert!(!is_alive(pid.parse().unwrap()));
    }
    // One that left the session keeps its life; its hold on the pipes delays nothing either.
    let frames = run(
        &mut daemon,
        2,
        "setsid sleep 1000 & while [ $(cut -d' ' -f6 /proc/$!/stat) = $$ ]; do :; done; echo $!",
    );
    assert_eq!(command_status(&frames), WaitStatus::Exited(0));
    let survivor: u32 = text(&frames, Kind::Stdout).trim().parse().unwrap();
    assert!(is_alive(survivor));
    assert_eq!(descendants(cell.pid()), [survivor]);
}

#[test]
fn a_killed_command_ends_with_its_whole_family() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.command(1, "setsid sleep 1000 & sleep 1000 & (sleep 1000; true) & echo started; wait");
    daemon.expect(Kind::Stdout);
    until("all of them run", || descendants(cell.pid()).len() == 5);
    daemon.simple(Kind::KillCommand, 0, 1);
    assert_eq!(command_status(&daemon.until_end()), WaitStatus::Signaled(9));
    assert_eq!(descendants(cell.pid()), []);
    // Killing what has ended is not an error.
    daemon.simple(Kind::KillCommand, 0, 1);
    assert_eq!(command_status(&run(&mut daemon, 2, "true")), WaitStatus::Exited(0));
}

#[test]
fn a_process_that_runs_away_by_forking_is_caught() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    daemon.start_kernel(1);
    // One family whose members live for a moment each, and one in which each begins a session. Neither goes on for
    // ever, so that a failure of this test is not one of the machine.
    let code = "
for leave in (False, True):
    if os.fork() == 0:
        for depth in range(50 if leave else 2000):
            if leave: os.setsid()
            if os.fork() > 0:
                if leave: time.sleep(1000)
                os._exit(0)
        time.sleep(1000)
os.write(1, b'running')";
    daemon.run(1, 1, code);
    daemon.simple(Kind::KillKernel, 1, 0);
    assert_eq!(daemon.exited().1, WaitStatus::Signaled(9));
    assert_eq!(descendants(cell.pid()), []);
}

#[test]
fn an_interrupt_goes_to_the_whole_group() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    // Two processes that take the signal when they are asked for it, however early it comes. (A shell loses one that
    // comes while it forks.)
    let both = "
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
child = os.fork()
os.write(1, b'ready ')
signal.sigwait([signal.SIGINT])
os.write(1, b'caught ')
if child: os.wait()
os._exit(5)";
    daemon.command(1, &format!("exec {} -I -S -c \"{both}\"", python()));
    let mut ready = Vec::new();
    while ready.len() < 12 {
        ready.extend(daemon.expect(Kind::Stdout).payload);
    }
    daemon.simple(Kind::Interrupt, 0, 1);
    let frames = daemon.until_end();
    assert_eq!(text(&frames, Kind::Stdout), "caught caught ");
    assert_eq!(command_status(&frames), WaitStatus::Exited(5));
    daemon.command(2, "exec sleep 1000");
    until("it sleeps", || descendants(cell.pid()).iter().any(|&pid| name(pid) == "sleep"));
    daemon.simple(Kind::Interrupt, 0, 2);
    assert_eq!(command_status(&daemon.until_end()), WaitStatus::Signaled(2));
}

#[test]
fn what_cannot_be_started_is_refused_and_may_be_tried_again() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    let spawn = |argv: &[&str], cwd: &str| Spawn {
        argv: argv.iter().map(|&text| text.to_owned()).collect(),
        env: Vec::new(),
        cwd: cwd.to_owned(),
    };
    for (spawn, expected) in [
        (spawn(&["/no/such/program"], "/"), "run the program: No such file"),
        (spawn(&["/bin/true"], "/no/such/directory"), "go to its directory: No such file"),
        (spawn(&["/bin/true", "a\0b"], "/"), "nul byte"),
        (spawn(&[], "/"), "no program is named"),
    ] {
        for kind in [Kind::StartCommand, Kind::StartKernel] {
            let frame = Frame::new(kind, spawn.encode());
            daemon.send(if kind == Kind::StartCommand {
                frame.call(call(1))
            } else {
                frame.kernel(KernelId(1))
            });
            let (reason, detail) = daemon.refused();
            assert_eq!(reason, RefusedReason::SpawnFailed);
            assert!(detail.contains(expected), "{detail}");
        }
    }
    assert_eq!(command_status(&run(&mut daemon, 1, "true")), WaitStatus::Exited(0));
    daemon.start_kernel(1);
    until("the failed ones are reaped", || unreaped(cell.pid()).len() == 1);
}

#[test]
fn a_command_sent_again_is_answered_and_not_run_again() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    let file = cell.directory.path().join("file");
    let script = format!("echo line | tee -a {}", file.display());
    let first = run(&mut daemon, 1, &script);
    assert_eq!(run(&mut daemon, 1, &script), first);
    drop(daemon);
    let mut daemon = cell.connect();
    assert_eq!(run(&mut daemon, 1, &script), first);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "line\n");

    daemon.command(2, "echo begun; sleep 1000");
    daemon.expect(Kind::Stdout);
    drop(daemon);
    let mut daemon = cell.connect();
    assert_eq!(daemon.state.commands, [call(2)]);
    daemon.command(2, "");
    assert_eq!(daemon.next().payload, b"begun\n");
    daemon.simple(Kind::KillCommand, 0, 2);
    assert_eq!(command_status(&daemon.until_end()), WaitStatus::Signaled(9));
}

#[test]
fn orphans_are_reaped() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    let script = "i=0; while [ $i -lt 50 ]; do (setsid sh -c 'sleep 0.01' &); i=$((i+1)); done";
    assert_eq!(command_status(&run(&mut daemon, 1, script)), WaitStatus::Exited(0));
    until("no process and no zombie is left", || unreaped(cell.pid()).is_empty());
}

#[test]
fn many_commands_run_side_by_side_and_too_many_are_refused() {
    let cell = Cell::start();
    let mut daemon = cell.connect();
    for number in 2001..=2064 {
        daemon.command(number, "sleep 1000");
    }
    daemon.command(2065, "true");
    assert_eq!(daemon.refused().0, RefusedReason::SpawnFailed);
    for number in 2001..=2064 {
        daemon.simple(Kind::KillCommand, 0, number);
    }
    for _ in 0..64 {
        daemon.expect(Kind::CommandExited);
    }
    assert_eq!(descendants(cell.pid()), []);
    assert_eq!(command_status(&run(&mut daemon, 2065, "true")), WaitStatus::Exited(0));
}
