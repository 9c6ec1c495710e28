//! Where things are kept.

use std::io;
use std::path::{Path, PathBuf};

use crate::cli::Common;
use crate::hints::Hint;

/// The directories that this process uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places {
    /// The data directory.
    pub(crate) data: PathBuf,
    /// The directory of environments.
    pub(crate) environments: PathBuf,
}

impl Places {
    /// As the command line says, or the usual ones.
    pub(crate) fn new(common: &Common) -> anyhow::Result<Places> {
        let variable = |name| std::env::var_os(name).map(PathBuf::from);
        let data = match &common.data {
            Some(data) => data.clone(),
            None => usual(variable("XDG_DATA_HOME"), variable("HOME")).ok_or_else(|| {
                Hint::new(
                    "find a place to keep things: there is no home directory",
                    "name one with `--data DIR`",
                )
            })?,
        };
        // Cells see these through other processes, which have another working directory.
        let data = std::path::absolute(data)?;
        let environments = match &common.environments {
            Some(environments) => std::path::absolute(environments)?,
            None => data.join("environments"),
        };
        Ok(Places { data, environments })
    }
}

/// As the XDG base directories want it: a relative one is none.
fn usual(xdg: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    let base = xdg.filter(absolute).or_else(|| Some(home.filter(absolute)?.join(".local/share")))?;
    Some(base.join("cellblock"))
}

/// Tries to make something in a directory, which need not exist: the nearest above it that does speaks for it. Gives
/// that one.
pub(crate) fn try_writing(directory: &Path) -> io::Result<PathBuf> {
    let mut nearest = std::path::absolute(directory)?;
    // A link that leads nowhere exists, and no directory can be made in its place.
    while std::fs::symlink_metadata(&nearest).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        && nearest.pop()
    {}
    if !std::fs::metadata(&nearest)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let tried = nearest.join(format!(".cellblock-{}", std::process::id()));
    std::fs::create_dir(&tried).and_then(|()| std::fs::remove_dir(&tried))?;
    Ok(nearest)
}

/// A path as it is best told: without the working directory where it lies below.
pub(crate) fn told(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let shown = path.strip_prefix(&here).or(path.strip_prefix(".")).unwrap_or(path);
    let shown = if shown.as_os_str().is_empty() { Path::new(".") } else { shown };
    crate::printer::name(&shown.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_as_it_is_seen_from_here() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(told(&here), ".");
        assert_eq!(told(&here.join("a/b")), "a/b");
        assert_eq!(told(Path::new("./a")), "a");
        assert_eq!(told(Path::new("/else/where")), "/else/where");
    }

    #[test]
    fn the_usual_place_is_the_users_own() {
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(usual(path("/x"), path("/home/you")), path("/x/cellblock"));
        assert_eq!(usual(path("x"), path("/home/you")), path("/home/you/.local/share/cellblock"));
        assert_eq!(usual(None, path("")), None);
        assert_eq!(usual(None, None), None);
    }
}
