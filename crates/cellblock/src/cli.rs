//! The command line. Every option that has an environment variable names it in its help.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::limits;

/// Runs an agent's code in a locked cell of its own: a sandbox with pandas, matplotlib and a shell inside, no network,
/// and nothing of this machine in sight.
#[derive(Debug, Parser)]
#[command(name = "cellblock", version, propagate_version = true, term_width = 80)]
#[command(
    after_help = "Begin with `cellblock run examples/sales.py`, or `cellblock doctor` if something does not work."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    /// Where cellblock keeps its things [default: cellblock below `$XDG_DATA_HOME` or ~/.local/share]
    #[arg(
        long,
        value_name = "DIR",
        env = "CELLBLOCK_DATA",
        hide_env_values = true,
        global = true,
        display_order = 100
    )]
    pub(crate) data: Option<PathBuf>,
    /// Where environments are installed; may be shared by many [default: environments in the data directory]
    #[arg(
        long,
        value_name = "DIR",
        env = "CELLBLOCK_ENVIRONMENTS",
        hide_env_values = true,
        global = true,
        display_order = 101
    )]
    pub(crate) environments: Option<PathBuf>,
    /// Print nothing of our own on standard error but errors
    #[arg(long, short, global = true, display_order = 102)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run one program in a fresh cell, print its output, save the files it made
    Run(Run),
    /// Open a notebook in the terminal: Python or JavaScript in a cell, line by line
    Shell(crate::shell::Shell),
    /// Serve agents over HTTP; clients of AWS AgentCore Code Interpreter work unchanged
    Serve(crate::serve::Serve),
    /// Give an agent its tools over MCP, on standard input and output
    Mcp(crate::mcp::Mcp),
    /// List, install and describe environments: what programs find in a cell
    #[command(subcommand)]
    Env(Env),
    /// Tell what this machine can and cannot do, each with the consequence and the remedy
    Doctor(Doctor),
    /// Measure this machine, as a table or as JSON
    Bench(Bench),
}

const RUN_HELP: &str = "\
The language: JavaScript for .js, .mjs and .cjs, TypeScript for .ts, .mts and .cts, Python for .py. Where the name tells \
nothing, a first line as `#!/usr/bin/env node` does; else, and on standard input, it is Python unless `--language` says \
otherwise. The types of TypeScript are checked first, and with type errors it does not run; `--type-errors warn`, or the \
variable CELLBLOCK_TYPESCRIPT_ERRORS, lets it.

What comes into the cell: the program itself; files that it names, as in `read_csv(\"sales.csv\")`; modules of yours \
that it imports, and package.json for those in JavaScript; each only if it lies in the program's own directory, is not hidden, and is reached through no link. \
Of a program that lies directly in your home or in / only modules come. Files that are named by a pattern or put \
together from parts do not come either: `--file` brings what else the program may have, hidden files included, and \
node_modules. A directory comes without the links in it.

Arguments: the first one that is no option of cellblock's, and all after it, are the program's; `--` before them makes \
sure. The program has no standard input: in Python, input() and sys.stdin.read() fail and say so.

What is saved: the regular files that the program made or changed in its working directory, hidden ones too; in all \
no more than the disk limit. Links, pipes, caches and .git stay in the cell, which is said, and so does __pycache__. A \
file that is already there is never replaced: the new one gets a number. It makes no difference what stopped the \
program; after SIGTERM, saving takes 5 s at most.

The network: none, unless `--network` or `--allow` gives one. The keys of `[network]` and `[security]` of the server's \
configuration are environment variables here too: CELLBLOCK_NETWORK_TRANSFER_MIB, CELLBLOCK_SECURITY_REQUIRE.

The value of a Python program's last expression is printed, as in a notebook. Figures that it shows or leaves open are \
saved as figure-1.png and so on, and shown where the terminal can (kitty, Ghostty, WezTerm, iTerm2, Konsole).

With --json, standard output is one object:
  language, runtime  python, javascript, typescript; python, nodejs, deno
  outcome            ok, raised, exited, timed_out, interrupted, out_of_memory,
                     crashed, too_much_output, disk_full, session_ended;
                     null if the program did not run
  status             the exit status
  message            the outcome, or what failed, as a sentence
  error              what was raised, or what failed: name, value, and perhaps
                     a hint
  traceback          of what was raised
  variables_kept     whether the interpreter outlived the program's end
  stdout, stderr     what the program wrote
  output_bytes       how much that was, before it was cut
  results, figures   what was displayed; the pictures that were saved
  files              what was saved: name, path, bytes, unchanged (the same was
                     there)
  not_saved          links, special, caches, repositories,
                     unreadable_directories, too_many_files, failures,
                     failed (name, why)
  notices            what cellblock says about the run
  seconds, cpu_seconds, memory_peak_bytes, memory_limit_bytes
  soft_limits        limits that are watched here and not enforced by the kernel
  environment        name, id, python

Exit status:
  the program's own   after sys.exit(n) or process.exit(n), and 0 when it ran to
                      its end
  1                   it raised, its types are wrong, or its disk was full
  2                   the command line is wrong
  124                 its time was up
  125                 cellblock itself failed, or could not save every file of a
                      program that ended with 0
  130                 it was interrupted (Ctrl-C)
  137                 it used more memory than it may
  141                 nobody read its output any more
  143                 cellblock was told to end (SIGTERM, SIGHUP)
  128+n               it died of signal n

Examples:
  cellblock run examples/sales.py
  cellblock run report.py --out results --timeout 60
  cellblock run prices.ts --allow api.example.org
  cellblock run train.py --file data/ --memory 8192 --cpus 4 -- --epochs 3
  echo 'print(6 * 7)' | cellblock run -
  echo 'console.log(6 * 7)' | cellblock run - --language javascript";

/// Runs one program in a fresh cell: prints what it prints, as it comes, and saves the files it made.
#[derive(Debug, Args)]
#[command(after_long_help = RUN_HELP, after_help = "See `cellblock run --help` for files, figures, exit status and examples.")]
pub(crate) struct Run {
    /// The program, in Python, JavaScript or TypeScript; `-` reads it from standard input
    #[arg(value_name = "FILE")]
    pub(crate) program: PathBuf,
    /// Arguments of the program, from the first that is no option of cellblock's, or `--`, on
    #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) arguments: Vec<String>,
    #[command(flatten)]
    pub(crate) language: crate::run::language::Options,
    /// Stop the program after so many seconds: interrupt first, kill 3 s later
    #[arg(long, value_name = "SECONDS", default_value = "900", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// Where to save the files that the program made [default: cellblock-out]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Bring another file or directory into the cell, under its own name; may be given again
    #[arg(long = "file", value_name = "PATH")]
    pub(crate) files: Vec<PathBuf>,
    /// Take this environment instead of the smallest that has what the program imports
    #[arg(long, value_name = "NAME", env = "CELLBLOCK_ENV", hide_env_values = true)]
    pub(crate) env: Option<String>,
    #[command(flatten)]
    pub(crate) limits: limits::CellLimits,
    #[command(flatten)]
    pub(crate) network: crate::network::Options,
    /// Print one JSON object instead of the program's output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Env {
    /// Every environment there is, and which of them are installed
    List(EnvList),
    /// Install an environment; needs the network once
    Install(EnvName),
    /// What is in an environment
    Show(EnvName),
}

#[derive(Debug, Args)]
pub(crate) struct EnvList {
    /// Print a JSON array instead
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EnvName {
    /// Which one
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Print a JSON object instead
    #[arg(long)]
    pub(crate) json: bool,
}

/// Makes a cell, looks which walls stand and whether there is what a run needs, and says what to do about the rest. The
/// exit status is 1 if no program can be run here.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Print a JSON array instead
    #[arg(long)]
    pub(crate) json: bool,
}

/// Measures what cellblock costs on this machine, beside the same without it, in the same run. Nothing leaves the
/// machine.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// What to measure [default: everything]
    #[arg(value_name = "WHAT", value_enum)]
    pub(crate) what: Vec<Measure>,
    /// Do less of it: a second instead of a quarter of a minute, and less to be relied on
    #[arg(long)]
    pub(crate) quick: bool,
    /// Print a JSON object instead
    #[arg(long)]
    pub(crate) json: bool,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Measure {
    /// What a connection out of a cell can carry, and how long it takes to be made
    Egress,
}

/// The command line as this process has it. A variable that is set to nothing is one that is not set.
pub(crate) fn parsed() -> Result<Cli, clap::Error> {
    let mut matches = Cli::command_now().try_get_matches()?;
    Cli::from_arg_matches_mut(&mut matches)
}

impl Cli {
    fn command_now() -> clap::Command {
        fn without_empty(command: clap::Command) -> clap::Command {
            let is_empty = |arg: &Arg| {
                let value = arg.get_env().and_then(std::env::var_os);
                value.is_some_and(|value| value.is_empty())
            };
            let reset = |arg: Arg| if is_empty(&arg) { arg.env(Resettable::Reset) } else { arg };
            command.mut_args(reset).mut_subcommands(without_empty)
        }
        without_empty(Cli::command())
    }
}

/// What to say of a value that did not stand on the command line.
pub(crate) fn origin(error: &clap::Error, given: &[OsString]) -> Option<String> {
    let argument = match error.get(ContextKind::InvalidArg)? {
        ContextValue::String(text) => text.split_whitespace().next()?,
        _ => return None,
    };
    let is_it = |text: &OsString| text.to_str().is_some_and(|text| text.split('=').next() == Some(argument));
    if given.iter().any(is_it) {
        return None;
    }
    let run = Cli::command();
    let run = run.find_subcommand("run")?;
    let arg = run.get_opts().find(|arg| arg.get_long() == argument.strip_prefix("--"))?;
    Some(format!("the value comes from the variable `{}`", arg.get_env()?.to_str()?))
}

/// The option of ours that a program's first argument looks like, and is not.
pub(crate) fn meant(argument: &str) -> Option<String> {
    let name = argument.strip_prefix("--")?.split('=').next()?;
    let run = Cli::command();
    let run = run.find_subcommand("run")?;
    let mut longs = run.get_opts().filter_map(Arg::get_long);
    // Of short names, every other one is near.
    let near = name.len().saturating_sub(2) / 2;
    longs.find(|long| strsim::osa_distance(long, name) <= near.min(2)).map(|long| format!("--{long}"))
}

pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if time >= Duration::from_millis(1) => Ok(time),
        _ => Err("not a time that a program could take".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_argument_that_was_meant_for_us_is_noticed() {
        assert_eq!(meant("--memroy").as_deref(), Some("--memory"));
        assert_eq!(meant("--timout=3").as_deref(), Some("--timeout"));
        for other in ["--epochs", "--n", "--out-dir", "memory", "-x", "--"] {
            assert_eq!(meant(other), None, "{other}");
        }
    }

    #[test]
    fn seconds_are_positive_numbers() {
        assert_eq!(seconds("1.5"), Ok(Duration::from_millis(1500)));
        for wrong in ["0", "-1", "NaN", "inf", "1e40", "soon", ""] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
