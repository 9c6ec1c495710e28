//! What a program in JavaScript or TypeScript imports, read off its text.
//!
//! Good enough to bring the files that it imports, and no more: what is imported by a computed name is not seen. A
//! parser was rejected: it would have to know every form of TypeScript, and a syntax error would defeat it. So the text
//! is taken apart into words, texts and signs; what stands in comments, texts and regular expressions is passed over.
//! Where a slash could begin a regular expression or divide, the word before it decides, and a wrong guess ends with
//! its line.

use std::collections::BTreeSet;

/// A piece of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    /// A text, without its quotes; as it stands there, so one with a backslash in it is not what it means.
    Text(&'a str),
    Sign(char),
}

/// What `source` imports anywhere in it, in every way: `import`, `export … from`, `import(…)`, `require(…)`; as it says
/// it (`./lib.js`, `lodash/fp`, `node:fs`).
pub(crate) fn specifiers(source: &str) -> BTreeSet<String> {
    let tokens = tokens(source);
    let mut found = BTreeSet::new();
    for (at, token) in tokens.iter().enumerate() {
        let Token::Text(text) = token else { continue };
        let before = |back: usize| at.checked_sub(back).map(|at| &tokens[at]);
        let ends = || matches!(tokens.get(at + 1), Some(Token::Sign(')' | ',')));
        let is_name = |token: Option<&Token>| matches!(token, Some(Token::Sign('.' | '#')));
        let imported = match before(1) {
            Some(Token::Word("import")) => !is_name(before(2)),
            Some(Token::Word("from")) => matches!(before(2), Some(Token::Word(_) | Token::Sign('}' | '*'))),
            Some(Token::Sign('(')) if ends() => match (before(2), before(3)) {
                (Some(Token::Word("import" | "require")), before) => !is_name(before),
                // `require.resolve` and `import.meta.resolve`.
                (Some(Token::Word("resolve")), Some(Token::Sign('.'))) => {
                    matches!(before(4), Some(Token::Word("require" | "meta")))
                }
                _ => false,
            },
            _ => false,
        };
        if imported && !text.is_empty() && !text.contains(['\\', '\0']) {
            found.insert((*text).to_owned());
        }
    }
    found
}

/// The package that a specifier names: `@babel/parser` of `@babel/parser/lib/x.js`. None where it names a file, an
/// address or something that comes with the runtime.
pub(crate) fn package(specifier: &str) -> Option<&str> {
    if specifier.starts_with(['.', '/', '#']) || specifier.contains(':') {
        return None;
    }
    let mut ends = specifier.match_indices('/').map(|(at, _)| at);
    let first = ends.next();
    let end = if specifier.starts_with('@') { ends.next().filter(|_| first.is_some()) } else { first };
    let name = &specifier[..end.unwrap_or(specifier.len())];
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.@/~".contains(c);
    let is_one = !name.is_empty() && name.chars().all(plain) && (!name.starts_with('@') || first.is_some());
    (is_one && !BUILTIN.contains(&name)).then_some(name)
}

/// What comes with Node and needs no `node:`; Deno has the same.
const BUILTIN: &[&str] = &[
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "diagnostics_channel",
    "dns",
    "domain",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "repl",
    "stream",
    "string_decoder",
    "sys",
    "timers",
    "tls",
    "trace_events",
    "tty",
    "url",
    "util",
    "v8",
    "vm",
    "wasi",
    "worker_threads",
    "zlib",
];

/// Words after which a slash begins a regular expression.
const BEFORE_EXPRESSION: &[&str] = &[
    "await",
    "case",
    "delete",
    "do",
    "else",
    "in",
    "instanceof",
    "new",
    "of",
    "return",
    "throw",
    "typeof",
    "void",
    "yield",
];

fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let bytes = source.as_bytes();
    let mut at = 0;
    // For each `${` that is open, how many braces are open in it.
    let mut templates: Vec<usize> = Vec::new();
    if source.starts_with("#!") {
        at = line_end(bytes, 0);
    }
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'/' if bytes.get(at + 1) == Some(&b'/') => at = line_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = source[at + 2..].find("*/").map_or(bytes.len(), |end| at + 2 + end + 2);
            }
            b'/' => at = after_expression(bytes, at, tokens.last()),
            b'"' | b'\'' => {
                let end = text_end(bytes, at + 1, byte);
                tokens.push(Token::Text(&source[at + 1..end]));
                at = end + usize::from(bytes.get(end) == Some(&byte));
            }
            b'`' => at = template(source, at + 1, &mut tokens, &mut templates),
            b'{' | b'}' => {
                let open = templates.last().copied();
                match (byte, open) {
                    (b'}', Some(0)) => {
                        templates.pop();
                        at = template(source, at + 1, &mut tokens, &mut templates);
                        continue;
                    }
                    (b'}', Some(open)) => *templates.last_mut().expect("one is open") = open - 1,
                    (_, Some(open)) => *templates.last_mut().expect("one is open") = open + 1,
                    _ => {}
                }
                tokens.push(Token::Sign(char::from(byte)));
                at += 1;
            }
            _ if is_word(byte) => {
                let end =
                    bytes[at..].iter().position(|&byte| !is_word(byte)).map_or(bytes.len(), |end| at + end);
                tokens.push(Token::Word(&source[at..end]));
                at = end;
            }
            _ => {
                if !byte.is_ascii_whitespace() {
                    tokens.push(Token::Sign(char::from(byte)));
                }
                at += 1;
            }
        }
    }
    tokens
}

/// Bytes of characters beyond ASCII are parts of words.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |end| from + end)
}

/// Where a text ends that began before `at`: at its quote, or with its line.
fn text_end(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'\n' => return at,
            _ if byte == quote => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Passes over a part of a template, up to its end or to a `${`; gives what follows. A whole one without a `${` is a text.
fn template<'a>(source: &'a str, from: usize, tokens: &mut Vec<Token<'a>>, open: &mut Vec<usize>) -> usize {
    let bytes = source.as_bytes();
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'`' => {
                // After `}` it is the rest of one.
                let whole = bytes[from - 1] == b'`';
                tokens.push(if whole { Token::Text(&source[from..at]) } else { Token::Sign('`') });
                return at + 1;
            }
            b'$' if bytes.get(at + 1) == Some(&b'{') => {
                tokens.push(Token::Sign('`'));
                open.push(0);
                return at + 2;
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

/// What follows the slash at `at`, or the regular expression that it begins.
fn after_expression(bytes: &[u8], at: usize, before: Option<&Token>) -> usize {
    let divides = match before {
        None => false,
        Some(Token::Word(word)) => !BEFORE_EXPRESSION.contains(word),
        Some(Token::Text(_)) => true,
        Some(Token::Sign(sign)) => matches!(sign, ')' | ']' | '`'),
    };
    if divides {
        return at + 1;
    }
    let (mut end, mut set) = (at + 1, false);
    while let Some(&byte) = bytes.get(end) {
        match byte {
            b'\n' => return at + 1,
            b'\\' => end += 1,
            b'[' => set = true,
            b']' => set = false,
            b'/' if !set => return end + 1,
            _ => {}
        }
        end += 1;
    }
    at + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(source: &str) -> Vec<String> {
        specifiers(source).into_iter().collect()
    }

    #[test]
    fn every_form_of_import_is_seen() {
        for source in [
            "import './a'",
            "import a from './a'",
            "import a, { b as c } from \"./a\";",
            "import * as a from './a'",
            "import type { T } from './a'",
            "import{a}from'./a'",
            "import a from './a' with { type: 'json' }",
            "import {\n  a, // from './no'\n  b,\n} from './a'",
            "export { a } from './a'",
            "export * from './a'",
            "export * as ns from './a'",
            "const a = await import('./a')",
            "const a = await import(`./a`)",
            "const a = require('./a')",
            "import a = require('./a')",
            "require.resolve('./a'); import.meta.resolve('./a')",
            "x = `${require('./a')} ${ { b: `}` } }`",
            "x = 1 / 2; y = require('./a') / 3",
            "const e = /['\"`]/g; import('./a')",
            "if (/[/']/.test(x)) require('./a')",
            "return /'/.test(x) || require('./a')",
            "s = 'it\\'s'; require('./a')",
            "s = 'open\nrequire('./a')",
            "#!/usr/bin/env node's\nimport './a'",
        ] {
            assert_eq!(found(source), ["./a"], "{source}");
        }
    }

    #[test]
    fn what_is_no_import_is_passed_over() {
        for source in [
            "// import './a'\n/* require('./a') */",
            "x = \"import './a'\"; y = `require('./a')`",
            "this.import('./a'); loader.require('./a'); Array.from('./a')",
            "import(name); require('./' + name); require(`./${name}`)",
            "x = /import '.\\/a'/",
            "from('./a'); const from = './a'",
            "path.resolve('./a')",
            "import ''; require('a\\nb')",
        ] {
            assert_eq!(found(source), Vec::<String>::new(), "{source}");
        }
    }

    #[test]
    fn packages_are_told_from_files_and_what_the_runtime_has() {
        for (specifier, name) in [
            ("lodash", Some("lodash")),
            ("lodash/fp", Some("lodash")),
            ("@babel/parser", Some("@babel/parser")),
            ("@babel/parser/lib/x.js", Some("@babel/parser")),
            ("@babel", None),
            ("node:fs", None),
            ("fs/promises", None),
            ("./a", None),
            ("/a", None),
            ("#inner", None),
            ("npm:chalk@5", None),
            ("https://example.org/a.js", None),
            ("", None),
            ("a b", None),
        ] {
            assert_eq!(package(specifier), name, "{specifier}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken_apart(source in "(?s)[a-z/`'\"${}()\\\\é\n .*\\[]{0,80}") {
            let _ = specifiers(&source);
        }

        #[test]
        fn an_import_after_a_line_of_anything_is_found(before in "[a-z =+()0-9\"'/;]{0,60}") {
            prop_assume!(!before.contains("/*"));
            let source = format!("{before}\nimport {{ x }} from './found.js'\n");
            prop_assert!(specifiers(&source).contains("./found.js"));
        }
    }
}
