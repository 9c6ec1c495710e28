//! How often something may happen.

use std::time::Instant;

/// So many in a second, four times as many at once.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: f64,
    left: f64,
    filled: Instant,
}

/// How many seconds' worth may come at once.
const BURST: f64 = 4.0;

impl Bucket {
    pub(crate) fn new(rate: u32, now: Instant) -> Bucket {
        Bucket { rate: rate.into(), left: f64::from(rate) * BURST, filled: now }
    }

    /// Takes one; `false` if there is none.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.left = (self.left + passed * self.rate).min(self.rate * BURST);
        self.filled = now;
        let some = self.left >= 1.0;
        if some {
            self.left -= 1.0;
        }
        some
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_gives_a_burst_and_then_its_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(10, start);
        assert_eq!((0..100).filter(|_| bucket.take(start)).count(), 40);
        let later = start + Duration::from_millis(350);
        assert_eq!((0..100).filter(|_| bucket.take(later)).count(), 3);
        let much_later = start + Duration::from_secs(3600);
        assert_eq!((0..100).filter(|_| bucket.take(much_later)).count(), 40);
    }

    #[test]
    fn a_rate_of_none_gives_none() {
        let start = Instant::now();
        assert!(!Bucket::new(0, start).take(start + Duration::from_secs(60)));
    }
}
