//! Sockets that see every packet of a network namespace.

use std::io;
use std::num::NonZeroU32;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::net::{AddressFamily, Protocol, RecvFlags, SocketFlags, SocketType, recv, socket_with, sockopt};

/// All protocols: `ETH_P_ALL`, in the order of the network.
const EVERYTHING: u16 = (libc::ETH_P_ALL as u16).to_be();

/// A socket that receives a copy of every packet that any interface of the current network namespace sends or
/// receives, from now on. Packets that firewall rules refuse before they reach an interface are not among them.
#[derive(Debug)]
pub struct PacketSocket(OwnedFd);

impl PacketSocket {
    /// Makes one that holds about `buffer` bytes that were not read yet. Needs `CAP_NET_RAW`; with `CAP_NET_ADMIN` of
    /// the host, `buffer` may be more than the host's own limit.
    pub fn new(buffer: usize) -> io::Result<Self> {
        let protocol = NonZeroU32::new(EVERYTHING.into()).map(Protocol::from_raw);
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::PACKET, SocketType::RAW, flags, protocol)?;
        if sockopt::set_socket_recv_buffer_size_force(&socket, buffer).is_err() {
            sockopt::set_socket_recv_buffer_size(&socket, buffer)?;
        }
        Ok(Self(socket))
    }

    /// Leaves out packets of TCP from and to these two ports that are longer than `longest` bytes with all their
    /// headers, before they take up room.
    pub fn leave_out(&self, [one, other]: [u16; 2], longest: u32) -> io::Result<()> {
        const LENGTH: u16 = 0x80;
        const LONGER: u16 = 0x25;
        const EQUAL: u16 = 0x15;
        const BYTE: u16 = 0x30;
        const SHORT: u16 = 0x28;
        const SHORT_BEHIND: u16 = 0x48;
        const HEADER: u16 = 0xb1; // the length of an IPv4 header, to get behind it
        const TAKE: u16 = 0x06;
        let (tcp, v4, v6) = (6, 0x0800, 0x86dd);
        let (one, other) = (u32::from(one), u32::from(other));
        let ended = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
        let plain = |code, k| ended(code, 0, 0, k);
        let mut program = [
            plain(LENGTH, 0),
            ended(LONGER, 0, 20, longest),
            plain(SHORT, 12),
            ended(EQUAL, 10, 0, v6),
            ended(EQUAL, 0, 17, v4),
            plain(BYTE, 14 + 9),
            ended(EQUAL, 0, 15, tcp),
            plain(HEADER, 14),
            plain(SHORT_BEHIND, 14),
            ended(EQUAL, 13, 0, one),
            ended(EQUAL, 12, 0, other),
            plain(SHORT_BEHIND, 14 + 2),
            ended(EQUAL, 10, 0, one),
            ended(EQUAL, 9, 8, other),
            plain(BYTE, 14 + 6),
            ended(EQUAL, 0, 6, tcp),
            plain(SHORT, 14 + 40),
            ended(EQUAL, 5, 0, one),
            ended(EQUAL, 4, 0, other),
            plain(SHORT, 14 + 42),
            ended(EQUAL, 2, 0, one),
            ended(EQUAL, 1, 0, other),
            plain(TAKE, u32::MAX),
            plain(TAKE, 0),
        ];
        let filter = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
        // SAFETY: the socket is open, and `filter` and the instructions that it names are alive; the kernel copies them.
        let done = unsafe {
            libc::setsockopt(
                self.0.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_ATTACH_FILTER,
                (&raw const filter).cast(),
                size_of_val(&filter) as libc::socklen_t,
            )
        };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// The next packet, from its link-layer header on, cut to `buffer`; `None` when all have been read.
    pub fn next(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            match recv(&self.0, &mut *buffer, RecvFlags::empty()) {
                Ok((_, length)) => return Ok(Some(length.min(buffer.len()))),
                Err(rustix::io::Errno::AGAIN) => return Ok(None),
                // An interface went down; those that are up go on.
                Err(rustix::io::Errno::INTR | rustix::io::Errno::NETDOWN) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// How many packets were lost since the last time this was asked, because nobody read them in time.
    pub fn lost(&self) -> io::Result<u32> {
        let mut statistics = [0_u32; 2]; // struct tpacket_stats: packets, drops
        let mut length = size_of_val(&statistics) as libc::socklen_t;
        // SAFETY: the socket is open, and both places are alive and as large as is said.
        let done = unsafe {
            libc::getsockopt(
                self.0.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                statistics.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        if done == 0 { Ok(statistics[1]) } else { Err(io::Error::last_os_error()) }
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}
