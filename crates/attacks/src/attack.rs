//! Attacks as data: each is one small program whose first lines say what it is.
//!
//! ```text
//! """Connects to a TCP server on the host's loopback.
//!
//! decoy: tcp
//! stopped by: net
//! """
//! ```
//!
//! Other lines: `as root: LAYER, …`, layers that stop it only where the test runs as root, since only there a cell has
//! an id of its own; `run as: nobody`, an attacker without any privilege to begin with; `needs: root`, an attack that
//! an ordinary user can at most try as root of a user namespace.

use std::fs;
use std::path::{Path, PathBuf};

use crate::layers::{self, Layer};

/// One attack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attack {
    /// What it attacks: the directory that it lies in.
    pub topic: String,
    /// Its name: that of its file.
    pub name: String,
    /// What it tries, a sentence.
    pub tries: String,
    /// What is planted for it: a function of `decoys`.
    pub decoy: String,
    /// Layers each of which stops it alone.
    pub stopped_by: Vec<Layer>,
    /// Layers that do so only where the test runs as root.
    pub as_root: Vec<Layer>,
    /// Whether it runs as a user who owns nothing.
    pub nobody: bool,
    /// Whether an ordinary user has not what it takes.
    pub needs_root: bool,
    /// The program, in Python, without what all have in common.
    pub program: String,
}

/// The directory of this package.
pub fn directory() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All attacks, by topic and name.
///
/// # Panics
///
/// If one does not say what it is.
pub fn all() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for topic in entries(&directory().join("programs")) {
        if topic.is_dir() {
            for file in entries(&topic) {
                let text = fs::read_to_string(&file).expect("it can be read");
                let attack = parse(&stem(&topic), &stem(&file), &text);
                attacks.push(attack.unwrap_or_else(|why| panic!("{}: {why}", file.display())));
            }
        }
    }
    attacks
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(directory).expect("it can be listed");
    let mut paths: Vec<PathBuf> = listed.map(|entry| entry.expect("it can be listed").path()).collect();
    paths.sort();
    paths
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn parse(topic: &str, name: &str, text: &str) -> Result<Attack, String> {
    let (head, program) = text
        .strip_prefix("\"\"\"")
        .and_then(|text| text.split_once("\"\"\"\n"))
        .ok_or("it does not begin with what it is")?;
    let (tries, fields) = head.split_once("\n\n").ok_or("nothing follows what it tries")?;
    let mut attack = Attack {
        topic: topic.to_owned(),
        name: name.to_owned(),
        tries: tries.replace('\n', " "),
        decoy: String::new(),
        stopped_by: Vec::new(),
        as_root: Vec::new(),
        nobody: false,
        needs_root: false,
        program: program.to_owned(),
    };
    for line in fields.lines() {
        match line.split_once(": ") {
            Some(("decoy", decoy)) => decoy.clone_into(&mut attack.decoy),
            Some(("stopped by", names)) => attack.stopped_by = layers(names)?,
            Some(("as root", names)) => attack.as_root = layers(names)?,
            Some(("run as", "nobody")) => attack.nobody = true,
            Some(("needs", "root")) => attack.needs_root = true,
            _ => return Err(format!("`{line}` says nothing")),
        }
    }
    if attack.decoy.is_empty() || attack.stopped_by.is_empty() && attack.as_root.is_empty() {
        return Err("it lacks its decoy, or what stops it".to_owned());
    }
    Ok(attack)
}

fn layers(names: &str) -> Result<Vec<Layer>, String> {
    names.split(", ").map(|name| layers::by_name(name).ok_or(format!("there is no layer `{name}`"))).collect()
}

impl Attack {
    /// The layers that stop it where the test runs as this user.
    pub fn layers(&self, is_root: bool) -> Vec<Layer> {
        let more = if is_root { self.as_root.as_slice() } else { &[] };
        self.stopped_by.iter().chain(more).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "\"\"\"Looks.\n\ndecoy: file\nstopped by: root, seccomp\nas root: user\n\"\"\"\nshow(1)\n";

    #[test]
    fn the_head_says_what_it_is() {
        let attack = parse("files", "look", TEXT).unwrap();
        assert_eq!((attack.tries.as_str(), attack.decoy.as_str()), ("Looks.", "file"));
        assert_eq!(attack.layers(false), [Layer::Root, Layer::Seccomp]);
        assert_eq!(attack.layers(true), [Layer::Root, Layer::Seccomp, Layer::User]);
        assert_eq!(attack.program, "show(1)\n");
    }

    #[test]
    fn a_head_that_says_less_is_refused() {
        for (from, to) in [
            ("stopped by: root, seccomp\nas root: user\n", ""),
            ("decoy: file\n", ""),
            ("seccomp", "luck"),
            ("as root: user", "as root user"),
            ("\n\n", "\n"),
            ("\"\"\"Looks", "Looks"),
        ] {
            assert!(parse("files", "look", &TEXT.replacen(from, to, 1)).is_err(), "{from}");
        }
    }
}
