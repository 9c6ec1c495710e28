//! The command line. Every option that has an environment variable names it in its help.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// Runs an agent's code in a locked cell of its own: a sandbox with pandas, matplotlib and a shell inside, no network,
/// and nothing of this machine in sight.
#[derive(Debug, Parser)]
#[command(name = "cellblock", version, propagate_version = true, max_term_width = 100)]
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
    /// Print nothing on standard error but errors
    #[arg(long, short, global = true, display_order = 102)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run one program in a fresh cell, print its output, save the files it made
    Run(Run),
    /// Serve agents over HTTP; clients of AWS AgentCore Code Interpreter work unchanged
    Serve(crate::serve::Serve),
    /// List, install and describe environments: what programs find in a cell
    #[command(subcommand)]
    Env(Env),
    /// Tell what this machine can and cannot do, each with the consequence and the remedy
    Doctor(Doctor),
}

const RUN_HELP: &str = "\
Files that the program names, as in `read_csv(\"sales.csv\")`, and modules of yours that it imports are brought into \
the cell if they lie in the program's own directory. Of what the program then makes or changes, regular files are \
saved; links, pipes and __pycache__ are not. A file that is already there is never replaced: the new one gets a \
number.

The value of the program's last expression is printed, as in a notebook. Figures that it shows or leaves open are \
saved as figure-1.png and so on, and shown where the terminal can (kitty, Ghostty, WezTerm, iTerm2, Konsole).

With --json, standard output is one object: `outcome`, `status`, `message`, `stdout`, `stderr`, `traceback`, \
`results`, `figures`, `files`, `notices`, `seconds`, `cpu_seconds`, `memory_peak_bytes`, \
`memory_limit_bytes`, `output_bytes`, `soft_limits`, `not_saved`, `environment`.

Exit status:
  the program's own   after sys.exit(n), and 0 when it ran to its end
  1                   it raised, or its disk was full
  2                   the command line is wrong
  124                 its time was up
  125                 cellblock itself failed
  130                 it was interrupted (Ctrl-C)
  137                 it used more memory than it may
  141                 nobody read its output any more
  143                 cellblock was told to end (SIGTERM)
  128+n               it died of signal n

Examples:
  cellblock run examples/sales.py
  cellblock run report.py --out results --timeout 60
  echo 'print(6 * 7)' | cellblock run -
  cellblock run train.py --file data/ --memory 8192 --cpus 4";

/// Runs one program in a fresh cell: prints what it prints, as it comes, and saves the files it made.
#[derive(Debug, Args)]
#[command(after_long_help = RUN_HELP, after_help = "See `cellblock run --help` for files, figures, exit status and examples.")]
pub(crate) struct Run {
    /// The program, in Python; `-` reads it from standard input
    #[arg(value_name = "FILE")]
    pub(crate) program: PathBuf,
    /// Arguments of the program, from the first that is no option of cellblock's, or `--`, on
    #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) arguments: Vec<String>,
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
    /// Memory of all processes in the cell together, MiB
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 4096,
        env = "CELLBLOCK_LIMITS_MEMORY_MIB",
        hide_env_values = true
    )]
    #[arg(value_parser = clap::value_parser!(u64).range(32..=1 << 24))]
    pub(crate) memory: u64,
    /// What it may keep on disk, and what of it is saved at most, MiB
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 10240,
        env = "CELLBLOCK_LIMITS_DISK_MIB",
        hide_env_values = true
    )]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1 << 34))]
    pub(crate) disk: u64,
    /// Processors' worth of time
    #[arg(
        long,
        value_name = "N",
        default_value_t = 2,
        env = "CELLBLOCK_LIMITS_CPUS",
        hide_env_values = true
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(crate) cpus: u32,
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

/// Makes a cell, looks which walls stand, and says what to do about those that do not. The exit status is 1 if no cell
/// can be made here.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Print a JSON array instead
    #[arg(long)]
    pub(crate) json: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if time >= Duration::from_millis(1) => Ok(time),
        _ => Err("not a time that a program could take".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn seconds_are_positive_numbers() {
        assert_eq!(seconds("1.5"), Ok(Duration::from_millis(1500)));
        for wrong in ["0", "-1", "NaN", "inf", "1e40", "soon", ""] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
