//! `bed run -- COMMAND`: runs a command in the test bed; see the library.

use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

const HELP: &str = "\
A small internet in network namespaces, to test a way out against.

Usage: bed run [--no-capture] [--python PROGRAM] [--] COMMAND...
       bed capture --pid PID --to FILE

  run      runs COMMAND in the bed; CELLBLOCK_BED names a file with its facts
  capture  writes what the interfaces of a process's network namespace see to
           FILE; for each line on stdin, answers when all of it is written

The servers run by PROGRAM, a Python with `cryptography`: by default that of
the environment `full` in CELLBLOCK_TEST_ENVIRONMENTS.
";

fn main() -> ExitCode {
    match act() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("bed: error: {error:#}");
            ExitCode::from(125)
        }
    }
}

fn act() -> Result<u8> {
    let mut arguments = std::env::args_os().skip(1);
    let verb = arguments.next().unwrap_or_default();
    match verb.to_str() {
        Some("run") => {
            let mut options = bed::Options { capture: true, ..bed::Options::default() };
            let mut command: Vec<_> = Vec::new();
            while let Some(argument) = arguments.next() {
                match argument.to_str() {
                    Some("--no-capture") => options.capture = false,
                    Some("--python") => options.python = arguments.next().map(PathBuf::from),
                    Some("--") => command.extend(arguments.by_ref()),
                    Some(option) if option.starts_with('-') => {
                        bail!("unknown option `{option}`; see `--help`")
                    }
                    _ => {
                        command.push(argument);
                        command.extend(arguments.by_ref());
                    }
                }
            }
            bed::run(&options, &command)
        }
        Some("capture") => {
            let mut pid = None;
            let mut file = None;
            while let Some(argument) = arguments.next() {
                let value = arguments.next().context("an option without a value")?;
                match argument.to_str() {
                    Some("--pid") => pid = value.to_str().and_then(|pid| pid.parse().ok()),
                    Some("--to") => file = Some(PathBuf::from(value)),
                    _ => bail!("unknown option {}; see `--help`", argument.display()),
                }
            }
            let process =
                sys::process::pidfd(pid.context("`--pid` is missing")?).context("find the process")?;
            bed::capture::of_process(process.as_fd(), &file.context("`--to` is missing")?)?;
            Ok(0)
        }
        // The bed's own PID 1: see `run`.
        Some("init") => {
            let mut next = || arguments.next().context("`init` is for `run` alone");
            let (life, directory, python) = (next()?, next()?, next()?);
            let capture = next()? == "capture";
            let life = life.to_str().and_then(|life| life.parse().ok()).context("no descriptor")?;
            let command: Vec<_> = arguments.collect();
            bed::init(life, directory.as_ref(), python.as_ref(), capture, &command)
        }
        Some("-h" | "--help") => {
            print!("{HELP}");
            Ok(0)
        }
        _ => bail!("`run` or `capture`; see `--help`"),
    }
}
