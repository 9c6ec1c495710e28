//! How messages come here: over the server's HTTP at `/mcp`, and over this process's standard streams.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use rmcp::ServiceExt;
use rmcp::transport::streamable_http_server::session::local::{LocalSessionManager, SessionConfig};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use session::Principal;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{IDLE, Tools, Transport};
use crate::state::Service;

/// Where MCP is.
pub(crate) const PATH: &str = "/mcp";
/// The largest message, bytes: files come in base 64.
const MESSAGE: usize = 32 << 20;

/// MCP over HTTP.
pub(crate) struct Http {
    service: StreamableHttpService<Tools, LocalSessionManager>,
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
        let tools = move || Ok(Tools::new(service.clone(), Transport::Http));
        let service = StreamableHttpService::new(tools, Arc::new(sessions), options);
        Http { service }
    }

    /// Answers a request.
    pub(crate) async fn serve(&self, mut request: Request<Body>, principal: Principal) -> Response<Body> {
        request.extensions_mut().insert(principal);
        self.service.handle(request).await.map(Body::new)
    }

    /// Ends the streams that clients only listen on; nothing else would.
    pub(crate) fn close(&self) {
        self.service.config.cancellation_token.cancel();
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
        let running = tools.serve((reader, writer)).await.map_err(std::io::Error::other)?;
        running.waiting().await.map_err(std::io::Error::other).map(|_| ())
    };
    let ended = tokio::select! {
        ended = served => ended,
        () = &mut stop => Ok(()),
    };
    service.conversations.end(number).await;
    ended
}
