//! `cellblock mcp --url`: hands messages on between standard streams and a server that runs.
//!
//! Each line is posted; what comes back, at once or as a stream of events, becomes lines. The bridge understands no more
//! of a message than it must: who begins a connection, who is cancelled, what a request is called. A server that was
//! restarted does not know the connection any more: it is begun again, once, as the client began it, and the next answer
//! says that variables are gone.

mod message;
mod post;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use session::workspace::WorkspaceName;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{AbortHandle, JoinSet};

use super::events::Events;
use super::target::Target;
use message::Message;
use post::{CONNECTION, Failure, cut_off};

/// The longest message of a client, bytes.
const LONGEST: u64 = 32 << 20;
/// How many requests are under way at the same time.
const AT_ONCE: usize = 64;
/// How long answers may take once the client has no more to ask.
const GRACE: Duration = Duration::from_secs(5);

/// Hands messages on until the client goes; gives the exit status.
pub(super) fn run(target: Target, workspace: Option<&WorkspaceName>) -> anyhow::Result<u8> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let handed = runtime.block_on(hand_on(target.with_workspace(workspace)));
    runtime.shutdown_timeout(Duration::from_millis(100));
    handed.map(|()| 0)
}

/// What is known of the connection.
#[derive(Debug, Default)]
struct Connection {
    /// Its name, if the server gave it one.
    id: Option<HeaderValue>,
    /// The revision that was agreed on.
    revision: Option<String>,
    /// How the client began it.
    begun: Option<Bytes>,
    /// Whether the next answer of a tool must say that it was begun again.
    renewed: bool,
    /// Requests that are under way, by their ids.
    running: HashMap<String, AbortHandle>,
}

#[derive(Debug)]
struct Bridge {
    target: Target,
    lines: mpsc::Sender<Bytes>,
    connection: Mutex<Connection>,
    /// Held by whoever begins the connection again.
    renewing: tokio::sync::Mutex<()>,
}

async fn hand_on(target: Target) -> anyhow::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (lines, answers) = mpsc::channel(64);
    let writer = tokio::spawn(write(answers));
    let bridge = Arc::new(Bridge {
        target,
        lines,
        connection: Mutex::default(),
        renewing: tokio::sync::Mutex::default(),
    });
    let reading = read(bridge.clone());
    let running = tokio::select! {
        running = reading => running?,
        _ = interrupt.recv() => JoinSet::new(),
        _ = terminate.recv() => JoinSet::new(),
    };
    let _ = tokio::time::timeout(GRACE, running.join_all()).await;
    let _ = tokio::time::timeout(GRACE, bridge.end()).await;
    drop(bridge);
    let _ = tokio::time::timeout(GRACE, writer).await;
    Ok(())
}

/// Reads what the client sends, until it sends no more; gives what is still under way.
async fn read(bridge: Arc<Bridge>) -> anyhow::Result<JoinSet<()>> {
    let mut input = BufReader::new(tokio::io::stdin());
    let (mut running, places) = (JoinSet::new(), Arc::new(Semaphore::new(AT_ONCE)));
    loop {
        let mut line = Vec::new();
        let read = (&mut input).take(LONGEST + 1).read_until(b'\n', &mut line).await?;
        if read == 0 {
            return Ok(running);
        }
        if line.len() as u64 > LONGEST {
            while !line.is_empty() && !line.ends_with(b"\n") {
                line.clear();
                (&mut input).take(LONGEST).read_until(b'\n', &mut line).await?;
            }
            bridge.refuse(-32600, "this message has more than 32 MiB and was not handed on").await;
            continue;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&line) {
            bridge.refuse(-32700, &format!("this line is no JSON: {error}")).await;
            continue;
        }
        let message = Message::of(line.into());
        while running.try_join_next().is_some() {}
        if let Some(cancelled) = &message.cancels
            && bridge.cancel(cancelled)
        {
            continue;
        }
        let waits = message.id.is_none() || message.begins();
        let (bridge, place) = (bridge.clone(), places.clone().acquire_owned().await?);
        if waits {
            // What begins a connection, and what needs no answer, keeps its place in the order.
            bridge.carry(message).await;
            continue;
        }
        let id = message.id.as_ref().map(Value::to_string).unwrap_or_default();
        let carried = bridge.clone();
        let key = id.clone();
        let task = running.spawn(async move {
            carried.carry(message).await;
            carried.connection().running.remove(&key);
            drop(place);
        });
        bridge.connection().running.insert(id, task);
    }
}

async fn write(mut answers: mpsc::Receiver<Bytes>) -> std::io::Result<()> {
    let mut output = tokio::io::stdout();
    while let Some(line) = answers.recv().await {
        output.write_all(&line).await?;
        output.write_all(b"\n").await?;
        output.flush().await?;
    }
    Ok(())
}

impl Bridge {
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a request up by hanging up, where that is how it is done: without a connection nothing else is.
    fn cancel(&self, id: &Value) -> bool {
        let mut connection = self.connection();
        let running = connection.running.remove(&id.to_string());
        match running.filter(|_| connection.id.is_none()) {
            Some(running) => {
                running.abort();
                true
            }
            None => false,
        }
    }

    /// Answers what is no message, of which no id is known.
    async fn refuse(&self, code: i32, why: &str) {
        let answer = json!({ "jsonrpc": "2.0", "id": null, "error": { "code": code, "message": why } });
        let _ = self.lines.send(answer.to_string().into()).await;
    }

    /// Sends a message, and hands on what is answered.
    async fn carry(&self, message: Message) {
        let failure = match self.send(&message).await {
            Ok(()) => return,
            Err(Failure::Unknown(unknown)) => match self.renew(unknown).await {
                Ok(()) => self.send(&message).await.err(),
                Err(failure) => Some(failure),
            },
            Err(failure) => Some(failure),
        };
        let why = match failure {
            None => return,
            Some(Failure::Unreachable(why)) => {
                format!(
                    "cellblock: there is no server at {}: {why}; is `cellblock serve` running?",
                    self.target
                )
            }
            Some(Failure::Unknown(_)) => "cellblock: the server does not know this connection".to_owned(),
            Some(Failure::Other(why)) => format!("cellblock: {why}"),
        };
        tracing::warn!("{why}");
        if let Some(id) = message.id {
            let error = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32000, "message": why } });
            self.say(error.to_string().into()).await;
        }
    }

    async fn say(&self, line: Bytes) {
        let _ = self.lines.send(line).await;
    }

    async fn send(&self, message: &Message) -> Result<(), Failure> {
        let begins = message.begins();
        if begins {
            *self.connection() = Connection { begun: Some(message.text.clone()), ..Connection::default() };
        }
        let used = self.connection().id.clone();
        let response = self.post(message).await?;
        if begins {
            self.connection().id = response.headers().get(CONNECTION).cloned();
        }
        let status = response.status();
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
        if kind.starts_with("text/event-stream") {
            return self.follow(response.into_body(), message).await;
        }
        let is_json = kind.starts_with("application/json");
        if status == StatusCode::NOT_FOUND && used.is_some() && !is_json {
            return Err(Failure::Unknown(used));
        }
        let body = response.into_body().collect().await.map_err(|error| cut_off(&error))?.to_bytes();
        let said: Value = serde_json::from_slice(&body).unwrap_or_default();
        if is_json && said.get("jsonrpc").is_some() {
            self.hand_back(said, begins).await;
            return Ok(());
        }
        if status.is_success() {
            return Ok(());
        }
        let text = said["message"]
            .as_str()
            .map_or_else(|| String::from_utf8_lossy(&body).chars().take(300).collect(), str::to_owned);
        Err(Failure::Other(format!("the server answered with status {}: {text}", status.as_u16())))
    }

    /// Hands on what comes as events, until the answer has come.
    async fn follow(&self, mut body: Incoming, message: &Message) -> Result<(), Failure> {
        let (mut events, mut answered) = (Events::default(), message.id.is_none());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| cut_off(&error))?;
            let Some(data) = frame.data_ref() else { continue };
            for event in events.take(data).map_err(|why| Failure::Other(why.to_owned()))? {
                let Ok(value) = serde_json::from_slice::<Value>(&event) else { continue };
                answered |= value.get("method").is_none() && value.get("id") == message.id.as_ref();
                self.hand_back(value, message.begins()).await;
            }
        }
        if answered {
            Ok(())
        } else {
            Err(Failure::Other("the server hung up before it answered".to_owned()))
        }
    }

    /// Hands one message of the server on, on one line.
    async fn hand_back(&self, mut message: Value, begins: bool) {
        {
            let mut connection = self.connection();
            if begins && let Some(revision) = message["result"]["protocolVersion"].as_str() {
                connection.revision = Some(revision.to_owned());
            }
            if connection.renewed
                && let Some(content) = message["result"]["content"].as_array_mut()
            {
                let text =
                    "The server was restarted: variables of earlier calls are gone, saved files are not.";
                content.insert(0, json!({ "type": "text", "text": text }));
                connection.renewed = false;
            }
        }
        self.say(message.to_string().into()).await;
    }

    /// Begins the connection again, as the client began it, unless somebody else has.
    async fn renew(&self, unknown: Option<HeaderValue>) -> Result<(), Failure> {
        let _alone = self.renewing.lock().await;
        let (begun, now) = {
            let connection = self.connection();
            (connection.begun.clone(), connection.id.clone())
        };
        if now != unknown {
            return Ok(());
        }
        let Some(begun) = begun else { return Err(Failure::Unknown(unknown)) };
        let response = self.post(&Message::of(begun)).await?;
        let id = response.headers().get(CONNECTION).cloned();
        // The client has had this answer.
        let _ = response.into_body().collect().await;
        {
            let mut connection = self.connection();
            connection.id = id;
            connection.renewed = true;
        }
        let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string();
        self.post(&Message::of(initialized.into())).await?;
        tracing::warn!("the server was restarted; the connection was begun again");
        Ok(())
    }

    /// Tells the server that nobody comes any more.
    async fn end(&self) {
        if self.connection().id.is_some() {
            let request = self.request(Method::DELETE, None);
            if let Ok(request) = request {
                let _ = self.exchange(request).await;
            }
        }
    }
}
