//! Netlink: messages to the kernel about routes and packet filters, and its answers.
//!
//! Requests are answered before sending them returns, so nothing here waits.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

/// Whom a socket talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Interfaces, addresses, routes.
    Route,
    /// Packet filters and their log.
    Netfilter,
}

/// `NLM_F_REQUEST`: every request is one.
const REQUEST: u16 = 0x1;
/// `NLM_F_ACK`: an answer is wanted, also if all is well.
const ACK: u16 = 0x4;
/// `NLM_F_EXCL | NLM_F_CREATE`: make a thing that is not there yet.
pub const CREATE: u16 = 0x200 | 0x400;
/// `NLM_F_CREATE | NLM_F_APPEND`: put a thing at the end of a list.
pub const APPEND: u16 = 0x400 | 0x800;
/// `NLMSG_ERROR`: what an answer without content is, also if nothing is wrong.
const ERROR: u16 = 0x2;
/// `NLA_F_NESTED`.
const NESTED: u16 = 0x8000;
/// Length of `struct nlmsghdr`, bytes.
const HEADER: usize = 16;

/// A message that is being written.
#[derive(Debug)]
pub struct Message(Vec<u8>);

impl Message {
    /// A request of this type, with a fixed part of this content.
    pub fn new(kind: u16, flags: u16, fixed: &[u8]) -> Message {
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&(flags | REQUEST).to_ne_bytes());
        bytes.extend_from_slice(fixed);
        Message(bytes).padded()
    }

    fn padded(mut self) -> Message {
        self.pad();
        self
    }

    fn pad(&mut self) {
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    /// Appends an attribute.
    pub fn attribute(&mut self, kind: u16, value: &[u8]) -> &mut Message {
        self.0.extend_from_slice(&(value.len() as u16 + 4).to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(value);
        self.pad();
        self
    }

    /// Appends a text, which ends with a zero.
    pub fn text(&mut self, kind: u16, value: &str) -> &mut Message {
        self.attribute(kind, &[value.as_bytes(), b"\0"].concat())
    }

    /// Appends a number as the network has it.
    pub fn be32(&mut self, kind: u16, value: u32) -> &mut Message {
        self.attribute(kind, &value.to_be_bytes())
    }

    /// Appends the fixed part that some attributes have before those that they hold.
    pub fn fixed(&mut self, content: &[u8]) -> &mut Message {
        self.0.extend_from_slice(content);
        self.pad();
        self
    }

    /// Appends an attribute that holds attributes.
    pub fn nest(&mut self, kind: u16, inner: impl FnOnce(&mut Message)) -> &mut Message {
        let start = self.0.len();
        self.attribute(kind | NESTED, &[]);
        inner(self);
        let len = (self.0.len() - start) as u16;
        self.0[start..start + 2].copy_from_slice(&len.to_ne_bytes());
        self
    }

    /// The message's bytes, with its place in a conversation; `answer` asks for an answer.
    fn finish(mut self, sequence: u32, answer: bool) -> Vec<u8> {
        let len = self.0.len() as u32;
        self.0[..4].copy_from_slice(&len.to_ne_bytes());
        if answer {
            self.0[6] |= ACK as u8;
        }
        self.0[8..12].copy_from_slice(&sequence.to_ne_bytes());
        self.0
    }
}

/// A socket to the kernel, in the network namespace in which it was made.
#[derive(Debug)]
pub struct Socket(OwnedFd);

impl Socket {
    /// A new one. It does not block, and is closed on exec.
    pub fn open(family: Family) -> io::Result<Socket> {
        let protocol = match family {
            // `NETLINK_ROUTE` is 0, which is how no protocol is said.
            Family::Route => None,
            Family::Netfilter => Some(rustix::net::netlink::NETFILTER),
        };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol)?;
        Ok(Socket(socket))
    }

    /// Sends messages, and gives the first error that comes back.
    pub fn request(&self, messages: Vec<Message>) -> io::Result<()> {
        let last = messages.len();
        self.batch(messages, last)
    }

    /// As [`Socket::request`]; the message that is answered last is this one, counted from 1: one after it may be of
    /// a kind that is never answered.
    pub fn batch(&self, messages: Vec<Message>, last: usize) -> io::Result<()> {
        let mut bytes = Vec::new();
        for (sequence, message) in (1..).zip(messages) {
            bytes.extend(message.finish(sequence, sequence == last as u32));
        }
        self.send(&bytes)?;
        self.answers(last as u32, |_, _| ())
    }

    /// Sends a question, and gives the content of its first answer: the fixed part and what follows.
    pub fn ask(&self, message: Message) -> io::Result<Vec<u8>> {
        self.send(&message.finish(1, true))?;
        let mut found = None;
        self.answers(1, |_, content| _ = found.get_or_insert_with(|| content.to_vec()))?;
        found.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        match rustix::net::send(&self.0, bytes, SendFlags::empty())? {
            sent if sent == bytes.len() => Ok(()),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }

    fn answers(&self, last: u32, mut each: impl FnMut(u16, &[u8])) -> io::Result<()> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let (len, _) = rustix::net::recv(&self.0, &mut buffer[..], RecvFlags::empty())?;
            for (kind, sequence, content) in messages(&buffer[..len]) {
                if kind != ERROR {
                    each(kind, content);
                    continue;
                }
                let errno = content.first_chunk().map_or(0, |errno| i32::from_ne_bytes(*errno));
                if errno != 0 {
                    return Err(io::Error::from_raw_os_error(-errno));
                }
                if sequence == last {
                    return Ok(());
                }
            }
        }
    }
}

impl From<Socket> for OwnedFd {
    fn from(socket: Socket) -> OwnedFd {
        socket.0
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The messages in these bytes: type, sequence number, content. What is cut off is left out.
pub fn messages(mut bytes: &[u8]) -> impl Iterator<Item = (u16, u32, &[u8])> {
    std::iter::from_fn(move || {
        let len = u32::from_ne_bytes(*bytes.first_chunk()?) as usize;
        let message = bytes.get(..len).filter(|message| message.len() >= HEADER)?;
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        let kind = u16::from_ne_bytes([message[4], message[5]]);
        let sequence = u32::from_ne_bytes([message[8], message[9], message[10], message[11]]);
        Some((kind, sequence, &message[HEADER..]))
    })
}

/// The attributes in these bytes: type, without the mark of nesting, and value. What is cut off is left out.
pub fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let len = usize::from(u16::from_ne_bytes([*bytes.first()?, *bytes.get(1)?]));
        let attribute = bytes.get(..len).filter(|attribute| attribute.len() >= 4)?;
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_ne_bytes([attribute[2], attribute[3]]) & !NESTED, &attribute[4..]))
    })
}

const NEW_ADDRESS: u16 = 20; // RTM_NEWADDR
const GET_ADDRESSES: u16 = 22; // RTM_GETADDR
const DUMP: u16 = 0x300; // NLM_F_DUMP
const DONE: u16 = 3; // NLMSG_DONE
const ADDRESS: u16 = 1; // IFA_ADDRESS
const OWN_ADDRESS: u16 = 2; // IFA_LOCAL: what IFA_ADDRESS is not on a point-to-point link
const NEW_ROUTE: u16 = 24; // RTM_NEWROUTE
const GET_ROUTE: u16 = 26; // RTM_GETROUTE
const DESTINATION: u16 = 1; // RTA_DST
const INTERFACE: u16 = 4; // RTA_OIF
const LOCAL_TABLE: u8 = 255; // RT_TABLE_LOCAL
const BY_HAND: u8 = 3; // RTPROT_BOOT
const HOST_SCOPE: u8 = 254; // RT_SCOPE_HOST
const LOCAL: u8 = 2; // RTN_LOCAL
/// `RTN_BROADCAST` and `RTN_ANYCAST`: this machine hears them as well.
const HEARD: [u8; 2] = [3, 4];
/// The index of `lo`: the first interface of every network namespace.
const LOOPBACK: u32 = 1;

/// Makes every address of this family one of the current network namespace's own: whatever is sent stays in it.
pub fn keep_everything(v6: bool) -> io::Result<()> {
    let family = if v6 { libc::AF_INET6 } else { libc::AF_INET };
    let scope = if v6 { 0 } else { HOST_SCOPE };
    let route = [family as u8, 0, 0, 0, LOCAL_TABLE, BY_HAND, scope, LOCAL, 0, 0, 0, 0];
    let mut message = Message::new(NEW_ROUTE, CREATE, &route);
    message.attribute(INTERFACE, &LOOPBACK.to_ne_bytes());
    Socket::open(Family::Route)?.request(vec![message])
}

/// The addresses of all interfaces in the current network namespace.
pub fn own_addresses() -> io::Result<Vec<IpAddr>> {
    let socket = Socket::open(Family::Route)?;
    socket.send(&Message::new(GET_ADDRESSES, DUMP, &[0; 8]).finish(1, false))?;
    let mut found = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let (len, _) = rustix::net::recv(&socket.0, &mut buffer[..], RecvFlags::empty())?;
        for (kind, _, content) in messages(&buffer[..len]) {
            if kind == DONE || kind == ERROR {
                return Ok(found);
            }
            if kind == NEW_ADDRESS {
                found.extend(own_address(content.get(8..).unwrap_or_default()));
            }
        }
    }
}

fn own_address(content: &[u8]) -> Option<IpAddr> {
    let find = |wanted| attributes(content).find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
    let value = find(OWN_ADDRESS).or_else(|| find(ADDRESS))?;
    let v4 = <[u8; 4]>::try_from(value).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(value).map(IpAddr::from)).ok()
}

/// Whether an address is one of this machine's own, as it is now, in the current network namespace.
pub fn is_own(address: IpAddr) -> io::Result<bool> {
    let (family, bytes) = match address {
        IpAddr::V4(v4) => (libc::AF_INET, v4.octets().to_vec()),
        IpAddr::V6(v6) => (libc::AF_INET6, v6.octets().to_vec()),
    };
    let route = [family as u8, bytes.len() as u8 * 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut message = Message::new(GET_ROUTE, 0, &route);
    message.attribute(DESTINATION, &bytes);
    match Socket::open(Family::Route)?.ask(message) {
        Ok(route) => Ok(route.get(7).is_some_and(|kind| *kind == LOCAL || HEARD.contains(kind))),
        // No way there at all, so it is not here.
        Err(error)
            if matches!(
                error.raw_os_error(),
                Some(libc::ENETUNREACH | libc::EHOSTUNREACH | libc::EACCES)
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut message = Message::new(7, CREATE, &[1, 2, 3]);
        message.text(1, "ab").nest(2, |m| _ = m.be32(3, 5)).attribute(4, &[9]);
        let bytes = message.finish(11, true);
        let read: Vec<_> = messages(&bytes).collect();
        assert_eq!(read.len(), 1);
        let (kind, sequence, content) = read[0];
        assert_eq!((kind, sequence, &content[..4]), (7, 11, &[1, 2, 3, 0][..]));
        let read: Vec<_> = attributes(&content[4..]).collect();
        assert_eq!(read.len(), 3);
        assert_eq!((read[0], read[2]), ((1, &b"ab\0"[..]), (4, &[9][..])));
        assert_eq!(attributes(read[1].1).collect::<Vec<_>>(), [(3, &[0, 0, 0, 5][..])]);
    }

    #[test]
    fn what_is_cut_off_is_left_out() {
        let bytes = Message::new(7, 0, &[1; 8]).finish(1, false);
        for len in 0..bytes.len() {
            assert_eq!(messages(&bytes[..len]).count(), 0, "{len}");
        }
        for bytes in [&[][..], &[4], &[3, 0, 0, 0], &[8, 0, 1, 0, 5], &[255, 255, 0, 0]] {
            assert_eq!(attributes(bytes).count(), 0, "{bytes:?}");
        }
    }

    #[test]
    fn the_machine_knows_its_own_addresses() {
        assert!(is_own("127.0.0.1".parse().unwrap()).unwrap());
        assert!(is_own("127.9.9.9".parse().unwrap()).unwrap());
        assert!(own_addresses().unwrap().contains(&"127.0.0.1".parse().unwrap()));
        // Documentation's address: nobody's, with a route or without.
        assert!(!is_own("203.0.113.77".parse().unwrap()).unwrap());
    }

    #[test]
    fn an_error_comes_back_as_one() {
        // A message type that nobody has.
        let error = Socket::open(Family::Route).unwrap().request(vec![Message::new(0xff0, 0, &[0; 4])]);
        assert!(error.unwrap_err().raw_os_error().is_some());
    }
}
