//! JavaScript and TypeScript as a line editor sees them: as rough as Python in `lexer.rs`, and for the same use.
//!
//! Regular expressions are not told from divisions, which costs a wrong colour.

use super::lexer::{Kind, Open, Pieces};

const KEYWORDS: &[&str] = &[
    "abstract",
    "as",
    "async",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "declare",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "export",
    "extends",
    "finally",
    "for",
    "from",
    "function",
    "if",
    "implements",
    "import",
    "in",
    "instanceof",
    "interface",
    "let",
    "namespace",
    "new",
    "of",
    "private",
    "protected",
    "public",
    "readonly",
    "return",
    "satisfies",
    "static",
    "switch",
    "throw",
    "try",
    "type",
    "typeof",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

const KNOWN: &[&str] = &[
    "Array",
    "BigInt",
    "Boolean",
    "Date",
    "Deno",
    "Error",
    "Infinity",
    "JSON",
    "Map",
    "Math",
    "NaN",
    "Number",
    "Object",
    "Promise",
    "RegExp",
    "Set",
    "String",
    "Symbol",
    "any",
    "boolean",
    "console",
    "display",
    "false",
    "fetch",
    "globalThis",
    "module",
    "never",
    "null",
    "number",
    "process",
    "require",
    "string",
    "super",
    "this",
    "true",
    "undefined",
    "unknown",
];

/// Takes a text apart. What stands in the `${}` of a template has the template's colour.
pub(crate) fn pieces(text: &str) -> Pieces {
    let mut found = Pieces::default();
    let mut at = 0;
    let mut defines = false;
    while let Some(first) = text[at..].chars().next() {
        let (length, kind) = piece(&text[at..], first, text[..at].ends_with('.'), &mut found.open, defines);
        let word = &text[at..at + length];
        if !word.trim().is_empty() {
            defines = kind == Kind::Keyword && matches!(word, "class" | "function" | "interface" | "enum");
        }
        match found.pieces.last_mut() {
            Some((last, same)) if *same == kind => last.end = at + length,
            _ => found.pieces.push((at..at + length, kind)),
        }
        at += length;
    }
    found
}

fn piece(rest: &str, first: char, attribute: bool, open: &mut Open, defines: bool) -> (usize, Kind) {
    let is_name = |c: char| c == '_' || c == '$' || c.is_alphanumeric();
    match first {
        '/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), Kind::Comment),
        '/' if rest.starts_with("/*") => {
            let end = rest[2..].find("*/");
            open.text |= end.is_none();
            (end.map_or(rest.len(), |end| end + 4), Kind::Comment)
        }
        '"' | '\'' | '`' => {
            let (length, closed) = quoted(rest, first);
            open.text |= first == '`' && !closed;
            (length, Kind::Text)
        }
        '(' | '[' | '{' => {
            open.brackets += 1;
            (1, Kind::Plain)
        }
        ')' | ']' | '}' => {
            open.brackets = open.brackets.saturating_sub(1);
            (1, Kind::Plain)
        }
        '@' => (rest[1..].find(|c| !is_name(c)).map_or(rest.len(), |end| end + 1), Kind::Decorator),
        first if first.is_ascii_digit() => {
            let number = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
            (rest.find(|c| !number(c)).unwrap_or(rest.len()), Kind::Number)
        }
        first if is_name(first) => {
            let word = &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())];
            let kind = match word {
                _ if attribute => Kind::Plain,
                _ if defines => Kind::Defined,
                word if KEYWORDS.contains(&word) => Kind::Keyword,
                word if KNOWN.contains(&word) => Kind::Known,
                _ => Kind::Plain,
            };
            (word.len(), kind)
        }
        first => (first.len_utf8(), Kind::Plain),
    }
}

/// How long a text is, with its quotes, and whether it is closed. One that is not ends with its line, but for a template.
fn quoted(rest: &str, quote: char) -> (usize, bool) {
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, each)) = chars.next() {
        match each {
            '\\' => _ = chars.next(),
            '\n' if quote != '`' => return (at, false),
            _ if each == quote => return (at + 1, true),
            _ => {}
        }
    }
    (rest.len(), false)
}

#[cfg(test)]
mod tests {
    use super::super::lexer::looks::{self, assert_whole};
    use super::*;
    use proptest::prelude::*;

    fn told(text: &str) -> String {
        looks::told(text, pieces(text))
    }

    #[test]
    fn words_are_what_they_are_where_they_stand() {
        assert_eq!(
            told("const x = Math.max(1_0n, y.of) // a"),
            "Keyword const; Known Math; Number 1_0n; Comment // a; "
        );
        assert_eq!(told("class A { @log f() {} }"), "Keyword class; Defined A; Decorator @log; ");
        assert_eq!(told("'it\\'s' + \"b\" + `a\n${c}`"), "Text 'it\\'s'; Text \"b\"; Text `a\n${c}`; ");
        assert_eq!(told("'open\nif /* a\n*/ (x)"), "Text 'open; Keyword if; Comment /* a\n*/; ");
    }

    #[test]
    fn what_is_open_is_known() {
        for open in ["f(", "{", "`a\n", "/* a", "f(`)`"] {
            assert!(pieces(open).open.is_open(), "{open}");
        }
        for closed in ["f()", "'('", "// (", "`(`", "/* ( */", ")"] {
            assert!(!pieces(closed).open.is_open(), "{closed}");
        }
    }

    proptest! {
        #[test]
        fn pieces_are_the_whole_text(text in "[a-f'\"`\\\\ \n(){}$/*@?0-9.ü漢]{0,60}") {
            assert_whole(&text, pieces(&text));
        }
    }
}
