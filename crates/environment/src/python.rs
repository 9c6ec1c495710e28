//! Finds an interpreter on the host that can be the base of an environment.
//!
//! The first that will do is taken: the one that `CELLBLOCK_PYTHON` names (then no other), each `python3` on the `PATH`, numbered
//! ones, the system's. It is asked what it is; a name says nothing (shims, wrappers, virtual environments).

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::command::{command, last_words};
use crate::elf::Elf;
use crate::error::{Error, Result};
use crate::files;

const PROBE: &str = include_str!("scripts/probe.py");
/// The versions of Python that every lock has wheels for.
const MINORS: std::ops::RangeInclusive<u8> = 11..=14;

/// An interpreter of the host, as it describes itself.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Python {
    implementation: String,
    /// Such as `3.12.1`.
    pub(crate) version: String,
    major: u8,
    pub(crate) minor: u8,
    free_threaded: bool,
    libc: String,
    machine: String,
    bits: u8,
    /// The real program, behind shims and virtual environments.
    pub(crate) executable: PathBuf,
    pub(crate) prefix: PathBuf,
    /// The standard library.
    pub(crate) standard: PathBuf,
    /// Its extension modules.
    pub(crate) extensions: PathBuf,
    pub(crate) include: PathBuf,
    /// Every library that the interpreter or its extension modules loaded.
    libraries: Vec<PathBuf>,
    missing: Vec<String>,
}

/// Finds the first interpreter that will do.
pub(crate) fn find() -> Result<Python> {
    let mut tried = Vec::new();
    for candidate in candidates() {
        match probe(&candidate).and_then(|python| python.judge().map(|()| python)) {
            Ok(python) => return Ok(python),
            Err(reason) => tried.push(format!("`{}` {reason}", Path::new(&candidate).display())),
        }
    }
    Err(Error::NoPython { tried })
}

fn candidates() -> Vec<OsString> {
    if let Some(named) = std::env::var_os("CELLBLOCK_PYTHON").filter(|value| !value.is_empty()) {
        return vec![named];
    }
    let numbered = MINORS.rev().map(|minor| format!("python3.{minor}"));
    let mut found: Vec<PathBuf> = std::iter::once("python3".to_owned())
        .chain(numbered)
        .flat_map(|name| files::on_path(&name))
        .collect();
    found.extend(
        ["/usr/bin/python3", "/usr/local/bin/python3"]
            .map(PathBuf::from)
            .into_iter()
            .filter(|path| path.exists()),
    );
    let mut seen = std::collections::HashSet::new();
    found.retain(|path| seen.insert(path.clone()));
    found.into_iter().map(PathBuf::into_os_string).collect()
}

/// Asks an interpreter what it is. The error is a reason that fits after its name.
fn probe(program: &std::ffi::OsStr) -> std::result::Result<Python, String> {
    let output = command(program)
        .args(["-I", "-B", "-c", PROBE])
        .output()
        .map_err(|error| format!("could not be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("failed: {}", last_words(&output)));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("gave no description of itself: {error}"))
}

impl Python {
    /// Whether environments can be built on this interpreter. The error is a reason that fits after its name.
    fn judge(&self) -> std::result::Result<(), String> {
        let version = &self.version;
        if self.implementation != "cpython" {
            return Err(format!("is {}, not CPython", self.implementation));
        }
        if self.major != 3 || !MINORS.contains(&self.minor) {
            return Err(format!("is Python {version}, not {}", supported()));
        }
        if self.free_threaded {
            return Err(format!(
                "is a free-threaded build of Python {version}, for which libraries are not locked"
            ));
        }
        if self.machine != std::env::consts::ARCH || self.bits != 64 {
            return Err(format!(
                "runs on {} with {} bits, not on {}",
                self.machine,
                self.bits,
                std::env::consts::ARCH
            ));
        }
        if self.libc != "glibc" {
            return Err("is not built for glibc, for which the libraries are".to_owned());
        }
        if !self.missing.is_empty() {
            return Err(format!("lacks standard modules: {}", self.missing.join(", ")));
        }
        let program = std::fs::read(&self.executable)
            .map_err(|error| format!("cannot be read at `{}`: {error}", self.executable.display()))?;
        match Elf::parse(program).map(|elf| elf.interpreter()) {
            None => Err("is not a program that can be copied".to_owned()),
            Some(Some(loader)) if !seen_in_cells(Path::new(&loader)) => {
                Err(format!("needs the loader `{loader}`, which cells cannot see"))
            }
            Some(_) => Ok(()),
        }
    }

    /// The libraries that cells would not see where they are now.
    pub(crate) fn hidden_libraries(&self) -> Vec<&Path> {
        self.libraries
            .iter()
            .map(PathBuf::as_path)
            .filter(|library| !seen_in_cells(library) && !library.starts_with(&self.standard))
            .filter(|library| !library.starts_with(&self.extensions))
            .collect()
    }

    /// Such as `python3.12`.
    pub(crate) fn name(&self) -> String {
        format!("python3.{}", self.minor)
    }
}

fn supported() -> String {
    format!("one of {}", MINORS.map(|minor| format!("3.{minor}")).collect::<Vec<_>>().join(", "))
}

/// Whether a path of the host is the same file in a cell: /usr without local and src, /lib*, /bin and /sbin are.
pub(crate) fn seen_in_cells(path: &Path) -> bool {
    let path = path.to_string_lossy();
    let hidden = ["/usr/local/", "/usr/src/"];
    let seen = ["/usr/", "/lib", "/bin/", "/sbin/"];
    seen.iter().any(|prefix| path.starts_with(prefix))
        && !hidden.iter().any(|prefix| path.starts_with(prefix))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn python() -> Python {
        Python {
            implementation: "cpython".to_owned(),
            version: "3.12.1".to_owned(),
            major: 3,
            minor: 12,
            free_threaded: false,
            libc: "glibc".to_owned(),
            machine: std::env::consts::ARCH.to_owned(),
            bits: 64,
            // Any program of the host that has the usual loader will do here.
            executable: PathBuf::from("/proc/self/exe"),
            prefix: PathBuf::from("/home/someone/python"),
            standard: PathBuf::from("/home/someone/python/lib/python3.12"),
            extensions: PathBuf::from("/home/someone/python/lib/python3.12/lib-dynload"),
            include: PathBuf::from("/home/someone/python/include/python3.12"),
            libraries: Vec::new(),
            missing: Vec::new(),
        }
    }

    #[test]
    fn an_ordinary_interpreter_will_do() {
        assert_eq!(python().judge(), Ok(()));
    }

    #[test]
    fn what_will_not_do_is_said() {
        let reason = |change: &dyn Fn(&mut Python)| {
            let mut changed = python();
            change(&mut changed);
            changed.judge().unwrap_err()
        };
        assert_eq!(reason(&|python| "pypy".clone_into(&mut python.implementation)), "is pypy, not CPython");
        assert!(
            reason(&|python| (python.minor, python.version) = (10, "3.10.2".to_owned()))
                .contains("is Python 3.10.2")
        );
        assert!(reason(&|python| python.free_threaded = true).contains("free-threaded"));
        assert!(reason(&|python| "musl".clone_into(&mut python.libc)).contains("glibc"));
        assert!(reason(&|python| python.bits = 32).contains("32 bits"));
        assert_eq!(
            reason(&|python| python.missing = vec!["ssl (no such module)".to_owned()]),
            "lacks standard modules: ssl (no such module)"
        );
        assert!(reason(&|python| python.executable = PathBuf::from("/nowhere")).contains("cannot be read"));
    }

    #[test]
    fn a_program_that_is_no_python_is_told_apart() {
        assert!(probe("/nowhere/python3".as_ref()).unwrap_err().starts_with("could not be started"));
        assert!(probe("false".as_ref()).unwrap_err().starts_with("failed"));
        assert!(probe("true".as_ref()).unwrap_err().starts_with("gave no description"));
    }

    #[test]
    fn libraries_that_cells_do_not_see_are_found() {
        let mut python = python();
        python.libraries = [
            "/usr/lib/x86_64-linux-gnu/libssl.so.3",
            "/lib64/ld-linux-x86-64.so.2",
            "/usr/local/lib/libpython3.12.so.1.0",
            "/home/someone/python/lib/python3.12/lib-dynload/_ssl.so",
            "/opt/ssl/libssl.so.3",
        ]
        .map(PathBuf::from)
        .to_vec();
        let hidden: Vec<_> =
            python.hidden_libraries().iter().map(|path| path.to_str().unwrap().to_owned()).collect();
        assert_eq!(hidden, ["/usr/local/lib/libpython3.12.so.1.0", "/opt/ssl/libssl.so.3"]);
    }
}
