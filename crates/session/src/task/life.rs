//! The life of a session's cell, from its making until nothing of it is left.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;

use cell::{Cell, CellRequest};
use tokio::time::Instant;

use super::Task;
use super::message::Job;
use crate::clock::Alarm;
use crate::ended::Watched;
use crate::error::Error;
use crate::machine::Event;

/// Whether a session lives.
#[derive(Debug, Clone)]
pub(crate) enum Life {
    Lives,
    Ended(Option<Fate>),
}

/// What went wrong at the end of a session.
#[derive(Debug, Clone)]
pub(crate) enum Fate {
    /// Something of the cell is left.
    Destroy(Arc<cell::Error>),
    /// Files could not be saved, and why; where they were put aside.
    Unsaved(Arc<str>, Option<PathBuf>),
}

impl Fate {
    pub(crate) fn error(&self) -> Error {
        match self.clone() {
            Fate::Destroy(error) => Error::Destroy(error),
            Fate::Unsaved(why, aside) => Error::Unsaved { aside, why: why.to_string() },
        }
    }
}

impl Task {
    pub(super) fn open(&mut self) {
        let engine = self.engine.clone();
        let request = CellRequest {
            session: self.session,
            limits: self.options.limits,
            network: self.options.network.clone(),
            mount: self.options.mount.clone(),
            linger_ms: u64::try_from(self.options.linger.as_millis()).unwrap_or(u64::MAX),
        };
        let whose = self.whose();
        self.jobs.spawn_blocking(move || {
            Job::Opened(engine.node.create(&request).and_then(|cell| {
                let stream = cell.connect()?;
                if let Some(whose) = &whose {
                    cell.keep(whose)?;
                }
                Ok((Box::new(cell), stream))
            }))
        });
        let now = Instant::now();
        if let Some(ttl) = self.options.ttl {
            self.clock.arm(now + ttl, Alarm::Life);
        }
        if let Some(idle) = self.options.idle {
            self.clock.arm(now + idle, Alarm::Idle);
        }
    }

    /// Init did not answer a new connection.
    pub(super) fn on_silence(&mut self) {
        self.stillborn(Error::Silent("its init does not answer"));
    }

    /// The cell was made, and cannot be used.
    pub(super) fn stillborn(&mut self, error: Error) {
        self.link = None;
        if let Some(opened) = self.opened.take() {
            let _ = opened.send(Err(error));
        }
        self.events.push_back(Event::Opened);
        self.events.push_back(Event::CellGone);
    }

    pub(super) fn on_cell(&mut self, mut cell: Box<Cell>, stream: UnixStream) {
        match Watched::new(cell.init()) {
            Ok(end) => self.cell_end = Some(end),
            // The connection's end tells the same, only later.
            Err(error) => tracing::warn!(session = %self.session, "watch a cell: {error}"),
        }
        let opened = self.open_way_out(&mut cell);
        self.open_workspace(&cell);
        self.cell = Some(Arc::new(*cell));
        match opened {
            Ok(()) => self.greet(stream),
            Err(error) => self.stillborn(error),
        }
    }

    pub(super) fn on_cell_end(&mut self) {
        self.cell_end = None;
        // Its last words are still in the connection.
        while let Some(link) = &mut self.link
            && matches!(link.try_fill(), Ok(true))
        {
            self.take_frames();
        }
        self.link = None;
        self.events.push_back(Event::CellGone);
    }

    pub(super) fn destroy_when_free(&mut self) {
        // Jobs look at the cell's files and cgroups, and end soon.
        if self.destroying && self.cell.is_some() && self.jobs.is_empty() {
            self.destroy();
        }
    }

    pub(super) fn destroy(&mut self) {
        let Some(cell) = self.cell.take() else { return };
        let Some(keeping) = self.take_workspace() else {
            // Whoever still holds it destroys it by letting go.
            let destroy = || Arc::into_inner(cell).and_then(|cell| cell.destroy().err());
            self.jobs.spawn_blocking(move || {
                Job::Destroyed(destroy().map(|error| Fate::Destroy(Arc::new(error))))
            });
            return;
        };
        self.jobs.spawn(async move { Job::Destroyed(keeping.end(cell).await) });
    }
}
