//! What an address is. One table for each family, the first row that holds an address decides; the rules in a cell and
//! the daemon's own judgement are both made of it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// What kind of address it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A machine on the internet.
    Public,
    /// A machine of a private network (also one behind a provider's shared addresses, 100.64/10).
    Private,
    /// This machine.
    Loopback,
    /// A machine on the same wire.
    LinkLocal,
    /// A service that tells a cloud's virtual machine its secrets.
    Metadata,
    /// Many machines.
    Multicast,
    /// Another address in disguise, which a router or a gateway would take out.
    Translated,
    /// Nobody's.
    Reserved,
}

/// A range of addresses: those that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Prefix {
    /// Its first address.
    pub address: IpAddr,
    /// How many bits are the same.
    pub bits: u8,
}

type V4Row = ([u8; 4], u8, Kind);
type V6Row = ([u16; 8], u8, Kind);

/// IPv4 addresses that are not public (IANA's special-purpose registry, and the clouds' documentation for metadata).
pub const REFUSED_V4: &[V4Row] = &[
    ([169, 254, 169, 254], 32, Kind::Metadata), // AWS, Google, Azure, and most others
    ([169, 254, 170, 2], 32, Kind::Metadata),   // AWS, credentials of containers
    ([168, 63, 129, 16], 32, Kind::Metadata),   // Azure
    ([100, 100, 100, 200], 32, Kind::Metadata), // Alibaba
    ([192, 0, 0, 192], 32, Kind::Metadata),     // Oracle
    ([0, 0, 0, 0], 8, Kind::Loopback),          // Linux takes 0.0.0.0 for this machine
    ([127, 0, 0, 0], 8, Kind::Loopback),
    ([10, 0, 0, 0], 8, Kind::Private),
    ([172, 16, 0, 0], 12, Kind::Private),
    ([192, 168, 0, 0], 16, Kind::Private),
    ([100, 64, 0, 0], 10, Kind::Private),
    ([169, 254, 0, 0], 16, Kind::LinkLocal),
    ([192, 0, 0, 0], 24, Kind::Reserved),
    ([192, 0, 2, 0], 24, Kind::Reserved),
    ([192, 88, 99, 0], 24, Kind::Translated), // relays of 6to4
    ([198, 18, 0, 0], 15, Kind::Reserved),    // also the synthetic ones
    ([198, 51, 100, 0], 24, Kind::Reserved),
    ([203, 0, 113, 0], 24, Kind::Reserved),
    ([224, 0, 0, 0], 4, Kind::Multicast),
    ([240, 0, 0, 0], 4, Kind::Reserved), // with the broadcast address
];

/// IPv6 addresses that are not public. What the table does not name is public below `2000::/3`, and nobody's elsewhere.
pub const REFUSED_V6: &[V6Row] = &[
    ([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128, Kind::Metadata), // AWS
    ([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128, Kind::Metadata),  // Google
    ([0, 0, 0, 0, 0, 0, 0, 1], 128, Kind::Loopback),
    ([0, 0, 0, 0, 0, 0, 0, 0], 128, Kind::Loopback),
    ([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, Kind::Translated), // mapped
    ([0, 0, 0, 0, 0, 0, 0, 0], 96, Kind::Translated),      // compatible
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, Kind::Private),
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, Kind::LinkLocal),
    ([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, Kind::Private),
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, Kind::Multicast),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, Kind::Translated), // 6to4
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, Kind::Translated), // Teredo
    ([0x2001, 0x2, 0, 0, 0, 0, 0, 0], 48, Kind::Reserved), // also the synthetic ones
    ([0x2001, 0x10, 0, 0, 0, 0, 0, 0], 28, Kind::Reserved),
    ([0x2001, 0x20, 0, 0, 0, 0, 0, 0], 28, Kind::Reserved),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, Kind::Reserved),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, Kind::Reserved),
];

/// Where IPv6's public addresses are.
pub(super) const GLOBAL_V6: Prefix =
    Prefix { address: IpAddr::V6(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0)), bits: 3 };

/// IPv4 addresses behind a gateway of an IPv6 network (RFC 6052): as good as the address in their last 32 bits.
pub(super) const NAT64: Prefix =
    Prefix { address: IpAddr::V6(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0)), bits: 96 };

/// What kind of address this is.
pub fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(v4) => v4_kind(v4),
        IpAddr::V6(v6) => v6_kind(v6),
    }
}

fn v4_kind(address: Ipv4Addr) -> Kind {
    let holds = |row: &&V4Row| Prefix::new(Ipv4Addr::from(row.0), row.1).contains(IpAddr::V4(address));
    REFUSED_V4.iter().find(holds).map_or(Kind::Public, |row| row.2)
}

fn v6_kind(address: Ipv6Addr) -> Kind {
    let octets = address.octets();
    let embedded = || v4_kind(Ipv4Addr::from([octets[12], octets[13], octets[14], octets[15]]));
    // The very metadata address in disguise is called by its name, which a caller understands.
    if NAT64.contains(IpAddr::V6(address)) {
        return embedded();
    }
    let holds = |row: &&V6Row| Prefix::new(Ipv6Addr::from(row.0), row.1).contains(IpAddr::V6(address));
    match REFUSED_V6.iter().find(holds) {
        Some(row) => row.2,
        None if !GLOBAL_V6.contains(IpAddr::V6(address)) => Kind::Reserved,
        // ISATAP: any network, and an IPv4 address behind 0:5efe.
        None if matches!(octets[8..12], [0 | 2, 0, 0x5e, 0xfe]) => Kind::Translated,
        None => Kind::Public,
    }
}

impl Prefix {
    pub(super) fn new(address: impl Into<IpAddr>, bits: u8) -> Prefix {
        Prefix { address: address.into(), bits }
    }

    /// One address alone.
    pub fn single(address: IpAddr) -> Prefix {
        Prefix { address, bits: if address.is_ipv4() { 32 } else { 128 } }
    }

    /// Whether an address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let shift = 32 - u32::from(self.bits);
                (u32::from(own) ^ u32::from(other)).checked_shr(shift).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let shift = 128 - u32::from(self.bits);
                (u128::from(own) ^ u128::from(other)).checked_shr(shift).unwrap_or(0) == 0
            }
            _ => false,
        }
    }

    /// What its addresses are, if one row of a table holds them all; `None`: they may be of several kinds.
    pub(super) fn whole(&self) -> Option<Kind> {
        let v4 = REFUSED_V4.iter().map(|row| (Prefix::new(Ipv4Addr::from(row.0), row.1), row.2));
        let v6 = REFUSED_V6.iter().map(|row| (Prefix::new(Ipv6Addr::from(row.0), row.1), row.2));
        let mut around = v4.chain(v6).filter(|(row, _)| row.bits <= self.bits && row.contains(self.address));
        match (around.next(), kind(self.address)) {
            (Some((_, kind)), _) => Some(kind),
            (None, kind) => (kind == Kind::Public || *self == Prefix::single(self.address)).then_some(kind),
        }
    }

    /// Whether an address can be in both.
    pub(super) fn meets(&self, other: &Prefix) -> bool {
        self.contains(other.address) || other.contains(self.address)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Prefix::single(self.address) {
            write!(f, "{}", self.address)
        } else {
            write!(f, "{}/{}", self.address, self.bits)
        }
    }
}

impl FromStr for Prefix {
    type Err = ();

    /// An address, or `address/bits` with nothing but zeros behind the bits.
    fn from_str(text: &str) -> Result<Prefix, ()> {
        let Some((address, bits)) = text.split_once('/') else {
            return text.parse().map(Prefix::single).map_err(drop);
        };
        let prefix = Prefix { address: address.parse().map_err(drop)?, bits: bits.parse().map_err(drop)? };
        let plain = match prefix.address {
            IpAddr::V4(v4) => {
                prefix.bits <= 32 && u32::from(v4).checked_shl(prefix.bits.into()).unwrap_or(0) == 0
            }
            IpAddr::V6(v6) => {
                prefix.bits <= 128 && u128::from(v6).checked_shl(prefix.bits.into()).unwrap_or(0) == 0
            }
        };
        if plain { Ok(prefix) } else { Err(()) }
    }
}
