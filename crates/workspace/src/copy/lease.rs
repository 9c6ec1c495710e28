//! How many files may be on their way at a time.
//!
//! Each takes a descriptor of this process, of which at least half are left to everybody else, and must be filled before
//! the kernel lets go whoever waits for it: if everything that is on its way is opened at once it still must be.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::lock;

/// Files below this size are brought at once, bytes: making them takes as long as filling them.
pub(super) const SMALL: u64 = 64 << 10;
/// Files above this size are waited for, bytes.
const LARGE: u64 = 1 << 30;
/// How many files of one working copy may be on their way.
const FILES: usize = 4096;
/// What a slow disk fills in a second, bytes, with something to spare.
const A_SECOND: u64 = 90 << 20;

/// How many are on their way in this process.
static HELD: AtomicU64 = AtomicU64::new(0);

/// What of one working copy is on its way: files, and bytes.
pub(super) type OnWay = Arc<Mutex<(usize, u64)>>;

/// The right to have one more on its way.
#[derive(Debug)]
pub(super) struct Permit {
    size: u64,
    on_way: OnWay,
}

impl Permit {
    /// For a file of this size.
    pub(super) fn get(size: u64, on_way: &OnWay) -> Option<Permit> {
        let mut all = lock(on_way);
        if size > LARGE || all.0 >= FILES || all.1.saturating_add(size) > most_bytes() {
            return None;
        }
        let most = sys::process::open_files() / 2;
        let held =
            HELD.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| (held < most).then_some(held + 1));
        held.ok()?;
        *all = (all.0 + 1, all.1 + size);
        Some(Permit { size, on_way: on_way.clone() })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        HELD.fetch_sub(1, Ordering::Relaxed);
        let mut all = lock(&self.on_way);
        *all = (all.0 - 1, all.1 - self.size);
    }
}

/// How much may be on its way: nothing where the kernel has no leases.
fn most_bytes() -> u64 {
    static MOST: OnceLock<u64> = OnceLock::new();
    *MOST.get_or_init(|| sys::lease::longest_wait().map_or(0, |wait| wait.as_secs().saturating_mul(A_SECOND)))
}
