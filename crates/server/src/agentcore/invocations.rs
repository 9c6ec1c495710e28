//! Invocations that run or have just ended: one that is sent again is answered, and does not run again.
//!
//! A client that hears nothing for a minute sends its request again under the same id; so does one whose connection
//! broke. What it names is the same invocation if the body is the same, too; another body under an old id is another
//! invocation. What has ended is remembered for a while, and within bounds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::fault::Fault;

/// How long an ended invocation is remembered.
const REMEMBERED: Duration = Duration::from_secs(15 * 60);
/// The most that are remembered of a session.
const MOST: usize = 256;
/// What all answers that are remembered of a session take up together, bytes.
const ANSWERS: usize = 64 << 20;

/// How an invocation ended: the JSON of its result, or a fault.
pub(super) type Answer = Result<Bytes, Fault>;
/// Where an invocation's answer will be.
pub(super) type Awaited = watch::Receiver<Option<Arc<Answer>>>;

#[derive(Debug)]
struct Entry {
    body: [u8; 32],
    answer: Awaited,
    begun: Instant,
}

impl Entry {
    fn size(&self) -> usize {
        match self.answer.borrow().as_deref() {
            Some(Ok(bytes)) => bytes.len(),
            Some(Err(_)) | None => 0,
        }
    }

    fn runs(&self) -> bool {
        self.answer.borrow().is_none() && self.answer.has_changed().is_ok()
    }
}

/// The invocations of a session.
#[derive(Debug, Default)]
pub(crate) struct Invocations(Mutex<HashMap<String, Entry>>);

/// What is to be done with an invocation that has come.
pub(super) enum Begun {
    /// It is a new one: run it, and put its answer here.
    New(watch::Sender<Option<Arc<Answer>>>, Awaited),
    /// It was sent before.
    Known(Awaited),
}

impl Invocations {
    /// Begins an invocation, unless it has begun already. One without an id is always new.
    pub(super) fn begin(&self, id: Option<&str>, body: &[u8]) -> Begun {
        let (sender, answer) = watch::channel(None);
        let Some(id) = id.filter(|id| id.len() <= 128) else { return Begun::New(sender, answer) };
        let digest: [u8; 32] = Sha256::digest(body).into();
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = entries.get(id).filter(|entry| entry.body == digest) {
            return Begun::Known(known.answer.clone());
        }
        forget(&mut entries);
        entries.insert(id.to_owned(), Entry { body: digest, answer: answer.clone(), begun: Instant::now() });
        Begun::New(sender, answer)
    }
}

/// Forgets what is old, and the oldest of what is too much. What runs is kept.
fn forget(entries: &mut HashMap<String, Entry>) {
    entries.retain(|_, entry| entry.runs() || entry.begun.elapsed() < REMEMBERED);
    let mut size: usize = entries.values().map(Entry::size).sum();
    while entries.len() >= MOST || size > ANSWERS {
        let ended = entries.iter().filter(|(_, entry)| !entry.runs());
        let Some(oldest) = ended.min_by_key(|(_, entry)| entry.begun).map(|(id, _)| id.clone()) else {
            return;
        };
        size -= entries.remove(&oldest).map_or(0, |entry| entry.size());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(begun: Begun) -> watch::Sender<Option<Arc<Answer>>> {
        match begun {
            Begun::New(sender, _) => sender,
            Begun::Known(_) => panic!("it is known"),
        }
    }

    #[test]
    fn what_is_sent_again_does_not_run_again() {
        let invocations = Invocations::default();
        let sender = new(invocations.begin(Some("a"), b"body"));
        let Begun::Known(answer) = invocations.begin(Some("a"), b"body") else { panic!("it runs again") };
        assert!(answer.borrow().is_none());
        sender.send_replace(Some(Arc::new(Ok(Bytes::from_static(b"answer")))));
        let Begun::Known(answer) = invocations.begin(Some("a"), b"body") else { panic!("it runs again") };
        assert_eq!(answer.borrow().as_deref(), Some(&Ok(Bytes::from_static(b"answer"))));
        new(invocations.begin(Some("a"), b"another body"));
        new(invocations.begin(Some("b"), b"body"));
        new(invocations.begin(None, b"body"));
        new(invocations.begin(None, b"body"));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let invocations = Invocations::default();
        let large = Bytes::from(vec![0; ANSWERS / 4]);
        for n in 0..10 {
            new(invocations.begin(Some(&n.to_string()), b"")).send_replace(Some(Arc::new(Ok(large.clone()))));
        }
        assert!(invocations.0.lock().unwrap().len() <= 6);
        for n in 0..MOST + 50 {
            new(invocations.begin(Some(&format!("small {n}")), b""))
                .send_replace(Some(Arc::new(Ok(Bytes::new()))));
        }
        let running: Vec<_> =
            (0..10).map(|n| new(invocations.begin(Some(&format!("running {n}")), b""))).collect();
        for n in 0..MOST {
            new(invocations.begin(Some(&format!("more {n}")), b""))
                .send_replace(Some(Arc::new(Ok(Bytes::new()))));
        }
        let entries = invocations.0.lock().unwrap();
        assert!(entries.len() <= MOST);
        assert!((0..10).all(|n| entries.contains_key(&format!("running {n}"))));
        drop(running);
    }
}
