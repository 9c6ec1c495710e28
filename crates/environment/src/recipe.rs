//! The environments that this build knows how to make.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::wants::{self, Absent, Want};
use crate::{javascript, lock};

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
    /// Bytes that an install takes on disk while it goes on, and room to spare. Measured: `lean` comes to 0.89 GiB, `full` to 7.0;
    /// what was fetched shares its files with what is laid out, but for 0.06 GiB of JavaScript libraries.
    pub disk_bytes: u64,
    /// Whether a program that imports something of it is reason enough to install it.
    pub installs_unasked: bool,
    /// What its libraries want of the host.
    pub wants: &'static [Want],
    /// What does not come with its libraries.
    pub absent: &'static [Absent],
}

/// Smallest first: the first that holds what a program imports is the one it gets.
pub(crate) static KNOWN: &[Recipe] = &[
    Recipe {
        name: "lean",
        summary: "numpy, pandas, scipy, matplotlib, seaborn, duckdb, openpyxl, pillow, requests; Node and Deno",
        requirements: include_str!("../lock/lean.txt"),
        wheels: include_str!("../lock/lean.wheels"),
        modules: include_str!("../lock/lean.modules"),
        check: LEAN_CHECK,
        disk_bytes: 5 << 28,
        installs_unasked: true,
        wants: &[],
        absent: &[],
    },
    Recipe {
        name: "full",
        summary: "all of lean; torch, scikit-learn, polars, spaCy, OpenCV, solvers, Word, PDF, video, web: over 280 packages",
        requirements: include_str!("../lock/full.txt"),
        wheels: include_str!("../lock/full.wheels"),
        modules: include_str!("../lock/full.modules"),
        // What is likeliest to miss a library of the host's; the rest is imported by the tests.
        check: FULL_CHECK,
        disk_bytes: 8 << 30,
        // Gigabytes are not fetched for an import that may be optional.
        installs_unasked: false,
        wants: wants::HOST,
        absent: wants::ABSENT,
    },
];

const LEAN_CHECK: &[&str] = &[
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
];

const FULL_CHECK: &[&str] = &[
    "IPython",
    "pandas",
    "matplotlib.pyplot",
    "torch",
    "sklearn",
    "cv2",
    "pyarrow",
    "numba",
    "ortools",
    "lxml.etree",
];

/// The 12 of Python 3.12.
const USUAL_MINOR: u8 = 12;

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

    /// What an environment made from this recipe is called by: 12 hexadecimal digits that change with the locks, the layout and
    /// the machine's architecture. Not with the interpreter: that is copied in, so a newer one on the host changes nothing.
    pub fn id(&self) -> String {
        let mut hash = Sha256::new();
        for part in [LAYOUT, std::env::consts::ARCH, self.name, self.requirements, javascript::LOCK] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hex(&hash.finalize())[..12].to_owned()
    }

    /// The top-level names that its packages are imported by; see [`Self::provides`].
    pub fn modules(&self) -> impl Iterator<Item = &'static str> {
        self.modules.lines()
    }

    /// Whether `import module` works in this environment, for the top-level name of a module: the standard library's, a package's
    /// or that of something a package needs. Not a distribution's name: `PIL`, not `pillow`.
    pub fn provides(&self, module: &str) -> bool {
        STANDARD.lines().chain(self.modules.lines()).any(|each| each == module)
    }

    /// Bytes of the wheels and JavaScript libraries that an install on this machine fetches, for the Python that most machines have.
    pub fn fetched_bytes(&self) -> u64 {
        let packages = lock::packages(self.requirements, self.wheels, USUAL_MINOR, std::env::consts::ARCH);
        let wheels: u64 = packages.unwrap_or_default().iter().map(|package| package.size).sum();
        wheels + javascript::fetched_bytes()
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

/// The smallest environment that holds the most of `imports`, among those that are `at_hand`, and those of them that it does not
/// hold (which may be the program's own modules, those of another environment, or found nowhere). The smallest of all is always
/// at hand.
pub fn choose(
    imports: &BTreeSet<String>,
    at_hand: impl Fn(&Recipe) -> bool,
) -> (&'static Recipe, BTreeSet<String>) {
    let (smallest, larger) = KNOWN.split_first().expect("at least one recipe is compiled in");
    std::iter::once(smallest)
        .chain(larger.iter().filter(|recipe| at_hand(recipe)))
        .map(|recipe| (recipe, recipe.missing(imports)))
        .min_by_key(|(_, missing)| missing.len())
        .expect("one is always at hand")
}

/// The smallest environment that holds a module.
pub fn holder(module: &str) -> Option<&'static Recipe> {
    KNOWN.iter().find(|recipe| recipe.provides(module))
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
    fn the_smallest_that_holds_the_most_is_chosen() {
        let chosen = |names: &[&str], full: bool| {
            let (recipe, missing) = choose(&set(names), |_| full);
            (recipe.name, missing)
        };
        assert_eq!(chosen(&["pandas", "helpers"], true), ("lean", set(&["helpers"])));
        assert_eq!(chosen(&["pandas", "torch", "docx"], true), ("full", set(&[])));
        assert_eq!(chosen(&["pandas", "torch", "os"], false), ("lean", set(&["torch"])));
        assert_eq!(chosen(&["torch", "helpers"], true), ("full", set(&["helpers"])));
        assert_eq!(
            ["numpy", "cv2", "helpers"].map(|name| holder(name).map(|recipe| recipe.name)),
            [Some("lean"), Some("full"), None]
        );
    }

    #[test]
    fn each_environment_holds_all_of_the_smaller_one() {
        for pair in KNOWN.windows(2) {
            for module in pair[0].modules.lines() {
                assert!(pair[1].provides(module), "`{}` does not hold {module}", pair[1].name);
            }
            assert!(pair[0].fetched_bytes() < pair[1].fetched_bytes());
        }
    }

    #[test]
    fn full_is_as_large_as_it_says() {
        let full = Recipe::named("full").unwrap();
        for minor in 11..=14 {
            let packages =
                lock::packages(full.requirements, full.wheels, minor, std::env::consts::ARCH).unwrap();
            assert!(packages.len() >= 250, "{} packages for 3.{minor}", packages.len());
        }
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
