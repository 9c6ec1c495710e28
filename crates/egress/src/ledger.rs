//! What one session did with its network: counted, limited, and kept for whoever asks what happened.
//!
//! **Invariant.** Everything here is bounded, whatever a cell does: names and happenings have a most, the rest is numbers.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use policy::network::{Rates, Refusal};
use tokio::sync::watch;

use crate::audit::Failure;
use crate::bucket::Bucket;

/// How many refusals are told one by one in a second, after a burst: what a cell can make happen endlessly may not fill
/// an operator's disk.
const TOLD: u32 = 20;
/// How many different names a report tells.
const NAMES: usize = 1000;
/// How many different happenings are kept; the oldest is forgotten first.
const HAPPENINGS: usize = 64;

/// What a session did with its network so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Connections that came, also those that were refused.
    pub connections: u64,
    /// Connections that are open.
    pub open: u32,
    /// Lookups that came.
    pub lookups: u64,
    /// How often something was refused, by reason.
    pub refused: Vec<(Refusal, u64)>,
    /// How often something that was let through came to nothing, by reason.
    pub failed: Vec<(Failure, u64)>,
    /// Bytes that left.
    pub bytes_out: u64,
    /// Bytes that came.
    pub bytes_in: u64,
    /// Names and addresses that were connected to, and how often; in the order of names.
    pub names: Vec<(String, u64)>,
    /// Connections to names that are more than a report tells.
    pub more: u64,
    /// Refusals that were counted and not told one by one.
    pub untold: u64,
}

/// A point in time, for [`crate::Egress::since`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u64);

/// Something that a cell wanted and did not get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// What, and why, in a sentence that helps whoever wrote the code.
    pub sentence: String,
    /// How often, since the session began.
    pub count: u64,
}

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Out,
    In,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    limits: Rates,
    /// Both ways together, in one number, so that two that count at the same time cannot both find room.
    bytes: AtomicU64,
    bytes_out: AtomicU64,
    bytes_in: AtomicU64,
    spent: watch::Sender<bool>,
    pages: Mutex<Pages>,
}

#[derive(Debug)]
struct Pages {
    connections: u64,
    open: u32,
    lookups: u64,
    refused: HashMap<Refusal, u64>,
    failed: HashMap<Failure, u64>,
    names: BTreeMap<String, u64>,
    more: u64,
    happenings: HashMap<String, Kept>,
    now: u64,
    connecting: Bucket,
    looking: Bucket,
    telling: Bucket,
    untold: u64,
}

#[derive(Debug)]
struct Kept {
    count: u64,
    last: u64,
}

impl Ledger {
    pub(crate) fn new(limits: Rates) -> Ledger {
        let now = Instant::now();
        Ledger {
            limits,
            bytes: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            bytes_in: AtomicU64::new(0),
            spent: watch::Sender::new(limits.bytes == 0),
            pages: Mutex::new(Pages {
                connections: 0,
                open: 0,
                lookups: 0,
                refused: HashMap::new(),
                failed: HashMap::new(),
                names: BTreeMap::new(),
                more: 0,
                happenings: HashMap::new(),
                now: 0,
                connecting: Bucket::new(limits.connections_per_second, now),
                looking: Bucket::new(limits.lookups_per_second, now),
                telling: Bucket::new(TOLD, now),
                untold: 0,
            }),
        }
    }

    /// Only numbers are kept here: a panic elsewhere leaves them as good as they were.
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a connection that came, and opens it if there is room for it.
    pub(crate) fn connection(&self) -> Result<(), Refusal> {
        let mut pages = self.pages();
        pages.connections += 1;
        if self.is_spent() {
            return Err(Refusal::Bytes);
        }
        if pages.open >= self.limits.connections || !pages.connecting.take(Instant::now()) {
            return Err(Refusal::Rate);
        }
        pages.open += 1;
        Ok(())
    }

    pub(crate) fn ended(&self) {
        self.pages().open -= 1;
    }

    /// Counts a lookup.
    pub(crate) fn lookup(&self) -> Result<(), Refusal> {
        let mut pages = self.pages();
        pages.lookups += 1;
        if self.is_spent() {
            return Err(Refusal::Bytes);
        }
        if pages.looking.take(Instant::now()) { Ok(()) } else { Err(Refusal::Rate) }
    }

    /// Counts bytes before they are passed on: all of them, or none if that would be too many.
    pub(crate) fn bytes(&self, way: Way, count: usize) -> Result<(), Refusal> {
        let count = count as u64;
        if self.bytes.fetch_add(count, Relaxed).saturating_add(count) <= self.limits.bytes {
            let own = if way == Way::Out { &self.bytes_out } else { &self.bytes_in };
            own.fetch_add(count, Relaxed);
            return Ok(());
        }
        self.bytes.fetch_sub(count, Relaxed);
        self.spent.send_if_modified(|spent| !std::mem::replace(spent, true));
        Err(Refusal::Bytes)
    }

    /// Tells when all bytes are used up.
    pub(crate) fn spent(&self) -> watch::Receiver<bool> {
        self.spent.subscribe()
    }

    pub(crate) fn is_spent(&self) -> bool {
        *self.spent.borrow()
    }

    /// Counts a connection to this name or address.
    pub(crate) fn contacted(&self, name: &str) {
        let mut pages = self.pages();
        if let Some(count) = pages.names.get_mut(name) {
            *count += 1;
        } else if pages.names.len() < NAMES {
            pages.names.insert(name.to_owned(), 1);
        } else {
            pages.more += 1;
        }
    }

    /// Whether one more refusal is told to whoever keeps a record. One that is not, is counted.
    pub(crate) fn tells(&self) -> bool {
        let mut pages = self.pages();
        let tells = pages.telling.take(Instant::now());
        pages.untold += u64::from(!tells);
        tells
    }

    pub(crate) fn refused(&self, refusal: Refusal, sentence: String) {
        let mut pages = self.pages();
        *pages.refused.entry(refusal).or_default() += 1;
        pages.happened(sentence);
    }

    pub(crate) fn failed(&self, failure: Failure, sentence: String) {
        let mut pages = self.pages();
        *pages.failed.entry(failure).or_default() += 1;
        pages.happened(sentence);
    }

    pub(crate) fn report(&self) -> Report {
        let pages = self.pages();
        let mut report = Report {
            connections: pages.connections,
            open: pages.open,
            lookups: pages.lookups,
            refused: pages.refused.iter().map(|(&refusal, &count)| (refusal, count)).collect(),
            failed: pages.failed.iter().map(|(&failure, &count)| (failure, count)).collect(),
            bytes_out: self.bytes_out.load(Relaxed),
            bytes_in: self.bytes_in.load(Relaxed),
            names: pages.names.iter().map(|(name, &count)| (name.clone(), count)).collect(),
            more: pages.more,
            untold: pages.untold,
        };
        report.refused.sort_by_key(|(refusal, _)| refusal.to_string());
        report.failed.sort_by_key(|(failure, _)| failure.to_string());
        report
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark(self.pages().now)
    }

    /// What happened since then, in its order, each once.
    pub(crate) fn since(&self, mark: Mark) -> Vec<Happening> {
        let pages = self.pages();
        let mut found: Vec<_> = pages.happenings.iter().filter(|(_, kept)| kept.last > mark.0).collect();
        found.sort_by_key(|(_, kept)| kept.last);
        found
            .into_iter()
            .map(|(sentence, kept)| Happening { sentence: sentence.clone(), count: kept.count })
            .collect()
    }
}

impl Pages {
    fn happened(&mut self, sentence: String) {
        self.now += 1;
        let last = self.now;
        if let Some(kept) = self.happenings.get_mut(&sentence) {
            *kept = Kept { count: kept.count + 1, last };
            return;
        }
        if self.happenings.len() >= HAPPENINGS {
            let oldest = self.happenings.iter().min_by_key(|(_, kept)| kept.last);
            if let Some(oldest) = oldest.map(|(sentence, _)| sentence.clone()) {
                self.happenings.remove(&oldest);
            }
        }
        self.happenings.insert(sentence, Kept { count: 1, last });
    }
}
