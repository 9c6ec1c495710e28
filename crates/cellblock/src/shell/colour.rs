//! The shell's colours: of what is typed, of prompts, of tracebacks. None where `NO_COLOR` is set.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::lexer::{self, Kind, Pieces};
use super::script;

pub(crate) const IN: Style = AnsiColor::Green.on_default();
pub(crate) const OUT: Style = AnsiColor::Red.on_default();
pub(crate) const DIM: Style = Style::new().dimmed();
const RAISED: Style = AnsiColor::Red.on_default().bold();
const PLACE: Style = AnsiColor::Cyan.on_default();

/// Whether colours are wanted at all.
pub(crate) fn wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A text in a style.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

fn style(kind: Kind) -> Option<Style> {
    let colour = match kind {
        Kind::Keyword => return Some(AnsiColor::Blue.on_default().bold()),
        Kind::Defined => return Some(Style::new().bold()),
        Kind::Comment => return Some(DIM),
        Kind::Known | Kind::Decorator => AnsiColor::Cyan,
        Kind::Number => AnsiColor::Yellow,
        Kind::Text => AnsiColor::Green,
        Kind::Magic => AnsiColor::Magenta,
        Kind::Plain => return None,
    };
    Some(colour.on_default())
}

/// Python in colours. It takes up the same room as without them.
pub(crate) fn python(text: &str) -> String {
    coloured(text, lexer::pieces(text))
}

/// The same for JavaScript and TypeScript.
pub(crate) fn script(text: &str) -> String {
    coloured(text, script::pieces(text))
}

fn coloured(text: &str, pieces: Pieces) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for (range, kind) in pieces.pieces {
        match style(kind) {
            // Some terminals forget a style at the end of a line.
            Some(style) => {
                for (number, line) in text[range].split('\n').enumerate() {
                    let newline = if number > 0 { "\n" } else { "" };
                    let _ = write!(out, "{newline}{style}{line}{style:#}");
                }
            }
            None => out.push_str(&text[range]),
        }
    }
    out
}

/// A traceback: where, lightly; what, so that it is found.
pub(crate) fn traceback(text: &str) -> String {
    let mut out = String::new();
    let last = text.trim_end().lines().rfind(|line| !line.starts_with([' ', '\t']));
    for line in text.trim_end().lines() {
        let inner = line.trim_start();
        let told = if line.starts_with("Traceback (most recent call last)") {
            styled(DIM, line)
        } else if inner.starts_with("File \"") {
            styled(PLACE, line)
        } else if inner.starts_with('^') || inner.starts_with('~') {
            styled(RAISED, line)
        } else if Some(line) == last {
            match line.split_once(": ") {
                Some((name, rest)) => format!("{}: {rest}", styled(RAISED, name)),
                None => styled(RAISED, line),
            }
        } else {
            line.to_owned()
        };
        out.push_str(&told);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text without its styles.
    fn bare(text: &str) -> String {
        let mut parts = text.split('\x1b');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |bare, part| bare + part.split_once('m').unwrap().1)
    }

    #[test]
    fn colours_change_no_text() {
        for text in ["x = 1", "def f(x):\n    '''a\n    b'''\n    return f'{x}' # ü", "!ls", "", "'\n\n"] {
            assert_eq!(bare(&python(text)), text);
            assert_eq!(bare(&script(text)), text);
        }
        assert_eq!(python("x"), "x");
        assert_eq!(python("'a\\\nb'").matches("\x1b[32m").count(), 2);
    }

    #[test]
    fn a_traceback_shows_what_was_raised() {
        let text = "Traceback (most recent call last):\n  File \"<cell 1>\", line 1, in <module>\n    1 / 0\n    ~~^~~\nZeroDivisionError: division by zero";
        let told = traceback(text);
        assert_eq!(bare(&told).trim_end(), text);
        assert!(told.contains("\x1b[1m\x1b[31mZeroDivisionError\x1b[0m: division by zero\n"), "{told:?}");
    }
}
