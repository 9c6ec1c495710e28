//! Room on a disk.

use std::io;
use std::path::Path;

/// What this user may still write on the file system of a path, bytes.
pub fn free(path: &Path) -> io::Result<u64> {
    let told = rustix::fs::statvfs(path)?;
    Ok(told.f_bavail.saturating_mul(told.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_without_room_has_none() {
        assert!(free(Path::new("/")).is_ok());
        assert_eq!(free(Path::new("/proc")).unwrap(), 0);
        assert!(free(Path::new("/nowhere/at/all")).is_err());
    }
}
