//! What stayed in the cell though it was there to be saved, and how that is told.

use std::path::{Path, PathBuf};

use crate::printer;

/// How many of the files are named that were not saved.
const NAMED: usize = 1000;

/// Some paths of many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Few {
    pub(crate) count: usize,
    /// The first of them.
    pub(crate) names: Vec<PathBuf>,
}

impl Few {
    const NAMED: usize = 5;

    pub(crate) fn add(&mut self, path: &Path) {
        self.count += 1;
        if self.names.len() < Self::NAMED {
            self.names.push(path.to_owned());
        }
    }

    /// `2 links: a, b`; `None` if there are none.
    fn told(&self, one: &str, many: &str) -> Option<String> {
        let noun = match self.count {
            0 => return None,
            1 => one,
            _ => many,
        };
        let names: Vec<String> =
            self.names.iter().map(|path| printer::name(&path.display().to_string())).collect();
        let more = if self.count > self.names.len() { ", …" } else { "" };
        Some(format!("{} {noun}: {}{more}", self.count, names.join(", ")))
    }
}

/// What was not saved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub(crate) links: Few,
    pub(crate) special: Few,
    pub(crate) closed: Few,
    pub(crate) caches: Few,
    pub(crate) repositories: Few,
    /// Files that could not be read or written, and why; the first of them.
    pub(crate) failed: Vec<(PathBuf, String)>,
    /// How many these are in all.
    pub(crate) failures: usize,
    /// Whether there was more than is looked at.
    pub(crate) cut: bool,
}

impl LeftOut {
    /// Whether something is lost that should have been saved.
    pub(crate) fn is_loss(&self) -> bool {
        self.failures > 0 || self.cut || self.closed.count > 0
    }

    pub(crate) fn fail(&mut self, path: PathBuf, why: String) {
        self.failures += 1;
        if self.failed.len() < NAMED {
            self.failed.push((path, why));
        }
    }

    /// What was left out on purpose, in lines.
    pub(crate) fn told(&self) -> Vec<String> {
        [
            self.links.told("link", "links"),
            self.special.told("pipe, socket or device", "pipes, sockets or devices"),
            self.caches.told("cache", "caches"),
            self.repositories.told("git repository's own files", "git repositories' own files"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_out_is_told_in_words() {
        assert!(LeftOut::default().told().is_empty() && !LeftOut::default().is_loss());
        let mut left_out = LeftOut::default();
        left_out.links.add(Path::new("a\n"));
        (0..7).for_each(|number| left_out.special.add(Path::new(&format!("p{number}"))));
        assert_eq!(
            left_out.told(),
            ["1 link: a\\u{a}", "7 pipes, sockets or devices: p0, p1, p2, p3, p4, …"]
        );
        assert!(!left_out.is_loss());
        left_out.fail("x".into(), "why".to_owned());
        assert!(left_out.is_loss());
    }
}
