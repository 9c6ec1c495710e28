//! `cellblock mcp`: the tools of an agent, over standard input and output.
//!
//! The agent's program starts it and talks to it; nobody else does. It answers at once and prepares behind that. Its
//! session ends with the connection, with SIGTERM and with Ctrl-C, and its files are saved before the process ends.
//! Standard output is the protocol's alone: what there is to say goes to the log, on standard error.

mod bridge;
mod events;
mod target;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use server::{Opening, Service};
use session::records::Records;
use session::workspace::WorkspaceName;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use target::Target;

use crate::cli::Common;
use crate::config::Config;
use crate::place::Places;
use crate::printer::Printer;
use crate::serve::{begin, bounds, configured, logs, prepare};
use crate::{network, store};

const HELP: &str = "\
An agent's configuration names this command, and the agent starts it:
  claude mcp add cellblock -- cellblock mcp
  {\"mcpServers\": {\"cellblock\": {\"command\": \"cellblock\", \"args\": [\"mcp\"]}}}

Files that are saved are in the workspace, which outlasts the session: `--workspace` names it, so that each project can \
have its own. What lies in its `uploads/` is in the sandbox when code first runs.

The configuration file and the environment variables are those of `cellblock serve`.";

/// Gives an agent its tools over MCP, on standard input and output: a sandbox of its own, with no server to run.
#[derive(Debug, Args)]
#[command(after_long_help = HELP, after_help = "See `cellblock mcp --help` for how agents are configured.")]
pub(crate) struct Mcp {
    /// Hand everything on to a server that runs: `http://127.0.0.1:8080/mcp`
    #[arg(long, value_name = "URL", value_parser = Target::parse, conflicts_with_all = ["env", "config", "network", "allow", "open_private"])]
    url: Option<Target>,
    /// The workspace that files are kept in [default: default]
    #[arg(long, value_name = "NAME", value_parser = store::workspace_name)]
    workspace: Option<WorkspaceName>,
    /// The environment that the sandbox sees; installed behind the first calls if it is not there [default: full where
    /// that is installed, else lean]
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    #[command(flatten)]
    network: network::Options,
    /// Read the configuration from a TOML file
    #[arg(long, value_name = "FILE", env = "CELLBLOCK_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
    /// What to log: error, warn, info, debug
    #[arg(long, value_name = "LEVEL", default_value = "warn", env = "CELLBLOCK_LOG", hide_env_values = true)]
    log: tracing::level_filters::LevelFilter,
    /// Log one JSON object a line
    #[arg(long)]
    log_json: bool,
}

/// Serves one agent until it goes; gives the exit status.
pub(crate) fn mcp(options: &Mcp, common: &Common, printer: Printer) -> anyhow::Result<u8> {
    if let Some(target) = &options.url {
        logs::begin(options.log, options.log_json);
        return bridge::run(target.clone(), options.workspace.as_ref());
    }
    let given = [("server.env", "--env", options.env.clone())].into_iter().chain(options.network.given());
    let config = configured(options.config.as_deref(), common, given)?;
    let places = begin(&config, common, printer, || logs::begin(options.log, options.log_json))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let workspace = options.workspace.as_ref().map(ToString::to_string);
    let served = runtime.block_on(embedded(&config, places, workspace));
    // A read of standard input cannot be given up: the process ends without it.
    runtime.shutdown_timeout(Duration::from_millis(100));
    served?;
    Ok(0)
}

/// The environment: what was asked for, else `full` where it is there. Whoever starts an agent waits for the small one.
fn chosen(config: &Config, places: &Places) -> String {
    let asked = config.text("server.env").unwrap_or("full");
    let environments = environment::Environments::new(&places.environments);
    let is_there = || environments.find("full").is_ok_and(|installed| installed.is_some());
    if config.origin("server.env") != "default" || is_there() { asked.to_owned() } else { "lean".to_owned() }
}

async fn embedded(config: &Config, places: Places, workspace: Option<String>) -> anyhow::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    std::fs::create_dir_all(&places.data).with_context(|| format!("make `{}`", places.data.display()))?;
    let store = store::open(config, &places)?;
    let (opening, opened) = watch::channel(Opening::Preparing("it is starting".to_owned()));
    let opening = Arc::new(opening);
    let service = Service::new(opened, Records::in_memory(), store, bounds(config));
    let name = chosen(config, &places);
    let preparing = tokio::spawn(prepare::prepare(opening.clone(), name, config.clone(), places));
    let stop = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    let streams = (tokio::io::stdin(), tokio::io::stdout());
    let served = server::stdio(service.clone(), workspace, streams, stop).await;
    let engine = opening.send_replace(Opening::Stopping);
    prepare::give_up(preparing, &engine).await;
    service.end_sessions().await;
    drop(service);
    if let Opening::Ready(ready) = engine
        && let Some(engine) = Arc::into_inner(ready.engine)
    {
        engine.shutdown().await;
    }
    served.context("speak MCP on standard input and output")
}
