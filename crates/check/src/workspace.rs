//! What the steps know of the tree, as `cargo metadata` tells it, and how they run programs in it.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The workspace that the current directory lies in.
pub(crate) struct Workspace {
    /// The directory of the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Where cargo builds; may lie outside the tree.
    pub(crate) target: PathBuf,
    /// The members, in no order.
    pub(crate) packages: Vec<Package>,
}

/// A member of the workspace.
pub(crate) struct Package {
    pub(crate) name: String,
    /// The directory of its `Cargo.toml`.
    pub(crate) directory: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    /// What its own features turn on.
    pub(crate) turns_on: Vec<String>,
}

/// What a `Cargo.toml` asks for.
pub(crate) struct Dependency {
    /// The package's own name, also where the manifest renames it.
    pub(crate) name: String,
    pub(crate) stage: Stage,
    /// Features asked for.
    pub(crate) features: Vec<String>,
}

/// What a dependency is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It becomes part of the crate.
    Normal,
    /// The build script uses it.
    Build,
    /// Tests use it.
    Test,
}

/// A program that cargo built.
pub(crate) struct Executable {
    /// The directory of the package that it belongs to.
    pub(crate) package: PathBuf,
    pub(crate) path: PathBuf,
    /// Built with the test harness.
    pub(crate) test: bool,
}

impl Workspace {
    /// Asks cargo about the workspace around the current directory. Needs no network.
    pub(crate) fn load() -> Result<Self> {
        let output = cargo()
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .stderr(Stdio::inherit())
            .output()
            .context("failed to start `cargo metadata`")?;
        if !output.status.success() {
            bail!("`cargo metadata` failed");
        }
        Self::from_metadata(&serde_json::from_slice(&output.stdout)?)
            .context("`cargo metadata` lacks a field")
    }

    fn from_metadata(metadata: &Value) -> Option<Self> {
        let packages = metadata["packages"].as_array()?;
        Some(Self {
            root: metadata["workspace_root"].as_str()?.into(),
            target: metadata["target_directory"].as_str()?.into(),
            packages: packages.iter().map(Package::from_metadata).collect::<Option<_>>()?,
        })
    }

    /// `cargo` in the root of the workspace.
    pub(crate) fn cargo<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = cargo();
        command.args(arguments).current_dir(&self.root);
        command
    }

    /// Builds every program and every test, and tells which came of it. All at once, because a build of one
    /// crate alone would choose other features of the shared dependencies, and build those twice.
    pub(crate) fn build(&self) -> Result<Vec<Executable>> {
        let output = self
            .cargo(["build", "--workspace", "--lib", "--bins", "--tests"])
            .arg("--message-format=json-render-diagnostics")
            .stderr(Stdio::inherit())
            .output()
            .context("failed to start cargo")?;
        if !output.status.success() {
            bail!("the build failed");
        }
        let messages = String::from_utf8(output.stdout)?;
        Ok(messages.lines().filter_map(Executable::from_message).collect())
    }
}

impl Package {
    fn from_metadata(package: &Value) -> Option<Self> {
        let manifest = Path::new(package["manifest_path"].as_str()?);
        let dependency = |entry: &Value| {
            let stage = match entry["kind"].as_str() {
                Some("dev") => Stage::Test,
                Some("build") => Stage::Build,
                _ => Stage::Normal,
            };
            let features = texts(&entry["features"]);
            Some(Dependency { name: entry["name"].as_str()?.to_owned(), stage, features })
        };
        Some(Self {
            name: package["name"].as_str()?.to_owned(),
            directory: manifest.parent()?.to_owned(),
            dependencies: package["dependencies"]
                .as_array()?
                .iter()
                .map(dependency)
                .collect::<Option<_>>()?,
            turns_on: package["features"].as_object()?.values().flat_map(texts).collect(),
        })
    }
}

/// The texts of a list.
fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|text| Some(text.as_str()?.to_owned())).collect()
}

impl Executable {
    fn from_message(line: &str) -> Option<Self> {
        let message: Value = serde_json::from_str(line).ok()?;
        Some(Self {
            package: Path::new(message["manifest_path"].as_str()?).parent()?.to_owned(),
            path: message["executable"].as_str()?.into(),
            test: message["profile"]["test"].as_bool()?,
        })
    }
}

/// The cargo that started this program, without what it told us about ourselves: a build script that looks at
/// one of those variables would be run again for no reason.
fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        let ours = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
        if ours.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a command with our own stdout and stderr; its failure is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    run_as(command, &shown)
}

/// [`run`], told to the reader as `shown`.
pub(crate) fn run_as(command: &mut Command, shown: &str) -> Result<()> {
    println!("$ {shown}");
    let status = command.status().with_context(|| format!("failed to start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Whether a program is there and answers `--version` (or whatever it is asked) with success.
pub(crate) fn answers(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_tells_about_this_workspace() {
        let workspace = Workspace::load().unwrap();
        let check = workspace.packages.iter().find(|package| package.name == "check").unwrap();
        assert_eq!(check.directory, workspace.root.join("crates/check"));
        let anyhow = check.dependencies.iter().find(|dependency| dependency.name == "anyhow").unwrap();
        assert!(anyhow.stage == Stage::Normal);
        let attacks = workspace.packages.iter().find(|package| package.name == "attacks").unwrap();
        assert!(attacks.dependencies.iter().any(|dependency| dependency.features == ["walls-apart"]));
        let protocol = workspace.packages.iter().find(|package| package.name == "protocol").unwrap();
        let tests = protocol.dependencies.iter().find(|dependency| dependency.name == "proptest").unwrap();
        assert!(tests.stage == Stage::Test);
    }

    #[test]
    fn programs_are_found_among_cargos_messages() {
        let line = r#"{"reason":"compiler-artifact","manifest_path":"/a/b/Cargo.toml",
            "profile":{"test":true},"executable":"/t/debug/deps/b-1"}"#;
        let executable = Executable::from_message(line).unwrap();
        assert_eq!(executable.package, Path::new("/a/b"));
        assert_eq!(executable.path, Path::new("/t/debug/deps/b-1"));
        assert!(executable.test);
        let library = line.replace("\"/t/debug/deps/b-1\"", "null");
        assert!(Executable::from_message(&library).is_none());
        assert!(Executable::from_message("warning: not JSON").is_none());
    }
}
