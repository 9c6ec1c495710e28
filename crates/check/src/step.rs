//! The steps, in the order in which they run, and how one is run and told.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::workspace::Workspace;
use crate::{arrows, clients, environment, network, ordinary_user, suite, tree};

/// One check: a name to call it by, a line about it, and the work.
pub(crate) struct Step {
    /// As given on the command line.
    pub(crate) name: &'static str,
    /// One line for `--list` and for the header.
    pub(crate) about: &'static str,
    /// Left out by `--fast`.
    pub(crate) slow: bool,
    /// Steps without which this one has no meaning.
    pub(crate) needs: &'static [&'static str],
    run: fn(&Workspace) -> Result<Verdict>,
}

/// How a step ended that did not fail.
pub(crate) enum Verdict {
    /// The check was made and holds.
    Passed,
    /// The check was not made; why, in one line.
    Skipped(String),
}

/// All steps: the cheap and static ones first, so that what is easily mended is told before a long build.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "format",
        about: "cargo fmt would change nothing",
        slow: false,
        needs: &[],
        run: suite::format,
    },
    Step {
        name: "arrows",
        about: "crates depend only on those above them",
        slow: false,
        needs: &[],
        run: |workspace| findings(&arrows::violations(&workspace.packages)),
    },
    Step {
        name: "unsafe",
        about: "`unsafe` stands in crates/sys alone",
        slow: false,
        needs: &[],
        run: |workspace| findings(&tree::unsafe_outside_sys(workspace)?),
    },
    Step {
        name: "tree",
        about: "no machine's paths, lock files with hashes and without addresses",
        slow: false,
        needs: &[],
        run: |workspace| findings(&tree::rules(workspace)?),
    },
    Step {
        name: "clippy",
        about: "lints, with warnings as errors",
        slow: true,
        needs: &[],
        run: suite::clippy,
    },
    Step {
        name: "deny",
        about: "licences, bans and sources of crates",
        slow: true,
        needs: &[],
        run: suite::deny,
    },
    Step {
        name: "advisories",
        about: "no crate with a known vulnerability",
        slow: true,
        needs: &[],
        run: suite::advisories,
    },
    Step {
        name: "environment",
        about: "cellblock installs the environments that tests use",
        slow: false,
        needs: &[],
        run: environment::install,
    },
    Step {
        name: "doctests",
        about: "the examples in doc comments",
        slow: false,
        needs: &[],
        run: suite::doctests,
    },
    Step {
        name: "tests",
        about: "all tests of all crates",
        slow: false,
        needs: &["environment"],
        run: suite::tests,
    },
    Step {
        name: "network",
        about: "tests of what leaves a cell, in a test bed of network namespaces",
        slow: true,
        needs: &["environment"],
        run: network::tests,
    },
    Step {
        name: "ordinary-user",
        about: "tests of session and cellblock as an ordinary user",
        slow: true,
        needs: &["environment"],
        run: ordinary_user::tests,
    },
    Step {
        name: "clients",
        about: "clients written for AWS against a server of this tree",
        slow: true,
        needs: &["environment"],
        run: clients::tests,
    },
];

/// The names of the steps that `name` needs.
pub(crate) fn needs(name: &str) -> impl Iterator<Item = &'static str> {
    STEPS.iter().filter(move |step| step.name == name).flat_map(|step| step.needs.iter().copied())
}

/// Passes when there is nothing to find fault with; otherwise prints each finding on a line of its own and
/// fails.
fn findings(found: &[String]) -> Result<Verdict> {
    for finding in found {
        println!("{finding}");
    }
    match found.len() {
        0 => Ok(Verdict::Passed),
        1 => bail!("1 finding"),
        count => bail!("{count} findings"),
    }
}

/// Runs the steps one after the other and prints a summary; whether none failed.
pub(crate) fn run_all<'a>(workspace: &Workspace, steps: impl Iterator<Item = &'a Step>) -> bool {
    let mut done: Vec<(&Step, Result<Verdict>, Duration)> = Vec::new();
    for step in steps {
        println!("\n== {}: {}", step.name, step.about);
        let started = Instant::now();
        let missing =
            done.iter().find(|(earlier, result, _)| step.needs.contains(&earlier.name) && result.is_err());
        let result = match missing {
            Some((needed, ..)) => Ok(Verdict::Skipped(format!("`{}` failed", needed.name))),
            None => (step.run)(workspace),
        };
        let took = started.elapsed();
        println!("-- {}: {} ({:.1} s)", step.name, told(&result), took.as_secs_f64());
        done.push((step, result, took));
    }
    println!("\n== summary");
    for (step, result, took) in &done {
        println!("{:<14} {:>7.1} s  {}", step.name, took.as_secs_f64(), told(result));
    }
    let failed = done.iter().filter(|(_, result, _)| result.is_err()).count();
    let skipped = done.iter().filter(|(_, result, _)| matches!(result, Ok(Verdict::Skipped(_)))).count();
    let passed = done.len() - failed - skipped;
    println!("steps: {passed} ok, {failed} FAILED, {skipped} SKIPPED");
    failed == 0
}

fn told(result: &Result<Verdict>) -> String {
    match result {
        Ok(Verdict::Passed) => "ok".to_owned(),
        Ok(Verdict::Skipped(why)) => format!("SKIPPED: {why}"),
        Err(error) => format!("FAILED: {error:#}"),
    }
}
