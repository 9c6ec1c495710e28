//! The engine: sessions, their calls, and how each of them ends.
//!
//! An [`Engine`] holds the node on which cells are made and the forkserver from which kernels come. A [`Session`] is
//! one cell with its kernel and its workspace; a [`Call`] is one piece of code, or one command, in it. Whoever serves
//! agents (`cellblock run`, a server) does it through these three.
//!
//! How it is built: each session has a task, which does and does not decide (`task`); what is to be done is decided by
//! two pure state machines (`machine`), and how a call ended by one pure function (`outcome`).
//!
//! **Invariants.** A session is looked up by principal and id together, and in no other way. Every call that was taken
//! ends in exactly one [`Report`], whatever happens to the kernel, the cell, the connection or the forkserver.
//! Nobody waits for a cell without a bound, and nobody for a slow client. What came from a cell is hostile.
//!
//! Absent on purpose: wires and their DTOs (nothing here is `Serialize`), and any path of a workspace on the host.

mod at_hand;
mod cell_files;
mod clock;
mod disk;
mod done;
mod ended;
mod engine;
mod error;
mod event;
mod fault;
mod files;
mod forks;
mod language;
mod late;
mod link;
mod machine;
mod outcome;
mod output;
mod principal;
mod push;
mod question;
mod queue;
pub mod records;
mod room;
mod session;
mod task;
mod unsaved;

pub use cell_files::{DirectoryEntry, EntryKind, Listing, OpenFile};
pub use egress::Resolver;
pub use engine::{Engine, EngineOptions, new_call_id};
pub use error::{Error, Result};
pub use event::{Event, MimeBundle, MimeData, MimeParts, Raised, Report};
pub use fault::{FileFault, Left};
pub use files::{FileEntry, FileKind};
pub use forks::Kernels;
pub use forkserver::WarmSet;
pub use language::{Dialect, Language, TypeErrors};
pub use policy::network::{self, Network};
pub use policy::{Limits, Mount};
pub use principal::Principal;
pub use protocol::{CallId, Full, Outcome, SessionId, Survival};
pub use question::{Check, Completion, Match};
pub use session::{Call, CommandRequest, ExecuteRequest, Session};
pub use task::{SessionOptions, WorkspaceOptions};
pub use workspace;
