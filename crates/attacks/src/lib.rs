//! Attacks on the wall around a cell, and what each layer of it stops by itself.
//!
//! A wall of many layers hides which of them stands: what all refuse together may be refused by one alone, and nobody
//! would notice when the others fell. So each attack is a small program (`programs/TOPIC/NAME.py`) that goes for a
//! *decoy* planted for it (`decoys`: a file with a secret, a process with one in its memory, a socket that tells
//! one), and it runs
//!
//! 1. as a control, with no layer, where it must succeed: else it would prove nothing;
//! 2. behind each layer that is said to stop it, that layer alone and everything else as in the control;
//! 3. in a real cell, behind all of them.
//!
//! Whether it succeeded is told by the decoy and never by the program's exit: the secret came out, or the mark was
//! written. Where there is nothing to plant (a call that gives power over the kernel), the program may say a word, and
//! says it only when it has used what it was given.
//!
//! One layer alone is the cell's own journey from fork to init with everything else left out: the launcher's code, the
//! plan, filter and template that `policy` makes (`launcher::apart`, behind a feature that only this package asks
//! for). Rejected: putting the layers up here once more, which would test the copy.
//!
//! **What must stay true.** Nothing here harms the machine that it runs on. What could is asked for with arguments
//! that cannot work, or only opened and not written; mounts, the host's name and the like are a stage's, which is a
//! mount and a UTS namespace between the machine and the attack.

mod attack;
pub mod layers;
mod page;
mod scene;
mod whole;

pub use attack::{Attack, all, directory};
pub use launcher::apart::MARK;
pub use page::page;
pub use scene::{Scene, Tried};
pub use whole::Whole;

use policy::network::Network;
use policy::{CellRequest, Limits, Mount};
use protocol::SessionId;

/// What the attacker's cell may use: little, so that little is enough to try for more.
pub fn limits() -> Limits {
    Limits { memory: 256 << 20, processes: 64, disk: 64 << 20, ..Limits::default() }
}

/// Whose cell it is.
pub fn session() -> SessionId {
    SessionId::from_u128(0)
}

/// The attacker's cell.
pub fn request() -> CellRequest {
    CellRequest {
        session: session(),
        limits: limits(),
        network: Network::default(),
        mount: Mount::default(),
        linger_ms: 0,
    }
}

/// An id of the host's that is nobody's: the last of a block of ids, which no node gives to a cell.
pub fn nobody() -> u32 {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    policy::blocks(&map).last().map_or(65534, |block| block + policy::BLOCK - 1)
}

/// The interpreter below an environment. The one in its `bin` looks for the environment where cells have it.
pub const PYTHON: &str = "base/bin/python3";
