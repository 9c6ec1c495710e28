//! One session's task: carries out what its [`Machine`] decides.
//!
//! The task alone holds the session's cell and its connection; everybody else sends it messages. It waits for the
//! first of: a message, an alarm, the end of a job on another thread, the end of the cell, input from init. Each
//! becomes an event for the machine, each answer of the machine a frame, a job or an alarm.
//!
//! **Invariants.** Nothing here blocks: what may (making a cell, forking, disks) is a job. Messages and alarms come
//! before input, so that a flood of output cannot keep a call from being stopped. The task ends only when the cell is
//! gone, and whoever waits for that is told by its end, whatever the reason for it.

mod act;
mod end;
mod files;
mod frames;
mod keep;
mod life;
mod message;
mod options;
mod pasts;
mod record;
mod way_out;
mod workspace;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cell::Cell;
use egress::Egress;
use protocol::{CallId, SessionId};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::clock::{Alarm, Clock};
use crate::disk::Disk;
use crate::ended::Watched;
use crate::engine::Shared;
use crate::error::{Error, Result};
use crate::late::{Late, Listener};
use crate::link::Link;
use crate::machine::{Event, Machine, StopReason};
use crate::principal::Principal;
use crate::question::Answer;
use crate::queue::Stream;

use files::Orders;
pub(crate) use files::{FileOrder, Granted};
use keep::Keeper;
use life::Fate;
pub(crate) use life::Life;
use message::Job;
pub(crate) use message::{FileJob, Message};
pub use options::SessionOptions;
use pasts::Pasts;
use record::Record;
pub(crate) use record::{Content, Submission, Time};
pub use workspace::WorkspaceOptions;
use workspace::{Durable, Held};

/// How long init may take to answer a new connection.
const HELLO: Duration = Duration::from_secs(10);

/// The limit of a call that has none: a century, which clocks can still count.
const UNLIMITED: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// The task.
pub(crate) struct Task {
    engine: Arc<Shared>,
    principal: Principal,
    session: SessionId,
    options: SessionOptions,
    machine: Machine,
    events: VecDeque<Event>,
    inbox: mpsc::UnboundedReceiver<Message>,
    /// Whether anybody can still send a message.
    wanted: bool,
    opened: Option<oneshot::Sender<Result<()>>>,
    life: watch::Sender<Life>,

    cell: Option<Arc<Cell>>,
    way_out: Option<Egress>,
    cell_end: Option<Watched>,
    link: Option<Link>,
    jobs: JoinSet<Job>,
    clock: Clock,
    destroying: bool,

    records: HashMap<CallId, Record>,
    /// Output that was read and not yet passed on; pieces that follow each other become one.
    pending: Option<(CallId, Stream, Vec<u8>)>,
    late: Late,
    listener: Option<Listener>,
    kernels: Pasts,
    oom_seen: u64,
    disk: Disk,
    measuring: bool,
    orders: Orders,
    durable: Durable,
    keeper: Keeper,
    last_use: Instant,
}

impl Task {
    /// A session that is about to be opened.
    pub(crate) fn new(
        engine: Arc<Shared>,
        (principal, session): (Principal, SessionId),
        options: SessionOptions,
        inbox: mpsc::UnboundedReceiver<Message>,
        opened: oneshot::Sender<Result<()>>,
        life: watch::Sender<Life>,
    ) -> Task {
        let orders = Orders::new(options.limits.disk);
        Task {
            engine,
            principal,
            session,
            options,
            machine: Machine::new(),
            events: VecDeque::new(),
            inbox,
            wanted: true,
            opened: Some(opened),
            life,
            cell: None,
            way_out: None,
            cell_end: None,
            link: None,
            jobs: JoinSet::new(),
            clock: Clock::new(),
            destroying: false,
            records: HashMap::new(),
            pending: None,
            late: Late::default(),
            listener: None,
            kernels: Pasts::new(),
            oom_seen: 0,
            disk: Disk::default(),
            measuring: false,
            orders,
            durable: Durable::default(),
            keeper: Keeper::default(),
            last_use: Instant::now(),
        }
    }

    /// Opens the session, serves it, and ends it.
    ///
    /// Gives the sender whose end tells everybody that nothing is left of the session.
    pub(crate) async fn run(mut self) -> watch::Sender<Life> {
        self.open();
        loop {
            self.settle();
            if self.machine.ended() {
                break;
            }
            self.tell_late();
            tokio::select! {
                biased;
                message = self.inbox.recv(), if self.wanted => self.on_message(message),
                alarm = self.clock.next() => self.on_alarm(alarm),
                Some(job) = self.jobs.join_next() => self.on_job(job.unwrap_or(Job::Other)),
                kept = self.keeper.done() => self.on_kept(kept),
                () = ended(self.cell_end.as_ref()) => self.on_cell_end(),
                filled = fill(self.link.as_mut()) => self.on_input(filled),
            }
        }
        self.life
    }

    /// Lets the machine take every event there is, and does what it wants.
    fn settle(&mut self) {
        loop {
            while let Some(event) = self.events.pop_front() {
                for action in self.machine.step(event) {
                    self.act(action);
                }
            }
            if !self.machine.ends() || !self.release_all() {
                break;
            }
        }
        self.destroy_when_free();
    }

    /// Gives what came late to whoever waits for it, unless there is code, which is told of it.
    fn tell_late(&mut self) {
        if self.records.values().all(|record| record.command || record.is_question()) {
            self.listener = self.listener.take().and_then(|listener| self.late.give(listener));
        }
    }

    fn on_message(&mut self, message: Option<Message>) {
        match message {
            Some(Message::Submit(submission)) => self.submit(*submission),
            Some(Message::Interrupt(call)) if self.durable.holds(call) => self.take_back(call),
            Some(Message::Interrupt(call)) => self.events.push_back(Event::Stop(call, StopReason::Client)),
            Some(Message::Files(job)) => self.hold(Held::Files(job)),
            Some(Message::File(order)) if order.begun.is_none() => self.order_file(*order),
            Some(Message::File(order)) => self.hold(Held::File(order)),
            Some(Message::Wrote) => self.on_wrote(),
            Some(Message::Push(order)) => self.push(*order),
            Some(Message::Late(listener)) => self.listener = Some(listener),
            Some(Message::End) => self.events.push_back(Event::End),
            None => {
                self.wanted = false;
                self.events.push_back(Event::End);
            }
        }
    }

    fn submit(&mut self, mut submission: Submission) {
        let call = submission.call;
        // The ids that a handle remembers are bounded: one that comes again after thousands of others may still run.
        if self.records.contains_key(&call) {
            return;
        }
        let runs = |record: &Record| matches!(record.content, Content::Code(_));
        if let Some(answer) = submission.answer.take_if(|_| self.records.values().any(runs)) {
            let _ = answer.send(Answer::Busy);
            return;
        }
        let most = Duration::from_millis(self.options.limits.call_ms);
        let limit = match submission.time {
            Time::Limited(timeout) => timeout.map_or(most, |timeout| timeout.min(most)),
            Time::Sessions => self.options.ttl.unwrap_or(UNLIMITED),
        };
        let work = submission.work;
        let output = self.options.limits.output;
        self.records.insert(call, Record::new(submission, limit, output));
        self.last_use = Instant::now();
        self.hold(Held::Call(call, work));
    }

    fn on_alarm(&mut self, alarm: Alarm) {
        match alarm {
            Alarm::Call(call, timer) => self.events.push_back(Event::Timer(call, timer)),
            Alarm::Kernel(kernel) => self.kernel_overdue(kernel),
            Alarm::Hello => self.on_silence(),
            Alarm::Disk => self.measure(),
            Alarm::Keep => self.keep(),
            Alarm::Life => self.events.push_back(Event::End),
            Alarm::Idle => self.on_idle(),
            Alarm::Destroy => self.destroy(),
        }
    }

    fn on_idle(&mut self) {
        let Some(idle) = self.options.idle else { return };
        let now = Instant::now();
        let end = self.last_use + idle;
        let busy = self.machine.calls() > 0 || self.orders.is_writing() || self.durable.is_busy();
        if !busy && end <= now {
            self.events.push_back(Event::End);
        } else {
            self.clock.arm(end.max(now + Duration::from_secs(1)), Alarm::Idle);
        }
    }

    fn on_job(&mut self, job: Job) {
        match job {
            Job::Opened(Ok((cell, stream))) => self.on_cell(cell, stream),
            Job::Opened(Err(error)) => {
                if let Some(opened) = self.opened.take() {
                    let _ = opened.send(Err(Error::Open(error)));
                }
                self.events.push_back(Event::OpenFailed);
            }
            Job::Connected(Some(stream)) => self.greet(stream),
            Job::Connected(None) => self.events.push_back(Event::CellGone),
            Job::Forked { kernel, fault: Some(fault) } => self.kernel_failed(kernel, fault),
            Job::AtHand { kernel, runtime } => self.start_cold(kernel, runtime),
            // The kernel itself says when it is ready.
            Job::Forked { fault: None, .. } | Job::Other => {}
            Job::Drained { call, spooled, measured } => {
                if let Some((used, took)) = measured {
                    self.disk.measured(used, took, std::time::Instant::now());
                }
                if let Some(record) = self.records.get_mut(&call) {
                    record.spooled = spooled;
                }
                self.events.push_back(Event::Drained(call));
            }
            Job::Measured(used, took) => self.on_measured(used, took),
            Job::Refreshed(refreshed) => self.on_refreshed(refreshed),
            Job::Destroyed(fate) => {
                if let Some(fate) = &fate {
                    tracing::error!(session = %self.session, "failed to {}", fate.error().told());
                }
                self.life.send_replace(Life::Ended(fate));
                self.events.push_back(Event::Destroyed);
            }
        }
    }

    fn run_file_job(&mut self, job: FileJob) {
        if let Some(cell) = self.cell.clone().filter(|_| !self.destroying) {
            self.jobs.spawn_blocking(move || {
                job(&cell);
                Job::Other
            });
        }
    }

    /// Passes output on that was held back to be joined with what follows.
    fn flush_output(&mut self) {
        let Some((call, stream, bytes)) = self.pending.take() else { return };
        self.output(call, stream, Bytes::from(bytes));
    }
}

/// When the cell has ended.
async fn ended(cell_end: Option<&Watched>) {
    match cell_end {
        Some(process) => process.ended().await,
        None => std::future::pending().await,
    }
}

/// When something was read from init.
async fn fill(link: Option<&mut Link>) -> std::result::Result<(), crate::link::LinkError> {
    match link {
        Some(link) => link.fill().await,
        None => std::future::pending().await,
    }
}
