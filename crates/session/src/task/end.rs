//! The end of a call: its last output stored, the evidence read, the outcome decided and told.

use std::time::Duration;

use cell::Memory;
use protocol::{CallId, Frame, Kind, Survival, WaitStatus};
use tokio::time::Instant;

use super::record::Record;
use super::{Job, Task};
use crate::clock::Alarm;
use crate::disk;
use crate::event::{Raised, Report};
use crate::machine::{Ending, Event, How};
use crate::outcome::{Evidence, Verdict, decide};

/// A call that ran for less has not filled a disk that was measured before it.
const MEASURED: Duration = Duration::from_secs(1);

impl Task {
    pub(super) fn drain(&mut self, call: CallId, ending: Ending) {
        let now = Instant::now();
        let Some(record) = self.records.get_mut(&call) else { return };
        record.ended = Some(now);
        record.ending = Some(ending);
        let spool = record.output.finish();
        let long = self.disk.is_quick() && record.started.is_some_and(|started| now - started >= MEASURED);
        let directories =
            self.cell.as_ref().filter(|_| long).map(|cell| [cell.workspace().to_owned(), cell.home()]);
        if spool.is_none() && directories.is_none() {
            self.events.push_back(Event::Drained(call));
            return;
        }
        let (room, copy) = (self.orders.room.clone(), self.durable.copy());
        self.jobs.spawn(async move {
            let spooled = match spool {
                Some(spool) => spool.await.ok().flatten(),
                None => None,
            };
            let measured = match directories {
                Some(directories) => disk::measure_own(directories, room, copy).await,
                None => None,
            };
            Job::Drained { call, spooled, measured }
        });
    }

    pub(super) fn finish(&mut self, call: CallId) {
        let Some(mut record) = self.records.remove(&call) else { return };
        self.clock.disarm(|alarm| matches!(alarm, Alarm::Call(each, _) if each == call));
        self.last_use = Instant::now();
        let memory = self.memory();
        let Verdict { outcome, variables, notices } = self.judge(&record, memory);
        if record.ending.is_some_and(|ending| ending.how == How::NoKernel) && !record.is_question() {
            for event in self.late.take_as_output() {
                record.tell(event);
            }
        }
        if !record.command && !record.is_question() {
            // A timer of an earlier call, that went off during this one: it need not wait for the next.
            for event in self.late.take() {
                record.tell(event);
            }
        }
        let not_reached = self.not_reached(&record);
        let not_displayed = record.output.not_displayed();
        for notice in notices.into_iter().chain(not_displayed).chain(not_reached) {
            record.notice(notice);
        }
        // A question that was never asked has cost nobody a kernel that held something.
        if let (Survival::Lost, Some(runtime)) = (variables, record.runtime)
            && (record.started.is_some() || !record.is_question())
        {
            self.kernels.lose(runtime, outcome.to_string());
        }
        tracing::debug!(session = %self.session, %call, outcome = outcome.name(), "a call has ended");
        let done = record.done.take();
        let report = Report {
            call,
            outcome,
            variables,
            raised: done.as_ref().and_then(raised),
            exit_status: match &done {
                Some(done) => done.exit_status,
                None => record.exit.filter(|_| record.command).map(shell_status),
            },
            execution_count: done.as_ref().and_then(|done| done.execution_count),
            elapsed: record
                .started
                .map_or(Duration::ZERO, |started| record.ended.unwrap_or_else(Instant::now) - started),
            cpu: done
                .as_ref()
                .and_then(|done| done.cpu_seconds)
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
            memory_peak: memory.peak,
            written: record.output.written(),
            output_file: record.whole_output().map(|spooled| spooled.name.clone()),
            fresh_kernel: record.fresh,
        };
        record.items.report(report);
        if let Some(link) = &mut self.link {
            link.send(&Frame::new(Kind::Forget, []).call(call));
        }
        if record.started.is_some() {
            self.changed();
        }
        if !self.measuring && record.started.is_some() && self.disk.due(std::time::Instant::now()) {
            self.measure_now();
        }
    }

    fn memory(&self) -> Memory {
        match &self.cell {
            Some(cell) => cell.memory(),
            None => Memory {
                limit: self.options.limits.memory,
                hard: false,
                peak: None,
                oom_kills: self.oom_seen,
            },
        }
    }

    fn judge(&mut self, record: &Record, memory: Memory) -> Verdict {
        self.oom_seen = memory.oom_kills;
        let limits = &self.options.limits;
        let output_file = record.spooled.as_ref();
        let whole = record.whole_output();
        let unstarted = Ending { how: How::NeverRan, stop: None, killed: false };
        let mut verdict = decide(&Evidence {
            ending: record.ending.unwrap_or(unstarted),
            command: record.command,
            done: record.done.as_ref(),
            exit: record.exit,
            fault: record.fault.as_deref(),
            memory,
            oom_kills: memory.oom_kills.saturating_sub(record.oom_before),
            soft_kill: record.soft_kill,
            last_words: record.output.last_words(),
            written: record.output.written(),
            output_limit: limits.output,
            output_file: whole.map(|spooled| spooled.name.as_str()),
            limit_ms: u64::try_from(record.limit.as_millis()).unwrap_or(u64::MAX),
            disk_limit: limits.disk,
            in_memory: limits.in_memory(),
            processes: limits.processes,
            disk_over: self.disk.used().is_some_and(|used| disk::over(used, record.disk_before, limits.disk)),
        });
        if let (Some(spooled), None) = (output_file, whole) {
            let (bytes, name) = (spooled.bytes, &spooled.name);
            verdict.notices.push(format!("the first {bytes} bytes of the output are in `{name}`"));
        }
        verdict
    }
}

fn raised(done: &crate::done::Done) -> Option<Raised> {
    Some(Raised {
        name: done.ename.clone()?,
        value: done.evalue.clone().unwrap_or_default(),
        traceback: done.traceback.clone().map(crate::done::Traceback::text).unwrap_or_default(),
    })
}

fn shell_status(status: WaitStatus) -> i32 {
    match status {
        WaitStatus::Exited(status) => status & 0xff,
        WaitStatus::Signaled(signal) => 128 + signal,
        WaitStatus::Unknown => 255,
    }
}
