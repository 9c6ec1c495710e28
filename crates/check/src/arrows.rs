//! Which crate may know which.
//!
//! The order is the architecture: a crate depends only on crates that come earlier. It is checked here, on
//! what the manifests ask for, because cargo itself only refuses circles.

use crate::workspace::{Package, Stage};

/// From the crate that knows nothing to the one that knows everything. Crates in one place do not know each
/// other.
const ORDER: &[&[&str]] = &[
    &["protocol"],
    &["policy"],
    &["sys"],
    &["egress"],
    &["cell", "launcher"],
    &["environment"],
    &["forkserver", "forkserver-helper"],
    &["workspace"],
    &["session"],
    &["server"],
    &["cellblock"],
];

/// Tools beside the product: they may know any crate, and what is shipped knows none of them.
const OUTSIDE: &[&str] = &["check", "bed", "attacks", "testkit"];

/// Used by build scripts alone, and itself free of our crates.
const BUILD: &[&str] = &["native-build"];

/// Features that take something away from what is shipped, for tools alone.
const FOR_TOOLS: &[&str] = &["walls-apart"];

/// Every dependency that points the wrong way, one line each; empty when the architecture holds.
pub(crate) fn violations(packages: &[Package]) -> Vec<String> {
    let ours = |name: &str| packages.iter().any(|member| member.name == name);
    let mut found = Vec::new();
    for package in packages {
        let name = package.name.as_str();
        if OUTSIDE.contains(&name) {
            continue;
        }
        if place(name).is_none() && !BUILD.contains(&name) {
            found.push(format!("`{name}` has no place in the order of crates (crates/check/src/arrows.rs)"));
            continue;
        }
        let asked = package.dependencies.iter().flat_map(|dependency| &dependency.features);
        for feature in asked.chain(&package.turns_on) {
            // `name`, or `package/name`.
            let feature = feature.rsplit('/').next().unwrap_or_default();
            if FOR_TOOLS.contains(&feature) {
                found.push(format!("`{name}` must not turn on `{feature}`: it is for tools"));
            }
        }
        for dependency in &package.dependencies {
            let on = dependency.name.as_str();
            let reason = if ours(on) {
                wrong_way(name, on, dependency.stage)
            } else {
                unwanted(name, on, dependency.stage)
            };
            if let Some(reason) = reason {
                found.push(format!("`{name}` must not depend on `{on}`: {reason}"));
            }
        }
    }
    found
}

/// Why the arrow from `name` to `on`, both ours, is wrong.
fn wrong_way(name: &str, on: &str, stage: Stage) -> Option<&'static str> {
    if OUTSIDE.contains(&on) {
        return (stage != Stage::Test).then_some("it is for tests");
    }
    if BUILD.contains(&on) {
        return (stage != Stage::Build).then_some("it is for build scripts");
    }
    if BUILD.contains(&name) {
        return Some("what builds our crates cannot use them");
    }
    if name == "sys" {
        return Some("it wraps the kernel's calls and knows nothing else");
    }
    (place(on) >= place(name)).then_some("that does not come before it")
}

/// Why `name` must not ask for `on`, which is not ours.
fn unwanted(name: &str, on: &str, stage: Stage) -> Option<&'static str> {
    match (name, on) {
        _ if stage == Stage::Test => None,
        ("protocol" | "policy", "tokio") => Some("it is pure: no I/O, no async"),
        (_, "anyhow") if name != "cellblock" => Some("a library tells its errors by type"),
        _ => None,
    }
}

fn place(name: &str) -> Option<usize> {
    ORDER.iter().position(|names| names.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{Dependency, Workspace};

    /// A tree in which each crate asks for the named others; `test:` and `build:` say what for.
    fn tree(crates: &[(&str, &[&str])]) -> Vec<Package> {
        let dependency = |wish: &&str| {
            let (stage, name) = match wish.split_once(':') {
                Some(("test", name)) => (Stage::Test, name),
                Some(("build", name)) => (Stage::Build, name),
                _ => (Stage::Normal, *wish),
            };
            Dependency { name: name.to_owned(), stage, features: Vec::new() }
        };
        let package = |(name, on): &(&str, &[&str])| Package {
            name: (*name).to_owned(),
            directory: format!("/tree/crates/{name}").into(),
            dependencies: on.iter().map(dependency).collect(),
            turns_on: Vec::new(),
        };
        crates.iter().map(package).collect()
    }

    #[test]
    fn this_tree_holds() {
        let workspace = Workspace::load().unwrap();
        assert_eq!(violations(&workspace.packages), Vec::<String>::new());
    }

    #[test]
    fn arrows_to_earlier_crates_are_right() {
        let good = tree(&[
            ("protocol", &["thiserror"]),
            ("policy", &["protocol"]),
            ("sys", &["libc"]),
            ("launcher", &["sys", "policy"]),
            ("native-build", &[]),
            ("cell", &["sys", "build:native-build"]),
            ("session", &["policy", "sys", "test:testkit"]),
            ("cellblock", &["session", "anyhow"]),
            ("testkit", &["session"]),
            ("check", &["anyhow"]),
        ]);
        assert_eq!(violations(&good), Vec::<String>::new());
    }

    #[test]
    fn an_arrow_backwards_is_found() {
        let back = tree(&[("policy", &["session"]), ("session", &[])]);
        assert_eq!(
            violations(&back),
            ["`policy` must not depend on `session`: that does not come before it"]
        );
        let in_tests = tree(&[("policy", &["test:session"]), ("session", &[])]);
        assert_eq!(violations(&in_tests).len(), 1);
    }

    #[test]
    fn crates_in_one_place_do_not_know_each_other() {
        let cross = tree(&[("cell", &["launcher"]), ("launcher", &["cell"])]);
        assert_eq!(violations(&cross).len(), 2);
    }

    #[test]
    fn sys_knows_nothing_of_ours() {
        let knowing = tree(&[("protocol", &[]), ("sys", &["protocol"])]);
        assert_eq!(violations(&knowing).len(), 1);
    }

    #[test]
    fn nothing_shipped_knows_the_tools() {
        let knowing =
            tree(&[("cellblock", &["check"]), ("session", &["testkit"]), ("check", &[]), ("testkit", &[])]);
        assert_eq!(violations(&knowing).len(), 2);
    }

    #[test]
    fn nothing_shipped_turns_on_what_is_for_tools() {
        let mut packages = tree(&[("launcher", &[]), ("session", &["launcher"]), ("attacks", &["launcher"])]);
        packages[2].dependencies[0].features = vec!["walls-apart".to_owned()];
        assert_eq!(violations(&packages), Vec::<String>::new());
        packages[1].dependencies[0].features = vec!["walls-apart".to_owned()];
        packages[0].turns_on = vec!["walls-apart".to_owned()];
        assert_eq!(violations(&packages).len(), 2);
        packages[1].dependencies[0].features.clear();
        packages[0].turns_on.clear();
        packages[1].turns_on = vec!["launcher/walls-apart".to_owned()];
        assert_eq!(violations(&packages).len(), 1);
    }

    #[test]
    fn what_builds_is_for_build_scripts_and_knows_nothing_of_ours() {
        let knowing = tree(&[("cell", &["native-build"]), ("native-build", &["build:sys"]), ("sys", &[])]);
        assert_eq!(violations(&knowing).len(), 2);
    }

    #[test]
    fn a_crate_without_a_place_is_found() {
        assert_eq!(violations(&tree(&[("helpers", &[])])).len(), 1);
    }

    #[test]
    fn what_a_crate_must_stay_free_of_is_found() {
        let unclean = tree(&[("protocol", &["tokio"]), ("session", &["tokio", "anyhow"])]);
        assert_eq!(
            violations(&unclean),
            [
                "`protocol` must not depend on `tokio`: it is pure: no I/O, no async",
                "`session` must not depend on `anyhow`: a library tells its errors by type",
            ]
        );
    }
}
