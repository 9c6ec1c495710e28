//! The edges: what speaks HTTP to clients, and nothing of how a cell works.
//!
//! A request is met by [`http`]: limits on connections, headers, bodies and time, the checks that keep a browser out,
//! an id that stands in every answer and in every line of the log. Then one edge takes it: `agentcore`, the wire of AWS's
//! code interpreter, `mcp`, the tools of agents, which are there over standard streams, too, or `v1`, our own. An edge
//! checks everything it can before it sends a header, turns
//! the request into calls of [`session`], and events into its own wire. DTOs live here and only here.
//!
//! **Invariants.** A principal is proved before anything is looked up. What user code does wrong is an answer, never an
//! error of ours. Nobody waits for a slow client but its own call, and a client that vanishes stops nothing: its call
//! runs to its end, and is there to be asked for again.

mod agentcore;

mod body;
mod budget;
mod fault;
#[doc(hidden)]
pub mod fuzz;
mod health;
mod http;
mod language;
mod mcp;
mod open;
mod pieces;
mod request_id;
mod state;
mod v1;

pub use http::{Options, Server};
pub use mcp::stdio;
pub use state::{Bounds, Opening, Ready, Service};
pub use v1::lines;
