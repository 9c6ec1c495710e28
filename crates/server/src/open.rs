//! The sessions that are open, with what edges keep beside each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use session::{Principal, Session, SessionId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::agentcore::{Invocations, Tasks};

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
