//! The environments that tests use, installed as a user would install them.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::step::Verdict;
use crate::workspace::{Workspace, run};

/// Tells the tests where the installed environments are; an absolute path.
pub(crate) const VARIABLE: &str = "CELLBLOCK_TEST_ENVIRONMENTS";

/// Where the tests' environments are: as the caller says, or below the target directory, so that they outlive
/// a run.
pub(crate) fn directory(workspace: &Workspace) -> PathBuf {
    match env::var_os(VARIABLE) {
        Some(given) => workspace.root.join(given),
        None => workspace.target.join("test-data/environments"),
    }
}

/// What tests use.
const ENVIRONMENTS: &[&str] = &["lean", "full"];

/// Builds `cellblock`, and tells where it is.
pub(crate) fn program(workspace: &Workspace) -> Result<PathBuf> {
    let built = workspace.build()?;
    let cellblock =
        built.into_iter().find(|executable| !executable.test && executable.path.ends_with("cellblock"));
    Ok(cellblock.context("cargo built no `cellblock`")?.path)
}

/// Builds `cellblock` and has it install them; it knows by itself what is there already.
pub(crate) fn install(workspace: &Workspace) -> Result<Verdict> {
    let program = program(workspace)?;
    for name in ENVIRONMENTS {
        let mut command = Command::new(&program);
        command.args(["env", "install", name, "--environments"]).arg(directory(workspace));
        run(command.current_dir(&workspace.root))?;
    }
    Ok(Verdict::Passed)
}
