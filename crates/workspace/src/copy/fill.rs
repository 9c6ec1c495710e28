//! Filling files whose content is on its way.
//!
//! Each waits here with its lease. A thread listens for those that somebody opens, and hands them to the front; some fill
//! what is waited for and nothing else, the others fill the rest, small ones first, and stand back while somebody
//! waits. All threads end with the work.
//!
//! Filling does not look like a change: the look is taken through the same descriptor after the last write and before the
//! lease is let go, and the file's time is set to that of the version, so that whatever is written in the next moment
//! shows. If the content cannot be had, the file's names are removed and its length is cut to nothing before anybody is let
//! in: nobody reads zeros for data.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use sys::appear::Look;
use sys::lease::{Ear, Leased, Listener};
use tokio::runtime::Handle;

use super::content::fill;
use super::lease::Permit;
use super::{Base, lock, place, why};
use crate::error::{Error, Result};
use crate::store::Stored;

/// How many threads fill what is waited for.
const FOR_WAITERS: usize = 2;
/// How many threads fill the rest; these look after waiters, too.
const FOR_THE_REST: usize = 2;
/// How often it is looked whether somebody waits, should a signal have been lost.
const LISTEN: Duration = Duration::from_secs(5);

/// A file whose content is on its way. If it is dropped before it was filled, whatever the reason, nobody gets to see it.
#[derive(Debug)]
pub(super) struct Coming {
    leased: Leased,
    base: Arc<Base>,
    local: PathBuf,
    stored: Stored,
    /// Since when somebody waits for it, as far as that was seen.
    wanted: Option<Instant>,
    filled: bool,
    _permit: Permit,
}

impl Coming {
    pub(super) fn new(
        leased: Leased,
        permit: Permit,
        base: &Arc<Base>,
        local: PathBuf,
        stored: Stored,
    ) -> Coming {
        Coming { leased, base: base.clone(), local, stored, wanted: None, filled: false, _permit: permit }
    }

    fn fill(&mut self, runtime: &Handle, between: &mut dyn FnMut(&Leased) -> io::Result<()>) -> Result<()> {
        let file = self.leased.file();
        let stored = fill(&self.base, runtime, &self.stored, file, &mut || between(&self.leased))?;
        let look = Look::of(file).map_err(|source| Error::Disk {
            what: "look at",
            path: self.local.clone(),
            source,
        })?;
        self.base.known().came(&self.local, stored.version, look);
        self.filled = true;
        Ok(())
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        if !self.filled {
            let file = self.leased.file();
            let gone = place::remove(&self.base, &self.local, file);
            // Somebody may wait for it, and cannot be told: nothing is better than zeros.
            match file.set_len(0).and(gone) {
                Ok(true) => {}
                Ok(false) => self.base.fault(&self.local, "it is empty: it could not be brought nor removed"),
                Err(error) => {
                    self.base.fault(&self.local, why("it could not be brought nor removed", &error));
                }
            }
            self.base.known().remove(&self.local);
        }
        self.base.came(self.stored.size);
    }
}

/// Fills the files of one working copy.
#[derive(Debug, Clone)]
pub(super) struct Filler(Arc<Work>);

#[derive(Debug)]
struct Work {
    base: Arc<Base>,
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    /// By size, and by a number.
    waiting: BTreeMap<(u64, u64), Coming>,
    number: u64,
    /// What somebody has opened.
    wanted: VecDeque<Coming>,
    filling: usize,
    /// How many of these somebody has opened.
    filling_wanted: usize,
    /// Those that fill the rest, and those that fill for waiters.
    threads: [usize; 2],
    listener: Option<Listener>,
    /// How many are making files for which somebody must listen.
    making: usize,
    closed: bool,
}

/// Leases can be taken while this is held: somebody listens.
#[derive(Debug)]
pub(super) struct Making {
    work: Arc<Work>,
    pub(super) listener: Listener,
}

impl Making {
    /// The right to have a file of this size on its way.
    pub(super) fn permit(&self, size: u64) -> Option<Permit> {
        Permit::get(size, &self.work.base.on_way)
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        self.work.queue().making -= 1;
        self.listener.wake();
    }
}

impl Filler {
    pub(super) fn new(base: Arc<Base>) -> Filler {
        Filler(Arc::new(Work { base, queue: Mutex::default(), changed: Condvar::new() }))
    }

    /// Has somebody listen; `None` if this was closed, or nobody can.
    pub(super) fn begin(&self) -> Option<Making> {
        let mut queue = self.0.queue();
        if queue.closed {
            return None;
        }
        let listener = match queue.listener {
            Some(listener) => listener,
            None => *queue.listener.insert(self.0.clone().listen()?),
        };
        queue.making += 1;
        Some(Making { work: self.0.clone(), listener })
    }

    /// Takes files to fill, while somebody listens for them: from now on as long as one of them waits.
    pub(super) fn add(&self, coming: Vec<Coming>, _making: &Making, runtime: &Handle) {
        if coming.is_empty() {
            return;
        }
        let mut queue = self.0.queue();
        if queue.closed {
            drop(queue);
            return drop(coming);
        }
        for coming in coming {
            queue.number += 1;
            let key = (coming.stored.size, queue.number);
            queue.waiting.insert(key, coming);
        }
        for (for_waiters, threads) in [(false, FOR_THE_REST), (true, FOR_WAITERS)] {
            while queue.threads[usize::from(for_waiters)] < threads {
                let (work, runtime) = (self.0.clone(), runtime.clone());
                let fill = move || work.fill_all(for_waiters, &runtime);
                if std::thread::Builder::new().name("fill".into()).spawn(fill).is_err() {
                    break;
                }
                queue.threads[usize::from(for_waiters)] += 1;
            }
        }
        // If nobody can fill them they must not stay.
        let lost = if queue.threads[0] == 0 { std::mem::take(&mut queue.waiting) } else { BTreeMap::new() };
        // What was opened before it came here was told to nobody.
        if let Some(listener) = queue.listener {
            listener.wake();
        }
        self.0.changed.notify_all();
        drop(queue);
        drop(lost);
    }

    /// Whether nothing is on its way.
    pub(super) fn is_idle(&self) -> bool {
        let queue = self.0.queue();
        queue.waiting.is_empty() && queue.wanted.is_empty() && queue.filling == 0
    }

    /// Waits a moment for something to be filled.
    pub(super) fn wait(&self, longest: Duration) {
        let queue = self.0.queue();
        if !(queue.waiting.is_empty() && queue.wanted.is_empty() && queue.filling == 0) {
            drop(self.0.changed.wait_timeout(queue, longest));
        }
    }

    /// Stops, removes what is not there yet, and waits until all threads have ended.
    pub(super) fn close(&self) {
        let mut queue = self.0.queue();
        queue.closed = true;
        let mut rest: Vec<Coming> = std::mem::take(&mut queue.waiting).into_values().collect();
        rest.extend(queue.wanted.drain(..));
        self.0.changed.notify_all();
        if let Some(listener) = queue.listener {
            listener.wake();
        }
        drop(queue);
        drop(rest);
        let mut queue = self.0.queue();
        while queue.threads != [0, 0] {
            queue = self.0.changed.wait(queue).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }
}

impl Queue {
    fn take_first(&mut self) -> Option<Coming> {
        self.waiting.pop_first().map(|(_, coming)| coming)
    }

    fn somebody_waits(&self) -> bool {
        self.filling_wanted > 0 || !self.wanted.is_empty()
    }
}

impl Work {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }

    /// Starts the thread that hears who waits.
    fn listen(self: Arc<Self>) -> Option<Listener> {
        let (send, receive) = std::sync::mpsc::sync_channel(1);
        let listen = move || {
            let Ok(ear) = Ear::new() else { return };
            let _ = send.send(ear.listener());
            while self.hear() {
                ear.wait(LISTEN);
            }
        };
        std::thread::Builder::new().name("lease".into()).spawn(listen).ok()?;
        receive.recv().ok()
    }

    /// Hands on what somebody waits for; whether there is more to listen for.
    fn hear(&self) -> bool {
        let mut queue = self.queue();
        let keys: Vec<_> = queue
            .waiting
            .iter()
            .filter(|(_, coming)| coming.leased.is_wanted())
            .map(|(key, _)| *key)
            .collect();
        for key in &keys {
            if let Some(mut coming) = queue.waiting.remove(key) {
                coming.wanted = Some(Instant::now());
                queue.wanted.push_back(coming);
            }
        }
        if !keys.is_empty() {
            self.changed.notify_all();
        }
        let more = !queue.waiting.is_empty() || queue.making > 0;
        if !more {
            queue.listener = None;
        }
        more
    }

    fn fill_all(&self, for_waiters: bool, runtime: &Handle) {
        let mut queue = self.queue();
        loop {
            let wanted = queue.wanted.pop_front();
            let is_wanted = wanted.is_some();
            let next = match wanted {
                Some(coming) => Some(coming),
                None if queue.closed || queue.waiting.is_empty() => break,
                None if for_waiters || queue.somebody_waits() => None,
                None => queue.take_first(),
            };
            let Some(coming) = next else {
                queue = self.changed.wait(queue).unwrap_or_else(std::sync::PoisonError::into_inner);
                continue;
            };
            queue.filling += 1;
            queue.filling_wanted += usize::from(is_wanted);
            if queue.waiting.is_empty()
                && let Some(listener) = queue.listener
            {
                listener.wake();
            }
            drop(queue);
            self.fill_one(coming, is_wanted, runtime);
            queue = self.queue();
            queue.filling -= 1;
            queue.filling_wanted -= usize::from(is_wanted);
            self.changed.notify_all();
        }
        queue.threads[usize::from(for_waiters)] -= 1;
        self.changed.notify_all();
    }

    fn fill_one(&self, mut coming: Coming, is_wanted: bool, runtime: &Handle) {
        let since = coming.wanted.unwrap_or_else(Instant::now);
        let filled = coming.fill(runtime, &mut |leased| self.pause(leased, is_wanted));
        let longest = sys::lease::longest_wait().unwrap_or_default();
        if coming.leased.is_wanted() && since.elapsed() > longest {
            let why = "bringing it took longer than the system lets anybody wait: who opened it may have read zeros";
            self.base.fault(&coming.local, why);
        }
        if let Err(error) = filled
            && !self.queue().closed
        {
            self.base.fault(&coming.local, why("it could not be brought, and was removed", &error));
        }
    }

    /// Stands back while somebody waits for another file. An error if this was closed.
    fn pause(&self, leased: &Leased, is_wanted: bool) -> io::Result<()> {
        let mut queue = self.queue();
        while !queue.closed && !is_wanted && queue.somebody_waits() && !leased.is_wanted() {
            let moment = Duration::from_millis(20);
            let waited = self.changed.wait_timeout(queue, moment);
            queue = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
        // Somebody who waits gets what was promised.
        if queue.closed && !leased.is_wanted() { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
    }
}

impl Base {
    /// Counts a file that was wanted and need not be waited for any longer.
    pub(super) fn came(&self, size: u64) {
        self.left.send_modify(|left| {
            left.files = left.files.saturating_sub(1);
            left.bytes = left.bytes.saturating_sub(size);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Store, View, WorkingCopy, WorkspaceName, WorkspacePath};
    use std::fs::File;
    use std::path::Path;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nobody_reads_zeros_for_what_cannot_be_had() {
        let dir = tempfile::tempdir().unwrap();
        let workspace = Store::local(&dir.path().join("store")).unwrap();
        let workspace = workspace.workspace("local", &WorkspaceName::usual());
        let path = WorkspacePath::parse("uploads/lost").unwrap();
        let stored = workspace.write(&path, vec![1; 200_000]).await.unwrap();
        let here = dir.path().join("here");
        std::fs::create_dir(&here).unwrap();
        let owner = sys::file::own_ids().0;
        let copy = WorkingCopy::new(workspace.clone(), View::Flat, here.clone(), owner);
        let making = copy.filler.begin().unwrap();
        let file = File::options().create_new(true).read(true).write(true).open(here.join("lost")).unwrap();
        file.set_len(stored.size).unwrap();
        let permit = making.permit(stored.size).unwrap();
        let leased = Leased::take(file, making.listener).unwrap();
        copy.base.left.send_modify(|left| left.files += 1);
        // Code has moved it, and waits for it; and the store has lost it.
        std::fs::rename(here.join("lost"), here.join("moved")).unwrap();
        let reader = tokio::task::spawn_blocking({
            let here = here.clone();
            move || std::fs::read(here.join("moved")).unwrap()
        });
        while !leased.is_wanted() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        workspace.remove(&path).await.unwrap();
        let coming = Coming::new(leased, permit, &copy.base, "lost".into(), stored);
        copy.filler.add(vec![coming], &making, &Handle::current());
        assert_eq!(reader.await.unwrap(), b"");
        copy.settled().await;
        assert_eq!(std::fs::read_dir(&here).unwrap().count(), 0);
        let faults = copy.faults();
        assert_eq!(faults.len(), 1);
        assert!(faults[0].failed && faults[0].local == Path::new("lost"), "{faults:?}");
        drop(making);
        copy.close().await;
    }
}
