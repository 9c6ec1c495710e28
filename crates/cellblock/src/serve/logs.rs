//! What the server logs, and how: lines for people, or JSON for machines, on standard error.

use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;

/// Begins to log.
pub(super) fn begin(level: LevelFilter, json: bool) {
    let logs = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr);
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if json {
        logs.json().flatten_event(true).init();
    } else {
        logs.with_ansi(std::io::stderr().is_terminal() && !no_colour).with_target(false).init();
    }
}
