//! The kernel of this machine, whichever version it has. Every test here needs the right to make cgroups.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::cgroup::{CellGroup, CgroupLimits, Controller, Parent, Support, discover};

const MIB: u64 = 1 << 20;
const LIMITS: CgroupLimits = CgroupLimits { memory_bytes: 64 * MIB, cpus: 1.0, processes: 50 };
const PYTHON: &str = "/usr/bin/python3";

/// A node's cgroup for one test, gone with everything in it at the end.
struct Node {
    parent: Parent,
    support: Support,
    name: String,
}

impl Node {
    /// `None`, having said why, where the kernel does not hold what the test is about.
    fn new(needs: &[Controller]) -> Option<Node> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let support = discover(Path::new("/")).expect("/proc can be read");
        if let Some(reason) = support.why_not().iter().find(|reason| needs.contains(&reason.controller)) {
            eprintln!("SKIPPED: {reason}; hint: {}", reason.remedy());
            return None;
        }
        if !Path::new(PYTHON).exists() {
            eprintln!("SKIPPED: there is no {PYTHON} to run into the limits");
            return None;
        }
        let name = format!("cellblock-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let parent = Parent::create(&support, &name, Some(2048 * MIB)).expect("it is supported");
        Some(Node { parent, support, name })
    }

    fn cell(&self, limits: CgroupLimits) -> CellGroup {
        self.parent.create_cell("cell", &limits).expect("it can be made")
    }

    fn directories(&self) -> Vec<std::path::PathBuf> {
        self.support.branches.iter().map(|branch| branch.dir.join(&self.name)).collect()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let swept = self.parent.sweep(|_| false);
        let removed = self.parent.remove();
        if !thread::panicking() {
            swept.expect("cells can be removed");
            removed.expect("the parent can be removed");
            assert!(self.directories().iter().all(|dir| !dir.exists()), "something is left");
        }
    }
}

/// A Python program that has joined a cell. Its first line of output has been waited for.
struct Program {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Program {
    fn start(cell: &CellGroup, code: &str) -> Program {
        let mut child = Command::new(PYTHON)
            .args(["-I", "-c", &format!("import os, sys, time\nsys.stdin.readline()\n{code}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Python starts");
        for door in cell.join_fds().expect("the cgroup is there") {
            let pid = child.id().to_string();
            fs::File::from(door).write_all(pid.as_bytes()).expect("it may be moved");
        }
        let output = BufReader::new(child.stdout.take().expect("it was asked for"));
        child.stdin.take().expect("it was asked for").write_all(b"go\n").expect("it reads");
        Program { child, output }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it can be read");
        line.trim().to_owned()
    }

    fn signal(&mut self) -> Option<i32> {
        self.child.wait().expect("it ends").signal()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_process_joins_through_the_doors_without_a_right_of_its_own() {
    let Some(node) = Node::new(&[Controller::Memory]) else { return };
    let cell = node.cell(LIMITS);
    for (door, dir) in cell.join_fds().unwrap().into_iter().zip(node.directories()) {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo 0 >&0 && cat /proc/self/cgroup"]).stdin(Stdio::from(door));
        if fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
            command.uid(65534).gid(65534);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let inside = format!("/{}/cell", node.name);
        assert!(text.lines().any(|line| line.ends_with(&inside)), "{}: {output:?}", dir.display());
    }
    cell.remove().unwrap();
}

#[test]
fn who_takes_too_much_memory_is_killed_and_counted_and_others_live() {
    let Some(node) = Node::new(&[Controller::Memory]) else { return };
    let cell = node.cell(LIMITS);
    let mut bystander = Program::start(&cell, "print('here', flush=True)\ntime.sleep(1000)");
    assert_eq!(bystander.line(), "here");
    assert_eq!(cell.oom_kills().unwrap(), 0);
    let mut hog = Program::start(&cell, "held = b'x' * (256 << 20)\nprint('survived')");
    assert_eq!((hog.line().as_str(), hog.signal()), ("", Some(9)));
    assert_eq!(cell.oom_kills().unwrap(), 1);
    assert!(bystander.child.try_wait().unwrap().is_none(), "the small one was killed too");
    if let Some(peak) = cell.memory_peak().unwrap() {
        assert!((48 * MIB..=64 * MIB).contains(&peak), "{peak}");
    }
    assert!(cell.memory_current().unwrap().is_some_and(|bytes| bytes < 32 * MIB));

    // And again, within a new limit: both count on.
    cell.set_limits(&CgroupLimits { memory_bytes: 128 * MIB, ..LIMITS }).unwrap();
    let reset = cell.reset_memory_peak().unwrap();
    if reset {
        assert!(cell.memory_peak().unwrap().is_some_and(|bytes| bytes < 32 * MIB));
    }
    let mut fits = Program::start(&cell, "held = b'x' * (96 << 20)\nprint('survived')");
    assert_eq!((fits.line().as_str(), fits.signal()), ("survived", None));
    assert_eq!(cell.oom_kills().unwrap(), 1);
    if reset {
        assert!(cell.memory_peak().unwrap().is_some_and(|bytes| bytes > 96 * MIB));
    }
    cell.remove().unwrap();
    assert_eq!(bystander.signal(), Some(9), "removing kills what is left");
}

#[test]
fn the_budget_of_all_cells_holds_too() {
    let Some(node) = Node::new(&[Controller::Memory]) else { return };
    let again = Parent::create(&node.support, &node.name, Some(64 * MIB)).unwrap();
    let cell = again.create_cell("cell", &CgroupLimits { memory_bytes: 1024 * MIB, ..LIMITS }).unwrap();
    let mut hog = Program::start(&cell, "held = b'x' * (256 << 20)\nprint('survived')");
    assert_eq!((hog.line().as_str(), hog.signal()), ("", Some(9)));
    assert_eq!(cell.oom_kills().unwrap(), 1, "it is counted where the process was");
}

const COUNT_CHILDREN: &str = "
made = 0
try:
    while made < 200:
        if os.fork() == 0:
            time.sleep(1000)
        made += 1
except BlockingIOError:
    pass
print(made, flush=True)
time.sleep(1000)
";

#[test]
fn processes_are_counted_and_refused() {
    let Some(node) = Node::new(&[Controller::Pids]) else { return };
    let cell = node.cell(CgroupLimits { processes: 20, ..LIMITS });
    let mut program = Program::start(&cell, COUNT_CHILDREN);
    assert_eq!(program.line(), "19", "and itself");
    assert!(cell.pids_refused().unwrap() >= 1);
    cell.kill_all().unwrap();
    assert_eq!(program.signal(), Some(9));
    cell.remove().unwrap();
}

#[test]
fn a_fork_bomb_is_killed_while_it_goes_off() {
    let Some(node) = Node::new(&[Controller::Pids]) else { return };
    // All children of all children fork, and start anew wherever one is killed.
    let bomb = "
print('lit', flush=True)
while True:
    try:
        os.fork()
    except OSError:
        pass
";
    for _ in 0..3 {
        let cell = node.cell(CgroupLimits { memory_bytes: 1024 * MIB, processes: 100, ..LIMITS });
        let mut program = Program::start(&cell, bomb);
        assert_eq!(program.line(), "lit");
        let deadline = Instant::now() + Duration::from_secs(30);
        while cell.pids_refused().unwrap() == 0 {
            assert!(Instant::now() < deadline, "the bomb did not go off");
            thread::yield_now();
        }
        cell.kill_all().unwrap();
        assert_eq!(program.signal(), Some(9));
        cell.remove().unwrap();
        assert!(node.directories().iter().all(|dir| !dir.join("cell").exists()));
    }
}

#[test]
fn processor_time_is_shared_out_and_counted() {
    let Some(node) = Node::new(&[Controller::Cpu]) else { return };
    let cell = node.cell(CgroupLimits { cpus: 0.25, ..LIMITS });
    let spin = "print('spinning', flush=True)\nwhile True: pass";
    let mut programs = [Program::start(&cell, spin), Program::start(&cell, spin)];
    for program in &mut programs {
        assert_eq!(program.line(), "spinning");
    }
    let (Some(before), start) = (cell.cpu_usage().unwrap(), Instant::now()) else {
        eprintln!("SKIPPED: the kernel does not count processor time here");
        return;
    };
    // What passes is what is measured.
    thread::sleep(Duration::from_secs(2));
    let used = cell.cpu_usage().unwrap().unwrap().saturating_sub(before);
    let share = used.as_secs_f64() / start.elapsed().as_secs_f64();
    assert!(share > 0.0 && share < 0.35, "two processes that never rest had {share:.2} processors of 0.25");
    cell.remove().unwrap();
}

#[test]
fn sweeping_keeps_what_it_is_told_and_leaves_nothing_else() {
    let Some(node) = Node::new(&[Controller::Memory]) else { return };
    let mut programs = Vec::new();
    for id in ["one", "two", "three"] {
        let cell = node.parent.create_cell(id, &LIMITS).unwrap();
        let mut program = Program::start(&cell, "print(os.getpid(), flush=True)\ntime.sleep(1000)");
        program.line();
        programs.push(program);
    }
    let later = Parent::find(&node.support, &node.name).unwrap().expect("it is there");
    assert_eq!(later.sweep(|id| id == "two").unwrap(), 2);
    assert_eq!(programs[0].signal(), Some(9));
    assert_eq!(programs[2].signal(), Some(9));
    assert!(programs[1].child.try_wait().unwrap().is_none());
    assert!(later.adopt("one").is_none());
    let kept = later.adopt("two").expect("it was to be kept");
    kept.remove().unwrap();
    assert_eq!(programs[1].signal(), Some(9));
}

#[test]
fn fifty_cells_are_made_at_the_same_time() {
    let Some(node) = Node::new(&[Controller::Memory]) else { return };
    thread::scope(|scope| {
        for number in 0..50 {
            let parent = &node.parent;
            scope.spawn(move || {
                let id = format!("cell-{number}");
                let cell = parent.create_cell(&id, &LIMITS).unwrap();
                assert!(parent.create_cell(&id, &LIMITS).is_err(), "the name is taken");
                assert!(parent.adopt(&id).is_some());
                assert!(!cell.join_fds().unwrap().is_empty());
                cell.remove().unwrap();
                assert!(parent.adopt(&id).is_none());
            });
        }
    });
}
