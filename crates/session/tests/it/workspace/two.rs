//! Two sessions on one workspace.

use std::sync::Arc;

use super::{get, open, push, stop, text, workspace};
use crate::kit::{BARE, print, run, shell, with, within};

#[tokio::test(flavor = "multi_thread")]
async fn one_sees_what_the_other_pushed_and_the_last_writer_wins() {
    with(BARE, async |bench| {
        let files = workspace(bench);
        let (a, b) = (open(bench, &files).await, open(bench, &files).await);
        run(&a, "open('shared', 'w').write('of a'); open('only-a', 'w').write('a')").await.ok();
        push(&a, &[]).await;
        assert_eq!(print(&b, "print(open('shared').read())").await, "of a\n");
        run(&b, "open('shared', 'w').write('of b')").await.ok();
        push(&b, &["shared"]).await;
        assert_eq!(text(&files, "code-interpreter/shared").await.unwrap(), "of b");
        // Which the other one gets, because it has not changed it since.
        assert_eq!(print(&a, "print(open('shared').read())").await, "of b\n");
        run(&b, "open('shared', 'w').write('of b again')").await.ok();
        run(&a, "open('shared', 'w').write('of a, the last')").await.ok();
        stop(&b).await;
        stop(&a).await;
        assert_eq!(text(&files, "code-interpreter/shared").await.unwrap(), "of a, the last");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_writes_at_the_same_time_there_are_only_whole_files() {
    with(BARE, async |bench| {
        let files = workspace(bench);
        let sessions = Arc::new([open(bench, &files).await, open(bench, &files).await]);
        let length = 3 << 20;
        let mut writers = tokio::task::JoinSet::new();
        for which in 0..2 {
            let sessions = sessions.clone();
            writers.spawn(async move {
                for round in 0..12 {
                    let byte = b'a' + which * 12 + round;
                    let line = format!("head -c {length} /dev/zero | tr '\\0' '{}' > x", byte as char);
                    shell(&sessions[usize::from(which)], &line).await.ok();
                    push(&sessions[usize::from(which)], &["/mnt/workspace/x"]).await;
                }
            });
        }
        let mut seen = 0;
        while !writers.is_empty() {
            if let Some(done) = writers.try_join_next() {
                done.unwrap();
            }
            if let Some(content) = get(&files, "code-interpreter/x").await {
                assert_eq!(content.len(), length);
                assert!(content.iter().all(|byte| *byte == content[0]), "a half file");
                seen += 1;
            }
            tokio::task::yield_now().await;
        }
        assert!(seen > 0);
        for session in sessions.iter() {
            within("stop", session.stop()).await.unwrap();
        }
        let left = get(&files, "code-interpreter/x").await.unwrap();
        assert!(left.len() == length && left.iter().all(|byte| *byte == left[0]));
    })
    .await;
}
