//! The shell's part of the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use session::workspace::WorkspaceName;

use crate::cli::seconds;
use crate::run::language;
use crate::{limits, network, store};

const HELP: &str = "\
Enter runs what stands there, or begins another line where more must come; a blank line ends a block. Alt-Enter begins \
another line in any case, and what is pasted stays whole. Tab completes from what the interpreter knows. Up, Down and Ctrl-R \
find what was entered before, in this shell or another; what begins with a blank is not remembered.

What timers of JavaScript, and programs that were left running, print after their input has ended is shown above the prompt \
as it comes; what Python's threads print, and in a session that was joined all of it, with the next input.

Ctrl-C stops the code that runs, and variables stay; at the prompt it clears the line. Ctrl-D, or `exit`, leaves.

In Python, `!ls` runs a command, `%pip install NAME` and other magics work as in a notebook, `name?` tells what \
something is. There is nobody to answer input(). With `--language javascript` or `typescript` it is JavaScript on \
Node.js, or on Deno with `--runtime deno`; Enter then goes on while the code is not whole.

Files outlive the shell: what lies in the workspace is in the working directory, and what code makes or changes there \
is saved to the workspace at the end, whatever ends it.

A table is shown in as many columns as fit. A figure is shown where the terminal can (kitty, Ghostty, WezTerm, iTerm2, \
Konsole), and saved elsewhere, which is said. Colours are left out where NO_COLOR is set.

With `--session` the shell joins a session that a server holds, by its id or its name: it shares variables and files \
with whoever else uses it, and the session goes on when you leave. Options about the cell are the server's then.

If standard input is no terminal, all of it runs as one cell; with --json, its events come one JSON object a line, as \
docs/v1.md tells them. `cellblock run -` is made for whole programs.

Exit status: 0 after Ctrl-D or `exit`; 125 if cellblock itself failed; 143 if it was told to end (SIGTERM, SIGHUP); of \
code that was piped in, the same as of `cellblock run`.

Examples:
  cellblock shell
  cellblock shell --env full --memory 8192
  cellblock shell --language typescript
  cellblock shell --allow api.example.org
  cellblock shell --session 01JZQ8WX3F9T5V7K2M4N6P8R0S

  In [1]: import pandas as pd
  In [2]: sales = pd.DataFrame({\"month\": [\"Jan\", \"Feb\"], \"cups\": [410, 432]})
  In [3]: sales.cups.sum()
  Out[3]: 842";

/// Opens a notebook in the terminal: Python or JavaScript in a cell, with variables that stay from one input to the next.
#[derive(Debug, Args)]
#[command(after_long_help = HELP, after_help = "See `cellblock shell --help` for keys, tables, figures, sessions and examples.")]
pub(crate) struct Shell {
    /// The environment that the cell sees; installed first if it is not there
    #[arg(long, value_name = "NAME", default_value = "lean", env = "CELLBLOCK_ENV", hide_env_values = true)]
    pub(crate) env: String,
    /// The workspace whose files lie in the working directory, and that keeps what changes there
    #[arg(long, value_name = "NAME", default_value = "default", value_parser = store::workspace_name, conflicts_with = "session")]
    pub(crate) workspace: WorkspaceName,
    #[command(flatten)]
    pub(crate) language: language::Options,
    /// Join a session that a server holds, by its id or name
    #[arg(long, value_name = "ID")]
    pub(crate) session: Option<String>,
    /// Where that server is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080", requires = "session")]
    pub(crate) url: String,
    /// Stop an input after so many seconds: interrupt first, kill 3 s later
    #[arg(long, value_name = "SECONDS", default_value = "900", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// Where to save figures that the terminal cannot show [default: cellblock-out]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) limits: limits::CellLimits,
    #[command(flatten)]
    pub(crate) network: network::Options,
    /// Print one JSON object a line for what happens to the code that is piped in
    #[arg(long)]
    pub(crate) json: bool,
}
