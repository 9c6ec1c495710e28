//! Where the files of workspaces are kept.

use std::path::PathBuf;

use session::Principal;
use session::workspace::{CODE_INTERPRETER, Store, WorkspaceName};

use crate::config::Config;
use crate::hints::Hint;
use crate::place::Places;

/// The name of a workspace, as the command line has it.
pub(crate) fn workspace_name(name: &str) -> Result<WorkspaceName, String> {
    WorkspaceName::parse(name).map_err(|refused| refused.why().to_owned())
}

/// Whether this names a store.
pub(crate) fn is_store(url: &str) -> Result<(), String> {
    match url.strip_prefix("file://") {
        Some(directory) if directory.starts_with('/') => Ok(()),
        _ => {
            Err("it is a directory by its absolute path, as in `file:///srv/cellblock/workspaces`".to_owned())
        }
    }
}

/// The configured store; where none is, a directory of the data directory.
pub(crate) fn open(config: &Config, places: &Places) -> anyhow::Result<Store> {
    let opened = match config.text("workspace.store") {
        Some(url) => Store::open(url),
        None => Store::local(&places.data.join("workspaces")),
    };
    opened.map_err(|error| {
        let error = std::io::Error::other(error);
        let what = "open the store of workspaces";
        Hint::new(what, "it is a directory that this user can write to: `store` in `[workspace]`")
            .because(error)
            .into()
    })
}

/// Where what code makes in this workspace lies on this machine, if that is where it is.
pub(crate) fn directory(
    config: &Config,
    places: &Places,
    principal: &Principal,
    name: &WorkspaceName,
) -> Option<PathBuf> {
    let store = match config.text("workspace.store") {
        Some(url) => PathBuf::from(url.strip_prefix("file://")?),
        None => places.data.join("workspaces"),
    };
    let directory = store.join(principal.to_string()).join(name.as_str()).join(CODE_INTERPRETER);
    directory.is_dir().then_some(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_an_absolute_directory() {
        for wrong in ["", "/srv/files", "file://srv/files", "file:", "s3://bucket/files", "ftp:///x"] {
            assert!(is_store(wrong).is_err(), "{wrong}");
        }
        assert!(is_store("file:///srv/files").is_ok());
    }
}
