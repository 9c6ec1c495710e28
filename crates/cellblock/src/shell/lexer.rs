//! Python as a line editor sees it: which stretch of a text is what, and whether more of it must come.
//!
//! It is rough on purpose. It colours what is typed and tells an open bracket from a closed one; what is valid Python,
//! the kernel knows. It never fails, whatever the text.

use std::ops::Range;

/// What a stretch of a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Keyword,
    /// `None`, `True`, `self`, and functions that are always there.
    Known,
    /// The name that `def` or `class` gives.
    Defined,
    Decorator,
    Number,
    Text,
    Comment,
    /// A line for `IPython`: `!command`, `%magic`, `help?`.
    Magic,
    /// Names, operators, blanks; and what stands in the braces of an f-string.
    Plain,
}

/// What is open at the end of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Open {
    /// Brackets.
    pub(crate) brackets: usize,
    /// A text in three quotes.
    pub(crate) text: bool,
    /// The last line ends with a backslash that continues it.
    pub(crate) continued: bool,
}

impl Open {
    /// Whether more must come.
    pub(crate) fn is_open(self) -> bool {
        self.brackets > 0 || self.text || self.continued
    }
}

/// A text in pieces: they follow each other without gaps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Pieces {
    pub(crate) pieces: Vec<(Range<usize>, Kind)>,
    pub(crate) open: Open,
}

const KEYWORDS: &[&str] = &[
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else",
    "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not",
    "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

const KNOWN: &[&str] = &[
    "False",
    "None",
    "True",
    "abs",
    "all",
    "any",
    "bool",
    "bytes",
    "cls",
    "dict",
    "dir",
    "display",
    "enumerate",
    "filter",
    "float",
    "format",
    "frozenset",
    "getattr",
    "hasattr",
    "help",
    "int",
    "isinstance",
    "issubclass",
    "iter",
    "len",
    "list",
    "map",
    "max",
    "min",
    "next",
    "object",
    "open",
    "print",
    "property",
    "range",
    "repr",
    "reversed",
    "round",
    "self",
    "set",
    "setattr",
    "sorted",
    "str",
    "sum",
    "super",
    "tuple",
    "type",
    "vars",
    "zip",
];

/// Takes a text apart.
pub(crate) fn pieces(text: &str) -> Pieces {
    let mut lexer = Lexer { text, at: 0, found: Pieces::default(), defines: false };
    // `%%name` takes the rest of the cell, which is another language's.
    if text.starts_with("%%") {
        lexer.take(text.find('\n').unwrap_or(text.len()), Kind::Magic);
        lexer.take(text.len(), Kind::Plain);
        return lexer.found;
    }
    let mut fresh = true;
    while lexer.at < text.len() {
        fresh = lexer.step(fresh);
    }
    lexer.found
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    found: Pieces,
    /// Whether the last word was `def` or `class`.
    defines: bool,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Everything up to there is of this kind.
    fn take(&mut self, to: usize, kind: Kind) {
        match self.found.pieces.last_mut() {
            Some((last, same)) if *same == kind => last.end = to,
            _ if to > self.at => self.found.pieces.push((self.at..to, kind)),
            _ => {}
        }
        self.at = to;
    }

    fn take_length(&mut self, length: usize, kind: Kind) {
        self.take(self.at + length, kind);
    }

    fn end_of_line(&self) -> usize {
        self.rest().find('\n').map_or(self.text.len(), |length| self.at + length)
    }

    /// One piece. `fresh`: a statement may begin here. Gives whether one may begin after it.
    fn step(&mut self, fresh: bool) -> bool {
        let Some(first) = self.rest().chars().next() else { return fresh };
        self.found.open.continued = false;
        if fresh && self.found.open.brackets == 0 {
            let line = &self.text[self.at..self.end_of_line()];
            if matches!(first, '!' | '%') || is_question(line) {
                self.take(self.end_of_line(), Kind::Magic);
                return true;
            }
            if first == '@' {
                let name = |c: char| c == '@' || c == '.' || c == '_' || c.is_alphanumeric();
                let length = line.find(|c| !name(c)).unwrap_or(line.len());
                self.take_length(length, Kind::Decorator);
                return false;
            }
        }
        match first {
            '\n' => {
                self.take_length(1, Kind::Plain);
                true
            }
            '\\' if self.rest()[1..].starts_with('\n') || self.rest().len() == 1 => {
                self.take_length(self.rest().len().min(2), Kind::Plain);
                self.found.open.continued = self.at == self.text.len();
                false
            }
            '#' => {
                self.take(self.end_of_line(), Kind::Comment);
                false
            }
            '"' | '\'' => self.string(0),
            '(' | '[' | '{' => {
                self.found.open.brackets += 1;
                self.take_length(1, Kind::Plain);
                false
            }
            ')' | ']' | '}' => {
                self.found.open.brackets = self.found.open.brackets.saturating_sub(1);
                self.take_length(1, Kind::Plain);
                false
            }
            first if first == '_' || first.is_alphabetic() => self.word(),
            first if first.is_ascii_digit() => self.number(),
            first => {
                self.take_length(first.len_utf8(), Kind::Plain);
                fresh && first.is_whitespace()
            }
        }
    }

    fn word(&mut self) -> bool {
        let end = self.rest().find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(self.rest().len());
        let word = &self.rest()[..end];
        let prefix = end <= 2 && word.chars().all(|c| "rRbBuUfFtT".contains(c));
        if prefix && self.rest()[end..].starts_with(['"', '\'']) {
            return self.string(end);
        }
        let attribute = self.text[..self.at].ends_with('.');
        let kind = match word {
            _ if self.defines => Kind::Defined,
            _ if attribute => Kind::Plain,
            word if KEYWORDS.contains(&word) => Kind::Keyword,
            word if KNOWN.contains(&word) => Kind::Known,
            _ => Kind::Plain,
        };
        self.defines = kind == Kind::Keyword && matches!(word, "def" | "class");
        self.take_length(end, kind);
        false
    }

    fn number(&mut self) -> bool {
        let mut before = '0';
        let end = self.rest().find(|c: char| {
            let sign = matches!(c, '+' | '-') && matches!(before, 'e' | 'E');
            before = c;
            !(c.is_ascii_alphanumeric() || c == '.' || c == '_' || sign)
        });
        // `0x1e+1` is a sum, which costs a wrong colour and nothing else.
        self.take_length(end.unwrap_or(self.rest().len()), Kind::Number);
        false
    }

    /// A text whose prefix is so long.
    fn string(&mut self, prefix: usize) -> bool {
        let braces = self.rest()[..prefix].contains(['f', 'F', 't', 'T']);
        let quoted = &self.rest()[prefix..];
        let quote = &quoted[..1];
        let triple = quoted.starts_with(&quote.repeat(3));
        let end = if triple { quote.repeat(3) } else { quote.to_owned() };
        self.take_length(prefix + end.len(), Kind::Text);
        loop {
            let Some(next) = self.rest().chars().next() else {
                self.found.open.text = triple;
                return false;
            };
            if self.rest().starts_with(&end) {
                self.take_length(end.len(), Kind::Text);
                return false;
            }
            match next {
                '\n' if !triple => return false,
                '\\' => {
                    let length = self.rest().chars().take(2).map(char::len_utf8).sum();
                    self.take_length(length, Kind::Text);
                }
                '{' if braces && !self.rest().starts_with("{{") => self.braces(quote),
                '{' if braces => self.take_length(2, Kind::Text),
                next => self.take_length(next.len_utf8(), Kind::Text),
            }
        }
    }

    /// What stands in braces in an f-string, up to where they or the text must end.
    fn braces(&mut self, quote: &str) {
        let inner = &self.rest()[1..];
        let stop = inner.find(|c: char| c == '}' || c == '\n' || quote.starts_with(c));
        let end = stop.unwrap_or(inner.len());
        let closed = inner[end..].starts_with('}');
        self.take_length(1, Kind::Text);
        self.take_length(end, Kind::Plain);
        self.take_length(usize::from(closed), Kind::Text);
    }
}

/// `help?`, `?help`, `help??`.
fn is_question(line: &str) -> bool {
    let line = line.trim();
    let name = line.trim_start_matches('?').trim_end_matches('?');
    name.len() < line.len()
        && !name.is_empty()
        && name.chars().all(|c| c == '_' || c == '.' || c == '%' || c.is_alphanumeric())
}

/// What tests of a language's lexer look at.
#[cfg(test)]
pub(super) mod looks {
    use super::{Kind, Pieces};

    /// The pieces that are not plain, each with its kind.
    pub(crate) fn told(text: &str, pieces: Pieces) -> String {
        let pieces = pieces.pieces.into_iter().filter(|(_, kind)| *kind != Kind::Plain);
        pieces.map(|(range, kind)| format!("{kind:?} {}; ", &text[range])).collect()
    }

    /// The pieces are the text, from its begin to its end, and none is empty.
    pub(crate) fn assert_whole(text: &str, pieces: Pieces) {
        let mut at = 0;
        for (range, _) in pieces.pieces {
            assert_eq!(range.start, at, "{text:?}");
            assert!(text.is_char_boundary(range.end) && range.end > at, "{text:?}");
            at = range.end;
        }
        assert_eq!(at, text.len(), "{text:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::looks::assert_whole;
    use super::*;
    use proptest::prelude::*;

    fn told(text: &str) -> String {
        looks::told(text, pieces(text))
    }

    #[test]
    fn words_are_what_they_are_where_they_stand() {
        assert_eq!(told("for x in range(3): x.in_"), "Keyword for; Keyword in; Known range; Number 3; ");
        assert_eq!(told("def print(self): pass"), "Keyword def; Defined print; Known self; Keyword pass; ");
        assert_eq!(told("df.list = format_ + 1e-5j"), "Number 1e-5j; ");
        assert_eq!(
            told("@app.route('/')\ndef f(): ..."),
            "Decorator @app.route; Text '/'; Keyword def; Defined f; "
        );
    }

    #[test]
    fn texts_end_where_they_end() {
        assert_eq!(told(r#"a = "it's" + 'b\'c' # d "e""#), r#"Text "it's"; Text 'b\'c'; Comment # d "e"; "#);
        assert_eq!(told("'open\nif"), "Text 'open; Keyword if; ");
        assert_eq!(told("rb'x' '''a\n'b' ''' x"), "Text rb'x'; Text '''a\n'b' '''; ");
        assert_eq!(told("f'{a} {{b}} {c!r:>3}'"), "Text f'{; Text } {{b}} {; Text }'; ");
        assert_eq!(told("f'{a"), "Text f'{; ");
    }

    #[test]
    fn lines_for_ipython_are_known() {
        assert_eq!(told("!ls -l 'a\nx"), "Magic !ls -l 'a; ");
        assert_eq!(told("  %timeit f(x)"), "Magic %timeit f(x); ");
        assert_eq!(told("df.head?"), "Magic df.head?; ");
        assert_eq!(told("%%bash\nfor x in *; do"), "Magic %%bash; ");
        assert_eq!(told("x = 5 % 3"), "Number 5; Number 3; ");
        assert_eq!(told("f(1\n%2)"), "Number 1; Number 2; ");
    }

    #[test]
    fn what_is_open_is_known() {
        for open in ["f(", "[1,\n2", "x = '''a", "\"\"\"", "1 + \\", "1 + \\\n", "f('''(''' ,"] {
            assert!(pieces(open).open.is_open(), "{open}");
        }
        for closed in ["f()", "x = '('", "# (", "'''a'''", "x = 'a", ")", "1 + \\\n2", "!echo (", "'\\\\'"] {
            assert!(!pieces(closed).open.is_open(), "{closed}");
        }
    }

    proptest! {
        #[test]
        fn pieces_are_the_whole_text(text in "[a-f'\"\\\\ \n(){}\\[\\]#%!@?0-9.ü漢]{0,60}") {
            assert_whole(&text, pieces(&text));
        }
    }
}
