//! The program: reads the command line, talks to the engine, prints.
//!
//! Data goes to standard output, talk to standard error, and one module ([`printer`]) decides what is not said. What
//! went wrong is printed once, here, with what is behind it and what to do about it.

mod cli;
mod config;
mod doctor;
mod environments;
mod hints;
mod place;
mod printer;
mod progress;
mod run;
mod serve;
mod terminal;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command};
use place::Places;
use printer::Printer;

/// The status of a failure that is ours and not the program's; the same as that of `timeout` and `docker run`.
const OUR_FAILURE: u8 = 125;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(cli.common.quiet);
    match dispatch(&cli, printer) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            printer.failure(&error);
            ExitCode::from(OUR_FAILURE)
        }
    }
}

fn dispatch(cli: &Cli, printer: Printer) -> anyhow::Result<u8> {
    match &cli.command {
        Command::Run(options) => run::run(options, &Places::new(&cli.common)?, printer),
        Command::Serve(options) => serve::serve(options, &cli.common, printer),
        Command::Env(command) => environments::env(command, &Places::new(&cli.common)?, printer),
        Command::Doctor(options) => doctor::doctor(options),
    }
}
