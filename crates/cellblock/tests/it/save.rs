//! What becomes of the files that a program makes.

use std::os::unix::fs::MetadataExt;

use crate::bench::{Bench, Ended};

#[test]
fn a_file_of_another_content_and_the_same_length_is_saved_whole() {
    let Some(bench) = Bench::new() else { return };
    for text in ["aaaa", "bbbb"] {
        let ended = bench.python(&format!("_ = open('same.txt', 'w').write('{text}')"), &[]);
        assert_eq!(ended.status, Some(0), "{ended:?}");
    }
    assert_eq!(bench.read("cellblock-out/same.txt"), "aaaa");
    assert_eq!(bench.read("cellblock-out/same-2.txt"), "bbbb");
}

#[test]
fn holes_are_saved_as_holes_and_no_more_than_the_disk_limit() {
    let Some(bench) = Bench::new() else { return };
    let source = "
import os
for name in 'ab':
    with open(name, 'wb') as f:
        f.truncate(90 << 20); f.write(b'begin')
with open('big', 'wb') as f: f.write(os.urandom(60 << 20))
os.link('big', 'big-again')
";
    let ended = bench.python(source, &["--disk", "100", "-q"]);
    assert_eq!(ended.status, Some(125), "{ended:?}");
    for name in ["a", "b"] {
        let saved = std::fs::metadata(bench.at("cellblock-out").join(name)).unwrap();
        assert_eq!(saved.len(), 90 << 20);
        assert!(saved.blocks() * 512 < 4 << 20, "{}", saved.blocks());
    }
    assert_eq!(bench.names("cellblock-out").len(), 3);
    assert!(
        ended
            .stderr
            .contains("was not saved: no more than 100.0 MiB is saved, the cell's disk limit (`--disk MIB`)"),
        "{ended:?}"
    );
}

#[test]
fn a_place_where_nothing_can_be_saved_is_refused_before_the_program_runs() {
    let bench = Bench::without_environment();
    bench.write("x.py", "print('ran')");
    bench.write("file", "");
    std::os::unix::fs::symlink("nowhere", bench.at("dangling")).unwrap();
    for out in ["file", "/proc/nope", "dangling"] {
        let ended = bench.cellblock(["run", "x.py", "--out", out]);
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(125), ""), "{ended:?}");
        assert!(ended.stderr.starts_with(&format!("error: failed to save files in `{out}`\n")), "{ended:?}");
    }
    // Whoever named none may want no files.
    let Some(bench) = Bench::new() else { return };
    bench.write("cellblock-out", "");
    let ended = bench.python("print('ran')", &[]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), "ran\n"), "{ended:?}");
    assert!(ended.stderr.contains("warning: files that the program makes cannot be saved"), "{ended:?}");
}

#[test]
fn a_file_that_could_not_be_saved_is_an_error() {
    let Some(bench) = Bench::new() else { return };
    bench.write("cellblock-out/made", "a file where a directory is to be");
    let source = "import os; os.mkdir('made'); _ = open('made/x', 'w').write('1')";
    let ended = bench.python(source, &["--quiet"]);
    assert_eq!(ended.status, Some(125), "{ended:?}");
    assert!(ended.stderr.starts_with("error: `made/x` was not saved: "), "{ended:?}");
    let ended = bench.python(&format!("{source}\nimport sys; sys.exit(7)"), &[]);
    assert_eq!(ended.status, Some(7), "the program's own status goes first: {ended:?}");
}

#[test]
fn many_files_are_told_as_a_number() {
    let Some(bench) = Bench::new() else { return };
    let ended = bench.python("for n in range(25): open(f'f{n:02}', 'w').close()", &[]);
    assert_eq!(bench.names("cellblock-out").len(), 25);
    assert_eq!(ended.stderr.lines().count(), 22, "{ended:?}");
    assert!(ended.stderr.ends_with("  f19  0 B\n  … and 5 more, 25 files in all\n"), "{ended:?}");
}

#[test]
fn the_message_about_output_names_the_file_that_was_saved() {
    let Some(bench) = Bench::new() else { return };
    bench.write("cellblock-out/output-1.txt", "another");
    let ended = bench.python("print('x' * (5 << 20))", &[]);
    assert!(ended.stderr.contains("all of it is in `cellblock-out/output-1-2.txt`"), "{}", ended.stderr);
    assert_eq!(bench.read("cellblock-out/output-1-2.txt").len(), (5 << 20) + 1);
}

#[test]
fn hidden_and_deep_files_are_saved_and_what_is_not_is_named() {
    let Some(bench) = Bench::new() else { return };
    let source = "
import os
for path in ('.github/ci.yml', '.env', '.git/config', '.cache/x', 'd/' * 150 + 'deep.txt', '__pycache__/x'):
    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
    open(path, 'w').close()
os.symlink('/etc/passwd', 'link')
";
    let ended = bench.python(source, &["--out", "o"]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert_eq!(bench.names("o"), [".env", ".github", "d"]);
    assert!(bench.at(&format!("o/{}deep.txt", "d/".repeat(150))).exists());
    let (_, left) = ended.stderr.split_once("left in the cell:\n").unwrap();
    assert_eq!(left, "  1 link: link\n  1 cache: .cache\n  1 git repository's own files: .git\n");
}

#[test]
fn json_that_cannot_be_written_is_a_failure() {
    let Some(bench) = Bench::new() else { return };
    bench.write("program.py", "1");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = bench.command(["run", "--json", "program.py"]);
    let ended = Ended::from(command.stdout(full).output().unwrap());
    assert_eq!(ended.status, Some(125), "{ended:?}");
    assert!(ended.stderr.contains("failed to write to standard output"), "{ended:?}");
}
