//! The only way out of a cell: answers its lookups, judges and carries its connections, counts.
//!
//! ```text
//!                         ┌─ the cell's network namespace ─┐
//!  program ──▶ lookup ────┼──▶ UDP 127.0.0.1:53  ──────────┼──▶ lookups ──▶ resolver ──▶ a name server (`internet` only)
//!          ──▶ connect ───┼──▶ TCP 127.0.0.1:1  ───────────┼──▶ connection ──▶ reach ──▶ relay ──▶ the host's network
//!          ──▶ all else ──┼──▶ rejected, and told  ────────┼──▶ rejections
//!                         └────────────────────────────────┘
//! ```
//!
//! The sockets on the left, a cell's *doors*, were made in its namespace and are held here; the rules that lead to them
//! are the kernel's. What may be reached is decided by [`policy::network`] alone: for the very address that is connected
//! to, at the moment it is.
//!
//! **Invariants.**
//!
//! - Nothing of a cell outlives its [`Egress`]: with it, all connections are reset and all tasks end.
//! - What a cell sends is hostile: it is read by pure functions ([`wire`]), and nothing that it can make grow grows
//!   without a bound.
//! - In the mode `allow` not one packet leaves for a name before a connection to it was judged.
//! - This crate knows nothing of sessions and cells.

mod audit;
mod bucket;
mod connection;
mod doors;
mod host;
mod ledger;
mod lookups;
mod names;
mod reach;
mod rejections;
mod relay;
mod resolver;
mod shared;
pub mod wire;

use std::convert::Infallible;
use std::io;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use policy::network::Network;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;

pub use audit::{Audit, Failure, Verdict};
pub use host::{Connecting, Host, Machine};
pub use ledger::{Happening, Mark, Report};
pub use resolver::Resolver;

use rejections::Rejections;
use shared::Shared;

/// A cell's sockets, made in its network namespace ([`policy::network::Door`] has their ports).
#[derive(Debug, Default)]
pub struct Doors {
    /// Listening TCP sockets, to which connections are led.
    pub streams: Vec<OwnedFd>,
    /// Bound UDP sockets, to which lookups are led.
    pub lookups: Vec<OwnedFd>,
    /// A netlink socket that is bound to [`policy::network::LOG_GROUP`] and gets packets that were rejected.
    pub refusals: Option<OwnedFd>,
}

/// What a way out needs beside the doors.
#[derive(Clone)]
pub struct Options {
    /// Who is asked for addresses.
    pub resolver: Resolver,
    /// Is told of each connection's end and of each refusal; must not block.
    pub audit: Arc<dyn Fn(&Audit) + Send + Sync>,
    /// The machine.
    pub host: Arc<dyn Host>,
    /// For how many connections there is room, of all ways out together: each takes two descriptors of this process.
    pub room: Arc<Semaphore>,
}

/// Why there is no way out. Reads well after "failed to".
#[derive(Debug, thiserror::Error)]
#[error("watch a cell's door for {door}")]
pub struct Error {
    door: &'static str,
    source: io::Error,
}

/// The way out of one cell. When it is dropped, all connections are reset and all tasks end.
pub struct Egress {
    shared: Arc<Shared>,
    rejections: Option<Arc<Rejections>>,
    tasks: JoinSet<()>,
    gone: oneshot::Receiver<Infallible>,
}

impl Egress {
    /// Opens the doors, on the runtime that this is called on.
    pub fn open(doors: Doors, network: Network, options: Options) -> Result<Egress, Error> {
        let (until_gone, gone) = oneshot::channel();
        let shared = Arc::new(Shared::new(network, options, until_gone));
        let mut tasks = JoinSet::new();
        let mut rejections = None;
        for door in doors.streams {
            let listener = TcpListener::from(door);
            let listener = listener
                .set_nonblocking(true)
                .and_then(|()| tokio::net::TcpListener::from_std(listener))
                .map_err(|source| Error { door: "connections", source })?;
            tasks.spawn(doors::streams(shared.clone(), listener));
        }
        for door in doors.lookups {
            let socket = UdpSocket::from(door);
            let socket = socket
                .set_nonblocking(true)
                .and_then(|()| tokio::net::UdpSocket::from_std(socket))
                .map_err(|source| Error { door: "lookups", source })?;
            tasks.spawn(doors::lookups(shared.clone(), socket));
        }
        if let Some(door) = doors.refusals {
            let heard = Rejections::new(door).map(Arc::new);
            let heard = heard.map_err(|source| Error { door: "what was rejected", source })?;
            let (shared, listening) = (shared.clone(), heard.clone());
            tasks.spawn(async move { listening.listen(&shared).await });
            rejections = Some(heard);
        }
        Ok(Egress { shared, rejections, tasks, gone })
    }

    /// What the cell did with its network so far.
    pub fn report(&self) -> Report {
        self.hear();
        self.shared.ledger.report()
    }

    /// Now.
    pub fn mark(&self) -> Mark {
        self.hear();
        self.shared.ledger.mark()
    }

    /// What the cell wanted since then and did not get; each once, in its order, and the last ones if there are many.
    /// Whatever a program in the cell knows that it did not get is in it.
    pub fn since(&self, mark: Mark) -> Vec<Happening> {
        self.hear();
        self.shared.ledger.since(mark)
    }

    /// The kernel has told before the cell knew; here it may not have been heard yet.
    fn hear(&self) {
        if let Some(rejections) = &self.rejections {
            // Nothing more to hear is what is wanted; other errors are found by the task.
            let _ = rejections.hear(&self.shared);
        }
    }

    /// Ends it, and waits until all is over: no task and no descriptor is left.
    pub async fn close(mut self) {
        self.tasks.shutdown().await;
        drop((self.shared, self.rejections));
        // Connections' tasks are told to end by those that made them, and know this as long as they live.
        let _ = self.gone.await;
    }
}
