//! Sockets. Where they lead is the network namespace's affair, except for families that ignore network namespaces;
//! those cannot be made at all.

use super::{ALLOW, NOT_PERMITTED, calls, entry};
use crate::seccomp::rule::{Check, Clause, Entry, Errno, Verdict};

/// What is done with a socket.
pub(super) static CALLS: &[Entry] = calls![ALLOW;
    SYS_bind: "servers",
    SYS_listen: "servers",
    SYS_accept: "servers",
    SYS_accept4: "servers",
    SYS_connect: "clients",
    SYS_shutdown: "ends a connection",
    SYS_sendto: "sends",
    SYS_sendmsg: "sends, descriptors too",
    SYS_sendmmsg: "sends many; resolvers do",
    SYS_recvfrom: "receives",
    SYS_recvmsg: "receives, descriptors too",
    SYS_recvmmsg: "receives many",
    SYS_getsockname: "own address",
    SYS_getpeername: "the other's address",
    SYS_getsockopt: "options",
];

const FAMILY: u8 = 0;
const TYPE: u8 = 1;
const PROTOCOL: u8 = 2;
/// `SOCK_TYPE_MASK` of linux/net.h: above it are `SOCK_CLOEXEC` and `SOCK_NONBLOCK`.
const TYPE_MASK: u32 = 0xf;

const INTERNET: Check = family(&[libc::AF_INET as u32, libc::AF_INET6 as u32]);
const ROUTING: Check = family(&[libc::AF_NETLINK as u32]);
const LOCAL: Check = family(&[libc::AF_UNIX as u32]);

const fn family(values: &'static [u32]) -> Check {
    Check { argument: FAMILY, mask: u32::MAX, values }
}

const fn kind(values: &'static [u32]) -> Check {
    Check { argument: TYPE, mask: TYPE_MASK, values }
}

const fn protocol(values: &'static [u32]) -> Check {
    Check { argument: PROTOCOL, mask: u32::MAX, values }
}

const fn option(values: &'static [u32]) -> Check {
    Check { argument: 2, mask: u32::MAX, values }
}

const fn level(values: &'static [u32]) -> Check {
    Check { argument: 1, mask: u32::MAX, values }
}

const NO_FAMILY: Verdict = Verdict::Refuse(Errno::NoSuchFamily);
const NO_PROTOCOL: Verdict = Verdict::Refuse(Errno::NoSuchProtocol);
const NO_OPTION: Verdict = Verdict::Refuse(Errno::NoSuchOption);

/// Decided by family, type and protocol, or by the option.
pub(super) static CHECKED: &[Entry] = &[
    entry(
        "socket",
        libc::SYS_socket,
        "UNIX; TCP and UDP over IPv4 and IPv6; routing netlink, which lists interfaces. Not VSOCK, which ignores \
         network namespaces and reaches a VM's host; not the crypto, packet, Bluetooth and other families, nor \
         protocols such as SCTP, which load modules",
        NO_FAMILY,
    )
    .unless(&[
        Clause { checks: &[LOCAL], verdict: ALLOW },
        Clause {
            checks: &[
                INTERNET,
                kind(&[libc::SOCK_STREAM as u32, libc::SOCK_DGRAM as u32]),
                protocol(&[0, libc::IPPROTO_TCP as u32, libc::IPPROTO_UDP as u32]),
            ],
            verdict: ALLOW,
        },
        // What the kernel says to whoever lacks CAP_NET_RAW; ping and its like know it.
        Clause { checks: &[INTERNET, kind(&[libc::SOCK_RAW as u32])], verdict: NOT_PERMITTED },
        Clause { checks: &[INTERNET], verdict: NO_PROTOCOL },
        Clause { checks: &[ROUTING, protocol(&[libc::NETLINK_ROUTE as u32])], verdict: ALLOW },
        Clause { checks: &[ROUTING], verdict: NO_PROTOCOL },
    ]),
    entry("socketpair", libc::SYS_socketpair, "pairs of UNIX sockets; asyncio has one", NO_FAMILY)
        .unless(&[Clause { checks: &[LOCAL], verdict: ALLOW }]),
    entry(
        "setsockopt",
        libc::SYS_setsockopt,
        "options; refused: filter programs (their memory comes out of one budget for the whole host), zero-copy \
         sending (it holds on to pages shared with the forkserver), upper-layer protocols such as kernel TLS (modules)",
        ALLOW,
    )
    .unless(&[
        Clause {
            checks: &[
                level(&[libc::SOL_SOCKET as u32]),
                option(&[
                    libc::SO_ATTACH_FILTER as u32,
                    libc::SO_ATTACH_BPF as u32,
                    libc::SO_ATTACH_REUSEPORT_CBPF as u32,
                    libc::SO_ATTACH_REUSEPORT_EBPF as u32,
                    libc::SO_ZEROCOPY as u32,
                ]),
            ],
            verdict: NO_OPTION,
        },
        Clause {
            checks: &[level(&[libc::IPPROTO_TCP as u32]), option(&[libc::TCP_ULP as u32])],
            verdict: NO_OPTION,
        },
    ]),
];
