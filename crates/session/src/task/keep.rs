//! A workspace that the cell sees whole is kept without anybody asking for it: what changed is saved soon after each call
//! and each file that was written, and now and then while calls run.
//!
//! One save at a time, for everything that happened before it began. No answer waits for it, and a call that comes
//! meanwhile waits for a moment at most ([`PATIENCE`]): after that it begins without what has arrived since the call
//! before it. What goes wrong is told to the next call, once, and tried again.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, oneshot};
use tokio::time::Instant;
use workspace::{LeftOut, Saved, View};

use super::Task;
use crate::clock::Alarm;
use crate::error::chain;

/// How long after a change it is saved: what follows at once is saved with it.
const AFTER: Duration = Duration::from_millis(100);
/// How often is saved while calls run.
const MEANWHILE: Duration = Duration::from_secs(20);
/// How long a call waits for a save that is under way.
pub(super) const PATIENCE: Duration = Duration::from_millis(100);
/// How many times as long as the last save took there is none: looking at a hundred thousand files has its price.
const REST: u32 = 4;
/// How many files are named in a sentence.
const NAMED: usize = 3;
/// How many files are remembered that a call was told of.
const TOLD: usize = 4096;

type Kept = (workspace::Result<Saved>, Duration);

/// What a task knows of the saves that nobody asks for.
#[derive(Default)]
pub(super) struct Keeper {
    /// Held while one is under way, for calls to wait for.
    pub(super) turn: Arc<Mutex<()>>,
    saving: Option<oneshot::Receiver<Kept>>,
    /// Something may have changed since the last one began.
    changed: bool,
    due: Option<Instant>,
    rest: Option<Instant>,
    failing: bool,
    told: HashSet<PathBuf>,
}

impl Keeper {
    /// The end of the save that is under way. May be given up at any time.
    pub(super) async fn done(&mut self) -> Option<Kept> {
        let Some(saving) = &mut self.saving else { return std::future::pending().await };
        let kept = saving.await.ok();
        self.saving = None;
        kept
    }
}

impl Task {
    fn keeps(&self) -> bool {
        let whole = self.options.workspace.as_ref().is_some_and(|options| options.view == View::Whole);
        whole && self.durable.copy().is_some() && !self.machine.ends()
    }

    /// Something may have changed in the workspace.
    pub(super) fn changed(&mut self) {
        if self.keeps() {
            self.keeper.changed = true;
            self.keep_in(AFTER);
        }
    }

    /// Something runs that may change the workspace.
    pub(super) fn changes(&mut self) {
        if self.keeps() {
            self.keep_in(MEANWHILE);
        }
    }

    fn keep_in(&mut self, after: Duration) {
        if self.keeper.saving.is_some() {
            return;
        }
        let due = (Instant::now() + after).max(self.keeper.rest.unwrap_or_else(Instant::now));
        if self.keeper.due.is_none_or(|earlier| due < earlier) {
            self.clock.disarm(|alarm| alarm == Alarm::Keep);
            self.clock.arm(due, Alarm::Keep);
            self.keeper.due = Some(due);
        }
    }

    /// It is time to save.
    pub(super) fn keep(&mut self) {
        self.keeper.due = None;
        if !self.keeps() {
            return;
        }
        // Whoever waits for what has arrived would wait for this.
        let (Some((copy, in_use)), Ok(turn)) =
            (self.durable.idle_copy(), self.keeper.turn.clone().try_lock_owned())
        else {
            self.keep_in(AFTER);
            return;
        };
        self.keeper.changed = false;
        let (told, saving) = oneshot::channel();
        self.keeper.saving = Some(saving);
        // No job: those hold up the end of the session, and with it what still runs in the cell.
        tokio::spawn(async move {
            let begun = Instant::now();
            let saved = copy.save().await;
            drop((in_use, turn));
            let _ = told.send((saved, begun.elapsed()));
        });
    }

    pub(super) fn on_kept(&mut self, kept: Option<Kept>) {
        let Some((saved, took)) = kept else { return };
        self.keeper.rest = Some(Instant::now() + (took * REST).min(MEANWHILE));
        let failed = match saved {
            Ok(saved) => self.tell_of(saved.left_out),
            Err(error) => {
                tracing::error!(session = %self.session, "keep files of a workspace: {}", chain(&error));
                if !self.keeper.failing {
                    self.durable
                        .tell([format!("files of the workspace are not saved yet: {}", chain(&error))]);
                }
                true
            }
        };
        self.keeper.failing = failed;
        if self.keeper.changed {
            self.changed();
        } else if failed || self.machine.calls() > 0 {
            self.changes();
        }
    }

    /// Tells the next call of what was left out, if it has not been told. Says whether any of it may be saved later.
    fn tell_of(&mut self, left_out: Vec<LeftOut>) -> bool {
        // A program that runs may be writing: that is no news.
        let at_work = self.machine.calls() > 0;
        let failed = left_out.iter().any(|left| left.failed);
        let told = &mut self.keeper.told;
        let is_news = |left: &LeftOut| !(left.failed && at_work || told.contains(&left.local));
        let news: Vec<LeftOut> = left_out.into_iter().filter(is_news).collect();
        if !news.is_empty() && told.len() < TOLD {
            told.extend(news.iter().map(|left| left.local.clone()));
            let (later, never): (Vec<_>, Vec<_>) = news.into_iter().partition(|left| left.failed);
            let sentences = [
                ("this is not saved yet, which is tried again", later),
                ("this does not outlive the session", never),
            ];
            self.durable.tell(sentences.iter().filter_map(|(what, left_out)| sentence(what, left_out)));
        }
        failed
    }
}

/// A sentence about what was left out; none, if nothing was.
fn sentence(what: &str, left_out: &[LeftOut]) -> Option<String> {
    let named = left_out.iter().take(NAMED).map(|left| format!("`{}` ({})", left.local.display(), left.why));
    let named: Vec<String> = named.collect();
    let more = match left_out.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!named.is_empty()).then(|| format!("{what}: {}{more}", named.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_named_and_all_are_counted() {
        let left = |name: &str| LeftOut { local: name.into(), why: "it is a link".into(), failed: false };
        assert_eq!(sentence("lost", &[]), None);
        assert_eq!(sentence("lost", &[left("a")]).unwrap(), "lost: `a` (it is a link)");
        let many: Vec<LeftOut> = (0..9).map(|n| left(&n.to_string())).collect();
        assert!(sentence("lost", &many).unwrap().ends_with("`2` (it is a link) and 6 more"));
    }
}
