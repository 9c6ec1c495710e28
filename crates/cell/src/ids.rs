//! Takes ids of the host for a node, and gives them to cells.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use policy::{CellIds, OuterIds};
use sys::file::Lock;

use crate::error::{At, Error, Result};

/// Where nodes of all data directories agree on who has which block. Root's alone.
const REGISTRY: &str = "/run/cellblock/ids";

/// The ids of one node.
#[derive(Debug)]
pub(crate) struct Ids {
    /// What the outer user namespace maps.
    pub(crate) outer: OuterIds,
    taken: Mutex<Slots>,
    /// Keeps the block ours; nobody else may have it while a cell may live.
    _lock: Option<Lock>,
}

#[derive(Debug, Default)]
struct Slots {
    next: u32,
    taken: BTreeSet<u32>,
}

impl Ids {
    /// A block of ids where this process may give them, else its own id.
    pub(crate) fn take(privileged: bool) -> Result<Ids> {
        let (uid, gid) = sys::file::own_ids();
        if privileged {
            let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
            let blocks = policy::blocks(&map);
            if !blocks.is_empty() {
                fs::create_dir_all(REGISTRY).at("create", Path::new(REGISTRY))?;
            }
            for base in blocks {
                let path = Path::new(REGISTRY).join(base.to_string());
                if let Some(lock) = Lock::try_take(&path).at("lock", &path)? {
                    let outer = OuterIds::Block { base };
                    return Ok(Ids { outer, taken: Mutex::default(), _lock: Some(lock) });
                }
            }
        }
        Ok(Ids { outer: OuterIds::Own { uid, gid }, taken: Mutex::default(), _lock: None })
    }

    /// Ids for one more cell. They come round again as late as possible.
    pub(crate) fn give(&self) -> Result<(u32, CellIds)> {
        let mut slots = self.taken.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for _ in 0..2 {
            while let Some(ids) = self.outer.cell(slots.next) {
                let slot = slots.next;
                slots.next += 1;
                if slots.taken.insert(slot) {
                    return Ok((slot, ids));
                }
            }
            slots.next = 0;
        }
        Err(Error::NoIds)
    }

    /// The cell in this slot is gone, and no process or file has its ids.
    pub(crate) fn give_back(&self, slot: u32) {
        self.taken.lock().unwrap_or_else(std::sync::PoisonError::into_inner).taken.remove(&slot);
    }
}
