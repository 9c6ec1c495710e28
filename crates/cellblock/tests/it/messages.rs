//! Help and errors, word for word.

use insta::assert_snapshot;

use crate::bench::Bench;

fn told(arguments: &[&str]) -> String {
    Bench::without_environment().cellblock(arguments).told()
}

#[test]
fn help_teaches() {
    assert_snapshot!("help", told(&["--help"]));
    assert_snapshot!("help-run", told(&["run", "--help"]));
    assert_snapshot!("help-run-short", told(&["run", "-h"]));
    assert_snapshot!("help-env", told(&["env", "--help"]));
    assert_snapshot!("help-env-install", told(&["env", "install", "--help"]));
    assert_snapshot!("help-doctor", told(&["doctor", "--help"]));
    assert_snapshot!("help-serve", told(&["serve", "--help"]));
    assert_snapshot!("serve-in-public", told(&["serve", "--listen", "0.0.0.0:8080"]));
}

#[test]
fn a_wrong_command_line_is_told() {
    assert_snapshot!("no-command", told(&[]));
    assert_snapshot!("no-program", told(&["run"]));
    assert_snapshot!("wrong-timeout", told(&["run", "--timeout", "soon", "x.py"]));
    assert_snapshot!("wrong-memory", told(&["run", "--memory", "1", "x.py"]));
}

#[test]
fn a_program_that_cannot_be_read_is_told_with_a_hint() {
    let bench = Bench::without_environment();
    assert_snapshot!("missing-program", bench.cellblock(["run", "missing.py"]).told());
    assert_snapshot!("program-is-directory", bench.cellblock(["run", "."]).told());
    bench.write("page.ts", "");
    assert_snapshot!("program-in-typescript", bench.cellblock(["run", "page.ts"]).told());
    bench.write("latin.py", b"# \xe9");
    assert_snapshot!("program-not-utf8", bench.cellblock(["run", "latin.py"]).told());
    bench.write("x.py", "");
    assert_snapshot!("missing-file", bench.cellblock(["run", "x.py", "--file", "missing"]).told());
}

#[test]
fn an_environment_that_is_not_there_is_told_with_a_hint() {
    let bench = Bench::without_environment();
    bench.write("x.py", "");
    assert_snapshot!("unknown-environment", bench.cellblock(["run", "x.py", "--env", "vast"]).told());
    assert_snapshot!("env-list-nothing-installed", bench.cellblock(["env", "list"]).told());
    let shown = bench.cellblock(["env", "show", "lean"]);
    assert_eq!(shown.status, Some(125));
    assert!(
        shown.stderr.contains("it is not installed") && shown.stderr.contains("cellblock env install lean")
    );
}

#[test]
fn environments_are_told_as_json() {
    let bench = Bench::without_environment();
    let listed = bench.cellblock(["env", "list", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!((&listed[0]["name"], &listed[0]["installed"]), (&"lean".into(), &false.into()));
    let Some(bench) = Bench::new() else { return };
    let shown = bench.cellblock(["env", "show", "lean", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    assert!(
        shown["packages"]["pandas"].is_string() && shown["size_bytes"].as_u64() > Some(1 << 20),
        "{shown}"
    );
}

#[test]
fn the_doctor_names_every_layer() {
    let bench = Bench::without_environment();
    let told = bench.cellblock(["doctor", "--json"]);
    let layers: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    for layer in layers.as_array().unwrap() {
        let hard = layer["state"] == "hard";
        assert!(hard || layer["consequence"] != "", "a layer that is not hard has a consequence: {layer}");
    }
    let text = bench.cellblock(["doctor"]);
    assert_eq!(text.status, told.status);
    assert!(text.stdout.starts_with("namespaces"), "{}", text.stdout);
}
