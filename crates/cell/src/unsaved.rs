//! What a session changed and nobody has saved.
//!
//! A cell whose files are to outlive it has a note beside them that says whose they are. Saving them takes the note
//! away. While it is there nothing removes the files, neither the end of the cell nor the next node that tidies up after
//! one that died: they are put aside, in `<data>/unsaved/<session>`, where people find them.
//!
//! Rejected: saving them into the store at the next start. Something newer may be there by then, which an older copy
//! must not replace, and what was being written when the daemon died is not whole.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::error::{At, Result};

/// The note's name in the directory of a cell.
const NOTE: &str = "note";

/// Says that the files of a cell are to be kept, and whose they are.
pub(crate) fn note(cell: &Path, text: &str) -> Result<()> {
    let note = cell.join(NOTE);
    fs::write(&note, text).at("write", &note)
}

/// The files of a cell have been saved.
pub(crate) fn settle(cell: &Path) -> Result<()> {
    let note = cell.join(NOTE);
    match fs::remove_file(&note) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).at("remove", &note),
        _ => Ok(()),
    }
}

/// Puts the workspace of a cell aside, with its note, if there is one. Gives where it is then.
pub(crate) fn put_aside(cell: &Path, unsaved: &Path) -> Result<Option<PathBuf>> {
    if !cell.join(NOTE).is_file() {
        return Ok(None);
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(unsaved).at("create", unsaved)?;
    let aside = unsaved.join(cell.file_name().unwrap_or_default());
    fs::rename(cell, &aside).at("put aside", cell)?;
    // Nobody wants it back, and much may be in it.
    let home = aside.join("home");
    if let Err(error) = sys::remove::tree(&home) {
        tracing::warn!("remove `{}`: {error}", home.display());
    }
    Ok(Some(aside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_note_is_put_aside_and_nothing_else() {
        let data = tempfile::tempdir().unwrap();
        let (cell, unsaved) = (data.path().join("cells/id"), data.path().join("unsaved"));
        fs::create_dir_all(cell.join("workspace")).unwrap();
        fs::create_dir_all(cell.join("home/much")).unwrap();
        fs::write(cell.join("workspace/a"), "a").unwrap();
        assert_eq!(put_aside(&cell, &unsaved).unwrap(), None);
        note(&cell, "whose").unwrap();
        settle(&cell).unwrap();
        settle(&cell).unwrap();
        assert_eq!(put_aside(&cell, &unsaved).unwrap(), None);
        note(&cell, "whose").unwrap();
        let aside = put_aside(&cell, &unsaved).unwrap().unwrap();
        assert_eq!(aside, unsaved.join("id"));
        assert!(!cell.exists() && !aside.join("home").exists());
        assert_eq!(fs::read(aside.join("workspace/a")).unwrap(), b"a");
        assert_eq!(fs::read(aside.join("note")).unwrap(), b"whose");
    }
}
