//! What code is written in, and what runs it.

use environment::Runtime;

/// What code is written in, and which of a session's interpreters runs it. Each keeps its own variables; JavaScript and
/// TypeScript of one runtime share theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// Python.
    #[default]
    Python,
    /// On Node.
    Node(Dialect),
    /// On Deno.
    Deno(Dialect),
}

/// Which of the two languages that Node and Deno run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// JavaScript.
    JavaScript,
    /// TypeScript, whose types are checked before the code runs.
    TypeScript,
}

/// What becomes of TypeScript code with type errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TypeErrors {
    /// It does not run: the errors are the outcome.
    #[default]
    Refuse,
    /// It runs; the errors are told on standard error before.
    Warn,
}

impl Language {
    /// What runs it.
    pub fn runtime(self) -> Runtime {
        match self {
            Language::Python => Runtime::Python,
            Language::Node(_) => Runtime::Node,
            Language::Deno(_) => Runtime::Deno,
        }
    }

    /// Its name, as callers give it: `python`, `javascript`, `typescript`.
    pub fn name(self) -> &'static str {
        match self {
            Language::Python => "python",
            Language::Node(dialect) | Language::Deno(dialect) => dialect.name(),
        }
    }

    /// What a kernel is told, where it knows more than one.
    pub(crate) fn dialect(self) -> Option<Dialect> {
        match self {
            Language::Python => None,
            Language::Node(dialect) | Language::Deno(dialect) => Some(dialect),
        }
    }
}

impl Dialect {
    /// Its name: `javascript`, `typescript`.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::JavaScript => "javascript",
            Dialect::TypeScript => "typescript",
        }
    }
}

impl TypeErrors {
    /// As kernels and configurations say it: `refuse`, `warn`.
    pub fn name(self) -> &'static str {
        match self {
            TypeErrors::Refuse => "refuse",
            TypeErrors::Warn => "warn",
        }
    }
}
