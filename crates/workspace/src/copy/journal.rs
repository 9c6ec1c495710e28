//! What is known of a working copy, for a daemon that comes after one that died: cells outlive both.
//!
//! A line for each change, appended before a file is there whose content is on its way, and before anybody is let into one
//! that was filled. It is not synced: a machine that ends, ends the cells, too. A last line that is not whole is passed
//! over. If it cannot be written it is removed: nothing known is better than something that is not so.

use std::fs::File as DiskFile;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sys::appear::Look;

use super::known::{Entry, State};
use crate::store::Version;

/// What was known of a place; nothing, if it was forgotten.
type Line = (PathBuf, Option<Entry>);

/// Where it is, while it can be written.
#[derive(Debug, Default)]
pub(super) struct Journal(Option<(DiskFile, PathBuf)>);

impl Journal {
    /// What was written there, line by line, and one that goes on from it.
    pub(super) fn open(path: &Path) -> io::Result<(Journal, Vec<Line>)> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        // Only whole lines: what follows the last end of a line was being written.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines = String::from_utf8_lossy(&text[..whole]);
        let entries = lines.lines().filter_map(parse).collect();
        let file = DiskFile::options().create(true).append(true).open(path)?;
        file.set_len(whole as u64)?;
        Ok((Journal(Some((file, path.to_owned()))), entries))
    }

    /// Adds what is known of a place now.
    pub(super) fn add(&mut self, local: &Path, entry: Option<&Entry>) {
        let Some((file, path)) = &mut self.0 else { return };
        if let Err(error) = file.write_all(line(local, entry).as_bytes()) {
            tracing::warn!(%error, path = %path.display(), "could not remember what a working copy has");
            let _ = std::fs::remove_file(path);
            self.0 = None;
        }
    }
}

/// Paths of a workspace, and versions, have no control characters.
fn line(local: &Path, entry: Option<&Entry>) -> String {
    let local = local.display();
    let Some(entry) = entry else { return format!("-\t{local}\n") };
    let (version, uploaded, brought) = (&entry.version.0, u8::from(entry.uploaded), u8::from(entry.brought));
    let state = match &entry.state {
        State::Own => "own".to_owned(),
        State::Coming { inode, born } => format!("coming {inode} {born}"),
        State::Same(Look { inode, size, changed, modified }) => {
            format!("same {inode} {size} {} {} {} {}", changed.0, changed.1, modified.0, modified.1)
        }
    };
    format!("+\t{version}\t{uploaded}{brought}\t{state}\t{local}\n")
}

fn parse(line: &str) -> Option<Line> {
    if let Some(local) = line.strip_prefix("-\t") {
        return Some((local.into(), None));
    }
    let mut fields = line.strip_prefix("+\t")?.splitn(4, '\t');
    let version = Version(fields.next()?.into());
    let (uploaded, brought) = match fields.next()? {
        "00" => (false, false),
        "01" => (false, true),
        "10" => (true, false),
        "11" => (true, true),
        _ => return None,
    };
    let mut words = fields.next()?.split(' ');
    let kind = words.next()?;
    let numbers: Vec<i128> = words.map(str::parse).collect::<Result<_, _>>().ok()?;
    let state = match (kind, numbers.as_slice()) {
        ("own", []) => State::Own,
        ("coming", &[inode, born]) => State::Coming { inode: inode.try_into().ok()?, born },
        ("same", &[inode, size, changed, changed_part, modified, modified_part]) => State::Same(Look {
            inode: inode.try_into().ok()?,
            size: size.try_into().ok()?,
            changed: (changed.try_into().ok()?, changed_part.try_into().ok()?),
            modified: (modified.try_into().ok()?, modified_part.try_into().ok()?),
        }),
        _ => return None,
    };
    Some((fields.next()?.into(), Some(Entry::new(version, uploaded, brought, state))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let look = Look { inode: 7, size: u64::MAX, changed: (-1, 999_999_999), modified: (2, 3) };
        let entry = |state| Some(Entry::new(Version("\"1-2-3\"".into()), true, false, state));
        let written = [
            ("a b/ü", entry(State::Same(look))),
            ("x", entry(State::Coming { inode: 9, born: 1_700_000_000_123_456_789 })),
            ("x", entry(State::Own)),
            ("a b/ü", None),
        ];
        let (mut journal, before) = Journal::open(&path).unwrap();
        assert!(before.is_empty());
        for (local, entry) in &written {
            journal.add(Path::new(local), entry.as_ref());
        }
        drop(journal);
        // One that was being written when its daemon died.
        DiskFile::options().append(true).open(&path).unwrap().write_all(b"+\t\"1").unwrap();
        let (mut journal, read) = Journal::open(&path).unwrap();
        assert_eq!(read, written.clone().map(|(local, entry)| (PathBuf::from(local), entry)));
        journal.add(Path::new("y"), None);
        assert_eq!(Journal::open(&path).unwrap().1.len(), written.len() + 1);
    }
}
