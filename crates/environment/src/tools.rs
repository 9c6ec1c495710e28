//! What an install needs of this machine, looked for without installing anything.

use std::path::PathBuf;

use crate::error::Result;
use crate::{python, uv};

/// The Python that an environment would be built on: its path, and its version.
pub fn base_python() -> Result<(PathBuf, String)> {
    let found = python::find()?;
    Ok((found.executable, found.version))
}

/// The uv on the `PATH` that an install would use; none: it would fetch one.
pub fn uv_on_path() -> Option<PathBuf> {
    uv::on_path()
}
