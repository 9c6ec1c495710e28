//! The soft memory limit, for hosts where no cgroup can hold a hard one.
//!
//! Every now and then the memory that the cell's processes have for themselves is summed up; above the limit the
//! largest process is killed. Soft, because a process can grow past the limit between two looks, and because pages of
//! files and of shared memory are not counted.
//!
//! A first sum is cheap, and counts pages that processes share after a fork once for each of them. Only if that is too
//! much are these divided among who shares them, which costs a walk through all pages; then the next look waits in
//! proportion, so that a large family of forks does not keep init from its work.

use std::time::{Duration, Instant};

use super::proc::{self, Process};

/// Between two looks while something runs.
const BUSY: Duration = Duration::from_millis(50);
/// Between two looks while nothing runs.
const QUIET: Duration = Duration::from_millis(500);
/// How long a killed process has to give its memory back before another one is killed.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many times as long as an exact look took the pause after it is, and its longest.
const PAUSE: u32 = 10;
const LONGEST: Duration = Duration::from_secs(1);

/// Too much was in use.
#[derive(Debug, Clone)]
pub(super) struct Excess {
    /// What was in use, bytes.
    pub(super) seen: u64,
    /// The largest process.
    pub(super) largest: u32,
    /// All processes, at that moment.
    pub(super) processes: Vec<Process>,
}

/// Watches the memory of the cell.
#[derive(Debug)]
pub(super) struct Watchdog {
    pub(super) limit: u64,
    last: Instant,
    victim: Option<(u32, Instant)>,
    /// No look before this.
    rest: Instant,
}

impl Watchdog {
    pub(super) fn new(limit: u64, now: Instant) -> Watchdog {
        Watchdog { limit, last: now, victim: None, rest: now }
    }

    /// When to look next.
    pub(super) fn next(&self, busy: bool) -> Instant {
        self.last + if busy { BUSY } else { QUIET }
    }

    /// Looks, and names the process to kill if there is too much.
    pub(super) fn look(&mut self, now: Instant) -> Option<Excess> {
        self.last = now;
        if now < self.rest {
            return None;
        }
        let processes = proc::scan().ok()?;
        let mut used: Vec<(u64, u32)> =
            processes.iter().map(|process| (proc::memory(process.pid), process.pid)).collect();
        if used.iter().map(|(bytes, _)| bytes).sum::<u64>() > self.limit {
            let begun = Instant::now();
            for (bytes, pid) in &mut used {
                *bytes = proc::share(*pid).unwrap_or(*bytes);
            }
            self.rest = now + (begun.elapsed() * PAUSE).min(LONGEST);
        }
        self.judge(&used, now).map(|(seen, largest)| Excess { seen, largest, processes })
    }

    fn judge(&mut self, used: &[(u64, u32)], now: Instant) -> Option<(u64, u32)> {
        let dying = |&(victim, since): &(u32, Instant)| {
            now < since + PATIENCE && used.iter().any(|&(bytes, pid)| pid == victim && bytes > 0)
        };
        if self.victim.as_ref().is_some_and(dying) {
            return None;
        }
        self.victim = None;
        let seen = used.iter().map(|(bytes, _)| bytes).sum();
        let &(_, largest) = used.iter().max().filter(|_| seen > self.limit)?;
        self.victim = Some((largest, now));
        Some((seen, largest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_is_named_once_while_it_dies() {
        let start = Instant::now();
        let mut watchdog = Watchdog::new(100, start);
        assert_eq!(watchdog.judge(&[(60, 2), (40, 3)], start), None, "at the limit is not above it");
        let too_much = [(60, 2), (41, 3), (0, 4)];
        assert_eq!(watchdog.judge(&too_much, start), Some((101, 2)));
        assert_eq!(watchdog.judge(&too_much, start + BUSY), None, "it is dying");
        assert_eq!(watchdog.judge(&[(0, 2), (101, 3)], start + BUSY), Some((101, 3)), "it is dead");
        let late = start + 2 * PATIENCE;
        assert_eq!(watchdog.judge(&[(101, 3)], late), Some((101, 3)), "it does not die");
        assert_eq!(watchdog.judge(&[], late), None);
    }

    #[test]
    fn it_looks_more_often_while_something_runs() {
        let start = Instant::now();
        let watchdog = Watchdog::new(100, start);
        assert_eq!((watchdog.next(true), watchdog.next(false)), (start + BUSY, start + QUIET));
    }
}
