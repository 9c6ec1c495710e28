//! What was put aside because nobody had saved it.
//!
//! A whole working copy is put aside, of which most was brought or had been saved already. That is removed, by what is
//! written down beside it, so that what is found there is what was lost to the session's workspace, and nothing where
//! nothing was.

use std::fs;
use std::path::Path;

use sys::file::Lock;

use crate::error::chain;

/// Removes from a working copy what is no loss.
pub(crate) fn strip(workspace: &Path, brought: &Path) {
    match workspace::strip(workspace, brought) {
        Ok(_) => _ = fs::remove_file(brought),
        Err(error) => tracing::warn!("failed to {}", chain(&error)),
    }
}

/// Looks at what was put aside by daemons that died, and says what it is. Several may do that at a time.
pub(crate) fn tidy(unsaved: &Path) {
    let Ok(entries) = fs::read_dir(unsaved) else { return };
    for entry in entries.flatten() {
        let aside = entry.path();
        let brought = aside.join("brought");
        // Without it nothing is known, or it has been looked at.
        if !brought.is_file() {
            continue;
        }
        let Ok(Some(_lock)) = Lock::try_take(&aside.join("lock")) else { continue };
        let shown = aside.display();
        match workspace::strip(&aside.join("workspace"), &brought) {
            Ok(0) => {
                tracing::info!("a session was cut off and had saved everything: `{shown}` is removed");
                if let Err(error) = sys::remove::tree(&aside) {
                    tracing::warn!("remove `{shown}`: {error}");
                }
            }
            Ok(files) => {
                let _ = fs::remove_file(&brought).and_then(|()| fs::remove_file(aside.join("lock")));
                tracing::warn!(files, "a session was cut off: what it had not saved is in `{shown}`");
            }
            Err(error) => tracing::warn!("failed to {}", chain(&error)),
        }
    }
}
