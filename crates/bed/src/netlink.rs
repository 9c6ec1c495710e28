//! The few requests to the kernel's routing tables that two joined namespaces need.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::net::AddressFamily;
use sys::netlink::{CREATE, Family, Message, Socket};

// linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h, linux/veth.h
const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const RTM_NEWROUTE: u16 = 24;
const IFLA_IFNAME: u16 = 3;
const IFLA_LINKINFO: u16 = 18;
const IFLA_NET_NS_FD: u16 = 28;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const VETH_INFO_PEER: u16 = 1;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_F_NODAD: u8 = 2;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const IFF_UP: u32 = 1;
const RT_TABLE_MAIN: u8 = 254;
const RTPROT_BOOT: u8 = 3;
const RTN_UNICAST: u8 = 1;

/// A socket that acts on the network namespace in which it was made.
pub(crate) struct Netlink(Socket);

impl Netlink {
    pub(crate) fn new() -> io::Result<Self> {
        Socket::open(Family::Route).map(Self)
    }

    /// Makes a pair of joined interfaces of one name: one here, one in the namespace `there`.
    pub(crate) fn pair(&self, name: &str, there: BorrowedFd) -> io::Result<()> {
        let mut message = Message::new(RTM_NEWLINK, CREATE, &link(0, 0));
        message.text(IFLA_IFNAME, name).nest(IFLA_LINKINFO, |information| {
            information.attribute(IFLA_INFO_KIND, b"veth").nest(IFLA_INFO_DATA, |data| {
                data.nest(VETH_INFO_PEER, |peer| {
                    peer.fixed(&link(0, 0)).text(IFLA_IFNAME, name);
                    peer.attribute(IFLA_NET_NS_FD, &there.as_raw_fd().to_ne_bytes());
                });
            });
        });
        self.0.request(vec![message])
    }

    /// Brings an interface up.
    pub(crate) fn up(&self, interface: u32) -> io::Result<()> {
        self.0.request(vec![Message::new(RTM_NEWLINK, 0, &link(interface, IFF_UP))])
    }

    /// Gives an interface an address; of IPv6 without asking the neighbours first, which takes a second.
    pub(crate) fn address(&self, interface: u32, address: IpAddr, prefix: u8) -> io::Result<()> {
        let fixed = [&[family(address), prefix, IFA_F_NODAD, 0], &interface.to_ne_bytes()[..]].concat();
        let mut message = Message::new(RTM_NEWADDR, CREATE, &fixed);
        message.attribute(IFA_LOCAL, &octets(address)).attribute(IFA_ADDRESS, &octets(address));
        self.0.request(vec![message])
    }

    /// Sends everything without a better route to `gateway`.
    pub(crate) fn default_route(&self, interface: u32, gateway: IpAddr) -> io::Result<()> {
        let fixed = [family(gateway), 0, 0, 0, RT_TABLE_MAIN, RTPROT_BOOT, 0, RTN_UNICAST, 0, 0, 0, 0];
        let mut message = Message::new(RTM_NEWROUTE, CREATE, &fixed);
        message.attribute(RTA_GATEWAY, &octets(gateway)).attribute(RTA_OIF, &interface.to_ne_bytes());
        self.0.request(vec![message])
    }
}

/// `struct ifinfomsg`
fn link(interface: u32, flags: u32) -> Vec<u8> {
    [0, interface, flags, flags].iter().flat_map(|word| word.to_ne_bytes()).collect()
}

fn family(address: IpAddr) -> u8 {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    family.as_raw() as u8
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}
