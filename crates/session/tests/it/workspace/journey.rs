//! Files come, go and stay.

use std::path::PathBuf;

use super::{get, open, put, workspace};
use crate::kit::{BARE, print, run, shell, with, within};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_comes_before_code_and_what_code_made_stays() {
    with(BARE, async |bench| {
        let files = workspace(bench);
        put(&files, "uploads/sales.csv", "a,b\n1,2\n").await;
        put(&files, "uploads/deep/er/x.bin", vec![0u8, 159, 146, 150]).await;
        put(&files, "code-interpreter/earlier.txt", "made before").await;
        put(&files, "documents/other.txt", "not for the working directory").await;
        let session = open(bench, &files).await;
        let code = "import os\nprint(open('sales.csv').read(), open('deep/er/x.bin', 'rb').read())\n\
                    print(open('earlier.txt').read(), sorted(os.listdir()))\n\
                    open('out.txt', 'w').write('a result')";
        let printed = print(&session, code).await;
        assert_eq!(
            printed,
            "a,b\n1,2\n b'\\x00\\x9f\\x92\\x96'\nmade before ['deep', 'earlier.txt', 'sales.csv']\n"
        );
        put(&files, "uploads/late.txt", "it came later").await;
        assert_eq!(shell(&session, "cat late.txt").await.ok().stdout(), "it came later");
        within("stop", session.stop()).await.unwrap();
        assert_eq!(get(&files, "code-interpreter/out.txt").await.unwrap(), b"a result");
        assert_eq!(get(&files, "uploads/sales.csv").await.unwrap(), b"a,b\n1,2\n");
        let next = open(bench, &files).await;
        assert_eq!(print(&next, "print(open('out.txt').read())").await, "a result\n");
        within("stop", next.stop()).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_durable_when_it_returns() {
    with(BARE, async |bench| {
        let files = workspace(bench);
        let session = open(bench, &files).await;
        run(&session, "open('a.txt', 'w').write('a'); open('b.txt', 'w').write('b')").await.ok();
        let saved = session.push(vec![PathBuf::from("a.txt")]).await.unwrap();
        assert_eq!(saved.files.len(), 1, "{saved:?}");
        assert_eq!(get(&files, "code-interpreter/a.txt").await.unwrap(), b"a");
        assert_eq!(get(&files, "code-interpreter/b.txt").await, None);
        session.push(Vec::new()).await.unwrap();
        assert_eq!(get(&files, "code-interpreter/b.txt").await.unwrap(), b"b");
        within("stop", session.stop()).await.unwrap();
    })
    .await;
}
