//! The kernels' own sources (Python's, JavaScript's), and what every home begins with (`layer`): embedded in the program, written out once, and
//! seen by every cell, read-only, at `/opt/cellblock/runtime`.
//!
//! The directory's name is a hash of its contents: a program of another version has another directory, and a daemon
//! that still runs keeps the one it started with. Rejected: a directory in the environment, which would have to be
//! installed anew for each change of ours.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::deno_cache::{self, Making};
use crate::layer::{self, Part};
use crate::{Error, files};

/// Where cells see the directory.
pub(crate) const RUNTIME: &str = "/opt/cellblock/runtime";

/// What runs code in a cell: an interpreter, and a kernel of ours in it that keeps variables from call to call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Runtime {
    /// The environment's Python.
    Python,
    /// Node: JavaScript, and TypeScript.
    Node,
    /// Deno: the same languages.
    Deno,
}

impl Runtime {
    /// All of them, in the order of their numbers.
    pub const ALL: [Runtime; 3] = [Runtime::Python, Runtime::Node, Runtime::Deno];

    /// How init starts its kernel in a cell from nothing: the program and its arguments. It serves descriptor 3.
    ///
    /// `memory` is the cell's limit, bytes. V8 would guess one of its own and end the interpreter there.
    pub fn kernel(self, memory: u64) -> Vec<String> {
        let heap = memory >> 20;
        let words: &[&str] = match self {
            // (`-s`) runs nothing of the user's before.
            Runtime::Python => &[
                "/opt/cellblock/env/bin/python",
                "-s",
                "/opt/cellblock/runtime/cellblock_kernel/__main__.py",
            ],
            Runtime::Node => &[
                "/opt/cellblock/env/bin/node",
                // A call that was interrupted in a callback leaves hooks unbalanced; the check would end the process.
                "--no-force-async-hooks-checks",
                &format!("--max-old-space-size={heap}"),
                "/opt/cellblock/runtime/cellblock_kernel_js/node.mjs",
            ],
            Runtime::Deno => &[
                "/opt/cellblock/env/bin/deno",
                "run",
                "--quiet",
                "--allow-all",
                "--no-prompt",
                "--no-lock",
                "--no-config",
                "--node-modules-dir=manual",
                // `./people` is people.ts, as the check of TypeScript has it.
                "--sloppy-imports",
                // How the kernel interrupts itself; on the cell's own loopback, and nobody is told of it.
                "--inspect=127.0.0.1:0",
                "--inspect-publish-uid=http",
                &format!("--v8-flags=--max-old-space-size={heap}"),
                "/opt/cellblock/runtime/cellblock_kernel_js/deno.mjs",
            ],
        };
        words.iter().copied().chain(["--fd", "3"]).map(str::to_owned).collect()
    }

    /// The file of its interpreter in the environment in this directory.
    pub fn program(self, environment: &Path) -> PathBuf {
        let name = match self {
            Runtime::Python => "python",
            Runtime::Node => "node",
            Runtime::Deno => "deno",
        };
        environment.join("bin").join(name)
    }
}

/// The packages of the kernels, as lists of their files with contents.
mod sources {
    include!(concat!(env!("OUT_DIR"), "/sources.rs"));
}

/// The files of a package, by their names below it.
type Files = &'static [(&'static str, &'static [u8])];

/// Where each package lies below the runtime directory.
const PACKAGES: [(&str, Files); 2] =
    [("cellblock_kernel", sources::PYTHON), ("cellblock_kernel_js", sources::JAVASCRIPT)];

/// How many directories this process has staged.
static STAGED: AtomicU64 = AtomicU64::new(0);

/// Writes the sources, and `extra` files (name, content, permission bits) beside the package, below `dir`, and compiles
/// them for the Python of the environment in that directory. Gives the directory to bind, whose `home` is what each home
/// begins with; one that is there already is used as it is.
pub fn extract(dir: &Path, extra: &[(&str, &[u8], u32)], environment: &Path) -> Result<PathBuf, Error> {
    let layer = layer::parts(environment);
    let name = name(extra, environment, &layer);
    let home = dir.join(&name);
    if home.is_dir() {
        return Ok(home);
    }
    // Neither two processes nor two threads of one may stage in the same place; what a dead one left is not reused.
    let number = STAGED.fetch_add(1, Ordering::Relaxed);
    let staged = dir.join(format!(".{}-{number}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&staged);
    fs::create_dir_all(&staged).map_err(file("create", &staged))?;
    for (package, sources) in PACKAGES {
        for (name, content) in sources {
            let path = staged.join(package).join(name);
            let parent = path.parent().unwrap_or(&staged);
            fs::create_dir_all(parent).map_err(file("create", parent))?;
            write(&path, content, 0o644)?;
        }
    }
    for (name, content, mode) in extra {
        write(&staged.join(name), content, *mode)?;
    }
    let cache = Making::begin(&staged, environment);
    compile(&staged.join(PACKAGES[0].0), environment);
    cache.end(&staged);
    for (below, part) in &layer {
        let path = staged.join(below);
        let parent = path.parent().unwrap_or(&staged);
        fs::create_dir_all(parent).map_err(file("create", parent))?;
        match part {
            Part::File(content, mode) => write(&path, content, *mode)?,
            Part::Link(to) => symlink(to, &path).map_err(file("create", &path))?,
        }
    }
    files::walk(&staged, &mut |path, metadata| {
        if metadata.is_dir() {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(file("open up", path))?;
        }
        Ok(())
    })?;
    fs::set_permissions(&staged, fs::Permissions::from_mode(0o755)).map_err(file("open up", &staged))?;
    match fs::rename(&staged, &home) {
        Ok(()) => Ok(home),
        // Another was faster, with the same contents.
        Err(_) if home.is_dir() => {
            let _ = fs::remove_dir_all(&staged);
            Ok(home)
        }
        Err(error) => Err(file("create", &home)(error)),
    }
}

fn name(extra: &[(&str, &[u8], u32)], environment: &Path, layer: &[(PathBuf, Part)]) -> String {
    // An environment's name tells its Python's version, for which the sources are compiled.
    let environment = environment.file_name().unwrap_or_default().as_encoded_bytes();
    let mut hash = Sha256::new();
    let extra = extra.iter().map(|(name, content, _)| (*name, *content));
    let layer = format!("{layer:?}");
    let cache = deno_cache::SCRIPT.as_bytes();
    let others = [("environment", environment), ("layer", layer.as_bytes()), ("cache", cache)];
    let sources = PACKAGES.into_iter().flat_map(|(_, sources)| sources.iter().copied());
    for (name, content) in sources.chain(extra).chain(others) {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update((content.len() as u64).to_le_bytes());
        hash.update(content);
    }
    hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compiles the package with the environment's own interpreter: a cell could not, and every cold kernel would pay.
/// It only saves time, so that it failed is no error.
fn compile(package: &Path, environment: &Path) {
    let program = environment.join("base/bin/python3");
    let _ = Command::new(program)
        .args(["-I", "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"])
        .args(["-s", &package.display().to_string(), "-p", "/opt/cellblock/runtime/cellblock_kernel"])
        .arg(package)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let _ = fs::read_dir(package.join("__pycache__")).map(|entries| {
        for entry in entries.flatten() {
            let _ = fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o644));
        }
    });
}

fn write(path: &Path, content: &[u8], mode: u32) -> Result<(), Error> {
    // On disk before the directory gets its name: after a power cut it would be found and not be written again.
    let written = fs::File::create(path).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.map_err(file("write", path))?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(file("write", path))
}

fn file(operation: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { operation, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_embedded() {
        for (package, entry) in [
            (sources::PYTHON, "__main__.py"),
            (sources::JAVASCRIPT, "node.mjs"),
            (sources::JAVASCRIPT, "deno.mjs"),
        ] {
            assert!(package.iter().any(|(name, content)| *name == entry && !content.is_empty()), "{entry}");
        }
        assert!(sources::PYTHON.iter().all(|(name, _)| !name.contains("__pycache__")));
    }

    #[test]
    fn kernels_serve_the_third_descriptor_below_the_cells_limit() {
        for runtime in Runtime::ALL {
            let words = runtime.kernel(2 << 30);
            assert_eq!(Path::new(&words[0]), runtime.program(Path::new("/opt/cellblock/env")));
            assert_eq!(words[words.len() - 2..], ["--fd", "3"]);
        }
        let heap = |runtime: Runtime| {
            runtime.kernel(2 << 30).iter().any(|word| word.ends_with("old-space-size=2048"))
        };
        assert_eq!(Runtime::ALL.map(heap), [false, true, true]);
    }

    #[test]
    fn many_at_once_find_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let environment = dir.path().join("lean-1");
        let homes: Vec<PathBuf> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| extract(dir.path(), &[], &environment).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(homes.windows(2).all(|pair| pair[0] == pair[1]));
        assert_eq!(fs::read(homes[0].join("cellblock_kernel/wire.py")).unwrap(), source("wire.py"));
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(left, [homes[0].clone()]);
    }

    fn source(name: &str) -> &'static [u8] {
        sources::PYTHON.iter().find(|(each, _)| *each == name).unwrap().1
    }

    #[test]
    fn written_once_and_for_everybody() {
        let dir = tempfile::tempdir().unwrap();
        let environment = dir.path().join("lean-1");
        let extra: &[(&str, &[u8], u32)] = &[("helper.so", b"elf", 0o755)];
        let home = extract(dir.path(), extra, &environment).unwrap();
        let main = home.join("cellblock_kernel/__main__.py");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&home), mode(&main), mode(&home.join("helper.so"))), (0o755, 0o644, 0o755));
        let written = fs::metadata(&main).unwrap().modified().unwrap();
        assert_eq!(extract(dir.path(), extra, &environment).unwrap(), home);
        assert_eq!(fs::metadata(&main).unwrap().modified().unwrap(), written);
        assert_ne!(extract(dir.path(), &[], &environment).unwrap(), home);
    }
}
