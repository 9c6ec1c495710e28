//! Where in a file there is data: the rest of it are holes, which read as zeros and take up nothing.

use std::fs::File;
use std::io;
use std::ops::Range;

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

/// The first stretch of data at or after `from`; `None` if only a hole follows. A file system that knows nothing of
/// holes says that all is data. Moves the file's own position, which whoever uses this does not.
pub fn data(file: &File, from: u64) -> io::Result<Option<Range<u64>>> {
    let start = match seek(file, SeekFrom::Data(from)) {
        Ok(start) => start,
        Err(Errno::NXIO) => return Ok(None),
        Err(Errno::INVAL) => {
            let length = file.metadata()?.len();
            return Ok((from < length).then_some(from..length));
        }
        Err(errno) => return Err(errno.into()),
    };
    match seek(file, SeekFrom::Hole(start)) {
        Ok(end) => Ok((start < end).then_some(start..end)),
        // It was cut in between.
        Err(Errno::NXIO) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    #[test]
    fn data_is_found_between_holes() {
        let path = std::env::temp_dir().join(format!("sys-sparse-{}", std::process::id()));
        let file = File::options().create_new(true).read(true).write(true).open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(data(&file, 0).unwrap(), None);
        file.set_len(1 << 40).unwrap();
        file.write_all_at(b"x", 1 << 30).unwrap();
        let found = data(&file, 0).unwrap().unwrap();
        assert!(found.contains(&(1 << 30)), "{found:?}");
        // One that does not know holes says that everything is data.
        if found.start > 0 {
            assert!(found.end - found.start <= 1 << 20, "{found:?}");
            assert_eq!(data(&file, found.end).unwrap(), None);
        }
        assert_eq!(data(&file, 1 << 41).unwrap(), None);
    }
}
