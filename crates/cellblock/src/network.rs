//! What sessions may reach, as the command line and the configuration say it.

use std::fmt::Display;
use std::net::SocketAddr;
use std::str::FromStr;

use anyhow::Context;
use clap::Args;
use session::network::{Entry, EntryError, Mode, Opened, Rates};
use session::{Network, Resolver};

use crate::config::{Config, Given};
use crate::printer::Printer;

/// Options about the network, of every command that opens sessions.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// How much of the network there is: none, allow (what is listed), internet (every public address) [default: none]
    #[arg(long, value_name = "MODE", value_parser = option::<Mode>)]
    network: Option<Mode>,
    /// List a name (`example.org`, `*.example.org`, `db.example.org:5432`) or a public address; may be given again;
    /// implies `--network allow`
    #[arg(long, value_name = "NAME", value_parser = option::<Entry>)]
    allow: Vec<Entry>,
    /// Open a private address or range (`10.1.2.3:5432`, `10.1.2.0/24`) in the modes allow and internet; may be given
    /// again
    #[arg(long, value_name = "ADDRESS", value_parser = option::<Opened>)]
    open_private: Vec<Opened>,
}

impl Options {
    /// What these options say of the configuration's keys.
    pub(crate) fn given(&self) -> [Given; 3] {
        let mode = match self.network {
            Some(mode) => ("network.mode", "--network", Some(mode.to_string())),
            None => ("network.mode", "--allow", (!self.allow.is_empty()).then(|| Mode::Allow.to_string())),
        };
        [
            mode,
            ("network.allow", "--allow", joined(&self.allow)),
            ("network.open_private", "--open-private", joined(&self.open_private)),
        ]
    }
}

fn joined(entries: &[impl Display]) -> Option<String> {
    let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
    (!entries.is_empty()).then(|| entries.join(","))
}

fn option<T: FromStr<Err = EntryError>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: EntryError| error.reason.to_owned())
}

/// Whether this is a mode.
pub(crate) fn is_mode(text: &str) -> Result<(), String> {
    option::<Mode>(text).map(drop)
}

/// Whether this can be listed.
pub(crate) fn is_entry(text: &str) -> Result<(), String> {
    option::<Entry>(text).map(drop)
}

/// Whether this can be opened.
pub(crate) fn is_opened(text: &str) -> Result<(), String> {
    option::<Opened>(text).map(drop)
}

/// Whether this can be asked for names.
pub(crate) fn is_resolver(text: &str) -> Result<(), String> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.port() > 0 => Ok(()),
        _ => Err("it is an address and a port, as in `10.0.0.2:53` or `[fd00::2]:53`".to_owned()),
    }
}

/// The most that a session may reach.
pub(crate) fn of(config: &Config) -> Network {
    let usual = Rates::default();
    let number =
        |name, usual: u32| config.number(name).and_then(|number| u32::try_from(number).ok()).unwrap_or(usual);
    Network {
        mode: config.text("network.mode").and_then(|mode| mode.parse().ok()).unwrap_or_default(),
        allow: parsed(config.list("network.allow")),
        open_private: parsed(config.list("network.open_private")),
        limits: Rates {
            connections: number("network.connections", usual.connections),
            connections_per_second: number("network.connections_per_second", usual.connections_per_second),
            lookups_per_second: number("network.lookups_per_second", usual.lookups_per_second),
            bytes: config.number("network.transfer_mib").map_or(usual.bytes, |mebibytes| mebibytes << 20),
        },
    }
}

/// Who is asked for names: the server that is configured, or those that the host asks.
pub(crate) fn resolver(config: &Config) -> anyhow::Result<Resolver> {
    match config.text("network.resolver").and_then(|server| server.parse().ok()) {
        Some(server) => Ok(Resolver::new(vec![server])),
        None => Resolver::of_host().context("read /etc/resolv.conf"),
    }
}

/// Entries that were checked when the configuration was read.
fn parsed<T: FromStr>(entries: &[String]) -> Vec<T> {
    entries.iter().filter_map(|entry| entry.parse().ok()).collect()
}

/// Who uses a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// One session, which has the mode.
    Session,
    /// A server: in the mode internet, its interpreters of the mode VPC have the list.
    Server,
}

/// What is configured and does nothing: a sentence, and what would change that.
pub(crate) fn idle(config: &Config, user: Use) -> Vec<(String, &'static str)> {
    let network = of(config);
    let mode = network.mode;
    let mut idle = Vec::new();
    let mut tell = |name: &str, remedy| {
        let origin = config.origin(name);
        idle.push((format!("`{name}` ({origin}) does nothing in the network mode {mode}"), remedy));
    };
    let listed = !network.allow.is_empty();
    match mode {
        Mode::None if listed => tell("network.allow", "the mode allow uses the list"),
        Mode::Internet if listed && user == Use::Session => {
            tell("network.allow", "every public address is reached; the mode allow uses the list");
        }
        _ => {}
    }
    match mode {
        Mode::None if !network.open_private.is_empty() => {
            tell("network.open_private", "the modes allow and internet open it");
        }
        Mode::Allow if !listed && network.open_private.is_empty() => idle.push((
            "the network mode is allow, and nothing is listed: nothing is reached".to_owned(),
            "`network.allow` lists names and public addresses, `network.open_private` opens private ones",
        )),
        _ => {}
    }
    idle
}

/// Says what is configured and does nothing.
pub(crate) fn warn(config: &Config, user: Use, printer: Printer) {
    for (sentence, remedy) in idle(config, user) {
        printer.warning(sentence);
        printer.advice(remedy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> anyhow::Result<Config> {
        let find = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Config::load(None, find, &[])
    }

    #[test]
    fn what_is_not_configured_is_as_policy_has_it() {
        assert_eq!(of(&config(&[]).unwrap()), Network::default());
    }

    #[test]
    fn what_is_configured_is_what_sessions_may_reach() {
        let network = of(&config(&[
            ("CELLBLOCK_NETWORK_MODE", "allow"),
            ("CELLBLOCK_NETWORK_ALLOW", "*.Example.org, db.example.org:5432"),
            ("CELLBLOCK_NETWORK_OPEN_PRIVATE", "10.1.2.0/24"),
            ("CELLBLOCK_NETWORK_CONNECTIONS", "3"),
            ("CELLBLOCK_NETWORK_CONNECTIONS_PER_SECOND", "4"),
            ("CELLBLOCK_NETWORK_LOOKUPS_PER_SECOND", "5"),
            ("CELLBLOCK_NETWORK_TRANSFER_MIB", "6"),
        ])
        .unwrap());
        assert_eq!(network.mode, Mode::Allow);
        assert_eq!(joined(&network.allow).unwrap(), "*.example.org,db.example.org:5432");
        assert_eq!(joined(&network.open_private).unwrap(), "10.1.2.0/24");
        let rates =
            Rates { connections: 3, connections_per_second: 4, lookups_per_second: 5, bytes: 6 << 20 };
        assert_eq!(network.limits, rates);
        let server = "10.0.0.2:53".parse().unwrap();
        let asked = resolver(&config(&[("CELLBLOCK_NETWORK_RESOLVER", "10.0.0.2:53")]).unwrap()).unwrap();
        assert_eq!(asked, Resolver::new(vec![server]));
    }

    #[test]
    fn what_is_wrong_is_told_with_what_it_should_be() {
        for (variable, value, says) in [
            ("CELLBLOCK_NETWORK_MODE", "open", "none, allow or internet"),
            ("CELLBLOCK_NETWORK_ALLOW", "example.org,*", "mode `internet`"),
            ("CELLBLOCK_NETWORK_ALLOW", "10.0.0.1", "`open_private`"),
            ("CELLBLOCK_NETWORK_OPEN_PRIVATE", "169.254.169.254", "never opened"),
            ("CELLBLOCK_NETWORK_RESOLVER", "10.0.0.2", "`10.0.0.2:53`"),
            ("CELLBLOCK_NETWORK_CONNECTIONS", "0", "from 1"),
        ] {
            let error = config(&[(variable, value)]).unwrap_err();
            let told = crate::printer::failed(&error) + &crate::hints::of(&error).unwrap();
            assert!(told.contains(says) && told.contains(&format!("({variable})")), "{value}: {told}");
        }
    }

    #[test]
    fn what_does_nothing_is_said() {
        let told = |mode, allow, open, user| {
            let variables = [
                ("CELLBLOCK_NETWORK_MODE", mode),
                ("CELLBLOCK_NETWORK_ALLOW", allow),
                ("CELLBLOCK_NETWORK_OPEN_PRIVATE", open),
            ];
            let idle = idle(&config(&variables).unwrap(), user);
            idle.into_iter().map(|(sentence, _)| sentence).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(told("none", "", "", Use::Server), "");
        assert_eq!(
            told("", "a.org", "10.0.0.1", Use::Server),
            "`network.allow` (CELLBLOCK_NETWORK_ALLOW) does nothing in the network mode none; \
             `network.open_private` (CELLBLOCK_NETWORK_OPEN_PRIVATE) does nothing in the network mode none"
        );
        assert!(told("allow", "", "", Use::Session).contains("nothing is listed"));
        assert_eq!(told("allow", "", "10.0.0.1", Use::Session), "");
        assert!(told("internet", "a.org", "", Use::Session).contains("the network mode internet"));
        assert_eq!(told("internet", "a.org", "10.0.0.1", Use::Server), "");
    }
}
