//! Posting messages to the server: one request of HTTP, on a connection of its own.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Bridge;
use super::message::Message;

/// How long a server that does not answer is tried, since it may be restarting.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it takes until it is tried again.
const PAUSE: Duration = Duration::from_millis(250);
/// The header that names a connection.
pub(super) const CONNECTION: &str = "mcp-session-id";
/// The header that names the revision of the protocol.
const REVISION: &str = "mcp-protocol-version";

/// Why a message was not answered.
pub(super) enum Failure {
    /// There is no server.
    Unreachable(String),
    /// It does not know the connection of this name.
    Unknown(Option<HeaderValue>),
    /// Anything else.
    Other(String),
}

pub(super) fn cut_off(error: &hyper::Error) -> Failure {
    Failure::Other(format!("the answer was cut off: {error}"))
}

impl Bridge {
    /// Posts a message; tries a while if nobody is there.
    pub(super) async fn post(&self, message: &Message) -> Result<Response<Incoming>, Failure> {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let request = self.request(Method::POST, Some(message))?;
            match self.exchange(request).await {
                Err(Failure::Unreachable(why)) => {
                    // Before there is a connection, a client is better told at once.
                    if self.connection().id.is_none() || tokio::time::Instant::now() > until {
                        return Err(Failure::Unreachable(why));
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                done => return done,
            }
        }
    }

    pub(super) fn request(
        &self,
        method: Method,
        message: Option<&Message>,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let connection = self.connection();
        let mut request = Request::builder()
            .method(method)
            .uri(&self.target.path)
            .header(HOST, &self.target.authority)
            .header(ACCEPT, "application/json, text/event-stream");
        let begins = message.is_some_and(Message::begins);
        if let Some(id) = connection.id.as_ref().filter(|_| !begins) {
            request = request.header(CONNECTION, id);
        }
        let revision = message.and_then(|message| message.revision.as_ref());
        if let Some(revision) = revision.or(connection.revision.as_ref().filter(|_| !begins)) {
            request = request.header(REVISION, revision);
        }
        let mut body = Bytes::new();
        if let Some(message) = message {
            request = request.header(CONTENT_TYPE, "application/json");
            let own = [("mcp-method", &message.method), ("mcp-name", &message.name)];
            for (name, value) in own {
                if let Some(value) = value.as_ref().filter(|_| message.revision.is_some()) {
                    request = request.header(name, value);
                }
            }
            body = message.text.clone();
        }
        request
            .body(Full::new(body))
            .map_err(|error| Failure::Other(format!("the message cannot be sent: {error}")))
    }

    /// One request on a connection of its own, so that hanging up is heard.
    pub(super) async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Failure> {
        let stream = TcpStream::connect(&self.target.authority).await;
        let stream = stream.map_err(|error| Failure::Unreachable(error.to_string()))?;
        let _ = stream.set_nodelay(true);
        let made = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = made.map_err(|error| Failure::Unreachable(error.to_string()))?;
        tokio::spawn(connection);
        let sent = sender.send_request(request).await;
        sent.map_err(|error| Failure::Other(format!("the server did not answer: {error}")))
    }
}
