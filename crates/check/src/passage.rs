//! How another user reaches the files of a tree that lies below a closed directory, as `/root` or what
//! `mktemp -d` makes.
//!
//! Programs and tests have the paths of the tree compiled into them, so copying them elsewhere would not do,
//! and to open a directory of the host to everybody, even for a minute, is not ours to decide. Instead the
//! tests run in a mount namespace of their own, in which each closed directory on the way is covered by an
//! open one that holds only what leads to the tree. It ends with its last process.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The way to some directories for a user who is neither their owner nor in their group.
#[derive(Debug, PartialEq)]
pub(crate) struct Passage {
    /// Directories to cover, outermost first, each with the entries to be seen in it.
    covers: BTreeMap<PathBuf, BTreeSet<OsString>>,
}

impl Passage {
    /// The way to `wanted`: absolute directories, whose own files are all to be seen.
    pub(crate) fn to(wanted: &[PathBuf]) -> Result<Self> {
        let mut covers: BTreeMap<PathBuf, BTreeSet<OsString>> = BTreeMap::new();
        for target in wanted {
            let target =
                target.canonicalize().with_context(|| format!("failed to find {}", target.display()))?;
            for directory in target.ancestors() {
                let needed = if directory == target { 0o005 } else { 0o001 };
                if fs::metadata(directory)?.permissions().mode() & needed == needed {
                    continue;
                }
                let cover = covers.entry(directory.to_owned()).or_default();
                match target.strip_prefix(directory)?.iter().next() {
                    Some(next) => {
                        cover.insert(next.to_owned());
                    }
                    None => {
                        for entry in fs::read_dir(directory)? {
                            cover.insert(entry?.file_name());
                        }
                    }
                }
            }
        }
        Ok(Self { covers })
    }

    /// The command prefix with which a program runs where the way is open; empty where it is open anyway.
    /// `scratch` is a directory of root's that may be used until then.
    pub(crate) fn prefix(&self, scratch: &Path) -> Result<Vec<OsString>> {
        if self.covers.is_empty() {
            return Ok(Vec::new());
        }
        let script = scratch.join("passage.sh");
        fs::write(&script, self.script(scratch)?)?;
        let words = ["unshare", "--mount", "--propagation", "private", "sh"].map(OsString::from);
        Ok(words.into_iter().chain([script.into()]).collect())
    }

    /// Whether the way can be opened: root in a container may lack the right to mount.
    pub(crate) fn can_be_opened(&self, scratch: &Path) -> Result<bool> {
        let prefix = self.prefix(scratch)?;
        let Some((program, arguments)) = prefix.split_first() else { return Ok(true) };
        let opened = Command::new(program)
            .args(arguments)
            .arg("true")
            .output()
            .context("failed to start `unshare`")?;
        if !opened.status.success() {
            print!("{}", String::from_utf8_lossy(&opened.stderr));
        }
        Ok(opened.status.success())
    }

    /// The closed directory nearest to `/`, if there is any.
    pub(crate) fn first_closed(&self) -> Option<&Path> {
        self.covers.keys().next().map(PathBuf::as_path)
    }

    /// Covers the directories, then becomes the command that is given as arguments.
    fn script(&self, scratch: &Path) -> Result<String> {
        let mut lines = vec!["set -eu".to_owned()];
        for (number, (directory, entries)) in self.covers.iter().enumerate() {
            let behind = scratch.join(format!("behind-{number}"));
            let (quoted, kept) = (quoted(directory)?, self::quoted(&behind)?);
            lines.push(format!(
                "mkdir -p {kept}; mount --rbind {quoted} {kept}; mount -t tmpfs -o mode=755 none {quoted}"
            ));
            for entry in entries {
                let (from, to) = (self::quoted(&behind.join(entry))?, self::quoted(&directory.join(entry))?);
                let make = if directory.join(entry).is_dir() { "mkdir" } else { "touch" };
                lines.push(format!("{make} {to}; mount --rbind {from} {to}"));
            }
        }
        // The working directory, too, must be the one that is seen now.
        lines.push("cd \"$PWD\"\nexec \"$@\"".to_owned());
        Ok(lines.join("\n"))
    }
}

/// A path as one word of the shell.
fn quoted(path: &Path) -> Result<String> {
    match path.to_str() {
        Some(path) => Ok(format!("'{}'", path.replace('\'', r"'\''"))),
        None => bail!("{} is not UTF-8", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory that goes away with the test.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = Path::new("/tmp").join(format!("check-passage-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            Self(path)
        }

        fn directory(&self, path: &str, mode: u32) -> PathBuf {
            let path = self.0.join(path);
            fs::create_dir_all(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn an_open_way_needs_nothing() {
        let scratch = Scratch::new("open");
        let tree = scratch.directory("tree", 0o755);
        let passage = Passage::to(&[tree]).unwrap();
        assert_eq!(passage.first_closed(), None);
        assert!(passage.prefix(&scratch.0).unwrap().is_empty());
    }

    #[test]
    fn closed_directories_show_only_what_leads_on() {
        let scratch = Scratch::new("closed");
        let closed = scratch.directory("closed", 0o700);
        scratch.directory("closed/secret", 0o755);
        let tree = scratch.directory("closed/it's/tree", 0o700);
        fs::write(tree.join("file"), "").unwrap();
        let passage = Passage::to(std::slice::from_ref(&tree)).unwrap();
        assert_eq!(passage.first_closed(), Some(closed.as_path()));
        assert_eq!(passage.covers[&closed], BTreeSet::from(["it's".into()]));
        assert_eq!(passage.covers[&tree], BTreeSet::from(["file".into()]));
        let script = passage.script(Path::new("/scratch")).unwrap();
        assert!(!script.contains("secret"));
        assert!(script.contains(r"/closed/it'\''s'"), "{script}");
        assert!(script.contains("touch"), "{script}");
    }

    #[test]
    fn another_user_gets_through_and_sees_nothing_else() {
        let scratch = Scratch::new("through");
        scratch.directory("closed/secret", 0o755);
        let tree = scratch.directory("closed/closed too/tree", 0o700);
        scratch.directory("closed/closed too", 0o700);
        scratch.directory("closed", 0o700);
        fs::write(tree.join("file"), "here").unwrap();
        let passage = Passage::to(std::slice::from_ref(&tree)).unwrap();
        let own = scratch.directory("own", 0o700);
        if !passage.can_be_opened(&own).unwrap() {
            eprintln!("SKIPPED: only root can mount, and not in every container");
            return;
        }
        let prefix = passage.prefix(&own).unwrap();
        let output = Command::new(&prefix[0])
            .args(&prefix[1..])
            .args(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c"])
            .arg(format!(
                "cat file '{0}/file'; ls '{1}' '{1}/closed too'",
                tree.display(),
                scratch.0.join("closed").display()
            ))
            .current_dir(&tree)
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed.starts_with("herehere"), "{printed}{}", String::from_utf8_lossy(&output.stderr));
        assert!(!printed.contains("secret"), "{printed}");
    }

    #[test]
    fn a_tree_that_is_not_there_is_an_error() {
        assert!(Passage::to(&["/no/such/tree".into()]).is_err());
    }
}
