//! Content that comes when it is wanted.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use workspace::View;

use crate::Bed;

/// Puts files straight into the store, with data at both ends and a hole between them.
fn sparse(directory: &Path, files: usize, size: u64) {
    fs::create_dir_all(directory).unwrap();
    for number in 0..files {
        let file = fs::File::create(directory.join(format!("file-{number:05}"))).unwrap();
        file.set_len(size).unwrap();
        file.write_all_at(format!("start {number}").as_bytes(), 0).unwrap();
        file.write_all_at(b"end", size - 3).unwrap();
    }
}

fn check(path: &Path, number: usize, size: u64) {
    let file = fs::File::open(path).unwrap();
    let start = format!("start {number}");
    let mut bytes = vec![0; start.len()];
    file.read_exact_at(&mut bytes, 0).unwrap();
    assert_eq!(bytes, start.as_bytes());
    let mut end = [0; 3];
    file.read_exact_at(&mut end, size - 3).unwrap();
    assert_eq!(&end, b"end");
    assert_eq!(file.metadata().unwrap().len(), size);
}

mod alone {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_large_workspace_opens_at_once() {
        const SIZE: u64 = 1 << 20;
        let bed = Bed::new();
        sparse(&bed.stored().join("uploads"), 1000, SIZE);
        let (copy, here) = bed.copy("here", View::Flat);
        let started = Instant::now();
        let brought = copy.refresh().await.unwrap();
        let opened = started.elapsed();
        assert_eq!((brought.files, brought.bytes), (1000, 1000 * SIZE));
        // One that would be among the last.
        let path = here.join("file-00999");
        let read = tokio::task::spawn_blocking(move || {
            let started = Instant::now();
            check(&path, 999, SIZE);
            started.elapsed()
        });
        let read = read.await.unwrap();
        let left = *copy.left().borrow();
        copy.settled().await;
        println!(
            "opened in {opened:?}, one read in {read:?} with {left:?} left, all in {:?}",
            started.elapsed()
        );
        for number in 0..1000 {
            check(&here.join(format!("file-{number:05}")), number, SIZE);
        }
        assert!(opened < Duration::from_secs(3), "{opened:?}");
        assert!(copy.faults().is_empty());
        // Being filled is no change.
        assert_eq!(copy.save().await.unwrap(), workspace::Saved::default());
        assert_eq!(copy.refresh().await.unwrap().files, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_code_does_first_is_right() {
    const FILES: usize = 60;
    const SIZE: u64 = 200 << 10;
    let bed = Bed::new();
    sparse(&bed.stored().join("code-interpreter"), FILES, SIZE);
    let (copy, here) = bed.copy("here", View::Flat);
    copy.refresh().await.unwrap();
    let code = tokio::task::spawn_blocking({
        let here = here.clone();
        move || {
            for number in (0..FILES).rev() {
                let path = here.join(format!("file-{number:05}"));
                match number % 6 {
                    0 => fs::File::options().write(true).open(path).unwrap().write_all_at(b"S", 0).unwrap(),
                    1 => fs::write(path, "all new").unwrap(),
                    2 => fs::rename(&path, here.join(format!("moved-{number:05}"))).unwrap(),
                    3 => fs::remove_file(path).unwrap(),
                    4 => {
                        let mut file = fs::File::options().append(true).open(path).unwrap();
                        file.write_all(b"more").unwrap();
                    }
                    _ => {}
                }
            }
        }
    });
    code.await.unwrap();
    // A save waits for what was moved and is on its way.
    let saved = copy.save().await.unwrap();
    assert!(saved.left_out.is_empty(), "{:?}", saved.left_out);
    assert_eq!(saved.files.len(), FILES / 6 * 4);
    copy.settled().await;
    assert!(copy.faults().is_empty());
    for number in 0..FILES {
        let name = format!("file-{number:05}");
        let mut expected = vec![0; SIZE as usize];
        let start = format!("start {number}");
        expected[..start.len()].copy_from_slice(start.as_bytes());
        expected[SIZE as usize - 3..].copy_from_slice(b"end");
        let moved = format!("moved-{number:05}");
        let place = if number % 6 == 2 { &moved } else { &name };
        match number % 6 {
            0 => expected[0] = b'S',
            1 => expected = b"all new".to_vec(),
            4 => expected.extend(b"more"),
            _ => {}
        }
        assert!(bed.get(&format!("code-interpreter/{place}")).await == expected, "{place}");
        if number % 6 == 3 {
            assert!(!here.join(name).exists());
        } else {
            assert!(fs::read(here.join(place)).unwrap() == expected, "{place}");
        }
    }
    assert_eq!(copy.save().await.unwrap(), workspace::Saved::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_when_it_ends_is_nowhere() {
    const FILES: usize = 400;
    const SIZE: u64 = 200 << 10;
    for dropped in [false, true] {
        let bed = Bed::new();
        sparse(&bed.stored().join("uploads/sub"), FILES, SIZE);
        let (copy, here) = bed.copy("here", View::Flat);
        copy.refresh().await.unwrap();
        let mut left = copy.left();
        if dropped {
            drop(copy);
            // Ends with the last of those who fill.
            while left.changed().await.is_ok() {}
        } else {
            copy.close().await;
        }
        for number in 0..FILES {
            let path = here.join(format!("sub/file-{number:05}"));
            if path.exists() {
                check(&path, number, SIZE);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_version_of_a_large_file_replaces_the_old_one() {
    let bed = Bed::new();
    bed.put("uploads/large", vec![b'1'; 300 << 10]).await;
    let (copy, here) = bed.copy("here", View::Flat);
    copy.refresh().await.unwrap();
    copy.settled().await;
    let mut old = fs::File::open(here.join("large")).unwrap();
    bed.put("uploads/large", vec![b'2'; 400 << 10]).await;
    assert_eq!(copy.refresh().await.unwrap().files, 1);
    assert!(fs::read(here.join("large")).unwrap() == vec![b'2'; 400 << 10]);
    let mut content = Vec::new();
    old.read_to_end(&mut content).unwrap();
    assert!(content == vec![b'1'; 300 << 10]);
    copy.settled().await;
    assert_eq!(fs::read_dir(&here).unwrap().count(), 1);
    assert_eq!(copy.save().await.unwrap(), workspace::Saved::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_files_and_a_large_one_pass() {
    const FILES: usize = 2000;
    const LARGE: usize = 64 << 20;
    let bed = Bed::new();
    let (copy, here) = bed.copy("here", View::Flat);
    for number in 0..FILES {
        let directory = here.join(format!("{:02}", number % 20));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(number.to_string()), number.to_string()).unwrap();
    }
    fs::write(here.join("large"), vec![7; LARGE]).unwrap();
    let saved = copy.save().await.unwrap();
    assert_eq!((saved.files.len(), saved.left_out.len()), (FILES + 1, 0));
    let (other, there) = bed.copy("there", View::Flat);
    assert_eq!(other.refresh().await.unwrap().files, FILES + 1);
    other.settled().await;
    for number in 0..FILES {
        let path = there.join(format!("{:02}/{number}", number % 20));
        assert_eq!(crate::text(path), number.to_string());
    }
    assert!(fs::read(there.join("large")).unwrap() == vec![7; LARGE]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_belong_to_whom_the_copy_is_for() {
    use std::os::unix::fs::MetadataExt;
    const OTHER: u32 = 54_321;
    if sys::file::own_ids().0 != 0 {
        eprintln!("SKIPPED: only root can give files to somebody else");
        return;
    }
    let bed = Bed::new();
    bed.put("uploads/dir/small", "x").await;
    bed.put("uploads/dir/large", vec![1; 300 << 10]).await;
    let here = bed.dir.path().join("here");
    fs::create_dir(&here).unwrap();
    let copy = workspace::WorkingCopy::new(bed.workspace.clone(), View::Flat, here.clone(), OTHER);
    copy.refresh().await.unwrap();
    for name in ["dir", "dir/small", "dir/large"] {
        let found = fs::symlink_metadata(here.join(name)).unwrap();
        assert_eq!((found.uid(), found.gid()), (OTHER, OTHER), "{name}");
    }
    assert!(fs::read(here.join("dir/large")).unwrap() == vec![1; 300 << 10]);
    copy.settled().await;
    assert_eq!(copy.save().await.unwrap(), workspace::Saved::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_wait_is_told_to_come_again() {
    let bed = Bed::new();
    sparse(&bed.stored().join("uploads"), 200, 200 << 10);
    let (copy, here) = bed.copy("here", View::Flat);
    copy.refresh().await.unwrap();
    let root = sys::file::directory(&here).unwrap();
    let name = Path::new("file-00199");
    let open = || sys::file::open_below(std::os::fd::AsFd::as_fd(&root), name);
    loop {
        match open() {
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
            Ok(_) => break,
        }
        copy.arrived(name).await;
    }
    check(&here.join(name), 199, 200 << 10);
    copy.close().await;
}
