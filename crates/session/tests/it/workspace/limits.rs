//! Whose bytes count.

use std::io::Cursor;

use session::workspace::View;
use session::{Full, Limits, Outcome, SessionOptions};

use super::{get, open_as, options, put, stop, workspace};
use crate::kit::{BARE, run, with, within};

const LIMIT: u64 = 32 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_workspace_brought_does_not_count_and_what_code_writes_does() {
    with(BARE, async |bench| {
        let files = workspace(bench);
        for n in 0..6 {
            put(&files, &format!("uploads/{n}.bin"), vec![7; 10 << 20]).await;
        }
        let limits = Limits { disk: LIMIT, ..Limits::default() };
        let session = open_as(bench, SessionOptions { limits, ..options(&files, View::Flat) }).await;
        // Twice the limit is there, and read; it takes longer than the disk is left unmeasured.
        let code =
            "import time; print(sum(len(open(f'{n}.bin', 'rb').read()) for n in range(6))); time.sleep(2.5)";
        assert_eq!(run(&session, code).await.ok().stdout(), "62914560\n");
        let written = session.write_file("more", Cursor::new(vec![1; 8 << 20]));
        assert_eq!(within("write a file", written).await.unwrap(), 8 << 20);
        let code = "
import itertools, time
for n in itertools.count():
    with open(f'own-{n}', 'wb') as file: file.write(b'x' * (1 << 20))
    time.sleep(0.02)";
        let ran = run(&session, code).await;
        assert_eq!(ran.report.outcome, Outcome::DiskFull { full: Full::Cell, limit: LIMIT }, "{ran:?}");
        // What it made before it was stopped is kept.
        stop(&session).await;
        assert_eq!(get(&files, "code-interpreter/own-0").await.unwrap().len(), 1 << 20);
        assert_eq!(get(&files, "code-interpreter/0.bin").await, None);
    })
    .await;
}
