//! `cellblock serve`: the server.
//!
//! It listens at once and prepares behind that: an environment that is not there is installed while `/readyz` and early
//! requests are told how far it is. It stops on SIGTERM or Ctrl-C: no new request is taken, what runs gets its time,
//! sessions are ended, records are on the disk.

pub(crate) mod logs;
pub(crate) mod prepare;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use server::{Bounds, Opening, Server, Service};
use session::records::Records;
use session::{Limits, TypeErrors};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::cli::Common;
use crate::config::{Config, Given};
use crate::hints::Hint;
use crate::place::Places;
use crate::printer::Printer;
use crate::{network, require, store};

/// How long what runs may go on when the server is told to stop.
const GRACE: Duration = Duration::from_secs(10);

const HELP: &str = "\
Clients of AWS AgentCore Code Interpreter work unchanged: point them here with
  AWS_ENDPOINT_URL_BEDROCK_AGENTCORE=http://127.0.0.1:8080
  AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL=http://127.0.0.1:8080
(the clients want some AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION; any will do).

The network mode is the most that any session may have. Which of it, the client's interpreter says: SANDBOX is none, \
PUBLIC needs internet, VPC is what `--allow` and `--open-private` list. `aws.codeinterpreter.v1` is SANDBOX, always.

Every option is a key of the configuration file, too, and an environment variable: `--show-config` tells each value \
and where it came from.

Examples:
  cellblock serve
  cellblock serve --listen 127.0.0.1:9000 --data /var/lib/cellblock
  cellblock serve --allow '*.example.org' --open-private 10.1.2.3:5432
  CELLBLOCK_LIMITS_MEMORY_MIB=2048 cellblock serve --show-config";

/// Serves agents over HTTP: every session gets a locked cell of its own, whose Python keeps its state from call to call.
#[derive(Debug, Args)]
#[command(after_long_help = HELP, after_help = "See `cellblock serve --help` for clients, configuration and examples.")]
pub(crate) struct Serve {
    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// The environment that cells see; installed behind the first requests if it is not there [default: full]
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    #[command(flatten)]
    network: network::Options,
    /// Read the configuration from a TOML file
    #[arg(long, value_name = "FILE", env = "CELLBLOCK_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
    /// Print the configuration, with where each value came from, and do nothing else
    #[arg(long)]
    show_config: bool,
    /// What to log: error, warn, info, debug
    #[arg(long, value_name = "LEVEL", default_value = "info", env = "CELLBLOCK_LOG", hide_env_values = true)]
    log: tracing::level_filters::LevelFilter,
    /// Log one JSON object a line
    #[arg(long)]
    log_json: bool,
}

/// Serves until it is told to stop; gives the exit status.
pub(crate) fn serve(options: &Serve, common: &Common, printer: Printer) -> anyhow::Result<u8> {
    let given =
        [("server.listen", "--listen", options.listen.clone()), ("server.env", "--env", options.env.clone())];
    let given = given.into_iter().chain(options.network.given());
    let config = configured(options.config.as_deref(), common, given)?;
    if options.show_config {
        print!("{}", config.show());
        return Ok(0);
    }
    let address = address(config.text("server.listen").unwrap_or_default())?;
    let places = begin(&config, common, printer, || logs::begin(options.log, options.log_json))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(&config, places, address, printer))?;
    runtime.shutdown_timeout(Duration::from_secs(5));
    Ok(0)
}

/// The configuration of whoever serves: the file, the variables, and what the command line gives.
pub(crate) fn configured(
    file: Option<&Path>,
    common: &Common,
    given: impl Iterator<Item = Given>,
) -> anyhow::Result<Config> {
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let places = [
        ("server.data", "--data", path(&common.data)),
        ("server.environments", "--environments", path(&common.environments)),
    ];
    let given: Vec<Given> = places.into_iter().chain(given).collect();
    Config::load(file, |name| std::env::var(name).ok(), &given)
}

/// Checks what is configured before anybody is served, and begins to log.
pub(crate) fn begin(
    config: &Config,
    common: &Common,
    printer: Printer,
    log: impl FnOnce(),
) -> anyhow::Result<Places> {
    let places = Places::new(&Common {
        data: config.text("server.data").map(PathBuf::from),
        environments: config.text("server.environments").map(PathBuf::from),
        quiet: common.quiet,
    })?;
    // A name that is none would be found out by the first client.
    environment::Recipe::named(config.text("server.env").unwrap_or_default())?;
    network::warn(config, network::Use::Server, printer);
    // Before anything is started: trying makes a cell, and cgroups want a process that is alone.
    require::check(config, network::Use::Server)?;
    log();
    // A connection of a session takes two descriptors, and many systems give a program 1024 unless it asks.
    if let Err(error) = sys::process::raise_open_files() {
        tracing::warn!(%error, "failed to raise the limit of open descriptors");
    }
    Ok(places)
}

/// The address to listen on. Whoever can reach another one than loopback could run code here.
fn address(listen: &str) -> anyhow::Result<SocketAddr> {
    let address: SocketAddr = listen.replacen("localhost:", "127.0.0.1:", 1).parse().map_err(|_| {
        Hint::new(
            format!("listen on `{listen}`: it is no address and port"),
            "an address is `127.0.0.1:8080` or `[::1]:8080`",
        )
    })?;
    if address.ip().is_loopback() {
        return Ok(address);
    }
    let what =
        format!("listen on `{address}`: without keys, anybody who reaches it could run code on this machine");
    Err(Hint::new(what, "listen on 127.0.0.1, and reach it from elsewhere through an SSH tunnel").into())
}

async fn run(config: &Config, places: Places, address: SocketAddr, printer: Printer) -> anyhow::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Hint::new(format!("listen on `{address}`"), "another one may be free: `--listen 127.0.0.1:8081`")
            .because(error)
    })?;
    std::fs::create_dir_all(&places.data).with_context(|| format!("make `{}`", places.data.display()))?;
    let store = store::open(config, &places)?;
    let records = Records::open(&places.data.join("records.db"))?;
    let (opening, opened) = watch::channel(Opening::Preparing("it is starting".to_owned()));
    let service = Service::new(opened, records, store, bounds(config));
    let server = Server::new(listener, service.clone(), server::Options::default())?;
    printer.plain(format_args!("cellblock listens on http://{}", server.address()?));

    let (stop, stopping) = watch::channel(false);
    let mut serving = tokio::spawn(server.serve(stopping));
    let opening = Arc::new(opening);
    let name = config.text("server.env").unwrap_or("full").to_owned();
    let preparing = tokio::spawn(prepare::prepare(opening.clone(), name, config.clone(), places));
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = service.tidy() => {}
    }
    printer.plain("stopping: what runs has 10 s; press Ctrl-C again to leave now");
    let engine = opening.send_replace(Opening::Stopping);
    stop.send_replace(true);
    let ending = async {
        prepare::give_up(preparing, &engine).await;
        // Then the sessions end, and their calls are told so, which ends the last connections.
        let _ = tokio::time::timeout(GRACE, &mut serving).await;
        service.end_sessions().await;
        if !serving.is_finished() {
            let _ = serving.await;
        }
        drop(service);
        if let Opening::Ready(ready) = engine
            && let Some(engine) = Arc::into_inner(ready.engine)
        {
            engine.shutdown().await;
        }
    };
    tokio::select! {
        () = ending => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

pub(crate) fn bounds(config: &Config) -> Bounds {
    let usual = Limits::default();
    let number = |name, usual| config.number(name).unwrap_or(usual);
    let limits = Limits {
        cpus: u32::try_from(number("limits.cpus", u64::from(usual.cpus))).unwrap_or(usual.cpus),
        memory: number("limits.memory_mib", usual.memory >> 20) << 20,
        processes: u32::try_from(number("limits.processes", u64::from(usual.processes)))
            .unwrap_or(usual.processes),
        disk: number("limits.disk_mib", usual.disk >> 20) << 20,
        call_ms: number("limits.call_seconds", usual.call_ms / 1000) * 1000,
        ..usual
    };
    Bounds {
        limits,
        life: Duration::from_secs(number("limits.session_seconds", 28_800)),
        network: network::of(config),
        type_errors: match config.text("typescript.errors") {
            Some("warn") => TypeErrors::Warn,
            _ => TypeErrors::Refuse,
        },
        sessions: usize::try_from(number("limits.sessions", 1000)).unwrap_or(usize::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_loopback_is_listened_on() {
        for good in ["127.0.0.1:8080", "[::1]:0", "localhost:1", "127.9.9.9:65535"] {
            assert!(address(good).is_ok(), "{good}");
        }
        for wrong in ["0.0.0.0:8080", "[::]:8080", "10.0.0.1:80", "8080", "", "example.org:80"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}
