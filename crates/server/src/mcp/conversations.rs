//! Which session a call of a tool is for.
//!
//! A call may name a session: a name of the caller's choosing, which is opened when it is first used, or the id of a
//! session that is open. Else it is for the session of its conversation: of the connection that it came over, where
//! that is one (stdio, and HTTP with an `Mcp-Session-Id`), or the one of its principal, since HTTP from 2026-07-28 on
//! knows no connections. A session that has ended is replaced, and the reply says so; its files are in the workspace.
//!
//! **Invariants.** A session is found by principal, workspace and name together. Two calls that come at the same time
//! open one session. What a connection opened without a name ends with it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use session::workspace::{View, Workspace, WorkspaceName};
use session::{Principal, SessionId, SessionOptions, WorkspaceOptions};
use tokio::sync::watch;

use super::reply::{Refusal, sentence};
use crate::fault::{Fault, Kind};
use crate::open::{Kept, OpenSession};
use crate::state::{Opening, Service};

/// What records call the interpreter of these sessions; no identifier of AgentCore's looks like it.
const INTERPRETER: &str = "mcp";
/// How many conversations are remembered; a session that is open is never forgotten.
const MOST: usize = 10_000;
/// How many ids of earlier sessions a conversation remembers.
const EARLIER: usize = 8;
/// The longest name of a session.
const LONGEST: usize = 64;

/// Whose session it is where none is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Conversation {
    /// Of a connection, by its number.
    Connection(u64),
    /// Of the principal.
    Principal,
}

/// Who calls a tool.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    pub(crate) conversation: Conversation,
    /// The workspace that the client was configured with.
    pub(crate) workspace: Option<String>,
    /// How long its sessions live without a call.
    pub(crate) idle: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Which {
    Named(String),
    Of(Conversation),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    principal: Principal,
    workspace: WorkspaceName,
    which: Which,
}

/// One conversation with the sessions that it had.
#[derive(Debug)]
struct Slot {
    key: Key,
    session: tokio::sync::Mutex<Option<Arc<OpenSession>>>,
    remembered: Mutex<Remembered>,
}

#[derive(Debug)]
struct Remembered {
    /// The sessions that it had, the latest last.
    ids: Vec<SessionId>,
    used: Instant,
}

impl Slot {
    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session for a call.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) open: Arc<OpenSession>,
    /// What the caller calls it: its name, or its id.
    pub(crate) called: String,
    pub(crate) workspace: Option<WorkspaceName>,
    /// Whether it was opened for this call.
    pub(crate) new: bool,
    /// Whether it took the place of one that has ended.
    pub(crate) replaced: bool,
}

/// All conversations.
#[derive(Debug, Default)]
pub(crate) struct Conversations {
    slots: Mutex<HashMap<Key, Arc<Slot>>>,
    connections: AtomicU64,
    /// How many calls run.
    running: watch::Sender<usize>,
}

/// A call that runs, until it is dropped.
#[derive(Debug)]
pub(crate) struct Running<'a>(&'a Conversations);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.send_modify(|running| *running -= 1);
    }
}

impl Conversations {
    /// The number of a new connection.
    pub(crate) fn connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// A call begins.
    pub(crate) fn begin(&self) -> Running<'_> {
        self.running.send_modify(|running| *running += 1);
        Running(self)
    }

    /// Waits until no call runs.
    pub(crate) async fn idle(&self) {
        let _ = self.running.subscribe().wait_for(|running| *running == 0).await;
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<Key, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, key: Key) -> Arc<Slot> {
        let mut slots = self.slots();
        if let Some(slot) = slots.get(&key) {
            slot.remembered().used = Instant::now();
            return slot.clone();
        }
        if slots.len() >= MOST {
            forget(&mut slots);
        }
        let remembered = Mutex::new(Remembered { ids: Vec::new(), used: Instant::now() });
        let slot = Arc::new(Slot { key: key.clone(), session: tokio::sync::Mutex::default(), remembered });
        slots.insert(key, slot.clone());
        slot
    }

    /// The conversation that has, or had, this session.
    fn of(&self, principal: &Principal, id: SessionId) -> Option<Arc<Slot>> {
        let slots = self.slots();
        let mut own = slots.values().filter(|slot| slot.key.principal == *principal);
        own.find(|slot| slot.remembered().ids.contains(&id)).cloned()
    }

    /// Ends what a connection opened without a name.
    pub(crate) async fn end(&self, connection: u64) {
        let which = Which::Of(Conversation::Connection(connection));
        let ended: Vec<Arc<Slot>> = {
            let mut slots = self.slots();
            let keys: Vec<Key> = slots.keys().filter(|key| key.which == which).cloned().collect();
            keys.iter().filter_map(|key| slots.remove(key)).collect()
        };
        for slot in ended {
            if let Some(open) = slot.session.lock().await.take()
                && let Err(error) = open.session.stop().await
            {
                tracing::error!(session = %open.session.id(), "end a session: {error}");
            }
        }
    }
}

/// Forgets the conversations without a session, those first that were not used for longest.
fn forget(slots: &mut HashMap<Key, Arc<Slot>>) {
    let idle = |slot: &Arc<Slot>| {
        Arc::strong_count(slot) == 1 && slot.session.try_lock().is_ok_and(|session| session.is_none())
    };
    let mut old: Vec<(Instant, Key)> = slots
        .values()
        .filter(|slot| idle(slot))
        .map(|slot| (slot.remembered().used, slot.key.clone()))
        .collect();
    old.sort_unstable_by_key(|(used, _)| *used);
    for (_, key) in old.into_iter().take(MOST / 10) {
        slots.remove(&key);
    }
}

fn no_session(session: &str) -> Refusal {
    Refusal::new(
        format!("There is no session `{session}`."),
        "Leave `session_id` out for the session of this conversation, or choose a name for a new one.",
    )
}

impl Service {
    /// The name of the workspace of a call: what the client was configured with, else what the session is called.
    fn workspace_name(&self, caller: &Caller, session: Option<&str>) -> Result<WorkspaceName, Refusal> {
        let earlier = session.and_then(|session| session.parse().ok());
        if let Some(slot) = earlier.and_then(|id| self.conversations.of(&caller.principal, id)) {
            return Ok(slot.key.workspace.clone());
        }
        let name = match (&caller.workspace, session.filter(|_| earlier.is_none())) {
            (Some(workspace), _) => workspace,
            (None, Some(session)) => named(session)?,
            (None, None) => return Ok(WorkspaceName::usual()),
        };
        WorkspaceName::parse(name).map_err(|refused| {
            Refusal::new(
                sentence(&format!("cannot {refused}")),
                "The client's configuration names the workspace; tell the user.",
            )
        })
    }

    /// The workspace of a call.
    pub(crate) fn workspace_of(&self, caller: &Caller, session: Option<&str>) -> Result<Workspace, Refusal> {
        match session.map(|session| (session, session.parse::<SessionId>())) {
            Some((session, Ok(id))) => {
                let open = self.open.find(&caller.principal, id);
                if let Some(workspace) = open.as_ref().and_then(|open| open.session.workspace()) {
                    return Ok(workspace.clone());
                }
                if open.is_none() && self.conversations.of(&caller.principal, id).is_none() {
                    return Err(no_session(session));
                }
            }
            Some((session, Err(_))) => {
                named(session)?;
            }
            None => {}
        }
        let name = self.workspace_name(caller, session)?;
        Ok(self.store.workspace(caller.principal.as_str(), &name))
    }

    /// The session of a call; opened if need be.
    pub(crate) async fn held(
        self: &Arc<Service>,
        caller: &Caller,
        session: Option<&str>,
    ) -> Result<Held, Refusal> {
        let slot = match session.map(|session| (session, session.parse::<SessionId>())) {
            Some((session, Ok(id))) => match self.conversations.of(&caller.principal, id) {
                Some(slot) => slot,
                None => return self.joined(caller, session, id),
            },
            other => {
                let which = match other {
                    Some((session, _)) => Which::Named(named(session)?.to_owned()),
                    None => Which::Of(caller.conversation),
                };
                let workspace = self.workspace_name(caller, session)?;
                self.conversations.slot(Key { principal: caller.principal.clone(), workspace, which })
            }
        };
        self.held_by(&slot, caller.idle).await
    }

    /// A session that another edge has opened.
    fn joined(&self, caller: &Caller, session: &str, id: SessionId) -> Result<Held, Refusal> {
        let Some(open) = self.open.find(&caller.principal, id) else {
            return Err(no_session(session));
        };
        let workspace = open.session.workspace().map(|workspace| workspace.name().clone());
        Ok(Held { open, called: session.to_owned(), workspace, new: false, replaced: false })
    }

    async fn held_by(self: &Arc<Service>, slot: &Slot, idle: Option<Duration>) -> Result<Held, Refusal> {
        let key = &slot.key;
        let mut session = slot.session.lock().await;
        let held = |open: Arc<OpenSession>, new, replaced| {
            let called = match &key.which {
                Which::Named(name) => name.clone(),
                Which::Of(_) => open.session.id().to_string(),
            };
            Held { open, called, workspace: Some(key.workspace.clone()), new, replaced }
        };
        if let Some(open) = session.as_ref()
            && !open.session.has_ended()
            && self.open.find(&key.principal, open.session.id()).is_some()
        {
            return Ok(held(open.clone(), false, false));
        }
        *session = None;
        let place = self.place().map_err(unavailable)?;
        let engine = self.engine_soon().await.map_err(not_ready)?;
        let workspace = self.store.workspace(key.principal.as_str(), &key.workspace);
        let options = SessionOptions {
            workspace: Some(WorkspaceOptions { workspace, view: View::Flat }),
            limits: self.bounds.limits,
            network: self.bounds.network.clone(),
            type_errors: self.bounds.type_errors,
            ttl: Some(self.bounds.life),
            idle,
            ..SessionOptions::default()
        };
        let name = match &key.which {
            Which::Named(name) => Some(name.clone()),
            Which::Of(_) => None,
        };
        let kept = Kept { interpreter: INTERPRETER.to_owned(), name, extra: "{}".to_owned() };
        let opened = self.open_session(&engine, &key.principal, options, kept, place).await;
        let (open, _) = opened.map_err(unavailable)?;
        *session = Some(open.clone());
        let mut remembered = slot.remembered();
        let replaced = !remembered.ids.is_empty();
        if remembered.ids.len() == EARLIER {
            remembered.ids.remove(0);
        }
        remembered.ids.push(open.session.id());
        Ok(held(open, true, replaced))
    }
}

/// A name that a caller chose for a session.
fn named(session: &str) -> Result<&str, Refusal> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let begins = session.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
    if begins && session.len() <= LONGEST && session.bytes().all(allowed) {
        return Ok(session);
    }
    let shown: String = session.chars().take(80).flat_map(char::escape_debug).collect();
    Err(Refusal::new(
        format!("`session_id` is `{shown}`, which names no session."),
        "A name has 1 to 64 letters, digits, `-`, `_` and `.`, and begins with a letter or a digit. Leave it out for \
         the session of this conversation.",
    ))
}

/// Why there is no engine yet, as a model is told.
fn not_ready(opening: Opening) -> Refusal {
    match opening {
        Opening::Installing(how_far) => {
            Refusal::new(sentence(&how_far), "Nothing was run. Try again in a minute.")
        }
        Opening::Failed(why) => Refusal::new(
            format!("The sandbox cannot be started: {why}."),
            "Trying again does not help: tell the user, who finds out more with `cellblock doctor`.",
        ),
        Opening::Stopping => {
            Refusal::new("The server is stopping.", "Nothing was run. Try again in a minute.")
        }
        Opening::Preparing(_) | Opening::Ready(_) => {
            Refusal::new("The server is still starting.", "Nothing was run. Try again in a minute.")
        }
    }
}

/// Why there is no session, as a model is told.
fn unavailable(fault: Fault) -> Refusal {
    let what = sentence(&fault.message);
    let try_next = match fault.kind {
        Kind::Quota => "Nothing was run. Sessions end when nobody uses them: try again in some minutes.",
        _ => "Nothing was run. This is a fault of the server, and its operator finds more in its log.",
    };
    Refusal::new(what, try_next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_sessions_are_plain() {
        let long = "x".repeat(64);
        for good in ["a", "analysis-1", "2026.q1", "A_b", &long] {
            assert!(named(good).is_ok(), "{good}");
        }
        for wrong in ["", ".", "..", "-a", "a/b", "a b", "ü", &"x".repeat(65), "a\n"] {
            assert!(named(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn conversations_that_have_no_session_are_forgotten_first() {
        let conversations = Conversations::default();
        let key = |name: usize| Key {
            principal: Principal::local(),
            workspace: WorkspaceName::usual(),
            which: Which::Named(name.to_string()),
        };
        let held = conversations.slot(key(0));
        for n in 1..MOST + 5 {
            conversations.slot(key(n));
        }
        let slots = conversations.slots();
        assert!(slots.len() <= MOST && slots.contains_key(&key(0)) && slots.contains_key(&key(MOST + 4)));
        assert!(!slots.contains_key(&key(1)));
        drop(held);
    }
}
