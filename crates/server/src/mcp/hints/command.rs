//! What helps with commands.

use session::network::Mode;

use super::Place;
use super::foreign::{self, Spoken};

/// What to try after a command that failed.
pub(in crate::mcp) fn of_command(line: &str, stderr: &str, status: i32, place: &Place) -> Option<String> {
    let last = stderr.trim_end();
    if status == 127 || last.ends_with("command not found") {
        if let Some(Spoken::Other(name, language)) = foreign::of_command(line) {
            return Some(format!(
                "That is {name}, not a shell command: call execute_code with language=\"{language}\"."
            ));
        }
        return Some(
            "There is no such program in the sandbox; `compgen -c` lists those that are there.".to_owned(),
        );
    }
    if line.trim_start().starts_with("sudo") || last.contains("are you root") {
        return Some(match place.network {
            Mode::None => format!("The sandbox has no root user. {}", place.reach),
            Mode::Allow | Mode::Internet => {
                "The sandbox has no root user. Install packages with `pip install` and `npm install`."
                    .to_owned()
            }
        });
    }
    let unreachable = [
        "Could not resolve host",
        "Temporary failure in name resolution",
        "No matching distribution",
        "Name or service not known",
        "Network is unreachable",
        "getaddrinfo ENOTFOUND",
        "EAI_AGAIN",
        "npm error code ENOTCACHED",
    ];
    if place.network != Mode::Internet && unreachable.iter().any(|part| stderr.contains(part)) {
        return Some(place.reach.clone());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::tests::place;
    use super::*;

    #[test]
    fn commands_that_fail_have_a_hint() {
        let none = place(Mode::None);
        let of =
            |line: &str, stderr: &str, status| of_command(line, stderr, status, &none).unwrap_or_default();
        assert!(of("import os", "bash: import: command not found", 127).contains("\"python\""));
        assert!(of("const x = 1", "bash: const: command not found", 127).contains("\"javascript\""));
        assert!(of("foo", "bash: foo: command not found", 127).contains("no such program"));
        assert!(of("pip install x", "ERROR: No matching distribution found for x", 1).contains("no network"));
        let npm = "npm error code EAI_AGAIN\nnpm error request to https://a.example/x failed";
        assert!(of("npm install x", npm, 1).contains("no network"));
        assert!(of("sudo ls", "bash: sudo: command not found", 1).contains("no such program"));
        assert!(of("sudo ls", "sudo: no", 1).ends_with("cannot be fetched."));
        let open = of_command("sudo ls", "sudo: no", 1, &place(Mode::Internet)).unwrap();
        assert!(open.contains("`npm install`"), "{open}");
        assert_eq!(of("false", "", 1), "");
    }
}
