//! Everything that is said on standard error, and what of it is not said.
//!
//! Standard output is data. Here is talk: errors, always; warnings and notes, unless they are unwanted. Colours only in
//! a terminal, and not where `NO_COLOR` is set.

use std::fmt::Display;
use std::io::{IsTerminal, Write};

use anstyle::{AnsiColor, Style};

/// Talks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    quiet: bool,
    colour: bool,
    terminal: bool,
}

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();
const DIM: Style = Style::new().dimmed();

impl Printer {
    /// A printer for this process's standard error. `quiet`: errors alone.
    pub(crate) fn new(quiet: bool) -> Printer {
        let terminal = std::io::stderr().is_terminal();
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Printer { quiet, colour: terminal && !no_colour, terminal }
    }

    /// Whether there is anybody to look at a bar that moves.
    pub(crate) fn shows_progress(self) -> bool {
        self.terminal && !self.quiet
    }

    /// Whether errors alone are wanted.
    pub(crate) fn is_quiet(self) -> bool {
        self.quiet
    }

    /// What went wrong.
    pub(crate) fn error(self, text: impl Display) {
        self.line("error", ERROR, &text);
    }

    /// What might go wrong.
    pub(crate) fn warning(self, text: impl Display) {
        if !self.quiet {
            self.line("warning", WARNING, &text);
        }
    }

    /// What to do about a warning.
    pub(crate) fn advice(self, text: impl Display) {
        if !self.quiet {
            self.hint(text);
        }
    }

    /// What to do about an error.
    pub(crate) fn hint(self, text: impl Display) {
        self.line("hint", HINT, &text);
    }

    /// What is going on.
    pub(crate) fn note(self, text: impl Display) {
        if !self.quiet {
            say(&format!("{}\n", self.styled(DIM, &text)));
        }
    }

    /// Something as it is: a table, a traceback.
    pub(crate) fn plain(self, text: impl Display) {
        if !self.quiet {
            say(&format!("{text}\n"));
        }
    }

    /// A failure of ours: all that is behind it, and the hint that goes with it.
    pub(crate) fn failure(self, error: &anyhow::Error) {
        self.error(failed(error));
        if let Some(hint) = crate::hints::of(error) {
            self.hint(hint);
        }
    }

    fn line(self, word: &str, style: Style, text: &dyn Display) {
        say(&format!("{}: {text}\n", self.styled(style, &word)));
    }

    fn styled(self, style: Style, text: &dyn Display) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_string() }
    }
}

/// Writes at once; that nobody reads it is no failure of ours.
fn say(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// A failure of ours, with all that is behind it.
pub(crate) fn failed(error: &anyhow::Error) -> String {
    let causes = error.chain().skip(1);
    causes.fold(format!("failed to {error}"), |text, cause| format!("{text}\n  caused by: {cause}"))
}

/// An error with all that is behind it, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// A number of bytes as a person reads it: `84.1 KiB`.
#[expect(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit < UNITS.len() - 1 {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{count} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// The widest line that is printed where lines can be broken.
const WIDTH: usize = 80;

/// Words in lines that read well in any terminal, the first after `prefix`, the others after `indent`.
pub(crate) fn wrapped(prefix: &str, indent: &str, words: &str) -> String {
    let mut text = prefix.to_owned();
    let mut column = prefix.len();
    for word in words.split(' ') {
        let length = word.chars().count();
        if column > indent.len() && column + 1 + length > WIDTH {
            text.push('\n');
            text.push_str(indent);
            column = indent.len();
        } else if column > indent.len() {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text.push('\n');
    text
}

/// A name that somebody hostile may have chosen, harmless on a line of its own.
pub(crate) fn name(name: &str) -> String {
    name.chars()
        .flat_map(|c| {
            let hidden = c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            let escaped: Vec<char> = if hidden { c.escape_unicode().collect() } else { vec![c] };
            escaped
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_in_units() {
        let told = [0, 1023, 1024, 86_123, 5 << 30, u64::MAX].map(bytes);
        assert_eq!(told, ["0 B", "1023 B", "1.0 KiB", "84.1 KiB", "5.0 GiB", "16777216.0 TiB"]);
    }

    #[test]
    fn names_cannot_draw() {
        assert_eq!(name("a b/ü.png"), "a b/ü.png");
        assert_eq!(name("a\x1b[2J\n"), "a\\u{1b}[2J\\u{a}");
        assert_eq!(name("gnp.\u{202e}x"), "gnp.\\u{202e}x");
    }
}
