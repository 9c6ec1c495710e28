//! Several at one workspace, and several principals.

use std::fs;

use workspace::{Error, Store, View, WorkspaceName};

use crate::{Bed, at, replace};

/// A content that shows whether it is whole, and whose: lines of four bytes.
fn content(who: usize, round: usize, size: usize) -> String {
    let line = format!("{who} {round}\n");
    line.repeat(size / line.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_last_writer_wins_with_whole_files() {
    const SIZES: [usize; 3] = [1 << 10, 300 << 10, 6 << 20];
    let bed = Bed::new();
    let whole = |text: &[u8]| text.chunks(4).all(|line| line == &text[..4]);
    let mut sessions = tokio::task::JoinSet::new();
    for who in 0..2 {
        let (copy, here) = bed.copy(&format!("here-{who}"), View::Flat);
        sessions.spawn(async move {
            for round in 0..6 {
                for (number, size) in SIZES.into_iter().enumerate() {
                    let path = here.join(format!("file-{number}"));
                    replace(&path, &content(who, round, size));
                }
                let saved = copy.save().await.unwrap();
                assert!(saved.left_out.is_empty(), "{saved:?}");
                copy.refresh().await.unwrap();
                for number in 0..SIZES.len() {
                    // The other's, or one's own: never some of each.
                    assert!(whole(&fs::read(here.join(format!("file-{number}"))).unwrap()));
                }
            }
            (copy, here)
        });
    }
    let reader = {
        let workspace = bed.workspace.clone();
        tokio::spawn(async move {
            let mut seen = 0;
            while seen < 200 {
                for number in 0..SIZES.len() {
                    let path = at(&format!("code-interpreter/file-{number}"));
                    match workspace.read(&path).await {
                        Ok(reading) => {
                            let size = reading.stored.size;
                            let bytes = reading.bytes().await.unwrap();
                            assert_eq!(bytes.len() as u64, size);
                            assert!(whole(&bytes));
                        }
                        Err(error) => assert!(matches!(error, Error::NotFound(_)), "{error}"),
                    }
                    seen += 1;
                }
            }
        })
    };
    let copies = sessions.join_all().await;
    reader.await.unwrap();
    // In the end all see what is in the store.
    for (copy, here) in &copies {
        copy.refresh().await.unwrap();
        copy.settled().await;
        for number in 0..SIZES.len() {
            let path = format!("file-{number}");
            let stored = bed.get(&format!("code-interpreter/{path}")).await;
            assert!(fs::read(here.join(path)).unwrap() == stored);
        }
    }
    assert_eq!(bed.listed().await.len(), SIZES.len());
}

#[tokio::test]
async fn anothers_workspace_is_as_absent_as_none() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::local(dir.path()).unwrap();
    let name = WorkspaceName::parse("shared").unwrap();
    let principals = ["alice", "bob", "alice/shared", "../alice", "", "alice ", "ALICE", "=616c696365"];
    for principal in principals {
        store.workspace(principal, &name).write(&at("uploads/mine"), principal.to_owned()).await.unwrap();
    }
    for principal in principals {
        let workspace = store.workspace(principal, &name);
        assert_eq!(workspace.list("").await.unwrap().len(), 1, "{principal:?}");
        let read = workspace.read(&at("uploads/mine")).await.unwrap().bytes().await.unwrap();
        assert_eq!(read, principal.as_bytes());
    }
    let (another, none) =
        (store.workspace("carol", &name), store.workspace("carol", &WorkspaceName::usual()));
    for workspace in [another, none] {
        assert!(workspace.list("").await.unwrap().is_empty());
        assert!(workspace.list("uploads").await.unwrap().is_empty());
        let refused = workspace.read(&at("uploads/mine")).await.unwrap_err();
        assert_eq!(refused.to_string(), "find `uploads/mine`: there is no such file in the workspace");
        workspace.remove(&at("uploads/mine")).await.unwrap();
    }
}
