//! What is saved while a session goes on.

use session::workspace::WorkspaceName;
use session::{Call, Error, Event, SessionOptions};

use super::{get, names, open, open_as, push, reasons, stop, text, workspace};
use crate::kit::{BARE, COLD, run, shell, start, with, within};

#[tokio::test(flavor = "multi_thread")]
async fn paths_are_those_of_the_cells_programs() {
    with(BARE, async |bench| {
        let files = workspace(bench);
        let session = open(bench, &files).await;
        let code = "
import os
os.makedirs('deep/er'); os.makedirs('empty')
for name in ['a', 'b', '*', 'deep/c', 'deep/er/d', '/tmp/chart.png', '/home/user/x', '/tmp/f']: open(name, 'w').write(name)
os.chdir('deep')";
        run(&session, code).await.ok();
        assert_eq!(names(&push(&session, &["c"]).await), ["code-interpreter/deep/c"]);
        let saved = push(&session, &["../a", "/mnt/workspace/b", "/mnt/workspace/*"]).await;
        assert_eq!(names(&saved), ["code-interpreter/*", "code-interpreter/a", "code-interpreter/b"]);
        assert_eq!(files.list("code-interpreter").await.unwrap().len(), 4);
        let saved = push(&session, &["."]).await;
        assert_eq!(names(&saved), ["code-interpreter/deep/c", "code-interpreter/deep/er/d"]);
        assert_eq!(saved.files.iter().map(|file| file.written).collect::<Vec<_>>(), [false, true]);
        let saved = push(&session, &["/tmp/chart.png", "~/x", "../../../tmp/f"]).await;
        assert_eq!(names(&saved), ["code-interpreter/chart.png", "code-interpreter/x", "code-interpreter/f"]);
        assert_eq!(text(&files, "code-interpreter/chart.png").await.unwrap(), "/tmp/chart.png");
        run(&session, "open('late', 'w').write('late')").await.ok();
        assert_eq!(names(&push(&session, &[]).await), ["code-interpreter/deep/late"]);
        stop(&session).await;
        // What was saved from elsewhere is in the working directory of the next one.
        let next = open(bench, &files).await;
        assert_eq!(shell(&next, "cat chart.png x").await.ok().stdout(), "/tmp/chart.png/home/user/x");
        stop(&next).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_said_with_what_is() {
    with(COLD, async |bench| {
        let files = workspace(bench);
        let session = open(bench, &files).await;
        shell(&session, "mkdir empty /tmp/dir; touch Chart.png chart.svg notes.txt; mkfifo /tmp/fifo")
            .await
            .ok();
        let wanted = [
            "chart.png",
            "empty",
            "*.png",
            "none/x",
            "/tmp/x",
            "/tmp/dir",
            "/tmp/fifo",
            "/proc/self/mem",
            "/",
        ];
        let saved = push(&session, &wanted).await;
        assert_eq!(names(&saved), Vec::<&str>::new());
        let reasons = reasons(&saved);
        let expected = [
            "chart.png: there is no such file; in `/mnt/workspace` there is `Chart.png`, `chart.svg`",
            "empty: it is an empty directory",
            "*.png: there is no such file, and nothing of a similar name in `/mnt/workspace`",
            "none/x: there is no such file, and no directory `/mnt/workspace/none`",
            "/tmp/x: there is no such file, and nothing of a similar name in `/tmp`",
            "/tmp/dir: it is a directory outside the workspace, of which files are saved one by one",
            "/tmp/fifo: it is not a regular file",
            "/proc/self/mem: it belongs to the kernel, and is no file that is kept",
        ];
        for expected in expected {
            assert!(reasons.iter().any(|reason| reason == expected), "{expected} is not in {reasons:#?}");
        }
        assert_eq!(reasons.len(), wanted.len(), "{reasons:#?}");
        stop(&session).await;
        let alone = open_as(bench, SessionOptions::default()).await;
        assert!(matches!(alone.push(Vec::new()).await, Err(Error::NoWorkspace)));
        stop(&alone).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_runs_waits_for_it() {
    with(BARE, async |bench| {
        let files = workspace(bench);
        let session = open(bench, &files).await;
        run(&session, "open('large', 'wb').write(b'x' * (64 << 20))").await.ok();
        let mut call =
            start(&session, "import time\nfor n in range(10_000): print(n, flush=True); time.sleep(0.01)");
        printed(&mut call).await;
        let (one, two) = (push(&session, &["large"]), push(&session, &[]));
        let printing = async {
            for _ in 0..3 {
                printed(&mut call).await;
            }
        };
        let (one, two, ()) = tokio::join!(one, two, printing);
        assert_eq!(one.files.len() + two.files.len(), 1 + usize::from(!two.files.is_empty()));
        assert_eq!(get(&files, "code-interpreter/large").await.unwrap().len(), 64 << 20);
        session.interrupt(call.id());
        within("end", call.report()).await;
        stop(&session).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_done_or_it_says_that_it_is_not() {
    with(COLD, async |bench| {
        let store = session::workspace::Store::local(&bench.data.join("workspaces")).unwrap();
        for round in 0..8 {
            let files = store.workspace("local", &WorkspaceName::parse(&format!("w{round}")).unwrap());
            let session = open(bench, &files).await;
            shell(&session, "head -c 1000000 /dev/zero > a; head -c 10 /dev/zero > /tmp/b").await.ok();
            let (pushed, elsewhere, stopped) = tokio::join!(
                within("push", session.push(vec!["/mnt/workspace/a".into()])),
                within("push", session.push(vec!["/tmp/b".into()])),
                within("stop", async {
                    tokio::time::sleep(std::time::Duration::from_micros(200 * round)).await;
                    session.stop().await
                }),
            );
            stopped.unwrap();
            for pushed in [&pushed, &elsewhere] {
                assert!(matches!(pushed, Ok(_) | Err(Error::Ended)), "{pushed:?}");
            }
            if let Ok(saved) = &pushed {
                assert_eq!(names(saved), ["code-interpreter/a"], "{saved:?}");
            }
            if let Ok(saved) = &elsewhere {
                assert_eq!(names(saved), ["code-interpreter/b"], "{saved:?}");
                assert_eq!(get(&files, "code-interpreter/b").await.unwrap().len(), 10);
            }
            assert_eq!(get(&files, "code-interpreter/a").await.unwrap().len(), 1_000_000);
        }
    })
    .await;
}

/// Waits until something more is printed.
async fn printed(call: &mut Call) {
    while !matches!(within("print", call.next()).await.expect("it goes on"), Event::Stdout(_)) {}
}
