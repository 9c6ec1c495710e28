//! The way out of a cell: routes, rules and doors, made while the child still has power over its network namespace.
//!
//! Nothing of it stays in the cell: the doors are the daemon's, and the cell's user may neither see nor change rules.

mod rules;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;

use policy::network::{Door, LOG_GROUP, Rules};
use protocol::launcher::Failure;
use sys::netlink::{self, Family, Message, Socket};

use crate::step::Step;

/// Makes it; gives the doors: the kernel's words, and then for each family those for connections, for lookups over
/// connections, and for lookups.
///
/// Rules come before routes: at no time is there a way without a guard. Where the host has no IPv6, a cell has none.
pub(crate) fn open(rules: &Rules) -> Result<Vec<OwnedFd>, Failure> {
    let refusals = listen_to_refusals().step("listen to the packet filter")?;
    rules::install(rules).step("install the packet filter")?;
    netlink::keep_everything(false).step("keep packets in the cell")?;
    let v4 = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut doors = vec![refusals];
    doors.extend(family(v4)?);
    let v6 = IpAddr::V6(Ipv6Addr::LOCALHOST);
    if UdpSocket::bind(SocketAddr::new(v6, 0)).is_ok() {
        netlink::keep_everything(true).step("keep packets in the cell")?;
        doors.extend(family(v6)?);
    }
    Ok(doors)
}

fn family(address: IpAddr) -> Result<[OwnedFd; 3], Failure> {
    // An answer that is too large for a packet is fetched over a connection, from where the packet came.
    Ok([streams(address, Door::Streams)?, streams(address, Door::Lookups)?, lookups(address)?])
}

fn streams(address: IpAddr, door: Door) -> Result<OwnedFd, Failure> {
    let listener = TcpListener::bind(SocketAddr::new(address, door.port()));
    Ok(listener.step("listen for connections")?.into())
}

fn lookups(address: IpAddr) -> Result<OwnedFd, Failure> {
    let socket = UdpSocket::bind(SocketAddr::new(address, Door::Lookups.port()));
    Ok(socket.step("listen for lookups")?.into())
}

const CONFIGURE: u16 = 4 << 8 | 1; // NFNL_SUBSYS_ULOG, NFULNL_MSG_CONFIG
const COMMAND: u16 = 1; // NFULA_CFG_CMD
const BIND: u8 = 1; // NFULNL_CFG_CMD_BIND
const MODE: u16 = 2; // NFULA_CFG_MODE
const COPY_PACKET: u8 = 2; // NFULNL_COPY_PACKET
const AT_ONCE: u16 = 5; // NFULA_CFG_QTHRESH

/// How much of a rejected packet the daemon sees, bytes: headers, with the longest options of IPv4.
const SEEN: u32 = 128;

/// A socket on which the kernel tells of packets that it rejects.
fn listen_to_refusals() -> std::io::Result<OwnedFd> {
    let socket = Socket::open(Family::Netfilter)?;
    let group = LOG_GROUP.to_be_bytes();
    let configure = || Message::new(CONFIGURE, 0, &[0, 0, group[0], group[1]]);
    let mut bind = configure();
    bind.attribute(COMMAND, &[BIND]);
    let mut mode = configure();
    let [a, b, c, d] = SEEN.to_be_bytes();
    mode.attribute(MODE, &[a, b, c, d, COPY_PACKET, 0]).be32(AT_ONCE, 1);
    socket.request(vec![bind])?;
    socket.request(vec![mode])?;
    Ok(socket.into())
}
