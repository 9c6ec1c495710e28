//! The one place where names are judged, against all that read them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use workspace::{Error, View, WorkspacePath};

use crate::Bed;

/// Parts of paths as people, and their enemies, write them.
fn part() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-c%#.~*?\\\\:|&=+ ]{1,6}",
        2 => "\\PC{1,12}",
        1 => any::<String>(),
        1 => "[a-z]{0,2}[:|%.~\\\\]{1,2}",
        1 => prop::sample::select(vec![
            ".", "..", "...", "%2e%2e", "%2F", "a%2Fb", "C:", "C|", "c|", "a#1", "a#b", "#1", "#", "~", "con", "a\u{301}", "á",
            "A", "a", "\u{200b}", "\u{2028}", "\u{feff}x", "-rf", "a\\b", "\\\\x", "http:", "?x=1", "%00", "a\tb", "{x}",
        ]).prop_map(str::to_owned),
    ]
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(part(), 1..4).prop_map(|parts| parts.join("/"))
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is accepted has the same name on the disk, in the store, in a listing and on the next disk.
    #[test]
    fn accepted_paths_are_the_same_everywhere(text in path(), content in any::<[u8; 8]>()) {
        let Ok(path) = WorkspacePath::parse(&text) else { return Ok(()) };
        run(async {
            let bed = Bed::new();
            let (one, here) = bed.copy("one", View::Whole);
            let file = here.join(path.as_str());
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, content).unwrap();
            let saved = one.save().await.unwrap();
            prop_assert_eq!(saved.files.len(), 1, "{:?}", saved);
            prop_assert_eq!(&saved.files[0].stored.path, &path);
            prop_assert_eq!(bed.listed().await, vec![text.clone()]);
            prop_assert!(bed.stored().join(path.as_str()).is_file());
            prop_assert_eq!(bed.get(path.as_str()).await, content);
            let (other, there) = bed.copy("other", View::Whole);
            prop_assert_eq!(other.refresh().await.unwrap().files, 1);
            prop_assert_eq!(std::fs::read(there.join(path.as_str())).unwrap(), content);
            // And the same again where a namespace stands before it.
            if let Ok(below) = WorkspacePath::below("uploads", Path::new(&text)) {
                let stored = bed.workspace.write(&below, "x").await.unwrap();
                prop_assert_eq!(stored.path.within("uploads"), Some(text.as_str()));
                prop_assert_eq!(bed.workspace.list("uploads").await.unwrap().len(), 1);
            }
            Ok(())
        })?;
    }

    /// Two that differ are two files, or cannot be there together.
    #[test]
    fn different_paths_are_different_files(one in path(), other in path()) {
        let (Ok(one), Ok(other)) = (WorkspacePath::parse(&one), WorkspacePath::parse(&other)) else { return Ok(()) };
        prop_assume!(one != other);
        run(async {
            let bed = Bed::new();
            bed.put(one.as_str(), "one").await;
            match bed.workspace.write(&other, "other").await {
                Ok(_) => {
                    prop_assert_eq!(bed.get(one.as_str()).await, b"one");
                    prop_assert_eq!(bed.get(other.as_str()).await, b"other");
                    prop_assert_eq!(bed.listed().await.len(), 2);
                }
                Err(Error::InTheWay(_)) => {
                    let (a, b) = (format!("{one}/"), format!("{other}/"));
                    prop_assert!(a.starts_with(&b) || b.starts_with(&a));
                }
                Err(error) => prop_assert!(false, "{}", error),
            }
            Ok(())
        })?;
    }

    /// What is refused is no file to anybody, even where it lies on a disk.
    #[test]
    fn refused_paths_cannot_be_reached(bytes in prop_oneof![
        prop::collection::vec(any::<u8>(), 1..20),
        "[a\u{1}\u{7f}\n\u{85}é]{1,5}".prop_map(String::into_bytes),
        "[a-c]{0,3}#[0-9]{1,3}".prop_map(String::into_bytes),
        Just(vec![b'x'; 241]),
    ]) {
        let name = PathBuf::from(OsStr::from_bytes(&bytes));
        let accepted = WorkspacePath::below("", &name).is_ok();
        // What no disk takes cannot lie there.
        let nameable = !bytes.contains(&0) && !bytes.contains(&b'/') && bytes != b"." && bytes != b"..";
        prop_assert_eq!(std::str::from_utf8(&bytes).is_ok_and(|text| WorkspacePath::parse(text).is_ok()), accepted);
        prop_assume!(!accepted && nameable);
        run(async {
            let bed = Bed::new();
            let (copy, here) = bed.copy("here", View::Whole);
            std::fs::write(here.join(&name), "x").unwrap();
            std::fs::create_dir_all(bed.stored()).unwrap();
            std::fs::write(bed.stored().join(&name), "x").unwrap();
            prop_assert!(bed.listed().await.is_empty());
            if let Ok(text) = std::str::from_utf8(&bytes) {
                prop_assert!(bed.workspace.list(text).await.is_err());
            }
            prop_assert_eq!(copy.refresh().await.unwrap(), workspace::Brought::default());
            for saved in [copy.save().await.unwrap(), copy.push(std::slice::from_ref(&name)).await.unwrap()] {
                prop_assert!(saved.files.is_empty());
                prop_assert_eq!(&saved.left_out[0].local, &name);
            }
            prop_assert!(bed.listed().await.is_empty());
            Ok(())
        })?;
    }
}
