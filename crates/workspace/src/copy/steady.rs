//! Reading a file that somebody may be writing to: all of it as it was at one time, or an error.

use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

use sys::appear::Look;

/// A file was changed while it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it was changed while it was read")]
pub(super) struct Changed;

impl Changed {
    /// Whether this is why something failed.
    pub(super) fn is_in(error: &crate::Error) -> bool {
        matches!(error, crate::Error::Disk { source, .. }
            if source.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Changed>))
    }
}

/// Reads a file to its end, which is an error if the file looks otherwise then.
#[derive(Debug)]
pub(super) struct Steady {
    file: File,
    look: Look,
    read: u64,
}

impl Steady {
    /// Begins to read. Waits until a change from now on shows: where the kernel's times are coarse, that is when the moment
    /// has passed in which the file was last changed.
    pub(super) fn new(file: File) -> io::Result<Steady> {
        // What was written through a mapping shows the next time only if it was begun to be written to the disk.
        sys::appear::write_behind(&file);
        let mut look = Look::of(&file)?;
        // Some moments, and not for a file whose times are in the future.
        for _ in 0..30 {
            let now = sys::lease::file_clock();
            if look.changed < now {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
            look = Look::of(&file)?;
        }
        Ok(Steady { file, look, read: 0 })
    }

    /// How much longer it is than what it takes up under this name, bytes: all of it, if it has others.
    pub(super) fn holes(&self) -> u64 {
        use std::os::unix::fs::MetadataExt;
        let own = |metadata: &std::fs::Metadata| metadata.nlink() < 2;
        let metadata = self.file.metadata().ok().filter(own);
        self.look.size.saturating_sub(metadata.map_or(0, |metadata| metadata.blocks() * 512))
    }

    /// How it looks, if it is read to its end without an error.
    pub(super) fn look(&self) -> Look {
        self.look
    }
}

impl Read for Steady {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.read += read as u64;
        let ends = read == 0 && !buffer.is_empty();
        // One that only ever grows would not end.
        if self.read > self.look.size
            || ends && (self.read < self.look.size || Look::of(&self.file)? != self.look)
        {
            return Err(io::Error::other(Changed));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::FileExt;

    type Change = fn(&mut File);

    #[test]
    fn a_change_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let changes: [Change; 4] = [
            |file| file.write_all_at(b"X", 0).unwrap(),
            |file| file.write_all(b"more").unwrap(),
            |file| file.set_len(1).unwrap(),
            |file| {
                file.write_all_at(b"X", 2).unwrap();
                file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
            },
        ];
        for change in changes {
            let mut file = File::create(&path).unwrap();
            file.write_all(b"content").unwrap();
            let mut steady = Steady::new(File::open(&path).unwrap()).unwrap();
            let mut start = [0; 4];
            steady.read_exact(&mut start).unwrap();
            change(&mut file);
            let error = steady.read_to_end(&mut Vec::new()).unwrap_err();
            assert!(error.get_ref().unwrap().is::<Changed>());
        }
        let mut whole = Vec::new();
        Steady::new(File::open(&path).unwrap()).unwrap().read_to_end(&mut whole).unwrap();
        assert_eq!(whole, b"coXtent");
    }
}
