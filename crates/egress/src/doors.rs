//! The sockets in a cell's namespace: who knocks, and who is let in to be judged.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use policy::network::Refusal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::connection;
use crate::lookups;
use crate::shared::Shared;

/// How many lookups of one door are under way. Others wait in the socket.
const PENDING: usize = 64;
/// The longest lookup, bytes; one that is longer is cut, and so is none. A name has 255.
const LOOKUP: usize = 2048;
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
                    let Ok(room) = shared.room.clone().try_acquire_owned() else {
                        connection::turned_away(&shared, &stream, Refusal::Room);
                        continue;
                    };
                    match shared.ledger.connection() {
                        Ok(()) => {
                            let shared = shared.clone();
                            connections.spawn(async move {
                                connection::serve(shared, stream).await;
                                drop(room);
                            });
                        }
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
    let mut bytes = [0; LOOKUP];
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
