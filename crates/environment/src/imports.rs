//! Which modules a program imports, read off its text.
//!
//! Good enough to choose an environment or a warm interpreter by, and no more: nothing is run, and what is imported by a computed
//! name is not seen. A parser was rejected: it would have to be the one of the program's own Python, syntax errors and the
//! magics of notebooks would defeat it, and starting an interpreter costs more than the whole choice may.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::str::Chars;

/// The top-level names of the modules that `source` imports anywhere in it: `import a.b as c, d` gives `a` and `d`,
/// `from x.y import z` gives `x`. Strings and comments are passed over, relative imports are left out.
pub fn imports(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for statement in statements(source) {
        let statement = statement.trim_start();
        if let Some(names) = after_word(statement, "import") {
            found.extend(names.split(',').filter_map(top_level));
        } else if let Some(rest) = after_word(statement, "from")
            && rest.split_whitespace().any(|word| word.starts_with("import"))
        {
            found.extend(top_level(rest));
        }
    }
    found
}

/// What follows a keyword that stands at the beginning.
fn after_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.strip_prefix(word).filter(|rest| rest.starts_with(char::is_whitespace))
}

/// The first component of a dotted name; `None` where there is no name, as in a relative import.
fn top_level(text: &str) -> Option<String> {
    let text = text.trim_start();
    let end = text.find(|each: char| !(each.is_alphanumeric() || each == '_')).unwrap_or(text.len());
    let name = &text[..end];
    let named = name.starts_with(|first: char| first.is_alphabetic() || first == '_');
    named.then(|| name.to_owned())
}

/// Splits a program where a statement may begin: at line ends outside brackets, at `;`, and after `:` (as in `try: import x`).
fn statements(source: &str) -> Vec<String> {
    let mut statements = vec![String::new()];
    let mut depth = 0_u32;
    let mut chars = source.chars().peekable();
    while let Some(each) = chars.next() {
        let current = statements.last_mut().expect("never empty");
        match each {
            '#' => while chars.next_if(|&next| next != '\n').is_some() {},
            '"' | '\'' => {
                skip_string(each, &mut chars);
                current.push('"');
            }
            '\\' if chars.next_if(|&next| next == '\n' || next == '\r').is_some() => {
                chars.next_if_eq(&'\n');
                current.push(' ');
            }
            '(' | '[' | '{' => {
                depth += 1;
                current.push(each);
            }
            ')' | ']' | '}' => {
                depth = depth.saturating_sub(1);
                current.push(each);
            }
            '\n' | ';' | ':' if depth == 0 => statements.push(String::new()),
            '\n' => {
                // A bracket that never closes must not hide the rest: no line inside brackets begins with these words.
                current.push(' ');
                let rest: String = chars.clone().take(16).collect();
                if after_word(&rest, "import").is_some() || after_word(&rest, "from").is_some() {
                    depth = 0;
                    statements.push(String::new());
                }
            }
            _ => current.push(each),
        }
    }
    statements
}

/// Passes over the rest of a string whose first quote has been read. One that is not closed ends with its line.
fn skip_string(quote: char, chars: &mut Peekable<Chars<'_>>) {
    if chars.next_if_eq(&quote).is_none() {
        while let Some(each) = chars.next_if(|&next| next != '\n') {
            if each == '\\' {
                chars.next();
            } else if each == quote {
                return;
            }
        }
        return;
    }
    if chars.next_if_eq(&quote).is_none() {
        return;
    }
    let mut closing = 0;
    while let Some(each) = chars.next() {
        closing = if each == quote { closing + 1 } else { 0 };
        if closing == 3 {
            return;
        }
        if each == '\\' {
            chars.next();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(source: &str) -> Vec<String> {
        imports(source).into_iter().collect()
    }

    #[test]
    fn every_form_of_import_is_seen() {
        assert_eq!(names("import a.b as c, d"), ["a", "d"]);
        assert_eq!(names("from x.y import z, w"), ["x"]);
        assert_eq!(names("from x import (\n  a,\n  b,\n)\nimport y"), ["x", "y"]);
        assert_eq!(names("if True:\n    import inner\n\tfrom tab import x"), ["inner", "tab"]);
        assert_eq!(names("try: import fast\nexcept ImportError: import slow"), ["fast", "slow"]);
        assert_eq!(names("x = 1; import after; import more"), ["after", "more"]);
        assert_eq!(names("import \\\n  continued, \\\r\n other"), ["continued", "other"]);
        assert_eq!(names("from\tt\timport(x)"), ["t"]);
        assert_eq!(names("import naïve_数"), ["naïve_数"]);
    }

    #[test]
    fn what_is_no_import_is_passed_over() {
        assert!(names("from . import a\nfrom .b import c\nfrom .. import d").is_empty());
        assert!(names("# import a\nx = 'import b'\ny = \"\"\"\nimport c\n\"\"\"\nimporter = 1").is_empty());
        assert!(names("important = frommage = 3\nraise E from cause\nyield from thing").is_empty());
        assert_eq!(names("s = 'it\\'s'\nimport a"), ["a"]);
        assert_eq!(names("r'''x\\''' import no'''\nimport b"), ["b"]);
        assert_eq!(names("empty = ''\nimport c"), ["c"]);
    }

    #[test]
    fn magics_and_broken_code_hide_nothing() {
        assert_eq!(names("!echo it's\nimport a\n%time 1\nimport b"), ["a", "b"]);
        assert_eq!(names("print((1\nimport c"), ["c"]);
        assert_eq!(names("s = 'open\nimport d"), ["d"]);
    }

    proptest! {
        #[test]
        fn any_text_gives_only_names(source in "(?s).{0,200}") {
            for name in imports(&source) {
                prop_assert!(!name.is_empty() && name.chars().all(|each| each.is_alphanumeric() || each == '_'));
            }
        }

        #[test]
        fn an_import_on_a_line_of_its_own_is_found(before in "[a-z =+()0-9\n]{0,80}", name in "[a-z_][a-z0-9_]{0,8}") {
            let source = format!("{before}\nimport {name}\n");
            prop_assert!(imports(&source).contains(&name));
        }
    }
}
