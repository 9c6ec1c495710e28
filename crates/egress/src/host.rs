//! What is wanted of the machine: where a connection was led from, which addresses are its own, a connection.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;

use policy::network::Door;
use tokio::net::TcpStream;

/// A connection that is being made.
pub type Connecting<'a> = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send + 'a>>;

/// The machine, as far as a way out needs it.
pub trait Host: Send + Sync {
    /// Where a connection wanted to go before the cell's rules led it to a door.
    fn destination(&self, stream: &TcpStream) -> io::Result<SocketAddr>;

    /// Whether packets to this address stay on the machine. An error counts as yes.
    fn is_own(&self, address: IpAddr) -> io::Result<bool>;

    /// Connects to exactly this address.
    fn connect(&self, to: SocketAddr) -> Connecting<'_>;
}

/// The machine that this runs on.
#[derive(Debug, Clone, Copy)]
pub struct Machine;

impl Host for Machine {
    fn destination(&self, stream: &TcpStream) -> io::Result<SocketAddr> {
        Ok(match stream.local_addr()? {
            // Lookups are not led anywhere that are sent to the door itself.
            own if own.port() == Door::Lookups.port() => own,
            SocketAddr::V4(_) => rustix::net::sockopt::ip_original_dst(stream)?.into(),
            SocketAddr::V6(_) => rustix::net::sockopt::ipv6_original_dst(stream)?.into(),
        })
    }

    fn is_own(&self, address: IpAddr) -> io::Result<bool> {
        sys::netlink::is_own(address)
    }

    fn connect(&self, to: SocketAddr) -> Connecting<'_> {
        Box::pin(TcpStream::connect(to))
    }
}
