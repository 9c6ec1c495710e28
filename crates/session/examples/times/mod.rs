//! What the measuring programs share: how long something took, each time, as a line of a table.

use std::time::{Duration, Instant};

/// How long something took, each time.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    /// Prints the head of the table.
    pub(crate) fn print_head() {
        println!("{:<62} {:>5} {:>9} {:>9}", "", "n", "p50, ms", "p99, ms");
    }

    /// None yet.
    pub(crate) fn new() -> Times {
        Times(Vec::new())
    }

    /// It ends now.
    pub(crate) fn add(&mut self, begun: Instant) {
        self.took(begun.elapsed());
    }

    /// It took so long.
    pub(crate) fn took(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// Prints the line that says how long this took.
    pub(crate) fn print(mut self, what: &str) {
        self.0.sort();
        let at =
            |share: f64| self.0[((self.0.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1000.0;
        println!("{what:<62} {:>5} {:>9.2} {:>9.2}", self.0.len(), at(0.5), at(0.99));
    }
}
