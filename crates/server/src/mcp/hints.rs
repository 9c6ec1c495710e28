//! What to try when something failed: mistakes that are common, and what helps.

use session::network::{Mode, Network};
use session::{Outcome, Report, Session};

use super::directory;

/// Programs that people run in a shell, and whose names no Python program begins a line with.
const PROGRAMS: [&str; 48] = [
    "ls", "cd", "pip", "pip3", "python", "python3", "npm", "npx", "node", "deno", "curl", "wget", "cat",
    "echo", "mkdir", "rm", "cp", "mv", "git", "apt", "apt-get", "grep", "find", "which", "head", "tail",
    "chmod", "unzip", "tar", "bash", "sh", "sudo", "export", "conda", "touch", "pwd", "df", "du", "ps",
    "env", "whoami", "sed", "awk", "sort", "wc", "zip", "uname", "source",
];

/// What a session may have, as far as hints need it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) network: Mode,
    /// What is behind the mode, for a model.
    pub(super) reach: String,
}

impl Place {
    pub(super) fn of(network: &Network) -> Place {
        let reach = match network.mode {
            Mode::None => {
                "This session has no network: what is not in it already cannot be fetched.".to_owned()
            }
            Mode::Allow => "This session reaches only what its operator has listed.".to_owned(),
            Mode::Internet => "This session reaches public addresses only.".to_owned(),
        };
        Place { network: network.mode, reach }
    }
}

/// What to try after code that failed.
pub(super) async fn of_code(
    code: &str,
    report: &Report,
    place: &Place,
    session: &Session,
    new: bool,
) -> Option<String> {
    match &report.outcome {
        Outcome::TimedOut { .. } => {
            return Some(
                "Do less in one call, or start it from Python with subprocess.Popen and look at it in a later call.".to_owned(),
            );
        }
        Outcome::OutOfMemory { .. } => {
            return Some(
                "Work on smaller pieces: read files in chunks, and only the columns that you need.".into(),
            );
        }
        Outcome::Exited { .. } => {
            return Some(
                "Leave out `sys.exit()` and `quit()`: they end the interpreter and its variables.".into(),
            );
        }
        Outcome::DiskFull { .. } => {
            return Some("Remove files that are not needed, and try again.".to_owned());
        }
        _ => {}
    }
    let raised = report.raised.as_ref()?;
    let first = first_line(code);
    if matches!(raised.name.as_str(), "SyntaxError" | "NameError" | "IndentationError")
        && looks_like_shell(raised_line(code, &raised.traceback).unwrap_or(first))
    {
        return Some(format!(
            "That is a shell command, not Python: call execute_command with command={}.",
            serde_json::Value::from(first.trim_start_matches('!').trim())
        ));
    }
    let text = raised.value.as_str();
    match raised.name.as_str() {
        "FileNotFoundError" => {
            let path = quoted(text)?;
            Some(sentence_about(&path, &directory::there(session, &path).await))
        }
        name => of_exception(name, text, place, new || report.fresh_kernel),
    }
}

fn sentence_about(path: &str, there: &str) -> String {
    format!("`{}` is not there. {there}", super::arguments::shown(path))
}

fn of_exception(name: &str, text: &str, place: &Place, new: bool) -> Option<String> {
    let hint = match name {
        "NameError" if new && text.contains("is not defined") => {
            "No variable of an earlier call is there: this interpreter has just been started. Run the code that makes \
             them first."
                .to_owned()
        }
        "ModuleNotFoundError" => {
            let module = quoted(text)?;
            let package = module.split('.').next().unwrap_or(&module).to_owned();
            match place.network {
                Mode::None => format!(
                    "`{package}` is not installed, and {} `pip list` tells what is there: execute_command(\"pip list\").",
                    lower(&place.reach)
                ),
                _ => format!("Install it: execute_command(\"pip install {package}\")."),
            }
        }
        "ImportError" if text.contains("Cannot load backend") || text.contains("interactive framework") => {
            "There is no display, and none is needed: leave `matplotlib.use(…)` out, or use 'Agg'. Figures come back \
             as images."
                .to_owned()
        }
        "EOFError" | "StdinNotImplementedError" if text.contains("input") || text.contains("EOF") => {
            "Nobody can type anything in: put the values into the code instead of input().".to_owned()
        }
        name if is_network(name, text) => place.reach.clone(),
        "MemoryError" => "Work on smaller pieces of the data.".to_owned(),
        _ => return None,
    };
    Some(hint)
}

/// Whether an exception is one of a connection that was not made.
fn is_network(name: &str, text: &str) -> bool {
    let names = [
        "gaierror",
        "URLError",
        "ConnectionError",
        "ConnectError",
        "ConnectTimeout",
        "NameResolutionError",
        "ClientConnectorError",
        "MaxRetryError",
        "NewConnectionError",
        "ProxyError",
        "EndpointConnectionError",
    ];
    let texts = ["Name or service not known", "name resolution", "Network is unreachable", "[Errno 101]"];
    names.contains(&name.rsplit('.').next().unwrap_or(name)) || texts.iter().any(|part| text.contains(part))
}

/// What to try after a command that failed.
pub(super) fn of_command(line: &str, stderr: &str, status: i32, place: &Place) -> Option<String> {
    let last = stderr.trim_end();
    if status == 127 || last.ends_with("command not found") {
        let python = ["import ", "from ", "print(", "def ", "for ", "df."];
        if python.iter().any(|begin| line.trim_start().starts_with(begin)) {
            return Some("That is Python, not a shell command: call execute_code.".to_owned());
        }
        return Some(
            "There is no such program in the sandbox; `compgen -c` lists those that are there.".to_owned(),
        );
    }
    if line.trim_start().starts_with("sudo") || last.contains("are you root") {
        return Some("The sandbox has no root user. Install Python packages with `pip install`.".to_owned());
    }
    let unreachable = [
        "Could not resolve host",
        "Temporary failure in name resolution",
        "No matching distribution",
        "Name or service not known",
        "Network is unreachable",
    ];
    if place.network != Mode::Internet && unreachable.iter().any(|part| stderr.contains(part)) {
        return Some(place.reach.clone());
    }
    None
}

fn lower(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

fn first_line(code: &str) -> &str {
    code.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or("")
}

/// The line of the code that a traceback shows last.
fn raised_line<'a>(code: &'a str, traceback: &str) -> Option<&'a str> {
    let shown: Vec<&str> = traceback.lines().map(str::trim).collect();
    code.lines().map(str::trim).rfind(|line| !line.is_empty() && shown.contains(line))
}

/// Whether a line is what people type into a shell.
fn looks_like_shell(line: &str) -> bool {
    let line = line.trim_start_matches(['!', '%', '$']).trim();
    let mut words = line.split_whitespace();
    let Some(program) = words.next() else { return false };
    let rest = words.next().unwrap_or("");
    PROGRAMS.contains(&program) && !rest.starts_with(['=', '(', '.', ',', '+', '*'])
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

    fn place(network: Mode) -> Place {
        Place::of(&Network { mode: network, ..Network::default() })
    }

    #[test]
    fn shell_commands_are_recognised() {
        for line in ["ls -la", "!ls", "pip install requests", "cd /tmp && ls", "curl https://a.example", "ls"]
        {
            assert!(looks_like_shell(line), "{line}");
        }
        for line in ["ls = 3", "sort(x)", "find.me()", "x = 1", "print(ls)", "", "head, tail = x"] {
            assert!(!looks_like_shell(line), "{line}");
        }
    }

    #[test]
    fn exceptions_that_are_common_have_a_hint() {
        let none = place(Mode::None);
        for (name, text, says) in [
            (
                "ModuleNotFoundError",
                "No module named 'yfinance'",
                "`yfinance` is not installed, and this session has no",
            ),
            (
                "ImportError",
                "Cannot load backend 'TkAgg' which requires the 'tk' interactive framework",
                "no display",
            ),
            ("EOFError", "EOF when reading a line", "Nobody can type"),
            ("ConnectionError", "HTTPSConnectionPool(host='api.example.com', port=443)", "no network"),
            ("gaierror", "[Errno -3] Temporary failure in name resolution", "no network"),
            ("NameError", "name 'df' is not defined", "No variable of an earlier call"),
        ] {
            let hint = of_exception(name, text, &none, true).unwrap_or_else(|| panic!("{name}"));
            assert!(hint.contains(says), "{hint}");
        }
        let hint =
            of_exception("ModuleNotFoundError", "No module named 'a.b'", &place(Mode::Internet), false);
        assert_eq!(hint.unwrap(), "Install it: execute_command(\"pip install a\").");
        assert_eq!(of_exception("ValueError", "no", &none, true), None);
        assert_eq!(of_exception("NameError", "name 'df' is not defined", &none, false), None);
    }

    #[test]
    fn commands_that_fail_have_a_hint() {
        let none = place(Mode::None);
        let of =
            |line: &str, stderr: &str, status| of_command(line, stderr, status, &none).unwrap_or_default();
        assert!(of("import os", "bash: import: command not found", 127).contains("execute_code"));
        assert!(of("foo", "bash: foo: command not found", 127).contains("no such program"));
        assert!(of("pip install x", "ERROR: No matching distribution found for x", 1).contains("no network"));
        assert!(of("sudo ls", "bash: sudo: command not found", 1).contains("no such program"));
        assert_eq!(of("false", "", 1), "");
    }

    #[test]
    fn the_line_that_failed_is_found() {
        let code = "x = 1\nls -la\ny = 2";
        assert_eq!(raised_line(code, "  File \"<cell>\", line 2\n    ls -la\n"), Some("ls -la"));
        assert_eq!(quoted("[Errno 2] No such file: 'a b.csv'").as_deref(), Some("a b.csv"));
        assert_eq!(quoted("nothing"), None);
    }
}
