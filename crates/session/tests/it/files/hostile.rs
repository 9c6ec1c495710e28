//! Names that lead where files are not, and cells that do not help.

use std::ffi::OsString;
use std::io::{self, Cursor, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use session::{Error, FileFault, Outcome, Session};

use super::{fault, read, write};
use crate::kit::{BARE, Bench, COLD, print, run, shell, start, with, within};

/// What is refused is refused at once.
const AT_ONCE: Duration = Duration::from_secs(5);

async fn refused_everywhere(session: &Session, path: &str, expected: &[&str]) {
    let started = Instant::now();
    let faults = [
        fault(session.read_file(path).await),
        fault(session.write_file(path, Cursor::new("content")).await),
        fault(session.list_directory(path).await),
    ];
    assert!(started.elapsed() < AT_ONCE, "{path}");
    for fault in faults {
        let name = format!("{fault:?}");
        assert!(expected.contains(&&*name) || name == "NotADirectory", "{path}: {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_is_refused_and_nothing_waits() {
    for kernels in [BARE, COLD] {
        with(kernels, async |bench: &Bench| {
            let session = bench.session().await;
            let code = "
import os, socket
os.mkfifo('fifo'); listener = socket.socket(socket.AF_UNIX); listener.bind('socket'); listener.listen()
for n, path in enumerate(['fifo', 'socket', '/dev/null', '/dev/zero', '/dev/ptmx', '/proc/self/mem', '/proc/1/environ', '/proc/1/root/etc/passwd', '/proc/self/fd/0', '/dev/stdin', '/proc/self/cwd/x', '/proc']):
    os.symlink(path, f'link{n}'); os.symlink(f'link{n}', f'again{n}')";
            run(&session, code).await.ok();
            let special: &[&str] = &["Special"];
            let kernels: &[&str] = &["OfTheKernel"];
            // The kernel's own links, which lead past everything else.
            let magic: &[&str] = &["Links", "PermissionDenied"];
            let names = [
                ("fifo", special),
                ("socket", special),
                ("/dev/null", special),
                ("/dev/zero", special),
                ("/dev/ptmx", &["Special", "OfTheKernel"]),
                ("/proc/self/mem", kernels),
                ("/proc/1/environ", kernels),
                ("/proc/1/root/etc/passwd", magic),
                ("/proc/self/fd/0", &["Links", "PermissionDenied", "NotFound"]),
                ("/dev/stdin", &["Links", "PermissionDenied", "NotFound", "OfTheKernel"]),
                ("/proc/self/cwd/x", magic),
                ("/proc", &["OfTheKernel"]),
            ];
            for (n, (path, expected)) in names.into_iter().enumerate() {
                refused_everywhere(&session, path, expected).await;
                refused_everywhere(&session, &format!("again{n}"), expected).await;
            }
            let more = ["/proc/self/environ", "/proc/self/maps", "/proc/kcore", "/proc/self/attr/current"];
            for path in more.into_iter().chain(["/proc/self/oom_score_adj", "/proc/sys/kernel/core_pattern"]) {
                fault(session.read_file(path).await);
                fault(session.write_file(path, Cursor::new("0")).await);
                fault(session.remove_file(path).await);
            }
            fault(session.write_file("/proc/new", io::empty()).await);
            fault(session.write_file("/proc/self/new/x", io::empty()).await);
            // The links themselves can go.
            session.remove_file("link0").await.unwrap();
            session.remove_file("fifo").await.unwrap();
            session.stop().await.unwrap();
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_every_kind() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session().await;
        let path = |bytes: &[u8]| PathBuf::from(OsString::from_vec(bytes.to_vec()));
        for (bytes, expected) in [
            (vec![b'x'; 5000], "NameTooLong"),
            ([b"/mnt/workspace/".as_slice(), &[b'x'; 300]].concat(), "NameTooLong"),
            (b"a/".repeat(2047), "IsADirectory"),
            (b"zero\0byte".to_vec(), "InvalidPath"),
            (Vec::new(), "InvalidPath"),
            (b"new/".to_vec(), "IsADirectory"),
            (b"/".to_vec(), "IsADirectory"),
            (b"missing/..".to_vec(), "NotFound"),
        ] {
            let written = fault(session.write_file(path(&bytes), io::empty()).await);
            assert_eq!(format!("{written:?}"), expected);
            fault(session.read_file(path(&bytes)).await);
            fault(session.remove_file(path(&bytes)).await);
        }
        for name in [&b"a\nb"[..], b"\xff\xfe\x80", b" ", b"-rf", b"\x1b[31m", &[b'y'; 255]] {
            session.write_file(path(name), Cursor::new(name.to_vec())).await.unwrap();
            let mut content = Vec::new();
            session.read_file(path(name)).await.unwrap().file.read_to_end(&mut content).unwrap();
            assert_eq!(content, name);
            session.remove_file(path(name)).await.unwrap();
        }
        // As deep as a path is long.
        let deep = [b"d/".repeat(2000).as_slice(), b"file"].concat();
        let made = session.write_file(path(&deep), Cursor::new("deep")).await;
        if made.is_ok() {
            assert!(session.read_file(path(&deep)).await.is_ok());
        }
        assert_eq!(print(&session, "print('on')").await, "on\n");
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_user_may_not_do() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session().await;
        let code = "
import os
os.makedirs('shut/in'); open('shut/file', 'w').close(); open('secret', 'w').close(); open('fixed', 'w').write('fixed')
os.chmod('shut', 0); os.chmod('secret', 0); os.chmod('fixed', 0o444)";
        run(&session, code).await.ok();
        for path in ["shut/file", "shut/new", "shut/new/file", "secret"] {
            for fault in [
                fault(session.read_file(path).await),
                fault(session.write_file(path, io::empty()).await),
            ] {
                assert!(matches!(fault, FileFault::PermissionDenied), "{path}: {fault:?}");
            }
        }
        assert!(matches!(fault(session.list_directory("shut").await), FileFault::PermissionDenied));
        assert!(matches!(fault(session.remove_file("shut/file").await), FileFault::PermissionDenied));
        assert!(matches!(fault(session.write_file("fixed", io::empty()).await), FileFault::PermissionDenied));
        assert_eq!(read(&session, "fixed").await.1, b"fixed");
        for path in ["/usr/x", "/opt/cellblock/env/x", "/etc/x", "/usr/new/x", "/etc/passwd"] {
            let fault = fault(session.write_file(path, io::empty()).await);
            assert!(matches!(fault, FileFault::ReadOnly | FileFault::PermissionDenied), "{path}: {fault:?}");
        }
        assert!(!read(&session, "/opt/cellblock/env/bin/python").await.1.is_empty());
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_holds_a_lease_makes_nobody_wait() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session().await;
        let code = "
import fcntl, signal
signal.signal(signal.SIGIO, signal.SIG_IGN)
held = open('held', 'w'); fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK)";
        run(&session, code).await.ok();
        let started = Instant::now();
        assert!(matches!(fault(session.read_file("held").await), FileFault::Busy));
        assert!(matches!(fault(session.write_file("held", io::empty()).await), FileFault::Busy));
        write(&session, "other", "not held").await;
        assert!(started.elapsed() < AT_ONCE);
        session.remove_file("held").await.unwrap();
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interpreter_that_is_stopped_or_dead_is_not_needed() {
    for kernels in [BARE, COLD] {
        with(kernels, async |bench: &Bench| {
            let session = bench.session().await;
            let pid = print(&session, "import os; os.chdir('/tmp'); print(os.getpid())").await;
            shell(&session, &format!("kill -STOP {pid}")).await.ok();
            write(&session, "x", "stopped").await;
            assert_eq!(read(&session, "x").await, ("/tmp/x".into(), "stopped".into()));
            shell(&session, &format!("kill -KILL {pid}")).await.ok();
            write(&session, "/mnt/workspace/y", "dead").await;
            // Until its end is noticed, a call may still come to it.
            session.clear(session::Language::Python).await.unwrap();
            let ran = run(&session, "import os; os.getcwd()").await.ok();
            assert_eq!(ran.value(), Some("'/mnt/workspace'"));
            assert_eq!(read(&session, "y").await, ("/mnt/workspace/y".into(), "dead".into()));
            session.stop().await.unwrap();
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_at_once_beside_a_busy_interpreter() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session().await;
        let busy = start(
            &session,
            "import time\nprint('busy', flush=True)\nwhile not __import__('os').path.exists('stop'): pass",
        );
        let mut all = tokio::task::JoinSet::new();
        for n in 0..50_u8 {
            let session = session.clone();
            all.spawn(async move {
                let (path, content) = (format!("d{}/file{n}", n % 7), vec![n; 300_000]);
                write(&session, &path, &content).await;
                assert_eq!(read(&session, &path).await.1, content);
                session.list_directory(format!("d{}", n % 7)).await.unwrap();
                session.remove_file(path).await.unwrap();
            });
        }
        within("finish all", async {
            while let Some(done) = all.join_next().await {
                done.unwrap();
            }
        })
        .await;
        write(&session, "stop", "").await;
        let (_, report) = within("stop", busy.collect()).await;
        assert_eq!(report.outcome, Outcome::Ok);
        session.stop().await.unwrap();
    })
    .await;
}

/// Content that comes when the test wants it to.
struct Slow(mpsc::Receiver<Vec<u8>>);

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Ok(piece) = self.0.recv() else { return Ok(0) };
        buffer[..piece.len()].copy_from_slice(&piece);
        Ok(piece.len())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_in_the_middle() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session().await;
        write(&session, "read", vec![7; 1 << 20]).await;
        let mut opened = session.read_file("read").await.unwrap();
        let (pieces, content) = mpsc::channel();
        let writer = tokio::spawn({
            let session = session.clone();
            async move { session.write_file("written", Slow(content)).await }
        });
        pieces.send(vec![1; 1000]).unwrap();
        let written = bench.cell(&session).join("workspace/written");
        crate::kit::until("the file begins", || written.metadata().is_ok_and(|file| file.len() == 1000))
            .await;
        // One that reads slowly holds up nobody but itself.
        write(&session, "other", "meanwhile").await;
        within("stop", session.stop()).await.unwrap();
        pieces.send(vec![2; 1000]).unwrap();
        drop(pieces);
        assert!(matches!(writer.await.unwrap(), Err(Error::Ended)));
        let mut content = Vec::new();
        opened.file.read_to_end(&mut content).unwrap();
        assert_eq!(content, vec![7; 1 << 20]);
        for ended in [
            session.read_file("read").await.map(|_| ()),
            session.write_file("x", io::empty()).await.map(|_| ()),
            session.list_directory(".").await.map(|_| ()),
            session.remove_file("read").await,
        ] {
            assert!(matches!(ended, Err(Error::Ended)), "{ended:?}");
        }
    })
    .await;
}
