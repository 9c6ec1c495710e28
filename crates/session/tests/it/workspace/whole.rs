//! Workspaces that a session sees whole: what changes is kept without anybody asking, and removals follow.

use std::time::{Duration, Instant};

use session::workspace::{View, Workspace};
use session::{Mount, Session, SessionOptions};

use super::{get, names, open_as, options, push, put, reasons, workspace};
use crate::kit::{BARE, Bench, PATIENCE, print, run, shell, start, with, within};

async fn open(bench: &Bench, workspace: &Workspace) -> Session {
    let mount = Mount::new("/mnt/data").unwrap();
    open_as(bench, SessionOptions { mount, ..options(workspace, View::Whole) }).await
}

/// Waits until the store has this for a file.
async fn becomes(workspace: &Workspace, name: &str, content: Option<&[u8]>) {
    let end = Instant::now() + PATIENCE;
    while get(workspace, name).await.as_deref() != content {
        assert!(Instant::now() < end, "`{name}` does not become {content:?} in the store");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_is_kept_while_the_session_lives() {
    with(BARE, async |bench| {
        let files = workspace(bench);
        put(&files, "docs/given.txt", "given").await;
        let session = open(bench, &files).await;
        let code = "import os; print(os.getcwd(), open('docs/given.txt').read()); open('/mnt/data/made', 'w').write('1')";
        assert_eq!(print(&session, code).await, "/mnt/data given\n");
        becomes(&files, "made", Some(b"1")).await;
        shell(&session, "echo 2 > docs/by-a-command; echo more >> docs/given.txt").await.ok();
        becomes(&files, "docs/by-a-command", Some(b"2\n")).await;
        becomes(&files, "docs/given.txt", Some(b"givenmore\n")).await;
        session.write_file("/mnt/data/new/x", std::io::Cursor::new(b"3".to_vec())).await.unwrap();
        becomes(&files, "new/x", Some(b"3")).await;
        within("stop", session.stop()).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_share_it_see_what_the_other_did_at_their_next_call() {
    with(BARE, async |bench| {
        let files = workspace(bench);
        let (one, other) = (open(bench, &files).await, open(bench, &files).await);
        run(&one, "open('shared', 'w').write('from one')").await.ok();
        becomes(&files, "shared", Some(b"from one")).await;
        assert_eq!(shell(&other, "cat shared").await.ok().stdout(), "from one");
        run(&other, "open('shared', 'w').write('from the other')").await.ok();
        becomes(&files, "shared", Some(b"from the other")).await;
        assert_eq!(shell(&one, "cat shared").await.ok().stdout(), "from the other");
        within("stop", one.stop()).await.unwrap();
        // The first one's end takes nothing of what the other has made since.
        run(&other, "open('later', 'w').write('still')").await.ok();
        within("stop", other.stop()).await.unwrap();
        assert_eq!(get(&files, "later").await.unwrap(), b"still");
        assert_eq!(get(&files, "shared").await.unwrap(), b"from the other");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_kept_is_told_once() {
    with(BARE, async |bench| {
        let files = workspace(bench);
        let session = open(bench, &files).await;
        run(
            &session,
            "import os; os.symlink('/etc/passwd', 'link'); os.mkfifo('pipe'); open('mark', 'w').close()",
        )
        .await
        .ok();
        becomes(&files, "mark", Some(b"")).await;
        // The save ends a moment after the file is there.
        let end = Instant::now() + PATIENCE;
        let told = loop {
            let ran = run(&session, "pass").await.ok();
            if let Some(notice) = ran.notices().into_iter().find(|notice| notice.contains("outlive")) {
                break notice.to_owned();
            }
            assert!(Instant::now() < end, "nobody was told");
        };
        assert!(told.contains("`link`") && told.contains("`pipe`"), "{told}");
        run(&session, "open('mark', 'w').write('again')").await.ok();
        becomes(&files, "mark", Some(b"again")).await;
        let ran = run(&session, "pass").await.ok();
        assert!(!ran.notices().iter().any(|notice| notice.contains("outlive")), "{:?}", ran.notices());
        within("stop", session.stop()).await.unwrap();
        assert_eq!(get(&files, "link").await, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_closed_is_not_taken_for_an_empty_one() {
    with(BARE, async |bench| {
        let files = workspace(bench);
        put(&files, "deep/er/file", "kept").await;
        let session = open(bench, &files).await;
        run(&session, "import os; os.chmod('deep', 0); open('mark', 'w').close()").await.ok();
        becomes(&files, "mark", Some(b"")).await;
        // Root can look into it. Who cannot puts it aside, since there may be something new in it.
        match within("stop", session.stop()).await {
            Ok(()) => assert!(crate::kit::is_root()),
            Err(session::Error::Unsaved { aside, .. }) => {
                let deep = aside.unwrap().join("workspace/deep");
                // What is left of the test can be removed.
                std::fs::set_permissions(deep, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
            }
            Err(other) => panic!("{other}"),
        }
        assert_eq!(get(&files, "deep/er/file").await.unwrap(), b"kept");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_goes_on_holds_up_no_save_and_the_end_saves_the_rest() {
    with(BARE, async |bench| {
        let files = workspace(bench);
        let session = open(bench, &files).await;
        let code = "import time; open('begun', 'w').write('x'); time.sleep(600)";
        let call = start(&session, code);
        crate::kit::until("the code writes", || bench.cell(&session).join("workspace/begun").exists()).await;
        // A command beside it ends, and all that is there is saved.
        shell(&session, "echo beside > beside").await.ok();
        becomes(&files, "beside", Some(b"beside\n")).await;
        becomes(&files, "begun", Some(b"x")).await;
        shell(&session, "echo last > last").await.ok();
        within("stop", session.stop()).await.unwrap();
        assert_eq!(get(&files, "last").await.unwrap(), b"last\n");
        drop(call);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_removed_is_removed() {
    with(BARE, async |bench| {
        let files = workspace(bench);
        for name in ["docs/given", "docs/deep/er", "kept", "other"] {
            put(&files, name, name).await;
        }
        let session = open(bench, &files).await;
        run(&session, "open('made', 'w').write('1')").await.ok();
        becomes(&files, "made", Some(b"1")).await;
        session.remove_file("/mnt/data/other").await.unwrap();
        becomes(&files, "other", None).await;
        run(&session, "import os, shutil; shutil.rmtree('docs'); os.rename('kept', 'moved')").await.ok();
        becomes(&files, "moved", Some(b"kept")).await;
        becomes(&files, "docs/given", None).await;
        run(&session, "os.remove('made'); open('last', 'w').close()").await.ok();
        within("stop", session.stop()).await.unwrap();
        let left = files.list("").await.unwrap();
        let mut left: Vec<_> = left.iter().map(|stored| stored.path.as_str()).collect();
        left.sort_unstable();
        assert_eq!(left, ["last", "moved"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_is_found_by_either_name_of_its_place() {
    with(BARE, async |bench| {
        let files = workspace(bench);
        let session = open(bench, &files).await;
        run(&session, "for name in 'abc': open(name, 'w').write(name)").await.ok();
        let saved = push(&session, &["/mnt/data/a", "/mnt/workspace/b", "c"]).await;
        assert_eq!((names(&saved), reasons(&saved)), (vec!["a", "b", "c"], vec![]));
        assert_eq!(get(&files, "b").await.unwrap(), b"b");
        within("stop", session.stop()).await.unwrap();
    })
    .await;
}
