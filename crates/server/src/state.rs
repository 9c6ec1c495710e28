//! What all requests share: the engine, once it is there, the records, and the sessions that are open.

use std::sync::Arc;
use std::time::Duration;

use session::records::Records;
use session::workspace::Store;
use session::{Engine, Limits, Network, TypeErrors};
use tokio::sync::watch;

use crate::budget::Budget;
use crate::fault::{Fault, Kind};
use crate::mcp::Conversations;
use crate::open::OpenSessions;

/// How long a request waits for an engine that is being prepared, before it is told how far that is.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often old records are removed.
const TIDY: Duration = Duration::from_secs(3600);
/// What the bodies of all requests together may take up, bytes.
const BODIES: u64 = 768 << 20;

/// An engine that is ready.
#[derive(Debug, Clone)]
pub struct Ready {
    /// The engine.
    pub engine: Arc<Engine>,
    /// The name of the environment that its cells see.
    pub environment: String,
}

/// How far the engine is.
#[derive(Debug, Clone)]
pub enum Opening {
    /// Something must be done first that takes moments; how far it is, as a sentence.
    Preparing(String),
    /// Something must be done first that takes minutes; how far it is, as a sentence.
    Installing(String),
    /// It is there.
    Ready(Ready),
    /// It cannot be had; why, as a sentence.
    Failed(String),
    /// It is being shut down.
    Stopping,
}

impl Opening {
    /// Whether it is there, or will not be.
    fn is_settled(&self) -> bool {
        matches!(self, Opening::Ready(_) | Opening::Failed(_) | Opening::Stopping)
    }
}

/// What sessions may have.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// What one may use.
    pub limits: Limits,
    /// The most that one may reach; which of it, its interpreter says.
    pub network: Network,
    /// What becomes of TypeScript code with type errors.
    pub type_errors: TypeErrors,
    /// How long one may live.
    pub life: Duration,
    /// How many there may be at the same time.
    pub sessions: usize,
}

/// What all requests share.
#[derive(Debug)]
pub struct Service {
    opening: watch::Receiver<Opening>,
    pub(crate) bounds: Bounds,
    pub(crate) records: Records,
    pub(crate) store: Store,
    pub(crate) open: OpenSessions,
    pub(crate) conversations: Conversations,
    pub(crate) bodies: Budget,
}

impl Service {
    /// A service whose engine is, or will be, there.
    pub fn new(
        opening: watch::Receiver<Opening>,
        records: Records,
        store: Store,
        bounds: Bounds,
    ) -> Arc<Service> {
        let open = OpenSessions::new(bounds.sessions);
        let conversations = Conversations::default();
        let bodies = Budget::new(BODIES);
        Arc::new(Service { opening, bounds, records, store, open, conversations, bodies })
    }

    /// Removes what has become too old from the records, now and then. Does not end.
    pub async fn tidy(&self) {
        loop {
            tokio::time::sleep(TIDY).await;
            self.records.forget_old();
        }
    }

    /// Ends all sessions that are open, and has the records on the disk.
    pub async fn end_sessions(&self) {
        let mut ending = tokio::task::JoinSet::new();
        for open in self.open.take_all() {
            ending.spawn(async move { open.session.stop().await });
        }
        ending.join_all().await;
        if !tokio::task::block_in_place(|| self.records.flush()) {
            tracing::error!("the last records are not on the disk");
        }
    }

    pub(crate) fn opening(&self) -> Opening {
        self.opening.borrow().clone()
    }

    /// The name of the environment that cells see, once it is there.
    pub(crate) fn environment(&self) -> Option<String> {
        match &*self.opening.borrow() {
            Opening::Ready(ready) => Some(ready.environment.clone()),
            _ => None,
        }
    }

    /// The engine; waits a while for one that is being prepared.
    pub(crate) async fn engine(&self) -> Result<Arc<Engine>, Fault> {
        match self.opening_after(|opening| !opening.is_settled()).await {
            Opening::Ready(ready) => Ok(ready.engine),
            Opening::Preparing(how_far) | Opening::Installing(how_far) => Err(Fault::new(
                Kind::Throttling,
                format!("this server is not ready yet: {how_far}; try again"),
            )),
            Opening::Failed(why) => {
                Err(Fault::new(Kind::Internal, format!("this server has no engine: {why}")))
            }
            Opening::Stopping => Err(Fault::new(Kind::Throttling, "this server is stopping; try again")),
        }
    }

    /// The engine; waits for what takes moments, and not for what takes minutes.
    pub(crate) async fn engine_soon(&self) -> Result<Arc<Engine>, Opening> {
        match self.opening_after(|opening| matches!(opening, Opening::Preparing(_))).await {
            Opening::Ready(ready) => Ok(ready.engine),
            other => Err(other),
        }
    }

    /// How far the engine is when there is nothing to wait for any more, or nobody waits any longer.
    async fn opening_after(&self, waits: impl Fn(&Opening) -> bool) -> Opening {
        let mut opening = self.opening.clone();
        let settled = opening.wait_for(|opening| !waits(opening));
        match tokio::time::timeout(PATIENCE, settled).await {
            Ok(Ok(now)) => now.clone(),
            Ok(Err(_)) => Opening::Stopping,
            Err(_) => self.opening(),
        }
    }
}
