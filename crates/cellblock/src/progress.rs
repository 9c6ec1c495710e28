//! How far an install is, or the saving of files: a bar in a terminal, lines elsewhere.

use std::time::{Duration, Instant};

use environment::{Fetching, Progress, Stage};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::printer::{Printer, bytes};

/// Somebody who is told how far an install is.
pub(crate) fn of_install(printer: Printer) -> Box<dyn Progress> {
    if printer.shows_progress() { Box::new(Bar::new()) } else { Box::new(Lines { printer, tenth: 0 }) }
}

struct Bar {
    bar: ProgressBar,
    counting: bool,
}

impl Bar {
    fn new() -> Bar {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.enable_steady_tick(Duration::from_millis(120));
        Bar { bar, counting: false }
    }

    /// From a step that only goes on to one that knows how far it is, and back.
    fn count(&mut self, template: &str, length: u64) {
        if !self.counting {
            self.counting = true;
            self.bar.set_style(style(template));
            self.bar.reset_elapsed();
            self.bar.reset_eta();
        }
        self.bar.set_length(length);
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}

impl Progress for Bar {
    fn stage(&mut self, stage: Stage) {
        self.counting = false;
        self.bar.set_style(style("{spinner} {msg}"));
        self.bar.set_message(stage.describe());
    }

    fn fetching(&mut self, fetching: &Fetching) {
        self.count("{bar:30} {bytes}/{total_bytes}, {eta} left  {msg}", fetching.bytes_total);
        self.bar.set_position(fetching.bytes_done);
        self.bar.set_message(current(fetching));
    }

    fn compiling(&mut self, done: usize, total: usize) {
        self.count("{bar:30} {pos}/{len}, {eta} left  compiling to bytecode", total as u64);
        self.bar.set_position(done as u64);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

struct Lines {
    printer: Printer,
    tenth: u64,
}

impl Progress for Lines {
    fn stage(&mut self, stage: Stage) {
        self.printer.plain(format_args!("  {}", stage.describe()));
    }

    fn fetching(&mut self, fetching: &Fetching) {
        let tenth = fetching.bytes_done * 10 / fetching.bytes_total.max(1);
        if tenth > self.tenth {
            self.tenth = tenth;
            self.printer.plain(format_args!(
                "  {} of {} ({} of {} packages)",
                bytes(fetching.bytes_done),
                bytes(fetching.bytes_total),
                fetching.packages_done,
                fetching.packages_total
            ));
        }
    }
}

/// How far the saving of files is. Says nothing in its first second.
pub(crate) struct Saving {
    printer: Printer,
    since: Instant,
    bytes: u64,
    bar: Option<ProgressBar>,
    said: bool,
}

impl Saving {
    /// It begins now.
    pub(crate) fn new(printer: Printer) -> Saving {
        Saving { printer, since: Instant::now(), bytes: 0, bar: None, said: false }
    }

    /// So many bytes more.
    pub(crate) fn step(&mut self, count: u64) {
        self.bytes += count;
        if self.since.elapsed() < Duration::from_secs(1) {
            return;
        }
        if !self.said {
            self.said = true;
            if self.printer.shows_progress() {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
                bar.set_style(style("{spinner} saving files: {bytes}, {bytes_per_sec}"));
                bar.reset_elapsed();
                self.bar = Some(bar);
            } else {
                self.printer.plain("saving the files that the program made");
            }
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.bytes);
        }
    }
}

impl Drop for Saving {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn current(fetching: &Fetching) -> String {
    match fetching.current.as_slice() {
        [] => String::new(),
        [(name, _)] => name.clone(),
        [(name, _), rest @ ..] => format!("{name} and {} more", rest.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_its_way_is_told_in_a_few_words() {
        let with = |names: &[&str]| Fetching {
            packages_done: 0,
            packages_total: 3,
            bytes_done: 0,
            bytes_total: 9,
            current: names.iter().map(|name| ((*name).to_owned(), 3)).collect(),
        };
        assert_eq!(current(&with(&[])), "");
        assert_eq!(current(&with(&["scipy"])), "scipy");
        assert_eq!(current(&with(&["scipy", "numpy", "six"])), "scipy and 2 more");
    }
}
