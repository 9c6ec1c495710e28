//! How much a cell keeps on disk, where no quota says so: measured, and therefore soft.
//!
//! A walk costs time, so it is made about once a second while a call runs, and no more often than every twentieth of
//! the time goes into it. A cell that is over its limit already may go on as long as it does not grow: else nobody
//! could tidy up.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sys::tree::{self, Kind};
use workspace::WorkingCopy;

use crate::room::Room;

/// The most that is looked at in one walk.
const ENTRIES: u32 = 1_000_000;
/// What a tree counts that has more entries, or goes deeper, than a walk does: whoever hides something there is over
/// every limit.
const IMMEASURABLE: u64 = u64::MAX;
/// The least growth that counts in a cell that is over its limit, bytes: a file that was being written when its call was
/// stopped is written to the end when the interpreter lets go of it, in the next call.
const SLACK: u64 = 8 << 20;
/// How often a cell is measured while a call runs.
const EVERY: Duration = Duration::from_secs(1);
/// A walk that takes longer is made behind a reply, not before it.
const QUICK: Duration = Duration::from_millis(50);
/// How much longer than a walk the pause after it is.
const PAUSE: u32 = 20;

/// What is known of a cell's disk use.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    used: Option<u64>,
    measured: Option<Instant>,
    took: Duration,
}

impl Disk {
    /// What was in use when it was last measured, bytes.
    pub(crate) fn used(&self) -> Option<u64> {
        self.used
    }

    /// Whether a measurement is quick enough that somebody may wait for it.
    pub(crate) fn is_quick(&self) -> bool {
        self.took < QUICK
    }

    /// Takes a new measurement.
    pub(crate) fn measured(&mut self, used: u64, took: Duration, now: Instant) {
        self.used = Some(used);
        self.took = took;
        self.measured = Some(now);
    }

    /// When the next measurement is due.
    pub(crate) fn next(&self, now: Instant) -> Instant {
        let pause = EVERY.max(self.took * PAUSE);
        self.measured.map_or(now + EVERY, |measured| (measured + pause).max(now))
    }

    /// Whether it is time to measure.
    pub(crate) fn due(&self, now: Instant) -> bool {
        self.measured.is_none_or(|measured| measured + EVERY.max(self.took * PAUSE) <= now)
    }
}

/// Whether a cell with this limit has too much on its disk, and more than it had. What was written a moment ago may
/// take up a little more or less the next time.
pub(crate) fn over(used: u64, before: Option<u64>, limit: u64) -> bool {
    let slack = SLACK + limit / 100;
    used == IMMEASURABLE
        || used > limit && before.is_none_or(|before| before <= limit || used > before.saturating_add(slack))
}

/// What lies below these directories, bytes on disk; a file with several names counts once.
pub(crate) fn measure(directories: &[PathBuf]) -> (u64, Duration) {
    let started = Instant::now();
    let (mut used, mut entries) = (0u64, 0);
    let mut seen = BTreeSet::new();
    for directory in directories {
        let walked = tree::walk_all(directory, &mut |item| {
            let again = item.names > 1 && item.kind == Kind::File && !seen.insert(item.identity);
            if !again {
                used = used.saturating_add(item.stored);
            }
            entries += 1;
            if entries < ENTRIES && item.kind != Kind::Closed {
                return ControlFlow::Continue(());
            }
            used = IMMEASURABLE;
            ControlFlow::Break(())
        });
        if let Err(error) = walked {
            tracing::debug!("measure `{}`: {error}", directory.display());
        }
    }
    (used, started.elapsed())
}

/// Measures what a session keeps on disk. What its workspace brought does not count: the session did not write it.
pub(crate) async fn measure_own(
    directories: [PathBuf; 2],
    room: Arc<Room>,
    copy: Option<Arc<WorkingCopy>>,
) -> Option<(u64, Duration)> {
    let begun = room.begin();
    let (mut used, mut took) = tokio::task::spawn_blocking(move || measure(&directories)).await.ok()?;
    if let Some(copy) = copy.filter(|_| used != IMMEASURABLE) {
        let started = Instant::now();
        // What arrives between the two is taken off and not counted, so nobody is stopped for it.
        used = used.saturating_sub(copy.extra_disk().await.unwrap_or(0));
        took += started.elapsed();
    }
    room.measured(used, begun);
    Some((used, took))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_lies_on_the_disk_counts_once() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let directories = [one.path().to_owned(), two.path().to_owned()];
        let (empty, _) = measure(&directories);
        fs::write(one.path().join("a"), vec![1; 1 << 20]).unwrap();
        fs::create_dir(two.path().join("d")).unwrap();
        fs::write(two.path().join("d/b"), vec![1; 2 << 20]).unwrap();
        fs::hard_link(two.path().join("d/b"), two.path().join("c")).unwrap();
        // A hole takes up nothing.
        fs::File::create(one.path().join("hole")).unwrap().set_len(1 << 30).unwrap();
        let grown = measure(&directories).0 - empty;
        assert!((3 << 20..4 << 20).contains(&grown), "{grown}");
    }

    #[test]
    fn a_cell_over_its_limit_may_tidy_up_but_not_grow() {
        let mib = |count: u64| count << 20;
        assert!(!over(mib(100), None, mib(100)));
        assert!(over(mib(101), None, mib(100)));
        assert!(over(mib(101), Some(mib(100)), mib(100)));
        assert!(!over(mib(121), Some(mib(120)), mib(100)));
        assert!(over(mib(130), Some(mib(120)), mib(100)));
        assert!(!over(mib(110), Some(mib(200)), mib(100)));
        assert!(over(IMMEASURABLE, Some(IMMEASURABLE), mib(100)));
        assert!(!over(mib(1), Some(IMMEASURABLE), mib(100)));
    }

    #[test]
    fn a_slow_walk_is_made_less_often() {
        let now = Instant::now();
        let mut disk = Disk::default();
        assert!(disk.due(now));
        disk.measured(1, Duration::from_millis(1), now);
        assert_eq!(disk.next(now), now + EVERY);
        assert!(!disk.due(now) && disk.due(now + EVERY));
        disk.measured(1, Duration::from_secs(1), now);
        assert_eq!(disk.next(now), now + Duration::from_secs(20));
    }
}
