//! The conversation: a prompt, what is entered, what comes of it.

use std::future::Future;
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use session::{Event, Language, Raised};
use sys::terminal::Mode;

use super::editor::{Entered, Lines};
use super::kernel::{Ended, Kernel};
use super::options::Shell;
use super::show::Show;
use crate::place::Places;
use crate::printer::Printer;
use crate::run::save::Out;
use crate::run::{Signals, Stop};

/// An input that took longer is told how long.
const TOLD: Duration = Duration::from_secs(1);
/// Ends what a terminal was told for the editor: pasted text in brackets.
const NO_BRACKETS: &[u8] = b"\x1b[?2004l\n";
/// What the engine says to the next call of an interpreter that ended.
const GONE: &str = "variables of earlier calls are gone";
/// The status after SIGTERM.
const TERMINATED: u8 = 143;

/// Between two looks at what comes while no code runs, so that much of it is shown at once.
const PAUSE: Duration = Duration::from_millis(100);

/// What comes while no code runs.
type Coming = Pin<Box<dyn Future<Output = Vec<Event>> + Send>>;

fn coming(kernel: Arc<Kernel>) -> Coming {
    Box::pin(async move {
        tokio::time::sleep(PAUSE).await;
        kernel.late().await
    })
}

/// A conversation.
pub(crate) struct Talk<'a> {
    options: &'a Shell,
    kernel: Arc<Kernel>,
    lines: Lines,
    show: Show<'a>,
    signals: Signals,
    printer: Printer,
    mode: Mode,
    /// The next of what comes while no code runs. It is kept while code does: what it was given already is not lost.
    late: Coming,
    /// Whether somebody wants this process to end.
    ends: bool,
    /// Whether it was just said that variables are gone.
    lost: bool,
}

impl<'a> Talk<'a> {
    pub(crate) fn new(
        options: &'a Shell,
        kernel: Arc<Kernel>,
        places: &Places,
        out: &'a Out,
        signals: Signals,
        printer: Printer,
    ) -> anyhow::Result<Talk<'a>> {
        let mode = Mode::of(io::stdin())?;
        // What was entered in one language is of no use in another.
        let history = match kernel.language() {
            Language::Python => "shell-history",
            Language::Node(_) | Language::Deno(_) => "shell-history-javascript",
        };
        let lines = Lines::new(kernel.clone(), &places.data.join(history), printer)?;
        let show = Show::new(printer, out);
        let late = coming(kernel.clone());
        Ok(Talk { options, kernel, lines, show, signals, printer, mode, late, ends: false, lost: false })
    }

    /// Talks until somebody leaves; gives the exit status.
    pub(crate) async fn talk(mut self) -> anyhow::Result<u8> {
        let mut number = 1;
        loop {
            let Some(entered) = self.read(number).await? else { return Ok(TERMINATED) };
            let code = match entered {
                Entered::Code(code) => code,
                Entered::Cleared => continue,
                Entered::End => return Ok(0),
            };
            match code.trim() {
                "" => continue,
                "exit" | "quit" | "exit()" | "quit()" => return Ok(0),
                _ => {}
            }
            let ended = match self.run(code.trim_end(), number).await {
                Ok(ended) => ended,
                // The terminal is gone, and with it whoever typed.
                Err(error) if error.is::<io::Error>() => return Ok(TERMINATED),
                Err(error) => return Err(error),
            };
            if self.ends {
                return Ok(TERMINATED);
            }
            if ended.outcome == "session_ended" {
                return Ok(crate::OUR_FAILURE);
            }
            number = if ended.kept { ended.count.map_or(number, |count| count + 1) } else { 1 };
        }
    }

    /// What is entered at a prompt; none, if this process is to end.
    async fn read(&mut self, number: u64) -> anyhow::Result<Option<Entered>> {
        let mut entered = std::pin::pin!(self.lines.read(number));
        loop {
            tokio::select! {
                entered = &mut entered => return entered.map(Some),
                events = &mut self.late, if self.lines.has_above() => {
                    if events.is_empty() {
                        // The session has ended, which the next input tells.
                        self.late = Box::pin(std::future::pending());
                        continue;
                    }
                    let text = self.show.late(events);
                    if !text.is_empty() {
                        self.lines.above(text);
                    }
                    self.late = coming(self.kernel.clone());
                }
                stop = self.signals.next() => {
                    // Ctrl-C is a key here, and the editor's.
                    if stop != Stop::Interrupt {
                        self.mode.restore(io::stdin())?;
                        io::stdout().write_all(NO_BRACKETS)?;
                        return Ok(None);
                    }
                }
            }
        }
    }

    async fn run(&mut self, code: &str, number: u64) -> anyhow::Result<Ended> {
        let mut call = self.kernel.execute(code, Some(self.options.timeout)).await?;
        let mut stopped = false;
        loop {
            let next = tokio::select! {
                event = call.next() => event?,
                stop = self.signals.next() => {
                    self.ends |= stop != Stop::Interrupt;
                    if stopped {
                        self.printer.note("it is being stopped; what does not stop by itself is killed in 3 s");
                    } else {
                        stopped = true;
                        call.interrupt().await?;
                    }
                    continue;
                }
            };
            let Some(event) = next else { break };
            // It was said when it happened.
            if matches!(&event, Event::Notice(text) if self.lost && text.contains(GONE)) {
                continue;
            }
            if let Err(error) = self.show.event(event, number) {
                call.interrupt().await?;
                return Err(error.into());
            }
        }
        let ended = call.end().await?;
        self.tell(&ended)?;
        Ok(ended)
    }

    fn tell(&mut self, ended: &Ended) -> io::Result<()> {
        self.show.line()?;
        if let Some(raised) = &ended.raised {
            self.show.raised(raised)?;
            if let Some(hint) = elsewhere(raised) {
                self.printer.hint(hint);
            }
        }
        // Who pressed Ctrl-C knows, and sees where from the traceback.
        let known = ended.outcome == "interrupted" && ended.raised.is_some() && ended.kept;
        if let Some(complaint) = ended.complaint.as_ref().filter(|_| !known) {
            self.printer.error(complaint);
            if let Some(hint) = ended.hint {
                self.printer.hint(hint);
            }
        }
        self.lost = !ended.kept;
        if self.lost && ended.outcome != "session_ended" {
            self.printer.warning("variables are gone, files are kept");
        }
        if ended.elapsed >= TOLD {
            self.printer.note(took(ended.elapsed));
        }
        Ok(())
    }
}

/// `1.2 s`, `3 min 5 s`.
fn took(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds < 60 => format!("{:.1} s", time.as_secs_f64()),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// What to do about a module that is in another environment.
fn elsewhere(raised: &Raised) -> Option<String> {
    if raised.name != "ModuleNotFoundError" {
        return None;
    }
    let module = raised.value.strip_prefix("No module named '")?.split(['\'', '.']).next()?;
    let holder = environment::holder(module)?;
    Some(format!("`{module}` is in the environment `{0}`: `cellblock shell --env {0}`", holder.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_people_say_them() {
        let told = [1.04, 59.9, 60.0, 185.2].map(|seconds| took(Duration::from_secs_f64(seconds)));
        assert_eq!(told, ["1.0 s", "59.9 s", "1 min 0 s", "3 min 5 s"]);
    }

    #[test]
    fn a_module_of_another_environment_is_pointed_to() {
        let raised = |name: &str, value: &str| Raised {
            name: name.into(),
            value: value.into(),
            traceback: String::new(),
        };
        let hint = elsewhere(&raised("ModuleNotFoundError", "No module named 'torch.nn'"));
        assert_eq!(
            hint.as_deref(),
            Some("`torch` is in the environment `full`: `cellblock shell --env full`")
        );
        assert_eq!(elsewhere(&raised("ModuleNotFoundError", "No module named 'nothing_like_it'")), None);
        assert_eq!(elsewhere(&raised("ValueError", "No module named 'torch'")), None);
    }
}
