//! Homes of cells, and what each begins with: directories, and links to what all cells have.
//!
//! On a busy disk every entry costs a tenth of a millisecond and more, which a session would wait for. So a few homes
//! are made ahead, and a cell's is renamed into its place. They are made one after the other, by one thread, and not
//! before a second cell is asked for: a node that makes only one has no use for them. Where none is ready, as in a burst, a
//! home is made on the spot.

use std::fs;
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::error::{At, Result};

/// How many are made ahead.
const AHEAD: usize = 4;

/// Where homes come from.
#[derive(Debug)]
pub(crate) struct Homes {
    skeleton: Arc<Skeleton>,
    stock: Arc<Stock>,
    filler: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Stock {
    /// Nobody's but the daemon's.
    directory: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    ready: Vec<PathBuf>,
    asked: u64,
    stopped: bool,
}

impl Homes {
    /// Homes that begin with what is below `skeleton`, if that is there; made ahead in `directory`, which is made too.
    pub(crate) fn new(skeleton: &Path, directory: PathBuf) -> Result<Homes> {
        let skeleton = Arc::new(Skeleton::read(skeleton)?);
        fs::create_dir(&directory).at("create", &directory)?;
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).at("close", &directory)?;
        let stock = Stock { directory, state: Mutex::default(), changed: Condvar::new() };
        Ok(Homes { skeleton, stock: Arc::new(stock), filler: Mutex::default() })
    }

    /// Makes the home of a cell that does not run yet, for its owner.
    pub(crate) fn make(&self, home: &Path, owner: u32) -> Result<()> {
        let (ready, fill) = {
            let mut state = self.stock.state();
            state.asked += 1;
            (state.ready.pop(), state.asked > 1)
        };
        if let Some(ready) = ready {
            fs::rename(&ready, home).at("create", home)?;
        } else {
            self.skeleton.lay(home)?;
        }
        if fill {
            self.fill();
        }
        self.skeleton.give(home, owner)
    }

    fn fill(&self) {
        self.stock.changed.notify_one();
        let mut filler = self.filler.lock().unwrap_or_else(PoisonError::into_inner);
        if filler.is_none() {
            let (skeleton, stock) = (self.skeleton.clone(), self.stock.clone());
            *filler = Some(std::thread::spawn(move || stock.fill(&skeleton)));
        }
    }
}

impl Drop for Homes {
    fn drop(&mut self) {
        self.stock.state().stopped = true;
        self.stock.changed.notify_one();
        let filler = self.filler.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // What it made is removed with the node's directory.
        let _ = filler.map(JoinHandle::join);
    }
}

impl Stock {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fill(&self, skeleton: &Skeleton) {
        for number in 0_u64.. {
            let state = self.state();
            let full = |state: &mut State| state.ready.len() >= AHEAD && !state.stopped;
            let state = self.changed.wait_while(state, full).unwrap_or_else(PoisonError::into_inner);
            if state.stopped {
                return;
            }
            drop(state);
            let home = self.directory.join(number.to_string());
            // Whoever makes one on the spot learns why.
            if skeleton.lay(&home).is_err() {
                return;
            }
            self.state().ready.push(home);
        }
    }
}

/// What a home begins with, read once.
#[derive(Debug)]
struct Skeleton {
    /// Parents first; without a target, a directory.
    entries: Vec<(PathBuf, Option<PathBuf>)>,
}

impl Skeleton {
    /// Without the directory it is empty. What is neither a directory nor a link has no place in it.
    fn read(directory: &Path) -> Result<Skeleton> {
        let mut entries = Vec::new();
        let mut waiting = if directory.is_dir() { vec![PathBuf::new()] } else { Vec::new() };
        while let Some(below) = waiting.pop() {
            let path = directory.join(&below);
            for entry in fs::read_dir(&path).at("list", &path)? {
                let entry = entry.at("list", &path)?;
                let below = below.join(entry.file_name());
                let kind = entry.file_type().at("read", &entry.path())?;
                if kind.is_dir() {
                    entries.push((below.clone(), None));
                    waiting.push(below);
                } else if kind.is_symlink() {
                    entries.push((below, Some(fs::read_link(entry.path()).at("read", &entry.path())?)));
                }
            }
        }
        Ok(Skeleton { entries })
    }

    fn lay(&self, home: &Path) -> Result<()> {
        fs::create_dir(home).at("create", home)?;
        fs::set_permissions(home, fs::Permissions::from_mode(0o700)).at("close", home)?;
        for (below, target) in &self.entries {
            let path = home.join(below);
            match target {
                None => fs::create_dir(&path).at("create", &path)?,
                Some(target) => symlink(target, &path).at("create", &path)?,
            }
        }
        Ok(())
    }

    fn give(&self, home: &Path, owner: u32) -> Result<()> {
        if sys::file::own_ids().0 == owner {
            return Ok(());
        }
        for path in self.entries.iter().map(|(below, _)| home.join(below)).chain([home.to_owned()]) {
            lchown(&path, Some(owner), Some(owner)).at("give away", &path)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn homes_are_the_same_whether_made_ahead_or_not() {
        let dir = tempfile::tempdir().unwrap();
        let (model, stock) = (dir.path().join("model"), dir.path().join("stock"));
        fs::create_dir_all(model.join(".local/lib/below")).unwrap();
        symlink("/opt/somewhere", model.join(".local/lib/link")).unwrap();
        fs::write(model.join(".local/file"), "not taken").unwrap();
        let own = sys::file::own_ids().0;
        let homes = Homes::new(&model, stock.clone()).unwrap();
        let check = |name: &str, number: u32| {
            let (home, owner) = (dir.path().join(name), if own == 0 { 4242 + number } else { own });
            homes.make(&home, owner).unwrap();
            assert!(home.join(".local/lib/below").is_dir() && !home.join(".local/file").exists());
            let link = home.join(".local/lib/link");
            assert_eq!(fs::read_link(&link).unwrap(), Path::new("/opt/somewhere"));
            assert_eq!(fs::metadata(&home).unwrap().mode() & 0o777, 0o700);
            for path in [link, home.join(".local/lib/below"), home.join(".local"), home] {
                let metadata = fs::symlink_metadata(&path).unwrap();
                assert_eq!((metadata.uid(), metadata.gid()), (owner, owner), "{}", path.display());
            }
        };
        check("first", 0);
        assert!(homes.filler.lock().unwrap().is_none(), "one cell needs none");
        check("second", 1);
        let end = Instant::now() + Duration::from_secs(60);
        while homes.stock.state().ready.len() < AHEAD {
            assert!(Instant::now() < end, "none is made ahead");
            std::thread::yield_now();
        }
        let ahead = homes.stock.state().ready.last().unwrap().clone();
        check("third", 2);
        assert!(!ahead.exists());
        drop(homes);
        assert!(fs::read_dir(stock).unwrap().count() >= AHEAD - 1);
    }

    #[test]
    fn without_a_skeleton_a_home_is_empty() {
        let dir = tempfile::tempdir().unwrap();
        let homes = Homes::new(&dir.path().join("none"), dir.path().join("stock")).unwrap();
        let home = dir.path().join("home");
        homes.make(&home, sys::file::own_ids().0).unwrap();
        assert_eq!(fs::read_dir(home).unwrap().count(), 0);
    }
}
