//! The two network namespaces, with their addresses and routes.

use std::fs::File;
use std::net::IpAddr;
use std::os::fd::AsFd;

use anyhow::{Context, Result};
use rustix::net::netdevice::name_to_index;
use rustix::net::{AddressFamily, SocketType, socket};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::Value;
use sys::namespace::{loopback_up, unshare_network};

use crate::facts::texts;
use crate::netlink::Netlink;

/// What both ends of the pair are called.
const INTERFACE: &str = "eth0";

/// A network namespace, kept by its descriptor.
pub(crate) struct Network(File);

impl Network {
    /// Makes one; the calling thread is in it.
    fn new() -> Result<Self> {
        unshare_network().context("make a network namespace")?;
        loopback_up().context("bring the loopback interface up")?;
        Ok(Self(File::open("/proc/thread-self/ns/net").context("open the network namespace")?))
    }

    /// Moves the calling thread into it.
    pub(crate) fn enter(&self) -> Result<()> {
        move_into_link_name_space(self.0.as_fd(), Some(LinkNameSpaceType::Network))
            .context("enter a network namespace")
    }
}

/// World and machine, joined. The calling thread is in the machine's when this returns.
pub(crate) fn make(facts: &Value) -> Result<(Network, Network)> {
    let world = Network::new()?;
    let machine = Network::new()?;
    let there = Netlink::new()?;
    there.pair(INTERFACE, world.0.as_fd()).context("join the namespaces")?;
    let interface = index()?;
    there.up(interface)?;
    addresses(&there, interface, &texts(facts, "/machine/addresses")?)?;

    world.enter()?;
    let here = Netlink::new()?;
    let link = texts(facts, "/link")?;
    let outside = index()?;
    here.up(outside)?;
    addresses(&here, outside, &link)?;
    for service in facts["services"].as_object().context("no services")?.keys() {
        for address in texts(facts, &format!("/services/{service}"))? {
            // Some are the link's own.
            if !link.iter().any(|known| known.split('/').next() == Some(address)) {
                let address: IpAddr = address.parse()?;
                let whole = if address.is_ipv4() { 32 } else { 128 };
                here.address(1, address, whole).with_context(|| format!("add {address}"))?;
            }
        }
    }
    machine.enter()?;
    // As many systems have it, so that a cell which may not send echo requests was kept from it by its own walls.
    let group = sys::file::own_ids().1;
    std::fs::write("/proc/sys/net/ipv4/ping_group_range", format!("{group} {group}"))
        .context("allow echo requests")?;
    // Now, since a gateway must be reachable: both ends are up.
    for gateway in texts(facts, "/machine/gateways")? {
        there.default_route(interface, gateway.parse()?).with_context(|| format!("route to {gateway}"))?;
    }
    Ok((world, machine))
}

fn addresses(netlink: &Netlink, interface: u32, all: &[&str]) -> Result<()> {
    for text in all {
        let (address, prefix) = text.split_once('/').context("an address without a prefix length")?;
        netlink
            .address(interface, address.parse()?, prefix.parse()?)
            .with_context(|| format!("add {text}"))?;
    }
    Ok(())
}

fn index() -> Result<u32> {
    let any = socket(AddressFamily::INET, SocketType::DGRAM, None)?;
    name_to_index(&any, INTERFACE).context("find the interface")
}
