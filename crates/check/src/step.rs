//! The steps, in the order in which they run, and how one is run and told.

use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

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
    /// Runs beside the steps behind it, up to the first that needs it.
    beside: bool,
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
        beside: false,
        run: suite::format,
    },
    Step {
        name: "arrows",
        about: "crates depend only on those above them",
        slow: false,
        needs: &[],
        beside: false,
        run: |workspace| findings(&arrows::violations(&workspace.packages)),
    },
    Step {
        name: "unsafe",
        about: "`unsafe` stands in crates/sys alone",
        slow: false,
        needs: &[],
        beside: false,
        run: |workspace| findings(&tree::unsafe_outside_sys(workspace)?),
    },
    Step {
        name: "tree",
        about: "no machine's paths, lock files with hashes and without addresses",
        slow: false,
        needs: &[],
        beside: false,
        run: |workspace| findings(&tree::rules(workspace)?),
    },
    Step {
        name: "environment",
        about: "cellblock installs the environments that tests use",
        slow: false,
        needs: &[],
        beside: true,
        run: environment::install,
    },
    Step {
        name: "clippy",
        about: "lints, with warnings as errors",
        slow: true,
        needs: &[],
        beside: false,
        run: suite::clippy,
    },
    Step {
        name: "deny",
        about: "licences, bans and sources of crates",
        slow: true,
        needs: &[],
        beside: false,
        run: suite::deny,
    },
    Step {
        name: "advisories",
        about: "no crate with a known vulnerability",
        slow: true,
        needs: &[],
        beside: false,
        run: suite::advisories,
    },
    Step {
        name: "doctests",
        about: "the examples in doc comments",
        slow: false,
        needs: &[],
        beside: false,
        run: suite::doctests,
    },
    Step {
        name: "tests",
        about: "all tests of all crates",
        slow: false,
        needs: &["environment"],
        beside: false,
        run: suite::tests,
    },
    Step {
        name: "network",
        about: "tests of what leaves a cell, in a test bed of network namespaces",
        slow: true,
        needs: &["environment"],
        beside: false,
        run: network::tests,
    },
    Step {
        name: "ordinary-user",
        about: "tests of session and cellblock as an ordinary user",
        slow: true,
        needs: &["environment"],
        beside: false,
        run: ordinary_user::tests,
    },
    Step {
        name: "clients",
        about: "clients written for AWS against a server of this tree",
        slow: true,
        needs: &["environment"],
        beside: false,
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

/// How a step ended, and how long it took.
type Done<'a> = (&'a Step, Result<Verdict>, Duration);

/// Runs the steps one after the other, some of them beside others, and prints a summary; whether none failed.
pub(crate) fn run_all<'a>(workspace: &Workspace, steps: impl Iterator<Item = &'a Step>) -> bool {
    let mut done: Vec<Done> = Vec::new();
    thread::scope(|scope| {
        let mut beside: Vec<(&Step, ScopedJoinHandle<_>)> = Vec::new();
        for step in steps {
            let needed = |(other, _): &mut (&Step, _)| step.needs.contains(&other.name);
            done.extend(beside.extract_if(.., needed).map(ended));
            println!("\n== {}: {}", step.name, step.about);
            let missing = done
                .iter()
                .find(|(earlier, result, _)| step.needs.contains(&earlier.name) && result.is_err());
            match missing {
                Some((needed, ..)) => {
                    let verdict = Verdict::Skipped(format!("`{}` failed", needed.name));
                    done.push(tell((step, Ok(verdict), Duration::ZERO)));
                }
                None if step.beside => beside.push((step, scope.spawn(|| timed(step, workspace)))),
                None => {
                    let (result, took) = timed(step, workspace);
                    done.push(tell((step, result, took)));
                }
            }
        }
        done.extend(beside.into_iter().map(ended));
    });
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

fn timed(step: &Step, workspace: &Workspace) -> (Result<Verdict>, Duration) {
    let started = Instant::now();
    ((step.run)(workspace), started.elapsed())
}

/// Waits for a step that ran beside others.
fn ended<'a>((step, running): (&'a Step, ScopedJoinHandle<(Result<Verdict>, Duration)>)) -> Done<'a> {
    let (result, took) = running.join().unwrap_or_else(|_| (Err(anyhow!("it panicked")), Duration::ZERO));
    tell((step, result, took))
}

fn tell(done: Done) -> Done {
    println!("-- {}: {} ({:.1} s)", done.0.name, told(&done.1), done.2.as_secs_f64());
    done
}

fn told(result: &Result<Verdict>) -> String {
    match result {
        Ok(Verdict::Passed) => "ok".to_owned(),
        Ok(Verdict::Skipped(why)) => format!("SKIPPED: {why}"),
        Err(error) => format!("FAILED: {error:#}"),
    }
}

#[cfg(test)]
#[expect(clippy::unnecessary_wraps, reason = "they are what a step runs")]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    const fn step(
        name: &'static str,
        needs: &'static [&'static str],
        run: fn(&Workspace) -> Result<Verdict>,
    ) -> Step {
        Step { name, about: "", slow: false, needs, beside: false, run }
    }

    fn passes(_: &Workspace) -> Result<Verdict> {
        Ok(Verdict::Passed)
    }

    fn fails(_: &Workspace) -> Result<Verdict> {
        bail!("as it should")
    }

    fn never(_: &Workspace) -> Result<Verdict> {
        unreachable!("what it needs has failed")
    }

    #[test]
    fn what_needs_a_step_that_failed_is_skipped() {
        let workspace = Workspace::load().unwrap();
        let beside = Step { beside: true, ..step("first", &[], fails) };
        for first in [step("first", &[], fails), beside] {
            assert!(!run_all(&workspace, [&first, &step("second", &["first"], never)].into_iter()));
        }
        assert!(run_all(&workspace, [&step("first", &[], passes)].into_iter()));
    }

    #[test]
    fn a_step_beside_others_is_waited_for_where_it_is_needed() {
        static BEGAN: AtomicBool = AtomicBool::new(false);
        static ENDED: AtomicBool = AtomicBool::new(false);
        fn waits(_: &Workspace) -> Result<Verdict> {
            while !BEGAN.load(Ordering::SeqCst) {
                thread::yield_now();
            }
            ENDED.store(true, Ordering::SeqCst);
            Ok(Verdict::Passed)
        }
        fn begins(_: &Workspace) -> Result<Verdict> {
            assert!(!ENDED.load(Ordering::SeqCst));
            BEGAN.store(true, Ordering::SeqCst);
            Ok(Verdict::Passed)
        }
        fn needs(_: &Workspace) -> Result<Verdict> {
            assert!(ENDED.load(Ordering::SeqCst));
            Ok(Verdict::Passed)
        }
        let workspace = Workspace::load().unwrap();
        let beside = Step { beside: true, ..step("beside", &[], waits) };
        let steps = [&beside, &step("other", &[], begins), &step("needs", &["beside"], needs)];
        assert!(run_all(&workspace, steps.into_iter()));
    }
}
