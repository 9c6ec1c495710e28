//! Named points on the way of a file into the store, at which a test ends the process to see what is lost.

use std::sync::OnceLock;

/// What is done at a point.
pub type Hook = Box<dyn Fn(&str) + Send + Sync>;

static HOOK: OnceLock<Hook> = OnceLock::new();

/// All points of this crate, in the order in which a save passes them.
pub const NAMES: &[&str] = &[
    "save: before anything is looked at",
    "save: before a file is opened",
    "save: a file was opened",
    "write: a part was written",
    "write: before publishing",
    "write: after publishing",
    "save: between two files",
    "save: before removing",
    "save: after removing",
    "save: before the answer",
];

/// Sets what is done at each point. For tests, once in a process.
pub fn set(hook: Hook) {
    assert!(HOOK.set(hook).is_ok(), "the hook is set once");
}

/// Is called where the point of this name is.
pub fn reached(name: &str) {
    if let Some(hook) = HOOK.get() {
        hook(name);
    }
}
