//! A small internet to test a way out against, made of two network namespaces that a pair of interfaces joins.
//!
//! ```text
//! world                                             machine
//!   a resolver, web servers, package registries,      a public and a private address of its own,
//!   a mail server, a metadata service, a private  ──  a default route into the world, and the
//!   network; python, below crates/bed/world           command under test
//! ```
//!
//! Nothing of it is reachable from outside, and nothing outside from it, so addresses may look as public as a test
//! needs. As root the command stays root; an ordinary user stays that user, without any capability, in a user
//! namespace where only the bed itself had some. All of it ends with the command, or with whoever started it.
//!
//! Every packet that an interface of either namespace sends or receives is written down: [`Bed::mark`] and
//! [`Bed::packets_with`] tell whether any bore given bytes.

pub mod capture;
pub mod facts;
mod init;
mod needle;
mod netlink;
mod network;
mod run;
mod tests_side;
mod world;

pub use init::init;
pub use needle::Needle;
pub use run::{Options, run};
pub use tests_side::{Bed, CellCapture, Mark, Sighting};
