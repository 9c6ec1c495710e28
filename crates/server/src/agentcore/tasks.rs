//! Commands in the background: started, asked about, cancelled.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use session::{Call, CallId, Event, Report, Session};

use super::results::{Block, Structured, ToolResult, command_status};

/// The most tasks of a session that are remembered; the oldest that have ended are forgotten.
const MOST: usize = 256;

/// The tasks of a session.
#[derive(Debug, Default)]
pub(crate) struct Tasks(Mutex<HashMap<String, Arc<Task>>>);

#[derive(Debug)]
struct Task {
    call: CallId,
    begun: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// All output in the order in which it came. The session bounds it.
    output: Vec<u8>,
    canceled: bool,
    /// The status, a sentence that says more, and the seconds that it took.
    ended: Option<(i32, Option<String>, f64)>,
}

impl Task {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn status(&self) -> &'static str {
        match (&self.ended, self.canceled) {
            (None, false) => "working",
            (_, true) => "canceled",
            (Some((0, ..)), false) => "completed",
            (Some(_), false) => "failed",
        }
    }
}

impl Tasks {
    /// Follows a command to its end, and gives the task's id.
    pub(super) fn follow(&self, call: Call) -> ToolResult {
        let task = Arc::new(Task { call: call.id(), begun: Instant::now(), state: Mutex::default() });
        let id = uuid(task.call);
        let mut tasks = self.tasks();
        while tasks.len() >= MOST {
            let ended = tasks.iter().filter(|(_, task)| task.state().ended.is_some());
            let Some(oldest) = ended.min_by_key(|(_, task)| task.begun).map(|(id, _)| id.clone()) else {
                break;
            };
            tasks.remove(&oldest);
        }
        tasks.insert(id.clone(), task.clone());
        drop(tasks);
        tokio::spawn(watch(call, task));
        let structured =
            Structured { task_id: Some(id), task_status: Some("submitted"), ..Structured::default() };
        ToolResult {
            structured_content: Some(structured),
            ..ToolResult::sentence("Successfully started a command execution task")
        }
    }

    /// How a task is, with what it has said so far.
    pub(super) fn get(&self, id: &str) -> Option<ToolResult> {
        let task = self.tasks().get(id)?.clone();
        let state = task.state();
        let output = String::from_utf8_lossy(&state.output).into_owned();
        let mut structured = Structured {
            task_id: Some(id.to_owned()),
            task_status: Some(state.status()),
            ..Structured::default()
        };
        let text = match &state.ended {
            None => {
                structured.stdout = output;
                let text = if state.canceled { "Task is canceled, and ending" } else { "Task is working" };
                text.to_owned()
            }
            Some((status, told, seconds)) => {
                let result = super::results::command(output, *status, told.clone(), *seconds);
                let ended = result.structured_content.unwrap_or_default();
                let text = format!("{}{}", ended.stdout, ended.stderr);
                structured =
                    Structured { task_id: structured.task_id, task_status: structured.task_status, ..ended };
                text
            }
        };
        let is_error = state.status() == "failed";
        Some(ToolResult {
            content: vec![Block::Text { text }],
            structured_content: Some(structured),
            is_error,
        })
    }

    /// Cancels a task.
    pub(super) fn stop(&self, id: &str, session: &Session) -> Option<ToolResult> {
        let task = self.tasks().get(id)?.clone();
        let mut state = task.state();
        if state.ended.is_some() || state.canceled {
            let status = state.status().to_uppercase();
            let text = format!("Task cannot be canceled (current status: TaskStatus.{status})");
            return Some(ToolResult::wrong(text));
        }
        state.canceled = true;
        session.interrupt(task.call);
        Some(ToolResult::sentence("Successfully canceled a command execution task"))
    }

    fn tasks(&self) -> MutexGuard<'_, HashMap<String, Arc<Task>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn watch(mut call: Call, task: Arc<Task>) {
    while let Some(event) = call.next().await {
        match event {
            Event::Stdout(bytes) | Event::Stderr(bytes) => task.state().output.extend_from_slice(&bytes),
            Event::Notice(sentence) => {
                let mut state = task.state();
                state.output.extend_from_slice(sentence.as_bytes());
                state.output.push(b'\n');
            }
            Event::Display(_) | Event::Result(_) | Event::LateStdout(_) | Event::LateStderr(_) => {}
        }
    }
    let report: Report = call.report().await;
    let (status, told) = command_status(&report);
    task.state().ended = Some((status, told, report.elapsed.as_secs_f64()));
}

/// A call's id in the form of a random UUID.
fn uuid(call: CallId) -> String {
    let random = call.0 & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{random:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_of_the_fourth_version() {
        assert_eq!(uuid(CallId(u128::MAX)), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid(CallId(0)), "00000000-0000-4000-8000-000000000000");
    }
}
