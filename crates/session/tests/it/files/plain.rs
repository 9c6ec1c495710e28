//! What clients do.

use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, SystemTime};

use session::{EntryKind, FileFault};

use super::{chain, fault, read, write};
use crate::kit::{BARE, Bench, COLD, print, run, shell, with};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_read_and_is_the_users() {
    with(BARE, async |bench: &Bench| {
        let session = bench.session().await;
        // No interpreter has run yet.
        write(&session, "text.txt", "grün\n").await;
        let all: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        write(&session, "a/b/c/all.bin", &all).await;
        assert_eq!(read(&session, "text.txt").await, ("/mnt/workspace/text.txt".into(), "grün\n".into()));
        assert_eq!(read(&session, "./a/../a/b//c/all.bin").await, ("/mnt/workspace/a/b/c/all.bin".into(), all));
        let code = "
import os, shutil
os.umask(0o077)
for path in ('text.txt', 'a', 'a/b/c', 'a/b/c/all.bin'):
    stat = os.stat(path)
    print(stat.st_uid == os.getuid(), stat.st_gid == os.getgid(), oct(stat.st_mode & 0o7777))
print(open('text.txt').read(), end='')
open('text.txt', 'a').write('and more, from inside')
shutil.rmtree('a')";
        let own = |mode| format!("True True {mode}\n");
        let expected = [own("0o644"), own("0o755"), own("0o755"), own("0o644")].concat() + "grün\n";
        assert_eq!(print(&session, code).await, expected);
        assert_eq!(read(&session, "text.txt").await.1, "grün\nand more, from inside".as_bytes());
        // What is written again is what was written last, in the same file with the same mode.
        run(&session, "os.chmod('text.txt', 0o600); before = os.stat('text.txt').st_ino").await.ok();
        write(&session, "text.txt", "short").await;
        write(&session, "empty", "").await;
        let code = "print(open('text.txt').read(), os.stat('text.txt').st_ino == before, oct(os.stat('text.txt').st_mode), os.path.getsize('empty'))";
        assert_eq!(print(&session, code).await, "short True 0o100600 0\n");
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everywhere_in_the_cell() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session().await;
        for path in ["/tmp/x", "/dev/shm/x", "/home/user/x", "/mnt/workspace/x", "/tmp/made/by/us/x"] {
            write(&session, path, path).await;
            assert_eq!(read(&session, path).await, (path.to_owned(), path.into()));
            let look = format!("import os; print(open('{path}').read(), os.stat('{path}').st_uid == os.getuid()); os.remove('{path}')");
            assert_eq!(print(&session, &look).await, format!("{path} True\n"));
            assert!(matches!(fault(session.read_file(path).await), FileFault::NotFound));
        }
        // Up from the root is the root, and it is the cell's.
        for path in ["/etc/passwd", "/../../../../etc/passwd", "../../../../../etc/passwd"] {
            let passwd = String::from_utf8(read(&session, path).await.1).unwrap();
            assert!(passwd.contains("user:x:1000:") && !passwd.contains("daemon:"), "{passwd}");
        }
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn relative_paths_and_commands_start_where_the_code_went() {
    for kernels in [BARE, COLD] {
        with(kernels, async |bench: &Bench| {
            let session = bench.session().await;
            assert_eq!(shell(&session, "pwd").await.ok().stdout(), "/mnt/workspace\n");
            run(&session, "import os; os.makedirs('/tmp/there/below'); os.chdir('/tmp/there')").await.ok();
            write(&session, "x", "there").await;
            assert_eq!(read(&session, "below/../x").await, ("/tmp/there/x".into(), "there".into()));
            assert_eq!(session.list_directory(".").await.unwrap().path, Path::new("/tmp/there"));
            assert_eq!(shell(&session, "pwd; cat x").await.ok().stdout(), "/tmp/there\nthere");
            session.remove_file("x").await.unwrap();
            // A directory that is gone.
            run(&session, "import shutil; shutil.rmtree('/tmp/there')").await.ok();
            write(&session, "y", "workspace").await;
            assert_eq!(read(&session, "y").await.0, "/mnt/workspace/y");
            assert_eq!(shell(&session, "pwd; cat y").await.ok().stdout(), "/mnt/workspace\nworkspace");
            // One that cannot be entered.
            run(&session, "os.makedirs('/tmp/shut'); os.chdir('/tmp/shut'); os.chmod('.', 0)").await.ok();
            assert!(matches!(fault(session.read_file("y").await), FileFault::PermissionDenied));
            assert_eq!(shell(&session, "pwd").await.ok().stdout(), "/mnt/workspace\n");
            // A process that hides where it is.
            let hide = "import ctypes; os.chdir('/home/user'); ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)";
            run(&session, hide).await.ok();
            assert_eq!(read(&session, "y").await.0, "/mnt/workspace/y");
            // A fresh interpreter.
            session.clear(session::Language::Python).await.unwrap();
            assert_eq!(shell(&session, "pwd").await.ok().stdout(), "/mnt/workspace\n");
            assert_eq!(read(&session, "y").await.0, "/mnt/workspace/y");
            session.stop().await.unwrap();
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_are_listed() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session().await;
        let code = "
import os, socket
os.makedirs('d/sub'); open('d/file', 'w').write('12345'); os.symlink('/etc/passwd', 'd/link'); os.symlink('nowhere', 'd/dangling')
os.mkfifo('d/fifo'); socket.socket(socket.AF_UNIX).bind('d/socket'); open(b'd/\\xff\\n\"', 'w').close()
os.utime('d/file', (0, 1234567890)); os.symlink('d', 'to-d')";
        run(&session, code).await.ok();
        for path in ["d", "/mnt/workspace/d/", "to-d"] {
            let mut listing = session.list_directory(path).await.unwrap();
            assert_eq!((listing.path.as_path(), listing.cut), (Path::new("/mnt/workspace/d"), false));
            listing.entries.sort_by(|a, b| a.name.cmp(&b.name));
            let found: Vec<_> =
                listing.entries.iter().map(|entry| (entry.name.as_encoded_bytes(), entry.kind.clone())).collect();
            let expected: [(&[u8], EntryKind); 7] = [
                (b"dangling", EntryKind::Link("nowhere".into())),
                (b"fifo", EntryKind::Special),
                (b"file", EntryKind::File),
                (b"link", EntryKind::Link("/etc/passwd".into())),
                (b"socket", EntryKind::Special),
                (b"sub", EntryKind::Directory),
                (b"\xff\n\"", EntryKind::File),
            ];
            assert_eq!(found, expected);
            assert_eq!(listing.entries[2].size, 5);
            assert_eq!(
                listing.entries[2].modified,
                SystemTime::UNIX_EPOCH + Duration::from_secs(1_234_567_890)
            );
        }
        assert!(matches!(fault(session.list_directory("d/file").await), FileFault::NotADirectory));
        assert!(matches!(fault(session.list_directory("missing").await), FileFault::NotFound));
        let root = session.list_directory("/").await.unwrap();
        assert!(root.entries.iter().any(|entry| entry.name == "mnt"), "{root:?}");
        // More than is told, and that is said: 16 MiB of names and of what links say.
        let code = "os.mkdir('many')\nfor n in range(4200): os.symlink('x' * 4094, f'many/{n}')";
        run(&session, code).await.ok();
        let many = session.list_directory("many").await.unwrap();
        assert!(many.cut && (4000..4200).contains(&many.entries.len()), "{}", many.entries.len());
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_removed_and_full_directories_are_not() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session().await;
        let code = "
import os
os.makedirs('full/empty'); open('full/file', 'w').close(); open('kept', 'w').close()
os.symlink('../kept', 'full/link'); os.symlink('full', 'to-full'); os.mkfifo('full/fifo')";
        run(&session, code).await.ok();
        assert!(matches!(fault(session.remove_file("full").await), FileFault::NotEmpty));
        assert!(matches!(fault(session.remove_file("to-full/").await), FileFault::NotADirectory));
        assert!(matches!(fault(session.remove_file("full/file/").await), FileFault::NotADirectory));
        assert!(matches!(fault(session.remove_file("/usr/bin/env").await), FileFault::ReadOnly));
        for path in [".", "..", "full/.", "full/empty/..", "/", "/tmp", "/proc", "/mnt/workspace"] {
            fault(session.remove_file(path).await);
        }
        for path in ["full/file", "to-full/link", "full/fifo", "full/empty", "full/", "to-full"] {
            session.remove_file(path).await.unwrap_or_else(|error| panic!("{path}: {}", chain(&error)));
            assert!(matches!(fault(session.remove_file(path).await), FileFault::NotFound), "{path}");
        }
        assert_eq!(print(&session, "print(os.listdir())").await, "['kept']\n");
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_followed_as_programs_do() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session().await;
        let code = "
import os
os.makedirs('real'); os.symlink('real', 'd'); os.symlink('/tmp/target', 'dangling'); os.symlink('real/x', 'x')
os.symlink('a', 'b'); os.symlink('b', 'a')";
        run(&session, code).await.ok();
        write(&session, "d/x", "1").await;
        assert_eq!(read(&session, "x").await, ("/mnt/workspace/real/x".into(), "1".into()));
        write(&session, "dangling", "made where it leads").await;
        assert_eq!(read(&session, "/tmp/target").await.1, b"made where it leads");
        for path in ["a", "a/x"] {
            assert!(matches!(fault(session.read_file(path).await), FileFault::Links));
            assert!(matches!(fault(session.write_file(path, io::empty()).await), FileFault::Links));
            assert!(matches!(fault(session.list_directory(path).await), FileFault::Links));
        }
        session.stop().await.unwrap();
    })
    .await;
}

mod alone {
    use super::*;

    const LARGE: u64 = 100 << 20;

    /// The most memory that this process has used since it was last asked, bytes.
    fn peak() -> u64 {
        let text = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        kib << 10
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn large_files_cost_no_memory() {
        crate::kit::alone(COLD, async |bench: &Bench| {
            let session = bench.session().await;
            print(&session, "print(1)").await;
            peak();
            let before = peak();
            assert_eq!(session.write_file("large", Numbers(0).take(LARGE)).await.unwrap(), LARGE);
            let opened = session.read_file("large").await.unwrap();
            assert_eq!(opened.size, LARGE);
            let same = tokio::task::spawn_blocking(move || {
                let mut file = io::BufReader::new(opened.file);
                let mut piece = [0; 8];
                (1..=LARGE / 8).all(|n| file.read_exact(&mut piece).is_ok() && piece == n.to_le_bytes())
            });
            assert!(same.await.unwrap());
            let used = peak().saturating_sub(before);
            assert!(used < 16 << 20, "{used} bytes");
            session.stop().await.unwrap();
        })
        .await;
    }

    /// Numbers without end, 8 bytes each.
    struct Numbers(u64);

    impl Read for Numbers {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            for piece in buffer.chunks_exact_mut(8) {
                self.0 += 1;
                piece.copy_from_slice(&self.0.to_le_bytes());
            }
            Ok(buffer.len() / 8 * 8)
        }
    }
}
