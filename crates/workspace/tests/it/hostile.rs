//! Code that does what it likes while files are brought and saved.

use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use workspace::View;

use crate::{Bed, text};

#[tokio::test]
async fn nothing_is_followed_and_nothing_waits() {
    let bed = Bed::new();
    let outside = bed.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "secret").unwrap();
    bed.put("uploads/linked/secret", "brought").await;
    bed.put("uploads/deep/er/file", "brought").await;
    let (copy, here) = bed.copy("here", View::Flat);
    symlink(&outside, here.join("linked")).unwrap();
    symlink(&outside, here.join("other")).unwrap();
    symlink(outside.join("secret"), here.join("secret")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(here.join("fifo")).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(here.join("socket")).unwrap();
    let latin = Path::new(std::ffi::OsStr::from_bytes(b"latin-\xe9"));
    fs::write(here.join(latin), "x").unwrap();
    let brought = copy.refresh().await.unwrap();
    assert_eq!((brought.files, brought.kept.len()), (1, 1));
    assert_eq!(text(outside.join("secret")), "secret");
    let saved = copy.save().await.unwrap();
    assert!(saved.files.is_empty());
    let mut left_out: Vec<_> =
        saved.left_out.iter().map(|left| (left.local.as_path(), left.why.as_str())).collect();
    left_out.sort();
    let link = "it is a link";
    let expected = [
        (Path::new("fifo"), "it is not a file"),
        (latin, "it is not UTF-8"),
        (Path::new("linked"), link),
        (Path::new("other"), link),
        (Path::new("secret"), link),
        (Path::new("socket"), "it is not a file"),
    ];
    assert_eq!(left_out, expected);
}

#[tokio::test]
async fn no_tree_is_too_deep_or_has_too_much_to_tell() {
    let bed = Bed::new();
    let (copy, here) = bed.copy("here", View::Flat);
    let mut at = sys::file::directory(&here).unwrap();
    for _ in 0..5_000 {
        at = sys::tree::make_directories(&at, Path::new("d"), &mut |_| Ok(())).unwrap();
    }
    drop(at);
    for number in 0..1500 {
        symlink("x", here.join(format!("link-{number}"))).unwrap();
    }
    fs::write(here.join("good"), "x").unwrap();
    let saved = copy.save().await.unwrap();
    assert_eq!(saved.files.len(), 1);
    let failed: Vec<_> = saved.left_out.iter().filter(|left| left.failed).collect();
    assert_eq!(failed.len(), 1, "the directory that lies too deep may hold files");
    // Links are told until there are a thousand things to tell; what failed is told in any case.
    let more = saved.left_out.last().unwrap().why.strip_suffix(" more were left out").unwrap();
    assert!(saved.left_out.len() <= 1002);
    assert_eq!(saved.left_out.len() - 2 + more.parse::<usize>().unwrap(), 1500);
    sys::remove::tree(&here).unwrap();
}

#[tokio::test]
async fn a_file_that_does_not_hold_still_is_left_out_and_said() {
    let bed = Bed::new();
    let (copy, here) = bed.copy("here", View::Flat);
    let restless = Arc::new(AtomicBool::new(true));
    let path = here.join("restless");
    fs::write(&path, vec![0; 6 << 20]).unwrap();
    fs::write(here.join("still"), "x").unwrap();
    // Each time after it was opened, and before it is read.
    workspace::points::set(Box::new({
        let (restless, path) = (restless.clone(), path.clone());
        move |point| {
            if point == "save: a file was opened" && restless.load(Ordering::Relaxed) {
                fs::File::options().append(true).open(&path).unwrap().write_all(b"more").unwrap();
            }
        }
    }));
    let saved = copy.save().await.unwrap();
    restless.store(false, Ordering::Relaxed);
    assert_eq!(saved.files.len(), 1);
    assert_eq!(saved.left_out.len(), 1);
    assert!(saved.left_out[0].failed && saved.left_out[0].why.contains("being written to"));
    assert_eq!(bed.listed().await, ["code-interpreter/still"]);
    assert_eq!(
        fs::read_dir(bed.stored().join("code-interpreter")).unwrap().count(),
        1,
        "nothing half is left"
    );
    // As soon as it holds still it is saved.
    assert_eq!(copy.save().await.unwrap().files.len(), 1);
    assert!(bed.get("code-interpreter/restless").await == fs::read(path).unwrap());
}

#[tokio::test]
async fn whatever_moves_meanwhile_all_stays_below() {
    let bed = Bed::new();
    let outside = bed.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    let (copy, here) = bed.copy("here", View::Flat);
    let stop = Arc::new(AtomicBool::new(false));
    let mover = std::thread::spawn({
        let (stop, here, outside) = (stop.clone(), here.clone(), outside.clone());
        move || {
            // The directory that files are brought into is now one, now a link to elsewhere.
            while !stop.load(Ordering::Relaxed) {
                let _ = fs::rename(here.join("dir"), here.join("away"));
                let _ = symlink(&outside, here.join("dir"));
                let _ = fs::remove_file(here.join("dir"));
                let _ = fs::rename(here.join("away"), here.join("dir"));
                let _ = fs::remove_dir_all(here.join("dir"));
            }
        }
    });
    for round in 0..30 {
        for number in 0..10 {
            bed.put(&format!("uploads/dir/{number}"), format!("{round}")).await;
        }
        copy.refresh().await.unwrap();
        copy.save().await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    mover.join().unwrap();
    assert_eq!(fs::read_dir(outside).unwrap().count(), 0);
}

#[tokio::test]
async fn holes_do_not_fill_the_store() {
    let bed = Bed::new();
    let (copy, here) = bed.copy("here", View::Flat);
    copy.allow_holes(3 << 20);
    fs::File::create(here.join("a-terabyte")).unwrap().set_len(1 << 40).unwrap();
    fs::File::create(here.join("some")).unwrap().set_len(2 << 20).unwrap();
    fs::write(here.join("written"), vec![1; 8 << 20]).unwrap();
    let saved = copy.save().await.unwrap();
    let names: Vec<_> = saved.files.iter().map(|file| file.stored.path.as_str().to_owned()).collect();
    assert_eq!(names, ["code-interpreter/some", "code-interpreter/written"]);
    assert_eq!(saved.left_out.len(), 1);
    assert!(saved.left_out[0].why.contains("holes") && !saved.left_out[0].failed);
}

#[tokio::test]
async fn other_names_of_a_file_do_not_fill_the_store() {
    let bed = Bed::new();
    let (copy, here) = bed.copy("here", View::Flat);
    copy.allow_holes(3 << 20);
    fs::write(here.join("one"), vec![1; 2 << 20]).unwrap();
    for name in ["two", "three"] {
        fs::hard_link(here.join("one"), here.join(name)).unwrap();
    }
    let saved = copy.save().await.unwrap();
    assert_eq!((saved.files.len(), saved.left_out.len()), (1, 2));
}

#[tokio::test]
async fn what_the_store_has_no_name_for_is_said_to_be_lost() {
    let bed = Bed::new();
    let (copy, here) = bed.copy("here", View::Flat);
    fs::write(here.join("Report#1"), "x").unwrap();
    fs::write(here.join(Path::new(std::ffi::OsStr::from_bytes(b"latin-\xe9"))), "x").unwrap();
    let saved = copy.save().await.unwrap();
    assert_eq!(saved.left_out.iter().filter(|left| left.failed).count(), 2);
}
