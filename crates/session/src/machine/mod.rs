//! What happens next, decided without doing it.
//!
//! Two state machines, both pure: [`call`] is one tool call, [`session`] is a session with its kernel and its line of
//! calls. Whatever the world does reaches them as an event; what is to be done about it comes back as actions, which
//! the session's task carries out. Nothing else in the crate decides anything about the life of a call.
//!
//! **Invariants**, held by property tests over any order of events: every call that was taken ends, and ends once; a
//! kernel runs one call at a time and calls run in the order in which they came; after a session's end nothing is
//! asked for any more. Cancel, time-out, a full disk and stop take one path.

mod call;
mod session;
mod slots;
mod words;

pub(crate) use call::{Ending, How, StopReason};
pub(crate) use session::Machine;
pub(crate) use words::{Action, Event, Present, Timer, Work};
