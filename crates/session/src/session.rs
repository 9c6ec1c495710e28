//! What a caller holds of a session and of a call.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use policy::Mount;
use protocol::{CallId, Outcome, SessionId, Survival};
use tokio::sync::{mpsc, oneshot, watch};
use workspace::Workspace;

use crate::error::{Error, Result};
use crate::event::{Event, Report};
use crate::language::{Dialect, Language, TypeErrors};
use crate::machine::Work;
use crate::principal::Principal;
use crate::question::Answer;
use crate::queue::{Receiver, Taken, queue};
use crate::task::{Content, Life, Message, SessionOptions, Submission, Time};

/// How many ids of calls are remembered.
const KNOWN: usize = 4096;

/// Code to be run in one of the session's interpreters.
#[derive(Debug, Clone)]
pub struct ExecuteRequest {
    /// Its id; one that was used before is not run.
    pub call: CallId,
    /// The code.
    pub code: String,
    /// What it is written in.
    pub language: Language,
    /// Whether it starts in a fresh interpreter, without the variables of earlier calls. Those of other interpreters stay.
    pub clear_context: bool,
    /// How long it may take; the session's own limit holds as well.
    pub timeout: Option<Duration>,
    /// What tracebacks call it, where it is a program of the user's.
    pub filename: Option<String>,
    /// What `sys.argv`, or `process.argv` from its second on, is from now on, the program's name first; empty: it stays as it is.
    pub arguments: Vec<String>,
    /// Whether it is a whole program: the interpreter ends after it as it does after a script.
    pub program: bool,
    /// What becomes of it if it is TypeScript with type errors; without, as the session has it.
    pub type_errors: Option<TypeErrors>,
}

impl ExecuteRequest {
    /// A piece of Python, with the session's own limit.
    pub fn new(call: CallId, code: impl Into<String>) -> ExecuteRequest {
        ExecuteRequest {
            call,
            code: code.into(),
            language: Language::Python,
            clear_context: false,
            timeout: None,
            filename: None,
            arguments: Vec::new(),
            program: false,
            type_errors: None,
        }
    }

    /// The same code as code of this language.
    #[must_use]
    pub fn in_language(self, language: Language) -> ExecuteRequest {
        ExecuteRequest { language, ..self }
    }
}

/// A command to be run beside the session's interpreter.
#[derive(Debug, Clone)]
pub struct CommandRequest {
    /// Its id; one that was used before is not run.
    pub call: CallId,
    /// The program and its arguments; the program is an absolute path in the cell.
    pub argv: Vec<String>,
    /// How long it may take; the session's own limit holds as well.
    pub timeout: Option<Duration>,
    /// Whether it may run as long as the session lives, whatever the session's limit of a call is.
    pub unlimited: bool,
}

impl CommandRequest {
    /// A program with its arguments, with the session's own limit.
    pub fn new(call: CallId, argv: Vec<String>) -> CommandRequest {
        CommandRequest { call, argv, timeout: None, unlimited: false }
    }

    /// A line for the shell: bash, where the cell has it.
    pub fn shell(call: CallId, line: impl Into<String>) -> CommandRequest {
        let choose = "command -v bash >/dev/null && exec bash -c \"$1\"; exec sh -c \"$1\"";
        let argv = ["/bin/sh", "-c", choose, "sh"].map(str::to_owned).into_iter().chain([line.into()]);
        CommandRequest::new(call, argv.collect())
    }
}

#[derive(Debug)]
pub(crate) struct Inner {
    id: SessionId,
    principal: Principal,
    workspace: Option<Workspace>,
    mount: Mount,
    disk_limit: u64,
    type_errors: TypeErrors,
    inbox: mpsc::UnboundedSender<Message>,
    life: watch::Receiver<Life>,
    known: Mutex<Known>,
}

/// The ids of calls that were taken, so that none is run twice; the oldest are forgotten.
#[derive(Debug, Default)]
struct Known {
    ids: HashSet<CallId>,
    order: VecDeque<CallId>,
}

impl Known {
    /// Whether the id is a new one.
    fn insert(&mut self, call: CallId) -> bool {
        let new = self.ids.insert(call);
        if new {
            self.order.push_back(call);
        }
        if self.order.len() > KNOWN
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        new
    }
}

/// A session. Clones are the same session; dropping the last one ends it.
#[derive(Debug, Clone)]
pub struct Session(Arc<Inner>);

impl From<Arc<Inner>> for Session {
    fn from(inner: Arc<Inner>) -> Session {
        Session(inner)
    }
}

impl Session {
    pub(crate) fn new(
        id: SessionId,
        principal: Principal,
        options: &SessionOptions,
        inbox: mpsc::UnboundedSender<Message>,
        life: watch::Receiver<Life>,
    ) -> Session {
        let disk_limit = options.limits.disk;
        let workspace = options.workspace.as_ref().map(|options| options.workspace.clone());
        let mount = options.mount.clone();
        let type_errors = options.type_errors;
        let known = Mutex::default();
        Session(Arc::new(Inner {
            id,
            principal,
            workspace,
            mount,
            disk_limit,
            type_errors,
            inbox,
            life,
            known,
        }))
    }

    pub(crate) fn downgrade(&self) -> Weak<Inner> {
        Arc::downgrade(&self.0)
    }

    /// Its id.
    pub fn id(&self) -> SessionId {
        self.0.id
    }

    /// Whose it is.
    pub fn principal(&self) -> &Principal {
        &self.0.principal
    }

    /// The files that outlive it, if there are any.
    pub fn workspace(&self) -> Option<&Workspace> {
        self.0.workspace.as_ref()
    }

    /// Where the cell sees its workspace.
    pub(crate) fn mount(&self) -> &Mount {
        &self.0.mount
    }

    /// The limit of its cell's disk, bytes.
    pub(crate) fn disk_limit(&self) -> u64 {
        self.0.disk_limit
    }

    /// Runs code, after what was sent before it.
    pub fn execute(&self, request: ExecuteRequest) -> Result<Call> {
        let mut json = serde_json::json!({ "code": request.code });
        if let Some(filename) = request.filename {
            json["filename"] = filename.into();
        }
        if !request.arguments.is_empty() {
            json["argv"] = request.arguments.into();
        }
        if request.program {
            json["final"] = true.into();
        }
        if let Some(dialect) = request.language.dialect() {
            json["language"] = dialect.name().into();
        }
        if request.language.dialect() == Some(Dialect::TypeScript) {
            json["type_errors"] = request.type_errors.unwrap_or(self.0.type_errors).name().into();
        }
        let work = Work::Code { runtime: request.language.runtime(), fresh: request.clear_context };
        let content = Content::Code(json);
        self.submit(request.call, work, content, Time::Limited(request.timeout), None)
    }

    /// Runs a command, beside everything else.
    pub fn command(&self, request: CommandRequest) -> Result<Call> {
        let time = if request.unlimited { Time::Sessions } else { Time::Limited(request.timeout) };
        self.submit(request.call, Work::Command, Content::Command(request.argv), time, None)
    }

    pub(crate) fn submit(
        &self,
        call: CallId,
        work: Work,
        content: Content,
        time: Time,
        answer: Option<oneshot::Sender<Answer>>,
    ) -> Result<Call> {
        if call == CallId::NONE || !self.0.known.lock().unwrap_or_else(PoisonError::into_inner).insert(call) {
            return Err(Error::KnownCall(call));
        }
        let (items, received) = queue();
        self.send(Message::Submit(Box::new(Submission { call, work, content, time, items, answer })))?;
        Ok(Call { id: call, items: received, report: None })
    }

    /// Interrupts a call; one that waits is taken from the line. Of a call that has ended, or never was, nothing comes.
    pub fn interrupt(&self, call: CallId) {
        let _ = self.0.inbox.send(Message::Interrupt(call));
    }

    /// What earlier calls' leftovers say while no code runs or waits, once there is something; nothing of a session that
    /// has ended. Whoever asks later takes the place of whoever waits. May be given up: what was not given is for the next
    /// call.
    pub async fn late(&self) -> Vec<Event> {
        let (listener, given) = oneshot::channel();
        let _ = self.0.inbox.send(Message::Late(listener));
        given.await.unwrap_or_default()
    }

    /// Gives the session a fresh interpreter of this language, after what was sent before. The others keep what they have.
    pub async fn clear(&self, language: Language) -> Result<Report> {
        let call = crate::engine::new_call_id()?;
        let request = ExecuteRequest { clear_context: true, language, ..ExecuteRequest::new(call, "") };
        Ok(self.execute(request)?.report().await)
    }

    /// Ends the session: what runs is interrupted, what waits is not run, what changed in the workspace is saved, and
    /// nothing is left of the cell. When this returns without an error, what was saved is durable.
    pub async fn stop(&self) -> Result<()> {
        let _ = self.0.inbox.send(Message::End);
        self.ended().await
    }

    /// Waits until the session has ended, whoever ended it.
    pub async fn ended(&self) -> Result<()> {
        let mut life = self.0.life.clone();
        while life.changed().await.is_ok() {}
        let ended = match &*life.borrow() {
            Life::Ended(Some(error)) => Some(error.clone()),
            Life::Ended(None) | Life::Lives => None,
        };
        match ended {
            None => Ok(()),
            Some(fate) => Err(fate.error()),
        }
    }

    /// Whether it has ended, and everything of it is done.
    pub fn has_ended(&self) -> bool {
        matches!(&*self.0.life.borrow(), Life::Ended(_))
    }

    pub(crate) fn send(&self, message: Message) -> Result<()> {
        self.0.inbox.send(message).map_err(|_| Error::Ended)
    }
}

/// A call that was sent. Dropping it does not stop it.
#[derive(Debug)]
pub struct Call {
    id: CallId,
    items: Receiver,
    report: Option<Report>,
}

impl Call {
    /// Its id.
    pub fn id(&self) -> CallId {
        self.id
    }

    /// What happens next in it; `None` when it has ended. May be given up at any time.
    pub async fn next(&mut self) -> Option<Event> {
        if self.report.is_some() {
            return None;
        }
        match self.items.next().await {
            Taken::Event(event) => Some(event),
            Taken::Report(report) => {
                self.report = Some(*report);
                None
            }
            Taken::Nothing => None,
        }
    }

    /// How it ended, once it has; events that were not taken are passed over.
    pub async fn report(mut self) -> Report {
        while self.next().await.is_some() {}
        self.report.unwrap_or_else(|| untaken(self.id))
    }

    /// Everything that happened in it, and how it ended.
    pub async fn collect(mut self) -> (Vec<Event>, Report) {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        let report = self.report.unwrap_or_else(|| untaken(self.id));
        (events, report)
    }
}

/// The report of a call that came when the session was about to be gone.
fn untaken(call: CallId) -> Report {
    Report {
        call,
        outcome: Outcome::SessionEnded,
        variables: Survival::Lost,
        raised: None,
        exit_status: None,
        execution_count: None,
        elapsed: Duration::ZERO,
        cpu: None,
        memory_peak: None,
        written: 0,
        output_file: None,
        fresh_kernel: false,
    }
}
