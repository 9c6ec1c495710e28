//! Asks name servers, on the host's side.
//!
//! **Invariants.** Each lookup has a socket of its own, connected to the server, and an id that nobody can guess; what
//! is not an answer to exactly this question is passed over. Only the daemon's words are sent, never a cell's.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use crate::wire::answer::{self, Answer};
use crate::wire::dns::{Code, Question};

/// How long a server has to answer one packet.
const WAIT: Duration = Duration::from_secs(2);
/// How long it has to answer over a connection.
const WAIT_LONG: Duration = Duration::from_secs(5);
/// How often all servers are asked.
const ROUNDS: usize = 2;
/// No resolver file has more of use (glibc takes three).
const SERVERS: usize = 3;

/// The name servers that are asked, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolver {
    servers: Vec<SocketAddr>,
}

impl Resolver {
    /// Asks these servers.
    pub fn new(servers: Vec<SocketAddr>) -> Resolver {
        Resolver { servers }
    }

    /// Asks the servers that the host asks: those of `/etc/resolv.conf`, and without it one on the host itself, as
    /// every resolver has it.
    pub fn of_host() -> io::Result<Resolver> {
        let text = match std::fs::read_to_string("/etc/resolv.conf") {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        Ok(Resolver::of(&text))
    }

    fn of(text: &str) -> Resolver {
        let server = |line: &str| {
            let mut words = line.split_ascii_whitespace();
            (words.next()? == "nameserver").then_some(())?;
            address(words.next()?)
        };
        let mut servers: Vec<SocketAddr> = text.lines().filter_map(server).take(SERVERS).collect();
        if servers.is_empty() {
            servers.push((Ipv4Addr::LOCALHOST, 53).into());
        }
        Resolver { servers }
    }

    /// What the servers answer: the first that knows.
    pub(crate) async fn ask(&self, question: &Question) -> io::Result<Answer> {
        let mut last = Err(io::ErrorKind::TimedOut.into());
        for _ in 0..ROUNDS {
            for &server in &self.servers {
                match self.ask_one(server, question).await {
                    Ok(answer) if matches!(answer.code, Code::OK | Code::NO_NAME) => return Ok(answer),
                    Ok(answer) => last = Ok(answer),
                    // A word, be it a bad one, says more than silence.
                    Err(error) if last.is_err() => last = Err(error),
                    Err(_) => {}
                }
            }
        }
        last
    }

    async fn ask_one(&self, server: SocketAddr, question: &Question) -> io::Result<Answer> {
        let answer = timeout(WAIT, packet(server, question)).await??;
        if answer.cut { timeout(WAIT_LONG, stream(server, question)).await? } else { Ok(answer) }
    }
}

/// A server's address; the zone of a link-local one by its number or name.
fn address(text: &str) -> Option<SocketAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some((address, 53).into());
    }
    let (address, zone) = text.split_once('%')?;
    let zone = zone.parse().ok().or_else(|| {
        std::fs::read_to_string(format!("/sys/class/net/{zone}/ifindex")).ok()?.trim().parse().ok()
    })?;
    let address: Ipv6Addr = address.parse().ok()?;
    Some(std::net::SocketAddrV6::new(address, 53, 0, zone).into())
}

/// An id that nobody can guess.
fn id() -> io::Result<u16> {
    let mut bytes = [0; 2];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    Ok(u16::from_ne_bytes(bytes))
}

async fn packet(server: SocketAddr, question: &Question) -> io::Result<Answer> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    // Only this server's packets are received then, and a port that nobody listens at is known at once.
    socket.connect(server).await?;
    let id = id()?;
    socket.send(&answer::ask(id, question)).await?;
    // On the heap: what waits for a connection's lookup would otherwise carry it for as long as the connection lives.
    let mut bytes = vec![0; 4096];
    loop {
        let length = socket.recv(&mut bytes).await?;
        if let Some(answer) = answer::read(&bytes[..length], id, question) {
            return Ok(answer);
        }
    }
}

async fn stream(server: SocketAddr, question: &Question) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(server).await?;
    let id = id()?;
    let asked = answer::ask(id, question);
    let mut message = (asked.len() as u16).to_be_bytes().to_vec();
    message.extend_from_slice(&asked);
    stream.write_all(&message).await?;
    let mut bytes = vec![0; stream.read_u16().await?.into()];
    stream.read_exact(&mut bytes).await?;
    answer::read(&bytes, id, question).filter(|answer| !answer.cut).ok_or(io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_servers_are_those_that_its_file_names() {
        let text = "# a comment\nsearch example.org\nnameserver 192.0.2.1\n nameserver\t2001:db8::1 \noptions edns0\n";
        let servers = ["192.0.2.1:53", "[2001:db8::1]:53"].map(|text| text.parse().unwrap());
        assert_eq!(Resolver::of(text), Resolver::new(servers.to_vec()));
    }

    #[test]
    fn without_servers_the_host_asks_itself() {
        for text in ["", "search example.org", "nameserver", "nameserver nobody", "#nameserver 192.0.2.1"] {
            assert_eq!(Resolver::of(text), Resolver::new(vec!["127.0.0.1:53".parse().unwrap()]), "{text}");
        }
    }
}
