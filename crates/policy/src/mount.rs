//! Where a cell has its workspace.

use std::fmt;

use crate::template::WORKSPACE;

/// The directory that all such places are in.
pub const MOUNTS: &str = "/mnt";
/// The longest name of one, bytes: what a file system's names may have.
const LONGEST: usize = 255;

/// Where a cell sees its workspace: a name in [`MOUNTS`]; [`WORKSPACE`] unless somebody wants another. That one stays a
/// way to the workspace whatever its place is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mount(String);

impl Mount {
    /// This place; `None` unless it is `/mnt/NAME` with a name of letters, digits, `.`, `_` and `-`, which is neither `.` nor
    /// `..`. One slash may follow, as AWS has it.
    pub fn new(path: &str) -> Option<Mount> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let name = path.strip_prefix(MOUNTS)?.strip_prefix('/')?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let named = (1..=LONGEST).contains(&name.len()) && name.bytes().all(plain);
        (named && name != "." && name != "..").then(|| Mount(path.to_owned()))
    }

    /// The place as text, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its name in [`MOUNTS`].
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it is where workspaces are that nobody wants elsewhere.
    pub fn is_usual(&self) -> bool {
        self.0 == WORKSPACE
    }
}

impl Default for Mount {
    fn default() -> Mount {
        Mount(WORKSPACE.to_owned())
    }
}

impl fmt::Display for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_one_plain_name_in_mnt() {
        for (path, name) in
            [("/mnt/data", "data"), ("/mnt/data/", "data"), ("/mnt/...", "..."), ("/mnt/-a_B.9", "-a_B.9")]
        {
            let mount = Mount::new(path).unwrap();
            assert_eq!((mount.name(), mount.as_str()), (name, format!("/mnt/{name}").as_str()));
            assert!(!mount.is_usual());
        }
        assert!(Mount::new("/mnt/workspace/").unwrap().is_usual());
        assert_eq!(Mount::new("/mnt/workspace"), Some(Mount::default()));
        assert!(Mount::new(&format!("/mnt/{}", "x".repeat(255))).is_some());
    }

    #[test]
    fn nothing_else_is_a_place() {
        let long = format!("/mnt/{}", "x".repeat(256));
        for path in [
            "",
            "/",
            "/mnt",
            "/mnt/",
            "/mnt//",
            "/mnt/.",
            "/mnt/./",
            "/mnt/..",
            "/mnt/../",
            "/mnt/a/b",
            "/mnt//a",
            "/mnt/a//",
            "mnt/a",
            " /mnt/a",
            "/mnt/a ",
            "/mnt/a\n",
            "/mnt/a\0",
            "/mnt/ä",
            "/mnt/a:b",
            "/mntx/a",
            "/MNT/a",
            "/home/user",
            "/mnt/../etc",
            long.as_str(),
        ] {
            assert_eq!(Mount::new(path), None, "{path:?}");
        }
    }
}
