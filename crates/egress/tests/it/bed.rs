//! A way out between a cell that tests play and an internet that they play as well.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use egress::wire::answer::{self, Answer};
use egress::wire::dns::{Question, kind};
use egress::wire::name::WireName;
use egress::{Audit, Connecting, Doors, Egress, Host, Options, Resolver};
use policy::network::{Mode, Name, Network, Rates};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::name_server::NameServer;

/// Longer than anything here takes; who waits so long has found a fault.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// The machine, as tests want it.
#[derive(Default)]
pub(crate) struct Machine {
    led: Mutex<HashMap<SocketAddr, SocketAddr>>,
    own: Mutex<HashSet<IpAddr>>,
    servers: Mutex<HashMap<SocketAddr, Option<SocketAddr>>>,
    tried: Mutex<Vec<SocketAddr>>,
}

impl Host for Machine {
    fn destination(&self, stream: &TcpStream) -> io::Result<SocketAddr> {
        let client = stream.peer_addr()?;
        self.led.lock().unwrap().get(&client).copied().ok_or(io::ErrorKind::NotFound.into())
    }

    fn is_own(&self, address: IpAddr) -> io::Result<bool> {
        Ok(self.own.lock().unwrap().contains(&address))
    }

    fn connect(&self, to: SocketAddr) -> Connecting<'_> {
        self.tried.lock().unwrap().push(to);
        let server = self.servers.lock().unwrap().get(&to).copied();
        Box::pin(async move {
            match server {
                Some(Some(server)) => TcpStream::connect(server).await,
                Some(None) => std::future::pending().await,
                None => Err(io::ErrorKind::ConnectionRefused.into()),
            }
        })
    }
}

/// A way out, its cell and its internet.
pub(crate) struct Bed {
    pub(crate) egress: Egress,
    pub(crate) room: Arc<tokio::sync::Semaphore>,
    pub(crate) names: NameServer,
    machine: Arc<Machine>,
    audits: Arc<Mutex<Vec<Audit>>>,
    streams: SocketAddr,
    lookups: SocketAddr,
}

pub(crate) fn allow(entries: &[&str]) -> Network {
    let allow = entries.iter().map(|entry| entry.parse().unwrap()).collect();
    Network { mode: Mode::Allow, allow, limits: plenty(), ..Network::default() }
}

pub(crate) fn internet() -> Network {
    Network { mode: Mode::Internet, limits: plenty(), ..Network::default() }
}

/// So much that no test meets a limit unless it means to.
fn plenty() -> Rates {
    Rates { connections: 1000, connections_per_second: 10_000, lookups_per_second: 10_000, bytes: 1 << 40 }
}

impl Bed {
    pub(crate) async fn new(network: Network) -> Bed {
        Bed::with(network, None).await
    }

    /// With a socket that tells what the kernel rejected.
    pub(crate) async fn with(network: Network, refusals: Option<std::os::fd::OwnedFd>) -> Bed {
        Bed::made(network, refusals, 1000).await
    }

    /// One where all ways out together have room for so many connections.
    pub(crate) async fn roomy(network: Network, room: usize) -> Bed {
        Bed::made(network, None, room).await
    }

    async fn made(network: Network, refusals: Option<std::os::fd::OwnedFd>, room: usize) -> Bed {
        let room = Arc::new(tokio::sync::Semaphore::new(room));
        let names = NameServer::start().await;
        let streams = TcpListener::bind("127.0.0.1:0").unwrap();
        let lookups = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (to_streams, to_lookups) = (streams.local_addr().unwrap(), lookups.local_addr().unwrap());
        let machine = Arc::new(Machine::default());
        let audits: Arc<Mutex<Vec<Audit>>> = Arc::default();
        let told = audits.clone();
        let options = Options {
            room: room.clone(),
            resolver: Resolver::new(vec![names.address]),
            audit: Arc::new(move |audit: &Audit| told.lock().unwrap().push(audit.clone())),
            host: machine.clone(),
        };
        let doors = Doors { streams: vec![streams.into()], lookups: vec![lookups.into()], refusals };
        let egress = Egress::open(doors, network, options).unwrap();
        Bed { egress, room, names, machine, audits, streams: to_streams, lookups: to_lookups }
    }

    /// Where lookups are answered.
    pub(crate) fn lookups(&self) -> SocketAddr {
        self.lookups
    }

    /// Where connections are led.
    pub(crate) fn door(&self) -> SocketAddr {
        self.streams
    }

    /// The lines so far, also when the bed is gone.
    pub(crate) fn told(&self) -> Arc<Mutex<Vec<Audit>>> {
        self.audits.clone()
    }

    /// Makes an address the host's own.
    pub(crate) fn own(&self, address: &str) {
        self.machine.own.lock().unwrap().insert(address.parse().unwrap());
    }

    /// Makes an address one that does not answer.
    pub(crate) fn silent(&self, address: &str) {
        self.machine.servers.lock().unwrap().insert(address.parse().unwrap(), None);
    }

    /// A server at this address.
    pub(crate) async fn server(&self, address: &str) -> tokio::net::TcpListener {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = Some(listener.local_addr().unwrap());
        self.machine.servers.lock().unwrap().insert(address.parse().unwrap(), at);
        listener
    }

    /// Addresses that were connected to, or tried, in their order.
    pub(crate) fn tried(&self) -> Vec<SocketAddr> {
        self.machine.tried.lock().unwrap().clone()
    }

    /// A connection of the cell's to an address, as the rules lead it.
    pub(crate) async fn connect(&self, to: SocketAddr) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        self.machine.led.lock().unwrap().insert(socket.local_addr().unwrap(), to);
        socket.connect(self.streams).await.unwrap()
    }

    /// A connection that nobody led.
    pub(crate) async fn knock(&self) -> TcpStream {
        TcpStream::connect(self.streams).await.unwrap()
    }

    /// A connection of the cell's to a name, whose address it looks up.
    pub(crate) async fn connect_to(&self, name: &str, port: u16) -> TcpStream {
        let answer = self.look_up(name, kind::A).await;
        let address = answer.records.iter().find_map(egress::wire::dns::Record::address);
        self.connect(SocketAddr::new(address.expect("the name has an address"), port)).await
    }

    /// Sends bytes as a lookup, and gives what comes back.
    pub(crate) async fn send(&self, bytes: &[u8]) -> Vec<u8> {
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(self.lookups).await.unwrap();
        socket.send(bytes).await.unwrap();
        let mut reply = vec![0; 1 << 16];
        let length = tokio::time::timeout(LONG, socket.recv(&mut reply)).await.unwrap().unwrap();
        reply.truncate(length);
        reply
    }

    pub(crate) async fn look_up(&self, name: &str, kind: u16) -> Answer {
        let question = question(name, kind);
        let reply = self.send(&answer::ask(7, &question)).await;
        answer::read(&reply, 7, &question).expect("it answers the question")
    }

    pub(crate) fn audits(&self) -> Vec<Audit> {
        self.audits.lock().unwrap().clone()
    }

    /// Waits for the line of a connection's end, or of a refusal.
    pub(crate) async fn audit(&self, wanted: impl Fn(&Audit) -> bool) -> Audit {
        until(|| self.audits().into_iter().find(|audit| wanted(audit))).await
    }

    /// All sentences so far.
    pub(crate) fn sentences(&self, since: egress::Mark) -> Vec<String> {
        self.egress.since(since).into_iter().map(|happening| happening.sentence).collect()
    }
}

/// Waits until there is something.
pub(crate) async fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let waited = tokio::time::timeout(LONG, async {
        loop {
            if let Some(found) = look() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    waited.await.expect("it comes about")
}

pub(crate) fn question(name: &str, kind: u16) -> Question {
    Question { name: WireName::of(&Name::new(name).unwrap()), kind }
}

/// Everything up to the end, which must be an orderly one.
pub(crate) async fn all(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    tokio::time::timeout(LONG, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    bytes
}

/// So many bytes.
pub(crate) async fn some(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    tokio::time::timeout(LONG, stream.read_exact(&mut bytes)).await.unwrap().unwrap();
    bytes
}

/// The connection is reset, and nothing comes before.
pub(crate) async fn reset(stream: &mut TcpStream) {
    let mut byte = [0];
    let read = tokio::time::timeout(LONG, stream.read(&mut byte)).await.expect("it ends");
    let error = read.expect_err("it is reset, and not just ended");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

/// A request for this host.
pub(crate) fn http(host: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n").into_bytes()
}

/// A `ClientHello` for this host, or without one.
pub(crate) fn hello(host: Option<&str>) -> Vec<u8> {
    let mut extensions = vec![0x00, 0x0b, 0, 2, 1, 0];
    if let Some(host) = host {
        let length = host.len() as u16;
        for value in [0, length + 5, length + 3] {
            extensions.extend_from_slice(&value.to_be_bytes());
        }
        extensions.push(0);
        extensions.extend_from_slice(&length.to_be_bytes());
        extensions.extend_from_slice(host.as_bytes());
    }
    hello_with(&extensions)
}

/// A `ClientHello` with these extensions.
pub(crate) fn hello_with(extensions: &[u8]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend_from_slice(&[7; 32]);
    body.extend_from_slice(&[0, 0, 4, 0x13, 1, 0x13, 2, 1, 0]);
    body.extend_from_slice(&(extensions.len() as u16).to_be_bytes());
    body.extend_from_slice(extensions);
    let mut message = vec![1, 0];
    message.extend_from_slice(&(body.len() as u16).to_be_bytes());
    message.extend_from_slice(&body);
    let mut record = vec![22, 3, 1];
    record.extend_from_slice(&(message.len() as u16).to_be_bytes());
    record.extend_from_slice(&message);
    record
}

/// Says something, and gives what the other side says until its end.
pub(crate) async fn say(stream: &mut TcpStream, bytes: &[u8]) {
    tokio::time::timeout(LONG, stream.write_all(bytes)).await.unwrap().unwrap();
}
