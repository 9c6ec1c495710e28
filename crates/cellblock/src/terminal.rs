//! A terminal, and what a cell may do to it.
//!
//! Terminals obey what is written to them: set the clipboard, answer questions into the keyboard's input, hide what was
//! printed before. Code in a cell is hostile, so only colours, the cursor and erasing get through. Output that does not
//! go to a terminal is left as it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Lets through what is harmless; keeps its place from one piece of output to the next.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    state: State,
    /// A control sequence that is not complete yet.
    held: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    Escape,
    /// `ESC [ …`: control sequence.
    Control,
    /// `ESC ] …` and its like: up to BEL or `ESC \`.
    Text8,
    Text8Escape,
    /// The first byte of a two-byte UTF-8 character that may be a C1 control.
    High,
    /// `ESC ( B` and its like: one more byte.
    Charset,
}

/// No harmless control sequence is longer.
const LONGEST: usize = 64;

impl Filter {
    /// The harmless part of a piece of output.
    pub(crate) fn clean(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            self.state = match self.state {
                State::Text => Self::text(byte, &mut out),
                State::High => match byte {
                    // A control sequence or a string in its other spelling.
                    0x9b => {
                        self.held.clear();
                        State::Control
                    }
                    0x90 | 0x98 | 0x9d | 0x9e | 0x9f => State::Text8,
                    0x80..=0x9f => State::Text,
                    _ => {
                        out.push(0xc2);
                        Self::text(byte, &mut out)
                    }
                },
                State::Escape => match byte {
                    b'[' => {
                        self.held.clear();
                        State::Control
                    }
                    b']' | b'P' | b'X' | b'^' | b'_' => State::Text8,
                    b'(' | b')' | b'*' | b'+' | b'#' | b'%' | b' ' => State::Charset,
                    0x1b => State::Escape,
                    _ => State::Text,
                },
                State::Charset => State::Text,
                State::Control => self.control(byte, &mut out),
                State::Text8 => match byte {
                    0x07 => State::Text,
                    0x1b => State::Text8Escape,
                    _ => State::Text8,
                },
                State::Text8Escape => match byte {
                    b'\\' => State::Text,
                    0x1b => State::Text8Escape,
                    _ => State::Text8,
                },
            };
        }
        out
    }

    fn text(byte: u8, out: &mut Vec<u8>) -> State {
        match byte {
            0x1b => State::Escape,
            0xc2 => State::High,
            b'\t' | b'\n' | b'\r' | 0x08 | 0x07 | 0x20..=0x7e | 0x80.. => {
                out.push(byte);
                State::Text
            }
            _ => State::Text,
        }
    }

    fn control(&mut self, byte: u8, out: &mut Vec<u8>) -> State {
        match byte {
            0x20..=0x3f if self.held.len() < LONGEST => {
                self.held.push(byte);
                State::Control
            }
            0x20..=0x3f => State::Text,
            0x40..=0x7e => {
                let plain = self.held.iter().all(|held| matches!(held, b'0'..=b'9' | b';' | b':'));
                let harmless = match byte {
                    b'A'..=b'H' | b'J' | b'K' | b'f' | b'm' => plain,
                    // The cursor, shown and hidden.
                    b'h' | b'l' => self.held == b"?25",
                    _ => false,
                };
                if harmless {
                    out.extend_from_slice(b"\x1b[");
                    out.extend_from_slice(&self.held);
                    out.push(byte);
                }
                State::Text
            }
            _ => Self::text(byte, out),
        }
    }
}

/// A way to show a picture between lines of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pictures {
    /// kitty's graphics protocol.
    Kitty,
    /// iTerm2's inline images.
    Iterm,
}

impl Pictures {
    /// What the terminal that these variables describe understands.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<String>) -> Option<Pictures> {
        let is = |name: &str, value: &str| variable(name).is_some_and(|found| found == value);
        // A multiplexer in between passes neither on.
        if variable("TMUX").is_some() || variable("STY").is_some() || variable("ZELLIJ").is_some() {
            return None;
        }
        if is("TERM_PROGRAM", "iTerm.app") || is("LC_TERMINAL", "iTerm2") || is("TERM_PROGRAM", "WezTerm") {
            return Some(Pictures::Iterm);
        }
        let kitty = is("TERM", "xterm-kitty")
            || is("TERM", "xterm-ghostty")
            || is("TERM_PROGRAM", "ghostty")
            || variable("KONSOLE_VERSION").is_some();
        kitty.then_some(Pictures::Kitty)
    }

    /// A PNG as the terminal wants it.
    pub(crate) fn draw(self, png: &[u8]) -> Vec<u8> {
        let text = STANDARD.encode(png);
        match self {
            Pictures::Iterm => {
                format!("\x1b]1337;File=inline=1;size={};preserveAspectRatio=1:{text}\x07\n", png.len())
                    .into_bytes()
            }
            Pictures::Kitty => {
                let mut out = Vec::with_capacity(text.len() + text.len() / 64 + 64);
                let mut chunks = text.as_bytes().chunks(4096).peekable();
                let mut first = true;
                while let Some(chunk) = chunks.next() {
                    out.extend_from_slice(b"\x1b_G");
                    if first {
                        out.extend_from_slice(b"a=T,f=100,q=2,");
                    }
                    first = false;
                    out.extend_from_slice(if chunks.peek().is_some() { b"m=1;" } else { b"m=0;" });
                    out.extend_from_slice(chunk);
                    out.extend_from_slice(b"\x1b\\");
                }
                out.push(b'\n');
                out
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn cleans(dirty: &str, clean: &str) {
        assert_eq!(String::from_utf8_lossy(&Filter::default().clean(dirty.as_bytes())), clean, "{dirty:?}");
        // However it is cut.
        let mut filter = Filter::default();
        let pieces: Vec<u8> = dirty.bytes().flat_map(|byte| filter.clean(&[byte])).collect();
        assert_eq!(String::from_utf8_lossy(&pieces), clean, "{dirty:?} byte by byte");
    }

    #[test]
    fn text_colours_and_progress_bars_get_through() {
        for harmless in [
            "plain\ttext\r\n",
            "ü 漢字 🙂",
            "\x1b[1;31mred\x1b[0m",
            "\x1b[38:2::1:2:3mx",
            "\r\x1b[2K 50%",
            "\x1b[3A\x1b[?25l",
        ] {
            cleans(harmless, harmless);
        }
    }

    #[test]
    fn what_a_terminal_would_obey_does_not() {
        cleans("a\x1b]52;c;Y3VybCBldmls\x07b", "ab");
        cleans("a\x1b]0;title\x1b\\b", "ab");
        cleans("a\x1bP+q544e\x1b\\b", "ab");
        cleans("a\x1b_Ga=T;AAAA\x1b\\b", "ab");
        cleans("a\x1b[6nb\x1b[cc\x1b[21td", "abcd");
        cleans("a\x1b[?1049hb\x1b[>4;1mc", "abc");
        cleans("a\x1bcb\x1b(0c", "abc");
        cleans("a\u{9b}6nb\u{9d}0;t\x07c\u{85}d", "abcd");
        cleans("a\x00\x05\x0e\x7fb", "ab");
        cleans("a\x1b]never ended", "a");
    }

    #[test]
    fn no_bytes_are_beyond_it() {
        let all: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
        let cleaned = Filter::default().clean(&all);
        assert!(!cleaned.contains(&0x1b) && !cleaned.contains(&0));
    }

    #[test]
    fn terminals_are_known_by_their_variables() {
        let of = |pairs: &[(&str, &str)]| {
            Pictures::of(|name| {
                pairs.iter().find(|(each, _)| *each == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(of(&[("TERM", "xterm-kitty")]), Some(Pictures::Kitty));
        assert_eq!(of(&[("TERM_PROGRAM", "iTerm.app"), ("TERM", "xterm-256color")]), Some(Pictures::Iterm));
        assert_eq!(of(&[("TERM", "xterm-256color")]), None);
        assert_eq!(of(&[("TERM", "xterm-kitty"), ("TMUX", "/tmp/t")]), None);
    }

    #[test]
    fn a_picture_is_sent_in_pieces_that_end() {
        let drawn = String::from_utf8(Pictures::Kitty.draw(&vec![0; 5000])).unwrap();
        assert_eq!(drawn.matches("\x1b_G").count(), 2);
        assert!(drawn.starts_with("\x1b_Ga=T,f=100,q=2,m=1;") && drawn.contains("\x1b_Gm=0;"));
        let drawn = String::from_utf8(Pictures::Iterm.draw(b"abc")).unwrap();
        assert_eq!(drawn, "\x1b]1337;File=inline=1;size=3;preserveAspectRatio=1:YWJj\x07\n");
    }
}
