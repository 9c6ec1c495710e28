//! The `environments` directory: names in it, its lock, what interrupted installs left, and how an environment gets its name.
//!
//! ```text
//! lean-<id>/      an environment; it has this name only once it is complete and on disk
//! .staging-…/     one that is being made; without its maker it is rubbish
//! .cache/         what uv has fetched; outlives an install that failed, not one that succeeded
//! .tools/uv-…/    uv, where the machine has none
//! .lock           held while one of these changes
//! ```

use std::ffi::OsStr;
use std::fs::{File, OpenOptions, Permissions, set_permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::command::command;
use crate::error::{Error, Result};
use crate::files;
use crate::progress::{Progress, Stage};

const STAGING: &str = ".staging-";

/// An `environments` directory that is locked: nobody else installs into it. Unlocked when dropped, or when the process dies.
#[derive(Debug)]
pub(crate) struct Place {
    dir: PathBuf,
    lock: File,
}

impl Place {
    /// Makes the directory if need be and waits until nobody else installs into it.
    pub(crate) fn lock(dir: &Path, progress: &mut dyn Progress) -> Result<Self> {
        if !dir.is_dir() {
            files::create_dir(dir)?;
            // Cells run as other users, whatever the umask is here.
            set_permissions(dir, Permissions::from_mode(0o755))
                .map_err(Error::file("set the mode of", dir))?;
        }
        let dir = dir.canonicalize().map_err(Error::file("resolve", dir))?;
        let path = dir.join(".lock");
        let mut make = OpenOptions::new();
        make.create(true).truncate(false).write(true).mode(0o644);
        make.open(&path).map_err(Error::file("open", &path))?;
        // Programs get this descriptor, and are not to write to it.
        let lock = File::open(&path).map_err(Error::file("open", &path))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                progress.stage(Stage::Waiting);
                rustix::io::retry_on_intr(|| flock(&lock, FlockOperation::LockExclusive))
                    .map_err(|error| Error::file("lock", &path)(error.into()))?;
            }
            Err(error) => return Err(Error::file("lock", &path)(error.into())),
        }
        Ok(Self { dir, lock })
    }

    /// A command that writes below the directory. The directory stays locked while it runs, even if we are killed meanwhile: its
    /// standard input is the lock. (So the next install waits for it, instead of sweeping under its hands.)
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Result<Command> {
        let mut command = command(program);
        command.stdin(self.lock.try_clone().map_err(Error::file("keep locked", &self.dir))?);
        Ok(command)
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.dir.join(".cache")
    }

    pub(crate) fn tools(&self) -> PathBuf {
        self.dir.join(".tools")
    }

    /// Removes what interrupted installs left.
    pub(crate) fn sweep(&self) -> Result<()> {
        for entry in files::entries(&self.dir)? {
            if entry.file_name().to_string_lossy().starts_with(STAGING) {
                files::remove(&entry.path())?;
            }
        }
        Ok(())
    }

    /// A new directory to make an environment in, removed again unless [`Staging::publish`] gives it its name.
    pub(crate) fn stage(&self) -> Result<Staging<'_>> {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let root = self.dir.join(format!("{STAGING}{}-{}", std::process::id(), since.as_nanos()));
        let scratch = root.with_extension("scratch");
        files::create_dir(&root)?;
        files::create_dir(&scratch)?;
        Ok(Staging { place: self, root, scratch })
    }

    /// Bytes that are free for this user below the directory.
    pub(crate) fn free(&self) -> Result<u64> {
        let stat = rustix::fs::statvfs(&self.dir)
            .map_err(|error| Error::file("measure", &self.dir)(error.into()))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.dir
    }
}

/// An environment that is being made.
#[derive(Debug)]
pub(crate) struct Staging<'a> {
    place: &'a Place,
    pub(crate) root: PathBuf,
    /// For whatever is needed meanwhile, and not afterwards.
    pub(crate) scratch: PathBuf,
}

impl Staging<'_> {
    /// See [`Place::command`].
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Result<Command> {
        self.place.command(program)
    }

    /// Begins to bring what is staged to the disk, beside whatever is done meanwhile: on a slow disk the greater part of an install.
    /// Best effort; [`Self::publish`] waits for all of it.
    pub(crate) fn begin_storing(&self) {
        if let Ok(root) = File::open(&self.root) {
            std::thread::spawn(move || _ = rustix::fs::syncfs(&root));
        }
    }

    /// Makes everything below the directory durable, then gives it its name.
    pub(crate) fn publish(self, name: &str) -> Result<PathBuf> {
        let root = self.place.dir.join(name);
        let unnamed = File::open(&self.root).map_err(Error::file("open", &self.root))?;
        rustix::fs::syncfs(&unnamed).map_err(|error| Error::file("store", &self.root)(error.into()))?;
        if root.exists() {
            // Not an environment, or it would not be made again.
            files::remove(&root)?;
        }
        std::fs::rename(&self.root, &root).map_err(Error::file("name", &self.root))?;
        let dir = File::open(&self.place.dir).map_err(Error::file("open", &self.place.dir))?;
        dir.sync_all().map_err(Error::file("store", &self.place.dir))?;
        Ok(root)
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        let _ = files::remove(&self.root);
        let _ = files::remove(&self.scratch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn names(dir: &Path) -> Vec<String> {
        files::entries(dir)
            .unwrap()
            .iter()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn a_staged_directory_is_gone_unless_it_is_published() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::lock(dir.path(), &mut ()).unwrap();
        let staging = place.stage().unwrap();
        files::write(&staging.root.join("half"), "x").unwrap();
        drop(staging);
        assert_eq!(names(dir.path()), [".lock"]);

        let staging = place.stage().unwrap();
        files::write(&staging.root.join("whole"), "x").unwrap();
        let root = staging.publish("lean-1").unwrap();
        assert_eq!(names(dir.path()), [".lock", "lean-1"]);
        assert_eq!(names(&root), ["whole"]);
    }

    #[test]
    fn a_name_that_holds_no_environment_is_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::lock(dir.path(), &mut ()).unwrap();
        files::create_dir(&dir.path().join("lean-1/rubbish")).unwrap();
        let root = place.stage().unwrap().publish("lean-1").unwrap();
        assert!(names(&root).is_empty());
    }

    #[test]
    fn only_what_was_being_made_is_swept() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::lock(dir.path(), &mut ()).unwrap();
        for each in [".staging-1-2/bin", ".staging-1-2.scratch", ".cache/x", ".tools/uv-1", "lean-1"] {
            files::create_dir(&dir.path().join(each)).unwrap();
        }
        place.sweep().unwrap();
        assert_eq!(names(dir.path()), [".cache", ".lock", ".tools", "lean-1"]);
    }

    #[test]
    fn a_program_that_still_writes_keeps_the_directory_locked() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::lock(dir.path(), &mut ()).unwrap();
        let mut program = place.command("sh").unwrap();
        // Ends when this file appears, or the directory is gone.
        let script = "while [ -d \"$1\" ] && [ ! -e \"$1/go\" ]; do sleep 0.01; done";
        let mut child = program.args(["-c", script, "sh"]).arg(dir.path()).spawn().unwrap();
        drop((program, place));
        let lock = File::open(dir.path().join(".lock")).unwrap();
        let locked = || flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err();
        assert!(locked());
        files::write(&dir.path().join("go"), "").unwrap();
        child.wait().unwrap();
        assert!(!locked());
    }

    #[test]
    fn the_second_waits_for_the_first_and_says_so() {
        struct Tell(mpsc::Sender<Stage>);
        impl Progress for Tell {
            fn stage(&mut self, stage: Stage) {
                self.0.send(stage).unwrap();
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let first = Place::lock(dir.path(), &mut ()).unwrap();
        let (told, heard) = mpsc::channel();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| {
                let place = Place::lock(dir.path(), &mut Tell(told)).unwrap();
                names(place.path())
            });
            assert_eq!(heard.recv().unwrap(), Stage::Waiting);
            files::create_dir(&dir.path().join("lean-1")).unwrap();
            drop(first);
            assert_eq!(second.join().unwrap(), [".lock", "lean-1"]);
        });
    }
}
