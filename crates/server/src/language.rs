//! What callers say of the language of their code, told alike by every edge.

use session::{Dialect, Language};

/// Which of Node and Deno runs JavaScript for a caller who names neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usual {
    /// On our own wires.
    Node,
    /// On AWS's.
    Deno,
}

/// What is wrong with what a caller said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// There is no such language.
    Language(String),
    /// This language is not run by this runtime.
    Runtime {
        /// The language's name.
        language: &'static str,
        /// What it is run by, as a sentence's end.
        by: &'static str,
    },
}

/// The language of this name, run by the runtime of this name: `nodejs`, `deno`, `python`.
pub(crate) fn language(name: &str, runtime: Option<&str>, usual: Usual) -> Result<Language, Wrong> {
    let dialect = match name {
        "python" => {
            return match runtime {
                None | Some("python") => Ok(Language::Python),
                Some(_) => Err(Wrong::Runtime { language: "python", by: "python" }),
            };
        }
        "javascript" => Dialect::JavaScript,
        "typescript" => Dialect::TypeScript,
        other => return Err(Wrong::Language(other.to_owned())),
    };
    match (runtime, usual) {
        (Some("nodejs"), _) | (None, Usual::Node) => Ok(Language::Node(dialect)),
        (Some("deno"), _) | (None, Usual::Deno) => Ok(Language::Deno(dialect)),
        (Some(_), _) => Err(Wrong::Runtime { language: dialect.name(), by: "nodejs or deno" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_has_its_runtimes() {
        let aws = |name, runtime| language(name, runtime, Usual::Deno);
        assert_eq!(aws("python", None), Ok(Language::Python));
        assert_eq!(aws("python", Some("python")), Ok(Language::Python));
        assert_eq!(aws("javascript", None), Ok(Language::Deno(Dialect::JavaScript)));
        assert_eq!(aws("typescript", Some("nodejs")), Ok(Language::Node(Dialect::TypeScript)));
        assert_eq!(language("typescript", None, Usual::Node), Ok(Language::Node(Dialect::TypeScript)));
        assert_eq!(
            aws("javascript", Some("python")),
            Err(Wrong::Runtime { language: "javascript", by: "nodejs or deno" })
        );
        assert_eq!(aws("python", Some("deno")), Err(Wrong::Runtime { language: "python", by: "python" }));
        assert_eq!(aws("ruby", None), Err(Wrong::Language("ruby".to_owned())));
    }
}
