//! Help and errors, word for word.

use insta::assert_snapshot;

use crate::bench::{Bench, Ended};

fn told(arguments: &[&str]) -> String {
    Bench::without_environment().cellblock(arguments).told()
}

#[test]
fn help_teaches() {
    assert_snapshot!("help", told(&["--help"]));
    assert_snapshot!("help-run", told(&["run", "--help"]));
    assert_snapshot!("help-run-short", told(&["run", "-h"]));
    assert_snapshot!("help-shell", told(&["shell", "--help"]));
    assert_snapshot!("help-env", told(&["env", "--help"]));
    assert_snapshot!("help-env-install", told(&["env", "install", "--help"]));
    assert_snapshot!("help-doctor", told(&["doctor", "--help"]));
    assert_snapshot!("help-bench", told(&["bench", "--help"]));
    assert_snapshot!("help-mcp", told(&["mcp", "--help"]));
    assert_snapshot!("help-serve", told(&["serve", "--help"]));
    assert_snapshot!("serve-no-environment", told(&["serve", "--env", "nope"]));
    assert_snapshot!("serve-in-public", told(&["serve", "--listen", "0.0.0.0:8080"]));
}

#[test]
fn help_reads_well_in_80_columns() {
    let bench = Bench::without_environment();
    for command in [
        &["--help"][..],
        &["run", "--help"],
        &["run", "-h"],
        &["shell", "--help"],
        &["env", "--help"],
        &["env", "list"],
    ] {
        let ended = bench.cellblock(command);
        for line in ended.stdout.lines() {
            assert!(line.chars().count() <= 80, "{command:?}: {line}");
        }
    }
}

#[test]
fn a_wrong_command_line_is_told() {
    assert_snapshot!("no-command", told(&[]));
    assert_snapshot!("no-program", told(&["run"]));
    assert_snapshot!("wrong-timeout", told(&["run", "--timeout", "soon", "x.py"]));
    assert_snapshot!("wrong-memory", told(&["run", "--memory", "1", "x.py"]));
    assert_snapshot!("wrong-cpus", told(&["run", "--cpus", "0.5", "x.py"]));
    assert_snapshot!("wrong-workspace", told(&["shell", "--workspace", "../x"]));
    assert_snapshot!("wrong-json", told(&["run", "--json", "--cpus", "0.5", "x.py"]));
}

#[test]
fn a_program_that_cannot_be_read_is_told_with_a_hint() {
    let bench = Bench::without_environment();
    assert_snapshot!("missing-program", bench.cellblock(["run", "missing.py"]).told());
    assert_snapshot!("program-is-directory", bench.cellblock(["run", "."]).told());
    for name in ["page.ipynb", "page.sh", "page.tsx"] {
        bench.write(name, "");
    }
    assert_snapshot!("program-is-notebook", bench.cellblock(["run", "page.ipynb"]).told());
    assert_snapshot!("program-for-a-shell", bench.cellblock(["run", "page.sh"]).told());
    assert_snapshot!("program-with-jsx", bench.cellblock(["run", "page.tsx"]).told());
    bench.write("latin.js", b"// \xe9");
    assert_snapshot!("script-not-utf8", bench.cellblock(["run", "latin.js"]).told());
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
    assert!(shown["javascript"]["lodash"].is_string() && shown["packages"]["lodash"].is_null(), "{shown}");
    let text = bench.cellblock(["env", "show", "lean"]).stdout;
    let (python, javascript) = text.split_once("\npackages of JavaScript\n").expect("they are told apart");
    assert!(python.contains("\npackages of Python\n") && python.contains("\n  pandas "), "{text}");
    assert!(javascript.contains("  zod ") && !javascript.contains("pandas"), "{text}");
}

#[test]
fn what_libraries_want_and_do_not_bring_is_told() {
    let Some(bench) = Bench::with_full() else { return };
    let shown = bench.cellblock(["env", "show", "full", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    let wants = shown["wants"].as_array().unwrap();
    let missing = wants.iter().filter(|want| want["here"] == false).count();
    assert!(wants.len() >= 8 && shown["packages"].as_object().unwrap().len() >= 250);
    let text = bench.cellblock(["env", "show", "full"]).stdout;
    assert_eq!(text.matches("\n      package ").count(), missing, "{text}");
    assert!(text.contains("\n  nltk: corpora and models"), "{text}");
    let doctor = bench.cellblock(["doctor"]).stdout;
    let expected = format!("{} of {} things that its libraries want", wants.len() - missing, wants.len());
    assert!(doctor.contains(&expected), "{doctor}");
}

#[test]
fn the_doctor_names_every_layer() {
    let bench = Bench::without_environment();
    let told = bench.cellblock(["doctor", "--json"]);
    let layers: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    for layer in layers.as_array().unwrap() {
        let hard = layer["state"] == "hard" || layer["state"] == "ready";
        assert!(hard || layer["consequence"] != "", "a layer that is not hard has a consequence: {layer}");
    }
    let names: Vec<_> =
        layers.as_array().unwrap().iter().map(|layer| layer["layer"].as_str().unwrap()).collect();
    assert!(names.ends_with(&["data", "environments", "python", "uv", "full"]), "{names:?}");
    // Where no cell can be made there is nothing to say of networks.
    let cells = told.status == Some(0);
    assert_eq!(names.windows(2).any(|pair| pair == ["modes", "resolver"]), cells, "{names:?}");
    let mut command = bench.command(["doctor"]);
    let asked = Ended::from(command.env("CELLBLOCK_NETWORK_RESOLVER", "10.0.0.2:53").output().unwrap());
    let resolver = "resolver      ready    10.0.0.2:53 (CELLBLOCK_NETWORK_RESOLVER; not asked)\n";
    assert_eq!(asked.stdout.contains(resolver), cells, "{}", asked.stdout);
    let text = bench.cellblock(["doctor"]);
    assert!(text.stdout.lines().all(|line| line.chars().count() <= 80 || !line.trim().contains("  ")));
    assert!(!text.stdout.contains("daemon"), "there is none: {}", text.stdout);
    assert_eq!(text.status, told.status);
    assert!(text.stdout.starts_with("namespaces"), "{}", text.stdout);
}

#[test]
fn a_wrong_value_of_a_variable_is_told_as_one() {
    let bench = Bench::without_environment();
    let mut command = bench.command(["run", "x.py"]);
    let ended = Ended::from(command.env("CELLBLOCK_LIMITS_MEMORY_MIB", "abc").output().unwrap());
    assert_eq!(ended.status, Some(2));
    assert!(
        ended.stderr.ends_with("hint: the value comes from the variable `CELLBLOCK_LIMITS_MEMORY_MIB`\n"),
        "{ended:?}"
    );
    let mut command = bench.command(["run", "--memory", "abc", "x.py"]);
    let ended = Ended::from(command.env("CELLBLOCK_LIMITS_MEMORY_MIB", "abc").output().unwrap());
    assert!(!ended.stderr.contains("hint:"), "{ended:?}");
}

#[test]
fn a_variable_that_is_empty_is_not_set() {
    let bench = Bench::without_environment();
    let mut command = bench.command(["env", "list"]);
    command.env("CELLBLOCK_DATA", "").env("CELLBLOCK_ENVIRONMENTS", "");
    assert_eq!(Ended::from(command.output().unwrap()).status, Some(0));
    let mut command = bench.command(["run", "missing.py"]);
    command.env("CELLBLOCK_ENV", "").env("CELLBLOCK_LIMITS_MEMORY_MIB", "").env("CELLBLOCK_LIMITS_CPUS", "");
    let ended = Ended::from(command.output().unwrap());
    assert!(ended.stderr.starts_with("error: failed to read the program"), "{ended:?}");
}

#[test]
fn failures_are_told_as_json_too() {
    let bench = Bench::without_environment();
    let ended = bench.cellblock(["run", "--json", "missing.py"]);
    let told: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(
        (ended.status, &told["status"], &told["outcome"]),
        (Some(125), &125.into(), &serde_json::Value::Null)
    );
    assert!(told["error"]["value"].as_str().unwrap().starts_with("failed to read the program"), "{told}");
    assert!(told["error"]["hint"].is_string() && ended.stderr.starts_with("error: failed"), "{told}");
}

#[test]
fn an_unknown_environment_is_not_installed_for_a_moment() {
    let bench = Bench::without_environment();
    let ended = bench.cellblock(["env", "install", "bogus"]);
    assert_eq!(ended.status, Some(125));
    assert!(ended.stderr.starts_with("error: failed to find an environment named `bogus`"), "{ended:?}");
}

#[test]
fn an_option_with_a_typing_error_is_noticed() {
    let bench = Bench::without_environment();
    let ended = bench.cellblock(["run", "x.py", "--memroy", "100"]);
    assert!(
        ended.stderr.starts_with("warning: `--memroy` goes to the program; is `--memory` meant?\n"),
        "{ended:?}"
    );
    let ended = bench.cellblock(["run", "x.py", "--", "--memroy", "100"]);
    assert!(ended.stderr.starts_with("error"), "{ended:?}");
}
