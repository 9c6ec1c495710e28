//! What is no file is left out, and that is said; nothing of it is followed, opened or waited for.

use super::{names, open, push, reasons, workspace};
use crate::kit::{BARE, run, with};

#[tokio::test(flavor = "multi_thread")]
async fn links_sockets_fifos_and_devices_are_left_out() {
    with(BARE, async |bench| {
        let files = workspace(bench);
        let session = open(bench, &files).await;
        let code = "
import os, socket
open('plain', 'w').write('plain')
os.symlink('/etc/passwd', 'link'); os.symlink('plain', 'short'); os.symlink('/etc', 'way')
os.mkfifo('fifo')
listener = socket.socket(socket.AF_UNIX); listener.bind('socket')
os.makedirs('closed'); open('closed/in', 'w').write('x')
open(b'not-\\xff-text', 'w').write('x'); open('a#1', 'w').write('x'); open('line\\nfeed', 'w').write('x')
try: os.mknod('device', 0o600 | 0o20000, os.makedev(1, 3)); print('made')
except OSError: pass";
        run(&session, code).await.ok();
        let saved = push(&session, &[]).await;
        assert_eq!(names(&saved), ["code-interpreter/closed/in", "code-interpreter/plain"]);
        let reasons = reasons(&saved);
        for expected in
            ["link: it is a link", "way: it is a link", "fifo: it is not a file", "socket: it is not a file"]
        {
            assert!(reasons.iter().any(|reason| reason == expected), "{expected} is not in {reasons:#?}");
        }
        for refused in ["a#1: ", "line\nfeed: ", "not-\u{fffd}-text: "] {
            assert!(
                reasons.iter().any(|reason| reason.starts_with(refused)),
                "{refused} is not in {reasons:#?}"
            );
        }
        let named = push(&session, &["link", "way/passwd", "fifo"]).await;
        assert_eq!((names(&named).len(), named.left_out.len()), (0, 3), "{named:?}");
        // None of it keeps the session from its end. Of files that the store has no name for nothing is lost.
        match session.stop().await {
            Err(session::Error::Unsaved { aside, .. }) => {
                let kept = crate::kit::left::names(&aside.unwrap().join("workspace"));
                assert_eq!(kept.len(), 3, "{kept:?}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(files.list("").await.unwrap().len(), 2);
    })
    .await;
}
