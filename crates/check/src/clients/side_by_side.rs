//! Runs programs side by side: suites that wait for a server and for time limits more than they compute.
//!
//! What a program prints is told as a whole when it ends, so that two never mix; a line says when it began.

use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread::{self, available_parallelism};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// A program, and what the reader calls it.
pub(super) struct Job {
    pub(super) name: String,
    pub(super) command: Command,
}

/// Runs all of them, some at a time; gives what failed.
pub(super) fn run(jobs: Vec<Job>) -> Vec<anyhow::Error> {
    let workers = available_parallelism().map_or(2, usize::from) + 1;
    let (waiting, failed) = (Mutex::new(jobs.into_iter()), Mutex::new(Vec::new()));
    // Not a guard that lives as long as the job.
    let next = || waiting.lock().ok()?.next();
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(job) = next() {
                    if let (Err(error), Ok(mut failed)) = (run_one(job), failed.lock()) {
                        failed.push(error);
                    }
                }
            });
        }
    });
    failed.into_inner().unwrap_or_default()
}

fn run_one(Job { name, mut command }: Job) -> Result<()> {
    println!("$ {name}");
    let begun = Instant::now();
    let output = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .with_context(|| format!("failed to start `{name}`"))?;
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    // One piece, so that no other job's comes between.
    println!("-- {name} ({:.1} s):\n{}", begun.elapsed().as_secs_f64(), text.concat().trim_end());
    if !output.status.success() {
        bail!("`{name}` failed ({})", output.status);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(script: &str) -> Job {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Job { name: script.to_owned(), command }
    }

    #[test]
    fn all_run_and_each_failure_is_told() {
        let failed =
            run(vec![job("true"), job("echo no; exit 3"), job("true"), job("kill -9 $$"), job("true")]);
        let mut told: Vec<String> = failed.iter().map(ToString::to_string).collect();
        told.sort();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("exit 3") && told[1].contains("kill -9"), "{told:?}");
    }

    #[test]
    fn they_run_at_the_same_time() {
        let place = std::env::temp_dir().join(format!("cellblock-side-by-side-{}", std::process::id()));
        std::fs::create_dir(&place).unwrap();
        let pipe = place.join("pipe").display().to_string();
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        // Each waits for the other.
        let failed = run(vec![job(&format!("echo on > {pipe}")), job(&format!("read word < {pipe}"))]);
        std::fs::remove_dir_all(&place).unwrap();
        assert!(failed.is_empty(), "{failed:?}");
    }
}
