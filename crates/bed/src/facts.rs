//! What the bed consists of, as `world/facts.json` says it: read by the bed, by its servers and by tests.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// Names the file that tells a test what the bed consists of.
pub const VARIABLE: &str = "CELLBLOCK_BED";

/// What it is called, in the directory that everything of a running bed lies in.
pub const FILE: &str = "bed.json";

/// The socket at which captures tell how far they are, in the same directory.
pub const CAPTURE: &str = "capture.sock";

/// The servers' certificate authority, in the same directory.
pub const AUTHORITY: &str = "authority.pem";

/// The constant part.
pub(crate) fn constant() -> Value {
    serde_json::from_str(include_str!("../world/facts.json")).expect("world/facts.json is JSON")
}

/// The constant part, and where the files of this bed are.
pub(crate) fn of(directory: &Path, python: &Path) -> Result<Value> {
    let mut facts = constant();
    facts["directory"] = json!(directory);
    facts["authority"] = json!(directory.join(AUTHORITY));
    facts["hits"] = json!(directory.join("hits.jsonl"));
    facts["queries"] = json!(directory.join("queries.jsonl"));
    facts["clients"] = json!(Path::new(env!("CARGO_MANIFEST_DIR")).join("clients"));
    facts["python"] = json!(python);
    facts["program"] = json!(std::env::current_exe()?);
    Ok(facts)
}

/// All texts in an array of the facts.
pub(crate) fn texts<'a>(facts: &'a Value, path: &str) -> Result<Vec<&'a str>> {
    let array = facts.pointer(path).and_then(Value::as_array).with_context(|| format!("no {path}"))?;
    array.iter().map(|text| text.as_str().with_context(|| format!("{path} has more than text"))).collect()
}
