//! The JavaScript libraries: the same in every environment, by npm, from a lock of their own.
//!
//! The lock is npm's own file, with a hash for every package and no address: where packages come from is the user's configuration
//! of npm (`~/.npmrc`), what they contain is ours. The npm that installs them is the one that came with the wheels before. No
//! script of a package is run.
//!
//! They lie in `lib/node_modules`, and every cell has a link `/node_modules` to it: what the walk upward from any directory finds
//! last. So Node, Deno and TypeScript find them with no variable and no option of ours, after whatever a session has installed.
//! `NODE_PATH` was rejected for them, which only `require` knows. What npm makes of such a link is in `scripts/npm.js`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{File, FileTimes};
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::index::Index;
use crate::place::{Place, Staging};
use crate::{files, npm};

/// What is wanted, as npm reads it.
const WANTED: &str = include_str!("../lock/javascript/package.json");
/// Which packages that comes to.
pub(crate) const LOCK: &str = include_str!("../lock/javascript/package-lock.json");
/// For each architecture, the bytes that npm fetches.
const BYTES: &str = include_str!("../lock/javascript/bytes");

/// Where the libraries lie below an environment's root.
pub(crate) const LIBRARIES: &str = "lib/node_modules";
/// The declarations of what Deno has, below an environment's root: TypeScript needs them to check programs for it.
pub(crate) const DENO_TYPES: &str = "lib/deno.d.ts";

/// As much of npm's lock as is needed here.
#[derive(Deserialize)]
struct Lock {
    packages: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    version: Option<String>,
    #[serde(default)]
    optional: bool,
}

#[derive(Deserialize)]
struct Wanted {
    dependencies: BTreeMap<String, String>,
}

/// The libraries that were asked for: those that a program can import, and their types.
pub(crate) fn wanted() -> Result<Vec<String>> {
    let wanted: Wanted = serde_json::from_str(WANTED).map_err(malformed("package.json"))?;
    Ok(wanted.dependencies.into_keys().collect())
}

/// Whether every environment has this JavaScript library: `lodash`, `@babel/runtime`.
pub fn has_library(name: &str) -> bool {
    static NAMES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
        let lock: Lock = serde_json::from_str(LOCK).unwrap_or(Lock { packages: BTreeMap::new() });
        let names = lock.packages.keys().filter_map(|path| path.strip_prefix("node_modules/"));
        names.filter(|name| !name.contains("node_modules/")).map(str::to_owned).collect()
    });
    NAMES.contains(name)
}

/// Those of them that are not for programs to import.
pub(crate) const TOOLS: &[&str] = &["acorn", "esbuild", "typescript"];

/// The names of the JavaScript libraries that every environment has for programs, sorted; what they need and their types
/// are left out.
pub fn libraries() -> Vec<String> {
    let of_programs = |name: &String| !name.starts_with("@types/") && !TOOLS.contains(&name.as_str());
    wanted().unwrap_or_default().into_iter().filter(of_programs).collect()
}

/// Bytes that an install on this machine fetches for them.
pub(crate) fn fetched_bytes() -> u64 {
    let here = |line: &str| line.strip_prefix(std::env::consts::ARCH)?.trim().parse().ok();
    BYTES.lines().find_map(here).unwrap_or(0)
}

/// A package of the lock that a program can import: not one that another package has to itself.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Whether it is for some machines only.
    optional: bool,
}

/// The packages of the lock, sorted by name.
pub(crate) fn locked() -> Result<Vec<Package>> {
    let lock: Lock = serde_json::from_str(LOCK).map_err(malformed("package-lock.json"))?;
    let package = |(path, entry): (String, Entry)| {
        let name = path.strip_prefix("node_modules/").filter(|name| !name.contains("node_modules/"))?;
        Some(Package { name: name.to_owned(), version: entry.version?, optional: entry.optional })
    };
    let mut packages: Vec<Package> = lock.packages.into_iter().filter_map(package).collect();
    packages.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(packages)
}

/// Name and version of those that are installed in `place`, sorted by name. One that is missing is an error, unless it is for
/// another machine.
pub(crate) fn installed(place: &Path) -> Result<Vec<(String, String)>> {
    let mut packages = Vec::new();
    for Package { name, version, optional } in locked()? {
        if place.join(&name).join("package.json").is_file() {
            packages.push((name, version));
        } else if !optional {
            return Err(Error::Unsound { problem: format!("the JavaScript library `{name}` is missing") });
        }
    }
    Ok(packages)
}

fn malformed(what: &'static str) -> impl FnOnce(serde_json::Error) -> Error {
    move |error| Error::Malformed { what: what.to_owned(), problem: error.to_string() }
}

/// Installs the libraries into the staged environment, by its own npm.
pub(crate) fn install(place: &Place, staging: &Staging<'_>, index: &Index) -> Result<()> {
    // Made aside, so that npm finds a project of its own and no settings of another.
    let project = staging.scratch.join("javascript");
    files::create_dir(&project)?;
    files::write(&project.join("package.json"), WANTED)?;
    files::write(&project.join("package-lock.json"), LOCK)?;
    npm::ci(&staging.root, &project, place, index)?;
    let made = project.join("node_modules");
    tidy(&made)?;
    std::fs::rename(&made, staging.root.join(LIBRARIES)).map_err(Error::file("move", &made))
}

/// Takes out of installed libraries what no cell needs, and what tells of when and where they were installed.
///
/// Not needed, a fifth of the whole: source maps, and copies that are for browsers or for building the library itself.
fn tidy(libraries: &Path) -> Result<()> {
    // npm's own notes, with the addresses that packages came from.
    files::remove(&libraries.join(".package-lock.json"))?;
    for below in ["mathjs/lib/browser", "zod/src"] {
        files::remove(&libraries.join(below))?;
    }
    let mut unneeded = Vec::new();
    files::walk(libraries, &mut |path, metadata| {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        let for_browsers = [&b"cdn.js"[..], b"cdn.min.js"].contains(&name);
        if metadata.is_file() && (for_browsers || path.extension() == Some(OsStr::new("map"))) {
            unneeded.push(path.to_owned());
        }
        Ok(())
    })?;
    for path in unneeded {
        files::remove(&path)?;
    }
    // A moment that is the same for every install; archives of npm have one of their own for the same reason.
    let times = FileTimes::new().set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(499_162_500));
    files::walk(libraries, &mut |path, metadata| {
        if metadata.is_symlink() {
            return Ok(());
        }
        File::open(path).and_then(|file| file.set_times(times)).map_err(Error::file("set the time of", path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::os::unix::fs::MetadataExt;

    /// The path and the entry of every package of the lock, as npm reads them.
    fn entries() -> Vec<(String, Value)> {
        let lock: Value = serde_json::from_str(LOCK).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        packages
            .iter()
            .filter(|(path, _)| !path.is_empty())
            .map(|(path, entry)| (path.clone(), entry.clone()))
            .collect()
    }

    #[test]
    fn every_package_has_a_hash_and_none_has_an_address() {
        assert!(entries().len() > 100);
        for (path, entry) in entries() {
            let hash = entry["integrity"].as_str().unwrap_or_default();
            assert!(hash.starts_with("sha512-") && hash.len() == 95, "{path}: {hash:?}");
            assert!(entry["resolved"].is_null() && entry["link"].is_null(), "{path} has an address");
            assert!(
                entry["hasInstallScript"].is_null() || path == "node_modules/esbuild",
                "{path} wants to run something"
            );
        }
        assert!(!LOCK.contains("://registry") && !WANTED.contains("://"));
    }

    #[test]
    fn the_lock_is_that_of_what_is_wanted() {
        let lock: Value = serde_json::from_str(LOCK).unwrap();
        let wanted: Value = serde_json::from_str(WANTED).unwrap();
        assert_eq!(lock["packages"][""]["dependencies"], wanted["dependencies"]);
        let paths: BTreeSet<String> = entries().into_iter().map(|(path, _)| path).collect();
        for name in super::wanted().unwrap() {
            assert!(paths.contains(&format!("node_modules/{name}")), "{name}");
        }
        for machine in ["x64", "arm64"] {
            for native in ["@typescript/typescript-linux", "@esbuild/linux"] {
                assert!(
                    paths.contains(&format!("node_modules/{native}-{machine}")),
                    "{native} for {machine}"
                );
            }
        }
    }

    #[test]
    fn what_a_program_can_import_is_known_without_an_environment() {
        for name in ["lodash", "@babel/runtime", "@types/node", "typescript"] {
            assert!(has_library(name), "{name}");
        }
        for name in ["", "left-pad", "@babel", "lodash/fp", "cheerio/node_modules/undici"] {
            assert!(!has_library(name), "{name}");
        }
    }

    #[test]
    fn it_is_known_for_every_machine_how_much_is_fetched() {
        let machines: Vec<&str> = BYTES.lines().filter_map(|line| Some(line.split_once(' ')?.0)).collect();
        assert_eq!(machines, ["aarch64", "x86_64"]);
        assert!((10_000_000..100_000_000).contains(&fetched_bytes()));
    }

    #[test]
    fn what_is_installed_is_told_and_what_is_missing_too() {
        let dir = tempfile::tempdir().unwrap();
        assert!(installed(dir.path()).unwrap_err().to_string().contains("is missing"));
        for (path, entry) in entries() {
            let name = path.strip_prefix("node_modules/").unwrap();
            let foreign = entry["optional"] == true && !name.ends_with("linux-x64");
            if !foreign {
                files::create_dir(&dir.path().join(name)).unwrap();
                files::write(&dir.path().join(name).join("package.json"), "{}").unwrap();
            }
        }
        let told = installed(dir.path()).unwrap();
        let names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
        assert!(names.is_sorted() && names.contains(&"zod") && names.contains(&"@esbuild/linux-x64"));
        assert!(!names.iter().any(|name| name.contains("node_modules") || name.ends_with("arm64")));
        files::remove(&dir.path().join("zod")).unwrap();
        assert!(installed(dir.path()).unwrap_err().to_string().contains("`zod` is missing"));
    }

    #[test]
    fn no_trace_of_the_install_is_left_and_nothing_that_is_needed_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str| {
            let path = dir.path().join(path);
            files::create_dir(path.parent().unwrap()).unwrap();
            files::write(&path, "x").unwrap();
        };
        let gone = [
            ".package-lock.json",
            "axios/dist/axios.js.map",
            "date-fns/cdn.js",
            "date-fns/locale/de/cdn.min.js",
            "mathjs/lib/browser/math.js",
            "zod/src/index.ts",
        ];
        let kept = ["axios/index.js", "mathjs/lib/cjs/index.js", "source-map/index.js", "zod/index.d.ts"];
        gone.into_iter().chain(kept).for_each(write);
        files::create_dir(&dir.path().join(".bin")).unwrap();
        files::link("../axios/index.js", &dir.path().join(".bin/axios")).unwrap();
        tidy(dir.path()).unwrap();
        for path in gone {
            assert!(!dir.path().join(path).exists(), "{path}");
        }
        for path in kept {
            assert_eq!(std::fs::metadata(dir.path().join(path)).unwrap().mtime(), 499_162_500, "{path}");
        }
    }
}
