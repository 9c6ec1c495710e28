//! The tests of what leaves a cell, in the test bed: `bed run` with those that stand in a module [`MODULE`].

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::environment;
use crate::step::Verdict;
use crate::suite;
use crate::workspace::{Executable, Workspace, run_as};

/// What the module is called in which such tests stand, in whatever crate; its name is part of theirs.
pub(crate) const MODULE: &str = "in_the_bed::";

/// Runs them, in one bed.
pub(crate) fn tests(workspace: &Workspace) -> Result<Verdict> {
    let built = workspace.build()?;
    let bed = bed(&built)?;
    let in_bed = |command: &mut Command| {
        command.env(environment::VARIABLE, environment::directory(workspace));
    };
    let mut probe = Command::new(bed);
    in_bed(&mut probe);
    if let Some(why) = obstacle(probe)? {
        return Ok(Verdict::Skipped(why));
    }
    let mut cargo = suite::runner(workspace);
    // Nothing of the bed leads to a registry, and all is built.
    cargo.args(["--workspace", "--offline", "--no-fail-fast", MODULE]);
    let mut command = Command::new(bed);
    command.args(["run", "--"]).arg(cargo.get_program()).args(cargo.get_args());
    command.current_dir(&workspace.root);
    for (name, value) in cargo.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    in_bed(&mut command);
    run_as(&mut command, &format!("bed run -- cargo nextest run {MODULE}"))?;
    Ok(Verdict::Passed)
}

/// The program that makes a bed.
pub(crate) fn bed(built: &[Executable]) -> Result<&Path> {
    let bed = built.iter().find(|executable| !executable.test && executable.path.ends_with("bed"));
    Ok(&bed.context("cargo built no `bed`")?.path)
}

/// Why no bed can be made here, if that is so: `program` is the one that makes it, as whoever is to. In CI that is an
/// error, since it would go unseen.
pub(crate) fn obstacle(mut program: Command) -> Result<Option<String>> {
    let output = program.args(["run", "--", "true"]).stdin(Stdio::null()).output().context("start `bed`")?;
    if output.status.success() {
        return Ok(None);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let why = format!("no test bed: {}", said.trim().lines().last().unwrap_or_default());
    if env::var_os("CI").is_some() {
        bail!("{why}");
    }
    Ok(Some(why))
}
