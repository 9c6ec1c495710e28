//! What a program is written in, and what runs it.
//!
//! The command line comes before the file's name, and that before the file's first line. What none of them tells is
//! Python. Kinds that cannot be run are refused by their names, so that a notebook is not reported as a syntax error in
//! its first brace.

use std::path::Path;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value};
use session::{Dialect, Language, Raised, TypeErrors};

use crate::config::{Config, Given};
use crate::hints::Hint;
use crate::place;

/// The language of code, as a person names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Name {
    Python,
    #[value(name = "javascript", alias = "js")]
    JavaScript,
    #[value(name = "typescript", alias = "ts")]
    TypeScript,
}

/// What runs JavaScript and TypeScript.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Runtime {
    #[value(name = "nodejs", alias = "node")]
    Node,
    Deno,
}

/// What becomes of TypeScript with type errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Errors {
    /// It does not run
    Refuse,
    /// They are told, and it runs
    Warn,
}

/// Options about the language, of commands that run code.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub(crate) struct Options {
    /// The language: python, javascript, typescript [default: python; `run FILE` goes by the name of the file, or its first line]
    #[arg(long, value_name = "NAME", value_enum, hide_possible_values = true)]
    pub(crate) language: Option<Name>,
    /// What runs JavaScript and TypeScript: nodejs, deno [default: nodejs]
    #[arg(long, value_name = "NAME", value_enum, hide_possible_values = true)]
    pub(crate) runtime: Option<Runtime>,
    /// What becomes of TypeScript with type errors: refuse (it does not run), warn (it does) [default: refuse]
    #[arg(long, value_name = "HOW", value_enum, hide_possible_values = true)]
    pub(crate) type_errors: Option<Errors>,
}

impl Options {
    /// What these options say of the configuration's keys.
    pub(crate) fn given(&self) -> Given {
        let value = self.type_errors.map(|errors| match errors {
            Errors::Refuse => "refuse".to_owned(),
            Errors::Warn => "warn".to_owned(),
        });
        ("typescript.errors", "--type-errors", value)
    }

    /// What a request to a server says of code in this language.
    pub(crate) fn about(&self, language: Language) -> Map<String, Value> {
        let mut about = Map::new();
        // A server without these keys knows Python alone.
        if language != Language::Python {
            about.insert("language".to_owned(), language.name().into());
            about.insert("runtime".to_owned(), runtime(language).into());
        }
        if let (.., Some(errors)) = self.given() {
            about.insert("type_errors".to_owned(), errors.into());
        }
        about
    }

    /// The language of code that nothing else tells of.
    pub(crate) fn named(&self) -> anyhow::Result<Language> {
        combined(self.language.unwrap_or(Name::Python), self.runtime, Runtime::Node)
    }

    /// The language of the program at this path that begins with this line.
    pub(crate) fn of(&self, path: &Path, first_line: &str) -> anyhow::Result<Language> {
        let (name, usual) = match (self.language, known(path)) {
            (Some(name), _) | (None, Some(name)) => (name, Runtime::Node),
            (None, None) => of_line(first_line).unwrap_or((Name::Python, Runtime::Node)),
        };
        combined(name, self.runtime, usual)
    }

    /// Refuses, by its name alone, what cannot be run.
    pub(crate) fn check(&self, path: &Path) -> anyhow::Result<()> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let hint = match extension.to_ascii_lowercase().as_str() {
            _ if self.language.is_some() => return Ok(()),
            "ipynb" => "save the notebook's code as a file: `jupyter nbconvert --to script NOTEBOOK`",
            "jsx" | "tsx" => "programs with JSX are not run; what a build makes of them is",
            "sh" | "bash" | "zsh" | "r" | "rb" | "pl" | "php" | "jl" | "lua" => {
                "programs are in Python (`.py`), JavaScript (`.js`) or TypeScript (`.ts`); `--language` tells of another \
                 name"
            }
            _ => return Ok(()),
        };
        let what =
            format!("run `{}`: it is no program in Python, JavaScript or TypeScript", place::told(path));
        Err(Hint::new(what, hint).into())
    }
}

/// What a configuration says of type errors.
pub(crate) fn type_errors(config: &Config) -> TypeErrors {
    match config.text("typescript.errors") {
        Some("warn") => TypeErrors::Warn,
        _ => TypeErrors::Refuse,
    }
}

/// What to do about TypeScript that was refused for its types; nothing helps what cannot be read.
pub(crate) fn refused(raised: &Raised) -> Option<&'static str> {
    if raised.name != "TypeScriptError" {
        return None;
    }
    let code = raised.value.split("TS").skip(1).find_map(|rest| rest.split(':').next()?.parse::<u32>().ok());
    let unread = code.is_some_and(|code| (1000..2000).contains(&code) || (17000..18000).contains(&code));
    (!unread).then_some("`--type-errors warn` tells them, and runs it all the same")
}

/// What runs this language, as callers give it.
pub(crate) fn runtime(language: Language) -> &'static str {
    match language {
        Language::Python => "python",
        Language::Node(_) => "nodejs",
        Language::Deno(_) => "deno",
    }
}

/// A language and what runs it, for a person: `TypeScript on Node.js`.
pub(crate) fn told(language: Language) -> &'static str {
    match language {
        Language::Python => "Python",
        Language::Node(Dialect::JavaScript) => "JavaScript on Node.js",
        Language::Node(Dialect::TypeScript) => "TypeScript on Node.js",
        Language::Deno(Dialect::JavaScript) => "JavaScript on Deno",
        Language::Deno(Dialect::TypeScript) => "TypeScript on Deno",
    }
}

fn combined(name: Name, runtime: Option<Runtime>, usual: Runtime) -> anyhow::Result<Language> {
    let dialect = match name {
        Name::Python if runtime.is_some() => {
            let hint = "leave `--runtime` out, or name `--language javascript` or `--language typescript`";
            return Err(Hint::new("choose a runtime for Python: there is one alone", hint).into());
        }
        Name::Python => return Ok(Language::Python),
        Name::JavaScript => Dialect::JavaScript,
        Name::TypeScript => Dialect::TypeScript,
    };
    Ok(match runtime.unwrap_or(usual) {
        Runtime::Node => Language::Node(dialect),
        Runtime::Deno => Language::Deno(dialect),
    })
}

/// What the ending of a file's name tells.
fn known(path: &Path) -> Option<Name> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "py" | "pyw" => Some(Name::Python),
        "js" | "mjs" | "cjs" => Some(Name::JavaScript),
        "ts" | "mts" | "cts" => Some(Name::TypeScript),
        _ => None,
    }
}

/// What a first line tells, as `#!/usr/bin/env node` or `#!/usr/bin/env -S deno run --ext=ts`.
///
/// Without a word about types it is JavaScript: the types of that are not checked, so nothing is refused for them.
fn of_line(line: &str) -> Option<(Name, Runtime)> {
    let mut words = line.strip_prefix("#!")?.split_whitespace();
    let base = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    let mut program = base(words.next()?);
    if program == "env" {
        program = base(words.find(|word| !word.starts_with('-') && !word.contains('='))?);
    }
    let typed = line.contains("--ext=ts") || line.contains("--ext ts");
    let name = if typed { Name::TypeScript } else { Name::JavaScript };
    match program.as_str() {
        "node" | "nodejs" | "bun" => Some((name, Runtime::Node)),
        "ts-node" | "tsx" => Some((Name::TypeScript, Runtime::Node)),
        "deno" => Some((name, Runtime::Deno)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Options = Options { language: None, runtime: None, type_errors: None };
    const JAVASCRIPT: Language = Language::Node(Dialect::JavaScript);
    const TYPESCRIPT: Language = Language::Node(Dialect::TypeScript);

    #[test]
    fn the_command_line_comes_before_the_name_and_that_before_the_first_line() {
        let of = |path: &str, line: &str| NONE.of(Path::new(path), line).unwrap();
        for (path, line, expected) in [
            ("a.py", "#!/usr/bin/env node", Language::Python),
            ("a.js", "", JAVASCRIPT),
            ("a.MJS", "", JAVASCRIPT),
            ("a.cjs", "#!/usr/bin/python", JAVASCRIPT),
            ("a.ts", "", TYPESCRIPT),
            ("a.mts", "#!/usr/bin/env -S deno run", TYPESCRIPT),
            ("a.cts", "", TYPESCRIPT),
            ("a", "", Language::Python),
            ("a.txt", "console.log(1)", Language::Python),
            ("a", "#!/usr/bin/env node", JAVASCRIPT),
            ("a", "#!/opt/bin/node --no-warnings", JAVASCRIPT),
            ("a", "#!/usr/bin/env bun", JAVASCRIPT),
            ("a", "#!/usr/bin/env -S FORCE_COLOR=1 deno run -A", Language::Deno(Dialect::JavaScript)),
            ("a", "#!/usr/bin/env -S deno run --ext=ts", Language::Deno(Dialect::TypeScript)),
            ("a", "#!/usr/bin/env tsx", TYPESCRIPT),
            ("a", "#!/usr/bin/env python3", Language::Python),
            ("a", "#!/usr/bin/env", Language::Python),
            ("a", "#!", Language::Python),
        ] {
            assert_eq!(of(path, line), expected, "{path} {line}");
        }
        let named = Options { language: Some(Name::TypeScript), runtime: Some(Runtime::Deno), ..NONE };
        assert_eq!(named.of(Path::new("a.py"), "").unwrap(), Language::Deno(Dialect::TypeScript));
        let on_node = Options { runtime: Some(Runtime::Node), ..NONE };
        assert_eq!(on_node.of(Path::new("a"), "#!/usr/bin/env deno").unwrap(), JAVASCRIPT);
        assert!(on_node.of(Path::new("a.py"), "").is_err() && on_node.named().is_err());
        assert_eq!(NONE.named().unwrap(), Language::Python);
    }

    #[test]
    fn types_that_do_not_fit_can_be_warned_of_and_other_errors_not() {
        let hint = |name: &str, value: &str| {
            refused(&Raised { name: name.into(), value: value.into(), traceback: String::new() })
        };
        for value in [
            "TS2322: Type 'string' is not assignable to type 'number'.",
            "TS18004: No value exists in scope for the shorthand property 'a'.",
            "lib/TSort.ts:1:2: TS2304: Cannot find name 'x'.",
            "the types could not be checked: the compiler was closed, so the code did not run",
        ] {
            assert!(
                hint("TypeScriptError", value).is_some_and(|hint| hint.contains("--type-errors warn")),
                "{value}"
            );
        }
        assert_eq!(hint("TypeScriptError", "TS1005: ';' expected."), None);
        assert_eq!(hint("TypeScriptError", "TS17004: JSX is not translated here"), None);
        assert_eq!(hint("TypeError", "TS2322: x"), None);
    }

    #[test]
    fn what_cannot_be_run_is_refused_by_its_name_unless_its_language_is_named() {
        for name in ["a.ipynb", "a.sh", "a.R", "a.tsx"] {
            assert!(NONE.check(Path::new(name)).is_err(), "{name}");
            let named = Options { language: Some(Name::Python), ..NONE };
            assert!(named.check(Path::new(name)).is_ok(), "{name}");
        }
        for name in ["a", "a.py", "a.ts", "a.txt", "-"] {
            assert!(NONE.check(Path::new(name)).is_ok(), "{name}");
        }
    }
}
