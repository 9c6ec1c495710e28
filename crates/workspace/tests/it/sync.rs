//! What comes, goes and stays.

use std::fs;
use std::io::Read;
use std::path::Path;

use workspace::{Brought, Error, View};

use crate::{Bed, at, replace, text};

#[tokio::test]
async fn files_come_and_go() {
    let bed = Bed::new();
    bed.put("uploads/a.csv", "1,2").await;
    bed.put("uploads/both", "given").await;
    bed.put("code-interpreter/both", "made").await;
    bed.put("documents/other", "not for us").await;
    let (copy, here) = bed.copy("here", View::Flat);
    assert_eq!(copy.refresh().await.unwrap(), Brought { files: 2, bytes: 7, kept: Vec::new() });
    assert_eq!((text(here.join("a.csv")).as_str(), text(here.join("both")).as_str()), ("1,2", "made"));
    assert_eq!(copy.refresh().await.unwrap(), Brought::default());
    fs::create_dir_all(here.join("sub/dir")).unwrap();
    fs::write(here.join("sub/dir/b.txt"), "new").unwrap();
    fs::write(here.join("a.csv"), "3,4").unwrap();
    let saved = copy.save().await.unwrap();
    let names = |saved: &workspace::Saved| {
        saved.files.iter().map(|file| (file.stored.path.to_string(), file.written)).collect::<Vec<_>>()
    };
    let expected = ["code-interpreter/a.csv", "code-interpreter/sub/dir/b.txt"];
    assert_eq!(names(&saved), expected.map(|name| (name.to_owned(), true)));
    assert!(saved.left_out.is_empty());
    assert_eq!(
        (bed.get("code-interpreter/a.csv").await, bed.get("uploads/a.csv").await),
        ("3,4".into(), "1,2".into())
    );
    // Nothing changed: nothing is saved, and what was saved does not come back as news.
    assert_eq!(copy.save().await.unwrap(), workspace::Saved::default());
    assert_eq!(copy.refresh().await.unwrap(), Brought::default());
    // A push names what is durable, wherever that is.
    let pushed = copy.push(&["both".into(), "./sub/".into(), "a.csv".into()]).await.unwrap();
    let expected = ["code-interpreter/a.csv", "code-interpreter/both", "code-interpreter/sub/dir/b.txt"];
    assert_eq!(names(&pushed), expected.map(|name| (name.to_owned(), false)));
    // What somebody removed from the store is written again when it is asked for.
    bed.workspace.remove(&at("code-interpreter/both")).await.unwrap();
    let pushed = copy.push(&["both".into()]).await.unwrap();
    assert_eq!(names(&pushed), [("code-interpreter/both".to_owned(), true)]);
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let bed = Bed::new();
    let (copy, here) = bed.copy("here", View::Flat);
    fs::create_dir(here.join("empty")).unwrap();
    std::os::unix::fs::symlink("/etc", here.join("link")).unwrap();
    fs::write(here.join("good"), "x").unwrap();
    let paths = ["none", "empty", "link", "link/passwd", "../store", "/etc/passwd", "good", "good/x"];
    let saved = copy.push(&paths.map(Into::into)).await.unwrap();
    assert_eq!(saved.files.len(), 1);
    let left_out: Vec<_> =
        saved.left_out.iter().map(|left| (left.local.to_str().unwrap(), left.why.as_str())).collect();
    let expected = [
        ("/etc/passwd", "it lies outside of the workspace"),
        ("../store", "it lies outside of the workspace"),
        ("good/x", "there is no such file"),
        ("link", "it is a link"),
        ("link/passwd", "there is a link on the way to it"),
        ("none", "there is no such file"),
    ];
    assert_eq!(left_out, expected);
    assert!(saved.left_out.iter().all(|left| !left.failed));
}

#[tokio::test]
async fn what_the_session_did_stays() {
    let bed = Bed::new();
    for name in ["changed", "removed", "replaced", "untouched"] {
        bed.put(&format!("uploads/{name}"), "first").await;
    }
    let (copy, here) = bed.copy("here", View::Flat);
    copy.refresh().await.unwrap();
    fs::write(here.join("changed"), "mine!").unwrap();
    replace(&here.join("replaced"), "mine!");
    fs::remove_file(here.join("removed")).unwrap();
    fs::write(here.join("made"), "mine!").unwrap();
    // What was removed is not brought again.
    bed.put("uploads/arrived", "later").await;
    assert_eq!(copy.refresh().await.unwrap().files, 1);
    assert!(!here.join("removed").exists());
    let mut open = fs::File::open(here.join("untouched")).unwrap();
    for name in ["changed", "replaced", "untouched", "made", "removed"] {
        bed.put(&format!("uploads/{name}"), "other").await;
    }
    let brought = copy.refresh().await.unwrap();
    let kept: Vec<_> = brought.kept.iter().map(workspace::WorkspacePath::as_str).collect();
    assert_eq!(kept, ["uploads/changed", "uploads/made", "uploads/replaced"]);
    // A later version of what was removed is news, and so is one of what was not touched.
    assert_eq!(brought.files, 2);
    let content = ["changed", "replaced", "made", "untouched", "removed"].map(|name| text(here.join(name)));
    assert_eq!(content, ["mine!", "mine!", "mine!", "other", "other"]);
    let mut old = String::new();
    open.read_to_string(&mut old).unwrap();
    assert_eq!(old, "first");
    assert_eq!(copy.refresh().await.unwrap(), Brought::default());
    assert_eq!(fs::read_dir(&here).unwrap().count(), 6, "nothing is left beside the files");
    let saved = copy.save().await.unwrap();
    let saved: Vec<_> = saved.files.iter().map(|file| file.local.to_str().unwrap()).collect();
    assert_eq!(saved, ["changed", "made", "replaced"]);
    assert_eq!(bed.get("uploads/changed").await, b"other");
}

#[tokio::test]
async fn a_change_is_found_whatever_its_time_says() {
    let bed = Bed::new();
    bed.put("code-interpreter/a", "one").await;
    let (copy, here) = bed.copy("here", View::Flat);
    copy.refresh().await.unwrap();
    for content in ["two", "six", "ten"] {
        let path = here.join("a");
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        fs::write(&path, content).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        assert_eq!(copy.save().await.unwrap().files.len(), 1);
        assert_eq!(bed.get("code-interpreter/a").await, content.as_bytes());
    }
}

#[tokio::test]
async fn a_whole_view_follows_removals() {
    let bed = Bed::new();
    for name in ["top", "dir/a", "dir/b", "dir/sub/c"] {
        bed.put(name, "first").await;
    }
    let (copy, here) = bed.copy("here", View::Whole);
    assert_eq!(copy.refresh().await.unwrap().files, 4);
    fs::remove_file(here.join("dir/a")).unwrap();
    fs::remove_file(here.join("dir/b")).unwrap();
    fs::rename(here.join("dir/sub"), here.join("moved")).unwrap();
    // Somebody else has written to one of them meanwhile.
    bed.put("dir/b", "other").await;
    let saved = copy.save().await.unwrap();
    let removed: Vec<_> = saved.removed.iter().map(workspace::WorkspacePath::as_str).collect();
    assert_eq!((removed.len(), removed.contains(&"dir/a"), removed.contains(&"dir/sub/c")), (2, true, true));
    assert_eq!(bed.listed().await, ["dir/b", "moved/c", "top"]);
    assert_eq!(copy.refresh().await.unwrap().files, 1);
    assert_eq!(text(here.join("dir/b")), "other");
    // A push of some paths removes nothing.
    fs::remove_file(here.join("top")).unwrap();
    copy.push(&["moved".into()]).await.unwrap();
    assert!(bed.listed().await.contains(&"top".to_owned()));
}

#[tokio::test]
async fn a_directory_and_a_file_of_one_name_do_not_stop_others() {
    let bed = Bed::new();
    bed.put("code-interpreter/dir/inner", "x").await;
    bed.put("code-interpreter/file", "x").await;
    let (copy, here) = bed.copy("here", View::Flat);
    fs::write(here.join("dir"), "a file here").unwrap();
    fs::create_dir(here.join("file")).unwrap();
    fs::write(here.join("file/inner"), "x").unwrap();
    fs::write(here.join("good"), "x").unwrap();
    let kept = copy.refresh().await.unwrap().kept;
    assert_eq!(kept.len(), 2);
    let saved = copy.save().await.unwrap();
    assert_eq!(saved.files.len(), 1);
    let left_out: Vec<_> = saved.left_out.iter().map(|left| left.local.as_path()).collect();
    assert_eq!(left_out, [Path::new("dir"), Path::new("file/inner")]);
    assert!(saved.left_out.iter().all(|left| left.failed && left.why.starts_with("the workspace has")));
    assert!(matches!(bed.workspace.write(&at("code-interpreter/dir"), "x").await, Err(Error::InTheWay(_))));
    assert!(matches!(bed.workspace.look(&at("code-interpreter/file/x")).await, Err(Error::NotFound(_))));
    assert!(matches!(bed.workspace.read(&at("code-interpreter/dir")).await, Err(Error::NotFound(_))));
    // What was emptied is in nobody's way.
    bed.workspace.remove(&at("code-interpreter/dir/inner")).await.unwrap();
    bed.put("code-interpreter/dir", "now a file").await;
}

#[tokio::test]
async fn uploads_and_made_files_that_cannot_lie_together_are_told() {
    let bed = Bed::new();
    bed.put("uploads/x", "a file").await;
    bed.put("code-interpreter/x/y", "a directory").await;
    let (copy, here) = bed.copy("here", View::Flat);
    let brought = copy.refresh().await.unwrap();
    assert_eq!((brought.files, brought.kept.len()), (1, 1));
    assert!(here.join("x").exists());
    assert!(copy.faults().is_empty());
}

#[tokio::test]
async fn what_was_brought_is_not_the_sessions_disk() {
    let bed = Bed::new();
    bed.put("uploads/a", vec![1; 100_000]).await;
    bed.put("uploads/b", vec![1; 50_000]).await;
    let (copy, here) = bed.copy("here", View::Flat);
    copy.refresh().await.unwrap();
    copy.settled().await;
    fs::write(here.join("own"), vec![1; 50_000]).unwrap();
    assert!((150_000..170_000).contains(&copy.extra_disk().await.unwrap()));
    fs::write(here.join("a"), vec![2; 200_000]).unwrap();
    assert!((50_000..60_000).contains(&copy.extra_disk().await.unwrap()));
}

#[tokio::test]
async fn a_whole_view_follows_files_and_directories_that_change_places() {
    let bed = Bed::new();
    let (copy, here) = bed.copy("here", View::Whole);
    fs::create_dir(here.join("one")).unwrap();
    fs::write(here.join("one/in"), "1").unwrap();
    fs::write(here.join("two"), "2").unwrap();
    copy.save().await.unwrap();
    fs::remove_dir_all(here.join("one")).unwrap();
    fs::write(here.join("one"), "a file").unwrap();
    fs::remove_file(here.join("two")).unwrap();
    fs::create_dir(here.join("two")).unwrap();
    fs::write(here.join("two/in"), "in it").unwrap();
    let saved = copy.save().await.unwrap();
    assert_eq!(saved.left_out, []);
    let (other, there) = bed.copy("there", View::Whole);
    other.refresh().await.unwrap();
    assert_eq!((text(there.join("one")), text(there.join("two/in"))), ("a file".into(), "in it".into()));
}
