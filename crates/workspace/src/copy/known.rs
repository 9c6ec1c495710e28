//! What is remembered of the files in a working copy.

use std::collections::HashMap;
use std::path::Path;

use sys::appear::Look;

use super::journal::Journal;
use crate::store::Version;

/// What is known of the file at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// It was put there, and its content is on its way.
    Coming {
        /// Which file it is.
        inode: u64,
        /// When it was made, nanoseconds: another that gets the same number later is not this one.
        born: i128,
    },
    /// If it looks so, its content is that version's.
    Same(Look),
    /// The session has its own there.
    Own,
}

/// What is remembered of one that was brought or saved. A hundred thousand of them are there at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Which version was seen last.
    pub(super) version: Version,
    /// Whether that is one in `uploads/`, while saved is elsewhere.
    pub(super) uploaded: bool,
    /// Whether it was brought; else it was saved from here.
    pub(super) brought: bool,
    pub(super) state: State,
    /// In which walk it was last seen.
    seen: u32,
}

impl Entry {
    pub(super) fn new(version: Version, uploaded: bool, brought: bool, state: State) -> Entry {
        Entry { version, uploaded, brought, state, seen: 0 }
    }

    /// Whether the file at this place, which looks so, is as it was brought or saved.
    pub(super) fn is_same(&self, look: &Look) -> bool {
        match &self.state {
            State::Coming { inode, .. } => *inode == look.inode,
            State::Same(known) => known == look,
            State::Own => false,
        }
    }
}

/// What is remembered of all files, by where they lie.
#[derive(Debug, Default)]
pub(super) struct Known {
    files: HashMap<Box<Path>, Entry>,
    walk: u32,
    journal: Journal,
}

impl Known {
    pub(super) fn get(&self, local: &Path) -> Option<&Entry> {
        self.files.get(local)
    }

    pub(super) fn insert(&mut self, local: &Path, file: Entry) {
        self.journal.add(local, Some(&file));
        match self.files.get_mut(local) {
            Some(place) => *place = file,
            None => drop(self.files.insert(local.into(), file)),
        }
    }

    pub(super) fn remove(&mut self, local: &Path) {
        if self.files.remove(local).is_some() {
            self.journal.add(local, None);
        }
    }

    /// Goes on with what a journal says was known, and gives what was on its way.
    pub(super) fn resume(&mut self, path: &Path) -> std::io::Result<Vec<(Box<Path>, Entry)>> {
        let (journal, entries) = Journal::open(path)?;
        self.journal = journal;
        for (local, entry) in entries {
            match entry {
                Some(entry) => drop(self.files.insert(local.into(), entry)),
                None => drop(self.files.remove(local.as_path())),
            }
        }
        let coming = self.files.iter().filter(|(_, file)| matches!(file.state, State::Coming { .. }));
        Ok(coming.map(|(local, file)| (local.clone(), file.clone())).collect())
    }

    /// A file that was on its way is there, if it is still this one that is expected.
    pub(super) fn came(&mut self, local: &Path, version: Version, look: Look) {
        if let Some(file) = self.files.get_mut(local)
            && matches!(file.state, State::Coming { inode, .. } if inode == look.inode)
        {
            file.version = version;
            file.state = State::Same(look);
            self.journal.add(local, Some(file));
        }
    }

    /// Begins a walk that sees everything.
    pub(super) fn begin_walk(&mut self) {
        self.walk = self.walk.wrapping_add(1);
    }

    /// Sees a file, and gives what is known of it.
    pub(super) fn see(&mut self, local: &Path) -> Option<&Entry> {
        let file = self.files.get_mut(local)?;
        file.seen = self.walk;
        Some(file)
    }

    /// The files that the last walk did not see, and that were brought or saved.
    pub(super) fn unseen(&self) -> Vec<(Box<Path>, Entry)> {
        let unseen = self.files.iter().filter(|(_, file)| file.seen != self.walk && file.state != State::Own);
        unseen.map(|(local, file)| (local.clone(), file.clone())).collect()
    }
}
