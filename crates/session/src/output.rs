//! What a call writes: how much of it is passed on, and where the rest goes.
//!
//! Up to the limit everything is passed on as it comes. From the byte that crosses the limit on, nothing is; then all
//! of it, what came before included, goes to a file in the workspace, so that the whole can be read in one place. That
//! file is bounded as well: beyond [`FILE_LIMIT`] output is counted and gone.
//!
//! Nobody waits for a slow reader: a call's events are bounded by bytes, not by the speed of whoever takes them, so a
//! kernel never stands still because of its client, nor one call because of another's.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use cell::Cell;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// The most that a file of output holds, bytes.
pub(crate) const FILE_LIMIT: u64 = 64 << 20;

/// The most memory that what a call displays may cost, bytes; the forms of a figure are a few hundred kilobytes.
pub(crate) const DISPLAY_LIMIT: u64 = 64 << 20;

/// How much is written at once, bytes, at least.
const GATHERED: usize = 64 << 10;

/// How much of the end of a call's output is at hand when it ends, bytes: what V8 says when it gives up, with a stack.
const LAST_WORDS: usize = 16 << 10;

/// How many names are tried for a file of output.
const NAMES: u32 = 1000;

/// A call's output.
#[derive(Debug)]
pub(crate) struct Output {
    limit: u64,
    written: u64,
    displayed: u64,
    /// How many bundles were more than may be displayed.
    not_displayed: u64,
    /// What was passed on, while nothing was cut.
    kept: Vec<u8>,
    /// The end of what was written, at least [`LAST_WORDS`] of it.
    last_words: Vec<u8>,
    spool: Option<Spool>,
}

/// What is to be done with a piece of output.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// What is passed on; may be empty.
    pub(crate) pass: Bytes,
    /// Whether this piece crossed the limit: a spool is wanted now.
    pub(crate) crossed: bool,
}

impl Output {
    /// Nothing yet; this many bytes may be passed on.
    pub(crate) fn new(limit: u64) -> Output {
        Output {
            limit,
            written: 0,
            displayed: 0,
            not_displayed: 0,
            kept: Vec::new(),
            last_words: Vec::new(),
            spool: None,
        }
    }

    /// All that was written, bytes.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// The end of what was written: all of it, or some kilobytes.
    pub(crate) fn last_words(&self) -> &[u8] {
        &self.last_words
    }

    fn remember(&mut self, bytes: &[u8]) {
        if bytes.len() >= LAST_WORDS {
            self.last_words.clear();
        } else if self.last_words.len() + bytes.len() > 2 * LAST_WORDS {
            self.last_words.drain(..self.last_words.len().saturating_sub(LAST_WORDS));
        }
        self.last_words.extend_from_slice(&bytes[bytes.len().saturating_sub(LAST_WORDS)..]);
    }

    /// Takes a piece of output.
    pub(crate) fn take(&mut self, bytes: Bytes) -> Taken {
        self.remember(&bytes);
        let before = self.written;
        self.written += bytes.len() as u64;
        let room = self.limit.saturating_sub(before).min(bytes.len() as u64) as usize;
        let pass = bytes.slice(..room);
        let crossed = before <= self.limit && self.written > self.limit;
        match &mut self.spool {
            Some(spool) => spool.write(&bytes),
            None if before <= self.limit => self.kept.extend_from_slice(&bytes),
            // The file could not be made, or there is no cell any more: it is counted.
            None => {}
        }
        Taken { pass, crossed }
    }

    /// Whether a bundle that costs this much memory may be passed on.
    pub(crate) fn display(&mut self, cost: usize) -> bool {
        let displayed = self.displayed + cost as u64;
        let fits = displayed <= DISPLAY_LIMIT;
        if fits {
            self.displayed = displayed;
        } else {
            self.not_displayed += 1;
        }
        fits
    }

    /// What to say of bundles that were not passed on, if there are some.
    pub(crate) fn not_displayed(&self) -> Option<String> {
        let (count, limit) = (self.not_displayed, DISPLAY_LIMIT >> 20);
        let what = if count == 1 { "thing" } else { "things" };
        (count > 0)
            .then(|| format!("{count} displayed {what} left out: a call may display {limit} MiB in all"))
    }

    /// Gives the output a file; what came so far goes there first.
    pub(crate) fn spool_to(&mut self, mut spool: Spool) {
        spool.write(&std::mem::take(&mut self.kept));
        self.spool = Some(spool);
    }

    /// The file, to be closed.
    pub(crate) fn finish(&mut self) -> Option<JoinHandle<Option<Spooled>>> {
        self.kept = Vec::new();
        self.spool.take().map(Spool::finish)
    }
}

/// A file of output that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spooled {
    /// Its name in the workspace.
    pub(crate) name: String,
    /// What it holds, bytes.
    pub(crate) bytes: u64,
}

/// A file of output that is being written, on a thread of its own: a disk may be slow, and the session must not be.
#[derive(Debug)]
pub(crate) struct Spool {
    pieces: mpsc::UnboundedSender<Vec<u8>>,
    /// What is not yet on its way: single bytes are gathered.
    gathered: Vec<u8>,
    /// How much may still be written.
    left: u64,
    thread: JoinHandle<Option<Spooled>>,
}

impl Spool {
    /// Begins a file in the cell's workspace.
    pub(crate) fn start(cell: Arc<Cell>, limit: u64) -> Spool {
        Spool::to(limit, move || {
            create(cell.workspace(), |file| cell.give(file).map_err(std::io::Error::other))
        })
    }

    fn to(limit: u64, create: impl FnOnce() -> std::io::Result<(String, File)> + Send + 'static) -> Spool {
        let (pieces, mut taken) = mpsc::unbounded_channel::<Vec<u8>>();
        let thread = tokio::task::spawn_blocking(move || {
            let (name, mut file) = create()
                .inspect_err(|error| tracing::warn!("no file for output over the limit: {error}"))
                .ok()?;
            let mut bytes = 0;
            while let Some(piece) = taken.blocking_recv() {
                if file.write_all(&piece).is_err() {
                    // A full disk: what is there is there.
                    break;
                }
                bytes += piece.len() as u64;
            }
            Some(Spooled { name, bytes })
        });
        Spool { pieces, gathered: Vec::new(), left: limit, thread }
    }

    fn write(&mut self, piece: &[u8]) {
        let fits = self.left.min(piece.len() as u64);
        self.left -= fits;
        self.gathered.extend_from_slice(&piece[..fits as usize]);
        if self.gathered.len() >= GATHERED {
            self.send();
        }
    }

    fn send(&mut self) {
        // Nobody listens any more if the file could not be made or the disk is full.
        let _ = self.pieces.send(std::mem::take(&mut self.gathered));
    }

    fn finish(mut self) -> JoinHandle<Option<Spooled>> {
        self.send();
        self.thread
    }
}

/// Makes a file of a name that is free. The workspace is hostile: whatever stands under a name, link or fifo, is passed
/// over, and so is the file if it cannot be given to the cell's user.
fn create(
    workspace: &Path,
    give: impl Fn(BorrowedFd) -> std::io::Result<()>,
) -> std::io::Result<(String, File)> {
    let directory = sys::file::directory(workspace)?;
    for number in 1..=NAMES {
        let name = format!("output-{number}.txt");
        match sys::file::create_below(directory.as_fd(), Path::new(&name), 0o644) {
            Ok(file) => {
                give(file.as_fd())?;
                return Ok((name, file));
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Bytes {
        Bytes::copy_from_slice(text.as_bytes())
    }

    #[test]
    fn what_fits_is_passed_on_and_the_crossing_is_told_once() {
        let mut output = Output::new(5);
        assert_eq!(output.take(bytes("abc")), Taken { pass: bytes("abc"), crossed: false });
        assert_eq!(output.take(bytes("de")), Taken { pass: bytes("de"), crossed: false });
        assert_eq!(output.take(bytes("")), Taken { pass: bytes(""), crossed: false });
        assert_eq!(output.take(bytes("f")), Taken { pass: bytes(""), crossed: true });
        assert_eq!(output.take(bytes("g")), Taken { pass: bytes(""), crossed: false });
        assert_eq!(output.written(), 7);
        let mut output = Output::new(2);
        assert_eq!(output.take(bytes("abc")), Taken { pass: bytes("ab"), crossed: true });
    }

    #[test]
    fn the_last_words_are_the_end_of_what_was_written() {
        let written: Vec<u8> = (0..5 * LAST_WORDS).map(|at| (at % 251) as u8).collect();
        for piece in [1, 100, LAST_WORDS - 1, LAST_WORDS, 3 * LAST_WORDS] {
            let mut output = Output::new(10);
            for bytes in written.chunks(piece) {
                output.take(Bytes::copy_from_slice(bytes));
                assert!(output.last_words().len() <= 2 * LAST_WORDS, "{piece}");
            }
            assert!(written.ends_with(output.last_words()), "{piece}");
            // Nothing is told less of than this, whatever its pieces were.
            assert!(output.last_words().len() >= LAST_WORDS, "{piece}");
        }
    }

    #[tokio::test]
    async fn the_file_holds_all_in_order_up_to_its_own_limit() {
        let workspace = tempfile::tempdir().unwrap();
        let mut output = Output::new(3);
        output.take(bytes("ab"));
        assert!(output.take(bytes("cde")).crossed);
        let path = workspace.path().to_owned();
        output.spool_to(Spool::to(6, move || create(&path, |_| Ok(()))));
        assert_eq!(output.take(bytes("fg")).pass, bytes(""));
        let spooled = output.finish().unwrap().await.unwrap().unwrap();
        assert_eq!(spooled, Spooled { name: "output-1.txt".into(), bytes: 6 });
        assert_eq!(std::fs::read_to_string(workspace.path().join("output-1.txt")).unwrap(), "abcdef");
    }

    #[test]
    fn what_a_hostile_workspace_put_in_the_way_is_passed_over() {
        let workspace = tempfile::tempdir().unwrap();
        let at = |name: &str| workspace.path().join(name);
        let outside = tempfile::NamedTempFile::new().unwrap();
        std::os::unix::fs::symlink(outside.path(), at("output-1.txt")).unwrap();
        std::os::unix::fs::symlink("nowhere", at("output-2.txt")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("output-3.txt"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
        std::fs::create_dir(at("output-4.txt")).unwrap();
        std::fs::write(at("output-5.txt"), "mine").unwrap();
        let (name, mut file) = create(workspace.path(), |_| Ok(())).unwrap();
        file.write_all(b"x").unwrap();
        assert_eq!(name, "output-6.txt");
        assert_eq!(std::fs::read(outside.path()).unwrap(), b"");
        assert_eq!(std::fs::read(at("output-5.txt")).unwrap(), b"mine");
    }

    #[test]
    fn pictures_without_end_are_cut() {
        let mut output = Output::new(1);
        assert!(!output.display(DISPLAY_LIMIT as usize + 1));
        assert!(output.display(DISPLAY_LIMIT as usize), "what does not fit leaves room for what does");
        assert!(!output.display(1));
        let told = output.not_displayed().unwrap();
        assert_eq!(told, "2 displayed things left out: a call may display 64 MiB in all");
    }
}
