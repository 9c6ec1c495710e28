//! What helps with errors of JavaScript and TypeScript, in the words of V8, Node, Deno and TypeScript's compiler.

use session::Language;
use session::network::Mode;

use super::{Failure, NOBODY, Place, lower, no_variable, quoted};

/// What TypeScript's checker calls its errors here.
const UNCHECKED: &str = "TypeScriptError";
/// Errors of its: no such name.
const NAMES: [&str; 13] = [
    "TS2304", "TS2503", "TS2552", "TS2580", "TS2581", "TS2582", "TS2583", "TS2584", "TS2591", "TS2592",
    "TS2593", "TS18004", "TS2867",
];
/// How an error begins of a module that Node does not fetch, and what one says that Deno could not.
const ELSEWHERE: [&str; 3] = ["Cannot import 'jsr:", "Cannot import 'http:", "Cannot import 'https:"];
const OTHER_PLACES: &str = "modules of other places need the network";
/// What only browsers have.
const BROWSER: [&str; 4] = ["document", "window", "localStorage", "XMLHttpRequest"];
/// What asks somebody who is there.
const DIALOGS: [&str; 3] = ["prompt", "confirm", "alert"];

/// The file that there is none of.
pub(super) fn missing_file(failure: &Failure) -> Option<String> {
    let missing = failure.text.starts_with("ENOENT") || failure.name == "NotFound";
    if missing {
        return quoted(failure.text);
    }
    let module = module(failure).filter(|module| is_path(module))?;
    Some(module.trim_start_matches("file://").to_owned())
}

/// Whether code failed before it ran, or for a name that there is not.
pub(super) fn is_unread(failure: &Failure) -> bool {
    let syntax =
        failure.name == "SyntaxError" || (failure.name == UNCHECKED && failure.text.starts_with("TS1"));
    syntax || unknown(failure).is_some()
}

/// The name that there is not.
pub(super) fn unknown(failure: &Failure) -> Option<String> {
    if failure.name == UNCHECKED {
        let (code, _) = failure.text.split_once(':')?;
        return NAMES.contains(&code).then(|| quoted(failure.text)).flatten();
    }
    let name = failure.text.strip_suffix(" is not defined")?;
    (failure.name == "ReferenceError").then(|| name.to_owned())
}

/// What to try after an error.
pub(super) fn of(failure: &Failure, place: &Place) -> Option<String> {
    let hint = of_error(failure, place);
    if failure.name != UNCHECKED {
        return hint;
    }
    let otherwise =
        || "Correct the types; or write it without them, and give language=\"javascript\".".to_owned();
    Some(format!("Nothing has run, and variables are as they were. {}", hint.unwrap_or_else(otherwise)))
}

fn of_error(failure: &Failure, place: &Place) -> Option<String> {
    let text = failure.text;
    if ELSEWHERE.iter().any(|begin| text.starts_with(begin)) || text.contains(OTHER_PLACES) {
        return (place.network != Mode::Internet).then(|| without(place));
    }
    if let Some(module) = module(failure) {
        return no_module(&module, failure.language, place);
    }
    if let Some(name) = unknown(failure) {
        return of_name(&name, failure);
    }
    let hint = if text.contains("Illegal return statement") || text.starts_with("TS1108") {
        "Code here is no function: leave `return` out; the value of the last line is shown.".to_owned()
    } else if text.starts_with("TS7016") {
        let module = quoted(text)?;
        format!("`{module}` brings no types: `const NAME = require(\"{module}\")` takes it without.")
    } else if is_network(failure) {
        place.reach.clone()
    } else if is_memory(failure) {
        "Work on smaller pieces of the data.".to_owned()
    } else {
        return None;
    };
    Some(hint)
}

fn of_name(name: &str, failure: &Failure) -> Option<String> {
    if DIALOGS.contains(&name) {
        return Some(NOBODY.to_owned());
    }
    if BROWSER.contains(&name) {
        return Some(format!("There is no browser, and no `{name}`. The library cheerio reads HTML."));
    }
    if failure.fresh {
        return Some(no_variable(failure.language));
    }
    // The traceback says which call was to declare it.
    (failure.name == UNCHECKED).then(|| {
        if failure.traceback.contains(", which declares `") {
            "Run what that call holds first, corrected.".to_owned()
        } else {
            format!("Declare `{name}` first, in this code or in a call before it, or correct the name.")
        }
    })
}

/// The module that there is not, as the code names it.
fn module(failure: &Failure) -> Option<String> {
    let text = failure.text;
    let begins = ["Cannot find module", "Cannot find package", "TS2307", "TS2792"];
    if begins.iter().any(|begin| text.starts_with(begin)) {
        return quoted(text);
    }
    // Deno: `Import "left-pad" not a dependency`, `Could not find a matching package for 'npm:left-pad' in …`.
    let of_deno = [
        "not a dependency",
        "Could not find a matching package",
        "Could not find package",
        "Module not found",
    ];
    of_deno.iter().any(|part| text.contains(part)).then(|| quoted(text)).flatten()
}

/// Whether a module is a file of somebody's own.
fn is_path(module: &str) -> bool {
    module.starts_with(['.', '/']) || module.starts_with("file://")
}

fn no_module(module: &str, language: Language, place: &Place) -> Option<String> {
    if is_path(module) {
        return None;
    }
    let package = module.strip_prefix("npm:").unwrap_or(module);
    let parts = if package.starts_with('@') { 2 } else { 1 };
    let package = package.split('/').take(parts).collect::<Vec<_>>().join("/");
    let libraries = environment::javascript_libraries();
    if libraries.contains(&package) {
        // The package is there, and has no such part.
        return None;
    }
    if module.starts_with("node:") {
        return None;
    }
    if module.starts_with("jsr:") || module.contains("://") {
        return (place.network != Mode::Internet).then(|| without(place));
    }
    let named = if matches!(language, Language::Deno(_)) { ", and import it as before" } else { "" };
    Some(match place.network {
        Mode::None => format!(
            "`{package}` is not installed, and {} There are {}, and what Node has.",
            lower(&place.reach),
            libraries.join(", ")
        ),
        Mode::Allow => format!(
            "Install it, if npm's registry is among what the session's operator has listed: execute_command(\"npm \
             install {package}\"){named}."
        ),
        Mode::Internet => format!("Install it: execute_command(\"npm install {package}\"){named}."),
    })
}

/// What there is for whoever cannot fetch a module.
fn without(place: &Place) -> String {
    let libraries = environment::javascript_libraries().join(", ");
    format!("{} There are {libraries}, and what Node has.", place.reach)
}

/// Whether an error is one of a connection that was not made.
fn is_network(failure: &Failure) -> bool {
    let texts = [
        "ENOTFOUND",
        "EAI_AGAIN",
        "ENETUNREACH",
        "EHOSTUNREACH",
        "failed to lookup address",
        "dns error",
        "Network is unreachable",
    ];
    texts.iter().any(|part| failure.text.contains(part) || failure.traceback.contains(part))
}

/// Whether an error is one of something too large.
fn is_memory(failure: &Failure) -> bool {
    let texts = ["Array buffer allocation failed", "Invalid string length", "Cannot create a string longer"];
    texts.iter().any(|part| failure.text.contains(part))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{JAVASCRIPT, TYPESCRIPT, failure, place};
    use super::*;
    use session::Dialect;

    fn told(language: Language, name: &str, text: &str, mode: Mode) -> String {
        of(&failure(language, name, text), &place(mode)).unwrap_or_default()
    }

    #[test]
    fn errors_that_are_common_have_a_hint() {
        for (name, text, says) in [
            ("ReferenceError", "rows is not defined", "No variable of an earlier call"),
            ("ReferenceError", "prompt is not defined", "Nobody can type"),
            ("ReferenceError", "document is not defined", "cheerio"),
            ("SyntaxError", "Illegal return statement", "leave `return` out"),
            ("Error", "getaddrinfo EAI_AGAIN api.example.com", "no network"),
            ("RangeError", "Array buffer allocation failed", "smaller pieces"),
        ] {
            let hint = told(JAVASCRIPT, name, text, Mode::None);
            assert!(hint.contains(says), "{text}: {hint}");
            assert!(!hint.contains("Nothing has run"), "{hint}");
        }
        let fetch = Failure {
            traceback: "TypeError: fetch failed {\n  [cause]: Error: getaddrinfo ENOTFOUND a.example\n",
            ..failure(JAVASCRIPT, "TypeError", "fetch failed")
        };
        assert!(of(&fetch, &place(Mode::Allow)).unwrap().contains("operator"));
        assert_eq!(told(JAVASCRIPT, "TypeError", "x.map is not a function", Mode::None), "");
        let refused = told(JAVASCRIPT, "Error", "connect ECONNREFUSED 127.0.0.1:80", Mode::None);
        assert_eq!(refused, "");
        let later = Failure { fresh: false, ..failure(JAVASCRIPT, "ReferenceError", "rows is not defined") };
        assert_eq!(of(&later, &place(Mode::None)), None);
        let traceback =
            "1 rows\n  ~~~~\n\nCall 2, which declares `rows`, did not run: TypeScriptError: TS2322";
        let text = "TS2304: Cannot find name 'rows'.";
        let unknown = Failure { fresh: false, ..failure(TYPESCRIPT, UNCHECKED, text) };
        assert!(of(&unknown, &place(Mode::None)).unwrap().ends_with("or correct the name."));
        let refused = of(&Failure { traceback, ..unknown }, &place(Mode::None)).unwrap();
        assert!(refused.ends_with("variables are as they were. Run what that call holds first, corrected."));
    }

    #[test]
    fn a_package_that_is_not_there_can_be_installed_or_there_are_others() {
        let required = "Cannot find module 'left-pad/lib/x'\nRequire stack:\n- cell-3.js";
        let hint = told(JAVASCRIPT, "Error", required, Mode::None);
        assert!(hint.contains("`left-pad` is not installed, and this session has no network"), "{hint}");
        assert!(hint.contains("lodash, mathjs, papaparse"), "{hint}");
        assert!(!hint.contains("esbuild") && !hint.contains("@types"), "{hint}");
        let imported = "Cannot find package '@a/b' imported from cell-3.js";
        assert_eq!(
            told(JAVASCRIPT, "Error", imported, Mode::Internet),
            "Install it: execute_command(\"npm install @a/b\")."
        );
        let deno = Language::Deno(Dialect::JavaScript);
        let hint = told(deno, "TypeError", "Import \"left-pad\" not a dependency", Mode::Internet);
        assert!(hint.contains("npm install left-pad"), "{hint}");
        let part = told(JAVASCRIPT, "Error", "Cannot find module 'lodash/nothing'", Mode::None);
        assert_eq!(part, "");
        let checked = "TS2307: Cannot find module 'left-pad' or its corresponding type declarations.";
        let hint = told(TYPESCRIPT, UNCHECKED, checked, Mode::None);
        assert!(
            hint.starts_with("Nothing has run") && hint.contains("`left-pad` is not installed"),
            "{hint}"
        );
    }

    #[test]
    fn nobody_is_told_to_fetch_what_the_network_refuses() {
        for text in [
            "Cannot import 'jsr:@std/path': Node.js imports packages that are there. …",
            "Import 'https://a.example/x.ts' failed: dns error (modules of other places need the network, …)",
        ] {
            let none = told(JAVASCRIPT, "TypeError", text, Mode::None);
            assert!(none.contains("no network") && none.contains("lodash"), "{none}");
            assert!(!none.contains("npm install"), "{none}");
            assert!(told(JAVASCRIPT, "TypeError", text, Mode::Allow).contains("operator has listed"));
            assert_eq!(told(JAVASCRIPT, "TypeError", text, Mode::Internet), "");
        }
        let missing = "Cannot find package 'left-pad' imported from cell-1.js";
        let listed = told(JAVASCRIPT, "Error", missing, Mode::Allow);
        assert!(listed.contains("if npm's registry is among") && listed.contains("npm install left-pad"));
    }

    #[test]
    fn type_errors_say_that_nothing_has_run() {
        let of = |text: &str| told(TYPESCRIPT, UNCHECKED, text, Mode::None);
        let wrong = of("TS2322: Type 'string' is not assignable to type 'number'.");
        assert!(wrong.contains("Nothing has run") && wrong.contains("language=\"javascript\""), "{wrong}");
        assert!(of("TS2304: Cannot find name 'rows'.").contains("No variable of an earlier call"));
        assert!(of("TS1108: A 'return' statement can only be …").contains("leave `return` out"));
        let untyped =
            of("TS7016: Could not find a declaration file for module 'x'. '/a/x.js' implicitly has …");
        assert!(untyped.contains("require(\"x\")"), "{untyped}");
    }

    #[test]
    fn files_that_are_not_there_are_found_in_messages() {
        let of = |name, text| missing_file(&failure(JAVASCRIPT, name, text));
        let open = "ENOENT: no such file or directory, open 'Chart.txt'";
        assert_eq!(of("Error", open).as_deref(), Some("Chart.txt"));
        let deno = "No such file or directory (os error 2): readfile 'Chart.txt'";
        assert_eq!(of("NotFound", deno).as_deref(), Some("Chart.txt"));
        let own = "Cannot find module './helper.js'\nRequire stack:\n- cell-3.js";
        assert_eq!(of("Error", own).as_deref(), Some("./helper.js"));
        assert_eq!(of("Error", "Cannot find module 'left-pad'"), None);
        assert_eq!(of("Error", "spawn nothing ENOENT"), None);
    }
}
