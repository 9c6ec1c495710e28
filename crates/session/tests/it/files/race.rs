//! Names that change their meaning while they are used.

use std::io::{Cursor, Read};
use std::time::Duration;

use session::{Error, FileFault, Session};

use crate::kit::{BARE, Bench, run, with, within};

/// How often each operation is tried.
const ROUNDS: usize = 400;

/// Swaps, as fast as it can, what two names mean, until it is told to stop; and says how often. In memory, where that
/// is fastest; relative paths start there.
const SWAP: &str = r"
import os, subprocess, sys
os.mkdir('/tmp/race'); os.chdir('/tmp/race')
os.makedirs('real', exist_ok=True); open('real/environ', 'w').write('mine'); open('plain', 'w').write('mine')
os.symlink('/proc/1', 'trap'); os.mkfifo('fifo')
os.rename('real', 'd'); os.rename('plain', 'f')
code = '''
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def exchange(one, two): libc.renameat2(-100, one, -100, two, 2)
count = 0
while not os.path.lexists('stop'):
    exchange(b'd', b'trap'); exchange(b'f', b'fifo'); count += 1
    try: os.unlink('gone'); os.symlink('/proc/self/mem', 'gone')
    except OSError: pass
open('/mnt/workspace/count', 'w').write(str(count))
'''
subprocess.Popen([sys.executable, '-c', code], start_new_session=True)";

async fn read_one(session: &Session, path: &str) -> Option<Vec<u8>> {
    match within("read in a race", session.read_file(path)).await {
        Ok(mut opened) => {
            let mut content = Vec::new();
            opened.file.read_to_end(&mut content).unwrap();
            Some(content)
        }
        Err(Error::CellFile { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_swapped_is_what_it_was_or_refused() {
    with(BARE, async |bench: &Bench| {
        let session = bench.session().await;
        run(&session, SWAP).await.ok();
        let (mut right, mut refused) = (0, 0);
        for n in 0..ROUNDS {
            for path in ["d/environ", "f"] {
                match read_one(&session, path).await {
                    Some(content) => {
                        assert!(content == b"mine" || content.is_empty(), "{path}: {content:?}");
                        right += 1;
                    }
                    None => refused += 1,
                }
            }
            let content = || Cursor::new(b"mine");
            for path in ["d/environ", "f", "gone"] {
                match within("write in a race", session.write_file(path, content())).await {
                    Ok(4) | Err(Error::CellFile { .. }) => {}
                    other => panic!("{path}: {other:?}"),
                }
            }
            let made = format!("d/made{n}/x");
            let written = within("make in a race", session.write_file(&made, content())).await;
            if let Err(Error::CellFile { fault: FileFault::System(error), .. }) = &written {
                panic!("{error}");
            }
            let _ = within("remove in a race", session.remove_file(made)).await;
            if let Ok(listing) = within("list in a race", session.list_directory("d")).await {
                assert!(listing.entries.iter().all(|entry| entry.name != "mem"), "{listing:?}");
            }
        }
        // A dying interpreter's `/proc` file would be longer; what was read is all there is.
        assert!(right > ROUNDS / 20 && refused > ROUNDS / 20, "not much of a race: {right}, {refused}");
        session.write_file("stop", std::io::empty()).await.unwrap();
        let count = bench.cell(&session).join("workspace/count");
        crate::kit::until("the swapping ends", || {
            std::fs::read_to_string(&count).is_ok_and(|count| !count.is_empty())
        })
        .await;
        let count: usize = std::fs::read_to_string(&count).unwrap().parse().unwrap();
        assert!(count > ROUNDS, "{count} swaps");
        // Its process has a moment to end before the session does.
        tokio::time::timeout(Duration::from_secs(20), session.stop()).await.unwrap().unwrap();
    })
    .await;
}
