//! A full disk: one file that grows too large, many files, and the cell's own file systems in memory.

use session::{Full, Outcome, Survival};

use crate::kit::{Bench, COLD, run, shell, with};

use super::{assert_kept, prepared};

const LIMIT: u64 = 32 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn one_file_that_is_too_large() {
    with(COLD, async |bench: &Bench| {
        let session = prepared(bench, |limits| limits.disk = LIMIT).await;
        let code = "
with open('large', 'wb') as file:
    for n in range(64): file.write(b'x' * (1 << 20))";
        let ran = run(&session, code).await;
        assert_eq!(ran.report.outcome, Outcome::DiskFull { full: Full::Cell, limit: LIMIT }, "{ran:?}");
        assert_eq!(ran.report.outcome.to_string(), "the cell's disk limit of 32 MiB was reached");
        assert_eq!(ran.raised().0, "OSError");
        assert!(ran.raised().1.contains("File too large"), "{ran:?}");
        assert_kept(&session, &ran).await;
        let ran = shell(&session, "head -c 64M /dev/zero > also-large; exit $?").await;
        // 128 and SIGXFSZ.
        assert_eq!(ran.report.exit_status, Some(153), "{ran:?}");
        assert!(ran.stderr().contains("File size limit exceeded"), "{ran:?}");
        let tidy = run(&session, "import os; os.remove('large'); os.remove('also-large')").await.ok();
        assert_kept(&session, &tidy).await;
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_files_that_are_too_many() {
    with(COLD, async |bench: &Bench| {
        let session = prepared(bench, |limits| limits.disk = LIMIT).await;
        for directory in [".", "/home/user"] {
            let code = format!(
                "
import itertools, os, time
os.makedirs('{directory}/many', exist_ok=True)
for n in itertools.count():
    with open(f'{directory}/many/{{n}}', 'wb') as file: file.write(b'x' * (1 << 20))
    time.sleep(0.02)"
            );
            let ran = run(&session, &code).await;
            assert_eq!(ran.report.outcome, Outcome::DiskFull { full: Full::Cell, limit: LIMIT }, "{ran:?}");
            assert_eq!((ran.report.variables, ran.raised().0), (Survival::Kept, "KeyboardInterrupt"));
            assert_kept(&session, &ran).await;
            // Over its limit it may still tidy up, however long that takes.
            let tidy = format!(
                "import shutil, time; time.sleep(1.2); shutil.rmtree('{directory}/many'); time.sleep(1.2)"
            );
            let ran = run(&session, &tidy).await.ok();
            assert_kept(&session, &ran).await;
        }
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_lie_deep() {
    with(COLD, async |bench: &Bench| {
        let session = prepared(bench, |limits| limits.disk = LIMIT).await;
        let code = "
import itertools, os, time
for _ in range(300): os.mkdir('deep'); os.chdir('deep')
for n in itertools.count():
    with open(str(n), 'wb') as file: file.write(b'x' * (1 << 20))
    assert n < 400, 'nobody looks there'
    time.sleep(0.02)";
        let ran = run(&session, code).await;
        assert_eq!(ran.report.outcome, Outcome::DiskFull { full: Full::Cell, limit: LIMIT }, "{ran:?}");
        run(&session, "os.chdir('/mnt/workspace')").await;
        assert_kept(&session, &ran).await;
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_systems_in_memory() {
    with(COLD, async |bench: &Bench| {
        let session = prepared(bench, |limits| limits.memory = 256 << 20).await;
        for place in ["/tmp", "/dev/shm"] {
            // Half of the memory limit each.
            let code = format!(
                "
with open('{place}/large', 'wb') as file:
    for n in range(160): file.write(b'x' * (1 << 20))"
            );
            let ran = run(&session, &code).await;
            let full = Outcome::DiskFull { full: Full::Memory(place), limit: 128 << 20 };
            assert_eq!(ran.report.outcome, full, "{ran:?}");
            assert!(ran.raised().1.contains("No space left on device"), "{ran:?}");
            let size = run(&session, &format!("import os; size = os.stat('{place}/large').st_size; os.remove('{place}/large'); size >> 20")).await.ok();
            assert_eq!(size.value(), Some("128"));
            assert_kept(&session, &ran).await;
        }
        session.stop().await.unwrap();
    })
    .await;
}
