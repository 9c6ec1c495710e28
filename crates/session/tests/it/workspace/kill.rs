//! A daemon is killed with -9 at every named point of a push and of a stop. Another one opens the same workspace: every
//! byte that was acknowledged is there, no file is half, and what was not acknowledged is there as well, in the workspace
//! or put aside.
//!
//! The daemon is this program once more, with nothing to run but [`the_daemon_that_is_killed`]. It says what was
//! acknowledged by lines in a file.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use session::workspace::{View, Workspace, points};
use session::{Principal, Session};

use super::{get, options, workspace_in};
use crate::kit::{COLD, beside, engine, left, run_in, shell, until, within};

/// Tells the daemon what to do: data directory, environment, phase, view and point, in lines.
const ORDER: &str = "CELLBLOCK_TEST_KILL";
/// What the daemon does while it is killed.
const PHASES: [&str; 2] = ["push", "stop"];

const PUSH: &[&str] = &[
    "push: before anything is saved",
    "save: before anything is looked at",
    "save: before a file is opened",
    "save: a file was opened",
    "write: a part was written",
    "write: before publishing",
    "write: after publishing",
    "save: between two files",
    "save: before the answer",
    "push: a file from elsewhere was saved",
    "push: before the answer",
];
const STOP: &[&str] = &[
    "stop: before the cell's processes are ended",
    "stop: the cell's processes have ended",
    "save: before anything is looked at",
    "save: before a file is opened",
    "save: a file was opened",
    "write: a part was written",
    "write: before publishing",
    "write: after publishing",
    "save: between two files",
    "save: before the answer",
    "stop: everything was saved",
    "stop: before the answer",
];
const REMOVING: &[&str] = &["save: before removing", "save: after removing"];

/// The files of a session with their lengths: some parts of a store's writing, one part, and next to nothing.
const FILES: [(&str, usize); 5] =
    [("large.bin", 12 << 20), ("deep/er/middle.bin", 1 << 20), ("a", 1), ("b", 100), ("deep/c", 4097)];
/// One that is saved from elsewhere in the cell.
const ELSEWHERE: (&str, usize) = ("elsewhere", 70_000);
/// One that is removed before the end.
const REMOVED: (&str, usize) = ("removed", 10);

/// Writes all files in a version: every byte of a file says which.
async fn write(session: &Session, version: char) {
    let mut line = vec!["set -e; mkdir -p deep/er".to_owned()];
    for (name, length) in FILES.into_iter().chain([("/tmp/elsewhere", ELSEWHERE.1)]) {
        line.push(format!("head -c {length} /dev/zero | tr '\\0' {version} > {name}"));
    }
    shell(session, &line.join("; ")).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the other tests of this file run it as a daemon that is killed"]
async fn the_daemon_that_is_killed() {
    let Ok(order) = std::env::var(ORDER) else { return };
    let [data, environment, phase, view, point] = order.lines().collect::<Vec<_>>()[..] else {
        panic!("{order}")
    };
    let data = Path::new(data);
    let armed = std::sync::Arc::new(AtomicBool::new(false));
    let (point, trigger) = (point.to_owned(), armed.clone());
    points::set(Box::new(move |name| {
        if name == point && trigger.load(Ordering::SeqCst) {
            let own = rustix::process::getpid();
            let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
            // Another thread may have been here first.
            std::thread::park();
        }
    }));
    let mut acknowledged =
        OpenOptions::new().create(true).append(true).open(data.join("acknowledged")).unwrap();
    let mut acknowledge = |what: &str| writeln!(acknowledged, "{what}").unwrap();
    let engine = engine(data, environment.into(), COLD).await;
    let view = if view == "whole" { View::Whole } else { View::Flat };
    let files = workspace_in(data);
    let session = engine.open(Principal::local(), options(&files, view)).await.unwrap();
    write(&session, '1').await;
    shell(&session, "printf 1111111111 > removed").await.ok();
    let saved = session.push(Vec::new()).await.unwrap();
    assert_eq!((saved.files.len(), saved.left_out), (FILES.len() + 1, Vec::new()));
    session.push(vec!["/tmp/elsewhere".into()]).await.unwrap();
    acknowledge("1");
    write(&session, '2').await;
    shell(&session, "rm removed").await.ok();
    acknowledge("written");
    armed.store(true, Ordering::SeqCst);
    if phase == PHASES[0] {
        let saved = session.push(vec!["/tmp/elsewhere".into(), "/mnt/workspace".into()]).await.unwrap();
        assert_eq!(saved.left_out, Vec::new());
        acknowledge("2");
        acknowledge("elsewhere");
    } else {
        session.stop().await.unwrap();
        acknowledge("2");
    }
    drop(session);
    engine.shutdown().await;
}

/// Which version a file is in, if it is whole.
fn version(name: &str, content: &[u8], length: usize) -> u8 {
    assert_eq!(content.len(), length, "`{name}` is half");
    assert!(content.iter().all(|byte| *byte == content[0]), "`{name}` is of several versions");
    content[0]
}

/// The versions of all files that the store has.
async fn stored(files: &Workspace) -> BTreeMap<String, u8> {
    let lengths: BTreeMap<_, _> = FILES.into_iter().chain([ELSEWHERE, REMOVED]).collect();
    let mut found = BTreeMap::new();
    for stored in files.list("").await.unwrap() {
        let path = stored.path.as_str();
        let name = path.strip_prefix("code-interpreter/").unwrap_or(path);
        let content = get(files, path).await.unwrap();
        found.insert(name.to_owned(), version(name, &content, lengths[name]));
    }
    found
}

async fn kill_at(environment: &Path, phase: &str, view: &str, point: &str) {
    let data = tempfile::tempdir().unwrap();
    let order = [data.path().to_str().unwrap(), environment.to_str().unwrap(), phase, view, point].join("\n");
    let output = File::create(data.path().join("said")).unwrap();
    let mut daemon = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "workspace::kill::the_daemon_that_is_killed", "--ignored", "--nocapture"])
        .env(ORDER, order)
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .spawn()
        .unwrap();
    let ended = tokio::task::spawn_blocking(move || daemon.wait().unwrap());
    let ended = within("be killed", ended).await.unwrap();
    let said = fs::read_to_string(data.path().join("said")).unwrap();
    assert_eq!(ended.signal(), Some(9), "it was not killed at `{point}`: {said}");
    let acknowledged = fs::read_to_string(data.path().join("acknowledged")).unwrap();
    assert!(acknowledged.starts_with("1\nwritten\n"), "{acknowledged}: {said}");

    run_in(data.path(), environment.to_owned(), COLD, async |bench| {
        let files = workspace_in(data.path());
        let found = stored(&files).await;
        let unsaved = || left::names(&data.path().join("unsaved"));
        let seen = |aside: &String| !data.path().join("unsaved").join(aside).join("brought").exists();
        until("what was put aside was looked at", || unsaved().iter().all(seen)).await;
        let unsaved = unsaved();
        // Nothing is there but what was lost: no file that the store has.
        for aside in &unsaved {
            let aside = data.path().join("unsaved").join(aside).join("workspace");
            assert!(FILES.iter().any(|(name, _)| aside.join(name).exists()), "{unsaved:?}");
        }
        for (name, length) in FILES {
            let version_of = *found.get(name).unwrap_or_else(|| panic!("`{name}` is lost"));
            if version_of == b'2' {
                continue;
            }
            assert!(!acknowledged.contains("2\n"), "`{name}` was acknowledged");
            // It is not in the store, and not lost.
            let [aside] = &unsaved[..] else { panic!("{unsaved:?}: `{name}` is lost") };
            let aside = data.path().join("unsaved").join(aside).join("workspace").join(name);
            assert_eq!(version(name, &fs::read(aside).unwrap(), length), b'2');
        }
        assert!(found.contains_key(ELSEWHERE.0));
        assert!(view == "whole" || found.contains_key(REMOVED.0));
        // And the next session works with what there is.
        let view = if view == "whole" { View::Whole } else { View::Flat };
        let session =
            within("open", bench.engine.open(Principal::local(), options(&files, view))).await.unwrap();
        for (name, _) in FILES {
            let first = shell(&session, &format!("head -c 1 {name}")).await.ok().stdout();
            assert_eq!(first.as_bytes(), [found[name]], "{name}");
        }
        write(&session, '3').await;
        within("stop", session.stop()).await.unwrap();
        let found = stored(&files).await;
        for (name, _) in FILES {
            assert_eq!(found[name], b'3', "{name}");
        }
    })
    .await;
    data.close().unwrap();
}

async fn kill_at_all(phase: &str, view: &str, points: &[&str]) {
    beside(async |environment| {
        left::adopt_orphans();
        for point in points {
            kill_at(&environment, phase, view, point).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_every_point_of_a_push() {
    kill_at_all(PHASES[0], "flat", PUSH).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_every_point_of_a_stop() {
    kill_at_all(PHASES[1], "flat", STOP).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_every_point_of_removing() {
    kill_at_all(PHASES[1], "whole", REMOVING).await;
}

#[test]
fn no_point_is_passed_over() {
    for point in points::NAMES {
        assert!([PUSH, STOP, REMOVING].iter().any(|points| points.contains(point)), "{point}");
    }
}
