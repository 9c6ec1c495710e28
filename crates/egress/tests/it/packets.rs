//! What the kernel tells of packets that it rejected.

use std::os::unix::net::UnixDatagram;

use egress::Verdict;
use egress::wire::packet::{Protocol, Rejected, read};
use policy::network::Refusal;
use proptest::prelude::*;

use crate::bed::{Bed, allow, internet};

/// A message of the kernel's log around a packet, as it comes by netlink.
fn logged(packet: &[u8]) -> Vec<u8> {
    let attribute = |kind: u16, data: &[u8]| {
        let mut bytes = (data.len() as u16 + 4).to_ne_bytes().to_vec();
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(data);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    };
    // Family and version, the group; hook and protocol, a mark that nobody reads, the packet.
    let body =
        [vec![2, 0, 0, 1], attribute(1, &[8, 0, 3, 0]), attribute(10, b"told\0"), attribute(9, packet)]
            .concat();
    let mut message = (body.len() as u32 + 16).to_ne_bytes().to_vec();
    message.extend_from_slice(&(4_u16 << 8).to_ne_bytes());
    message.extend_from_slice(&[0; 10]);
    message.extend_from_slice(&body);
    message
}

fn v4(protocol: u8, to: [u8; 4], port: u16) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, protocol, 0, 0, 127, 0, 0, 1];
    packet.extend_from_slice(&to);
    packet.extend_from_slice(&[0xc0, 0]);
    packet.extend_from_slice(&port.to_be_bytes());
    // The rest of a TCP header that begins a connection.
    packet.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0]);
    packet
}

fn v6(next: u8, behind: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0, 0, behind.len() as u8, next, 64];
    packet.extend_from_slice(&[0; 16]);
    packet.extend_from_slice(&"2606:4700::1".parse::<std::net::Ipv6Addr>().unwrap().octets());
    packet.extend_from_slice(behind);
    packet
}

fn rejected(to: &str, protocol: Protocol) -> Rejected {
    Rejected { to: to.parse().unwrap(), protocol }
}

#[test]
fn packets_are_read_by_where_they_wanted_to_go() {
    let to = [93, 184, 216, 34];
    let ports = [0xc0, 0, 1, 0xbb];
    let with_options = {
        let mut packet = v4(6, to, 443);
        packet[0] = 0x46;
        packet.splice(20..20, [1; 4]);
        packet
    };
    let later_piece = {
        let mut packet = v4(17, to, 443);
        packet[7] = 1;
        packet
    };
    let behind_options = [&[6, 0, 0, 0, 0, 0, 0, 0][..], &ports].concat();
    for (packet, wanted) in [
        (v4(6, to, 443), rejected("93.184.216.34:443", Protocol::Tcp)),
        (v4(17, to, 443), rejected("93.184.216.34:443", Protocol::Udp)),
        (v4(1, to, 443), rejected("93.184.216.34:0", Protocol::Other(1))),
        (with_options, rejected("93.184.216.34:443", Protocol::Tcp)),
        (later_piece, rejected("93.184.216.34:0", Protocol::Udp)),
        (v4(6, to, 443)[..20].to_vec(), rejected("93.184.216.34:0", Protocol::Tcp)),
        (v6(6, &ports), rejected("[2606:4700::1]:443", Protocol::Tcp)),
        (v6(0, &behind_options), rejected("[2606:4700::1]:443", Protocol::Tcp)),
        (v6(58, &ports), rejected("[2606:4700::1]:0", Protocol::Other(58))),
    ] {
        assert_eq!(read(&logged(&packet)), [wanted]);
    }
    let several =
        [logged(&v4(6, to, 1)), vec![16, 0, 0, 0, 2, 0, 0, 0], vec![0; 8], logged(&v4(6, to, 2))].concat();
    let found: Vec<_> = read(&several).iter().map(|rejected| rejected.to.port()).collect();
    assert_eq!(found, [1, 2]);
    let flags = |flags| {
        let mut packet = v4(6, to, 443);
        packet[33] = flags;
        packet
    };
    assert_eq!(read(&logged(&flags(0xc2))).len(), 1, "a begin that asks for ECN");
    for late in [0x10, 0x12, 0x04, 0x11, 0x18] {
        assert_eq!(read(&logged(&flags(late))), [], "flags {late:#x}");
    }
    for nothing in [&[][..], &v4(6, to, 443)[..19], &[0x50; 60], &v6(6, &[])[..39]] {
        assert_eq!(read(&logged(nothing)), []);
    }
}

proptest! {
    #[test]
    fn whatever_comes_ends(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(read(&bytes).len() <= bytes.len() / 16 + 1);
        prop_assert!(read(&logged(&bytes)).len() <= 1);
    }
}

#[tokio::test]
async fn what_the_kernel_rejects_is_told_with_its_reason() {
    let (kernel, socket) = UnixDatagram::pair().unwrap();
    let bed = Bed::with(allow(&["example.org"]), Some(socket.into())).await;
    bed.look_up("example.org", egress::wire::dns::kind::A).await;
    for (packet, sentence) in [
        (
            v4(6, [93, 184, 216, 34], 443),
            "`93.184.216.34:443` is not on this session's list (the list: example.org)",
        ),
        (
            v4(17, [198, 18, 0, 1], 443),
            "`example.org:443` was refused: only TCP connections and lookups leave a session",
        ),
        (
            v4(1, [93, 184, 216, 34], 0),
            "`93.184.216.34` was refused: only TCP connections and lookups leave a session",
        ),
    ] {
        let mark = bed.egress.mark();
        kernel.send(&logged(&packet)).unwrap();
        // At once: what the kernel has told is heard by who asks.
        assert_eq!(bed.sentences(mark), [sentence]);
    }
    // And otherwise as soon as it comes.
    kernel.send(&logged(&v4(17, [198, 18, 0, 1], 4433))).unwrap();
    let wanted = Some("198.18.0.1:4433".parse().unwrap());
    let audit = bed.audit(|audit| audit.address == wanted).await;
    assert_eq!(audit.verdict, Verdict::Refused(Refusal::Protocol));
}

#[tokio::test]
async fn in_the_internet_only_what_is_refused_is_told_as_such() {
    let (kernel, socket) = UnixDatagram::pair().unwrap();
    let bed = Bed::with(internet(), Some(socket.into())).await;
    bed.own("93.184.216.99");
    for (packet, sentence) in [
        (v4(6, [169, 254, 169, 254], 80), "`169.254.169.254:80` was refused: it is a metadata service"),
        (v4(6, [10, 0, 0, 1], 80), "`10.0.0.1:80` was refused: it is a private address"),
        (v4(6, [93, 184, 216, 34], 25), "`93.184.216.34:25` was refused: port 25 is closed"),
        (v4(6, [93, 184, 216, 99], 80), "`93.184.216.99:80` was refused: it is an address of the host"),
        (
            v4(17, [93, 184, 216, 34], 443),
            "`93.184.216.34:443` was refused: only TCP connections and lookups leave a session",
        ),
    ] {
        let mark = bed.egress.mark();
        kernel.send(&logged(&packet)).unwrap();
        // At once: what the kernel has told is heard by who asks.
        assert_eq!(bed.sentences(mark), [sentence]);
    }
}
