//! The sessions that are open, with what edges keep beside each, and how one is opened.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use session::records::SessionRecord;
use session::{Engine, Principal, Session, SessionId, SessionOptions};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::agentcore::{Invocations, Tasks};
use crate::fault::{Fault, Kind};
use crate::state::Service;

/// What an edge wants to find again of a session that it opens.
#[derive(Debug)]
pub(crate) struct Kept {
    /// The interpreter that it is opened with; each edge has its own.
    pub(crate) interpreter: String,
    /// What its client calls it.
    pub(crate) name: Option<String>,
    /// JSON of the edge's own.
    pub(crate) extra: String,
}

impl Service {
    /// A place for one more session, which is taken before anything is waited for.
    pub(crate) fn place(&self) -> Result<OwnedSemaphorePermit, Fault> {
        self.open.place().ok_or_else(|| {
            Fault::new(Kind::Quota, "this server has as many sessions open as it may; stop some, or wait")
        })
    }

    /// Opens a session, keeps a record of it, and of its end whenever that comes.
    pub(crate) async fn open_session(
        self: &Arc<Service>,
        engine: &Engine,
        principal: &Principal,
        options: SessionOptions,
        kept: Kept,
        place: OwnedSemaphorePermit,
    ) -> Result<(Arc<OpenSession>, SystemTime), Fault> {
        let timeout = options.ttl.unwrap_or(self.bounds.life);
        let network = options.network.mode;
        let session =
            engine.open(principal.clone(), options).await.map_err(|error| Fault::internal(&error))?;
        let now = SystemTime::now();
        let Kept { interpreter, name, extra } = kept;
        self.records.add_session(SessionRecord {
            id: session.id(),
            principal: principal.clone(),
            interpreter: interpreter.clone(),
            name,
            extra,
            created: now,
            timeout,
            updated: now,
            ended: None,
        });
        tracing::info!(session = %session.id(), interpreter, %network, "a session was opened");
        let open = Arc::new(OpenSession::new(session.clone(), interpreter, place));
        self.open.insert(open.clone());
        tokio::spawn(watch(self.clone(), session));
        Ok((open, now))
    }
}

/// Waits for a session's end, whatever the reason for it, and keeps that it has ended.
async fn watch(service: Arc<Service>, session: Session) {
    if let Err(error) = session.ended().await {
        tracing::error!(session = %session.id(), "end a session: {error}");
    }
    let (principal, id) = (session.principal().clone(), session.id());
    service.records.end_session(&principal, id);
    service.open.remove(&principal, id);
    tracing::info!(session = %id, "a session has ended");
}

/// A session that is open.
#[derive(Debug)]
pub(crate) struct OpenSession {
    pub(crate) session: Session,
    /// The id of the interpreter that it was opened with.
    pub(crate) interpreter: String,
    pub(crate) invocations: Invocations,
    pub(crate) tasks: Tasks,
    _place: OwnedSemaphorePermit,
}

impl OpenSession {
    pub(crate) fn new(session: Session, interpreter: String, place: OwnedSemaphorePermit) -> OpenSession {
        OpenSession {
            session,
            interpreter,
            invocations: Invocations::default(),
            tasks: Tasks::default(),
            _place: place,
        }
    }
}

type Key = (Principal, SessionId);

/// All of them.
#[derive(Debug)]
pub(crate) struct OpenSessions {
    open: Mutex<HashMap<Key, Arc<OpenSession>>>,
    places: Arc<Semaphore>,
}

impl OpenSessions {
    /// Room for so many sessions.
    pub(crate) fn new(places: usize) -> OpenSessions {
        OpenSessions { open: Mutex::default(), places: Arc::new(Semaphore::new(places)) }
    }

    /// A place for one more; none, if there are as many as may be.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        self.places.clone().try_acquire_owned().ok()
    }

    pub(crate) fn insert(&self, session: Arc<OpenSession>) {
        let key = (session.session.principal().clone(), session.session.id());
        self.all().insert(key, session);
    }

    /// A session, if it is open and this principal's.
    pub(crate) fn find(&self, principal: &Principal, id: SessionId) -> Option<Arc<OpenSession>> {
        self.all().get(&(principal.clone(), id)).cloned()
    }

    pub(crate) fn remove(&self, principal: &Principal, id: SessionId) {
        self.all().remove(&(principal.clone(), id));
    }

    /// All of them, which are no longer open to requests.
    pub(crate) fn take_all(&self) -> Vec<Arc<OpenSession>> {
        self.all().drain().map(|(_, open)| open).collect()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Key, Arc<OpenSession>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
