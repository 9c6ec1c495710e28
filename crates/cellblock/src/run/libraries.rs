//! What is said of the JavaScript libraries that a program imports and that its cell has not, or not from where the
//! program has them. None of it is an error: the program may do without, or install them itself.

use std::path::{Path, PathBuf};

use super::bring::Needed;
use crate::place::told;

/// Where npm puts libraries.
pub(crate) const MODULES: &str = "node_modules";
/// The most names in one sentence.
const NAMED: usize = 10;

/// Sentences, each with what to do about it. `has` tells which libraries the program brings itself.
pub(crate) fn warnings(
    needed: &Needed,
    directory: Option<&Path>,
    has: impl Fn(&str) -> bool,
) -> Vec<(String, String)> {
    let mut warnings = Vec::new();
    if !needed.outside.is_empty() {
        warnings.push((
            format!(
                "the program imports what lies outside its own directory and is not brought: {}",
                listed(needed.outside.iter())
            ),
            "put the program into the directory that holds both, or beside what it imports".to_owned(),
        ));
    }
    let packages = || needed.packages.iter().filter(|package| !has(package));
    let installed = directory.and_then(|directory| installed(directory, packages()));
    if let Some((modules, packages)) = &installed {
        let own: Vec<&&String> = packages.iter().filter(|name| environment::has_library(name)).collect();
        let own = match own.as_slice() {
            [] => String::new(),
            own => format!("; without it, the program has the environment's own {}", listed(own.iter())),
        };
        warnings.push((
            format!(
                "`{MODULES}` is not brought into the cell, and the program imports from it: {}",
                listed(packages.iter())
            ),
            format!("`--file {}` brings it{own}", told(modules)),
        ));
    }
    let here = |package: &&String| installed.as_ref().is_some_and(|(_, packages)| packages.contains(package));
    let missing: Vec<&String> =
        packages().filter(|package| !here(package) && !environment::has_library(package)).collect();
    if let [first, ..] = missing.as_slice() {
        warnings.push((
            format!(
                "no environment has the JavaScript {}: {}",
                if missing.len() == 1 { "library" } else { "libraries" },
                listed(missing.iter())
            ),
            format!(
                "a program may install what its network lets in, before it imports it: `npm install {first}`"
            ),
        ));
    }
    warnings
}

/// The nearest `node_modules` from this directory up that holds some of these, and which.
fn installed<'a>(
    directory: &Path,
    packages: impl Iterator<Item = &'a String> + Clone,
) -> Option<(PathBuf, Vec<&'a String>)> {
    let real = directory.canonicalize().ok()?;
    real.ancestors().find_map(|above| {
        let modules = above.join(MODULES);
        let there: Vec<_> = packages.clone().filter(|package| modules.join(package).is_dir()).collect();
        (!there.is_empty()).then_some((modules, there))
    })
}

fn listed(names: impl ExactSizeIterator<Item: AsRef<str>>) -> String {
    let more = names.len().saturating_sub(NAMED);
    let named: Vec<String> =
        names.take(NAMED).map(|name| format!("`{}`", crate::printer::name(name.as_ref()))).collect();
    let named = named.join(", ");
    if more == 0 { named } else { format!("{named} and {more} more") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_that_are_not_in_the_cell_are_told_once() {
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("src");
        for made in ["node_modules/left-pad", "node_modules/lodash", "src"] {
            std::fs::create_dir_all(directory.path().join(made)).unwrap();
        }
        let names = ["left-pad", "lodash", "zod", "nowhere", "brought"].map(str::to_owned);
        let needed = Needed { packages: names.into(), ..Needed::default() };
        let told = warnings(&needed, Some(&inner), |name| name == "brought");
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(
            told[0].0,
            "`node_modules` is not brought into the cell, and the program imports from it: `left-pad`, `lodash`"
        );
        assert!(
            told[0].1.ends_with(
                "/node_modules` brings it; without it, the program has the environment's own `lodash`"
            ),
            "{told:?}"
        );
        assert_eq!(told[1].0, "no environment has the JavaScript library: `nowhere`");
        let none = Needed { packages: ["zod".to_owned(), "axios".to_owned()].into(), ..Needed::default() };
        assert!(warnings(&none, Some(&inner), |_| false).is_empty());
        assert_eq!(warnings(&needed, None, |_| false)[0].0.matches('`').count(), 6);
    }
}
