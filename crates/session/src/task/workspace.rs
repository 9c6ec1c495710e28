//! The session's workspace: what arrives in it is brought before calls, and what changed is saved at the end.
//!
//! Calls and file operations that come in are held here until a look at the store that began after they came has ended;
//! they leave in the order in which they came. The machine knows nothing of them until then. When the session ends they
//! go to it at once, which tells them so.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use cell::Cell;
use protocol::CallId;
use tokio::sync::{RwLock, oneshot};
use workspace::{Brought, Saved, View, WorkingCopy, Workspace};

use super::{FileJob, FileOrder, Job, Task};
use crate::error::{Error, Result};
use crate::machine::{Ending, Event, How, StopReason, Work};

/// The workspace of a session.
#[derive(Debug, Clone)]
pub struct WorkspaceOptions {
    /// Whose files they are.
    pub workspace: Workspace,
    /// How the cell sees them.
    pub view: View,
    /// Where the cell sees them; the usual place if it is not said.
    pub mount: Option<String>,
}

/// Files to be saved, and who waits for it.
pub(crate) struct PushOrder {
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) answer: oneshot::Sender<Result<Saved>>,
}

/// What waits until the workspace was looked at.
pub(super) enum Held {
    Call(CallId, Work),
    File(Box<FileOrder>),
    Files(FileJob),
}

/// What a task keeps of its session's workspace.
#[derive(Default)]
pub(super) struct Durable {
    copy: Option<Arc<WorkingCopy>>,
    held: VecDeque<Held>,
    /// How many of those that are held leave when the look at the store that is under way has ended.
    refreshing: Option<usize>,
    /// Sentences for the next call.
    notices: Vec<String>,
    /// Held shared by whoever reads or writes the working copy, and alone by what ends it.
    in_use: Arc<RwLock<()>>,
}

impl Durable {
    /// Whether somebody waits for it, or works with it.
    pub(super) fn is_busy(&self) -> bool {
        !self.held.is_empty() || self.in_use.try_write().is_err()
    }

    /// Whether a call is held.
    pub(super) fn holds(&self, call: CallId) -> bool {
        self.held.iter().any(|held| matches!(held, Held::Call(each, _) if *each == call))
    }
}

impl Task {
    /// The cell is there, and so is the directory that files are brought into. Nobody waits for the first ones but those
    /// who need them.
    pub(super) fn open_workspace(&mut self, cell: &Cell) {
        let Some(options) = &self.options.workspace else { return };
        let directory = cell.workspace().to_owned();
        let copy = WorkingCopy::new(options.workspace.clone(), options.view, directory, cell.owner());
        self.durable.copy = Some(Arc::new(copy));
        self.refresh();
    }

    /// Lets something go on when the workspace has been looked at; at once, where there is none.
    pub(super) fn hold(&mut self, held: Held) {
        if self.options.workspace.is_none() {
            self.release(held);
            return;
        }
        self.durable.held.push_back(held);
        self.refresh();
    }

    fn refresh(&mut self) {
        let Some(copy) = self.durable.copy.clone().filter(|_| self.durable.refreshing.is_none()) else {
            return;
        };
        self.durable.refreshing = Some(self.durable.held.len());
        let in_use = self.durable.in_use.clone();
        self.jobs.spawn(async move {
            let _in_use = in_use.read_owned().await;
            Job::Refreshed(copy.refresh().await)
        });
    }

    pub(super) fn on_refreshed(&mut self, refreshed: workspace::Result<Brought>) {
        match refreshed {
            Ok(brought) => {
                let kept = brought.kept.iter().map(arrived_and_kept);
                self.durable.notices.extend(kept);
            }
            Err(error) => {
                tracing::error!(session = %self.session, "bring files of a workspace: {}", chain(&error));
                let notice =
                    format!("files that arrived in the workspace may be missing here: {}", chain(&error));
                self.durable.notices.push(notice);
            }
        }
        let ready = self.durable.refreshing.take().unwrap_or(0).min(self.durable.held.len());
        let ready: Vec<Held> = self.durable.held.drain(..ready).collect();
        for held in ready {
            self.release(held);
        }
        if !self.durable.held.is_empty() {
            self.refresh();
        }
    }

    fn release(&mut self, held: Held) {
        match held {
            Held::Call(call, work) => {
                if let Some(record) = self.records.get(&call) {
                    for notice in self.durable.notices.drain(..) {
                        record.notice(notice);
                    }
                }
                self.events.push_back(Event::Submit { call, work });
            }
            Held::File(order) => self.order_file(*order),
            Held::Files(job) => self.run_file_job(job),
        }
    }

    /// The session ends: nobody is held any more. Says whether anybody was.
    pub(super) fn release_all(&mut self) -> bool {
        self.durable.refreshing = None;
        let held = std::mem::take(&mut self.durable.held);
        let any = !held.is_empty();
        for held in held {
            self.release(held);
        }
        any
    }

    /// Takes a call back that is held. It never was anybody else's business.
    pub(super) fn take_back(&mut self, call: CallId) {
        let place = |held: &Held| matches!(held, Held::Call(each, _) if *each == call);
        let Some(place) = self.durable.held.iter().position(place) else { return };
        self.durable.held.remove(place);
        if let Some(ready) = &mut self.durable.refreshing {
            *ready -= usize::from(place < *ready);
        }
        if let Some(record) = self.records.get_mut(&call) {
            let stop = Some(StopReason::Client);
            record.ending = Some(Ending { how: How::NeverRan, stop, killed: false });
        }
        self.finish(call);
    }

    /// Saves files beside everything else that goes on.
    pub(super) fn push(&mut self, order: PushOrder) {
        let Some(copy) = self.durable.copy.clone().filter(|_| !self.destroying) else { return };
        let in_use = self.durable.in_use.clone();
        let PushOrder { paths, answer } = order;
        self.last_use = tokio::time::Instant::now();
        // No job: the end of the session waits for it for as long as it takes.
        tokio::spawn(async move {
            let _in_use = in_use.read_owned().await;
            let inside =
                paths.iter().map(|path| path.strip_prefix(policy::WORKSPACE).unwrap_or(path).to_owned());
            let inside: Vec<PathBuf> = inside.collect();
            let saved = if inside.is_empty() { copy.save().await } else { copy.push(&inside).await };
            let _ = answer.send(saved.map_err(Error::Save));
        });
    }

    /// What ends the session's files: when nobody uses them any more, and nothing in the cell can change them, what
    /// changed is saved.
    pub(super) fn take_workspace(&mut self) -> Option<Keeping> {
        let copy = self.durable.copy.take()?;
        Some(Keeping { copy, in_use: self.durable.in_use.clone() })
    }
}

/// A workspace whose session ends.
pub(super) struct Keeping {
    copy: Arc<WorkingCopy>,
    in_use: Arc<RwLock<()>>,
}

impl Keeping {
    /// Saves what changed. Nothing may run in the cell any more.
    pub(super) async fn save(self) -> workspace::Result<Saved> {
        let _alone = self.in_use.write_owned().await;
        self.copy.save().await
    }
}

fn arrived_and_kept(path: &workspace::WorkspacePath) -> String {
    let (namespace, name) = path.as_str().split_once('/').unwrap_or(("", path.as_str()));
    let place = if namespace.is_empty() { "the workspace".to_owned() } else { format!("{namespace}/") };
    format!("`{name}` arrived in {place}; the one here was changed by this session and stays")
}

/// An error with all that it says of its reasons.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
