//! Connects to what was judged, and to nothing else.
//!
//! **Invariant.** Between the judgement of an address and the connection there is no name and no lookup: it is made to
//! the very address.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use policy::network::{Name, Refusal};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::audit::Failure;
use crate::shared::{Denied, Shared};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// After which time the next address is tried as well (RFC 8305).
const STAGGER: Duration = Duration::from_millis(250);
/// How many addresses of a name are tried.
const TRIED: usize = 8;

/// Connects to a listed name, at the port of `to`; addresses of its family come first.
pub(crate) async fn name(shared: &Arc<Shared>, name: &Name, to: SocketAddr) -> Result<TcpStream, Denied> {
    let addresses = shared.resolve(name).await?;
    let mut refused = Refusal::NotListed;
    let mut judged = Vec::new();
    for address in addresses {
        match judge(shared, SocketAddr::new(address, to.port())) {
            Ok(address) => judged.push(address),
            Err(refusal) => refused = refusal,
        }
    }
    if judged.is_empty() {
        return Err(refused.into());
    }
    Ok(first(shared, &in_order(&judged, to.is_ipv4())).await?)
}

/// Connects to an address that was judged.
pub(crate) async fn address(shared: &Shared, to: SocketAddr) -> Result<TcpStream, Denied> {
    Ok(connect(shared, to).await?)
}

fn judge(shared: &Shared, to: SocketAddr) -> Result<SocketAddr, Refusal> {
    shared.network.resolved(to)?;
    shared.not_hosts(to)?;
    Ok(to)
}

/// One of each family in turn, each address once.
fn in_order(addresses: &[SocketAddr], v4_first: bool) -> Vec<SocketAddr> {
    let of = |v4: bool| addresses.iter().copied().filter(move |address| address.is_ipv4() == v4);
    let (mut own, mut other) = (of(v4_first), of(!v4_first));
    let mut found: Vec<SocketAddr> = Vec::new();
    loop {
        let next = [own.next(), other.next()];
        if next == [None, None] || found.len() >= TRIED {
            found.truncate(TRIED);
            return found;
        }
        for address in next.into_iter().flatten() {
            if !found.contains(&address) {
                found.push(address);
            }
        }
    }
}

/// The first connection that comes about.
async fn first(shared: &Arc<Shared>, addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
    if let [only] = addresses {
        return connect(shared, *only).await;
    }
    let mut waiting = addresses.iter();
    let mut trying = JoinSet::new();
    let mut last = Failure::Other;
    loop {
        let more = match waiting.next() {
            Some(&address) => {
                let shared = shared.clone();
                trying.spawn(async move { connect(&shared, address).await });
                true
            }
            None if trying.is_empty() => return Err(last),
            None => false,
        };
        tokio::select! {
            Some(tried) = trying.join_next() => match tried {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(failure)) => last = failure,
                Err(_panicked) => {}
            },
            () = sleep(STAGGER), if more => {}
        }
    }
}

async fn connect(shared: &Shared, to: SocketAddr) -> Result<TcpStream, Failure> {
    let stream = match timeout(CONNECT, shared.host.connect(to)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(Failure::from(&error)),
        Err(_late) => return Err(Failure::TimedOut),
    };
    keep_alive(&stream);
    Ok(stream)
}

/// Notices within two minutes that the other machine is gone, though nobody sends.
fn keep_alive(stream: &TcpStream) {
    use rustix::net::sockopt;
    // Where it cannot be had, connections to dead machines stay until the session ends.
    let _ = sockopt::set_socket_keepalive(stream, true)
        .and_then(|()| sockopt::set_tcp_keepidle(stream, Duration::from_secs(60)))
        .and_then(|()| sockopt::set_tcp_keepintvl(stream, Duration::from_secs(15)))
        .and_then(|()| sockopt::set_tcp_keepcnt(stream, 4));
}
