//! A session that a server holds, over its `/v1`: a connection for each request, JSON there, JSON or lines of it back.
//!
//! The server may be anybody's, so what it sends has bounds here, too. The wire is told in docs/v1.md.

use std::time::Duration;

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use session::{Event, MimeBundle, MimeData, MimeParts, Raised};
use tokio::net::TcpStream;

use super::enter::Checked;
use super::kernel::{Completion, Ended};
use crate::hints::Hint;

/// How long a server may take to begin an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest answer that is no stream, bytes.
const ANSWER: usize = 16 << 20;
/// The longest line of a stream, bytes: a picture in base 64.
const LINE: usize = 64 << 20;

/// A session of a server.
#[derive(Debug)]
pub(crate) struct Client {
    server: Server,
    session: String,
    /// What every request about code says of it.
    about: Map<String, Value>,
}

/// A server.
#[derive(Debug)]
pub(crate) struct Server {
    /// As a person gave it.
    url: String,
    /// Host and port.
    authority: String,
}

/// What is told of an open session.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Listed {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    age_seconds: u64,
}

#[derive(Deserialize)]
struct Sessions {
    sessions: Vec<Listed>,
}

impl Server {
    /// The server at this URL.
    pub(crate) fn new(url: &str) -> anyhow::Result<Server> {
        let wrong =
            || Hint::new(format!("understand the URL `{url}`"), "it is one as `http://127.0.0.1:8080`");
        let authority = url.strip_prefix("http://").ok_or_else(wrong)?.trim_end_matches('/');
        let plain = |c: char| c.is_ascii_alphanumeric() || ".:-[]".contains(c);
        if authority.is_empty() || !authority.chars().all(plain) {
            return Err(wrong().into());
        }
        let port = authority.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok());
        let authority = if port { authority.to_owned() } else { format!("{authority}:80") };
        Ok(Server { url: url.to_owned(), authority })
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Response<Incoming>> {
        let connected = TcpStream::connect(&self.authority).await.map_err(|error| {
            let what = format!("reach a server at `{}`", self.url);
            Hint::new(what, "`cellblock serve` starts one; `--url` names another").because(error)
        })?;
        let _ = connected.set_nodelay(true);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(connected)).await?;
        tokio::spawn(connection);
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.authority)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))?;
        let answer = tokio::time::timeout(PATIENCE, sender.send_request(request)).await;
        let answer = answer.context("hear from the server in time")?.context("hear from the server")?;
        if answer.status() == StatusCode::OK {
            return Ok(answer);
        }
        let status = answer.status();
        let told: Value = read(answer).await.unwrap_or_default();
        let message = told["error"]["message"].as_str().unwrap_or("it says no more");
        anyhow::bail!("be served ({status}): {}", crate::printer::name(message));
    }

    /// The session of this id or name, for code that every request says this about.
    pub(crate) async fn find(self, wanted: &str, about: Map<String, Value>) -> anyhow::Result<Client> {
        let Sessions { sessions } = read(self.ask(Method::GET, "/v1/sessions", None).await?).await?;
        let is_it = |listed: &&Listed| listed.id == wanted || listed.name.as_deref() == Some(wanted);
        let Some(found) = sessions.iter().find(is_it) else {
            let told: Vec<String> = sessions.iter().take(10).map(Listed::told).collect();
            let remedy = match told.as_slice() {
                [] => "the server has none open".to_owned(),
                told => format!("open are: {}", told.join(", ")),
            };
            let what = format!("find the session `{}` at `{}`", crate::printer::name(wanted), self.url);
            return Err(Hint::new(what, remedy).into());
        };
        let session = found.id.clone();
        anyhow::ensure!(session.chars().all(|c| c.is_ascii_alphanumeric()), "understand the session's id");
        Ok(Client { server: self, session, about })
    }
}

impl Listed {
    fn told(&self) -> String {
        let name = self.name.as_deref().map(|name| format!(" ({})", crate::printer::name(name)));
        let minutes = self.age_seconds / 60;
        format!("{}{}, {minutes} min old", crate::printer::name(&self.id), name.unwrap_or_default())
    }
}

/// An answer that is no stream.
async fn read<T: DeserializeOwned>(answer: Response<Incoming>) -> anyhow::Result<T> {
    let body = Limited::new(answer.into_body(), ANSWER).collect();
    let body = tokio::time::timeout(PATIENCE, body).await.context("hear all from the server in time")?;
    let body = body.map_err(|error| anyhow::anyhow!("hear all from the server: {error}"))?;
    serde_json::from_slice(&body.to_bytes()).context("understand the server")
}

#[derive(Deserialize)]
struct Completed {
    start: usize,
    matches: Vec<Match>,
}

#[derive(Deserialize)]
struct Match {
    text: String,
}

#[derive(Deserialize)]
struct ToldCheck {
    status: String,
    #[serde(default)]
    indent: usize,
}

impl Client {
    /// The session's id.
    pub(crate) fn session(&self) -> &str {
        &self.session
    }

    fn about(&self, mut body: Value) -> Value {
        if let Some(body) = body.as_object_mut() {
            body.extend(self.about.clone());
        }
        body
    }

    async fn post(&self, operation: &str, body: &Value) -> anyhow::Result<Response<Incoming>> {
        let path = format!("/v1/sessions/{}/{operation}", self.session);
        self.server.ask(Method::POST, &path, Some(body)).await
    }

    pub(super) async fn execute(&self, code: &str, timeout: Option<Duration>) -> anyhow::Result<Stream> {
        let timeout = timeout.map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
        let body = self.about(json!({ "code": code, "timeout_ms": timeout }));
        let answer = self.post("execute", &body).await?;
        let mut stream = Stream {
            body: answer.into_body(),
            read: BytesMut::new(),
            looked: 0,
            call: String::new(),
            ended: None,
        };
        let first = stream.message().await?.context("hear from the server: it said nothing")?;
        first["call"].as_str().unwrap_or_default().clone_into(&mut stream.call);
        Ok(stream)
    }

    pub(super) async fn complete(&self, code: &str, cursor: usize) -> anyhow::Result<Completion> {
        let body = self.about(json!({ "code": code, "cursor": cursor }));
        let answer = self.post("complete", &body).await?;
        let Completed { start, matches } = read(answer).await?;
        Ok(Completion { start, matches: matches.into_iter().map(|found| found.text).collect() })
    }

    pub(super) async fn check(&self, code: &str) -> anyhow::Result<Checked> {
        let told: ToldCheck = read(self.post("check", &self.about(json!({ "code": code }))).await?).await?;
        let part = told.status == "incomplete";
        Ok(if part { Checked::Part(told.indent) } else { Checked::Whole })
    }

    pub(super) async fn interrupt(&self, call: &str) -> anyhow::Result<()> {
        self.post("interrupt", &json!({ "call": call })).await.map(drop)
    }
}

/// The events of a call, as they come.
#[derive(Debug)]
pub(crate) struct Stream {
    body: Incoming,
    read: BytesMut,
    /// How much of what was read has no end of a line in it.
    looked: usize,
    call: String,
    ended: Option<Ended>,
}

impl Stream {
    pub(super) fn call(&self) -> &str {
        &self.call
    }

    /// The next event; none when the call has ended. May be given up at any time.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<Event>> {
        while self.ended.is_none() {
            let Some(mut message) = self.message().await? else {
                anyhow::bail!("hear how the call ended: the server went away, and the call may go on");
            };
            if message["type"] == "report" {
                self.ended = Some(ended(&message));
            } else if let Some(event) = event(&mut message) {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    pub(super) fn end(self) -> anyhow::Result<Ended> {
        self.ended.context("hear how the call ended")
    }

    async fn message(&mut self) -> anyhow::Result<Option<Value>> {
        loop {
            if let Some(at) = self.read[self.looked..].iter().position(|byte| *byte == b'\n') {
                let line = self.read.split_to(self.looked + at + 1);
                self.looked = 0;
                return serde_json::from_slice(&line).context("understand the server").map(Some);
            }
            self.looked = self.read.len();
            anyhow::ensure!(self.looked <= LINE, "understand the server: a line is too long");
            match self.body.frame().await {
                None => return Ok(None),
                Some(frame) => {
                    if let Ok(data) = frame.context("hear from the server")?.into_data() {
                        self.read.extend_from_slice(&data);
                    }
                }
            }
        }
    }
}

/// A message as an event; none for what this program does not know.
fn event(message: &mut Value) -> Option<Event> {
    let text = |message: &Value| message["text"].as_str().map(str::to_owned);
    let late = message["late"] == true;
    match message["type"].as_str()? {
        "stdout" if late => Some(Event::LateStdout(text(message)?.into())),
        "stdout" => Some(Event::Stdout(text(message)?.into())),
        "stderr" if late => Some(Event::LateStderr(text(message)?.into())),
        "stderr" => Some(Event::Stderr(text(message)?.into())),
        "notice" => Some(Event::Notice(text(message)?)),
        "display" => Some(Event::Display(bundle(message))),
        "result" => Some(Event::Result(bundle(message))),
        _ => None,
    }
}

fn bundle(message: &mut Value) -> MimeBundle {
    let data = match message["data"].take() {
        Value::Object(data) => data,
        _ => Map::new(),
    };
    let form = |(mime, value): (String, Value)| {
        let binary = mime == "application/pdf"
            || (mime.starts_with("image/") && mime != "image/svg+xml")
            || mime.starts_with("audio/")
            || mime.starts_with("video/");
        let data = match value {
            Value::String(text) if binary => {
                MimeData::Binary(STANDARD.decode(text).unwrap_or_default().into())
            }
            Value::String(text) => MimeData::Text(text),
            value => MimeData::Json(value),
        };
        (mime, data)
    };
    MimeParts {
        data: data.into_iter().map(form).collect(),
        metadata: message["metadata"].take(),
        display_id: message["display_id"].as_str().map(str::to_owned),
        update: message["update"] == true,
    }
    .into()
}

fn ended(message: &Value) -> Ended {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let outcome = text(&message["outcome"]);
    let error = &message["error"];
    let raised = error.is_object().then(|| Raised {
        name: text(&error["name"]),
        value: text(&error["value"]),
        traceback: text(&error["traceback"]),
    });
    let status = match outcome.as_str() {
        "ok" | "too_much_output" => 0,
        "raised" | "disk_full" => 1,
        "exited" => message["exit_status"].as_u64().map_or(1, |status| status.to_le_bytes()[0]),
        "timed_out" => 124,
        "interrupted" => 130,
        "out_of_memory" => 137,
        _ => crate::OUR_FAILURE,
    };
    let speaks = !matches!(outcome.as_str(), "ok" | "raised");
    Ended {
        complaint: speaks.then(|| crate::printer::name(&text(&message["message"]))),
        hint: None,
        raised,
        kept: message["variables_kept"] == true,
        count: message["execution_count"].as_u64(),
        elapsed: Duration::try_from_secs_f64(message["seconds"].as_f64().unwrap_or(0.0)).unwrap_or_default(),
        outcome,
        status,
        json: message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_those_of_servers() {
        let authority = |url: &str| Server::new(url).map(|server| server.authority).ok();
        assert_eq!(authority("http://127.0.0.1:8080").as_deref(), Some("127.0.0.1:8080"));
        assert_eq!(authority("http://localhost/").as_deref(), Some("localhost:80"));
        assert_eq!(authority("http://[::1]:9").as_deref(), Some("[::1]:9"));
        for wrong in ["https://x", "127.0.0.1:8080", "http://", "http://a/b", "http://u@h:1", "http://a b"] {
            assert_eq!(authority(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn messages_are_events() {
        let mut message = json!({ "type": "stdout", "text": "a" });
        assert_eq!(event(&mut message), Some(Event::Stdout("a".into())));
        let mut message = json!({ "type": "display", "data": { "image/png": "YWJj", "text/plain": "x", "application/json": [1] } });
        let Some(Event::Display(bundle)) = event(&mut message) else { panic!("{message}") };
        assert_eq!(bundle.get("image/png"), Some(&MimeData::Binary("abc".into())));
        assert_eq!(bundle.get("application/json"), Some(&MimeData::Json(json!([1]))));
        assert_eq!(bundle.text("text/plain"), Some("x"));
        assert_eq!(event(&mut json!({ "type": "alive" })), None);
        assert_eq!(event(&mut json!(3)), None);
    }

    #[test]
    fn a_report_is_an_end() {
        let told = json!({ "type": "report", "outcome": "exited", "message": "over", "variables_kept": false, "exit_status": 7, "seconds": 1.5 });
        let ended = ended(&told);
        assert_eq!((ended.status, ended.kept, ended.complaint.as_deref()), (7, false, Some("over")));
        assert_eq!(ended.elapsed, Duration::from_millis(1500));
    }
}
