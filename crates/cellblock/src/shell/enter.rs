//! What the Enter key does: run what stands there, or begin another line.
//!
//! A first answer comes from the text alone, at once. Where that says "done", the kernel has the last word, since it
//! knows Python; where it does not answer in time, the first answer holds. A blank line always ends a block, and never
//! a bracket or a text in three quotes. In JavaScript nothing but the kernel knows what is whole, so it is asked first.

use super::{lexer, script};

/// What the kernel says of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Checked {
    /// It can be run. What is wrong beyond repair is run, too: its error says more than we could.
    Whole,
    /// More must come, after so many blanks.
    Part(usize),
}

/// What Enter does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Enter {
    Run,
    /// A new line that begins with this.
    Line(String),
}

/// One step of indentation.
const STEP: &str = "    ";
/// How far back the beginning of a statement is looked for, lines.
const LOOKED: usize = 100;
/// The deepest line that is begun.
const DEEPEST: usize = 200;

/// Decides it for a text with the cursor at this byte. `check` asks the kernel, which may not answer.
pub(crate) fn enter(text: &str, cursor: usize, check: impl FnOnce(&str) -> Option<Checked>) -> Enter {
    if text.trim().is_empty() {
        return Enter::Run;
    }
    let after = text.get(cursor..).unwrap_or_default();
    let lines = text.trim_end_matches('\n').contains('\n');
    if lines && !after.trim().is_empty() {
        let before = &text[..text.len() - after.len()];
        return Enter::Line(indentation(last_line(before)).to_owned());
    }
    let open = lexer::pieces(text).open;
    let last = last_line(text);
    if open.text {
        return Enter::Line(String::new());
    }
    if open.brackets > 0 || open.continued {
        // In line with what is there; one step in after the line that opened it.
        let inner = if lines { "" } else { STEP };
        return Enter::Line(format!("{}{inner}", indentation(last)));
    }
    if text.starts_with("%%") {
        return if text.contains('\n') && last.trim().is_empty() {
            Enter::Run
        } else {
            Enter::Line(String::new())
        };
    }
    let code = without_comment(text.trim_end());
    if code.ends_with(':') {
        return Enter::Line(format!("{}{STEP}", indentation(statement(text.trim_end()))));
    }
    if last.trim().is_empty() {
        return Enter::Run;
    }
    let statement = statement(text);
    if statement.starts_with([' ', '\t']) && lines {
        return Enter::Line(after_statement(statement));
    }
    if statement.starts_with('@') && !last.trim_start_matches('@').trim().is_empty() {
        return Enter::Line(String::new());
    }
    if last.starts_with(['!', '%', '?']) || last.ends_with('?') {
        return Enter::Run;
    }
    match check(text) {
        Some(Checked::Part(blanks)) => Enter::Line(" ".repeat(blanks.min(DEEPEST))),
        Some(Checked::Whole) | None => Enter::Run,
    }
}

/// The same for JavaScript and TypeScript.
pub(crate) fn enter_script(text: &str, cursor: usize, check: impl FnOnce(&str) -> Option<Checked>) -> Enter {
    if text.trim().is_empty() {
        return Enter::Run;
    }
    let after = text.get(cursor..).unwrap_or_default();
    if text.trim_end_matches('\n').contains('\n') && !after.trim().is_empty() {
        let before = &text[..text.len() - after.len()];
        return Enter::Line(indentation(last_line(before)).to_owned());
    }
    match check(text) {
        Some(Checked::Part(blanks)) => Enter::Line(" ".repeat(blanks.min(DEEPEST))),
        None if script::pieces(text).open.is_open() => Enter::Line(indentation(last_line(text)).to_owned()),
        Some(Checked::Whole) | None => Enter::Run,
    }
}

fn last_line(text: &str) -> &str {
    text.rsplit_once('\n').map_or(text, |(_, last)| last)
}

/// The last statement: its lines from where no bracket and no text is open.
fn statement(text: &str) -> &str {
    let starts = text.rmatch_indices('\n').map(|(at, _)| at + 1).take(LOOKED).chain([0]);
    let begins = |at: &usize| !lexer::pieces(&text[..*at]).open.is_open();
    starts.into_iter().find(begins).map_or(text, |at| &text[at..])
}

fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// The indentation after a line of a block: one step less after what ends it.
fn after_statement(line: &str) -> String {
    let before = indentation(line);
    let word = line.trim_start().split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let ends = matches!(word, "return" | "pass" | "break" | "continue" | "raise");
    let shorter = if ends { before.strip_suffix(STEP) } else { None };
    shorter.unwrap_or(before).to_owned()
}

/// A text whose last line has no comment.
fn without_comment(text: &str) -> &str {
    let pieces = lexer::pieces(text).pieces;
    let mut code = text;
    for (range, kind) in pieces.iter().rev() {
        match kind {
            lexer::Kind::Comment => code = &text[..range.start],
            _ if text[range.clone()].trim().is_empty() => {}
            _ => break,
        }
    }
    code.trim_end()
}

/// Whether the backspace key removes a whole step of indentation here.
pub(crate) fn steps_back(text: &str, cursor: usize) -> bool {
    let last = last_line(text);
    let blank = !last.is_empty() && last.bytes().all(|byte| byte == b' ');
    cursor == text.len() && blank && last.len().is_multiple_of(STEP.len())
}

/// What the Tab key inserts here, where nothing can be completed: the rest of a step of indentation.
pub(crate) fn tab(text: &str, cursor: usize) -> Option<&'static str> {
    let before = text.get(..cursor).map_or("", last_line);
    before.trim().is_empty().then(|| &STEP[before.len() % STEP.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_end(text: &str) -> Enter {
        enter(text, text.len(), |_| None)
    }

    fn line(indentation: &str) -> Enter {
        Enter::Line(indentation.to_owned())
    }

    #[test]
    fn a_whole_statement_is_run() {
        for whole in [
            "1 + 1",
            "",
            "x = (1,\n     2)",
            "if x:\n    f(1,\n      2)\n",
            "!ls (",
            "%time x",
            "f?",
            "# nothing:",
            "x = 'a:'",
        ] {
            assert_eq!(at_end(whole), Enter::Run, "{whole}");
        }
    }

    #[test]
    fn a_block_goes_on_until_a_blank_line() {
        assert_eq!(at_end("for x in y:"), line("    "));
        assert_eq!(at_end("for x in y:  # all"), line("    "));
        assert_eq!(at_end("for x in y:\n    f(x)"), line("    "));
        assert_eq!(at_end("for x in y:\n    f(x)\n    "), Enter::Run);
        assert_eq!(at_end("for x in y:\n    f(x)\n"), Enter::Run);
        assert_eq!(at_end("def f():\n    if x:\n        return 1"), line("    "));
        assert_eq!(at_end("@cache"), line(""));
        assert_eq!(at_end("if (x and\n        y):"), line("    "));
        assert_eq!(at_end("if x:\n    f(1,\n      2)"), line("    "));
        // Twice by mistake, before there is a body.
        assert_eq!(at_end("for x in y:\n"), line("    "));
    }

    #[test]
    fn what_is_open_goes_on_whatever_comes() {
        assert_eq!(at_end("f("), line("    "));
        assert_eq!(at_end("f(\n    1,"), line("    "));
        assert_eq!(at_end("f(\n    1,\n"), line(""));
        assert_eq!(at_end("x = '''\n\n"), line(""));
        assert_eq!(at_end("%%bash"), line(""));
        assert_eq!(at_end("%%bash\nls"), line(""));
        assert_eq!(at_end("%%bash\nls\n"), Enter::Run);
    }

    #[test]
    fn the_kernel_has_the_last_word() {
        let part = || Some(Checked::Part(2));
        assert_eq!(enter("try: f()", 8, |_| part()), line("  "));
        assert_eq!(enter("f(", 2, |_| Some(Checked::Whole)), line("    "));
        assert_eq!(enter("x", 1, |_| Some(Checked::Whole)), Enter::Run);
    }

    #[test]
    fn within_several_lines_enter_makes_another() {
        let text = "if x:\n    a()\n    b()";
        assert_eq!(enter(text, 13, |_| None), line("    "));
        assert_eq!(enter("f(x) + 1", 2, |_| None), Enter::Run);
    }

    #[test]
    fn in_javascript_the_kernel_knows_what_is_whole() {
        let part = || Some(Checked::Part(2));
        assert_eq!(enter_script("if (x) {", 8, |_| part()), line("  "));
        assert_eq!(enter_script("x:", 2, |_| Some(Checked::Whole)), Enter::Run);
        assert_eq!(enter_script(" ", 1, |_| part()), Enter::Run);
        // Where it does not answer, what is open does.
        assert_eq!(enter_script("  f(", 4, |_| None), line("  "));
        assert_eq!(enter_script("f(`(`)", 6, |_| None), Enter::Run);
        assert_eq!(enter_script("{\n  a()\n}", 7, |_| part()), line("  "));
    }

    #[test]
    fn indentation_goes_in_steps() {
        let back = |text: &str| steps_back(text, text.len());
        assert!(back("        ") && back("if x:\n    ") && !back("if x:\n  "));
        assert!(!back("") && !back("a") && !back("if x:\n") && !steps_back("if x:\n    ", 8));
        assert_eq!(
            (tab("  ", 2), tab("", 0), tab("df.", 3), tab("x\n", 2)),
            (Some("  "), Some("    "), None, Some("    "))
        );
    }
}
