//! What all tasks of one way out know together, and how they tell what they did.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use policy::network::{Name, Network, Refusal};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use crate::Options;
use crate::audit::{Audit, Failure, Verdict};
use crate::host::Host;
use crate::ledger::Ledger;
use crate::names::{Known, Names};
use crate::resolver::Resolver;
use crate::wire::answer::Answer;
use crate::wire::dns::{Code, Question, Record, kind};
use crate::wire::name::WireName;

/// For how long addresses of a listed name are believed, at most: a name that moves is followed within it.
const BELIEVED: Duration = Duration::from_secs(30);
/// How long addresses of the other family are waited for, once there are some of one: some name servers never answer
/// for a family that they do not know.
const OTHER_FAMILY: Duration = Duration::from_secs(1);
/// How many addresses of a name are looked at.
const ADDRESSES: usize = 32;
/// How many listed names are resolved at the same time.
const RESOLVING: usize = 16;
/// As much of a name is told as a name may have.
const NAME: usize = 253;
/// A longer list is not told in a sentence.
const TOLD: usize = 8;

/// Something did not come to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    Refused(Refusal),
    Failed(Failure),
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Denied {
        Denied::Refused(refusal)
    }
}

impl From<Failure> for Denied {
    fn from(failure: Failure) -> Denied {
        Denied::Failed(failure)
    }
}

impl From<Denied> for Verdict {
    fn from(denied: Denied) -> Verdict {
        match denied {
            Denied::Refused(refusal) => Verdict::Refused(refusal),
            Denied::Failed(failure) => Verdict::Failed(failure),
        }
    }
}

/// What a name resolved to.
struct Found {
    addresses: Vec<IpAddr>,
    /// No name server said anything about it.
    silent: bool,
    believed: Duration,
}

fn is_address(record: &Record) -> bool {
    record.address().is_some()
}

/// What comes first of two, and the other one.
async fn select<T, F: Future<Output = T> + Unpin>(mut one: F, mut other: F) -> (T, F) {
    tokio::select! {
        first = &mut one => (first, other),
        first = &mut other => (first, one),
    }
}

pub(crate) struct Shared {
    pub(crate) network: Network,
    pub(crate) ledger: Ledger,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) resolver: Resolver,
    audit: Arc<dyn Fn(&Audit) + Send + Sync>,
    pub(crate) room: Arc<Semaphore>,
    names: Mutex<Names>,
    resolving: Semaphore,
    /// Closed when the last task has ended.
    _until_gone: oneshot::Sender<Infallible>,
}

impl Shared {
    pub(crate) fn new(network: Network, options: Options, until_gone: oneshot::Sender<Infallible>) -> Shared {
        Shared {
            ledger: Ledger::new(network.limits),
            network,
            host: options.host,
            resolver: options.resolver,
            audit: options.audit,
            room: options.room,
            names: Mutex::default(),
            resolving: Semaphore::new(RESOLVING),
            _until_gone: until_gone,
        }
    }

    /// Each change of the names is one call, after which they are whole.
    pub(crate) fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses an address of the host's that the operator did not mean.
    pub(crate) fn not_hosts(&self, to: SocketAddr) -> Result<(), Refusal> {
        match self.host.is_own(to.ip()) {
            _ if self.network.meant(to) => Ok(()),
            Ok(false) => Ok(()),
            Ok(true) => Err(Refusal::Host),
            // It cannot be asked, so nobody goes there.
            Err(_) => Err(Refusal::Room),
        }
    }

    /// Tells whoever keeps a record. Of refusals, of which a cell can make as many as it likes, not every one.
    pub(crate) fn tell(&self, audit: &Audit) {
        if !matches!(audit.verdict, Verdict::Refused(_)) || self.ledger.tells() {
            (self.audit)(audit);
        }
    }

    /// The addresses of a listed name, as they came; none of them judged.
    pub(crate) async fn resolve(&self, name: &Name) -> Result<Vec<IpAddr>, Denied> {
        if let Some(addresses) = self.believed(name) {
            return Ok(addresses);
        }
        let _turn = self.resolving.acquire().await;
        // Another connection may have asked meanwhile.
        if let Some(addresses) = self.believed(name) {
            return Ok(addresses);
        }
        if self.names().guessed(name, &self.network) {
            return Err(Refusal::Unresolved.into());
        }
        let found = self.both_families(name).await;
        let known = if found.addresses.is_empty() {
            Known::Failed
        } else {
            Known::Addresses(found.addresses.clone(), Instant::now() + found.believed)
        };
        self.names().learn(name, known, &self.network);
        match found.addresses.is_empty() {
            true if found.silent => Err(Failure::Resolver.into()),
            true => Err(Failure::Unresolved.into()),
            false => Ok(found.addresses),
        }
    }

    /// What a name resolved to a moment ago.
    fn believed(&self, name: &Name) -> Option<Vec<IpAddr>> {
        match self.names().known(name) {
            Known::Addresses(addresses, until) if Instant::now() < until => Some(addresses),
            _ => None,
        }
    }

    /// Asks for the addresses of both families at once.
    async fn both_families(&self, name: &Name) -> Found {
        let question = |kind| Question { name: WireName::of(name), kind };
        let (v4, v6) = (question(kind::A), question(kind::AAAA));
        let (v4, v6) = (pin!(self.resolver.ask(&v4)), pin!(self.resolver.ask(&v6)));
        let (first, other) = match select(v4, v6).await {
            (first, other) if first.as_ref().is_ok_and(|answer| answer.records.iter().any(is_address)) => {
                (first, timeout(OTHER_FAMILY, other).await.ok())
            }
            (first, other) => (first, Some(other.await)),
        };
        let whole = other.is_some();
        let answers: Vec<Answer> = [Some(first), other].into_iter().flatten().flatten().collect();
        let said = |answer: &Answer| matches!(answer.code, Code::OK | Code::NO_NAME);
        let silent = !answers.iter().any(said);
        let records: Vec<_> = answers.into_iter().flat_map(|answer| answer.records).collect();
        let seconds = records.iter().map(|record| record.seconds.into()).min().unwrap_or(0);
        // What is half of an answer is not believed for longer than it is used.
        let believed = if whole { BELIEVED.min(Duration::from_secs(seconds)) } else { Duration::ZERO };
        Found {
            addresses: records.iter().filter_map(Record::address).take(ADDRESSES).collect(),
            silent,
            believed,
        }
    }

    /// Tells of something that a cell wanted and did not get; `what` is a name, an address, or both.
    pub(crate) fn denied(&self, what: &str, denied: Denied) {
        match denied {
            Denied::Refused(refusal) => {
                let list = if matches!(refusal, Refusal::NotListed | Refusal::PortNotListed) {
                    self.list()
                } else {
                    String::new()
                };
                let sentence = match refusal {
                    Refusal::NotListed => format!("`{what}` is not on this session's list{list}"),
                    _ => format!("`{what}` was refused: {refusal}{list}"),
                };
                self.ledger.refused(refusal, sentence);
            }
            Denied::Failed(failure) => {
                self.ledger.failed(failure, format!("`{what}` could not be reached: {failure}"));
            }
        }
    }

    /// The list behind a sentence, if it is short.
    fn list(&self) -> String {
        let addresses = self.network.open_private.iter().map(ToString::to_string);
        let all: Vec<_> = self.network.allow.iter().map(ToString::to_string).chain(addresses).collect();
        match all.len() {
            0 => " (the list is empty)".to_owned(),
            1..=TOLD => format!(" (the list: {})", all.join(", ")),
            _ => String::new(),
        }
    }

    /// Tells of a lookup that was refused.
    pub(crate) fn refused_lookup(&self, mut name: String, refusal: Refusal) {
        // What is no letter takes four.
        name.truncate(NAME);
        self.denied(&name, refusal.into());
        self.tell(&Audit {
            name: Some(name),
            address: None,
            verdict: Verdict::Refused(refusal),
            bytes_out: 0,
            bytes_in: 0,
            milliseconds: 0,
        });
    }
}
