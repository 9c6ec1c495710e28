//! More output than is passed on: cut, counted, and kept in a file.

use std::io::Read;

use session::{Event, Outcome, Session};

use crate::kit::{BARE, Bench, Ran, run, shell, with};

use super::{assert_kept, prepared};

const LIMIT: u64 = 100_000;

async fn content(session: &Session, name: &str) -> String {
    let mut text = String::new();
    session.open_file(name).await.unwrap().read_to_string(&mut text).unwrap();
    text
}

fn file_of(ran: &Ran, expected: u64) -> &str {
    let Outcome::TooMuchOutput { limit, written, file: Some(file) } = &ran.report.outcome else {
        panic!("{:?}", ran.report)
    };
    assert_eq!((*limit, *written, ran.report.written), (LIMIT, expected, expected));
    let passed: usize = ran
        .events
        .iter()
        .map(|event| if let Event::Stdout(bytes) | Event::Stderr(bytes) = event { bytes.len() } else { 0 })
        .sum();
    assert_eq!(passed as u64, LIMIT);
    let text = ran.report.outcome.to_string();
    let told = format!(
        "output cut: {expected} bytes were written, and 100000 is the limit; all of it is in `{file}`"
    );
    assert_eq!(text, told);
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_the_limit_is_in_a_file() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench, |limits| limits.output = LIMIT).await;
        let lines: String = (0..50_000).map(|n| format!("{n}\n")).collect();
        let ran = run(&session, "for n in range(50_000): print(n)").await;
        let file = file_of(&ran, lines.len() as u64).to_owned();
        assert_eq!(file, "output-1.txt");
        assert_eq!(ran.stdout(), lines[..LIMIT as usize]);
        assert_eq!(content(&session, &file).await, lines);
        assert_kept(&session, &ran).await;
        // Code in the cell reads it, and may remove it.
        let ran = run(
            &session,
            "text = open('output-1.txt').read(); import os; os.remove('output-1.txt'); len(text)",
        )
        .await
        .ok();
        assert_eq!(ran.value(), Some(&*lines.len().to_string()));

        // Both streams, from children too, and in one file.
        let code = "
import subprocess, sys
print('o' * 60_000)
print('e' * 60_000, file=sys.stderr)
subprocess.run(['sh', '-c', 'head -c 60000 /dev/zero | tr \"\\\\0\" c']); pass";
        let ran = run(&session, code).await;
        let text = content(&session, file_of(&ran, 180_002)).await;
        let count = |letter| text.chars().filter(|&c| c == letter).count();
        assert_eq!((count('o'), count('e'), count('c'), text.len()), (60_000, 60_000, 60_000, 180_002));
        assert_kept(&session, &ran).await;

        // The next one gets another file; at the limit exactly there is none.
        let ran = run(&session, "print('x' * 100_000)").await;
        assert_eq!(file_of(&ran, 100_001), "output-2.txt");
        let ran = run(&session, "print('x' * 99_999)").await.ok();
        assert_eq!(ran.stdout().len() as u64, LIMIT);
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_outcome_says_so_beside_it() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench, |limits| limits.output = LIMIT).await;
        let ran = run(&session, "print('x' * 200_000)\n1 / 0").await;
        assert_eq!((&ran.report.outcome, ran.raised().0), (&Outcome::Raised, "ZeroDivisionError"));
        assert_eq!(ran.notices(), ["output cut: 200001 bytes were written, and 100000 is the limit; all of it is in `output-1.txt`"]);
        assert_kept(&session, &ran).await;
        let ran = shell(&session, "head -c 300000 /dev/zero | tr '\\0' s").await;
        assert_eq!(content(&session, file_of(&ran, 300_000)).await, "s".repeat(300_000));
        assert_eq!(ran.report.exit_status, Some(0));
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_fills_neither_memory_nor_disk() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench, |limits| limits.output = LIMIT).await;
        let ran = run(&session, "import os\nfor n in range(300): os.write(1, b'x' * (1 << 20))").await;
        let Outcome::TooMuchOutput { written, file: None, .. } = &ran.report.outcome else {
            panic!("{:?}", ran.report)
        };
        assert_eq!(*written, 300 << 20);
        assert_eq!(ran.notices(), ["the first 67108864 bytes of the output are in `output-1.txt`"]);
        let files = session.files().await.unwrap();
        let file = files.iter().find(|file| file.path.as_os_str() == "output-1.txt").unwrap();
        assert_eq!(file.size, 64 << 20);
        assert_kept(&session, &ran).await;
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_of_the_file_is_passed_over() {
    with(BARE, async |bench: &Bench| {
        let session = prepared(bench, |limits| limits.output = LIMIT).await;
        let victim = tempfile::NamedTempFile::new().unwrap();
        let plant = format!(
            "
import os, socket
os.symlink({:?}, 'output-1.txt'); os.symlink('/etc/passwd', 'output-2.txt'); os.symlink('/mnt/workspace/kept', 'output-3.txt')
os.mkfifo('output-4.txt'); os.mkdir('output-5.txt'); socket.socket(socket.AF_UNIX).bind('output-6.txt')
open('output-7.txt', 'w').write('mine'); os.symlink('output-9.txt', 'output-8.txt')",
            victim.path()
        );
        run(&session, &plant).await.ok();
        let ran = run(&session, "print('y' * 200_000)").await;
        assert_eq!(file_of(&ran, 200_001), "output-9.txt");
        assert_eq!(std::fs::read(victim.path()).unwrap(), b"");
        let ran = run(&session, "print(open('output-7.txt').read(), open('kept').read())").await.ok();
        assert_eq!(ran.stdout(), "mine a file\n");

        // A directory that cannot be written: the output is counted, and that is told.
        run(&session, "os.chmod('/mnt/workspace', 0o500)").await.ok();
        let ran = run(&session, "print('z' * 200_000)").await;
        assert!(matches!(ran.report.outcome, Outcome::TooMuchOutput { written: 200_001, .. }), "{:?}", ran.report);
        run(&session, "os.chmod('/mnt/workspace', 0o700)").await.ok();
        assert_kept(&session, &ran).await;
        session.stop().await.unwrap();
    })
    .await;
}
