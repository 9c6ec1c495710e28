//! The program: reads the command line, talks to the engine, prints.
//!
//! Data goes to standard output, talk to standard error, and one module ([`printer`]) decides what is not said. What
//! went wrong is printed once, here, with what is behind it and what to do about it.

mod bench;
mod cli;
mod config;
mod doctor;
mod environments;
mod hints;
mod limits;
mod mcp;
mod network;
mod place;
mod printer;
mod progress;
mod require;
mod run;
mod serve;
mod shell;
mod store;
mod terminal;

use std::ffi::OsString;
use std::process::ExitCode;

use cli::{Cli, Command};
use place::Places;
use printer::Printer;

/// The status of a failure that is ours and not the program's; the same as that of `timeout` and `docker run`.
const OUR_FAILURE: u8 = 125;
/// The status of a command line that is wrong.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let given: Vec<OsString> = std::env::args_os().skip(1).collect();
    let cli = match cli::parsed() {
        Ok(cli) => cli,
        Err(error) => return misused(&error, &given),
    };
    let printer = Printer::new(cli.common.quiet);
    if let Command::Run(options) = &cli.command
        && let Some(first) = options.arguments.first()
        && !given.iter().any(|given| given == "--")
        && let Some(ours) = cli::meant(first)
    {
        printer.warning(format_args!("`{}` goes to the program; is `{ours}` meant?", printer::name(first)));
    }
    match dispatch(&cli, printer) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            printer.failure(&error);
            if let Command::Run(options) = &cli.command
                && options.json
            {
                run::print_failure(OUR_FAILURE, &printer::failed(&error), hints::of(&error));
            }
            ExitCode::from(OUR_FAILURE)
        }
    }
}

/// Help, a version, or what is wrong with the command line.
fn misused(error: &clap::Error, given: &[OsString]) -> ExitCode {
    let _ = error.print();
    if !error.use_stderr() {
        return ExitCode::SUCCESS;
    }
    let hint = cli::origin(error, given);
    if let Some(hint) = &hint {
        Printer::new(false).hint(hint);
    }
    let ours = given.iter().take_while(|given| *given != "--");
    if given.first().is_some_and(|first| first == "run") && ours.into_iter().any(|given| given == "--json") {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        run::print_failure(USAGE, first.strip_prefix("error: ").unwrap_or(first), hint);
    }
    ExitCode::from(USAGE)
}

fn dispatch(cli: &Cli, printer: Printer) -> anyhow::Result<u8> {
    match &cli.command {
        Command::Run(options) => run::run(options, &Places::new(&cli.common)?, printer),
        Command::Shell(options) => shell::shell(options, &Places::new(&cli.common)?, printer),
        Command::Serve(options) => serve::serve(options, &cli.common, printer),
        Command::Mcp(options) => mcp::mcp(options, &cli.common, printer),
        Command::Env(command) => environments::env(command, &Places::new(&cli.common)?, printer),
        Command::Bench(options) => bench::bench(options, &Places::new(&cli.common)?, printer),
        Command::Doctor(options) => doctor::doctor(options, &Places::new(&cli.common)?),
    }
}
