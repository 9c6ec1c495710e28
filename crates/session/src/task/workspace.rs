//! The session's workspace: what arrives in it is brought before calls, and what changed is saved at the end.
//!
//! Calls and file operations that come in are held here until a look at the store that began after they came has ended;
//! they leave in the order in which they came. The machine knows nothing of them until then. When the session ends they
//! go to it at once, which tells them so.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use cell::Cell;
use protocol::{CallId, SessionId};
use tokio::sync::{OwnedRwLockReadGuard, RwLock};
use tokio::time::Instant;
use workspace::{Brought, LeftOut, Saved, View, WorkingCopy, Workspace, points};

use super::keep::PATIENCE;
use super::{Fate, FileJob, FileOrder, Job, Task};
use crate::error::{Error, chain};
use crate::machine::{Ending, Event, How, StopReason, Work};
use crate::push::{Outside, PushOrder};
use crate::unsaved;

/// The workspace of a session.
#[derive(Debug, Clone)]
pub struct WorkspaceOptions {
    /// Whose files they are.
    pub workspace: Workspace,
    /// How the cell sees them. What changes in one that is seen whole is saved soon after, without anybody asking.
    pub view: View,
}

/// How many sentences about files a call is told.
const TOLD: usize = 10;

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
    /// How many more there would be.
    untold: usize,
    /// Held shared by whoever reads or writes the working copy, and alone by what ends it.
    in_use: Arc<RwLock<()>>,
}

impl Durable {
    /// Whether somebody waits for it, or works with it.
    pub(super) fn is_busy(&self) -> bool {
        !self.held.is_empty() || self.in_use.try_write().is_err()
    }

    /// The working copy, for whoever measures it.
    pub(super) fn copy(&self) -> Option<Arc<WorkingCopy>> {
        self.copy.clone()
    }

    /// The working copy with a part in its use, which its end waits for; none, while what arrived is being brought.
    pub(super) fn idle_copy(&self) -> Option<(Arc<WorkingCopy>, OwnedRwLockReadGuard<()>)> {
        let copy = self.copy.clone().filter(|_| self.refreshing.is_none())?;
        Some((copy, self.in_use.clone().try_read_owned().ok()?))
    }

    /// Sentences for the next call.
    pub(super) fn tell(&mut self, notices: impl IntoIterator<Item = String>) {
        self.notices.extend(notices);
        self.untold += self.notices.len().saturating_sub(TOLD);
        self.notices.truncate(TOLD);
    }

    fn take_notices(&mut self) -> Vec<String> {
        let mut notices = std::mem::take(&mut self.notices);
        let untold = std::mem::take(&mut self.untold);
        if untold > 0 {
            notices.push(format!("{untold} more files of the workspace are not here as they arrived"));
        }
        notices
    }

    /// Whether a call is held.
    pub(super) fn holds(&self, call: CallId) -> bool {
        self.held.iter().any(|held| matches!(held, Held::Call(each, _) if *each == call))
    }
}

impl Task {
    /// What is written beside the files of a cell that has a workspace.
    pub(super) fn whose(&self) -> Option<String> {
        let WorkspaceOptions { workspace, view, .. } = self.options.workspace.as_ref()?;
        let whose = serde_json::json!({
            "session": self.session.to_string(),
            "principal": self.principal.as_str(),
            "workspace": workspace.name().as_str(),
            "view": match view {
                View::Flat => "flat",
                View::Whole => "whole",
            },
        });
        Some(whose.to_string())
    }

    /// The cell is there, and so is the directory that files are brought into. Nobody waits for the first ones but those
    /// who need them.
    pub(super) fn open_workspace(&mut self, cell: &Cell) {
        let Some(options) = &self.options.workspace else { return };
        let directory = cell.workspace().to_owned();
        let copy = WorkingCopy::new(options.workspace.clone(), options.view, directory, cell.owner());
        copy.allow_holes(cell.limits().disk);
        if let Err(error) = copy.resume(&cell.brought()) {
            tracing::warn!(session = %self.session, "remember what a workspace brought: {}", chain(&error));
        }
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
        let Ok(in_use) = self.durable.in_use.clone().try_read_owned() else { return };
        self.durable.refreshing = Some(self.durable.held.len());
        let turn = self.keeper.turn.clone();
        self.jobs.spawn(async move {
            // What is being saved may be large: then what has arrived meanwhile comes before the next call.
            let refreshed = match tokio::time::timeout(PATIENCE, turn.lock_owned()).await {
                Ok(_turn) => copy.refresh().await,
                Err(_) => Ok(Brought::default()),
            };
            drop(in_use);
            Job::Refreshed(refreshed)
        });
    }

    pub(super) fn on_refreshed(&mut self, refreshed: workspace::Result<Brought>) {
        match refreshed {
            Ok(brought) => {
                self.durable.tell(brought.kept.iter().map(arrived_and_kept));
                let faults = self.durable.copy.as_ref().map(|copy| copy.faults()).unwrap_or_default();
                self.durable.tell(faults.iter().map(not_brought));
            }
            Err(error) => {
                tracing::error!(session = %self.session, "bring files of a workspace: {}", chain(&error));
                let notice =
                    format!("files that arrived in the workspace may be missing here: {}", chain(&error));
                self.durable.tell([notice]);
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
                    for notice in self.durable.take_notices() {
                        record.notice(notice);
                    }
                }
                self.changes();
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
        let Ok(in_use) = self.durable.in_use.clone().try_read_owned() else { return };
        self.last_use = Instant::now();
        // No job: the end of the session waits for it for as long as it takes.
        tokio::spawn(async move {
            let PushOrder { all, inside, outside, answer } = order;
            let saved = push(&copy, all, &inside, outside).await;
            points::reached("push: before the answer");
            drop(in_use);
            let _ = answer.send(saved.map_err(Error::Save));
        });
    }

    /// What ends the session's files: when nobody uses them any more, and nothing in the cell can change them, what
    /// changed is saved.
    pub(super) fn take_workspace(&mut self) -> Option<Keeping> {
        let copy = self.durable.copy.take()?;
        Some(Keeping { session: self.session, copy, in_use: self.durable.in_use.clone() })
    }
}

/// A workspace whose session ends.
pub(super) struct Keeping {
    session: SessionId,
    copy: Arc<WorkingCopy>,
    in_use: Arc<RwLock<()>>,
}

impl Keeping {
    /// Ends everything in the cell, saves what changed, and removes the cell; what could not be saved is put aside.
    pub(super) async fn end(self, cell: Arc<Cell>) -> Option<Fate> {
        points::reached("stop: before the cell's processes are ended");
        let ended = on_thread(cell.clone(), Cell::end).await;
        points::reached("stop: the cell's processes have ended");
        let saved = self.save().await;
        let settle = if saved.is_ok() {
            Cell::settle
        } else {
            // What is put aside is what the session has and nobody else.
            |cell: &Cell| {
                unsaved::strip(cell.workspace(), &cell.brought());
                Ok(())
            }
        };
        let settled = on_thread(cell.clone(), settle).await;
        points::reached("stop: everything was saved");
        // Whoever still holds it destroys it by letting go.
        let destroy = || Arc::into_inner(cell).map(Cell::destroy).transpose();
        let destroyed = tokio::task::spawn_blocking(destroy).await.unwrap_or(Ok(None));
        points::reached("stop: before the answer");
        let failed = |error| Some(Fate::Destroy(Arc::new(error)));
        match (saved, ended.and(settled), destroyed) {
            (Err(why), _, destroyed) => Some(Fate::Unsaved(why.into(), destroyed.ok().flatten().flatten())),
            (Ok(()), Err(error), _) | (Ok(()), Ok(()), Err(error)) => failed(error),
            (Ok(()), Ok(()), Ok(_)) => None,
        }
    }

    /// Saves what changed; else, why not all of it.
    async fn save(self) -> std::result::Result<(), String> {
        let _alone = self.in_use.write_owned().await;
        let saved = self.copy.save().await;
        // What is not here yet is in the store, and nobody shall take it for empty.
        self.copy.close().await;
        let saved = saved.map_err(|error| chain(&error))?;
        tracing::debug!(session = %self.session, files = saved.files.len(), "the files of a session were saved");
        for left in &saved.left_out {
            tracing::warn!(session = %self.session, "{:?} was not saved: {}", left.local, left.why);
        }
        let mut failed = saved.left_out.into_iter().filter(|left| left.failed);
        let Some(first) = failed.next() else { return Ok(()) };
        let first = not_saved(&first);
        Err(match failed.count() {
            0 => first,
            more => format!("{first} (and {more} more)"),
        })
    }
}

async fn on_thread(
    cell: Arc<Cell>,
    work: impl FnOnce(&Cell) -> cell::Result<()> + Send + 'static,
) -> cell::Result<()> {
    let done = tokio::task::spawn_blocking(move || work(&cell)).await;
    done.unwrap_or(Ok(()))
}

async fn push(
    copy: &WorkingCopy,
    all: bool,
    inside: &[PathBuf],
    outside: Vec<Outside>,
) -> workspace::Result<Saved> {
    points::reached("push: before anything is saved");
    let mut saved = match (all, inside) {
        (true, _) => copy.save().await?,
        (false, []) => Saved::default(),
        (false, inside) => copy.push(inside).await?,
    };
    for file in outside {
        file.save(copy.workspace(), &mut saved).await?;
        points::reached("push: a file from elsewhere was saved");
    }
    Ok(saved)
}

fn arrived_and_kept(path: &workspace::WorkspacePath) -> String {
    let (namespace, name) = path.as_str().split_once('/').unwrap_or(("", path.as_str()));
    let place = if namespace.is_empty() { "the workspace".to_owned() } else { format!("{namespace}/") };
    format!("`{name}` arrived in {place}; the one here was changed by this session and stays")
}

fn not_brought(left: &LeftOut) -> String {
    format!("`{}` of the workspace is not here: {}", left.local.display(), left.why)
}

fn not_saved(left: &LeftOut) -> String {
    format!("`{}` was not: {}", left.local.display(), left.why)
}
