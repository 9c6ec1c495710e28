//! How messages come here: over the server's HTTP at `/mcp`, and over this process's standard streams.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use rmcp::ServiceExt;
use rmcp::transport::streamable_http_server::session::local::{LocalSessionManager, SessionConfig};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use session::Principal;
use tokio::io::{AsyncRead, AsyncWrite};

use super::lines::Lines;
use super::{CONNECTION, IDLE, Tools, Transport};
use crate::body;
use crate::fault::{Fault, Kind};
use crate::state::Service;

/// Where MCP is.
pub(crate) const PATH: &str = "/mcp";
/// The largest message, bytes: files come in base 64.
const MESSAGE: usize = 32 << 20;

/// The most connections that are open at the same time; each costs some memory until it is closed or forgotten.
const CONNECTIONS: usize = 4096;

/// MCP over HTTP.
pub(crate) struct Http {
    service: Arc<Service>,
    connections: Arc<LocalSessionManager>,
    streamable: StreamableHttpService<Tools, LocalSessionManager>,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

impl Http {
    pub(crate) fn new(service: Arc<Service>) -> Http {
        let longest = Duration::from_millis(service.bounds.limits.call_ms);
        let mut config = SessionConfig::default();
        // A connection must outlast its longest call, which may be silent.
        config.keep_alive = Some(longest.max(IDLE) + Duration::from_secs(60));
        let mut sessions = LocalSessionManager::default();
        sessions.session_config = config;
        // Host and Origin have been checked, for all paths alike.
        let options = StreamableHttpServerConfig::default()
            .disable_allowed_hosts()
            .with_max_request_body_bytes(MESSAGE);
        let connections = Arc::new(sessions);
        let edge = service.clone();
        let tools = move || Ok(Tools::new(edge.clone(), Transport::Http));
        let streamable = StreamableHttpService::new(tools, connections.clone(), options);
        Http { service, connections, streamable }
    }

    /// Answers a request.
    pub(crate) async fn serve(&self, request: Request<Body>, principal: Principal) -> Response<Body> {
        let (mut head, body) = request.into_parts();
        let opens = head.method == Method::POST && !head.headers.contains_key(CONNECTION);
        if opens && self.connections.sessions.read().await.len() >= CONNECTIONS {
            let message = "this server has as many connections open as it may; close some, or wait";
            return Fault::new(Kind::Throttling, message).response();
        }
        let (body, memory) = match body::read(body, &head.headers, MESSAGE as u64, &self.service.bodies).await
        {
            Ok(read) => read,
            Err(fault) => return fault.response(),
        };
        // Held as long as what was read from the body.
        head.extensions.insert(Arc::new(memory));
        head.extensions.insert(principal);
        let ends = head.method == Method::DELETE;
        let request = Request::from_parts(head, Body::from(body));
        let mut response = self.streamable.handle(request).await.map(Body::new);
        if ends && response.status() == StatusCode::ACCEPTED {
            // Clients take nothing else for a connection's end.
            *response.status_mut() = StatusCode::NO_CONTENT;
        }
        response
    }

    /// Ends what clients only listen on, when no call runs any more.
    pub(crate) async fn close(&self) {
        self.service.conversations.idle().await;
        self.streamable.config.cancellation_token.cancel();
    }
}

/// Serves one client over these streams until it goes, or until `stop` says so. Its session has ended when this returns,
/// and what it saved is durable.
pub async fn stdio<R, W>(
    service: Arc<Service>,
    workspace: Option<String>,
    (reader, writer): (R, W),
    stop: impl Future<Output = ()>,
) -> std::io::Result<()>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let transport = Transport::Stdio { principal: Principal::local(), workspace };
    let tools = Tools::new(service.clone(), transport);
    let number = tools.0.number;
    tokio::pin!(stop);
    let served = async {
        let lines = Lines::new(reader, writer, MESSAGE);
        let running = tools.serve(lines).await.map_err(std::io::Error::other)?;
        running.waiting().await.map_err(std::io::Error::other).map(|_| ())
    };
    let ended = tokio::select! {
        ended = served => ended,
        () = &mut stop => Ok(()),
    };
    service.conversations.end(number).await;
    ended
}
