//! The tables of modules that a program's environment is chosen by, against what is installed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use environment::Environments;

fn directory() -> PathBuf {
    std::env::var_os("CELLBLOCK_TEST_ENVIRONMENTS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-data/environments"),
        PathBuf::from,
    )
}

#[test]
fn the_tables_of_modules_are_those_of_what_is_installed() {
    let environments = Environments::new(directory());
    for recipe in Environments::known() {
        let Some(installed) = environments.find(recipe.name).unwrap() else {
            let why = format!("`{}` is not installed in {}", recipe.name, directory().display());
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{why}");
            eprintln!("SKIPPED: {why}");
            continue;
        };
        let minor = installed.python.rsplit_once('.').unwrap().0;
        let packages = installed.root.join(format!("lib/python{minor}/site-packages"));
        let found = modules(&packages);
        let table: BTreeSet<String> = recipe.modules().map(str::to_owned).collect();
        let unknown: Vec<_> = found.difference(&table).collect();
        assert!(unknown.is_empty(), "`{}` has what its table has not: {unknown:?}", recipe.name);
        let lacking: Vec<_> = table.difference(&found).collect();
        // The table is of the oldest Python, which gets every package; spaCy has none for the newest.
        assert!(lacking.is_empty() || minor != "3.11", "`{}` has not: {lacking:?}", recipe.name);
        assert!(lacking.len() <= 12, "`{}` has not: {lacking:?}", recipe.name);
    }
}

/// What can be imported by name: the modules, and the packages with a module in them.
fn modules(packages: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(packages).unwrap().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_module =
            |name: &str| Path::new(name).extension().is_some_and(|end| end == "py" || end == "so");
        let module = if entry.file_type().unwrap().is_dir() {
            has_file(&entry.path(), &is_module).then_some(name.as_str())
        } else {
            is_module(&name).then(|| name.split('.').next().unwrap())
        };
        // As renew.py has it: what a package left lying about is no module of anybody's.
        let stray = |name: &str| {
            matches!(name, "__pycache__" | "setup")
                || name.starts_with(|first: char| first.is_ascii_digit())
                || name.contains(|each: char| each != '_' && !each.is_alphanumeric())
        };
        found.extend(module.filter(|name| !stray(name)).map(str::to_owned));
    }
    found
}

fn has_file(directory: &Path, wanted: &dyn Fn(&str) -> bool) -> bool {
    std::fs::read_dir(directory).unwrap().map(Result::unwrap).any(|entry| {
        if entry.file_type().unwrap().is_dir() {
            has_file(&entry.path(), wanted)
        } else {
            wanted(&entry.file_name().to_string_lossy())
        }
    })
}
