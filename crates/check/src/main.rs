//! Every check and every test of the tree behind one command: `cargo run -p check`.
//!
//! What a contributor runs and what CI runs is this and nothing else. It must work on stable Rust with what
//! `rustup` installs: tools that sharpen a check (`cargo-nextest`, `cargo-deny`) are used where they are
//! found, and a check that cannot be made here says `SKIPPED` and why. A failed step does not stop the later
//! ones, except those that need it; any failed step fails the whole.
//!
//! A shell script was rejected because the rules of the tree (which crate may know which, where `unsafe` may
//! stand) deserve tests of their own, and a build tool with its own configuration because it would be one
//! more thing to install.

mod arrows;
mod clients;
mod environment;
mod network;
mod ordinary_user;
mod passage;
mod rust_text;
mod step;
mod suite;
mod tree;
mod user;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};
use step::{STEPS, Step};
use workspace::Workspace;

const HELP: &str = "\
Runs all checks and tests.

Usage: cargo run -p check [-- [--fast] [--list] [STEP...]]

  STEP...   only these steps, and those that they need
  --fast    without the slow ones: clippy, deny, advisories, network,
            ordinary-user, clients
  --list    the steps, each with what it checks

CELLBLOCK_TEST_ENVIRONMENTS names a directory of installed environments to
test with; without it they are installed below the target directory.
CELLBLOCK_TEST_ENV is the environment of the server that `clients` tests: full.
CELLBLOCK_TEST_LONG asks for the long forms of tests.
";

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether every step passed or was skipped.
fn run(arguments: Vec<String>) -> Result<bool> {
    let mut fast = false;
    let mut names = Vec::new();
    for argument in arguments {
        match argument.as_str() {
            "--fast" => fast = true,
            "--list" => {
                for step in STEPS {
                    println!("{:<14} {}", step.name, step.about);
                }
                return Ok(true);
            }
            "-h" | "--help" => {
                print!("{HELP}");
                return Ok(true);
            }
            option if option.starts_with('-') => bail!("unknown option `{option}`; see `--help`"),
            name if STEPS.iter().any(|step| step.name == name) => names.push(argument),
            name => bail!("there is no step `{name}`; see `--list`"),
        }
    }
    let workspace = Workspace::load()?;
    let chosen = STEPS.iter().filter(|step| is_chosen(step, &names, fast));
    Ok(step::run_all(&workspace, chosen))
}

fn is_chosen(step: &Step, names: &[String], fast: bool) -> bool {
    if names.is_empty() {
        return !(fast && step.slow);
    }
    names.iter().any(|name| name == step.name || step::needs(name).any(|needed| needed == step.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str], fast: bool) -> Vec<&'static str> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        STEPS.iter().filter(|step| is_chosen(step, &names, fast)).map(|step| step.name).collect()
    }

    #[test]
    fn without_names_every_step_is_chosen() {
        assert_eq!(chosen(&[], false).len(), STEPS.len());
    }

    #[test]
    fn fast_leaves_out_the_slow_steps() {
        let fast = chosen(&[], true);
        assert_eq!(fast, ["format", "arrows", "unsafe", "tree", "environment", "doctests", "tests"]);
    }

    #[test]
    fn a_named_step_brings_what_it_needs() {
        assert_eq!(chosen(&["tests"], false), ["environment", "tests"]);
        assert_eq!(chosen(&["clippy"], true), ["clippy"]);
    }

    #[test]
    fn every_needed_step_comes_earlier() {
        for (at, step) in STEPS.iter().enumerate() {
            for needed in step.needs {
                assert!(
                    STEPS[..at].iter().any(|earlier| earlier.name == *needed),
                    "{} needs {needed}",
                    step.name
                );
            }
        }
    }

    #[test]
    fn unknown_names_and_options_are_refused() {
        assert!(run(vec!["--quick".into()]).is_err());
        assert!(run(vec!["no-such-step".into()]).is_err());
    }
}
