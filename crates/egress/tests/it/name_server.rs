//! A name server that knows what a test tells it, and tells what it was asked.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use egress::wire::dns::{self, Code, Query, Record, Reply, kind};
use egress::wire::name::WireName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

/// What it says before the answer: bytes made of the question's.
type Before = Option<Box<dyn Fn(&[u8]) -> Vec<Vec<u8>> + Send>>;

#[derive(Default)]
struct Zone {
    records: HashMap<String, Vec<(u16, Vec<u8>)>>,
    asked: Vec<(String, u16)>,
    over_streams: usize,
    before: Before,
    broken: bool,
    mute: Option<u16>,
}

/// A running one; it ends with the test's runtime.
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
}

impl NameServer {
    pub(crate) async fn start() -> NameServer {
        let zone: Arc<Mutex<Zone>> = Arc::default();
        // The same port for both: where it is taken for one, another is tried.
        let (listener, socket) = loop {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            if let Ok(socket) = UdpSocket::bind(listener.local_addr().unwrap()).await {
                break (listener, socket);
            }
        };
        let address = socket.local_addr().unwrap();
        tokio::spawn(packets(socket, zone.clone()));
        tokio::spawn(streams(listener, zone.clone()));
        NameServer { address, zone }
    }

    /// The name has these addresses.
    pub(crate) fn knows(&self, name: &str, addresses: &[&str]) {
        for address in addresses {
            match address.parse().unwrap() {
                IpAddr::V4(v4) => self.record(name, kind::A, &v4.octets()),
                IpAddr::V6(v6) => self.record(name, kind::AAAA, &v6.octets()),
            }
        }
    }

    pub(crate) fn record(&self, name: &str, kind: u16, data: &[u8]) {
        let mut zone = self.zone.lock().unwrap();
        zone.records.entry(name.to_owned()).or_default().push((kind, data.to_vec()));
    }

    pub(crate) fn forget(&self, name: &str) {
        self.zone.lock().unwrap().records.remove(name);
    }

    /// Before each answer this is sent.
    pub(crate) fn before(&self, before: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) {
        self.zone.lock().unwrap().before = Some(Box::new(before));
    }

    /// It answers that it cannot answer.
    pub(crate) fn breaks(&self) {
        self.zone.lock().unwrap().broken = true;
    }

    /// It does not answer questions of this type.
    pub(crate) fn is_mute_about(&self, kind: u16) {
        self.zone.lock().unwrap().mute = Some(kind);
    }

    pub(crate) fn asked(&self) -> Vec<(String, u16)> {
        self.zone.lock().unwrap().asked.clone()
    }

    pub(crate) fn over_streams(&self) -> usize {
        self.zone.lock().unwrap().over_streams
    }
}

fn answer(zone: &Mutex<Zone>, query: &Query, room: usize) -> Vec<u8> {
    let mut zone = zone.lock().unwrap();
    let name = query.question.name.to_string();
    zone.asked.push((name.clone(), query.question.kind));
    if zone.broken {
        return dns::write(query, &Code::FAILED.into(), room);
    }
    let Some(known) = zone.records.get(&name) else { return dns::write(query, &Code::NO_NAME.into(), room) };
    let records = known
        .iter()
        .filter(|(kind, _)| *kind == query.question.kind || *kind == kind::CNAME)
        .map(|(kind, data)| Record {
            name: query.question.name.clone(),
            kind: *kind,
            seconds: 300,
            data: data.clone(),
        })
        .collect();
    dns::write(query, &Reply { code: Code::OK, records, blocked: None }, room)
}

async fn packets(socket: UdpSocket, zone: Arc<Mutex<Zone>>) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok((length, from)) = socket.recv_from(&mut bytes).await {
        let query = dns::read(&bytes[..length]).expect("the daemon asks well");
        {
            let (mut zone, kind) = (zone.lock().unwrap(), query.question.kind);
            if zone.mute == Some(kind) {
                zone.asked.push((query.question.name.to_string(), kind));
                continue;
            }
        }
        let before = zone.lock().unwrap().before.as_ref().map_or(Vec::new(), |say| say(&bytes[..length]));
        for message in before.into_iter().chain([answer(&zone, &query, dns::room(&query))]) {
            let _ = socket.send_to(&message, from).await;
        }
    }
}

async fn streams(listener: TcpListener, zone: Arc<Mutex<Zone>>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        zone.lock().unwrap().over_streams += 1;
        let length = stream.read_u16().await.unwrap();
        let mut bytes = vec![0; length.into()];
        stream.read_exact(&mut bytes).await.unwrap();
        let reply = answer(&zone, &dns::read(&bytes).expect("the daemon asks well"), 65_535);
        stream.write_u16(reply.len() as u16).await.unwrap();
        stream.write_all(&reply).await.unwrap();
    }
}

/// The name `text` in its wire form.
pub(crate) fn wire(text: &str) -> Vec<u8> {
    WireName::of(&policy::network::Name::new(text).unwrap()).bytes().to_vec()
}
