//! Files come, go and stay.

use std::io::Read;

use session::Outcome;
use session::workspace::View;

use super::{get, open, open_as, options, put, stop, text, workspace};
use crate::kit::{BARE, COLD, print, run, shell, start, with, within};

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
                    open('out.txt', 'w').write('a result'); open('out.bin', 'wb').write(bytes(range(256)))";
        assert_eq!(
            print(&session, code).await,
            "a,b\n1,2\n b'\\x00\\x9f\\x92\\x96'\nmade before ['deep', 'earlier.txt', 'sales.csv']\n"
        );
        stop(&session).await;
        assert_eq!(text(&files, "code-interpreter/out.txt").await.unwrap(), "a result");
        assert_eq!(text(&files, "uploads/sales.csv").await.unwrap(), "a,b\n1,2\n");
        assert_eq!(text(&files, "code-interpreter/sales.csv").await, None, "it was not changed");
        let next = open(bench, &files).await;
        let code = "print(open('out.txt').read(), open('out.bin', 'rb').read() == bytes(range(256)))";
        assert_eq!(print(&next, code).await, "a result True\n");
        stop(&next).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_later_is_there_at_the_next_call_and_overwrites_nothing() {
    with(BARE, async |bench| {
        let files = workspace(bench);
        put(&files, "uploads/data.csv", "one").await;
        put(&files, "uploads/mine.csv", "one").await;
        let session = open(bench, &files).await;
        run(&session, "open('mine.csv', 'w').write('changed')").await.ok();
        put(&files, "uploads/data.csv", "two").await;
        put(&files, "uploads/mine.csv", "two").await;
        put(&files, "uploads/late.csv", "late").await;
        let ran = shell(&session, "cat data.csv mine.csv late.csv").await.ok();
        assert_eq!(ran.stdout(), "twochangedlate");
        let notice = "`mine.csv` arrived in uploads/; the one here was changed by this session and stays";
        assert_eq!(ran.notices(), [notice]);
        put(&files, "uploads/by-file.csv", "for an operation").await;
        let mut opened = within("read a file", session.read_file("by-file.csv")).await.unwrap();
        let mut read = String::new();
        opened.file.read_to_string(&mut read).unwrap();
        assert_eq!(read, "for an operation");
        assert!(run(&session, "1").await.ok().notices().is_empty(), "it was told");
        stop(&session).await;
        assert_eq!(text(&files, "uploads/mine.csv").await.unwrap(), "two");
        assert_eq!(text(&files, "code-interpreter/mine.csv").await.unwrap(), "changed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_keep_their_order_while_files_are_brought() {
    with(BARE, async |bench| {
        let files = workspace(bench);
        for n in 0..300 {
            put(&files, &format!("uploads/{n}.txt"), "x").await;
        }
        let session = open(bench, &files).await;
        // None of these waits for the one before it to end before it is sent.
        let calls: Vec<_> = (0..20).map(|n| start(&session, &format!("print({n})"))).collect();
        let taken_back = start(&session, "print('never')");
        session.interrupt(taken_back.id());
        let mut printed = String::new();
        for call in calls {
            printed += &crate::kit::Ran::of(call).await.ok().stdout();
        }
        assert_eq!(printed, (0..20).map(|n| format!("{n}\n")).collect::<String>());
        let report = within("end the call", taken_back.report()).await;
        assert!(matches!(report.outcome, Outcome::Interrupted { .. }), "{report:?}");
        stop(&session).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_while_files_are_brought_and_the_session_ends_is_told_so() {
    with(COLD, async |bench| {
        let files = workspace(bench);
        for n in 0..300 {
            put(&files, &format!("uploads/{n}.txt"), "x").await;
        }
        let session = open(bench, &files).await;
        let call = start(&session, "print('never')");
        stop(&session).await;
        assert_eq!(within("end the call", call.report()).await.outcome, Outcome::SessionEnded);
        assert_eq!(files.list("uploads").await.unwrap().len(), 300);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_files_are_read_whole_by_programs_and_by_operations() {
    with(COLD, async |bench| {
        let files = workspace(bench);
        let large: Vec<u8> = (0..8 << 20).map(|n: u32| (n % 251) as u8).collect();
        for n in 0..8 {
            put(&files, &format!("uploads/{n}.bin"), large.clone()).await;
        }
        let session = open(bench, &files).await;
        for name in ["7.bin", "3.bin"] {
            let mut opened = within("read a file", session.read_file(name)).await.unwrap();
            let mut content = Vec::new();
            opened.file.read_to_end(&mut content).unwrap();
            assert!(content == large, "{name} has {} bytes", content.len());
        }
        let sums = shell(&session, "cksum *.bin | cut -d' ' -f1,2 | sort -u | wc -l").await.ok();
        assert_eq!(sums.stdout().trim(), "1");
        stop(&session).await;
        assert_eq!(files.list("code-interpreter").await.unwrap(), []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_workspace_follows_the_directory() {
    with(COLD, async |bench| {
        let files = workspace(bench);
        put(&files, "uploads/a.txt", "a").await;
        put(&files, "notes/b.txt", "b").await;
        let session = open_as(bench, options(&files, View::Whole)).await;
        let line = "cat uploads/a.txt notes/b.txt && rm notes/b.txt && echo -n c > c.txt";
        assert_eq!(shell(&session, line).await.ok().stdout(), "ab");
        stop(&session).await;
        assert_eq!(get(&files, "notes/b.txt").await, None);
        assert_eq!(text(&files, "c.txt").await.unwrap(), "c");
        assert_eq!(text(&files, "uploads/a.txt").await.unwrap(), "a");
    })
    .await;
}
