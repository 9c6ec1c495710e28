//! The tests of the crates that make cells once more, as an ordinary user, when we are root; those that need the test
//! bed in one. What the user has afterwards was left behind by a test, which root's own run cannot show.

use std::process::Command;

use anyhow::{Result, bail};

use crate::network;
use crate::step::Verdict;
use crate::user::{Made, User};
use crate::workspace::{Executable, Workspace, run_as};

/// The crates whose tests make cells.
const CRATES: &[&str] = &["session", "cellblock", "forkserver", "bed", "attacks"];

/// Runs the tests of [`CRATES`] as a user made for it.
pub(crate) fn tests(workspace: &Workspace) -> Result<Verdict> {
    let mut built = workspace.build()?;
    built.retain(|executable| {
        let package = workspace.packages.iter().find(|package| package.directory == executable.package);
        package.is_some_and(|package| CRATES.contains(&package.name.as_str()))
    });

    let user = match User::make(workspace, built.iter().map(|executable| executable.path.as_path()))? {
        Made::User(user) => user,
        Made::None(why) => return Ok(Verdict::Skipped(why)),
    };
    let bed = network::bed(&built)?;
    let in_bed = match network::obstacle(user.program(workspace, bed)) {
        Ok(None) => true,
        Ok(Some(why)) => {
            println!("SKIPPED in part: {why}");
            false
        }
        Err(error) => return Err(error),
    };
    let mut failed = Vec::new();
    for executable in built.iter().filter(|executable| executable.test) {
        let listed = tests_in(executable)?;
        let name = executable.path.file_name().unwrap_or_default().display().to_string();
        if !listed.is_empty() {
            let mut command = user.tests(workspace, executable, &built, &executable.path);
            failed.extend(run_as(&mut command, &name).err());
        }
        if in_bed && listed.contains(network::MODULE) {
            let mut command = user.tests(workspace, executable, &built, bed);
            command.args(["run", "--"]).arg(&executable.path).arg(network::MODULE);
            failed.extend(run_as(&mut command, &format!("bed run -- {name} {}", network::MODULE)).err());
        }
    }
    let left = user.left_behind()?;
    for thing in &left {
        println!("left behind: {thing}");
    }
    if let Some(first) = failed.first() {
        bail!("{first:#}");
    }
    if !left.is_empty() {
        bail!("{} things left behind", left.len());
    }
    Ok(Verdict::Passed)
}

/// The names of a harness's tests; one without any would only add its empty summary.
fn tests_in(executable: &Executable) -> Result<String> {
    let listed = Command::new(&executable.path).args(["--list", "--format", "terse"]).output()?;
    Ok(String::from_utf8(listed.stdout)?)
}
