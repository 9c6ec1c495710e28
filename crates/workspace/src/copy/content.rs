//! The content of a file that is brought.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use futures_util::StreamExt;
use tokio::runtime::Handle;

use super::Base;
use crate::error::{Error, Result};
use crate::store::Stored;

/// After how much somebody else may want to be first, bytes.
const CHUNK: u64 = 8 << 20;

/// Fills a file with what the store has now, and says what that is.
pub(super) fn fill(
    base: &Base,
    runtime: &Handle,
    stored: &Stored,
    file: &File,
    between: &mut dyn FnMut() -> io::Result<()>,
) -> Result<Stored> {
    let failed = |source| Error::Disk { what: "fill", path: stored.path.as_str().into(), source };
    let reading = runtime.block_on(base.workspace.read(&stored.path))?;
    let stored = reading.stored.clone();
    match reading.into_file() {
        Ok(source) => copy(&source, file, between).map_err(failed)?,
        Err(reading) => {
            let mut pieces = reading.stream();
            let mut length = 0;
            while let Some(piece) = runtime.block_on(pieces.next()) {
                let piece =
                    piece.map_err(|source| crate::store::object("read", stored.path.as_str(), source))?;
                length += piece.len() as u64;
                between().and_then(|()| (&*file).write_all(&piece)).map_err(failed)?;
            }
            file.set_len(length).map_err(failed)?;
        }
    }
    file.set_modified(stored.modified).map_err(failed)?;
    Ok(stored)
}

/// Copies what is in a file, and leaves holes where it has some.
fn copy(mut source: &File, mut file: &File, between: &mut dyn FnMut() -> io::Result<()>) -> io::Result<()> {
    let mut at = 0;
    while let Some(data) = sys::sparse::data(source, at)? {
        at = data.start.max(at);
        while at < data.end {
            between()?;
            source.seek(SeekFrom::Start(at))?;
            file.seek(SeekFrom::Start(at))?;
            // The kernel copies, or shares what is stored, where it can.
            let copied = io::copy(&mut source.take(CHUNK.min(data.end - at)), &mut file)?;
            if copied == 0 {
                break;
            }
            at += copied;
        }
        at = at.max(data.end);
    }
    file.set_len(source.metadata()?.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{FileExt, MetadataExt};

    #[test]
    fn a_copy_has_the_same_holes_and_the_length_of_now() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name| {
            File::options().create_new(true).read(true).write(true).open(dir.path().join(name)).unwrap()
        };
        let (source, target) = (make("source"), make("target"));
        source.set_len(1 << 30).unwrap();
        source.write_all_at(b"in the middle", 500 << 20).unwrap();
        source.write_all_at(&vec![b'x'; 20 << 20], 100 << 20).unwrap();
        // What a placeholder was made for may have been longer.
        target.set_len(2 << 30).unwrap();
        let mut pauses = 0;
        let mut count = || {
            pauses += 1;
            Ok(())
        };
        copy(&source, &target, &mut count).unwrap();
        assert!(pauses >= 4, "{pauses}");
        assert_eq!(target.metadata().unwrap().len(), 1 << 30);
        let mut bytes = [0; 13];
        target.read_exact_at(&mut bytes, 500 << 20).unwrap();
        assert_eq!(&bytes, b"in the middle");
        let blocks = |file: &File| file.metadata().unwrap().blocks() * 512;
        assert!(blocks(&target) <= blocks(&source) + (1 << 20), "{} {}", blocks(&target), blocks(&source));
        let stopped = copy(&source, &target, &mut || Err(io::ErrorKind::Interrupted.into()));
        assert!(stopped.is_err());
    }
}
