//! What a session's task is told: by handles, and by the jobs that it began.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use cell::Cell;
use environment::Runtime;
use protocol::{CallId, KernelId};

use super::files::FileOrder;
use super::life::Fate;
use super::record::Submission;
use crate::late::Listener;
use crate::output::Spooled;
use crate::push::PushOrder;

/// Something to be done with a session's cell, on a thread that may block.
pub(crate) type FileJob = Box<dyn FnOnce(&Cell) + Send>;

/// What a session's task is told.
pub(crate) enum Message {
    Submit(Box<Submission>),
    Interrupt(CallId),
    Files(FileJob),
    File(Box<FileOrder>),
    /// A file was written or removed for somebody.
    Wrote,
    Push(Box<PushOrder>),
    /// Somebody waits for what comes between calls.
    Late(Listener),
    End,
}

/// What a job on another thread came to.
pub(super) enum Job {
    Opened(std::result::Result<(Box<Cell>, UnixStream), cell::Error>),
    Connected(Option<UnixStream>),
    Forked {
        kernel: KernelId,
        fault: Option<String>,
    },
    /// The program of this kernel is in the page cache.
    AtHand {
        kernel: KernelId,
        runtime: Runtime,
    },
    /// What ended a call's drain.
    Drained {
        call: CallId,
        spooled: Option<Spooled>,
        measured: Option<(u64, Duration)>,
    },
    Measured(u64, Duration),
    /// What has arrived in the workspace is here.
    Refreshed(::workspace::Result<::workspace::Brought>),
    Other,
    Destroyed(Option<Fate>),
}
