//! The rules that a cell's own network namespace has, as data.
//!
//! ```text
//! program in the cell ──▶ output ──▶ lead ──▶ guard ──▶ lo ──▶ a door, held by the daemon
//!                                     │         └────▶ rejected at once, and told to the daemon
//!                                     └ redirects what may leave; what it leaves alone is the guard's
//! ```
//!
//! `lead` sees the first packet of each connection, `guard` every packet. What was not led to a door and does not stay
//! on the loopback addresses is rejected, whatever it is: the guard knows nothing of modes.
//!
//! The mode `none` has no rules, no doors and no way: nothing but the loopback addresses has a route.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::address::{GLOBAL_V6, NAT64, Prefix, REFUSED_V4, REFUSED_V6};
use super::list::{Entry, Opened};
use super::{Mode, Network};

/// Where names that are listed get their IPv4 addresses: a range that nobody routes (RFC 2544), 131 072 of them.
pub const SYNTHETIC_V4: Prefix = Prefix { address: IpAddr::V4(Ipv4Addr::new(198, 18, 0, 0)), bits: 15 };
/// Where names that are listed get their IPv6 addresses: a range that nobody routes (RFC 5180).
pub const SYNTHETIC_V6: Prefix =
    Prefix { address: IpAddr::V6(Ipv6Addr::new(0x2001, 2, 0, 0, 0, 0, 0, 0)), bits: 48 };
/// The group in which the kernel tells of what it rejects (`NFLOG`), in the cell's own namespace.
pub const LOG_GROUP: u16 = 1;

/// A socket of the daemon's in the cell's namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// For connections.
    Streams,
    /// For lookups.
    Lookups,
}

impl Door {
    /// Its port on 127.0.0.1 and on `::1`. Below 1024, where nobody in a cell may listen: no program's port is taken, and
    /// none can be put in its place.
    pub fn port(self) -> u16 {
        match self {
            Door::Streams => 1,
            Door::Lookups => 53,
        }
    }
}

/// Rules in their order, for the two hooks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// Not to be followed: connections that stay in the cell.
    pub untracked: Chain,
    /// Which connections are led to a door.
    pub lead: Chain,
    /// What may be sent.
    pub guard: Chain,
}

/// Rules that are tried one after the other.
pub type Chain = Vec<Rule>;

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// All of these must hold.
    pub when: Vec<When>,
    /// Then this is done.
    pub then: Then,
}

/// A condition on a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// It comes from one of these addresses.
    From(Prefix),
    /// It goes to one of these addresses.
    To(Prefix),
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// It goes to this port; after [`When::Tcp`] or [`When::Udp`].
    ToPort(u16),
    /// It does not go to this port; after [`When::Tcp`] or [`When::Udp`].
    NotToPort(u16),
    /// It does not come from this port; after [`When::Tcp`] or [`When::Udp`].
    NotFromPort(u16),
    /// It belongs to a connection that was let through, or is not followed.
    Known,
    /// It was led to a door.
    Led,
    /// More than this many in a second have come here, after that many at once.
    Over {
        /// In a second.
        rate: u32,
        /// At once.
        burst: u32,
    },
    /// No more than this many in a second have come here.
    Within {
        /// In a second, and at once.
        rate: u32,
    },
}

/// What is done with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The chain is left.
    Accept,
    /// It is not followed.
    Untrack,
    /// It is led to a door.
    Lead(Door),
    /// The daemon is told; the next rule is tried.
    Log,
    /// A connection is reset.
    Reset,
    /// The sender is told that nobody is there.
    Unreachable,
}

const LOOPBACK_V4: Prefix = Prefix { address: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), bits: 8 };
const LOOPBACK_V6: Prefix = Prefix { address: IpAddr::V6(Ipv6Addr::LOCALHOST), bits: 128 };

/// How many rejected packets a second the daemon is told of.
const TOLD: u32 = 50;

/// The rules for this network; `None` where nothing leaves. `own` are the host's addresses, as far as they are known
/// when the cell is made; the daemon asks again for each connection.
pub fn rules(network: &Network, own: &[IpAddr]) -> Option<Rules> {
    if network.mode == Mode::None {
        return None;
    }
    Some(Rules { untracked: untracked(), lead: lead(network, own), guard: guard(network) })
}

fn rule(when: impl Into<Vec<When>>, then: Then) -> Rule {
    Rule { when: when.into(), then }
}

/// What a cell sends to itself needs no table entry, of which the host's kernel has not endlessly many.
fn untracked() -> Chain {
    let (streams, lookups) = (Door::Streams.port(), Door::Lookups.port());
    let mut chain = Chain::new();
    for own in [LOOPBACK_V4, LOOPBACK_V6] {
        // Not what goes to the door of connections, or the guard would take it for known.
        let streams = [When::Tcp, When::NotFromPort(streams), When::NotToPort(streams)];
        let lookups = [When::Udp, When::NotFromPort(lookups)];
        for when in [&streams[..], &lookups] {
            chain.push(rule([&[When::From(own), When::To(own)], when].concat(), Then::Untrack));
        }
    }
    chain
}

fn lead(network: &Network, own: &[IpAddr]) -> Chain {
    let to_door = Then::Lead(Door::Streams);
    let mut chain = vec![
        rule([When::To(LOOPBACK_V4)], Then::Accept),
        rule([When::To(LOOPBACK_V6)], Then::Accept),
        rule([When::Udp, When::ToPort(53)], Then::Lead(Door::Lookups)),
        rule([When::Tcp, When::ToPort(53)], to_door),
    ];
    let connection = |prefix: Prefix, then| rule([When::To(prefix), When::Tcp], then);
    let listed = |opened: &Opened| {
        let mut when = vec![When::To(opened.prefix), When::Tcp];
        when.extend(opened.port.0.map(When::ToPort));
        rule(when, to_door)
    };
    // An opened range may hold a metadata service.
    for (address, bits, _) in REFUSED_V4.iter().filter(|row| row.1 == 32) {
        chain.push(connection(Prefix::new(Ipv4Addr::from(*address), *bits), Then::Accept));
    }
    for (address, bits, _) in REFUSED_V6.iter().filter(|row| row.1 == 128) {
        chain.push(connection(Prefix::new(Ipv6Addr::from(*address), *bits), Then::Accept));
    }
    chain.extend(network.open_private.iter().map(listed));
    if network.mode == Mode::Allow {
        chain.push(connection(SYNTHETIC_V4, to_door));
        chain.push(connection(SYNTHETIC_V6, to_door));
        chain.extend(network.allow.iter().filter_map(|entry| match entry {
            Entry::Address(opened) => Some(listed(opened)),
            Entry::Name(..) => None,
        }));
        return chain;
    }
    chain.push(rule([When::Tcp, When::ToPort(25)], Then::Accept));
    for &address in own {
        chain.push(connection(Prefix::single(address), Then::Accept));
    }
    for (address, bits, _) in REFUSED_V4 {
        chain.push(connection(Prefix::new(Ipv4Addr::from(*address), *bits), Then::Accept));
    }
    for (address, bits, _) in REFUSED_V6 {
        chain.push(connection(Prefix::new(Ipv6Addr::from(*address), *bits), Then::Accept));
    }
    let all_v4 = Prefix::new(Ipv4Addr::UNSPECIFIED, 0);
    // What is in disguise behind a gateway, the daemon looks at.
    chain.extend([all_v4, GLOBAL_V6, NAT64].map(|prefix| connection(prefix, to_door)));
    chain
}

fn guard(network: &Network) -> Chain {
    // The daemon refuses what is over the limit, and says so; what is far over it does not even get there.
    let over = |rate: u32| When::Over { rate: rate.saturating_mul(2), burst: rate.saturating_mul(8) };
    let rates = network.limits;
    vec![
        // Before what is known: one socket can ask endlessly, and the cell's own name server is no matter of any rule below.
        rule(
            [When::Udp, When::ToPort(Door::Lookups.port()), over(rates.lookups_per_second)],
            Then::Unreachable,
        ),
        rule([When::Known], Then::Accept),
        rule([When::Led, When::Tcp, over(rates.connections_per_second)], Then::Reset),
        rule([When::Led], Then::Accept),
        // Nobody comes to this door by himself: where he wants to go would not be known.
        rule([When::To(LOOPBACK_V4), When::Tcp, When::ToPort(Door::Streams.port())], Then::Reset),
        rule([When::To(LOOPBACK_V6), When::Tcp, When::ToPort(Door::Streams.port())], Then::Reset),
        rule([When::To(LOOPBACK_V4)], Then::Accept),
        rule([When::To(LOOPBACK_V6)], Then::Accept),
        rule([When::Within { rate: TOLD }], Then::Log),
        rule([When::Tcp], Then::Reset),
        rule([], Then::Unreachable),
    ]
}
