use super::deep::ALL_OPEN;
use super::*;
use std::fs;
use std::os::unix::fs::symlink;

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("sys-tree-{}-{name}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn listed(root: &Path) -> Vec<(String, Kind)> {
    let mut found = Vec::new();
    walk(root, &mut |item| {
        found.push((item.path.display().to_string(), item.kind));
        ControlFlow::Continue(())
    })
    .unwrap();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

#[test]
fn everything_is_shown_and_no_link_is_followed() {
    let root = Scratch::new("shown");
    fs::create_dir_all(root.0.join("a/b")).unwrap();
    fs::write(root.0.join("a/b/file"), "1234").unwrap();
    symlink("/etc", root.0.join("etc")).unwrap();
    symlink("..", root.0.join("a/up")).unwrap();
    let fifo = root.0.join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, FileType::Fifo, Mode::RWXU, 0).unwrap();
    let expected = [
        ("a", Kind::Directory),
        ("a/b", Kind::Directory),
        ("a/b/file", Kind::File),
        ("a/up", Kind::Link),
        ("etc", Kind::Link),
        ("fifo", Kind::Special),
    ];
    assert_eq!(listed(&root.0), expected.map(|(name, kind)| (name.to_owned(), kind)));
}

#[test]
fn sizes_and_second_names_are_told() {
    let root = Scratch::new("sizes");
    fs::write(root.0.join("one"), vec![0; 10_000]).unwrap();
    fs::hard_link(root.0.join("one"), root.0.join("two")).unwrap();
    let mut identities = Vec::new();
    walk(&root.0, &mut |item| {
        assert_eq!((item.size, item.names), (10_000, 2));
        assert!(item.stored >= 10_000);
        assert!(item.modified.elapsed().unwrap() < Duration::from_secs(3600));
        identities.push(item.identity);
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(identities.len(), 2);
    assert_eq!(identities[0], identities[1]);
}

#[test]
fn a_walk_can_be_broken_off_and_ends_in_the_deep() {
    let root = Scratch::new("deep");
    let mut deep = root.0.clone();
    for _ in 0..DEPTH + 10 {
        deep.push("d");
    }
    fs::create_dir_all(&deep).unwrap();
    let found = listed(&root.0);
    assert_eq!(found.len(), DEPTH + 1);
    assert_eq!(found.last().unwrap().1, Kind::Closed);
    let mut seen = 0;
    walk(&root.0, &mut |_| {
        seen += 1;
        if seen == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    assert_eq!(seen, 5);
}

#[test]
fn a_walk_without_paths_goes_deeper_with_few_descriptors() {
    let root = Scratch::new("deeper");
    // A chain with a side branch at each step: after each way down the walk must come up again.
    let mut directory = crate::file::directory(&root.0).unwrap();
    for _ in 0..500 {
        for name in ["a", "z"] {
            directory = match make_directories(&directory, Path::new(name), &mut |_| Ok(())) {
                Ok(made) if name == "z" => made,
                made => made.map(|_| directory).unwrap(),
            };
        }
    }
    drop(directory);
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    let (before, mut most, mut seen) = (open(), 0, 0);
    walk_all(&root.0, &mut |item| {
        assert_eq!(item.kind, Kind::Directory);
        most = most.max(open());
        seen += 1;
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(seen, 1000);
    // Other tests of this process may open some, too.
    assert!(most - before < ALL_OPEN + 40, "{before} {most}");
    crate::remove::tree(&root.0).unwrap();
}

#[test]
fn directories_are_made_below_and_through_no_link() {
    let root = Scratch::new("made");
    let open = crate::file::directory(&root.0).unwrap();
    let mut made = 0;
    let mut count = |_: &OwnedFd| {
        made += 1;
        Ok(())
    };
    make_directories(&open, Path::new("a/./b"), &mut count).unwrap();
    make_directories(&open, Path::new("a/c"), &mut count).unwrap();
    assert_eq!(made, 3);
    assert!(root.0.join("a/b").is_dir() && root.0.join("a/c").is_dir());
    symlink("/tmp", root.0.join("out")).unwrap();
    for path in ["out/x", "../x", "/x"] {
        assert!(make_directories(&open, Path::new(path), &mut |_| Ok(())).is_err(), "{path}");
    }
}
