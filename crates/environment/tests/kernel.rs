//! The kernels' own tests, which are Python's, run by the interpreter of a real environment.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use environment::Environments;

/// The environment `lean` that the tests of this tree use.
fn environment() -> Option<PathBuf> {
    let dir = std::env::var_os("CELLBLOCK_TEST_ENVIRONMENTS").map(PathBuf::from);
    let found = dir.and_then(|dir| Environments::new(dir).find("lean").ok().flatten());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CELLBLOCK_TEST_ENVIRONMENTS names no environment");
        eprintln!(
            "SKIPPED: CELLBLOCK_TEST_ENVIRONMENTS names no environment; `cargo run -p check` installs one"
        );
    }
    found.map(|installed| installed.root)
}

/// An interpreter that finds the environment's libraries where they are on the host, and not in a cell.
fn interpreter(root: &Path, scratch: &Path) -> PathBuf {
    let base = root.join("base/bin");
    let lib = fs::read_dir(root.join("lib"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("python3")))
        .expect("the environment has libraries");
    let site = scratch.join("lib").join(lib.file_name().unwrap()).join("site-packages");
    fs::create_dir_all(&site).unwrap();
    fs::create_dir(scratch.join("bin")).unwrap();
    fs::write(scratch.join("pyvenv.cfg"), format!("home = {}\n", base.display())).unwrap();
    fs::write(site.join("environment.pth"), format!("{}\n", lib.join("site-packages").display())).unwrap();
    let python = scratch.join("bin/python");
    symlink(base.join("python3"), &python).unwrap();
    python
}

#[test]
fn the_kernel_passes_its_own_tests() {
    let Some(root) = environment() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let python = interpreter(&root, scratch.path());
    unittest(&python, "python/tests", &[]);
}

#[test]
fn the_kernel_for_javascript_passes_its_own_tests_in_node() {
    javascript("node");
}

#[test]
fn the_kernel_for_javascript_passes_its_own_tests_in_deno() {
    javascript("deno");
}

fn javascript(runtime: &str) {
    let Some(root) = environment() else { return };
    let program = root.join("bin").join(runtime);
    assert!(program.exists(), "the environment has no {runtime}");
    let scratch = tempfile::tempdir().unwrap();
    let python = interpreter(&root, scratch.path());
    let variables = [
        ("CELLBLOCK_TEST_RUNTIME", runtime.into()),
        ("CELLBLOCK_TEST_NODE", root.join("bin/node")),
        ("CELLBLOCK_TEST_DENO", root.join("bin/deno")),
        ("CELLBLOCK_TEST_NODE_MODULES", root.join("lib/node_modules")),
    ];
    unittest(&python, "javascript/tests", &variables);
}

#[test]
fn the_check_of_typescript_passes_its_own_tests() {
    let Some(root) = environment() else { return };
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("javascript/tests");
    let files = fs::read_dir(&tests).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> = files.filter(|path| path.to_string_lossy().ends_with(".test.mjs")).collect();
    assert!(!files.is_empty());
    let ran = Command::new(root.join("bin/node"))
        // One after the other: some of them measure.
        .args(["--test", "--test-concurrency=1"])
        .args(files)
        .current_dir(&tests)
        .env("CELLBLOCK_TEST_NODE_MODULES", root.join("lib/node_modules"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}");
    assert!(said.contains("fail 0") && !said.contains("pass 0\n"), "{said}");
}

#[test]
fn what_deno_would_find_out_is_there_for_every_home() {
    let Some(root) = environment() else { return };
    // A name that is another one in a URL.
    let dir = tempfile::Builder::new().prefix("a b=c").tempdir().unwrap();
    let runtime = environment::runtime::extract(dir.path(), &[], &root).unwrap();
    let name = "v8_code_cache_v2";
    let link = fs::read_link(runtime.join("home/.cache/deno").join(name)).unwrap();
    assert_eq!(link, Path::new("/opt/cellblock/runtime/deno").join(name));
    for beside in ["-wal", "-shm"] {
        assert_eq!(fs::metadata(runtime.join(format!("deno/{name}{beside}"))).unwrap().len(), 0);
    }
    assert_eq!(fs::read_dir(runtime.join("deno")).unwrap().count(), 3);
    let rows = |of: &str| {
        let ask = "import sqlite3, sys; print(sqlite3.connect(f'file:{sys.argv[1]}?immutable=1', uri=True)\
                   .execute('select count(*) from codecache where specifier glob ?', sys.argv[2:]).fetchone()[0])";
        // SQLite takes a path in a URL's form there.
        let beside = tempfile::NamedTempFile::new().unwrap();
        fs::copy(runtime.join("deno/v8_code_cache_v2"), beside.path()).unwrap();
        let python = root.join("base/bin/python3");
        let told = Command::new(python).args(["-I", "-c", ask]).arg(beside.path()).arg(of).output().unwrap();
        String::from_utf8(told.stdout).unwrap().trim().parse::<u32>().unwrap()
    };
    assert!(rows("ext:deno_node/*") > 50);
    assert_eq!(rows("node:process"), 1);
    assert!(rows("file:///opt/cellblock/runtime/cellblock_kernel_js/*") > 20);
    assert_eq!(rows("file:///opt/cellblock/env/lib/node_modules/acorn/*"), 1);
    assert_eq!(rows("file:*"), rows("file:///opt/cellblock/*"));
}

/// Runs the tests in a directory of this crate.
fn unittest(python: &Path, tests: &str, variables: &[(&str, PathBuf)]) {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join(tests);
    let ran = Command::new(python)
        .args(["-m", "unittest", "discover", "-s"])
        .arg(&tests)
        .current_dir(&tests)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    assert!(said.contains("\nOK"), "{said}");
}
