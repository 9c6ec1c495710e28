//! However a session ends, what it changed is saved; what cannot be saved is put aside, and that is said.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use session::workspace::View;
use session::{Error, SessionOptions};

use super::{get, open, open_as, options, put, text, workspace};
use crate::kit::{BARE, Bench, COLD, is_root, left, shell, with, within};

#[tokio::test(flavor = "multi_thread")]
async fn it_is_saved_whoever_ends_it() {
    with(COLD, async |bench| {
        let files = workspace(bench);
        let short = SessionOptions { ttl: Some(Duration::from_millis(900)), ..options(&files, View::Flat) };
        let session = open_as(bench, short).await;
        shell(&session, "echo -n ttl > ttl").await.ok();
        within("end", session.ended()).await.unwrap();
        assert_eq!(text(&files, "code-interpreter/ttl").await.unwrap(), "ttl");

        let idle = SessionOptions { idle: Some(Duration::from_millis(300)), ..options(&files, View::Flat) };
        let session = open_as(bench, idle).await;
        shell(&session, "echo -n idle > idle").await.ok();
        within("end", session.ended()).await.unwrap();
        assert_eq!(text(&files, "code-interpreter/idle").await.unwrap(), "idle");

        let session = open(bench, &files).await;
        shell(&session, "echo -n dropped > dropped").await.ok();
        let (id, principal) = (session.id(), session.principal().clone());
        drop(session);
        crate::kit::until("it has ended", || bench.engine.find(&principal, id).is_none()).await;
        let saved = async {
            while text(&files, "code-interpreter/dropped").await.as_deref() != Some("dropped") {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        within("save it", saved).await;
        assert!(!bench.data.join("unsaved").exists());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cell_that_is_killed_has_its_files_saved() {
    if !is_root() {
        eprintln!("SKIPPED: only root can look for another's init");
        return;
    }
    with(COLD, async |bench| {
        let files = workspace(bench);
        let session = open(bench, &files).await;
        shell(&session, "echo -n killed > killed").await.ok();
        let init = crate::engine::init(bench, &session);
        rustix::process::kill_process(init, rustix::process::Signal::KILL).unwrap();
        within("end", session.ended()).await.unwrap();
        assert_eq!(text(&files, "code-interpreter/killed").await.unwrap(), "killed");
        assert!(!bench.data.join("unsaved").exists());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_saves_all_of_them_before_it_goes() {
    let mut store = None;
    let data = tempfile::tempdir().unwrap();
    with(BARE, async |bench| {
        let files = super::workspace_in(data.path());
        let mut sessions = Vec::new();
        for n in 0..5 {
            let session = open(bench, &files).await;
            shell(&session, &format!("head -c 3000000 /dev/zero > {n}.bin")).await.ok();
            sessions.push(session);
        }
        store = Some((files, sessions));
    })
    .await;
    // Without an environment the test was skipped.
    let Some((files, sessions)) = store else { return };
    for n in 0..5 {
        assert_eq!(get(&files, &format!("code-interpreter/{n}.bin")).await.unwrap().len(), 3_000_000);
    }
    drop(sessions);
}

/// Where the files of a session were put aside, as its end says it.
fn aside(ended: session::Result<()>) -> (PathBuf, String) {
    match ended {
        Err(Error::Unsaved { aside, why }) => (aside.unwrap(), why),
        other => panic!("{other:?}"),
    }
}

/// What the session has and nobody else is there, and nothing else.
fn assert_put_aside(bench: &Bench, session: &session::Session, place: &PathBuf, names: &[&str]) {
    assert_eq!(*place, bench.data.join("unsaved").join(session.id().to_string()));
    let mut found = left::names(&place.join("workspace"));
    found.sort();
    assert_eq!(found, names);
    assert_eq!(fs::metadata(place.join("workspace/large")).unwrap().len(), 3_000_000);
    let note: serde_json::Value = serde_json::from_slice(&fs::read(place.join("note")).unwrap()).unwrap();
    assert_eq!(note["workspace"], "default");
    assert_eq!(note["principal"], "local");
    assert!(!place.join("home").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_saved_is_put_aside() {
    with(COLD, async |bench| {
        let files = workspace(bench);
        put(&files, "uploads/large.bin", vec![1; 4 << 20]).await;
        let session = open(bench, &files).await;
        shell(&session, "echo -n 'made here' > made; head -c 3000000 /dev/zero > large").await.ok();
        // The store is gone: there is a file where it was.
        let store = bench.data.join("workspaces");
        fs::rename(&store, bench.data.join("elsewhere")).unwrap();
        fs::write(&store, "in the way").unwrap();
        let (place, why) = aside(within("stop", session.stop()).await);
        assert!(why.contains("made") || why.contains("large"), "{why}");
        assert_put_aside(bench, &session, &place, &["large", "made"]);
        assert_eq!(fs::read(place.join("workspace/made")).unwrap(), b"made here");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_store_costs_nothing() {
    if !is_root() {
        eprintln!("SKIPPED: only root can mount a small file system to be full");
        return;
    }
    with(COLD, async |bench| {
        let store = bench.data.join("workspaces");
        fs::create_dir(&store).unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "none"])
            .arg(&store)
            .status()
            .unwrap();
        if !mounted.success() {
            eprintln!("SKIPPED: this root may not mount");
            return;
        }
        {
            let files = workspace(bench);
            let session = open(bench, &files).await;
            shell(&session, "echo -n 'made here' > made; head -c 3000000 /dev/zero > large").await.ok();
            let saved = super::push(&session, &["/mnt/workspace/large"]).await;
            assert!(saved.left_out[0].failed, "{saved:?}");
            assert!(saved.left_out[0].why.contains("is full"), "{saved:?}");
            let (place, why) = aside(within("stop", session.stop()).await);
            assert!(why.contains("`large`") && why.contains("full"), "{why}");
            assert_put_aside(bench, &session, &place, &["large"]);
            assert_eq!(text(&files, "code-interpreter/made").await.unwrap(), "made here");
            assert_eq!(get(&files, "code-interpreter/large").await, None);
        }
        assert!(std::process::Command::new("umount").arg(&store).status().unwrap().success());
    })
    .await;
}
