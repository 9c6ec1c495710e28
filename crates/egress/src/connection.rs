//! One connection of a cell: where it wants to go, whether it may, and how it went.
//!
//! ```text
//! accepted ─▶ destination ─┬─ port 53 ─▶ lookups
//!                          ├─ a name's own address ─▶ passage ─┬─ Greeted ─▶ greeting ─▶ resolve ─┐
//!                          │                                   └─ Open ──────────────▶ resolve ───┤
//!                          └─ another address ─▶ judged ──────────────────────────────────────────┴▶ connect ─▶ relay
//! ```
//!
//! **Invariant.** Whatever is not carried to its end is reset, on both sides: also when the session ends, or when this
//! task does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use policy::network::{Door, Mode, Name, Passage, Refusal};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::audit::{Audit, Verdict};
use crate::doors::{self, Abrupt};
use crate::ledger::Way;
use crate::reach;
use crate::relay;
use crate::shared::{Denied, Shared};
use crate::wire::greeting::{self, Greeting};

/// How much the system may hold for one direction of one side of a connection, bytes; it takes twice that, for its own
/// accounts.
const BUFFER: usize = 256 << 10;
/// How long a client has for its greeting.
const GREETING: Duration = Duration::from_secs(10);
/// Who ends a connection sooner, without a word, did not wait for one.
const LOOK: Duration = Duration::from_secs(1);
/// In how many pieces a greeting may come: each is read from the begin again.
const PIECES: usize = 256;

/// What is known of a connection; what is known at its end is told.
pub(crate) struct Record<'a> {
    shared: &'a Shared,
    began: Instant,
    to: SocketAddr,
    name: Option<Name>,
    verdict: Option<Verdict>,
    bytes_out: AtomicU64,
    bytes_in: AtomicU64,
}

impl<'a> Record<'a> {
    fn new(shared: &'a Shared, to: SocketAddr) -> Record<'a> {
        let zero = || AtomicU64::new(0);
        let (bytes_out, bytes_in) = (zero(), zero());
        Record { shared, began: Instant::now(), to, name: None, verdict: None, bytes_out, bytes_in }
    }

    /// Counts bytes before they are passed on.
    pub(crate) fn bytes(&self, way: Way, count: usize) -> Result<(), Refusal> {
        self.shared.ledger.bytes(way, count)?;
        let own = if way == Way::Out { &self.bytes_out } else { &self.bytes_in };
        own.fetch_add(count as u64, Relaxed);
        Ok(())
    }

    /// As it stands in sentences: the name if there is one, and the port.
    fn what(&self) -> String {
        match &self.name {
            Some(name) => format!("{name}:{}", self.to.port()),
            None => self.to.to_string(),
        }
    }

    fn denied(&mut self, denied: Denied) {
        self.verdict = Some(denied.into());
        self.shared.denied(&self.what(), denied);
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        let cut = if self.shared.ledger.is_spent() { Verdict::Refused(Refusal::Bytes) } else { Verdict::Cut };
        self.shared.tell(&Audit {
            name: self.name.as_ref().map(ToString::to_string),
            address: Some(self.to),
            verdict: self.verdict.unwrap_or(cut),
            bytes_out: self.bytes_out.load(Relaxed),
            bytes_in: self.bytes_in.load(Relaxed),
            milliseconds: self.began.elapsed().as_millis() as u64,
        });
    }
}

/// Tells of a connection that is not even looked at.
pub(crate) fn turned_away(shared: &Shared, stream: &TcpStream, refusal: Refusal) {
    if let Ok(to) = shared.host.destination(stream) {
        let mut record = Record::new(shared, to);
        record.name = name_of(shared, to);
        record.denied(refusal.into());
    }
}

/// Counts a connection as open while it is.
struct Open<'a>(&'a Shared);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.ledger.ended();
    }
}

/// Takes one connection to its end.
pub(crate) async fn serve(shared: Arc<Shared>, cell: Abrupt) {
    let _open = Open(&shared);
    let Ok(to) = shared.host.destination(&cell) else { return };
    if to.port() == Door::Lookups.port() {
        return doors::stream_lookups(&shared, cell).await;
    }
    // Nobody was led here who wanted to come here.
    if to.ip().is_loopback() {
        return;
    }
    let mut record = Record::new(&shared, to);
    match carry(&shared, &cell, &mut record).await {
        Ok(Verdict::Closed) => cell.close(),
        Ok(_) => {}
        // Told before the client sees that it is reset, so that who asks then finds it told.
        Err(denied) => record.denied(denied),
    }
}

/// The name of which a cell has this address.
fn name_of(shared: &Shared, to: SocketAddr) -> Option<Name> {
    let names = shared.names();
    match shared.network.mode {
        Mode::None => None,
        Mode::Allow => names.behind(to.ip()).cloned(),
        Mode::Internet => names.asked_for(to.ip()).cloned(),
    }
}

/// Carries it to its end, if it may be.
async fn carry(shared: &Arc<Shared>, cell: &Abrupt, record: &mut Record<'_>) -> Result<Verdict, Denied> {
    let to = record.to;
    record.name = name_of(shared, to);
    let (held, gate, peer) = match &record.name {
        Some(name) if shared.network.mode == Mode::Allow => match shared.network.passage(name, to.port())? {
            Passage::Greeted => {
                let (held, greeting) =
                    timeout(GREETING, greet(cell, record)).await.map_err(|_| Refusal::Silent)??;
                // Who looks whether somebody listens, and goes, wanted nothing.
                if held.is_empty() && record.began.elapsed() < LOOK {
                    record.verdict = Some(Verdict::Closed);
                    return Ok(Verdict::Closed);
                }
                check(&greeting, name, false)?;
                (held, None, reach::name(shared, name, to).await?)
            }
            Passage::Open => (Vec::new(), Some(name), reach::name(shared, name, to).await?),
        },
        _ => {
            shared.network.address(to)?;
            shared.not_hosts(to)?;
            (Vec::new(), None, reach::address(shared, to).await?)
        }
    };
    shared.ledger.contacted(&record.what());
    let peer = Abrupt::new(peer);
    // Small pieces go on at once, as they came.
    for stream in [cell, &peer] {
        let _ = (stream.set_nodelay(true), bound_buffers(stream));
    }
    let out = async {
        let held = match gate {
            Some(name) => gated(cell, name, record).await?,
            None => held,
        };
        relay::pump(cell, &peer, held, |count| record.bytes(Way::Out, count)).await
    };
    let back = relay::pump(&peer, cell, Vec::new(), |count| record.bytes(Way::In, count));
    let ended = tokio::try_join!(out, back);
    let verdict = match ended {
        Ok(_) => {
            peer.close();
            Verdict::Closed
        }
        Err(relay::End::Reset) => Verdict::Reset,
        Err(relay::End::Refused(refusal)) => return Err(refusal.into()),
    };
    record.verdict = Some(verdict);
    Ok(verdict)
}

/// Bounds what the system holds for a connection: without, it lets a receiver that is not read from have megabytes, and
/// that is the machine's memory and nobody's limit.
fn bound_buffers(stream: &TcpStream) -> rustix::io::Result<()> {
    rustix::net::sockopt::set_socket_recv_buffer_size(stream, BUFFER)?;
    rustix::net::sockopt::set_socket_send_buffer_size(stream, BUFFER)
}

/// The client's greeting, if it gives one, where servers may speak first: checked when it is whole.
async fn gated(cell: &TcpStream, name: &Name, record: &Record<'_>) -> Result<Vec<u8>, relay::End> {
    cell.readable().await?;
    let (held, greeting) = timeout(GREETING, greet(cell, record)).await.map_err(|_| Refusal::Unclear)??;
    check(&greeting, name, true)?;
    Ok(held)
}

fn check(greeting: &Greeting, name: &Name, open: bool) -> Result<(), Refusal> {
    match greeting {
        greeting if greeting.names(name) => Ok(()),
        Greeting::Host(_) => Err(Refusal::OtherName),
        Greeting::Unclear => Err(Refusal::Unclear),
        Greeting::More | Greeting::Nameless if open => Ok(()),
        Greeting::More | Greeting::Nameless => Err(Refusal::Silent),
    }
}

/// Reads until it is clear whom the client greets, or that it does not.
async fn greet(cell: &TcpStream, record: &Record<'_>) -> Result<(Vec<u8>, Greeting), Refusal> {
    let mut held = Vec::new();
    for _ in 0..PIECES {
        let begin = held.len();
        held.resize(greeting::LONGEST, 0);
        let read = loop {
            // An error is the client's end, and is found again by who reads on.
            if cell.readable().await.is_err() {
                break 0;
            }
            match cell.try_read(&mut held[begin..]) {
                Ok(read) => break read,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => break 0,
            }
        };
        held.truncate(begin + read);
        record.bytes(Way::Out, read)?;
        match greeting::read(&held) {
            Greeting::More if read > 0 => {}
            greeting => {
                held.shrink_to_fit();
                return Ok((held, greeting));
            }
        }
    }
    Ok((held, Greeting::Unclear))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::net::TcpListener;
    use tokio::sync::oneshot;

    use super::*;
    use crate::{Machine, Options, Resolver};

    #[tokio::test]
    async fn a_connection_takes_little_memory() {
        let (until_gone, _gone) = oneshot::channel();
        let host = Arc::new(Machine);
        let room = Arc::new(tokio::sync::Semaphore::new(1));
        let options = Options { room, resolver: Resolver::new(Vec::new()), audit: Arc::new(|_| {}), host };
        let shared = Arc::new(Shared::new(policy::network::Network::default(), options, until_gone));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let serving = serve(shared, Abrupt::new(stream));
        // Thousands of them are idle, and each keeps what any of its steps would need.
        let size = size_of_val(&serving);
        assert!(size < 4096, "{size} bytes");
    }
}
