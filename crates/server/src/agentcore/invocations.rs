//! Invocations that run or have just ended: one that is sent again is answered, and does not run again.
//!
//! A client that hears nothing for a minute sends its request again under the same id; so does one whose connection
//! broke. What it names is the same invocation if the body is the same, too; another body under an old id is another
//! invocation. What has ended is remembered for a while after its end, and within bounds; what only reads is not
//! remembered at all, since reading again harms nobody and answers with files are large.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use crate::fault::Fault;

/// How long an ended invocation is remembered.
pub(super) const REMEMBERED: Duration = Duration::from_secs(15 * 60);
/// The most that are remembered of a session.
const MOST: usize = 256;
/// What all answers that are remembered of a session take up together, bytes.
const ANSWERS: usize = 16 << 20;

/// How an invocation ended: the JSON of its result, or a fault.
pub(super) type Answer = Result<Bytes, Fault>;
/// An invocation that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) answer: Answer,
    at: Instant,
}

impl Ended {
    /// One that ended now, with this answer.
    pub(super) fn now(answer: Answer) -> Ended {
        Ended { answer, at: Instant::now() }
    }
}

/// Where an invocation's answer is put.
pub(super) type Promise = watch::Sender<Option<Arc<Ended>>>;
/// Where it will be.
pub(super) type Awaited = watch::Receiver<Option<Arc<Ended>>>;

#[derive(Debug)]
struct Entry {
    body: Digest,
    answer: Awaited,
}

impl Entry {
    fn ended(&self) -> Option<Arc<Ended>> {
        self.answer.borrow().clone()
    }

    fn size(&self) -> usize {
        self.ended().and_then(|ended| ended.answer.as_ref().ok().map(Bytes::len)).unwrap_or(0)
    }

    /// When it ended; none, while it runs.
    fn end(&self) -> Option<Instant> {
        self.ended().map(|ended| ended.at)
    }

    /// Whether whoever ran it has gone without a word: nobody will ever be answered.
    fn broke(&self) -> bool {
        self.end().is_none() && self.answer.has_changed().is_err()
    }
}

/// What tells one body from another.
pub(super) type Digest = [u8; 32];

/// The digest of a body. It takes its time for a large one.
pub(super) fn digest(body: &[u8]) -> Digest {
    Sha256::digest(body).into()
}

/// The invocations of a session.
#[derive(Debug, Default)]
pub(crate) struct Invocations(Mutex<HashMap<String, Entry>>);

/// What is to be done with an invocation that has come.
pub(super) enum Begun {
    /// It is a new one: run it, and put its answer here.
    New(Promise, Awaited),
    /// It was sent before.
    Known(Awaited),
}

impl Invocations {
    /// Begins an invocation, unless it has begun already. One without an id is always new.
    pub(super) fn begin(&self, id: Option<&str>, body: &Digest) -> Begun {
        let (sender, answer) = watch::channel(None);
        let Some(id) = id.filter(|id| id.len() <= 128) else { return Begun::New(sender, answer) };
        let mut entries = self.entries();
        if let Some(known) = entries.get(id).filter(|entry| entry.body == *body && !entry.broke()) {
            return Begun::Known(known.answer.clone());
        }
        forget(&mut entries);
        entries.insert(id.to_owned(), Entry { body: *body, answer: answer.clone() });
        Begun::New(sender, answer)
    }

    /// Forgets an invocation that has ended and may as well run again.
    pub(super) fn forget(&self, id: &str, body: &Digest) {
        let mut entries = self.entries();
        if entries.get(id).is_some_and(|entry| entry.body == *body) {
            entries.remove(id);
        }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets what is old, and the oldest of what is too much. What runs is kept.
fn forget(entries: &mut HashMap<String, Entry>) {
    entries.retain(|_, entry| !entry.broke() && entry.end().is_none_or(|end| end.elapsed() < REMEMBERED));
    let mut size: usize = entries.values().map(Entry::size).sum();
    while entries.len() >= MOST || size > ANSWERS {
        let ended = entries.iter().filter_map(|(id, entry)| Some((entry.end()?, id)));
        let Some(oldest) = ended.min().map(|(_, id)| id.clone()) else { return };
        size -= entries.remove(&oldest).map_or(0, |entry| entry.size());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(begun: Begun) -> Promise {
        match begun {
            Begun::New(promise, _) => promise,
            Begun::Known(_) => panic!("it is known"),
        }
    }

    fn ended(bytes: impl Into<Bytes>, ago: Duration) -> Arc<Ended> {
        Arc::new(Ended { answer: Ok(bytes.into()), at: Instant::now().checked_sub(ago).unwrap() })
    }

    fn ended_now(bytes: impl Into<Bytes>) -> Arc<Ended> {
        ended(bytes, Duration::ZERO)
    }

    const BODY: Digest = [1; 32];

    #[test]
    fn what_is_sent_again_does_not_run_again() {
        let invocations = Invocations::default();
        let promise = new(invocations.begin(Some("a"), &BODY));
        let Begun::Known(answer) = invocations.begin(Some("a"), &BODY) else { panic!("it runs again") };
        assert!(answer.borrow().is_none());
        promise.send_replace(Some(ended_now("answer")));
        let Begun::Known(answer) = invocations.begin(Some("a"), &BODY) else { panic!("it runs again") };
        assert_eq!(answer.borrow().as_ref().unwrap().answer, Ok(Bytes::from_static(b"answer")));
        new(invocations.begin(Some("a"), &[2; 32]));
        new(invocations.begin(Some("b"), &BODY));
        new(invocations.begin(None, &BODY));
        new(invocations.begin(None, &BODY));
    }

    #[test]
    fn what_took_long_is_remembered_from_its_end() {
        let invocations = Invocations::default();
        let begin = |id: &str| invocations.begin(Some(id), &BODY);
        new(begin("old")).send_replace(Some(ended("", REMEMBERED + Duration::from_secs(1))));
        new(begin("young")).send_replace(Some(ended("", REMEMBERED / 2)));
        let running = new(begin("running"));
        // Each new one is an occasion to forget.
        new(begin("another"));
        new(begin("old"));
        assert!(matches!(begin("young"), Begun::Known(_)));
        assert!(matches!(begin("running"), Begun::Known(_)));
        drop(running);
        // Who ran it is gone without a word.
        new(begin("running"));
        invocations.forget("young", &[2; 32]);
        assert!(matches!(begin("young"), Begun::Known(_)));
        invocations.forget("young", &BODY);
        new(begin("young"));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let invocations = Invocations::default();
        let begin = |id: String| new(invocations.begin(Some(&id), &BODY));
        let large = Bytes::from(vec![0; ANSWERS / 4]);
        for n in 0..10 {
            begin(n.to_string()).send_replace(Some(ended_now(large.clone())));
        }
        assert!(invocations.entries().len() <= 6);
        for n in 0..MOST + 50 {
            begin(format!("small {n}")).send_replace(Some(ended_now("")));
        }
        let running: Vec<_> = (0..10).map(|n| begin(format!("running {n}"))).collect();
        for n in 0..MOST {
            begin(format!("more {n}")).send_replace(Some(ended_now("")));
        }
        let entries = invocations.entries();
        assert!(entries.len() <= MOST);
        assert!((0..10).all(|n| entries.contains_key(&format!("running {n}"))));
        drop(running);
    }
}
