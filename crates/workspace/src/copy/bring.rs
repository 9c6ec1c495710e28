//! Bringing what is in the store and not here yet.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sys::appear::Look;
use sys::lease::Leased;
use sys::tree::Kind;
use tokio::runtime::Handle;

use super::content::fill;
use super::fill::{Coming, Filler, Making};
use super::known::{Entry, State};
use super::lease::SMALL;
use super::place::{self, New, Placed};
use super::{Base, Brought, View, lock, look, why};
use crate::error::{Error, Result};
use crate::store::Stored;
use crate::{CODE_INTERPRETER, UPLOADS};

/// How many threads bring files.
const AT_A_TIME: usize = 4;
/// A listing that takes no longer is made each time.
const QUICK: Duration = Duration::from_millis(10);
/// How much longer than a listing the pause after it is.
const PAUSE: u32 = 20;

/// What is known of the last listing.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// When it was, and how long it took.
    last: Option<(Instant, Duration)>,
    /// How often the workspace had been written to.
    pub(super) writes: u64,
}

impl Listing {
    fn is_due(&self, writes: u64) -> bool {
        writes != self.writes
            || self.last.is_none_or(|(at, took)| took <= QUICK || at.elapsed() >= took * PAUSE)
    }
}

/// What became of a file that arrived.
enum Became {
    /// It is there, or will be.
    Brought,
    /// The session has its own there.
    Kept,
    /// It is there in another version, which is on its way: the next time.
    Later,
    /// Its content must be there first.
    Heavy,
}

/// A file that arrived.
struct Arrived {
    local: PathBuf,
    stored: Stored,
}

pub(super) async fn refresh(base: &Arc<Base>, filler: &Filler, listing: &mut Listing) -> Result<Brought> {
    let writes = base.workspace.writes();
    if !listing.is_due(writes) {
        return Ok(Brought::default());
    }
    let started = Instant::now();
    let mut arrived = wanted(base).await?;
    {
        let known = base.known();
        arrived
            .retain(|file| known.get(&file.local).is_none_or(|known| known.version != file.stored.version));
    }
    arrived.shrink_to_fit();
    let took = started.elapsed();
    // Whoever breaks this off has not seen what arrived.
    listing.last = None;
    let mut brought = Brought::default();
    let mut again = false;
    if !arrived.is_empty() {
        base.left.send_modify(|left| {
            left.files += arrived.len();
            left.bytes += arrived.iter().map(|file| file.stored.size).sum::<u64>();
        });
        let making = filler.begin().map(Arc::new);
        let first = Round::run(base, making.clone(), arrived).await?;
        if let Some(making) = making {
            filler.add(first.coming, &making, &Handle::current());
        }
        again = first.later;
        brought = first.brought;
        // What must be waited for comes last: everything else can be used meanwhile, by what runs already.
        add(&mut brought, Round::run(base, None, first.heavy).await?.brought);
        brought.kept.sort();
    }
    *listing = Listing { last: (!again).then(|| (Instant::now(), took)), writes };
    Ok(brought)
}

fn add(sum: &mut Brought, more: Brought) {
    sum.files += more.files;
    sum.bytes += more.bytes;
    sum.kept.extend(more.kept);
}

/// What should be here.
async fn wanted(base: &Base) -> Result<Vec<Arrived>> {
    if base.view == View::Whole {
        let all = base.workspace.list("").await?;
        return Ok(all
            .into_iter()
            .map(|stored| Arrived { local: stored.path.as_str().into(), stored })
            .collect());
    }
    let mut wanted: HashMap<PathBuf, Stored> = HashMap::new();
    for namespace in [UPLOADS, CODE_INTERPRETER] {
        for stored in base.workspace.list(namespace).await? {
            if let Some(local) = stored.path.within(namespace) {
                wanted.insert(PathBuf::from(local), stored);
            }
        }
    }
    let mut wanted: Vec<Arrived> =
        wanted.into_iter().map(|(local, stored)| Arrived { local, stored }).collect();
    // Where one has a file and the other a directory, what code made comes first as well.
    wanted.sort_unstable_by(|a, b| a.stored.path.cmp(&b.stored.path));
    Ok(wanted)
}

/// One time of bringing.
struct Round {
    base: Arc<Base>,
    /// With it large files may come behind.
    making: Option<Arc<Making>>,
    runtime: Handle,
    root: OwnedFd,
    arrived: Mutex<std::vec::IntoIter<Arrived>>,
    sum: Mutex<Sum>,
}

#[derive(Default)]
struct Sum {
    brought: Brought,
    later: bool,
    heavy: Vec<Arrived>,
    coming: Vec<Coming>,
}

impl Round {
    async fn run(base: &Arc<Base>, making: Option<Arc<Making>>, arrived: Vec<Arrived>) -> Result<Sum> {
        let round = Arc::new(Round {
            base: base.clone(),
            making,
            runtime: Handle::current(),
            root: base.root().map_err(|source| base.listing(source))?,
            arrived: Mutex::new(arrived.into_iter()),
            sum: Mutex::default(),
        });
        let threads = (0..AT_A_TIME).map(|_| {
            let round = round.clone();
            tokio::task::spawn_blocking(move || round.bring_all())
        });
        let threads: Vec<_> = threads.collect();
        for thread in threads {
            thread.await.map_err(|error| base.listing(io::Error::other(error)))?;
        }
        Ok(std::mem::take(&mut *lock(&round.sum)))
    }

    fn bring_all(&self) {
        let next = || lock(&self.arrived).next();
        while let Some(file) = next() {
            match self.bring(&file) {
                Ok(Became::Brought) => add(&mut lock(&self.sum).brought, one(&file)),
                Ok(Became::Kept) => add(&mut lock(&self.sum).brought, self.keep(&file)),
                Ok(Became::Later) => {
                    self.base.came(file.stored.size);
                    lock(&self.sum).later = true;
                }
                Ok(Became::Heavy) => lock(&self.sum).heavy.push(file),
                Err(error) => self.fault(&file, &error),
            }
        }
    }

    /// What this file finds in its place.
    fn bring(&self, file: &Arrived) -> Result<Became> {
        let failed = |source| disk(&file.local, source);
        // Where a link is on the way, or a directory that the session has closed, it has its own.
        let Ok(found) = look(&self.root, &file.local) else { return Ok(Became::Kept) };
        let old = match found {
            None => None,
            Some((Kind::File, look)) => match self.base.known().get(&file.local).map(|known| &known.state) {
                Some(State::Same(known)) if *known == look => Some(look),
                Some(State::Coming { inode, .. }) if *inode == look.inode => return Ok(Became::Later),
                _ => return Ok(Became::Kept),
            },
            Some(_) => return Ok(Became::Kept),
        };
        let Some((new, content)) = New::make(&self.base, &self.root, &file.local).map_err(failed)? else {
            return Ok(Became::Kept);
        };
        let size = file.stored.size;
        let lazy = self.making.as_ref().filter(|_| size > SMALL && !new.is_seen());
        let permit = lazy.and_then(|making| Some((making.permit(size)?, making.listener)));
        let leased = match permit {
            Some((permit, listener)) => Leased::take(content, listener).map(|leased| (leased, permit)),
            None => Err(content),
        };
        let (leased, permit) = match leased {
            Ok(leased) => leased,
            Err(_) if size > SMALL && self.making.is_some() => return Ok(Became::Heavy),
            Err(content) => return self.publish(file, new, &content, old),
        };
        let content = leased.file();
        // Its owner is changed after the lease was taken: only its owner, or one with a privilege, can take it.
        let made = place::give(&self.base, content)
            .and_then(|()| content.set_len(size))
            .and_then(|()| content.set_modified(file.stored.modified))
            .and_then(|()| {
                Ok(State::Coming { inode: Look::of(content)?.inode, born: place::born(content)? })
            });
        let coming = made.map_err(failed)?;
        // It is remembered before it can be seen: should this process die, the next one knows that it is empty.
        let before = self.base.known().get(&file.local).cloned();
        self.remember(file, file.stored.clone(), coming);
        match new.put(content, old.as_ref()) {
            Ok(Placed::There) => {}
            Ok(Placed::Taken) => return Ok(Became::Kept),
            Err(source) => {
                let mut known = self.base.known();
                match before {
                    Some(before) => known.insert(&file.local, before),
                    None => known.remove(&file.local),
                }
                return Err(failed(source));
            }
        }
        let coming = Coming::new(leased, permit, &self.base, file.local.clone(), file.stored.clone());
        lock(&self.sum).coming.push(coming);
        Ok(Became::Brought)
    }

    /// Fills a file, and puts it into its place.
    fn publish(
        &self,
        file: &Arrived,
        new: New,
        content: &std::fs::File,
        old: Option<Look>,
    ) -> Result<Became> {
        let failed = |source| disk(&file.local, source);
        place::give(&self.base, content).map_err(failed)?;
        let stored = fill(&self.base, &self.runtime, &file.stored, content, &mut || Ok(()))?;
        let before = Look::of(content).map_err(failed)?;
        if new.put(content, old.as_ref()).map_err(failed)? == Placed::Taken {
            return Ok(Became::Kept);
        }
        let look = Look::of(content).map_err(failed)?;
        // Somebody may have found and changed it already.
        let same = (look.size, look.modified) == (before.size, before.modified);
        self.remember(file, stored, if same { State::Same(look) } else { State::Own });
        self.base.came(file.stored.size);
        Ok(Became::Brought)
    }

    fn remember(&self, file: &Arrived, stored: Stored, state: State) {
        let uploaded = self.base.view == View::Flat && stored.path.within(UPLOADS).is_some();
        self.base.known().insert(&file.local, Entry::new(stored.version, uploaded, true, state));
    }

    fn keep(&self, file: &Arrived) -> Brought {
        self.remember(file, file.stored.clone(), State::Own);
        self.base.came(file.stored.size);
        Brought { kept: vec![file.stored.path.clone()], ..Brought::default() }
    }

    /// One file that fails stops no other.
    fn fault(&self, file: &Arrived, error: &Error) {
        self.base.came(file.stored.size);
        // What vanished meanwhile has not arrived.
        if !matches!(error, Error::NotFound(_)) {
            self.base.fault(&file.local, why("it could not be brought", error));
        }
    }
}

impl Drop for Round {
    fn drop(&mut self) {
        // Nobody comes for what is still here.
        let heavy = std::mem::take(&mut lock(&self.sum).heavy);
        for file in lock(&self.arrived).by_ref().chain(heavy) {
            self.base.came(file.stored.size);
        }
    }
}

fn one(file: &Arrived) -> Brought {
    Brought { files: 1, bytes: file.stored.size, kept: Vec::new() }
}

fn disk(local: &Path, source: io::Error) -> Error {
    Error::Disk { what: "bring", path: local.to_owned(), source }
}
