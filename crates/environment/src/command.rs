//! Runs the programs that an install needs, none of which may be misled by the user's own Python settings.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::error::{Error, Result};

/// Variables of uv that say where packages come from and how they are reached; every other `UV_…` would change what is installed.
const UV_KEPT: &[&str] = &[
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_INSECURE_HOST",
    "UV_KEYRING_PROVIDER",
    "UV_CREDENTIALS_DIR",
    "UV_OFFLINE",
    "UV_HTTP_TIMEOUT",
    "UV_HTTP_RETRIES",
    "UV_NATIVE_TLS",
    "UV_SYSTEM_CERTS",
];

/// A command without the variables that change what a Python or uv does, and without a terminal's input. It ends with
/// the thread that starts it: nobody would wait for what it still fetches.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        let index = text.starts_with("UV_INDEX_") || UV_KEPT.contains(&text);
        if text.starts_with("PYTHON")
            || (text.starts_with("UV_") && !index)
            || matches!(
                text,
                "VIRTUAL_ENV" | "CONDA_PREFIX" | "PIP_TARGET" | "PIP_PREFIX" | "PIP_USER" | "LD_PRELOAD"
            )
        {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    sys::child::die_with_parent(&mut command);
    command
}

/// Runs a command to its end; an error unless it succeeds.
pub(crate) fn run(command: &mut Command, operation: impl Fn() -> String) -> Result<Output> {
    let output = command.output().map_err(|error| could_not_start(command, &operation(), &error))?;
    if output.status.success() { Ok(output) } else { Err(failed(operation(), &output)) }
}

/// The error of a program that could not be started.
pub(crate) fn could_not_start(command: &Command, operation: &str, error: &std::io::Error) -> Error {
    let program = Path::new(command.get_program()).display();
    Error::Program {
        operation: operation.to_owned(),
        output: format!("`{program}` could not be started: {error}"),
    }
}

/// The error of a program that ended badly, with its last words.
pub(crate) fn failed(operation: String, output: &Output) -> Error {
    Error::Program { operation, output: last_words(output) }
}

/// The end of what a program said, on one line; its status where it said nothing.
pub(crate) fn last_words(output: &Output) -> String {
    const LINES: usize = 3;
    let said = said(output);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() {
        output.status.to_string()
    } else {
        lines[lines.len().saturating_sub(LINES)..].join(" ")
    }
}

/// What a program said that ended badly.
pub(crate) fn said(output: &Output) -> String {
    let text = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    String::from_utf8_lossy(text).into_owned()
}

/// Makes of what uv or pip said, who were to fetch `what` to `place`, the error that a person can act on.
pub(crate) fn fetch_failed(what: &str, place: &Path, output: &Output) -> Error {
    let said = said(output);
    let lower = said.to_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let words = cause(&said).unwrap_or_else(|| last_words(output));
    if any(&["no space left", "os error 28", "disk quota", "os error 122"]) {
        Error::DiskFull { path: place.to_owned(), need: 0, free: 0 }
    } else if any(&["hash mismatch", "do not match the hashes"]) {
        Error::Hash { what: what.to_owned(), output: words }
    } else if any(UNREACHABLE) {
        Error::Network { what: what.to_owned(), output: words }
    } else {
        Error::Program { operation: format!("install {what}"), output: words }
    }
}

/// What uv and pip say of an index that does not answer, or does not have a file.
const UNREACHABLE: &[&str] = &[
    "dns error",
    "failed to fetch",
    "error sending request",
    "connection",
    "timed out",
    "not found in the package registry",
    "network was disabled",
    "no matching distribution",
];

/// The outermost and the innermost of the causes that were told, or every `ERROR:` of pip.
fn cause(said: &str) -> Option<String> {
    let after = |mark: &str| -> Vec<&str> {
        said.lines()
            .filter_map(|line| line.trim().trim_start_matches(['├', '─', '▶', '╰', ' ']).strip_prefix(mark))
            .map(str::trim)
            .collect()
    };
    let causes = [after("error:"), after("cause:"), after("Caused by:")].concat();
    match causes[..] {
        [] => Some(after("ERROR:")).filter(|errors| !errors.is_empty()).map(|errors| errors.join("; ")),
        [only] => Some(only.to_owned()),
        [first, .., last] => Some(format!("{first}: {last}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    fn failed_with(stderr: &str) -> Error {
        let output = Output { status: ExitStatus::from_raw(256), stdout: Vec::new(), stderr: stderr.into() };
        fetch_failed("`numpy` 2", Path::new("/data"), &output)
    }

    #[test]
    fn no_command_outlives_whoever_started_it() {
        let start = || command("sleep").arg("30").spawn().unwrap();
        let mut child = std::thread::spawn(start).join().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
    }

    #[test]
    fn what_was_said_becomes_the_error_it_means() {
        let hash = "error: Failed to download `numpy==2`\n  cause: Hash mismatch for `numpy==2`\n\n  Expected:\n    sha256:0\n";
        assert!(matches!(failed_with(hash), Error::Hash { .. }));
        let full =
            "error: Failed to download\n  cause: failed to write: No space left on device (os error 28)";
        assert!(matches!(failed_with(full), Error::DiskFull { .. }));
        assert!(matches!(failed_with("error: unexpected argument '--link-mode'"), Error::Program { .. }));
        let pip =
            "WARNING: Retrying after connection broken\nERROR: No matching distribution found for uv==1";
        let error = failed_with(pip);
        assert!(
            matches!(&error, Error::Network { output, .. } if output == "No matching distribution found for uv==1"),
            "{error}"
        );
    }

    #[test]
    fn of_many_causes_the_first_and_the_last_are_told() {
        let said = "error: Failed to fetch: `x`\n  cause: error sending request\n  cause: dns error\n";
        assert_eq!(cause(said).unwrap(), "Failed to fetch: `x`: dns error");
        assert_eq!(cause("  × Failed\n  ╰─▶ nothing\n"), None);
    }

    #[test]
    fn a_silent_program_is_told_by_its_status() {
        let output = Output { status: ExitStatus::from_raw(256), stdout: Vec::new(), stderr: Vec::new() };
        assert_eq!(last_words(&output), "exit status: 1");
    }
}
