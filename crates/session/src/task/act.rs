//! What the machine wants done.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use cell::Cell;
use environment::Runtime;
use protocol::{CallId, Frame, KernelId, Kind, Spawn};
use tokio::time::Instant;

use super::{Content, HELLO, Job, Task};
use crate::at_hand;
use crate::clock::Alarm;
use crate::disk;
use crate::forks::Way;
use crate::link::Link;
use crate::machine::{Action, Event, StopReason, Timer};

/// How long a kernel may take until it is ready: a cold start on a busy machine, with room.
const KERNEL: Duration = Duration::from_secs(60);
/// How long an interrupted call is left to itself before it is interrupted again, at most.
const NUDGE: Duration = Duration::from_secs(2);
/// How long after its death was ordered a process may be there.
const OVERDUE: Duration = Duration::from_secs(15);
/// How long jobs may look at a cell that is to be destroyed.
const DESTROY: Duration = Duration::from_secs(15);
/// How far apart a lost connection is tried again, and how often.
const RECONNECT: (Duration, u32) = (Duration::from_millis(50), 100);

impl Task {
    pub(super) fn act(&mut self, action: Action) {
        match action {
            Action::StartKernel { kernel, runtime, attempt } => self.start_kernel(kernel, runtime, attempt),
            Action::Execute { kernel, call } => self.execute(kernel, call),
            Action::StartCommand(call) => self.start_command(call),
            Action::Interrupt(call) => {
                let kernel = self.machine.kernels().of(call);
                self.send(&Frame::new(Kind::Interrupt, []).kernel(kernel).call(call));
            }
            Action::KillKernel(kernel) => self.kill_kernel(kernel),
            Action::KillCommand(call) => self.send(&Frame::new(Kind::KillCommand, []).call(call)),
            Action::Arm(call, timer) => self.arm(call, timer),
            Action::Drain(call, ending) => self.drain(call, ending),
            Action::Finish(call) => self.finish(call),
            Action::Reconnect => self.reconnect(),
            Action::Destroy => {
                self.link = None;
                self.destroying = true;
                self.orders.clear();
                self.close_way_out();
                self.clock.arm(Instant::now() + DESTROY, Alarm::Destroy);
            }
        }
    }

    /// Sends a frame; without a connection it is not sent, and the machine asks again when there is one.
    fn send(&mut self, frame: &Frame) {
        if let Some(link) = &mut self.link {
            link.send(frame);
        }
    }

    pub(super) fn kill_kernel(&mut self, kernel: KernelId) {
        self.send(&Frame::new(Kind::KillKernel, []).kernel(kernel));
    }

    fn start_kernel(&mut self, kernel: KernelId, runtime: Runtime, attempt: u8) {
        self.clock.arm(Instant::now() + KERNEL, Alarm::Kernel(kernel));
        let first = self.machine.first().and_then(|call| self.records.get(&call));
        let way = match runtime {
            Runtime::Python => self.engine.forks.way(attempt, first.is_some_and(super::Record::is_heavy)),
            Runtime::Node | Runtime::Deno => Way::Cold,
        };
        match way {
            Way::Fork => self.send(&Frame::new(Kind::PrepareKernel, []).kernel(kernel)),
            Way::Cold => match self.engine.at_hand.wanted(runtime, std::time::Instant::now()) {
                None => self.start_cold(kernel, runtime),
                Some(program) => {
                    self.jobs.spawn(async move {
                        let _ = tokio::task::spawn_blocking(move || at_hand::read(&program)).await;
                        Job::AtHand { kernel, runtime }
                    });
                }
            },
        }
    }

    /// Has init start a kernel from nothing, if it is still wanted.
    pub(super) fn start_cold(&mut self, kernel: KernelId, runtime: Runtime) {
        let Some(cell) = self.cell.as_ref().filter(|_| self.machine.kernels().is_starting(kernel)) else {
            return;
        };
        let payload = in_cell(cell, runtime.kernel(self.options.limits.memory));
        self.send(&Frame::new(Kind::StartKernel, payload).kernel(kernel));
    }

    /// A kernel could not be started, for this reason.
    pub(super) fn kernel_failed(&mut self, kernel: KernelId, fault: String) {
        if self.machine.kernels().is_starting(kernel) {
            tracing::warn!(session = %self.session, %kernel, "a kernel could not be started: {fault}");
            self.start_fault(&fault);
            self.kill_kernel(kernel);
            self.clock.disarm(|alarm| alarm == Alarm::Kernel(kernel));
        }
        self.events.push_back(Event::KernelFailed(kernel));
    }

    /// Keeps, for the call that waits, why its kernel could not be started.
    pub(super) fn start_fault(&mut self, fault: &str) {
        if let Some(record) = self.machine.first().and_then(|call| self.records.get_mut(&call)) {
            record.fault = Some(fault.to_owned());
        }
    }

    pub(super) fn kernel_overdue(&mut self, kernel: KernelId) {
        if self.machine.kernels().is_starting(kernel) {
            self.kernel_failed(kernel, format!("it was not ready after {} s", KERNEL.as_secs()));
        }
    }

    fn execute(&mut self, kernel: KernelId, call: CallId) {
        let (now, mark) = (Instant::now(), self.network_mark());
        let Some(record) = self.records.get_mut(&call) else { return };
        if record.started.is_none() {
            record.started = Some(now);
            record.network.mark = mark;
            record.oom_before = self.oom_seen;
            record.disk_before = self.disk.used();
            // What an earlier attempt to start a kernel came to is no fault of this one.
            record.fault = None;
            self.tell_of_kernel(kernel, call);
        } else {
            record.replay.restart();
        }
        let Some(record) = self.records.get_mut(&call) else { return };
        let payload = match &mut record.content {
            Content::Code(call) => {
                if let Some(runtime) = record.runtime {
                    self.kernels.send_there(runtime, call);
                }
                call.to_string().into_bytes()
            }
            Content::Question(question) => question.to_string().into_bytes(),
            Content::Command(_) => return,
        };
        self.send(&Frame::new(Kind::Execute, payload).kernel(kernel).call(call));
        self.watch_disk();
    }

    /// Tells code what has happened to its kernel since the last code ran. Questions are told nothing.
    fn tell_of_kernel(&mut self, kernel: KernelId, call: CallId) {
        let Some(record) = self.records.get_mut(&call).filter(|record| !record.is_question()) else { return };
        let Some(runtime) = record.runtime else { return };
        let (fresh, lost) = self.kernels.enter(runtime, kernel);
        record.fresh = fresh;
        if let Some(reason) = lost
            && !record.clears
        {
            record.notice(format!(
                "the interpreter is a new one ({reason}): variables of earlier calls are gone, files are kept"
            ));
        }
        for event in self.late.take() {
            record.tell(event);
        }
    }

    fn start_command(&mut self, call: CallId) {
        let (now, mark) = (Instant::now(), self.network_mark());
        let Some(record) = self.records.get_mut(&call) else { return };
        if record.started.is_none() {
            record.started = Some(now);
            record.network.mark = mark;
            record.oom_before = self.oom_seen;
            record.disk_before = self.disk.used();
        } else {
            record.replay.restart();
        }
        let (Content::Command(argv), Some(cell)) = (&record.content, &self.cell) else { return };
        let payload = in_cell(cell, argv.clone());
        // Where the code has gone with `os.chdir`, a command starts too.
        let kernel = self.working_kernel();
        self.send(&Frame::new(Kind::StartCommand, payload).call(call).kernel(kernel));
        self.watch_disk();
    }

    fn arm(&mut self, call: CallId, timer: Timer) {
        let Some(record) = self.records.get(&call) else { return };
        let grace = Duration::from_millis(self.options.limits.grace_ms);
        let after = match timer {
            Timer::Limit => record.limit,
            Timer::Nudge => (grace / 2).min(NUDGE),
            Timer::Grace => grace,
            Timer::Overdue => OVERDUE,
        };
        self.clock.arm(Instant::now() + after, Alarm::Call(call, timer));
    }

    pub(super) fn watch_disk(&mut self) {
        if !self.clock.is_armed(Alarm::Disk) && !self.measuring {
            self.clock.arm(self.disk.next(std::time::Instant::now()).into(), Alarm::Disk);
        }
    }

    /// Measures the disk, if somebody could be filling it.
    pub(super) fn measure(&mut self) {
        if self.measuring || self.machine.calls() == 0 && !self.orders.unmeasured {
            return;
        }
        self.measure_now();
    }

    /// Measures the disk.
    pub(super) fn measure_now(&mut self) {
        let Some(cell) = &self.cell else { return };
        let directories = [cell.workspace().to_owned(), cell.home()];
        self.measuring = true;
        self.orders.unmeasured = false;
        let (room, copy) = (self.orders.room.clone(), self.durable.copy());
        self.jobs.spawn(async move {
            match disk::measure_own(directories, room, copy).await {
                Some((used, took)) => Job::Measured(used, took),
                None => Job::Other,
            }
        });
    }

    pub(super) fn on_measured(&mut self, used: u64, took: Duration) {
        self.measuring = false;
        self.disk.measured(used, took, std::time::Instant::now());
        let limit = self.options.limits.disk;
        for (call, record) in &self.records {
            if record.started.is_some() && disk::over(used, record.disk_before, limit) {
                self.events.push_back(Event::Stop(*call, StopReason::Disk));
            }
        }
        if self.machine.calls() > 0 || self.orders.unmeasured {
            self.watch_disk();
        }
    }

    fn reconnect(&mut self) {
        let Some(cell) = self.cell.clone() else { return };
        // The last one was not answered either. How long that may go on is what the alarm is for.
        let again = self.clock.is_armed(Alarm::Hello);
        self.jobs.spawn(async move {
            let (pause, tries) = RECONNECT;
            if again {
                tokio::time::sleep(pause).await;
            }
            for _ in 0..tries {
                let cell = cell.clone();
                let connected = tokio::task::spawn_blocking(move || {
                    // Whether it still lives is asked first: a dead cell's socket says nothing but that it is closed.
                    (!sys::namespace::has_ended(cell.init())).then(|| cell.connect())
                });
                match connected.await {
                    Ok(Some(Ok(stream))) => return Job::Connected(Some(stream)),
                    Ok(Some(Err(error))) => tracing::debug!("connect to a cell again: {error}"),
                    Ok(None) | Err(_) => break,
                }
                tokio::time::sleep(pause).await;
            }
            Job::Connected(None)
        });
    }

    /// Begins a new connection.
    pub(super) fn greet(&mut self, stream: UnixStream) {
        match Link::new(stream) {
            Ok(mut link) => {
                link.send(&Frame::new(Kind::Hello, []));
                self.link = Some(link);
                self.clock.arm(Instant::now() + HELLO, Alarm::Hello);
            }
            Err(error) => {
                tracing::error!(session = %self.session, "use a connection to a cell: {error}");
                self.on_silence();
            }
        }
    }
}

/// A program that is started as the cell's user, in the workspace.
fn in_cell(cell: &Cell, argv: Vec<String>) -> Vec<u8> {
    Spawn { argv, env: cell.variables(), cwd: policy::WORKSPACE.to_owned() }.encode()
}
