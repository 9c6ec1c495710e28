//! Rust source without what is not code: just enough of a lexer to tell a word in the code from the same word
//! in a comment, a string or a character.
//!
//! A parser crate was rejected: the question is one word, and a lexer cannot fall behind the language's
//! grammar.

/// The lines (from 1) on which `word` stands in the code as a token of its own.
pub(crate) fn lines_with_word(source: &str, word: &str) -> Vec<usize> {
    let mut lines = Vec::new();
    for (number, line) in blanked(source).lines().enumerate() {
        let mut words = line.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        if words.any(|found| found == word) {
            lines.push(number + 1);
        }
    }
    lines
}

/// `source` with comments and literals replaced by spaces; lines stay where they are.
fn blanked(source: &str) -> String {
    let mut rest = source;
    let mut out = String::with_capacity(source.len());
    let mut in_word = false;
    while let Some(first) = rest.chars().next() {
        let length = if in_word { None } else { prefixed_literal(rest) };
        let length = length.or_else(|| comment(rest)).or_else(|| plain_literal(rest));
        if let Some(length) = length {
            out.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[length..];
            in_word = false;
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            in_word = first.is_alphanumeric() || first == '_';
        }
    }
    out
}

/// The length of a comment at the start of `text`.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if !text.starts_with("/*") {
        return None;
    }
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    Some(text.len())
}

/// The length of a string or character at the start of `text`, without a prefix. A lifetime is none.
fn plain_literal(text: &str) -> Option<usize> {
    if text.starts_with('"') {
        return Some(quoted(text, '"'));
    }
    let after = text.strip_prefix('\'')?;
    let mut characters = after.chars();
    let first = characters.next()?;
    (first == '\\' || characters.next() == Some('\'')).then(|| quoted(text, '\''))
}

/// The length of a literal that begins with letters: `b""`, `c""`, `r""`, `br#""#`, `b''`.
fn prefixed_literal(text: &str) -> Option<usize> {
    let after = text.trim_start_matches(['b', 'c', 'r']);
    let prefix = &text[..text.len() - after.len()];
    if prefix.is_empty() || prefix.len() > 2 {
        return None;
    }
    if !prefix.ends_with('r') {
        return Some(prefix.len() + plain_literal(after)?);
    }
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(prefix.len() + hashes + 1 + length)
}

/// The length of a literal with escapes from one `quote` to the next.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + quote.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_found(source: &str, lines: &[usize]) {
        assert_eq!(lines_with_word(source, "unsafe"), lines, "{source}");
    }

    #[test]
    fn the_word_in_code_is_found() {
        assert_found("fn main() {\n    unsafe { f() }\n}", &[2]);
        assert_found("unsafe impl Send for A {}\n#[unsafe(no_mangle)]", &[1, 2]);
        assert_found("let a = b'\"'; unsafe {}", &[1]);
        assert_found("let a = '\"'; unsafe {} // \"", &[1]);
        assert_found("let a = '\\''; unsafe {}", &[1]);
        assert_found("fn f<'a>(x: &'a str) { unsafe {} }", &[1]);
        assert_found("let a = r\"\\\"; unsafe {}", &[1]);
        assert_found("let bar = \"\"; unsafe {}", &[1]);
        assert_found("let a = r#unsafe;", &[1]);
        assert_found("/* a */ unsafe {}", &[1]);
        assert_found("let a = \"two\nlines\";\nunsafe {}", &[3]);
    }

    #[test]
    fn the_word_elsewhere_is_not() {
        assert_found("unsafe_code = 1; not_unsafe();", &[]);
        assert_found("// unsafe\n/// unsafe", &[]);
        assert_found("/* /* unsafe */ unsafe */", &[]);
        assert_found("let a = \"unsafe \\\" unsafe\";", &[]);
        assert_found("let a = r#\"\" unsafe \"#;", &[]);
        assert_found("let a = br##\"\"# unsafe\"##;", &[]);
        assert_found("let a = b\"unsafe\"; let b = c\"unsafe\";", &[]);
        assert_found("let a = 'é'; let b = \"é unsafe\";", &[]);
    }

    #[test]
    fn source_that_ends_early_is_read_to_its_end() {
        for source in ["\"unsafe", "/* unsafe", "r#\"unsafe", "'\\", "b'", "//", "'"] {
            assert_found(source, &[]);
        }
    }
}
