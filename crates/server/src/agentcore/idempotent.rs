//! Requests under a client's token: sent again, they are answered and not carried out again.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use session::records::Claim;
use sha2::{Digest, Sha256};

use crate::fault::Fault;

use super::Incoming;
use super::input::mismatch;

type Key = (String, String, String);

/// Tokens whose request is being carried out.
static RUNNING: Mutex<Option<HashMap<Key, Arc<tokio::sync::Mutex<()>>>>> = Mutex::new(None);

/// Carries `work` out, unless a request with these parameters was answered under this token.
pub(super) async fn once(
    incoming: &Incoming,
    operation: &str,
    token: Option<&str>,
    parameters: &[&[u8]],
    work: impl Future<Output = Result<String, Fault>>,
) -> Result<String, Fault> {
    let Some(token) = token else { return work.await };
    let mut digest = Sha256::new();
    for part in parameters {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    let digest: [u8; 32] = digest.finalize().into();
    let (principal, records) = (&incoming.principal, &incoming.service.records);
    let turn = Turn::new((principal.to_string(), operation.to_owned(), token.to_owned()));
    let _turn = turn.lock.lock().await;
    match records.claim(principal, operation, token, &digest) {
        Claim::Answered(answer) => return Ok(answer),
        Claim::Other => return Err(mismatch()),
        Claim::New => {}
    }
    let answer = work.await?;
    records.answer(principal, operation, token, digest, &answer);
    Ok(answer)
}

/// The right to wait for a token's lock; the last one to go takes the lock along.
struct Turn {
    key: Key,
    lock: Arc<tokio::sync::Mutex<()>>,
}

impl Turn {
    fn new(key: Key) -> Turn {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = running.get_or_insert_default().entry(key.clone()).or_default().clone();
        Turn { key, lock }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = running.as_mut()
            && Arc::strong_count(&self.lock) == 2
        {
            running.remove(&self.key);
        }
    }
}
