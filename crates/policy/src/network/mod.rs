//! What a cell may reach: three modes, names and addresses, and the rules that the kernel holds.
//!
//! **Invariants.**
//!
//! - Nothing is reached but through the daemon: the rules lead what may leave to its sockets and reject all else.
//! - An address is judged twice by one table ([`address`]): by rule in the cell, and by the daemon for the very address
//!   that it connects to. What a name resolved to before never counts.
//! - The host's metadata services, its loopback and what is no single machine are reached by no setting.
//!
//! Rejected: lists of what is forbidden. Everything that is not named is refused, but in the mode `internet`, where
//! the public addresses are what is named.

mod address;
mod codec;
mod list;
mod name;
mod rules;

pub use address::{Kind, Prefix, REFUSED_V4, REFUSED_V6, kind};
pub use list::{Entry, EntryError, Opened, Port};
pub use name::{Name, Pattern};
pub use rules::{Chain, Door, LOG_GROUP, Rule, Rules, SYNTHETIC_V4, SYNTHETIC_V6, Then, When, rules};

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// How much of the network a cell has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Mode {
    /// Loopback, and nothing else.
    #[default]
    None,
    /// What is listed.
    Allow,
    /// Every public address.
    Internet,
}

/// What one cell may reach, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Network {
    /// How much.
    pub mode: Mode,
    /// What is listed, for [`Mode::Allow`].
    pub allow: Vec<Entry>,
    /// Addresses that are not public and are reached all the same: in [`Mode::Internet`] by any name, in
    /// [`Mode::Allow`] by their address, or by a name that is listed.
    pub open_private: Vec<Opened>,
    /// How much.
    pub limits: Rates,
}

/// How much a cell may do with its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Connections at the same time.
    pub connections: u32,
    /// New connections in a second; four times as many at once.
    pub connections_per_second: u32,
    /// Lookups in a second; four times as many at once.
    pub lookups_per_second: u32,
    /// Bytes in both directions together, while the session lives.
    pub bytes: u64,
}

impl Default for Rates {
    /// Enough for a package manager or a crawler, and not for a scan of the network.
    fn default() -> Rates {
        Rates { connections: 256, connections_per_second: 100, lookups_per_second: 100, bytes: 10 << 30 }
    }
}

/// Why something is not reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The session has no network.
    NoNetwork,
    /// The name is not listed.
    NotListed,
    /// The name is listed, but not with this port.
    PortNotListed,
    /// The address is not one that can be had in this mode.
    Address(Kind),
    /// It is an address of the machine that cellblock runs on.
    Host,
    /// Mail between servers: port 25.
    Mail,
    /// A listed name without a port, and the client did not say by TLS or HTTP whom it wants.
    Silent,
    /// What the client says in its greeting is another name.
    OtherName,
    /// The client's greeting could be understood in two ways.
    Unclear,
    /// Neither a connection nor a lookup: other UDP, ICMP, and whatever else there is.
    Protocol,
    /// More different names than a session has addresses for.
    Names,
    /// Too many names below one that is listed do not exist: they may be there for whoever sees them asked for.
    Unresolved,
    /// Too many at the same time, or too many in a second.
    Rate,
    /// All bytes of the session are used up.
    Bytes,
    /// The daemon has no descriptors left to look, or to connect.
    Room,
}

impl fmt::Display for Refusal {
    /// Fits after the name or address and "was refused: ".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::NoNetwork => "this session has no network",
            Refusal::NotListed => "it is not on this session's list",
            Refusal::PortNotListed => "it is on this session's list with another port",
            Refusal::Address(Kind::Metadata) => "it is a metadata service",
            Refusal::Address(Kind::Loopback) => "it is the loopback address",
            Refusal::Address(Kind::Private) => "it is a private address",
            Refusal::Address(Kind::LinkLocal) => "it is a link-local address",
            Refusal::Address(Kind::Multicast) => "it is an address of many machines",
            Refusal::Address(Kind::Translated) => "it is a translated form of another address",
            Refusal::Address(Kind::Reserved | Kind::Public) => "it is no public address",
            Refusal::Host => "it is an address of the host",
            Refusal::Mail => "port 25 is closed",
            Refusal::Silent => {
                "the client did not greet with TLS or HTTP; a server that speaks first is listed as `name:port`"
            }
            Refusal::OtherName => "the greeting names another host",
            Refusal::Unclear => "the greeting is no plain one of TLS or HTTP/1",
            Refusal::Protocol => "only TCP connections and lookups leave a session",
            Refusal::Names => "this session has asked for too many names",
            Refusal::Unresolved => "too many names like it do not exist",
            Refusal::Rate => "there are too many connections or lookups",
            Refusal::Room => "cellblock has no room for more connections now",
            Refusal::Bytes => "this session has used up its bytes",
        })
    }
}

/// How a connection to a listed name is let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// The client must speak first, and name the host that it was let through to (TLS, HTTP).
    Greeted,
    /// Whoever likes speaks first. If the client's greeting names a host all the same, it must be this one.
    Open,
}

impl Network {
    /// Whether a name can be asked for.
    pub fn lists(&self, name: &Name) -> bool {
        match self.mode {
            Mode::None => false,
            Mode::Internet => true,
            Mode::Allow => self.patterns().any(|(pattern, _)| pattern.matches(name)),
        }
    }

    /// How a connection to this name and port is let through, for [`Mode::Allow`].
    pub fn passage(&self, name: &Name, port: u16) -> Result<Passage, Refusal> {
        let mut found = Err(Refusal::NotListed);
        for (_, listed) in self.patterns().filter(|(pattern, _)| pattern.matches(name)) {
            match listed {
                Some(listed) if listed == port => return Ok(Passage::Open),
                Some(_) if found.is_err() => found = Err(Refusal::PortNotListed),
                Some(_) => {}
                // Mail between servers is never meant by a name alone.
                None if port == 25 => found = Err(Refusal::Mail),
                None => found = Ok(Passage::Greeted),
            }
        }
        found
    }

    /// Whether the cell may name this address itself.
    pub fn address(&self, to: SocketAddr) -> Result<(), Refusal> {
        match self.mode {
            Mode::None => Err(Refusal::NoNetwork),
            _ if self.opened(to) => Ok(()),
            Mode::Allow if self.addresses().any(|listed| listed.covers(to)) => Ok(()),
            Mode::Allow => Err(Refusal::NotListed),
            Mode::Internet if to.port() == 25 => Err(Refusal::Mail),
            Mode::Internet => public(to.ip()),
        }
    }

    /// Whether the daemon may connect to what a name resolved to.
    pub fn resolved(&self, to: SocketAddr) -> Result<(), Refusal> {
        if self.opened(to) { Ok(()) } else { public(to.ip()) }
    }

    /// Whether an address may stand in an answer: the daemon would connect to it, be it at one port.
    pub fn answered(&self, address: IpAddr) -> Result<(), Refusal> {
        let somewhere = self.open_private.iter().any(|opened| {
            let port = opened.port.0.unwrap_or(0);
            opened.prefix.contains(address) && self.opened(SocketAddr::new(address, port))
        });
        if somewhere { Ok(()) } else { public(address) }
    }

    /// Whether the operator wrote down this very address, and not a range that it lies in. Only so is one meant that is
    /// the host's own.
    pub fn meant(&self, to: SocketAddr) -> bool {
        let very = |listed: &Opened| listed.prefix == Prefix::single(to.ip()) && listed.covers(to);
        match self.mode {
            Mode::None => false,
            Mode::Allow => self.open_private.iter().chain(self.addresses()).any(very),
            Mode::Internet => self.open_private.iter().any(very),
        }
    }

    /// Whether the operator opened this address, though it is none of the public ones.
    pub fn opened(&self, to: SocketAddr) -> bool {
        // Not what lies in an opened range and is another kind of thing: a metadata service stays closed.
        self.mode != Mode::None
            && matches!(kind(to.ip()), Kind::Private | Kind::Reserved)
            && self.open_private.iter().any(|opened| opened.covers(to))
    }

    fn patterns(&self) -> impl Iterator<Item = (&Pattern, Option<u16>)> {
        self.allow.iter().filter_map(|entry| match entry {
            Entry::Name(pattern, port) => Some((pattern, port.0)),
            Entry::Address(_) => None,
        })
    }

    fn addresses(&self) -> impl Iterator<Item = &Opened> {
        self.allow.iter().filter_map(|entry| match entry {
            Entry::Address(address) => Some(address),
            Entry::Name(..) => None,
        })
    }
}

fn public(address: IpAddr) -> Result<(), Refusal> {
    match kind(address) {
        Kind::Public => Ok(()),
        other => Err(Refusal::Address(other)),
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::None => "none",
            Mode::Allow => "allow",
            Mode::Internet => "internet",
        })
    }
}

impl FromStr for Mode {
    type Err = EntryError;

    fn from_str(text: &str) -> Result<Mode, EntryError> {
        match text {
            "none" => Ok(Mode::None),
            "allow" => Ok(Mode::Allow),
            "internet" => Ok(Mode::Internet),
            _ => Err(EntryError::new(text, "a network mode is none, allow or internet")),
        }
    }
}

#[cfg(test)]
mod tests;
