//! Starting the servers: Python programs, below `world/`.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

/// Names a directory of installed environments.
const ENVIRONMENTS: &str = "CELLBLOCK_TEST_ENVIRONMENTS";

/// On which side of the pair servers run.
#[derive(Clone, Copy)]
pub(crate) enum Role {
    World,
    Machine,
}

/// The Python that runs them: as given, or that of the environment `full`.
pub(crate) fn python(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    let directory = env::var_os(ENVIRONMENTS)
        .with_context(|| format!("{ENVIRONMENTS} names no directory with the environment `full`"))?;
    let listed = std::fs::read_dir(&directory)
        .with_context(|| format!("list {}", directory.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("full-")))
        .map(|path| path.join("bin/python"));
    // Sorted, so that the same one is taken each time.
    listed.filter(|python| python.exists()).max().with_context(|| {
        format!("no `full` in {}: `cargo run -p check -- environment` installs it", directory.display())
    })
}

/// Starts the servers of a side in the calling thread's network namespace, and waits until they listen.
pub(crate) fn start(python: &Path, directory: &Path, role: Role) -> Result<Child> {
    let role = match role {
        Role::World => "world",
        Role::Machine => "machine",
    };
    let mut command = Command::new(python);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").envs(told(python)?);
    command.args(["-B", "-s"]).arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("world/main.py"));
    command.args([directory.as_os_str(), role.as_ref()]).current_dir(directory);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("start {}", python.display()))?;
    let mut said = String::new();
    BufReader::new(child.stdout.as_mut().context("no output")?).read_line(&mut said)?;
    if said != "ready\n" {
        bail!("the bed's servers did not start");
    }
    Ok(child)
}

/// What a Python must be told. An environment is made to lie somewhere else, in a cell: what its Python reads there by
/// itself it is told here.
pub(crate) fn told(python: &Path) -> Result<Vec<(&'static str, PathBuf)>> {
    match python.ancestors().nth(2) {
        Some(environment) if environment.join("base").is_dir() => {
            Ok(vec![("PYTHONHOME", environment.join("base")), ("PYTHONPATH", packages(environment)?)])
        }
        _ => Ok(Vec::new()),
    }
}

/// Where the packages of an environment are.
fn packages(environment: &Path) -> Result<PathBuf> {
    let library = environment.join("lib");
    let listed = std::fs::read_dir(&library).with_context(|| format!("list {}", library.display()))?;
    let packages = listed.filter_map(|entry| Some(entry.ok()?.path().join("site-packages")));
    packages.filter(|path| path.is_dir()).max().context("the environment has no packages")
}
