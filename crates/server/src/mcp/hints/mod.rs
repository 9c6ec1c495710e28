//! What to try when something failed: mistakes that are common, and what helps.
//!
//! A hint is short, and true of the language, the network and the environment that the call had. Where nothing is known
//! that helps there is none: a traceback says enough.

mod command;
mod foreign;
mod javascript;
mod python;

use session::network::{Mode, Network};
use session::{Language, Outcome, Report, Session};

use super::call::Code;
use super::directory;
use foreign::Spoken;

pub(super) use command::of_command;

/// What a session may have, as far as hints need it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) network: Mode,
    /// What is behind the mode, for a model.
    pub(super) reach: String,
    /// The environment's name, where it is known.
    environment: Option<String>,
}

impl Place {
    pub(super) fn of(network: &Network, environment: Option<String>) -> Place {
        let reach = match network.mode {
            Mode::None => {
                "This session has no network: what is not in it already cannot be fetched.".to_owned()
            }
            Mode::Allow => "This session reaches only what its operator has listed.".to_owned(),
            Mode::Internet => "This session reaches public addresses only.".to_owned(),
        };
        Place { network: network.mode, reach, environment }
    }
}

/// Who waits for an answer waits in vain.
const NOBODY: &str = "Nobody can type anything in: put the values into the code.";

/// What was raised, and where.
#[derive(Debug)]
struct Failure<'a> {
    language: Language,
    name: &'a str,
    text: &'a str,
    traceback: &'a str,
    /// Whether no earlier call's variables can be there.
    fresh: bool,
}

/// What to try after code that failed.
pub(super) async fn of_code(
    code: &Code,
    report: &Report,
    place: &Place,
    session: &Session,
    new: bool,
) -> Option<String> {
    if let Some(hint) = of_outcome(code.language, &report.outcome) {
        return Some(hint.to_owned());
    }
    let raised = report.raised.as_ref()?;
    let failure = Failure {
        language: code.language,
        name: raised.name.as_str(),
        text: raised.value.as_str(),
        traceback: raised.traceback.as_str(),
        fresh: new || report.fresh_kernel,
    };
    if let Some(hint) = of_another_language(&code.text, &failure) {
        return Some(hint);
    }
    let missing = match code.language {
        Language::Python => (failure.name == "FileNotFoundError").then(|| quoted(failure.text)).flatten(),
        Language::Node(_) | Language::Deno(_) => javascript::missing_file(&failure),
    };
    if let Some(path) = missing {
        let there = directory::there(session, &path).await;
        return Some(format!("`{}` is not there. {there}", super::arguments::shown(&path)));
    }
    match code.language {
        Language::Python => python::of(&failure, place),
        Language::Node(_) | Language::Deno(_) => javascript::of(&failure, place),
    }
}

/// What helps however the code was written.
fn of_outcome(language: Language, outcome: &Outcome) -> Option<&'static str> {
    let hint = match (outcome, language) {
        (Outcome::TimedOut { .. }, Language::Python) => {
            "Do less in one call, or start it from Python with subprocess.Popen and look at it in a later call."
        }
        (Outcome::TimedOut { .. }, Language::Node(_)) => {
            "Do less in one call, or start it with child_process.spawn and look at it in a later call."
        }
        (Outcome::TimedOut { .. }, Language::Deno(_)) => {
            "Do less in one call, or start it with `new Deno.Command(…).spawn()` and look at it in a later call."
        }
        (Outcome::OutOfMemory { .. }, Language::Python) => {
            "Work on smaller pieces: read files in chunks, and only the columns that you need."
        }
        (Outcome::OutOfMemory { .. }, _) => {
            "Work on smaller pieces: read files as streams, and keep only what you need."
        }
        (Outcome::Exited { .. }, Language::Python) => {
            "Leave out `sys.exit()` and `quit()`: they end the interpreter and its variables."
        }
        (Outcome::Exited { .. }, Language::Node(_)) => {
            "Leave out `process.exit()`: it ends the interpreter and its variables."
        }
        (Outcome::Exited { .. }, Language::Deno(_)) => {
            "Leave out `Deno.exit()` and `process.exit()`: they end the interpreter and its variables."
        }
        (Outcome::DiskFull { .. }, _) => "Remove files that are not needed, and try again.",
        _ => return None,
    };
    Some(hint)
}

/// Code that the language cannot read, and another one can.
fn of_another_language(code: &str, failure: &Failure) -> Option<String> {
    let unknown = match failure.language {
        Language::Python => match failure.name {
            "SyntaxError" | "IndentationError" => None,
            "NameError" => Some(quoted(failure.text)?),
            _ => return None,
        },
        Language::Node(_) | Language::Deno(_) if javascript::is_unread(failure) => {
            javascript::unknown(failure)
        }
        Language::Node(_) | Language::Deno(_) => return None,
    };
    let (at, first) = (raised_line(code, failure.traceback), first_line(code));
    let spoken = foreign::spoken(failure.language, at.unwrap_or(first), unknown.as_deref())?;
    let here = match failure.language.name() {
        "python" => "Python",
        "javascript" => "JavaScript",
        _ => "TypeScript",
    };
    Some(match spoken {
        Spoken::Shell => format!(
            "That is a shell command, not {here}: call execute_command with command={}.",
            serde_json::Value::from(first.trim_start_matches('!').trim())
        ),
        Spoken::Other(name, language) => {
            format!("That is {name}, not {here}: call execute_code with language=\"{language}\".")
        }
    })
}

/// What a fresh interpreter lacks.
fn no_variable(language: Language) -> String {
    let beside = match language {
        Language::Python => "",
        Language::Node(_) | Language::Deno(_) => " Python's variables are not seen here; files are.",
    };
    format!(
        "No variable of an earlier call is there: this interpreter has just been started. Run the code that makes them \
         first.{beside}"
    )
}

fn lower(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

fn first_line(code: &str) -> &str {
    code.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("# ")).unwrap_or("")
}

/// The line of the code that a traceback shows, the last one of several. A checker of types puts its number before it.
fn raised_line<'a>(code: &'a str, traceback: &str) -> Option<&'a str> {
    let shown: Vec<&str> = traceback.lines().map(str::trim).collect();
    let numbered = |number: usize, line: &str| {
        let number = (number + 1).to_string();
        shown.iter().any(|shown| {
            shown.strip_prefix(&number).and_then(|rest| rest.strip_prefix(' ')).map(str::trim) == Some(line)
        })
    };
    let lines: Vec<&str> = code.lines().map(str::trim).collect();
    let checked = lines.iter().enumerate().find(|(number, line)| !line.is_empty() && numbered(*number, line));
    let last = || lines.iter().rfind(|line| !line.is_empty() && shown.contains(line));
    checked.map(|(_, line)| line).or_else(last).copied()
}

/// What stands in quotes in a message.
fn quoted(text: &str) -> Option<String> {
    let at = text.find(['\'', '"'])?;
    let quote = text[at..].chars().next()?;
    let rest = &text[at + 1..];
    rest.find(quote).map(|end| rest[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::Dialect;

    pub(super) const JAVASCRIPT: Language = Language::Node(Dialect::JavaScript);
    pub(super) const TYPESCRIPT: Language = Language::Node(Dialect::TypeScript);

    pub(super) fn place(network: Mode) -> Place {
        Place::of(&Network { mode: network, ..Network::default() }, Some("lean".to_owned()))
    }

    pub(super) fn failure<'a>(language: Language, name: &'a str, text: &'a str) -> Failure<'a> {
        Failure { language, name, text, traceback: "", fresh: true }
    }

    #[test]
    fn what_ends_the_interpreter_is_named_in_its_language() {
        let exited = Outcome::Exited { status: 1 };
        for (language, says) in [
            (Language::Python, "`sys.exit()`"),
            (TYPESCRIPT, "`process.exit()`"),
            (Language::Deno(Dialect::JavaScript), "`Deno.exit()`"),
        ] {
            assert!(of_outcome(language, &exited).unwrap().contains(says), "{language:?}");
        }
        let memory = Outcome::OutOfMemory { limit: 1, peak: None };
        assert!(of_outcome(JAVASCRIPT, &memory).unwrap().contains("streams"));
        assert_eq!(of_outcome(JAVASCRIPT, &Outcome::Raised), None);
    }

    #[test]
    fn code_of_another_language_is_told_with_the_language_to_give() {
        let typed = "cell-1.ts:2:1 - error TS2304: Cannot find name 'def'.\n\n2 def f(x):\n  ~~~\n\n\
                     cell-1.ts:3:3 - error TS2304: Cannot find name 'x'.\n\n3   x\n    ~";
        for (language, name, text, traceback, code, says) in [
            (Language::Python, "SyntaxError", "invalid syntax", "", "ls -la\nx = 1", "command=\"ls -la\""),
            (
                Language::Python,
                "SyntaxError",
                "invalid syntax",
                "  const x = 1\n",
                "y = 1\nconst x = 1",
                "JavaScript",
            ),
            (
                Language::Python,
                "NameError",
                "name 'console' is not defined",
                "",
                "console.log(1)",
                "\"javascript\"",
            ),
            (
                JAVASCRIPT,
                "SyntaxError",
                "Unexpected identifier 'pandas'",
                "",
                "import pandas as pd",
                "\"python\"",
            ),
            (
                JAVASCRIPT,
                "ReferenceError",
                "ls is not defined",
                "",
                "ls -la",
                "a shell command, not JavaScript",
            ),
            (JAVASCRIPT, "SyntaxError", "Missing initializer", "", "const n: number = 1", "\"typescript\""),
            (
                TYPESCRIPT,
                "TypeScriptError",
                "TS2304: Cannot find name 'def'. (and 1 more)",
                typed,
                "1\ndef f(x):\n  x",
                "Python, not TypeScript",
            ),
        ] {
            let failure = Failure { language, name, text, traceback, fresh: false };
            let hint = of_another_language(code, &failure).unwrap_or_else(|| panic!("{code}"));
            assert!(hint.contains(says), "{hint}");
        }
        let failure = failure(JAVASCRIPT, "TypeError", "ls.map is not a function");
        assert_eq!(of_another_language("ls -la", &failure), None);
    }

    #[test]
    fn the_line_that_failed_is_found() {
        let code = "x = 1\nls -la\ny = 2";
        assert_eq!(raised_line(code, "  File \"<cell>\", line 2\n    ls -la\n"), Some("ls -la"));
        assert_eq!(raised_line(code, "cell-1.ts:2:1 - error\n\n2 ls -la\n  ~~\n\n3 y = 2\n"), Some("ls -la"));
        assert_eq!(raised_line(code, "nothing of it"), None);
        assert_eq!(quoted("[Errno 2] No such file: 'a b.csv'").as_deref(), Some("a b.csv"));
        assert_eq!(quoted("nothing"), None);
    }
}
