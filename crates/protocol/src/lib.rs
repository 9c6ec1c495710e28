//! The words that daemon, init and kernels say to each other, and nothing else: frames, ids, outcomes.
//!
//! Everything here is pure: no I/O, no async, no serialisation framework. A frame is a fixed header and a
//! payload; what most payloads mean is known only to the two ends (init relays a kernel's JSON unread), and
//! the few that init itself reads use the small [`codec`] so that PID 1 of a cell carries no JSON parser.
//!
//! **Invariants.** The parser never allocates more than the length that the header names, never more than
//! [`MAX_PAYLOAD`], never before the header is proven sane, and never panics on any bytes: its other end may be
//! hostile. Which side may send which kind is a property of the kind ([`Kind::sender`]), so a kernel cannot
//! speak in init's voice.

pub mod codec;
mod files;
pub mod forkserver;
mod frame;
mod ids;
pub mod launcher;
mod messages;
mod outcome;

pub use files::{FileDone, FileFailure, FileOperation, FileReply, FileRequest, FileStep, MAX_PATH};
pub use frame::{Decoder, Frame, FrameError, HEADER_LEN, Header, Kind, MAX_PAYLOAD, Sender, VERSION};
pub use ids::{CallId, IdError, KernelId, SessionId};
pub use messages::{CellState, KernelState, RefusedReason, Spawn, WaitStatus};
pub use outcome::{Full, Outcome, Survival};
