//! What operators write: entries of `network.allow` and `network.open_private`.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use super::address::{Kind, Prefix, kind};
use super::name::{Name, Pattern};
use super::rules::{SYNTHETIC_V4, SYNTHETIC_V6};

/// An entry of `allow`: `example.org`, `*.example.org`, either with `:port`; or an address, with or without.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Entry {
    /// A name. Without a port: every port, if the client greets by TLS or HTTP.
    Name(Pattern, Port),
    /// An address.
    Address(Opened),
}

/// A port, or every port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Port(pub Option<u16>);

/// Addresses that were named: `10.1.2.3`, `10.1.2.0/24`, `[fd00::1]`, each with or without `:port`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Opened {
    /// Which.
    pub prefix: Prefix,
    /// At which port.
    pub port: Port,
}

impl Opened {
    /// Whether this address and port are meant.
    pub fn covers(&self, to: SocketAddr) -> bool {
        self.prefix.contains(to.ip()) && self.port.0.is_none_or(|port| port == to.port())
    }
}

/// An entry that is none: which, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{entry}` is no such entry: {reason}")]
pub struct EntryError {
    /// As it was written.
    pub entry: String,
    /// What one is.
    pub reason: &'static str,
}

impl EntryError {
    pub(super) fn new(entry: &str, reason: &'static str) -> EntryError {
        EntryError { entry: entry.to_owned(), reason }
    }
}

/// Cuts `:port` off. A name or an IPv4 address has no other colon; an IPv6 address stands in brackets then.
fn port(text: &str) -> Option<(&str, Port)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((address, Port(Some(number(port)?)))),
            None => rest.is_empty().then_some((address, Port(None))),
        };
    }
    match text.split_once(':') {
        // More than one: an IPv6 address without brackets has no port.
        Some((_, rest)) if rest.contains(':') => Some((text, Port(None))),
        Some((host, port)) => Some((host, Port(Some(number(port)?)))),
        None => Some((text, Port(None))),
    }
}

fn number(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|&port| digits && port > 0)
}

/// Why no setting opens an address of this kind.
fn never(kind: Kind) -> &'static str {
    match kind {
        Kind::Metadata => "a metadata service is never opened",
        Kind::Loopback => "a session's own loopback is always there, and the machine's is never opened",
        Kind::Translated => "it is another address in disguise: write that one, in its own form",
        Kind::LinkLocal | Kind::Multicast | Kind::Reserved | Kind::Private | Kind::Public => {
            "only private addresses can be opened, and a range only if it is all private"
        }
    }
}

const PORT: &str =
    "a port is a number from 1 to 65535 after a colon; an IPv6 address stands in brackets then";

impl FromStr for Entry {
    type Err = EntryError;

    fn from_str(text: &str) -> Result<Entry, EntryError> {
        let refuse = |reason| EntryError::new(text, reason);
        if text.contains("://") {
            return Err(refuse("it is a host's name and not a URL: `example.org`, or `example.org:443`"));
        }
        if text.contains(',') {
            return Err(refuse("each entry is given by itself"));
        }
        let (host, port) = port(text.trim()).ok_or_else(|| refuse(PORT))?;
        if let Ok(address) = host.parse::<IpAddr>() {
            return match kind(address) {
                Kind::Public => Ok(Entry::Address(Opened { prefix: Prefix::single(address), port })),
                Kind::Private | Kind::Reserved => {
                    Err(refuse("an address that is not public goes into `open_private`"))
                }
                other => Err(refuse(never(other))),
            };
        }
        if host.contains('/') {
            return Err(refuse("the list takes names (`example.org`) and single addresses, without a path"));
        }
        if host == "*" {
            return Err(refuse("everything is the mode `internet`"));
        }
        let reason = "it is a host's name (`example.org`), all names below one (`*.example.org`), or an address, \
                      with or without `:port`; a name with other letters is written in its ASCII form (`xn--…`)";
        let pattern = match host.strip_prefix("*.") {
            Some(parent) => Name::new(parent).map(Pattern::Below),
            None => Name::new(host).map(Pattern::Exact),
        };
        pattern.map(|pattern| Entry::Name(pattern, port)).ok_or_else(|| refuse(reason))
    }
}

impl FromStr for Opened {
    type Err = EntryError;

    fn from_str(text: &str) -> Result<Opened, EntryError> {
        let refuse = |reason| EntryError::new(text, reason);
        let reason = "it is an address (`10.1.2.3`) or a range with zeros behind its bits (`10.1.2.0/24`), with or \
                      without `:port`";
        let (host, port) = port(text.trim()).ok_or_else(|| refuse(PORT))?;
        let prefix: Prefix = host.parse().map_err(|()| refuse(reason))?;
        let stand_ins = [SYNTHETIC_V4, SYNTHETIC_V6];
        if stand_ins.iter().any(|stand_ins| stand_ins.meets(&prefix)) {
            return Err(refuse(
                "names that are listed get their stand-ins there (198.18.0.0/15, 2001:2::/48)",
            ));
        }
        match prefix.whole() {
            // Nobody's on the internet, and used inside of many a network all the same.
            Some(Kind::Private | Kind::Reserved) => Ok(Opened { prefix, port }),
            Some(Kind::Public) => {
                Err(refuse("public addresses need not be opened: mode `internet`, or `allow`"))
            }
            Some(other) => Err(refuse(never(other))),
            None => Err(refuse(never(Kind::Reserved))),
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl fmt::Display for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.prefix.address, self.port.0) {
            (IpAddr::V6(_), Some(port)) => write!(f, "[{}]:{port}", self.prefix),
            _ => write!(f, "{}{}", self.prefix, self.port),
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Entry::Name(pattern, port) => write!(f, "{pattern}{port}"),
            Entry::Address(opened) => write!(f, "{opened}"),
        }
    }
}
