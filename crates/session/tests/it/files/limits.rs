//! Where there is no room, and content that does not come.

use std::io::{self, Read};

use session::{FileFault, Full, Left, Limits};

use super::{chain, fault_and_left, read, write};
use crate::kit::{Bench, COLD, print, with};

const LIMIT: u64 = 32 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn the_cells_disk_limit_holds_for_files_from_outside() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session_with(Limits { disk: LIMIT, ..Limits::default() }).await;
        let zeros = |mib: u64| io::repeat(0).take(mib << 20);
        write(&session, "large", "something").await;
        let failed = session.write_file("large", zeros(64)).await;
        assert_eq!(
            chain(failed.as_ref().unwrap_err()),
            "write `large`, which is empty now: the cell's disk limit of 32 MiB was reached"
        );
        let full = FileFault::NoSpace { full: Full::Cell, limit: LIMIT };
        let (fault, left) = fault_and_left(failed);
        assert_eq!((fault.to_string(), left), (full.to_string(), Left::Empty));
        assert_eq!(read(&session, "large").await.1, b"");
        // Together they are too much, and one in the place of another is not.
        session.write_file("one", zeros(20)).await.unwrap();
        for path in ["two", "/home/user/two"] {
            let (fault, left) = fault_and_left(session.write_file(path, zeros(20)).await);
            assert_eq!((fault.to_string(), left), (full.to_string(), Left::Empty));
        }
        session.write_file("one", zeros(24)).await.unwrap();
        session.remove_file("one").await.unwrap();
        session.write_file("two", zeros(24)).await.unwrap();
        // What code has written counts as well, once it is measured.
        let sizes = "import os; print(os.path.getsize('two') >> 20, os.path.getsize('/home/user/two')); os.remove('two')";
        assert_eq!(print(&session, sizes).await, "24 0\n");
        let code = "import time\nopen('three', 'wb').write(b'x' * (24 << 20)); time.sleep(1.2)";
        print(&session, code).await;
        let (fault, _) = fault_and_left(session.write_file("four", zeros(20)).await);
        assert_eq!(fault.to_string(), full.to_string());
        session.write_file("four", zeros(4)).await.unwrap();
        // Elsewhere no file may be larger than the disk limit, as it may not for code.
        let (fault, left) = fault_and_left(session.write_file("/tmp/large", zeros(33)).await);
        assert_eq!((fault.to_string(), left), (full.to_string(), Left::Empty));
        session.write_file("/tmp/large", zeros(32)).await.unwrap();
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_systems_in_memory_are_full() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session_with(Limits { memory: 256 << 20, ..Limits::default() }).await;
        for place in ["/tmp", "/dev/shm"] {
            let path = format!("{place}/large");
            let (fault, left) =
                fault_and_left(session.write_file(&path, io::repeat(1).take(160 << 20)).await);
            assert_eq!(fault.to_string(), format!("`{place}` is full: it is in memory and holds 128 MiB"));
            assert_eq!(left, Left::Empty);
            assert_eq!(read(&session, &path).await.1, b"");
            write(&session, &path, "there is room again").await;
        }
        session.stop().await.unwrap();
    })
    .await;
}

/// A client that hangs up.
struct Broken(u32);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(1).ok_or(io::ErrorKind::ConnectionReset)?;
        Ok(buffer.len())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_breaks_off_is_not_taken_for_whole() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session().await;
        for pieces in [0, 3] {
            let (fault, left) = fault_and_left(session.write_file("half", Broken(pieces)).await);
            assert!(matches!(fault, FileFault::Content(_)), "{fault:?}");
            assert_eq!(left, Left::Empty);
            assert_eq!(read(&session, "half").await.1, b"");
        }
        session.stop().await.unwrap();
    })
    .await;
}
