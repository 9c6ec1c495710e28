//! What the kernel tells of packets that a cell's rules rejected: netlink messages of `NFLOG` around IP headers, whose
//! bytes a cell may have written itself.

use std::net::{IpAddr, SocketAddr};

/// A packet that was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rejected {
    /// Where it wanted to go; port 0 where the protocol has none.
    pub to: SocketAddr,
    /// By which protocol.
    pub protocol: Protocol,
}

/// What is carried by a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// Another, by its number.
    Other(u8),
}

/// A message of the kernel's log, from `linux/netfilter/nfnetlink.h`: subsystem 4, message 0.
const PACKET: u16 = 4 << 8;
/// The attribute that holds the packet, from `linux/netfilter/nfnetlink_log.h`.
const PAYLOAD: u16 = 9;

/// The packets in what was read from the kernel at once. What is no such message is passed over.
pub fn read(bytes: &[u8]) -> Vec<Rejected> {
    let mut found = Vec::new();
    let mut rest = bytes;
    // A header of 16 bytes, four of `nfgenmsg`, attributes. Lengths count themselves; what follows is aligned to four.
    while let Some(length) = native_u32(rest) {
        let length = length as usize;
        let Some(message) = rest.get(..length).filter(|_| length >= 16) else { break };
        let kind = u16::from_ne_bytes([message[4], message[5]]);
        if kind == PACKET {
            found.extend(message.get(20..).and_then(payload).and_then(packet));
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

fn native_u32(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
}

fn payload(mut attributes: &[u8]) -> Option<&[u8]> {
    while let Some(&[a, b, c, d]) = attributes.first_chunk() {
        let (length, kind) = (usize::from(u16::from_ne_bytes([a, b])), u16::from_ne_bytes([c, d]));
        let data = attributes.get(4..length)?;
        if kind & 0x3fff == PAYLOAD {
            return Some(data);
        }
        attributes = attributes.get(length.next_multiple_of(4)..)?;
    }
    None
}

/// Where an IP packet goes.
fn packet(bytes: &[u8]) -> Option<Rejected> {
    let (to, number, behind) = match bytes.first()? >> 4 {
        4 => {
            let header = usize::from(bytes[0] & 0xf) * 4;
            let to = <[u8; 4]>::try_from(bytes.get(16..20)?).ok()?;
            // Only the first piece of a packet begins with ports.
            let first = matches!([bytes[6] & 0x1f, bytes[7]], [0, 0]);
            (IpAddr::from(to), bytes[9], bytes.get(header.max(20)..).filter(|_| first))
        }
        6 => {
            let to = <[u8; 16]>::try_from(bytes.get(24..40)?).ok()?;
            let (number, behind) = upper(bytes[6], &bytes[40..]);
            (IpAddr::from(to), number, behind)
        }
        _ => return None,
    };
    let protocol = match number {
        // A late piece of a connection that is over is nothing that was wanted: only who begins one asks for it.
        6 if behind.and_then(|header| header.get(13)).is_some_and(|flags| flags & 0x12 != 0x02) => {
            return None;
        }
        6 => Protocol::Tcp,
        17 => Protocol::Udp,
        other => Protocol::Other(other),
    };
    let port = match (protocol, behind.and_then(|ports| ports.get(2..4))) {
        (Protocol::Tcp | Protocol::Udp, Some(port)) => u16::from_be_bytes([port[0], port[1]]),
        _ => 0,
    };
    Some(Rejected { to: SocketAddr::new(to, port), protocol })
}

/// The protocol behind the extension headers of IPv6, and its bytes.
fn upper(mut number: u8, mut bytes: &[u8]) -> (u8, Option<&[u8]>) {
    // Hop by hop, routing, destination: a next header and a length in units of eight bytes. No sender has many.
    for _ in 0..8 {
        let (0 | 43 | 60, Some(&[next, units])) = (number, bytes.first_chunk()) else { break };
        let Some(behind) = bytes.get(usize::from(units) * 8 + 8..) else { return (next, None) };
        (number, bytes) = (next, behind);
    }
    (number, Some(bytes))
}
