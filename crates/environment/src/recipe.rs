//! The environments that this build knows how to make.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Raised whenever an install would turn out differently for the same lock: it gives every environment another id.
const LAYOUT: &str = "1";

/// One environment as it was compiled in: what it holds, and the lock that says so.
#[derive(Debug)]
pub struct Recipe {
    /// The name it is asked for by.
    pub name: &'static str,
    /// One line for `env list`.
    pub summary: &'static str,
    /// Requirements with hashes.
    pub(crate) requirements: &'static str,
    /// Hash, size and name of each wheel.
    pub(crate) wheels: &'static str,
    /// The names that can be imported.
    pub(crate) modules: &'static str,
    /// What the finished environment is checked with: modules to import.
    pub(crate) check: &'static [&'static str],
}

/// Smallest first: the first that holds what a program imports is the one it gets.
pub(crate) static KNOWN: &[Recipe] = &[Recipe {
    name: "lean",
    summary: "numpy, pandas, scipy, matplotlib, seaborn, duckdb, openpyxl, pillow, requests; Node and Deno",
    requirements: include_str!("../lock/lean.txt"),
    wheels: include_str!("../lock/lean.wheels"),
    modules: include_str!("../lock/lean.modules"),
    check: &[
        "IPython",
        "numpy",
        "pandas",
        "scipy.stats",
        "matplotlib.pyplot",
        "seaborn",
        "requests",
        "openpyxl",
        "PIL.Image",
        "duckdb",
    ],
}];

/// The standard library's modules, of every Python that an environment may be built on.
static STANDARD: &str = include_str!("../lock/stdlib.modules");

impl Recipe {
    /// The recipe of this name.
    pub fn named(name: &str) -> Result<&'static Self> {
        KNOWN
            .iter()
            .find(|recipe| recipe.name == name)
            .ok_or_else(|| Error::Unknown { name: name.to_owned() })
    }

    /// What an environment made from this recipe is called by: 12 hexadecimal digits that change with the lock, the layout and
    /// the machine's architecture. Not with the interpreter: that is copied in, so a newer one on the host changes nothing.
    pub fn id(&self) -> String {
        let mut hash = Sha256::new();
        for part in [LAYOUT, std::env::consts::ARCH, self.name, self.requirements] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hex(&hash.finalize())[..12].to_owned()
    }

    /// Whether `import module` works in this environment, for the top-level name of a module: the standard library's, a package's
    /// or that of something a package needs. Not a distribution's name: `PIL`, not `pillow`.
    pub fn provides(&self, module: &str) -> bool {
        STANDARD.lines().chain(self.modules.lines()).any(|each| each == module)
    }

    /// Those of `imports` that this environment does not hold.
    pub fn missing(&self, imports: &BTreeSet<String>) -> BTreeSet<String> {
        imports.iter().filter(|module| !self.provides(module)).cloned().collect()
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        .collect()
}

/// The smallest environment that holds the most of `imports`, and those of them that it does not hold (which may be the program's
/// own modules, or found nowhere).
pub fn choose(imports: &BTreeSet<String>) -> (&'static Recipe, BTreeSet<String>) {
    KNOWN
        .iter()
        .map(|recipe| (recipe, recipe.missing(imports)))
        .min_by_key(|(_, missing)| missing.len())
        .expect("at least one recipe is compiled in")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn lean_holds_libraries_their_needs_and_the_standard_library() {
        let lean = Recipe::named("lean").unwrap();
        assert_eq!(
            lean.missing(&set(&["PIL", "numpy", "dateutil", "os", "tomllib", "__future__"])),
            set(&[])
        );
        assert_eq!(lean.missing(&set(&["torch", "pillow", "pandas"])), set(&["pillow", "torch"]));
        assert!(matches!(Recipe::named("leaner"), Err(Error::Unknown { .. })));
    }

    #[test]
    fn what_no_environment_holds_is_told() {
        let (recipe, missing) = choose(&set(&["pandas", "helpers"]));
        assert_eq!((recipe.name, missing), ("lean", set(&["helpers"])));
    }

    #[test]
    fn what_is_checked_is_held() {
        for recipe in KNOWN {
            for module in recipe.check {
                assert!(recipe.provides(module.split('.').next().unwrap()), "{module}");
            }
        }
    }

    #[test]
    fn an_id_is_twelve_digits_and_stable() {
        let lean = Recipe::named("lean").unwrap();
        assert_eq!(lean.id(), lean.id());
        assert!(lean.id().len() == 12 && lean.id().bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
