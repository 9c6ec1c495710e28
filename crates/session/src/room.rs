//! How much more the daemon may write into a cell for its clients.
//!
//! What a cell's own processes write is limited by the kernel; the daemon's writing is not, and so it counts. The disk is
//! measured from time to time; what the daemon has written since counts until the next measurement has seen it.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// A cell's room on the disk, shared by all who write there for it.
#[derive(Debug)]
pub(crate) struct Room {
    limit: u64,
    used: AtomicU64,
    /// Bytes written, less those freed, that no measurement may have seen.
    ahead: AtomicI64,
}

impl Room {
    /// All of a limit, bytes.
    pub(crate) fn new(limit: u64) -> Room {
        Room { limit, used: AtomicU64::new(0), ahead: AtomicI64::new(0) }
    }

    /// The limit, bytes.
    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// How much is left, bytes.
    #[cfg(test)]
    fn left(&self) -> u64 {
        let used = self.used.load(Ordering::Relaxed);
        self.limit.saturating_sub(used.saturating_add_signed(self.ahead.load(Ordering::Relaxed)))
    }

    /// So many bytes are about to be written, if there is room for them.
    pub(crate) fn take(&self, bytes: u64) -> bool {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.ahead.fetch_add(bytes, Ordering::Relaxed);
        let used = self.used.load(Ordering::Relaxed);
        let fits = used.saturating_add_signed(self.ahead.load(Ordering::Relaxed)) <= self.limit;
        if !fits {
            self.ahead.fetch_sub(bytes, Ordering::Relaxed);
        }
        fits
    }

    /// So many bytes were freed, or not written.
    pub(crate) fn give_back(&self, bytes: u64) {
        self.ahead.fetch_sub(i64::try_from(bytes).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// A measurement begins; what to give to [`Room::measured`].
    pub(crate) fn begin(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed)
    }

    /// A measurement has found this much that counts, bytes.
    pub(crate) fn measured(&self, used: u64, begun: i64) {
        self.used.store(used, Ordering::Relaxed);
        self.ahead.fetch_sub(begun, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_counts_until_it_was_measured() {
        let room = Room::new(100);
        assert!(room.take(60) && !room.take(41));
        let begun = room.begin();
        assert!(room.take(10));
        room.measured(60, begun);
        assert_eq!(room.left(), 30);
        room.give_back(20);
        assert_eq!(room.left(), 50);
        room.measured(u64::MAX, 0);
        assert_eq!(room.left(), 0);
        assert!(!room.take(1));
    }
}
