//! What was entered, for the next shell: a file in the data directory that nobody else may read.
//!
//! An input is a line, with its own line ends escaped, and is written when it is entered: shells beside each other have
//! one history, and one that is killed loses nothing. The file is made shorter when it is read.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// How many inputs are kept.
pub(crate) const KEPT: usize = 5000;
/// The longest input that is, bytes.
const LONGEST: usize = 64 << 10;
/// The most of the file that is read, bytes: from its end.
const READ: u64 = 16 << 20;

/// The file.
#[derive(Debug)]
pub(crate) struct History {
    file: File,
}

impl History {
    /// Opens the file, and gives the inputs in it, oldest first.
    pub(crate) fn open(path: &Path) -> io::Result<(History, Vec<String>)> {
        if let Some(directory) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        }
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true).mode(0o600);
        let mut file = options.open(path)?;
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        let length = file.metadata()?.len();
        if length > READ {
            io::Seek::seek(&mut file, io::SeekFrom::Start(length - READ))?;
        }
        let mut bytes = Vec::new();
        Read::by_ref(&mut file).take(READ).read_to_end(&mut bytes)?;
        let mut entries: Vec<String> = String::from_utf8_lossy(&bytes).lines().map(unescaped).collect();
        if entries.len() > 2 * KEPT || length > READ {
            entries.drain(..entries.len().saturating_sub(KEPT));
            file = rewritten(path, &entries, &options)?;
        }
        Ok((History { file }, entries))
    }

    /// Adds an input.
    pub(crate) fn add(&mut self, entry: &str) -> io::Result<()> {
        if entry.len() > LONGEST {
            return Ok(());
        }
        self.file.write_all(format!("{}\n", escaped(entry)).as_bytes())
    }
}

/// The file with these inputs alone.
fn rewritten(path: &Path, entries: &[String], options: &OpenOptions) -> io::Result<File> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let beside: PathBuf = path.with_file_name(name);
    let text: String = entries.iter().map(|entry| escaped(entry) + "\n").collect();
    let mut file = options.clone().create_new(true).open(&beside)?;
    file.write_all(text.as_bytes())?;
    fs::rename(&beside, path)?;
    Ok(file)
}

fn escaped(entry: &str) -> String {
    entry.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "")
}

fn unescaped(line: &str) -> String {
    let mut entry = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        entry.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                other => other.unwrap_or('\\'),
            },
            character => character,
        });
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_entered_is_there_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/history");
        let (mut history, entries) = History::open(&path).unwrap();
        assert!(entries.is_empty());
        let entered = ["x = 1", "for x in y:\n    print('\\n', x)", "\\", "'ü'\\n"];
        for entry in entered {
            history.add(entry).unwrap();
        }
        history.add(&"x".repeat(LONGEST + 1)).unwrap();
        let (mut second, entries) = History::open(&path).unwrap();
        assert_eq!(entries, entered);
        // Two of them at once lose nothing.
        second.add("second").unwrap();
        history.add("first").unwrap();
        assert_eq!(History::open(&path).unwrap().1[4..], ["second", "first"]);
    }

    #[test]
    fn nobody_else_reads_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history");
        fs::write(&path, "a\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        History::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history");
        let lines: String = (0..=2 * KEPT).map(|number| format!("{number}\n")).collect();
        fs::write(&path, lines).unwrap();
        let (mut history, entries) = History::open(&path).unwrap();
        assert_eq!((entries.len(), entries.last().unwrap().as_str()), (KEPT, "10000"));
        history.add("last").unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!((text.lines().count(), text.lines().last()), (KEPT + 1, Some("last")));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn any_file_can_be_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history");
        fs::write(&path, b"\xff\\\n\\x\n\n").unwrap();
        assert_eq!(History::open(&path).unwrap().1, ["\u{fffd}\\", "x", ""]);
    }
}
