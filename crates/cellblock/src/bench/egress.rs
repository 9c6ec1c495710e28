//! What the way out of a cell costs: the same client in a cell and outside of one, against the same server.
//!
//! The server listens on an address of this very machine that the session's network opens by name; so nothing but
//! cellblock and the loopback device is measured. Rounds alternate, so that what else the machine does meets both.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use environment::Environments;
use serde::{Deserialize, Serialize};
use session::network::{Mode, Rates};
use session::{
    Engine, EngineOptions, Event, ExecuteRequest, Kernels, Network, Outcome, Principal, Resolver, Session,
    SessionOptions, new_call_id,
};

use super::server::Server;
use crate::hints::Hint;
use crate::place::Places;
use crate::printer::Printer;

const CLIENT: &str = include_str!("client.py");

/// The environment whose Python is the client.
const ENVIRONMENT: &str = "lean";
/// How much is done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort {
    /// How often everything is measured.
    rounds: usize,
    /// For how long bytes are received, and sent.
    seconds: &'static str,
    /// How many connections are made in a round.
    connects: &'static str,
}

impl Effort {
    pub(super) const USUAL: Effort = Effort { rounds: 3, seconds: "1", connects: "300" };
    pub(super) const QUICK: Effort = Effort { rounds: 1, seconds: "0.2", connects: "50" };
}

/// How long a round may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the client tells of a round: bytes a second, and the seconds of each connection.
#[derive(Debug, Clone, Deserialize)]
struct Round {
    received: f64,
    sent: f64,
    connects: Vec<f64>,
}

/// One way, measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Way {
    receive_gbit_per_second: f64,
    send_gbit_per_second: f64,
    connect_ms_p50: f64,
    connect_ms_p99: f64,
}

/// What was measured.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Measured {
    address: IpAddr,
    rounds: usize,
    direct: Way,
    egress: Way,
    added_connect_ms_p50: f64,
}

/// Measures it.
pub(super) async fn measure(effort: Effort, places: &Places, printer: Printer) -> anyhow::Result<Measured> {
    let environments = Environments::new(&places.environments);
    let root = crate::environments::install(&environments, ENVIRONMENT, printer)?.root;
    let (address, mut network) = reachable()?;
    let server = Server::start(address).with_context(|| format!("listen on {address}"))?;
    let to = server.address();
    open(&mut network, to)?;
    let engine = Engine::start(EngineOptions {
        data: places.data.clone(),
        environment: root.clone(),
        kernels: Kernels::Cold,
        total_memory: None,
        // No name is looked up.
        resolver: Resolver::new(Vec::new()),
    })
    .await?;
    let options = SessionOptions { network, ..SessionOptions::default() };
    let session = engine.open(Principal::local(), options).await?;
    let rounds = rounds(effort, &session, &root, to, printer).await;
    session.stop().await.context("tidy up")?;
    engine.shutdown().await;
    let (direct, egress) = rounds?;
    let (direct, egress) = (Way::of(&direct), Way::of(&egress));
    Ok(Measured {
        address,
        rounds: effort.rounds,
        direct,
        egress,
        added_connect_ms_p50: egress.connect_ms_p50 - direct.connect_ms_p50,
    })
}

/// An address of this machine that a session may be let to, and the network that could.
fn reachable() -> anyhow::Result<(IpAddr, Network)> {
    let own = sys::netlink::own_addresses().context("ask for this machine's addresses")?;
    let limits = Rates {
        connections: 1 << 16,
        connections_per_second: 100_000,
        lookups_per_second: 100_000,
        bytes: 1 << 60,
    };
    let network = Network { mode: Mode::Allow, limits, ..Network::default() };
    let mut candidates: Vec<IpAddr> =
        own.into_iter().filter(|&address| open(&mut network.clone(), (address, 1).into()).is_ok()).collect();
    candidates.sort_by_key(|address| (address.is_ipv6(), *address));
    match candidates.first() {
        Some(&address) => Ok((address, network)),
        None => Err(Hint::new(
            "measure egress: this machine has no address that a session could be let to",
            "give an interface a private one: `ip address add 10.213.0.1/32 dev lo`",
        )
        .into()),
    }
}

/// Lets a session to this address: private ones are opened, public ones listed.
fn open(network: &mut Network, to: SocketAddr) -> anyhow::Result<()> {
    let text = to.to_string();
    match text.parse() {
        Ok(opened) => network.open_private.push(opened),
        Err(_) => network.allow.push(text.parse()?),
    }
    Ok(())
}

async fn rounds(
    effort: Effort,
    session: &Session,
    root: &Path,
    to: SocketAddr,
    printer: Printer,
) -> anyhow::Result<(Vec<Round>, Vec<Round>)> {
    let (mut direct, mut egress) = (Vec::new(), Vec::new());
    let Effort { rounds, seconds, connects } = effort;
    let arguments = [to.ip().to_string(), to.port().to_string(), seconds.to_owned(), connects.to_owned()];
    for round in 1..=rounds {
        printer.note(format_args!("round {round} of {rounds}"));
        direct.push(outside(root, &arguments).await.context("measure a direct connection")?);
        egress.push(inside(session, &arguments).await.context("measure a connection from a cell")?);
    }
    Ok((direct, egress))
}

/// A round of the client as an ordinary process.
async fn outside(root: &Path, arguments: &[String; 4]) -> anyhow::Result<Round> {
    let mut command = Command::new(root.join("bin/python"));
    // Outside of a cell it would look for its library where it was built, which not everybody may read.
    command.args(["-s", "-B", "-c", CLIENT]).args(arguments).env_clear().env("PYTHONHOME", root.join("base"));
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    if !output.status.success() {
        bail!("run the client: {}", String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// A round of the client in the session's cell.
async fn inside(session: &Session, arguments: &[String; 4]) -> anyhow::Result<Round> {
    let mut request = ExecuteRequest::new(new_call_id()?, CLIENT);
    request.timeout = Some(PATIENCE);
    request.arguments = std::iter::once("client.py".to_owned()).chain(arguments.iter().cloned()).collect();
    let (events, report) = session.execute(request)?.collect().await;
    if report.outcome != Outcome::Ok {
        let why = report.raised.as_ref().map(|raised| raised.traceback.trim_end());
        bail!("run the client: {}", why.unwrap_or("it did not end well"));
    }
    let mut printed = Vec::new();
    for event in &events {
        if let Event::Stdout(bytes) = event {
            printed.extend_from_slice(bytes);
        }
    }
    Ok(serde_json::from_slice(&printed)?)
}

impl Way {
    fn of(rounds: &[Round]) -> Way {
        let gigabits = |rate: fn(&Round) -> f64| {
            let mut rates: Vec<f64> = rounds.iter().map(|round| rate(round) * 8.0 / 1e9).collect();
            part(&mut rates, 0.5)
        };
        let mut connects: Vec<f64> =
            rounds.iter().flat_map(|round| &round.connects).map(|seconds| seconds * 1000.0).collect();
        Way {
            receive_gbit_per_second: gigabits(|round| round.received),
            send_gbit_per_second: gigabits(|round| round.sent),
            connect_ms_p50: part(&mut connects, 0.5),
            connect_ms_p99: part(&mut connects, 0.99),
        }
    }
}

/// The value below which this part of the values lies; 0 of none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "an index of a list"
)]
fn part(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let index = (values.len() as f64 * part) as usize;
    values.get(index.min(values.len().saturating_sub(1))).copied().unwrap_or(0.0)
}

/// The table.
pub(super) fn table(measured: &Measured) -> String {
    let Measured { address, rounds, direct, egress, added_connect_ms_p50 } = measured;
    let line = |what: &str, direct: f64, egress: f64| format!("{what:36}{direct:>10.2}{egress:>10.2}\n");
    [
        format!("egress: from a cell to {address}, an address of this machine; {rounds} rounds\n\n"),
        format!("{:36}{:>10}{:>10}\n", "", "direct", "egress"),
        line("receiving, Gbit/s", direct.receive_gbit_per_second, egress.receive_gbit_per_second),
        line("sending, Gbit/s", direct.send_gbit_per_second, egress.send_gbit_per_second),
        line("from connect to first byte, p50, ms", direct.connect_ms_p50, egress.connect_ms_p50),
        line("                            p99, ms", direct.connect_ms_p99, egress.connect_ms_p99),
        format!("{:36}{:>20.2}\n", "added by egress, p50, ms", added_connect_ms_p50),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_and_the_server_measure_a_direct_connection() {
        let server = Server::start(std::net::Ipv4Addr::LOCALHOST.into()).unwrap();
        let to = server.address();
        let output = Command::new("python3")
            .args(["-I", "-c", CLIENT, &to.ip().to_string(), &to.port().to_string(), "0.05", "20"])
            .output();
        let Ok(output) = output else {
            eprintln!("SKIPPED: there is no python3");
            return;
        };
        assert!(output.status.success(), "{output:?}");
        let round: Round = serde_json::from_slice(&output.stdout).unwrap();
        assert!(round.received > 1e6 && round.sent > 1e6 && round.connects.len() == 20, "{round:?}");
        let way = Way::of(&[round]);
        assert!(way.connect_ms_p50 > 0.0 && way.connect_ms_p50 <= way.connect_ms_p99, "{way:?}");
    }

    #[test]
    fn what_was_measured_is_told_in_80_columns() {
        let way = |factor: f64| Way {
            receive_gbit_per_second: 40.0 / factor,
            send_gbit_per_second: 30.0 / factor,
            connect_ms_p50: 0.05 * factor,
            connect_ms_p99: 0.2 * factor,
        };
        let measured = Measured {
            address: "10.0.0.1".parse().unwrap(),
            rounds: 3,
            direct: way(1.0),
            egress: way(4.0),
            added_connect_ms_p50: 0.15,
        };
        insta::assert_snapshot!(table(&measured), @r"
        egress: from a cell to 10.0.0.1, an address of this machine; 3 rounds

                                                direct    egress
        receiving, Gbit/s                        40.00     10.00
        sending, Gbit/s                          30.00      7.50
        from connect to first byte, p50, ms       0.05      0.20
                                    p99, ms       0.20      0.80
        added by egress, p50, ms                            0.15
        ");
    }

    #[test]
    fn parts_of_values_are_values() {
        let is = |part: f64, value: f64| assert!((part - value).abs() < 1e-9, "{part}, not {value}");
        is(part(&mut [3.0, 1.0, 2.0], 0.5), 2.0);
        is(part(&mut [1.0, 2.0], 0.99), 2.0);
        is(part(&mut [], 0.5), 0.0);
    }
}
