//! `policy`'s rules in the words of `nf_tables` (`linux/netfilter/nf_tables.h`), as one transaction.
//!
//! Rejected: the `nft` program, which not every host has and which a static process in a bare root cannot start; and a
//! library for it, each of which binds C code or takes more than these few expressions.

use std::io;
use std::net::IpAddr;

use policy::network::{Chain, LOG_GROUP, Prefix, Rule, Rules, Then, When};
use sys::netlink::{APPEND, CREATE, Family, Message, Socket};

const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const NFTABLES: u16 = 10;
const NEW_TABLE: u16 = NFTABLES << 8;
const NEW_CHAIN: u16 = NFTABLES << 8 | 3;
const NEW_RULE: u16 = NFTABLES << 8 | 6;
const INET: u8 = 1; // both IPv4 and IPv6
const TABLE: &str = "cell";
const OUTPUT: u32 = 3; // NF_INET_LOCAL_OUT
const TCP: u8 = 6;
const UDP: u8 = 17;

/// Puts them into the current network namespace.
pub(super) fn install(rules: &Rules) -> io::Result<()> {
    let fixed = |family, resource: u16| {
        let [high, low] = resource.to_be_bytes();
        [family, 0, high, low]
    };
    let mut messages = vec![Message::new(BATCH_BEGIN, 0, &fixed(0, NFTABLES))];
    let mut table = Message::new(NEW_TABLE, CREATE, &fixed(INET, 0));
    table.text(1, TABLE);
    messages.push(table);
    // Priorities: before connections are followed; where destinations are changed; where packets are filtered.
    let chains: [(&str, &str, i32, &Chain); 3] = [
        ("untracked", "filter", -300, &rules.untracked),
        ("lead", "nat", -100, &rules.lead),
        ("guard", "filter", 0, &rules.guard),
    ];
    for (name, kind, priority, chain) in chains {
        let mut message = Message::new(NEW_CHAIN, CREATE, &fixed(INET, 0));
        message.text(1, TABLE).text(3, name);
        message.nest(4, |hook| _ = hook.be32(1, OUTPUT).be32(2, priority as u32));
        message.text(7, kind);
        messages.push(message);
        for rule in chain {
            let mut message = Message::new(NEW_RULE, APPEND, &fixed(INET, 0));
            message.text(1, TABLE).text(2, name);
            message.nest(4, |list| expressions(list, rule));
            messages.push(message);
        }
    }
    let last = messages.len();
    messages.push(Message::new(BATCH_END, 0, &fixed(0, NFTABLES)));
    Socket::open(Family::Netfilter)?.batch(messages, last)
}

fn expressions(list: &mut Message, rule: &Rule) {
    for when in &rule.when {
        condition(list, *when);
    }
    action(list, rule.then);
}

/// Appends one expression.
fn expression(list: &mut Message, name: &str, data: impl FnOnce(&mut Message)) {
    list.nest(1, |element| {
        element.text(1, name).nest(2, data);
    });
}

/// The register that everything is compared in.
const REGISTER: u32 = 1;
const META_FAMILY: u32 = 15;
const META_PROTOCOL: u32 = 16;
const NETWORK_HEADER: u32 = 1;
const TRANSPORT_HEADER: u32 = 2;
const EQUAL: u32 = 0;
const NOT_EQUAL: u32 = 1;
const CT_STATE: u32 = 0;
const CT_STATUS: u32 = 2;
/// Established, related, not followed: bits of `ct state`.
const KNOWN: u32 = 2 | 4 | 64;
/// `IPS_DST_NAT`.
const LED: u32 = 1 << 5;

fn condition(list: &mut Message, when: When) {
    match when {
        When::From(prefix) => within(list, prefix, if prefix.address.is_ipv4() { 12 } else { 8 }),
        When::To(prefix) => within(list, prefix, if prefix.address.is_ipv4() { 16 } else { 24 }),
        When::Tcp => meta(list, META_PROTOCOL, TCP),
        When::Udp => meta(list, META_PROTOCOL, UDP),
        When::ToPort(port) => {
            payload(list, TRANSPORT_HEADER, 2, 2);
            compare(list, EQUAL, &port.to_be_bytes());
        }
        When::NotToPort(port) => {
            payload(list, TRANSPORT_HEADER, 2, 2);
            compare(list, NOT_EQUAL, &port.to_be_bytes());
        }
        When::NotFromPort(port) => {
            payload(list, TRANSPORT_HEADER, 0, 2);
            compare(list, NOT_EQUAL, &port.to_be_bytes());
        }
        When::Known => tracked(list, CT_STATE, KNOWN),
        When::Led => tracked(list, CT_STATUS, LED),
        When::Over { rate, burst } => limit(list, rate, burst, true),
        When::Within { rate } => limit(list, rate, rate, false),
    }
}

fn action(list: &mut Message, then: Then) {
    match then {
        // The verdict register is 0, and NF_ACCEPT is 1.
        Then::Accept => expression(list, "immediate", |data| {
            data.be32(1, 0).nest(2, |value| _ = value.nest(2, |verdict| _ = verdict.be32(1, 1)));
        }),
        Then::Untrack => expression(list, "notrack", |_| ()),
        Then::Lead(door) => {
            expression(list, "immediate", |data| {
                data.be32(1, REGISTER).nest(2, |value| _ = value.attribute(1, &door.port().to_be_bytes()));
            });
            expression(list, "redir", |data| _ = data.be32(1, REGISTER));
        }
        Then::Log => expression(list, "log", |data| _ = data.attribute(1, &LOG_GROUP.to_be_bytes())),
        // NFT_REJECT_TCP_RST
        Then::Reset => expression(list, "reject", |data| _ = data.be32(1, 1).attribute(2, &[0])),
        // NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_PORT_UNREACH
        Then::Unreachable => expression(list, "reject", |data| _ = data.be32(1, 2).attribute(2, &[1])),
    }
}

fn within(list: &mut Message, prefix: Prefix, offset: u32) {
    let (family, address, len) = match prefix.address {
        IpAddr::V4(v4) => (family::INET, v4.octets().to_vec(), 4),
        IpAddr::V6(v6) => (family::INET6, v6.octets().to_vec(), 16),
    };
    meta(list, META_FAMILY, family);
    if prefix.bits == 0 {
        return;
    }
    payload(list, NETWORK_HEADER, offset, len);
    let mask = u128::MAX << (128 - u32::from(prefix.bits));
    masked(list, &mask.to_be_bytes()[..len as usize]);
    compare(list, EQUAL, &address);
}

/// `NFPROTO_…`, which for these two are the numbers of the address families.
mod family {
    pub(super) const INET: u8 = 2;
    pub(super) const INET6: u8 = 10;
}

fn meta(list: &mut Message, key: u32, value: u8) {
    expression(list, "meta", |data| _ = data.be32(1, REGISTER).be32(2, key));
    compare(list, EQUAL, &[value]);
}

fn payload(list: &mut Message, base: u32, offset: u32, len: u32) {
    expression(list, "payload", |data| {
        data.be32(1, REGISTER).be32(2, base).be32(3, offset).be32(4, len);
    });
}

fn compare(list: &mut Message, operation: u32, value: &[u8]) {
    expression(list, "cmp", |data| {
        data.be32(1, REGISTER).be32(2, operation).nest(3, |data| _ = data.attribute(1, value));
    });
}

fn masked(list: &mut Message, mask: &[u8]) {
    expression(list, "bitwise", |data| {
        data.be32(1, REGISTER).be32(2, REGISTER).be32(3, mask.len() as u32);
        data.nest(4, |data| _ = data.attribute(1, mask));
        data.nest(5, |data| _ = data.attribute(1, &vec![0; mask.len()]));
    });
}

/// One of these bits is set in what is known of the packet's connection; the kernel has them in its own byte order.
fn tracked(list: &mut Message, key: u32, bits: u32) {
    expression(list, "ct", |data| _ = data.be32(1, REGISTER).be32(2, key));
    masked(list, &bits.to_ne_bytes());
    compare(list, NOT_EQUAL, &[0; 4]);
}

fn limit(list: &mut Message, rate: u32, burst: u32, over: bool) {
    expression(list, "limit", |data| {
        data.attribute(1, &u64::from(rate).to_be_bytes()).attribute(2, &1_u64.to_be_bytes());
        data.be32(3, burst).be32(4, 0).be32(5, u32::from(over));
    });
}
