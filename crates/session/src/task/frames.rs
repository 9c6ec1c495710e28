//! What init says.

use bytes::Bytes;
use environment::Runtime;
use policy::network::Mode;
use protocol::codec::Reader;
use protocol::{CallId, CellState, Frame, KernelId, Kind, RefusedReason, WaitStatus};

use super::way_out::{LOOKED_AT, misses_network};
use super::{Job, Task};
use crate::clock::Alarm;
use crate::done;
use crate::event::Event as CallEvent;
use crate::link::LinkError;
use crate::machine::{Event, Present};
use crate::outcome::{SoftKill, signal_text};
use crate::output::Spool;
use crate::question::Answer;
use crate::queue::Stream;

impl Task {
    pub(super) fn on_input(&mut self, filled: Result<(), LinkError>) {
        match filled {
            Ok(()) => self.take_frames(),
            Err(error) => self.link_lost(&error),
        }
    }

    fn link_lost(&mut self, error: &LinkError) {
        tracing::warn!(session = %self.session, "the connection to a cell is lost: {error}");
        self.link = None;
        if let Some(opened) = self.opened.take() {
            let _ = opened.send(Err(crate::Error::Silent("the cell ended at once")));
            self.events.push_back(Event::Opened);
            self.events.push_back(Event::CellGone);
        }
        self.events.push_back(Event::LinkLost);
    }

    /// Takes every whole frame that was read.
    pub(super) fn take_frames(&mut self) {
        while let Some(link) = &mut self.link {
            match link.next_frame() {
                Ok(Some(frame)) => {
                    self.on_frame(frame);
                    // The machine may have to answer before the next frame means anything.
                    self.settle();
                }
                Ok(None) => break,
                Err(error) => self.link_lost(&error),
            }
        }
        self.flush_output();
    }

    fn on_frame(&mut self, frame: Frame) {
        let stream = match frame.kind {
            Kind::Stdout => Stream::Out,
            Kind::Stderr => Stream::Err,
            _ => {
                self.flush_output();
                self.on_other_frame(frame);
                return;
            }
        };
        match &mut self.pending {
            Some((call, pending, bytes)) if *call == frame.call && *pending == stream => {
                bytes.extend_from_slice(&frame.payload);
            }
            _ => {
                self.flush_output();
                self.pending = Some((frame.call, stream, frame.payload));
            }
        }
    }

    fn on_other_frame(&mut self, frame: Frame) {
        let Frame { kind, kernel, call, payload } = frame;
        match kind {
            Kind::State => self.on_state(&payload),
            Kind::KernelEnds => self.on_ends(kernel),
            Kind::KernelReady => {
                self.clock.disarm(|alarm| alarm == Alarm::Kernel(kernel));
                self.events.push_back(Event::KernelReady(kernel));
            }
            Kind::KernelExited => self.on_kernel_exited(kernel, &payload),
            Kind::CommandExited => {
                if let Some(record) = self.records.get_mut(&call) {
                    record.exit = WaitStatus::decode(&payload).ok();
                }
                self.events.push_back(Event::CallExited(call));
            }
            Kind::Refused => self.on_refused(kernel, call, &payload),
            Kind::Broken => self.on_broken(kernel, &payload),
            Kind::Dropped => self.on_dropped(call, &payload),
            Kind::FileReply => self.on_file_reply(call, &payload),
            Kind::SoftMemory => self.on_soft_memory(kernel, call, &payload),
            Kind::Display | Kind::Result => self.on_display(kind, call, &payload),
            Kind::Done => self.on_done(kernel, call, &payload),
            // Not for the daemon: the decoder lets none of these through, or it is about nothing the daemon does.
            Kind::Stdout
            | Kind::Stderr
            | Kind::Ready
            | Kind::Run
            | Kind::Cancel
            | Kind::Hello
            | Kind::PrepareKernel
            | Kind::StartKernel
            | Kind::Execute
            | Kind::Interrupt
            | Kind::KillKernel
            | Kind::StartCommand
            | Kind::KillCommand
            | Kind::File
            | Kind::Forget
            | Kind::Shutdown => {}
        }
    }

    fn on_state(&mut self, payload: &[u8]) {
        self.clock.disarm(|alarm| alarm == Alarm::Hello);
        if let Some(opened) = self.opened.take() {
            self.events.push_back(Event::Opened);
            let _ = opened.send(Ok(()));
            return;
        }
        let state = CellState::decode(payload).unwrap_or_default();
        let present: Vec<Present> =
            state.kernels.iter().map(|kernel| Present { kernel: kernel.id, ready: kernel.ready }).collect();
        for runtime in Runtime::ALL {
            let last = self.kernels.last_of(runtime);
            if self.machine.kernels().has(last)
                && self.machine.kernels().call_in(last).is_none()
                && !present.iter().any(|each| each.kernel == last)
            {
                self.kernels.lose(runtime, "it ended while the connection to it was lost");
            }
        }
        self.events.push_back(Event::Linked(present));
        self.send_orders_again();
    }

    /// The ends of a kernel's socket and pipes have come: a forkserver may have them.
    fn on_ends(&mut self, kernel: KernelId) {
        let ends = self.link.as_mut().and_then(super::Link::take_ends);
        let (Some(ends), Some(cell)) = (ends, self.cell.clone()) else {
            self.kernel_failed(kernel, "init sent no descriptors".to_owned());
            return;
        };
        // Nobody waits for it any more: letting go of the ends tells init so.
        if !self.machine.kernels().has(kernel) {
            return;
        }
        let engine = self.engine.clone();
        self.jobs.spawn(async move {
            let forked = engine.forks.fork(cell, ends).await;
            Job::Forked { kernel, fault: forked.err() }
        });
    }

    fn on_kernel_exited(&mut self, kernel: KernelId, payload: &[u8]) {
        let status = WaitStatus::decode(payload).ok();
        self.clock.disarm(|alarm| alarm == Alarm::Kernel(kernel));
        if let Some(record) =
            self.machine.kernels().call_in(kernel).and_then(|call| self.records.get_mut(&call))
        {
            record.exit = status;
        } else if self.machine.kernels().is_starting(kernel) {
            self.start_fault(&format!("{} before it was ready", exit_text(status)));
        } else if let Some(runtime) = self.machine.kernels().runtime_of(kernel) {
            let death = self.death(status);
            self.kernels.lose(runtime, format!("between calls it {death}"));
        } else {
            self.explain(kernel, status);
        }
        self.events.push_back(Event::KernelExited(kernel));
    }

    /// Tells what ended a kernel that a call no longer found.
    fn explain(&mut self, kernel: KernelId, status: Option<WaitStatus>) {
        if self.kernels.has_vanished(kernel) {
            let death = self.death(status);
            self.kernels.explain(kernel, &format!("between calls it {death}"));
        }
    }

    /// What ended a kernel that ran nothing.
    fn death(&mut self, status: Option<WaitStatus>) -> String {
        let kills = self.cell.as_ref().map_or(0, |cell| cell.memory().oom_kills);
        let killed_for_memory = kills > std::mem::replace(&mut self.oom_seen, kills);
        match status {
            Some(WaitStatus::Signaled(9)) if killed_for_memory => {
                "was killed: the cell's memory limit was reached".to_owned()
            }
            status => exit_text(status),
        }
    }

    fn on_refused(&mut self, kernel: KernelId, call: CallId, payload: &[u8]) {
        let (reason, detail) =
            RefusedReason::decode(payload).unwrap_or((RefusedReason::NoCall, String::new()));
        let text = refusal_text(reason, &detail);
        if let Some(record) = self.records.get_mut(&call) {
            match reason {
                // As a shell says it.
                RefusedReason::SpawnFailed if record.command => {
                    record.exit = Some(WaitStatus::Exited(127));
                    record.tell(CallEvent::Stderr(Bytes::from(format!("{text}\n"))));
                }
                // An interrupt or a kill that came too late.
                RefusedReason::NoCall => return,
                RefusedReason::NoKernel if !record.command => {
                    record.fault = Some(text);
                    // As if it had not been sent: an end that was told already was not its own.
                    record.started = None;
                    let (runtime, exit) = (record.runtime, record.exit.take());
                    if let Some(runtime) = runtime {
                        self.kernels.vanished(runtime);
                    }
                    if exit.is_some() {
                        self.explain(kernel, exit);
                    }
                    self.events.push_back(Event::Unheard(call));
                    return;
                }
                _ => record.fault = Some(text),
            }
            self.events.push_back(Event::CallExited(call));
        } else if self.machine.kernels().is_starting(kernel) {
            self.kernel_failed(kernel, text);
        }
    }

    fn on_broken(&mut self, kernel: KernelId, payload: &[u8]) {
        let sentence: String = String::from_utf8_lossy(payload).chars().take(500).collect();
        let text = format!("it broke the protocol: {sentence}");
        if let Some(record) =
            self.machine.kernels().call_in(kernel).and_then(|call| self.records.get_mut(&call))
        {
            record.fault = Some(text);
        } else if self.machine.kernels().is_starting(kernel) {
            self.start_fault(&text);
        } else if kernel == KernelId::NONE {
            tracing::error!(session = %self.session, "init gives up the connection: {sentence}");
        }
    }

    fn on_dropped(&mut self, call: CallId, payload: &[u8]) {
        let Ok(bytes) = Reader::new(payload).u64() else { return };
        let Some(record) = self.records.get_mut(&call) else { return };
        let lost = bytes.saturating_sub(record.replay.take(bytes));
        if lost > 0 {
            record.notice(format!("{lost} bytes of output were lost while the connection was broken"));
        }
    }

    fn on_soft_memory(&mut self, kernel: KernelId, call: CallId, payload: &[u8]) {
        let mut read = Reader::new(payload);
        let (Ok(limit), Ok(seen)) = (read.u64(), read.u64()) else { return };
        let kill = SoftKill { limit, seen };
        let call = if call == CallId::NONE { self.machine.kernels().call_in(kernel) } else { Some(call) };
        if let Some(record) = call.and_then(|call| self.records.get_mut(&call)) {
            if record.replay.take(payload.len() as u64) == 0 {
                record.soft_kill = Some(kill);
            }
        } else if let Some(runtime) = self.machine.kernels().runtime_of(kernel) {
            self.kernels.lose(runtime, "between calls it was killed: the cell's memory limit was reached");
        }
    }

    fn on_display(&mut self, kind: Kind, call: CallId, payload: &[u8]) {
        let (bundle, cost) = match done::bundle(payload) {
            Ok(bundle) => bundle,
            Err(error) => {
                tracing::debug!(session = %self.session, "something displayed is no MIME bundle: {error}");
                return;
            }
        };
        let Some(record) = self.records.get_mut(&call).filter(|record| !record.is_question()) else {
            self.late.display(bundle, cost);
            return;
        };
        let length = payload.len() as u64;
        if record.replay.take(length) == length && length > 0 {
            return;
        }
        if !record.output.display(cost) {
            return;
        }
        record.tell(if kind == Kind::Result {
            CallEvent::Result(bundle)
        } else {
            CallEvent::Display(bundle)
        });
    }

    fn on_done(&mut self, kernel: KernelId, call: CallId, payload: &[u8]) {
        let Some(record) = self.records.get_mut(&call) else { return };
        match done::done(payload) {
            Ok(done) => {
                let leaves = done.leaves();
                if let Some(runtime) = record.runtime {
                    self.kernels.left_off(runtime, done.cwd.as_deref());
                }
                if let Some(answer) = record.answer.take() {
                    let _ = answer.send(Answer::Report(payload.to_vec()));
                }
                record.done = Some(done);
                self.events.push_back(Event::Done { call, leaves });
            }
            Err(error) => {
                // Ours never says such a thing: somebody else speaks through it.
                record.fault = Some(format!("it broke the protocol: its report cannot be read ({error})"));
                self.kill_kernel(kernel);
            }
        }
    }

    /// Passes on a piece of output.
    pub(super) fn output(&mut self, call: CallId, stream: Stream, bytes: Bytes) {
        // What is written while a question is answered comes from what earlier calls left running.
        let Some(record) = self.records.get_mut(&call).filter(|record| !record.is_question()) else {
            self.late.output(stream, bytes);
            return;
        };
        let known = record.replay.take(bytes.len() as u64) as usize;
        let taken = record.output.take(bytes.slice(known..));
        if taken.crossed
            && let Some(cell) = self.cell.clone()
        {
            let limit = crate::output::FILE_LIMIT.min(self.options.limits.disk);
            record.output.spool_to(Spool::start(cell, limit));
        }
        if self.options.network.mode == Mode::None {
            record.network.missed |= record.output.written() <= LOOKED_AT && misses_network(&taken.pass);
        }
        if !taken.pass.is_empty() {
            record.items.output(stream, taken.pass);
        }
    }
}

fn exit_text(status: Option<WaitStatus>) -> String {
    match status {
        Some(WaitStatus::Exited(status)) => format!("ended with status {status}"),
        Some(WaitStatus::Signaled(signal)) => format!("died: {}", signal_text(signal)),
        Some(WaitStatus::Unknown) | None => "left without a word".to_owned(),
    }
}

fn refusal_text(reason: RefusedReason, detail: &str) -> String {
    let text = match reason {
        RefusedReason::NoKernel => "there is no such kernel",
        RefusedReason::Busy => "the kernel is running another call",
        RefusedReason::Forgotten => "the call ran, and its result is no longer kept",
        RefusedReason::SpawnFailed => "the program could not be started",
        RefusedReason::NoCall => "there is no such call",
    };
    if detail.is_empty() { text.to_owned() } else { format!("{text}: {detail}") }
}
