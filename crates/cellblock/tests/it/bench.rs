//! The program, in a directory and with a data directory of its own.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// Tells where environments are installed.
const ENVIRONMENTS: &str = "CELLBLOCK_TEST_ENVIRONMENTS";

/// A place to run the program in.
pub(crate) struct Bench {
    place: tempfile::TempDir,
    environments: PathBuf,
}

impl Bench {
    /// A place with the installed environment; none: the test is to be skipped, which this says.
    pub(crate) fn new() -> Option<Bench> {
        let directory = std::env::var_os(ENVIRONMENTS).map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-data/environments"),
            PathBuf::from,
        );
        let bench = Bench::without_environment();
        let installed = environment::Environments::new(&directory).find("lean").unwrap().is_some();
        if !installed {
            let why = format!("`lean` is not installed in {} (see {ENVIRONMENTS})", directory.display());
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{why}");
            eprintln!("SKIPPED: {why}");
            return None;
        }
        Some(Bench { environments: directory, ..bench })
    }

    /// A place where of all environments only `lean` is installed.
    pub(crate) fn only_lean() -> Option<Bench> {
        let installed = Bench::new()?.environments;
        let lean = environment::Environments::new(installed).find("lean").unwrap()?.root;
        let bench = Bench::without_environment();
        std::fs::create_dir(&bench.environments).unwrap();
        std::os::unix::fs::symlink(&lean, bench.environments.join(lean.file_name()?)).unwrap();
        Some(bench)
    }

    /// A place where `full` is installed too; none: the test is to be skipped, which this says.
    pub(crate) fn with_full() -> Option<Bench> {
        let bench = Bench::new()?;
        if environment::Environments::new(&bench.environments).find("full").unwrap().is_none() {
            let why =
                format!("`full` is not installed in {} (see {ENVIRONMENTS})", bench.environments.display());
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{why}");
            eprintln!("SKIPPED: {why}");
            return None;
        }
        Some(bench)
    }

    /// A place where nothing is installed.
    pub(crate) fn without_environment() -> Bench {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir(place.path().join("here")).unwrap();
        let environments = place.path().join("environments");
        Bench { place, environments }
    }

    /// A path seen from the working directory.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.place.path().join("here").join(path)
    }

    /// Writes a file there.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.at(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Reads a file there.
    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.at(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// What lies in a directory there.
    pub(crate) fn names(&self, path: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.at(path)).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The program with these arguments, not yet started.
    pub(crate) fn command(&self, arguments: impl IntoIterator<Item: AsRef<OsStr>>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cellblock"));
        command
            .args(arguments)
            .current_dir(self.place.path().join("here"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.place.path())
            .env("CELLBLOCK_DATA", self.place.path().join("data"))
            .env("CELLBLOCK_ENVIRONMENTS", &self.environments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn cellblock(&self, arguments: impl IntoIterator<Item: AsRef<OsStr>>) -> Ended {
        Ended::from(self.command(arguments).output().unwrap())
    }

    /// Runs Python from a file.
    pub(crate) fn python(&self, source: &str, arguments: &[&str]) -> Ended {
        self.write("program.py", source);
        self.cellblock(["run", "program.py"].iter().chain(arguments))
    }

    /// Starts Python from a file.
    pub(crate) fn start_python(&self, source: &str) -> Child {
        self.write("program.py", source);
        self.command(["run", "program.py"]).spawn().unwrap()
    }

    /// Nothing of any cell is left.
    #[track_caller]
    pub(crate) fn assert_nothing_left(&self) {
        let nodes = self.place.path().join("data/nodes");
        let left: Vec<_> = std::fs::read_dir(nodes).into_iter().flatten().flatten().collect();
        assert!(left.is_empty(), "left behind: {left:?}");
    }
}

/// What the program printed, and its exit status.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Ended {
        Ended {
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ended {
    /// Everything, in the form of a snapshot.
    pub(crate) fn told(&self) -> String {
        let status = self.status.map_or("a signal".to_owned(), |status| status.to_string());
        format!("status: {status}\n----- stdout\n{}----- stderr\n{}", self.stdout, self.stderr)
    }
}
