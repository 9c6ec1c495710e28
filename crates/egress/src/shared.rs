//! What all tasks of one way out know together, and how they tell what they did.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use policy::network::{Name, Network, Refusal};
use tokio::sync::{Semaphore, oneshot};

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
/// How many addresses of a name are looked at.
const ADDRESSES: usize = 32;
/// How many listed names are resolved at the same time.
const RESOLVING: usize = 16;
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

pub(crate) struct Shared {
    pub(crate) network: Network,
    pub(crate) ledger: Ledger,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) resolver: Resolver,
    pub(crate) audit: Arc<dyn Fn(&Audit) + Send + Sync>,
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
            names: Mutex::default(),
            resolving: Semaphore::new(RESOLVING),
            _until_gone: until_gone,
        }
    }

    /// Each change of the names is one call, after which they are whole.
    pub(crate) fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the address is one of the host's that the operator did not mean.
    pub(crate) fn is_hosts(&self, to: SocketAddr) -> bool {
        !self.network.meant(to) && self.host.is_own(to.ip()).unwrap_or(true)
    }

    /// The addresses of a listed name, as they came; none of them judged.
    pub(crate) async fn resolve(&self, name: &Name) -> Result<Vec<IpAddr>, Denied> {
        let _turn = self.resolving.acquire().await;
        {
            let names = self.names();
            if let Known::Addresses(addresses, until) = names.known(name)
                && Instant::now() < until
            {
                return Ok(addresses);
            }
            if names.guessed(name, &self.network) {
                return Err(Refusal::Unresolved.into());
            }
        }
        let question = |kind| Question { name: WireName::of(name), kind };
        let (v4, v6) = (question(kind::A), question(kind::AAAA));
        let (v4, v6) = tokio::join!(self.resolver.ask(&v4), self.resolver.ask(&v6));
        let said = |answer: &Answer| matches!(answer.code, Code::OK | Code::NO_NAME);
        let silent = ![&v4, &v6].into_iter().any(|answer| answer.as_ref().is_ok_and(said));
        let records: Vec<_> = [v4, v6].into_iter().flatten().flat_map(|answer| answer.records).collect();
        let addresses: Vec<IpAddr> = records.iter().filter_map(Record::address).take(ADDRESSES).collect();
        let seconds = records.iter().map(|record| record.seconds.into()).min().unwrap_or(0);
        let known = if addresses.is_empty() {
            Known::Failed
        } else {
            let believed = BELIEVED.min(Duration::from_secs(seconds));
            Known::Addresses(addresses.clone(), Instant::now() + believed)
        };
        self.names().learn(name, known, &self.network);
        match addresses.is_empty() {
            true if silent => Err(Failure::Resolver.into()),
            true => Err(Failure::Unresolved.into()),
            false => Ok(addresses),
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
    pub(crate) fn refused_lookup(&self, name: String, refusal: Refusal) {
        self.denied(&name, refusal.into());
        (self.audit)(&Audit {
            name: Some(name),
            address: None,
            verdict: Verdict::Refused(refusal),
            bytes_out: 0,
            bytes_in: 0,
            milliseconds: 0,
        });
    }
}
