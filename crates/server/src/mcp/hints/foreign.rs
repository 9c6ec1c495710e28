//! Whether a line that cannot be read is one of another language.
//!
//! Only asked of code that failed before it ran, or for a name that there is not. It goes by how lines begin, and by
//! names: what may be a slip in the language itself is not taken for another one.

use std::sync::LazyLock;

use regex_lite::Regex;
use session::{Dialect, Language};

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spoken {
    /// A shell's command.
    Shell,
    /// A language, as people call it and as callers do.
    Other(&'static str, &'static str),
}

const PYTHON: Spoken = Spoken::Other("Python", "python");
const JAVASCRIPT: Spoken = Spoken::Other("JavaScript", "javascript");
const TYPESCRIPT: Spoken = Spoken::Other("TypeScript", "typescript");

/// Programs that people run in a shell, and whose names no program begins a line with.
const PROGRAMS: [&str; 48] = [
    "ls", "cd", "pip", "pip3", "python", "python3", "npm", "npx", "node", "deno", "curl", "wget", "cat",
    "echo", "mkdir", "rm", "cp", "mv", "git", "apt", "apt-get", "grep", "find", "which", "head", "tail",
    "chmod", "unzip", "tar", "bash", "sh", "sudo", "export", "conda", "touch", "pwd", "df", "du", "ps",
    "env", "whoami", "sed", "awk", "sort", "wc", "zip", "uname", "source",
];
/// Names that are always there in Python, and in JavaScript nobody's.
const OF_PYTHON: [&str; 13] = [
    "print",
    "len",
    "range",
    "str",
    "int",
    "float",
    "dict",
    "enumerate",
    "isinstance",
    "sorted",
    "None",
    "True",
    "False",
];
/// Names that are always there in Node, and in Python nobody's.
const OF_JAVASCRIPT: [&str; 5] = ["console", "require", "JSON", "process", "undefined"];

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of ours")
}

static PYTHON_LINE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"^(?:(?:async )?def \w+\(.*|class \w+(?:\([\w., ]*\))?:.*|import [A-Za-z_][\w.]*(?: as \w+)?(?:, *[A-Za-z_][\w.]*(?: as \w+)?)*|from [\w.]+ import .*|elif .*|(?:if|for|while|with|try|except|finally|else)\b[^{]*:|print f?["'].*|@\w+|# .*)$"#,
    )
});
static JAVASCRIPT_LINE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r#"^(?:(?:const|let|var)\s+[\w$\[{].*|(?:export )?(?:default )?(?:async )?function\b.*|import\b.* from ["'].*|import ["'].*|import\s*\{.*|export (?:const|let|default|class|\{).*|//.*|/\*.*|console\.\w+\(.*|[\w$.]+ = (?:async )?\(?[\w$, ]*\)? => .*|(?:if|for|while|switch) ?\(.*\) ?\{.*|\}.*|class \w+(?: extends [\w.]+)? ?\{.*)$"#,
    )
});
static TYPESCRIPT_LINE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"^(?:(?:export )?(?:declare )?(?:interface|enum|namespace) \w+.*\{.*|(?:export )?type \w+(?:<.*>)? ?=.*|import type .*|(?:export )?(?:const|let|var) [\w$]+ ?: ?[\w{(\[].*|(?:export )?(?:async )?function \w+(?:<.*>)?\(.*(?:\w\??: ?[\w{(\[]|\) ?: ?[\w{(\[]).*|.*\(\w+\??: (?:string|number|boolean|any|unknown)\b.*|.* as (?:const|any|unknown|string|number)\b.*|.* satisfies \w.*)$",
    )
});

/// What a line is that this language cannot read; `unknown` is the name in it that there is not.
pub(super) fn spoken(language: Language, line: &str, unknown: Option<&str>) -> Option<Spoken> {
    let line = line.trim();
    let has = |names: &[&str]| unknown.is_some_and(|name| names.contains(&name));
    let python = language == Language::Python;
    if python {
        if has(&OF_JAVASCRIPT) {
            return Some(JAVASCRIPT);
        }
        if TYPESCRIPT_LINE.is_match(line) {
            return Some(TYPESCRIPT);
        }
        if JAVASCRIPT_LINE.is_match(line) {
            return Some(JAVASCRIPT);
        }
    } else if has(&OF_PYTHON) || PYTHON_LINE.is_match(line) {
        return Some(PYTHON);
    } else if is_javascript(language) && unknown.is_none() && TYPESCRIPT_LINE.is_match(line) {
        return Some(TYPESCRIPT);
    }
    let exported = line.starts_with("export ") && !line.contains('=');
    (looks_like_shell(line) && (python || !(exported || JAVASCRIPT_LINE.is_match(line))))
        .then_some(Spoken::Shell)
}

/// What somebody may have meant who gave this line to a shell.
pub(super) fn of_command(line: &str) -> Option<Spoken> {
    let line = line.trim();
    let python = ["import ", "from ", "print(", "def ", "for ", "df."];
    if JAVASCRIPT_LINE.is_match(line) && !line.starts_with(['/', '}']) {
        return Some(JAVASCRIPT);
    }
    python.iter().any(|begin| line.starts_with(begin)).then_some(PYTHON)
}

fn is_javascript(language: Language) -> bool {
    matches!(language, Language::Node(Dialect::JavaScript) | Language::Deno(Dialect::JavaScript))
}

/// Whether a line is what people type into a shell.
fn looks_like_shell(line: &str) -> bool {
    let line = line.trim_start_matches(['!', '%', '$']).trim();
    let mut words = line.split_whitespace();
    let Some(program) = words.next() else { return false };
    let rest = words.next().unwrap_or("");
    PROGRAMS.contains(&program) && !rest.starts_with(['=', '(', '.', ',', '+', '*'])
}

#[cfg(test)]
mod tests {
    use super::super::tests::{JAVASCRIPT as NODE, TYPESCRIPT as TYPED};
    use super::*;

    #[test]
    fn shell_commands_are_recognised() {
        for line in ["ls -la", "!ls", "pip install requests", "cd /tmp && ls", "curl https://a.example", "ls"]
        {
            assert_eq!(spoken(Language::Python, line, None), Some(Spoken::Shell), "{line}");
            assert_eq!(spoken(NODE, line, None), Some(Spoken::Shell), "{line}");
        }
        for line in ["ls = 3", "sort(x)", "find.me()", "x = 1", "print(ls)", "", "head, tail = x"] {
            assert!(!looks_like_shell(line), "{line}");
        }
        assert_eq!(spoken(NODE, "export const a = ;", None), None);
        assert_eq!(spoken(NODE, "export A=b", None), Some(Spoken::Shell));
    }

    #[test]
    fn languages_are_told_apart() {
        for line in [
            "import pandas as pd",
            "import os, sys",
            "from math import pi",
            "def f(a, b):",
            "for x in range(3):",
            "if x == 1:",
            "class A(B):",
            "# the sum",
        ] {
            assert_eq!(spoken(NODE, line, None), Some(PYTHON), "{line}");
            assert_eq!(spoken(TYPED, line, None), Some(PYTHON), "{line}");
            assert_eq!(spoken(Language::Python, line, None), None, "{line}");
        }
        for line in [
            "const x = 1;",
            "let { a } = b",
            "function f() {",
            "import fs from 'node:fs'",
            "import { a } from \"b\"",
            "// the sum",
            "for (const x of y) {",
            "f = (a, b) => a + b",
            "console.log(1);",
        ] {
            assert_eq!(spoken(Language::Python, line, None), Some(JAVASCRIPT), "{line}");
            assert_eq!(spoken(NODE, line, None), None, "{line}");
        }
        for line in
            ["interface A { b: number }", "type A = string", "const a: number = 1", "f((x: number) => x)"]
        {
            assert_eq!(spoken(Language::Python, line, None), Some(TYPESCRIPT), "{line}");
            assert_eq!(spoken(NODE, line, None), Some(TYPESCRIPT), "{line}");
            assert_eq!(spoken(TYPED, line, None), None, "{line}");
        }
    }

    #[test]
    fn names_tell_as_well_and_slips_do_not() {
        assert_eq!(spoken(NODE, "x = len(y)", Some("len")), Some(PYTHON));
        assert_eq!(spoken(Language::Python, "x = JSON.parse(y)", Some("JSON")), Some(JAVASCRIPT));
        for line in ["x = (1", "total = sum(x", "else:", "print('a'", "df.head(", "if x = 1:", "a: int = "] {
            assert_eq!(spoken(Language::Python, line, None), None, "{line}");
        }
        for line in
            ["const x = ;", "if (x {", "case 1:", "f(x", "label:", "a ? b : ", "const x = {a: 1, a b}"]
        {
            assert_eq!(spoken(NODE, line, None), None, "{line}");
        }
    }

    #[test]
    fn a_shell_is_given_programs_too() {
        assert_eq!(of_command("import os"), Some(PYTHON));
        assert_eq!(of_command("const x = 1"), Some(JAVASCRIPT));
        assert_eq!(of_command("/bin/nothing"), None);
        assert_eq!(of_command("//bin/nothing"), None);
    }
}
