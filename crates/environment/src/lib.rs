//! Installs and describes environments: what a cell sees as its software, read-only and shared by all cells.
//!
//! An environment is one directory that is bound at [`ROOT`] in every cell: an interpreter copied from the host, the packages of a
//! lock, Node and Deno with their libraries. Its recipe (name, lock, modules) is compiled in; uv installs it, once, with the network; from then on it
//! is found by one small file, and nothing of the network, of uv or of the host's Python is needed.
//!
//! What must stay true:
//!
//! - The lock names packages by version and hash and holds no address. Where files come from is the user's configuration.
//! - A directory has an environment's name only once it is complete, checked and on disk. Whatever is killed at any moment,
//!   the next install starts from a clean stage, with what was already fetched.
//! - Nothing in it names the place where it was made; everything in it can be read by every user.
//! - Two installs into one directory never run at the same time; the second finds what the first has made.
//!
//! Rejected: an environment made in place and repaired (half of one would be used some day); binding the host's interpreter (an
//! upgrade of the host would change the ground under warm kernels, and a home directory may be closed to other users); a package
//! manager of our own.

mod base;
mod command;
mod compile;
mod deno_cache;
mod elf;
mod error;
mod fetch;
mod files;
mod finish;
mod imports;
mod index;
mod install;
mod javascript;
mod layer;
mod lock;
mod manifest;
mod npm;
#[cfg(test)]
mod page;
mod place;
mod progress;
mod python;
mod recipe;
pub mod runtime;
mod tools;
mod uv;
mod wants;

use std::path::{Path, PathBuf};

pub use error::{Error, Result};
pub use imports::imports;
pub use javascript::{has_library, libraries as javascript_libraries};
pub use manifest::{Description, Installed};
pub use progress::{Fetching, Progress, Stage};
pub use recipe::{Recipe, choose, holder};
pub use runtime::Runtime;
pub use tools::{base_python, uv_on_path};
pub use wants::{Absent, Sign, Want};

use manifest::Manifest;

/// Where every cell sees its environment.
pub const ROOT: &str = "/opt/cellblock/env";

/// An `environments` directory. It may be shared by many daemons, and need not exist before the first install.
#[derive(Debug, Clone)]
pub struct Environments {
    dir: PathBuf,
}

/// A recipe, and whether it is installed.
#[derive(Debug, Clone)]
pub struct Status {
    /// What could be installed.
    pub recipe: &'static Recipe,
    /// What is.
    pub installed: Option<Installed>,
    /// Environments of the same name from other versions of cellblock, which this one does not use.
    pub others: Vec<PathBuf>,
}

impl Environments {
    /// The environments below `dir`. Nothing is read yet.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The recipes that are compiled in, smallest first.
    pub fn known() -> &'static [Recipe] {
        recipe::KNOWN
    }

    /// Every recipe, with what is installed of it.
    pub fn list(&self) -> Result<Vec<Status>> {
        Self::known()
            .iter()
            .map(|recipe| {
                let own = install::directory(recipe);
                let prefix = format!("{}-", recipe.name);
                let entries = if self.dir.is_dir() { files::entries(&self.dir)? } else { Vec::new() };
                let others = entries.iter().filter(|entry| {
                    let name = entry.file_name();
                    name.to_string_lossy().starts_with(&prefix)
                        && name != *own
                        && entry.path().join(manifest::FILE).exists()
                });
                let others = others.map(std::fs::DirEntry::path).collect();
                Ok(Status { recipe, installed: self.find(recipe.name)?, others })
            })
            .collect()
    }

    /// The environment of this name, if this version of its recipe is installed. Reads one small file.
    pub fn find(&self, name: &str) -> Result<Option<Installed>> {
        Ok(self.manifest(name)?.map(|(manifest, root)| manifest.installed(root)))
    }

    /// Installs the environment of this name, or finds it where it is installed already. Takes a minute and the network the first
    /// time; waits for whoever is installing into the same directory.
    pub fn install(&self, name: &str, progress: &mut dyn Progress) -> Result<Installed> {
        match self.find(name) {
            Ok(Some(installed)) => Ok(installed),
            Ok(None) | Err(Error::Malformed { .. }) => {
                install::install(Recipe::named(name)?, &self.dir, progress)
            }
            Err(error) => Err(error),
        }
    }

    /// What is in the environment of this name.
    pub fn describe(&self, name: &str) -> Result<Description> {
        let found = self.manifest(name)?;
        let (manifest, root) =
            found.ok_or_else(|| Error::NotInstalled { name: name.to_owned(), dir: self.dir.clone() })?;
        Ok(manifest.description(root))
    }

    fn manifest(&self, name: &str) -> Result<Option<(Manifest, PathBuf)>> {
        let root = self.dir.join(install::directory(Recipe::named(name)?));
        let Some(manifest) = Manifest::read(&root)? else { return Ok(None) };
        let root = root.canonicalize().map_err(Error::file("resolve", &root))?;
        Ok(Some((manifest, root)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_found_where_nothing_is() {
        let environments = Environments::new("/nonexistent/environments");
        assert_eq!(environments.find("lean").unwrap(), None);
        assert!(environments.list().unwrap().iter().all(|status| status.installed.is_none()));
        assert!(matches!(environments.describe("lean"), Err(Error::NotInstalled { .. })));
        assert!(matches!(environments.find("large"), Err(Error::Unknown { .. })));
        assert!(matches!(environments.install("large", &mut ()), Err(Error::Unknown { .. })));
    }

    #[test]
    fn what_is_there_is_found_without_being_installed() {
        let dir = tempfile::tempdir().unwrap();
        let recipe = Recipe::named("lean").unwrap();
        let root = dir.path().join(install::directory(recipe));
        for each in [&root, &dir.path().join("lean-0123456789ab"), &dir.path().join("lean-half")] {
            files::create_dir(each).unwrap();
        }
        let mut manifest = Manifest::new("lean", recipe.id(), "3.12.1");
        manifest.packages.push(("numpy".to_owned(), "2.4.6".to_owned()));
        manifest.write(&root).unwrap();
        manifest.write(&dir.path().join("lean-0123456789ab")).unwrap();

        let environments = Environments::new(dir.path());
        let found = environments.find("lean").unwrap().unwrap();
        assert_eq!((found.id.as_str(), found.python.as_str()), (recipe.id().as_str(), "3.12.1"));
        assert_eq!(found.root, root.canonicalize().unwrap());
        assert_eq!(environments.install("lean", &mut ()).unwrap(), found);
        assert_eq!(environments.describe("lean").unwrap().packages.len(), 1);
        let status = environments.list().unwrap().remove(0);
        assert_eq!(status.others, [dir.path().join("lean-0123456789ab")]);
    }
}
