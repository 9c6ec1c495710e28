//! What is there, for whoever named what is not.

use session::{DirectoryEntry, EntryKind, FileFault, Session};

use super::arguments::shown;
use super::reply::size;

/// How many names are told.
const TOLD: usize = 20;

/// Whether a file was not had because there is none.
pub(super) fn is_missing(error: &session::Error) -> bool {
    matches!(error, session::Error::CellFile { fault: FileFault::NotFound, .. })
}

/// Why a file was not had, as a clause.
pub(super) fn why(path: &str, error: &session::Error) -> String {
    let path = shown(path);
    match error {
        error if is_missing(error) => format!("there is no file `{path}`"),
        session::Error::CellFile { left, fault, .. } => format!("`{path}`{left}: {fault}"),
        error => format!("`{path}`: {}", crate::fault::chain(error)),
    }
}

/// What is where the path leads, or where the session works: names that look like it first, then the newest.
pub(super) async fn there(session: &Session, path: &str) -> String {
    let (parent, name) = path
        .trim_end_matches('/')
        .rsplit_once('/')
        .map_or((".", path), |(parent, name)| (if parent.is_empty() { "/" } else { parent }, name));
    let (listing, parent) = match session.list_directory(parent).await {
        Ok(listing) => (listing, parent),
        Err(_) => match session.list_directory(".").await {
            Ok(listing) => (listing, "."),
            Err(_) => return String::new(),
        },
    };
    let place = if parent == "." { listing.path.display().to_string() } else { shown(parent) };
    told(name, &place, listing.entries)
}

fn told(name: &str, place: &str, mut entries: Vec<DirectoryEntry>) -> String {
    if entries.is_empty() {
        return format!("Nothing is in `{place}`.");
    }
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.modified));
    entries.sort_by_key(|entry| !alike(name, &entry.name.to_string_lossy()));
    let first = entries[0].name.to_string_lossy().into_owned();
    let near = if alike(name, &first) { format!("Is `{}` meant? ", shown(&first)) } else { String::new() };
    let rest = entries.len().saturating_sub(TOLD);
    let lines: Vec<String> = entries.iter().take(TOLD).map(line).collect();
    let more = if rest > 0 { format!("\n  and {rest} more") } else { String::new() };
    format!("{near}In `{place}` there is, the newest first:\n{}{more}", lines.join("\n"))
}

fn line(entry: &DirectoryEntry) -> String {
    let name = shown(&entry.name.to_string_lossy());
    match &entry.kind {
        EntryKind::File => format!("  {name} ({})", size(entry.size)),
        EntryKind::Directory => format!("  {name}/"),
        EntryKind::Link(target) => format!("  {name} (a link to {})", shown(&target.to_string_lossy())),
        EntryKind::Special => format!("  {name} (no file)"),
    }
}

/// Whether one name may have been meant by the other.
pub(super) fn alike(one: &str, other: &str) -> bool {
    let stem = |name: &str| {
        let name = name.rsplit('/').next().unwrap_or(name).to_lowercase();
        name.rsplit_once('.').map_or(name.clone(), |(stem, _)| stem.to_owned())
    };
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    if one == other || (stem(&one) == stem(&other) && !stem(&one).is_empty()) {
        return true;
    }
    let near = one.chars().count().min(other.chars().count()) / 3;
    near > 0 && one.len() < 256 && other.len() < 256 && distance(&one, &other) <= near.min(3)
}

/// How many letters must be changed, added or left out to make one of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.iter().enumerate() {
            let cost = (diagonal + usize::from(a != *b)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], cost);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn entry(name: &str, second: u64) -> DirectoryEntry {
        DirectoryEntry {
            name: name.into(),
            kind: EntryKind::File,
            size: 2048,
            modified: UNIX_EPOCH + Duration::from_secs(second),
        }
    }

    #[test]
    fn names_that_may_be_meant_are_alike() {
        for (one, other) in [
            ("sales.csv", "sale.csv"),
            ("chart.png", "Chart.PNG"),
            ("chart.png", "chart.jpg"),
            ("out.txt", "uot.txt"),
        ] {
            assert!(alike(one, other), "{one} {other}");
        }
        for (one, other) in [("a.csv", "zzz.txt"), ("chart.png", "table.xlsx"), ("", "x"), (".a", ".b")] {
            assert!(!alike(one, other), "{one} {other}");
        }
    }

    #[test]
    fn what_looks_alike_comes_first_and_then_the_newest() {
        let entries = vec![entry("old.txt", 1), entry("charts.png", 2), entry("new.txt", 3)];
        assert_eq!(
            told("chart.png", "/mnt/workspace", entries),
            "Is `charts.png` meant? In `/mnt/workspace` there is, the newest first:\n  charts.png (2.0 KB)\n  \
             new.txt (2.0 KB)\n  old.txt (2.0 KB)"
        );
        let many = (0..25).map(|n| entry(&format!("file{n:02}"), n)).collect();
        let told = told("x", "/tmp", many);
        assert!(told.starts_with("In `/tmp` there is") && told.ends_with("and 5 more"), "{told}");
    }
}
