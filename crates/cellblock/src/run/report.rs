//! The end of a run, for people and for programs.

use std::path::Path;

use environment::Installed;
use serde_json::{Value, json};
use session::{Language, Report, Survival};

use super::language;
use super::left_out::LeftOut;
use super::save::Saved;
use super::show::Collected;
use crate::printer::{bytes, name};

/// A saved file on a line: name, size, and what became of one that was there.
pub(crate) fn line(saved: &Saved, directory: &Path) -> String {
    let path = saved.path.strip_prefix(directory).unwrap_or(&saved.path);
    let shown = name(&path.display().to_string());
    let wanted = name(&saved.name.display().to_string());
    let size = bytes(saved.bytes);
    match (saved.same, path == saved.name) {
        (true, _) => format!("{shown}  {size}  (the same was there)"),
        (false, true) => format!("{shown}  {size}"),
        (false, false) => format!("{shown}  {size}  (another {wanted} was there)"),
    }
}

/// What was brought, in few words: a large directory has many names.
pub(crate) fn brought(names: impl Iterator<Item = String>, count: usize) -> String {
    const NAMED: usize = 10;
    let named: Vec<String> = names.take(NAMED).collect();
    let more = if count > NAMED { format!(" and {} more", count - NAMED) } else { String::new() };
    format!("brought into the cell: {}{more}", named.join(", "))
}

/// All that `--json` tells.
pub(crate) struct Told<'a> {
    pub(crate) status: u8,
    pub(crate) report: &'a Report,
    pub(crate) collected: &'a Collected,
    pub(crate) figures: &'a [Saved],
    pub(crate) saved: &'a [Saved],
    pub(crate) left_out: &'a LeftOut,
    pub(crate) memory_limit: u64,
    pub(crate) soft_limits: &'a [&'static str],
    pub(crate) environment: &'a Installed,
    pub(crate) language: Language,
}

impl Told<'_> {
    /// As one object.
    pub(crate) fn json(&self) -> Value {
        let report = self.report;
        let file = |saved: &Saved| {
            json!({
                "name": saved.name.display().to_string(),
                "path": saved.path.display().to_string(),
                "bytes": saved.bytes,
                "unchanged": saved.same,
            })
        };
        let failed = self.left_out.failed.iter();
        let failed: Vec<Value> =
            failed.map(|(path, why)| json!({ "name": path.display().to_string(), "why": why })).collect();
        json!({
            "language": self.language.name(),
            "runtime": language::runtime(self.language),
            "outcome": report.outcome.name(),
            "status": self.status,
            "message": report.outcome.to_string(),
            "variables_kept": report.variables == Survival::Kept,
            "stdout": String::from_utf8_lossy(&self.collected.stdout),
            "stderr": String::from_utf8_lossy(&self.collected.stderr),
            "traceback": report.raised.as_ref().map(|raised| raised.traceback.as_str()),
            "error": report.raised.as_ref().map(|raised| json!({ "name": raised.name, "value": raised.value })),
            "results": self.collected.results,
            "notices": self.collected.notices,
            "figures": self.figures.iter().map(file).collect::<Vec<_>>(),
            "files": self.saved.iter().map(file).collect::<Vec<_>>(),
            "not_saved": {
                "links": self.left_out.links.count,
                "special": self.left_out.special.count,
                "caches": self.left_out.caches.count,
                "repositories": self.left_out.repositories.count,
                "unreadable_directories": self.left_out.closed.count,
                "too_many_files": self.left_out.cut,
                "failures": self.left_out.failures,
                "failed": failed,
            },
            "seconds": report.elapsed.as_secs_f64(),
            "cpu_seconds": report.cpu.map(|cpu| cpu.as_secs_f64()),
            "memory_peak_bytes": report.memory_peak,
            "memory_limit_bytes": self.memory_limit,
            "output_bytes": report.written,
            "soft_limits": self.soft_limits,
            "environment": { "name": self.environment.name, "id": self.environment.id, "python": self.environment.python },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_brought_is_told_in_few_words() {
        let names = |count: usize| brought((0..count).map(|n| n.to_string()), count);
        assert_eq!(names(2), "brought into the cell: 0, 1");
        assert_eq!(names(1000), "brought into the cell: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 990 more");
    }

    #[test]
    fn a_line_says_what_became_of_a_file_that_was_there() {
        let saved =
            |name: &str, path: &str, same| Saved { name: name.into(), path: path.into(), bytes: 2048, same };
        let line = |saved: &Saved| line(saved, Path::new("out"));
        assert_eq!(line(&saved("a.png", "out/a.png", false)), "a.png  2.0 KiB");
        assert_eq!(line(&saved("a.png", "out/a.png", true)), "a.png  2.0 KiB  (the same was there)");
        assert_eq!(
            line(&saved("a.png", "out/a-2.png", false)),
            "a-2.png  2.0 KiB  (another a.png was there)"
        );
        assert_eq!(line(&saved("d/\x1b.png", "out/d/\x1b.png", false)), "d/\\u{1b}.png  2.0 KiB");
    }
}
