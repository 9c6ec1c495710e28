//! The engine: one node, its forkserver, and the sessions on it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use cell::{Node, NodeOptions};
use egress::Resolver;
use protocol::{CallId, SessionId};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::at_hand::AtHand;
use crate::error::{Error, Result};
use crate::forks::{Forks, Kernels};
use crate::principal::Principal;
use crate::session::{Inner, Session};
use crate::task::{Life, Message, SessionOptions, Task};
use crate::unsaved;

/// Where an engine finds its things.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// The data directory.
    pub data: PathBuf,
    /// The environment that cells see, on the host.
    pub environment: PathBuf,
    /// Where kernels come from.
    pub kernels: Kernels,
    /// Memory for all cells together, bytes.
    pub total_memory: Option<u64>,
    /// Who is asked for the addresses of names that sessions may reach.
    pub resolver: Resolver,
}

/// What the tasks of sessions need of their engine.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) node: Arc<Node>,
    pub(crate) forks: Arc<Forks>,
    pub(crate) at_hand: AtHand,
    pub(crate) resolver: Resolver,
    /// Room for connections of all sessions.
    pub(crate) connections: Arc<Semaphore>,
    sessions: Mutex<HashMap<(Principal, SessionId), Entry>>,
}

#[derive(Debug)]
struct Entry {
    session: Weak<Inner>,
    inbox: mpsc::WeakUnboundedSender<Message>,
    life: watch::Receiver<Life>,
}

/// The engine. It needs a tokio runtime with I/O and time.
#[derive(Debug)]
pub struct Engine {
    shared: Arc<Shared>,
    supervisor: Option<JoinHandle<()>>,
}

impl Engine {
    /// Prepares the machine for cells, and starts to warm up a forkserver behind it.
    pub async fn start(options: EngineOptions) -> Result<Engine> {
        let (kernels, resolver) = (options.kernels, options.resolver);
        // Half of the descriptors are for everything else: sessions, their files, clients.
        let descriptors = usize::try_from(sys::process::open_files()).unwrap_or(usize::MAX);
        let connections = Arc::new(Semaphore::new((descriptors / 4).min(Semaphore::MAX_PERMITS)));
        let unsaved = options.data.join("unsaved");
        let at_hand = AtHand::new(options.environment.clone());
        let node = blocking(move || {
            let extra = [(forkserver::HELPER_NAME, forkserver::HELPER, 0o755)];
            let runtime =
                environment::runtime::extract(&options.data.join("runtime"), &extra, &options.environment)
                    .map_err(Error::Runtime)?;
            let node = NodeOptions {
                data: options.data,
                environment: options.environment,
                runtime,
                total_memory: options.total_memory,
            };
            Node::start(&node).map_err(Error::Node)
        })
        .await??;
        // Nobody waits for it: what is put aside is there already.
        tokio::task::spawn_blocking(move || unsaved::tidy(&unsaved));
        let node = Arc::new(node);
        let forks = Arc::new(Forks::new(kernels, node.clone()));
        let supervisor = Some(tokio::spawn(forks.clone().supervise()));
        let shared =
            Arc::new(Shared { node, forks, at_hand, resolver, connections, sessions: Mutex::default() });
        Ok(Engine { shared, supervisor })
    }

    /// The node that cells are made on.
    pub fn node(&self) -> &Node {
        &self.shared.node
    }

    /// Limits that the kernel does not hold here, so that something weaker stands in: `memory`, `cpu`, `processes`,
    /// `disk`, as `cellblock doctor` names them.
    pub fn soft_limits(&self) -> Vec<&'static str> {
        let hard = self.shared.node.hard();
        let limits =
            [("memory", hard.memory), ("cpu", hard.cpus), ("processes", hard.processes), ("disk", false)];
        limits.into_iter().filter(|(_, hard)| !hard).map(|(name, _)| name).collect()
    }

    /// Waits until kernels can be forked; whether they can be, within this time.
    pub async fn warm(&self, within: Duration) -> bool {
        self.shared.forks.wanted() && self.shared.forks.warm(within).await.is_some()
    }

    /// The forkserver that kernels are forked from now, if one is warm.
    pub fn forkserver(&self) -> Option<Arc<forkserver::Forkserver>> {
        self.shared.forks.current()
    }

    /// Opens a session. It ends when it is stopped, when its time is up, or when the last handle to it is dropped.
    pub async fn open(&self, principal: Principal, options: SessionOptions) -> Result<Session> {
        let id = new_session_id()?;
        let (inbox, messages) = mpsc::unbounded_channel();
        let (opened, opening) = oneshot::channel();
        let (living, life) = watch::channel(Life::Lives);
        let session = Session::new(id, principal.clone(), &options, inbox.clone(), life.clone());
        let key = (principal, id);
        let entry = Entry { session: session.downgrade(), inbox: inbox.downgrade(), life };
        drop(inbox);
        self.sessions().insert(key.clone(), entry);
        let who = (key.0.clone(), id);
        let task = Task::new(self.shared.clone(), who, options, messages, opened, living);
        let shared = self.shared.clone();
        tokio::spawn(async move {
            let life = task.run().await;
            shared.sessions.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
            drop(shared);
            // Last: whoever waits for the session's end finds nothing of it.
            drop(life);
        });
        match opening.await {
            Ok(opened) => opened.map(|()| session),
            Err(_) => Err(Error::Ended),
        }
    }

    /// A session that lives.
    pub fn find(&self, principal: &Principal, id: SessionId) -> Option<Session> {
        self.sessions().get(&(principal.clone(), id))?.session.upgrade().map(Session::from)
    }

    /// Ends every session, as [`Session::stop`] does, then the forkserver and the launcher.
    pub async fn shutdown(mut self) {
        let entries: Vec<_> = self.sessions().drain().map(|(_, entry)| entry).collect();
        for entry in &entries {
            if let Some(inbox) = entry.inbox.upgrade() {
                let _ = inbox.send(Message::End);
            }
        }
        for mut entry in entries {
            while entry.life.changed().await.is_ok() {}
        }
        if let Some(supervisor) = self.supervisor.take() {
            supervisor.abort();
            let _ = supervisor.await;
        }
        let shared = self.shared.clone();
        drop(self);
        // Ending processes and removing directories blocks.
        let _ = tokio::task::spawn_blocking(move || {
            shared.forks.close();
            drop(shared);
        })
        .await;
    }

    fn sessions(&self) -> std::sync::MutexGuard<'_, HashMap<(Principal, SessionId), Entry>> {
        self.shared.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(supervisor) = &self.supervisor {
            supervisor.abort();
        }
        self.shared.forks.close();
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Step { what: "run a step", source: std::io::Error::other(error) })
}

/// An id for a new call.
pub fn new_call_id() -> Result<CallId> {
    Ok(CallId(u128::from_le_bytes(random()?)))
}

fn new_session_id() -> Result<SessionId> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let random = u128::from_le_bytes(random()?) >> 48;
    Ok(SessionId::from_u128((now.as_millis() & ((1 << 48) - 1)) << 80 | random))
}

fn random() -> Result<[u8; 16]> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut bytes))
        .map_err(|source| Error::Step { what: "read random bytes", source })?;
    Ok(bytes)
}
