//! The line editor: several lines, history, completion, colours.
//!
//! It reads keys on a thread of its own, since reading blocks; the rest of the shell waits for its answer and for
//! signals beside each other. When the process ends while it reads, the terminal's mode is put back by whoever ends it.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::{History as _, MemHistory};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{
    Cmd, ColorMode, CompletionType, ConditionalEventHandler, Config, Editor, Event, EventContext,
    EventHandler, ExternalPrinter as _, Helper, KeyCode, KeyEvent, Modifiers, Movement, RepeatCount,
};
use session::Language;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::colour;
use super::enter::{self, Checked, Enter};
use super::history::{History, KEPT};
use super::kernel::Kernel;
use crate::printer::Printer;

/// How long the kernel may think about what could stand at the cursor.
const COMPLETING: Duration = Duration::from_secs(5);
/// How long it may think about whether a text is whole.
const CHECKING: Duration = Duration::from_millis(500);

/// What somebody entered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entered {
    Code(String),
    /// Ctrl-C: nothing.
    Cleared,
    /// Ctrl-D: no more.
    End,
}

type Answer = oneshot::Sender<Result<Entered, ReadlineError>>;

/// The editor, on its thread.
pub(crate) struct Lines {
    asked: mpsc::Sender<(u64, Answer)>,
    /// What is to be shown above the line that is being entered; none in a terminal that cannot.
    above: Option<mpsc::Sender<String>>,
}

impl Lines {
    /// An editor that remembers what was entered in this file.
    pub(crate) fn new(kernel: Arc<Kernel>, history: &Path, printer: Printer) -> anyhow::Result<Lines> {
        let colours = colour::wanted();
        let config = Config::builder()
            .max_history_size(KEPT)?
            .history_ignore_space(true)
            .history_ignore_dups(true)?
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .color_mode(if colours { ColorMode::Enabled } else { ColorMode::Disabled })
            .indent_size(4)
            .tab_stop(4)
            .build();
        let asker = Asker { kernel, runtime: Handle::current() };
        let remembered = MemHistory::with_config(&config);
        let mut editor: Editor<Help, MemHistory> = Editor::with_history(config, remembered)?;
        // What terminals call dumb is read line by line, and Enter never comes to be a key.
        let direct = std::env::var("TERM").is_ok_and(|term| matches!(&*term, "dumb" | "cons25" | "emacs"));
        editor.set_helper(Some(Help { asker: asker.clone(), direct }));
        let key = |code| KeyEvent(code, Modifiers::NONE);
        let handler = |keys| EventHandler::Conditional(Box::new(Keys { asker: asker.clone(), key: keys }));
        editor.bind_sequence(key(KeyCode::Enter), handler(Key::Enter));
        editor.bind_sequence(KeyEvent::ctrl('J'), handler(Key::Enter));
        editor.bind_sequence(key(KeyCode::Tab), handler(Key::Tab));
        editor.bind_sequence(key(KeyCode::Backspace), handler(Key::Backspace));
        // As in notebooks and chats: a new line, whatever stands there.
        editor.bind_sequence(KeyEvent(KeyCode::Enter, Modifiers::ALT), Cmd::Newline);
        let history = match History::open(history) {
            Ok((history, entries)) => {
                for entry in entries {
                    editor.add_history_entry(entry)?;
                }
                Some(history)
            }
            Err(error) => {
                printer.warning(format_args!("what was entered before is not at hand: {error}"));
                None
            }
        };
        let above = if direct { None } else { above(&mut editor)? };
        let (asked, asks) = mpsc::channel();
        std::thread::Builder::new().name("lines".to_owned()).spawn(move || read(editor, &asks, history))?;
        Ok(Lines { asked, above })
    }

    /// Whether a text can be shown while a line is being entered.
    pub(crate) fn has_above(&self) -> bool {
        self.above.is_some()
    }

    /// Shows a text above the line that is being entered, or where the cursor is if none is.
    pub(crate) fn above(&self, text: String) {
        if let Some(above) = &self.above {
            let _ = above.send(text);
        }
    }

    /// Asks for the input of this number.
    pub(crate) async fn read(&self, number: u64) -> anyhow::Result<Entered> {
        let (answer, entered) = oneshot::channel();
        let _ = self.asked.send((number, answer));
        Ok(entered.await??)
    }
}

/// Takes what is to be shown above the line, on a thread of its own: the editor takes one text at a time, and none while
/// it asks the kernel something.
fn above(editor: &mut Editor<Help, MemHistory>) -> anyhow::Result<Option<mpsc::Sender<String>>> {
    let Ok(mut printer) = editor.create_external_printer() else { return Ok(None) };
    let (above, texts) = mpsc::channel();
    std::thread::Builder::new().name("above".to_owned()).spawn(move || {
        while let Ok(text) = texts.recv() {
            if printer.print(text).is_err() {
                break;
            }
        }
    })?;
    Ok(Some(above))
}

/// The thread: one line after the other.
fn read(
    mut editor: Editor<Help, MemHistory>,
    asks: &mpsc::Receiver<(u64, Answer)>,
    mut history: Option<History>,
) {
    while let Ok((number, answer)) = asks.recv() {
        let prompt = format!("In [{number}]: ");
        let entered = match editor.readline(&(prompt.clone(), colour::styled(colour::IN, &prompt))) {
            Ok(code) => {
                if editor.history_mut().add(code.trim_end()).unwrap_or(false)
                    && let Some(history) = &mut history
                {
                    // A full disk is no reason to stop; the code will meet it, too.
                    let _ = history.add(code.trim_end());
                }
                Ok(Entered::Code(code))
            }
            Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => Ok(Entered::Cleared),
            Err(ReadlineError::Eof) => Ok(Entered::End),
            Err(error) => Err(error),
        };
        if answer.send(entered).is_err() {
            break;
        }
    }
}

/// Asks the kernel from the editor's thread.
#[derive(Clone)]
struct Asker {
    kernel: Arc<Kernel>,
    runtime: Handle,
}

impl Asker {
    fn enter(&self, text: &str, cursor: usize) -> Enter {
        match self.kernel.language() {
            Language::Python => enter::enter(text, cursor, |text| self.check(text)),
            Language::Node(_) | Language::Deno(_) => {
                enter::enter_script(text, cursor, |text| self.check(text))
            }
        }
    }

    fn check(&self, text: &str) -> Option<Checked> {
        self.runtime
            .block_on(async { tokio::time::timeout(CHECKING, self.kernel.check(text)).await.ok().flatten() })
    }

    fn complete(&self, text: &str, cursor: usize) -> Option<(usize, Vec<Pair>)> {
        let characters = text.get(..cursor)?.chars().count();
        let completion = self.runtime.block_on(async {
            tokio::time::timeout(COMPLETING, self.kernel.complete(text, characters)).await.ok().flatten()
        })?;
        let (start, _) = text.char_indices().chain([(text.len(), ' ')]).nth(completion.start)?;
        if start > cursor {
            return None;
        }
        // What a cell says goes to the terminal: no name has control characters.
        let matches = completion.matches.into_iter().filter(|name| !name.chars().any(char::is_control));
        let typed = &text[start..cursor];
        let pair = |replacement: String| {
            let display = shown(&replacement, typed).to_owned();
            Pair { display, replacement }
        };
        Some((start, matches.map(pair).collect()))
    }
}

/// What is listed of a completion: without the parts that stand there already.
fn shown<'a>(name: &'a str, typed: &str) -> &'a str {
    let parts = typed.rfind(['.', '/']).map_or("", |at| &typed[..=at]);
    name.strip_prefix(parts).filter(|rest| !rest.is_empty()).unwrap_or(name)
}

/// What the editor asks while somebody types.
struct Help {
    asker: Asker,
    direct: bool,
}

impl Helper for Help {}

impl Hinter for Help {
    type Hint = String;
}

impl Completer for Help {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        cursor: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        Ok(self.asker.complete(line, cursor).unwrap_or_default())
    }
}

impl Highlighter for Help {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        Cow::Owned(match self.asker.kernel.language() {
            Language::Python => colour::python(line),
            Language::Node(_) | Language::Deno(_) => colour::script(line),
        })
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        kind != CmdKind::MoveCursor
    }
}

impl Validator for Help {
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        if self.direct && self.asker.enter(text, text.len()) != Enter::Run {
            return Ok(ValidationResult::Incomplete);
        }
        Ok(ValidationResult::Valid(None))
    }
}

/// Keys that do another thing here.
#[derive(Debug, Clone, Copy)]
enum Key {
    Enter,
    Tab,
    Backspace,
}

struct Keys {
    asker: Asker,
    key: Key,
}

impl ConditionalEventHandler for Keys {
    fn handle(&self, _: &Event, count: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        let (text, cursor) = (context.line(), context.pos());
        match self.key {
            Key::Enter => match self.asker.enter(text, cursor) {
                Enter::Run => Some(Cmd::AcceptLine),
                Enter::Line(indentation) => Some(Cmd::Insert(1, format!("\n{indentation}"))),
            },
            Key::Tab => Some(match enter::tab(text, cursor) {
                Some(blanks) => Cmd::Insert(1, blanks.to_owned()),
                None => Cmd::Complete,
            }),
            Key::Backspace if count == 1 && enter::steps_back(text, cursor) => {
                Some(Cmd::Dedent(Movement::WholeLine))
            }
            Key::Backspace => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completions_are_listed_without_what_stands_there() {
        for (name, typed, expected) in [
            ("df.head", "df.", "head"),
            ("data/sales.csv", "data/sa", "sales.csv"),
            ("sales.csv", "sa", "sales.csv"),
            ("print", "pr", "print"),
            ("a.", "a.", "a."),
        ] {
            assert_eq!(shown(name, typed), expected, "{name}");
        }
    }
}
