//! The sockets in a cell's namespace: who knocks, and who is let in to be judged.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use policy::network::Refusal;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::audit::{Audit, Verdict};
use crate::connection;
use crate::lookups;
use crate::shared::{Denied, Shared};
use crate::wire::packet::{self, Protocol, Rejected};

/// How many lookups of one door are under way. Others wait in the socket.
const PENDING: usize = 64;
/// How long a connection for lookups may be without one.
const IDLE: Duration = Duration::from_secs(10);

/// A connection that ends at once, on both sides, unless it was closed: whoever is cut off shall know it.
#[derive(Debug)]
pub(crate) struct Abrupt {
    stream: TcpStream,
    closed: bool,
}

impl Abrupt {
    pub(crate) fn new(stream: TcpStream) -> Abrupt {
        Abrupt { stream, closed: false }
    }

    /// Both sides have said that nothing more comes.
    pub(crate) fn close(mut self) {
        self.closed = true;
    }
}

impl std::ops::Deref for Abrupt {
    type Target = TcpStream;

    fn deref(&self) -> &TcpStream {
        &self.stream
    }
}

impl Drop for Abrupt {
    fn drop(&mut self) {
        if !self.closed {
            // Without it the other side would see an orderly end; there is nothing else to lose.
            let _ = self.stream.set_zero_linger();
        }
    }
}

/// Takes connections until it is dropped, and all of them with it.
pub(crate) async fn streams(shared: Arc<Shared>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    let mut spent = shared.ledger.spent();
    let mut over = false;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let stream = Abrupt::new(stream);
                    match shared.ledger.connection() {
                        Ok(()) => drop(connections.spawn(connection::serve(shared.clone(), stream))),
                        Err(refusal) => connection::turned_away(&shared, &stream, refusal),
                    }
                }
                // No descriptors, or no memory: it may pass, and asking on and on does not make it pass.
                Err(error) => {
                    tracing::warn!(%error, "failed to accept a connection of a cell");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            true = async { spent.wait_for(|&spent| spent).await.is_ok() }, if !over => {
                over = true;
                connections.abort_all();
            }
            Some(ended) = connections.join_next() => reap(ended),
        }
    }
}

fn reap(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection of a cell ended in a panic");
    }
}

/// Answers lookups until it is dropped.
pub(crate) async fn lookups(shared: Arc<Shared>, socket: UdpSocket) {
    let socket = Arc::new(socket);
    let mut pending = JoinSet::new();
    // The largest that a packet can be: none is cut, so none is misread.
    let mut bytes = vec![0; 1 << 16];
    loop {
        tokio::select! {
            received = socket.recv_from(&mut bytes), if pending.len() < PENDING => match received {
                Ok((length, from)) => {
                    let (shared, socket, query) = (shared.clone(), socket.clone(), bytes[..length].to_vec());
                    pending.spawn(async move { answer(&shared, &socket, &query, from).await });
                }
                Err(error) => tracing::debug!(%error, "a cell did not take the answer to a lookup"),
            },
            Some(ended) = pending.join_next() => reap(ended),
        }
    }
}

async fn answer(shared: &Shared, socket: &UdpSocket, query: &[u8], from: SocketAddr) {
    if let Some(reply) = lookups::answer(shared, query, None).await {
        // Whoever asked may be gone.
        let _ = socket.send_to(&reply, from).await;
    }
}

/// Answers lookups on a connection, one after the other.
pub(crate) async fn stream_lookups(shared: &Shared, mut stream: Abrupt) {
    loop {
        let query = timeout(IDLE, async {
            let mut query = vec![0; stream.stream.read_u16().await?.into()];
            stream.stream.read_exact(&mut query).await?;
            std::io::Result::Ok(query)
        });
        let Ok(Ok(query)) = query.await else { break };
        let Some(reply) = lookups::answer(shared, &query, Some(u16::MAX.into())).await else { return };
        let mut message = (reply.len() as u16).to_be_bytes().to_vec();
        message.extend_from_slice(&reply);
        match timeout(IDLE, stream.stream.write_all(&message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
    stream.close();
}

/// Hears of what the kernel rejected, until it is dropped.
pub(crate) async fn rejections(shared: Arc<Shared>, socket: AsyncFd<OwnedFd>) {
    let mut bytes = vec![0; 1 << 16];
    loop {
        let Ok(mut ready) = socket.readable().await else { return };
        let received = ready.try_io(|socket| {
            let flags = rustix::net::RecvFlags::DONTWAIT;
            Ok(rustix::net::recv(socket, &mut bytes[..], flags)?.0)
        });
        match received {
            Ok(Ok(length)) => {
                for one in packet::read(&bytes[..length]) {
                    rejected(&shared, one);
                }
            }
            // The kernel had more to tell than there was room for: it is only told.
            Ok(Err(error)) if error.raw_os_error() == Some(rustix::io::Errno::NOBUFS.raw_os_error()) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "failed to hear of what a cell's rules rejected");
                return;
            }
            Err(_would_block) => {}
        }
    }
}

fn rejected(shared: &Shared, Rejected { to, protocol }: Rejected) {
    let name = {
        let names = shared.names();
        names.behind(to.ip()).or_else(|| names.asked_for(to.ip())).map(ToString::to_string)
    };
    let refusal = match (protocol, shared.network.address(to)) {
        // A name's own address, to which only connections lead.
        (Protocol::Udp | Protocol::Other(_), _) if name.is_some() => Refusal::Protocol,
        (_, Err(refusal)) => refusal,
        (Protocol::Tcp, Ok(())) if shared.is_hosts(to) => Refusal::Host,
        (Protocol::Tcp, Ok(())) => Refusal::Rate,
        (Protocol::Udp | Protocol::Other(_), Ok(())) => Refusal::Protocol,
    };
    let what = match (&name, to.port()) {
        (Some(name), 0) => name.clone(),
        (Some(name), port) => format!("{name}:{port}"),
        (None, 0) => to.ip().to_string(),
        (None, _) => to.to_string(),
    };
    shared.denied(&what, Denied::Refused(refusal));
    (shared.audit)(&Audit {
        name,
        address: Some(to),
        verdict: Verdict::Refused(refusal),
        bytes_out: 0,
        bytes_in: 0,
        milliseconds: 0,
    });
}
