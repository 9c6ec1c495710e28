//! What a command in a bed is, how its end is told, and that nothing is left, whoever ends first.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// After this long a test has failed. Nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(30);

/// A bed with a shell in it.
fn bed(script: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bed"));
    command.args(["run", "--no-capture", "--", "sh", "-c", script]).stdin(Stdio::null());
    command
}

/// What came of it; `None` where no bed can be made, which this says.
fn run(script: &str) -> Option<Output> {
    let probe = bed("true").output().unwrap();
    if !probe.status.success() {
        let why = String::from_utf8_lossy(&probe.stderr).into_owned();
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{why}");
        eprintln!("SKIPPED: no bed can be made here: {why}");
        return None;
    }
    Some(bed(script).output().unwrap())
}

/// The command lines of all processes that bear a text.
fn processes_with(text: &str) -> Vec<String> {
    let listed = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path().join("cmdline"));
    let lines = listed.filter_map(|path| Some(String::from_utf8_lossy(&fs::read(path).ok()?).into_owned()));
    lines.filter(|line| line.contains(text)).collect()
}

#[test]
fn the_status_of_the_command_is_that_of_the_bed() {
    for (script, status) in [("exit 7", 7), ("kill -9 $$", 137), ("true", 0)] {
        let Some(output) = run(script) else { return };
        assert_eq!(output.status.code(), Some(status), "{script}");
    }
}

#[test]
fn the_command_is_who_started_it_and_an_ordinary_user_has_no_capability() {
    let Some(output) = run("id -u; grep CapEff /proc/self/status; cat /etc/resolv.conf") else { return };
    let said = String::from_utf8(output.stdout).unwrap();
    let uid = fs::metadata("/proc/self").unwrap().uid();
    assert!(said.starts_with(&format!("{uid}\n")), "{said}");
    assert_eq!(said.contains("CapEff:\t0000000000000000\n"), uid != 0, "{said}");
    assert!(said.contains("nameserver 93.184.216.53"), "{said}");
}

#[test]
fn what_the_command_leaves_behind_is_told_and_ended() {
    let mark = format!("31{}", std::process::id());
    let Some(output) = run(&format!("setsid sleep {mark} > /dev/null 2>&1 &")) else { return };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("left behind: process") && said.contains(&mark), "{said}");
    assert_eq!(output.status.code(), Some(125));
    assert_eq!(processes_with(&mark), Vec::<String>::new());
}

#[test]
fn a_bed_that_is_killed_leaves_no_process() {
    let mark = format!("32{}", std::process::id());
    if run("true").is_none() {
        return;
    }
    let script = format!("setsid sleep {mark} & echo $CELLBLOCK_BED; sleep {mark}");
    let mut bed = bed(&script).stdout(Stdio::piped()).spawn().unwrap();
    let mut facts = String::new();
    BufReader::new(bed.stdout.take().unwrap()).read_line(&mut facts).unwrap();
    let directory = facts.trim().strip_suffix("/bed.json").unwrap();
    // The command, its shell, the servers, and the bed's own processes.
    assert!(!processes_with(&mark).is_empty() && !processes_with(directory).is_empty());
    bed.kill().unwrap();
    bed.wait().unwrap();
    let end = Instant::now() + PATIENCE;
    while !processes_with(&mark).is_empty() || !processes_with(directory).is_empty() {
        assert!(Instant::now() < end, "{:?} {:?}", processes_with(&mark), processes_with(directory));
        sleep(Duration::from_millis(5));
    }
    // What it had mounted went with it, and the next bed, which may be another test's, removes where that was.
    assert_eq!(fs::read_dir(directory).map_or(0, Iterator::count), 0);
    assert!(run("true").unwrap().status.success());
    assert!(!fs::exists(directory).unwrap());
}
