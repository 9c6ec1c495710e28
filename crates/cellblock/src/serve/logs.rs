//! What the server logs, and how: lines for people, or JSON for machines, on standard error.

use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

/// Begins to log. What sessions did with their network is told at every level.
pub(crate) fn begin(level: LevelFilter, json: bool) {
    // What MCP carries is code and its output, which a log of everything would repeat.
    let wanted = Targets::new()
        .with_default(level)
        .with_target("audit", level.max(LevelFilter::INFO))
        .with_target("rmcp", level.min(LevelFilter::WARN))
        // That a client has gone, or asked for what is not there, is no fault of ours.
        .with_target("rmcp::service", LevelFilter::OFF);
    let logs = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(std::io::stderr);
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if json {
        logs.json().flatten_event(true).finish().with(wanted).init();
    } else {
        logs.with_ansi(std::io::stderr().is_terminal() && !no_colour)
            .with_target(false)
            .finish()
            .with(wanted)
            .init();
    }
}
