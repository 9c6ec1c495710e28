//! What a call says while it runs, for clients that asked to be told.
//!
//! Output is passed on a few times a second, the latest part of it where there is too much, and where there is none a
//! sign of life, so that nobody's patience ends. Whoever runs the call never waits for a client that reads slowly: what
//! it cannot take is left out, since the result has all of it.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::{Peer, RequestContext, RoleServer};
use tokio::task::AbortHandle;

/// How often output is passed on.
const OFTEN: Duration = Duration::from_millis(200);
/// How often a call without output shows that it lives.
const ALIVE: Duration = Duration::from_secs(5);
/// The most bytes of one message.
const MESSAGE: usize = 4000;

/// Tells one call's progress until it is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    pending: Arc<Mutex<String>>,
    task: AbortHandle,
}

impl Progress {
    /// None, if the client did not ask for it.
    pub(super) fn begin(context: &RequestContext<RoleServer>) -> Option<Progress> {
        let token = context.meta.get_progress_token()?;
        let pending = Arc::<Mutex<String>>::default();
        let task = tokio::spawn(tell(context.peer.clone(), token, pending.clone()));
        Some(Progress { pending, task: task.abort_handle() })
    }

    /// Something was written.
    pub(super) fn wrote(&self, bytes: &[u8]) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.push_str(&String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(MESSAGE)..]));
        keep_last(&mut pending);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Keeps the last part of a text, from a line's begin if there is one.
fn keep_last(text: &mut String) {
    if text.len() <= MESSAGE {
        return;
    }
    let mut at = text.len() - MESSAGE;
    while !text.is_char_boundary(at) {
        at += 1;
    }
    let line = text[at..].find('\n').filter(|line| *line < MESSAGE / 2).map_or(0, |line| line + 1);
    text.drain(..at + line);
}

async fn tell(peer: Peer<RoleServer>, token: ProgressToken, pending: Arc<Mutex<String>>) {
    let (begun, mut told, mut count) = (Instant::now(), Instant::now(), 0.0);
    let mut ticks = tokio::time::interval(OFTEN);
    loop {
        ticks.tick().await;
        let mut message = std::mem::take(&mut *pending.lock().unwrap_or_else(PoisonError::into_inner));
        if message.is_empty() {
            if told.elapsed() < ALIVE {
                continue;
            }
            let _ = write!(message, "running for {} s", begun.elapsed().as_secs());
        }
        told = Instant::now();
        count += 1.0;
        let param = ProgressNotificationParam::new(token.clone(), count).with_message(message);
        if peer.notify_progress(param).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_is_kept() {
        let mut text = format!("{}\nlast line {}", "x".repeat(100), "é".repeat(MESSAGE / 2 - 25));
        keep_last(&mut text);
        assert!(text.starts_with("last line é"), "{text:.50}");
        let mut text = "é".repeat(MESSAGE);
        keep_last(&mut text);
        assert!(text.len() <= MESSAGE && text.len() > MESSAGE - 4);
        let mut text = "short".to_owned();
        keep_last(&mut text);
        assert_eq!(text, "short");
    }
}
