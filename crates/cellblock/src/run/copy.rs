//! The content of a file that is saved: compared, and copied with its holes.
//!
//! Everything is read at a place and not from where the last reader stopped: what is compared first and copied then is
//! the whole both times. A hole is neither read nor written, so that a file of terabytes of nothing costs nothing here.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// How much is read at once, bytes.
const PIECE: usize = 128 << 10;

/// What is to be saved.
#[derive(Clone, Copy)]
pub(crate) enum Content<'a> {
    Bytes(&'a [u8]),
    /// A file up to this length. A process that was left behind may still be writing: what it adds is not waited for.
    File(&'a File, u64),
}

impl Content<'_> {
    /// How long it is, bytes.
    pub(crate) fn length(&self) -> u64 {
        match self {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::File(_, length) => *length,
        }
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        match self {
            Content::Bytes(bytes) => {
                let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
                let length = rest.len().min(buffer.len());
                buffer[..length].copy_from_slice(&rest[..length]);
                Ok(length)
            }
            Content::File(file, _) => file.read_at(buffer, at),
        }
    }

    /// The first stretch from here on that is no hole.
    fn data(&self, from: u64) -> io::Result<Option<Range<u64>>> {
        let found = match self {
            Content::Bytes(bytes) => Some(from..bytes.len() as u64),
            Content::File(file, _) => sys::sparse::data(file, from)?,
        };
        let length = self.length();
        Ok(found.map(|found| found.start..found.end.min(length)).filter(|found| !found.is_empty()))
    }

    /// Shows all data, piece by piece with its place, until there is no more or `each` says so (`false`).
    fn pieces(&self, each: &mut dyn FnMut(&[u8], u64) -> io::Result<bool>) -> io::Result<()> {
        let (mut buffer, mut at) = (vec![0; PIECE], 0);
        while let Some(data) = self.data(at)? {
            at = data.start;
            while at < data.end {
                let wanted = usize::try_from(data.end - at).unwrap_or(PIECE).min(PIECE);
                let read = self.read_at(&mut buffer[..wanted], at)?;
                // It was cut in between.
                if read == 0 || !each(&buffer[..read], at)? {
                    return Ok(());
                }
                at += read as u64;
            }
        }
        Ok(())
    }

    /// Whether another has the same content. `step` hears of every piece, and may break off with an error.
    pub(crate) fn is_same(
        &self,
        other: &Content,
        step: &mut dyn FnMut(u64) -> io::Result<()>,
    ) -> io::Result<bool> {
        if self.length() != other.length() {
            return Ok(false);
        }
        // Where one has a hole, the other must have one or zeros: both are asked what they have.
        Ok(self.is_in(other, step)? && other.is_in(self, step)?)
    }

    fn is_in(&self, other: &Content, step: &mut dyn FnMut(u64) -> io::Result<()>) -> io::Result<bool> {
        let (mut theirs, mut same) = (vec![0; PIECE], true);
        self.pieces(&mut |ours, at| {
            step(0)?;
            let mut compared = 0;
            while same && compared < ours.len() {
                let read = other.read_at(&mut theirs[..ours.len() - compared], at + compared as u64)?;
                same = read > 0 && ours[compared..compared + read] == theirs[..read];
                compared += read;
            }
            Ok(same)
        })?;
        Ok(same)
    }

    /// Copies it into an empty file, with its holes. `step` hears how many bytes are about to be written.
    pub(crate) fn copy(&self, to: &File, step: &mut dyn FnMut(u64) -> io::Result<()>) -> io::Result<()> {
        self.pieces(&mut |piece, at| {
            step(piece.len() as u64)?;
            to.write_all_at(piece, at)?;
            Ok(true)
        })?;
        to.set_len(self.length())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    fn file(bytes: &[u8]) -> File {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(bytes, 0).unwrap();
        file
    }

    const GO_ON: fn(u64) -> io::Result<()> = |_| Ok(());

    #[test]
    fn what_was_compared_is_still_copied_whole() {
        let long = vec![7; 3 * PIECE + 1];
        let mut other = long.clone();
        *other.last_mut().unwrap() = 8;
        let (ours, theirs, copied) = (file(&long), file(&other), file(b""));
        let length = long.len() as u64;
        let content = Content::File(&ours, length);
        assert!(!content.is_same(&Content::File(&theirs, length), &mut { GO_ON }).unwrap());
        content.copy(&copied, &mut { GO_ON }).unwrap();
        assert!(content.is_same(&Content::File(&copied, length), &mut { GO_ON }).unwrap());
        assert!(content.is_same(&Content::Bytes(&long), &mut { GO_ON }).unwrap());
    }

    #[test]
    fn holes_stay_holes_and_are_the_same_as_zeros() {
        let (holes, copied) = (file(b""), file(b""));
        holes.set_len(1 << 40).unwrap();
        holes.write_all_at(b"x", 1 << 30).unwrap();
        let content = Content::File(&holes, 1 << 40);
        content.copy(&copied, &mut { GO_ON }).unwrap();
        assert_eq!(copied.metadata().unwrap().len(), 1 << 40);
        assert!(copied.metadata().unwrap().blocks() * 512 < 8 << 20);
        assert!(content.is_same(&Content::File(&copied, 1 << 40), &mut { GO_ON }).unwrap());
        copied.write_all_at(b"y", 1 << 35).unwrap();
        assert!(!content.is_same(&Content::File(&copied, 1 << 40), &mut { GO_ON }).unwrap());
        let hole = file(b"");
        hole.set_len(10).unwrap();
        assert!(Content::File(&hole, 10).is_same(&Content::Bytes(&[0; 10]), &mut { GO_ON }).unwrap());
    }
}
