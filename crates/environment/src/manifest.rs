//! The file that makes a directory an environment: written last, and read to find it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::files;

/// Its name below an environment's root.
pub(crate) const FILE: &str = "environment.json";
const FORMAT: u32 = 1;

/// The manifest as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    pub(crate) name: String,
    pub(crate) id: String,
    /// The interpreter's version, such as `3.12.1`.
    pub(crate) python: String,
    /// Name and version of each Python package, sorted by name.
    pub(crate) packages: Vec<(String, String)>,
    /// The same of the JavaScript libraries.
    #[serde(default)]
    pub(crate) javascript: Vec<(String, String)>,
    /// Name and version of each program in `bin` that people ask for.
    pub(crate) programs: BTreeMap<String, String>,
    /// Bytes on disk.
    pub(crate) size: u64,
    /// Seconds since 1970.
    pub(crate) created: u64,
}

/// An environment that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The recipe's name.
    pub name: String,
    /// Changes with the lock; see [`Recipe::id`](crate::Recipe::id).
    pub id: String,
    /// The directory to bind, read-only, at [`ROOT`](crate::ROOT) in a cell.
    pub root: PathBuf,
    /// The version of its Python, such as `3.12.1`.
    pub python: String,
}

/// What `env show` tells of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Which environment it is.
    pub installed: Installed,
    /// Name and version of each Python package, sorted by name.
    pub packages: Vec<(String, String)>,
    /// Name and version of each JavaScript package that a program can import, sorted by name.
    pub javascript: Vec<(String, String)>,
    /// Name and version of each program: `python`, `pip`, `node`, `npm`, `deno`.
    pub programs: BTreeMap<String, String>,
    /// What it takes on disk, in bytes.
    pub size: u64,
    /// When it was installed, in seconds since 1970.
    pub created: u64,
}

impl Manifest {
    pub(crate) fn new(name: &str, id: String, python: &str) -> Self {
        let created = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        Self {
            format: FORMAT,
            name: name.to_owned(),
            id,
            python: python.to_owned(),
            packages: Vec::new(),
            javascript: Vec::new(),
            programs: BTreeMap::new(),
            size: 0,
            created,
        }
    }

    pub(crate) fn write(&self, root: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).expect("a manifest is plain data");
        files::write(&root.join(FILE), text + "\n")
    }

    /// The manifest of the environment at `root`; `None` where there is no environment.
    pub(crate) fn read(root: &Path) -> Result<Option<Self>> {
        let path = root.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(Error::file("read", &path)(error)),
        };
        let malformed = |problem: String| Error::Malformed { what: path.display().to_string(), problem };
        let manifest: Self = serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        if manifest.format != FORMAT {
            return Err(malformed(format!("it has the format {}, not {FORMAT}", manifest.format)));
        }
        Ok(Some(manifest))
    }

    pub(crate) fn installed(&self, root: PathBuf) -> Installed {
        Installed { name: self.name.clone(), id: self.id.clone(), root, python: self.python.clone() }
    }

    pub(crate) fn description(self, root: PathBuf) -> Description {
        Description {
            installed: self.installed(root),
            packages: self.packages,
            javascript: self.javascript,
            programs: self.programs,
            size: self.size,
            created: self.created,
        }
    }
}

impl Installed {
    /// The list of fonts that matplotlib would otherwise make anew, which takes seconds: `share/matplotlib/fontlist-v….json`. Copied
    /// into the directory that `MPLCONFIGDIR` names (which matplotlib wants to write to), it is used as it is. The fonts in it are
    /// matplotlib's own, by relative path, and the host's below `/usr/share/fonts`, which cells see.
    pub fn font_list(&self) -> Option<PathBuf> {
        let entries = files::entries(&self.root.join(crate::finish::FONTS)).ok()?;
        entries
            .into_iter()
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|each| each == "json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), None);
        let mut manifest = Manifest::new("lean", "0123456789ab".to_owned(), "3.12.1");
        manifest.packages.push(("numpy".to_owned(), "2.4.6".to_owned()));
        manifest.javascript.push(("lodash".to_owned(), "4.18.1".to_owned()));
        manifest.programs.insert("node".to_owned(), "24.19.0".to_owned());
        manifest.write(dir.path()).unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), Some(manifest));
    }

    #[test]
    fn a_torn_or_foreign_manifest_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            files::write(&dir.path().join(FILE), text).unwrap();
            Manifest::read(dir.path()).unwrap_err().to_string()
        };
        assert!(read("{\"format\": 1, \"na").contains("environment.json"));
        let mut other = Manifest::new("lean", String::new(), "3.12.1");
        other.format = 2;
        assert!(read(&serde_json::to_string(&other).unwrap()).contains("the format 2"));
    }
}
