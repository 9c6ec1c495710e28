//! MCP: the tools of the published `code-interpreter` skill, for agents, over stdio and streamable HTTP.
//!
//! What a model does wrong is answered in words that it can act on, as a result that is an error: what happened, what
//! is still there, what to try. Errors of the protocol are for what no tool was asked for. The library speaks the
//! protocol's revisions; here is what they carry.
//!
//! **Invariants.** A tool answers at once while an environment is being installed, and says how far that is. Whoever
//! goes away, or cancels, interrupts the call and not the session. What is given is bounded: texts, pictures, data,
//! lists.

mod arguments;
mod call;
mod collected;
mod conversations;
mod cut;
mod directory;
mod files;
mod hints;
mod lines;
mod output_file;
mod progress;
mod reply;
mod resources;
mod saved;
mod sort;
mod tools;
mod transport;
mod uri;
mod wanted;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::request::Parts;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, Implementation, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::{ErrorData, ServerHandler};
use session::Principal;

use crate::state::Service;
use arguments::{Arguments, shown};
use conversations::{Caller, Conversation};
use hints::Place;
use reply::{Refusal, Reply};
use wanted::Wanted;

pub(crate) use conversations::Conversations;
pub use transport::stdio;
pub(crate) use transport::{Http, PATH};

/// How long a session lives that nobody calls, where callers come and go.
const IDLE: Duration = Duration::from_secs(900);
/// The header that names a connection.
const CONNECTION: &str = "mcp-session-id";
/// How long lists of tools may be kept.
const FRESH: Duration = Duration::from_secs(3600);

/// The tools of one connection, or of one request where there are no connections.
#[derive(Debug, Clone)]
pub(crate) struct Tools(Arc<Connection>);

#[derive(Debug)]
struct Connection {
    service: Arc<Service>,
    number: u64,
    transport: Transport,
}

/// How a client came here.
#[derive(Debug)]
enum Transport {
    /// It started us; whatever it was configured with.
    Stdio {
        principal: Principal,
        workspace: Option<String>,
    },
    Http,
}

impl Drop for Connection {
    fn drop(&mut self) {
        let (service, number) = (self.service.clone(), self.number);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { service.conversations.end(number).await });
        }
    }
}

impl Tools {
    fn new(service: Arc<Service>, transport: Transport) -> Tools {
        let number = service.conversations.connection();
        Tools(Arc::new(Connection { service, number, transport }))
    }

    /// Who calls.
    fn caller(&self, context: &RequestContext<RoleServer>) -> Result<Caller, ErrorData> {
        match &self.0.transport {
            Transport::Stdio { principal, workspace } => Ok(Caller {
                principal: principal.clone(),
                conversation: Conversation::Connection(self.0.number),
                workspace: workspace.clone(),
                idle: None,
            }),
            Transport::Http => {
                let parts = context.extensions.get::<Parts>();
                let principal = parts.and_then(|parts| parts.extensions.get::<Principal>());
                let (Some(parts), Some(principal)) = (parts, principal) else {
                    return Err(ErrorData::internal_error("the request has no principal", None));
                };
                let connected = parts.headers.contains_key(CONNECTION) && !is_stateless(context);
                let conversation =
                    if connected { Conversation::Connection(self.0.number) } else { Conversation::Principal };
                let query = parts.uri.query().unwrap_or("").as_bytes();
                let workspace = form_urlencoded::parse(query).find(|(key, _)| key == "workspace");
                Ok(Caller {
                    principal: principal.clone(),
                    conversation,
                    workspace: workspace.map(|(_, name)| name.into_owned()),
                    idle: Some(IDLE),
                })
            }
        }
    }

    async fn call(
        &self,
        name: &'static str,
        given: CallToolRequestParams,
        caller: &Caller,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, Refusal> {
        let service = &self.0.service;
        let mut arguments = Arguments::new(name, given.arguments);
        let session = arguments.words("session_id")?;
        let wanted = Wanted::of(name, &mut arguments)?;
        let (mut reply, nothing) = match wanted {
            Wanted::OfFiles(wanted) => {
                let workspace = service.workspace_of(caller, session.as_deref())?;
                let mut reply = Reply::without_session(&workspace);
                wanted.carry_out(&workspace, &mut reply).await?;
                (reply, "Done.")
            }
            Wanted::OfSession(wanted) => {
                let held = service.held(caller, session.as_deref()).await?;
                let (mut reply, nothing) = (Reply::of(&held), wanted.nothing());
                let place = Place::of(&service.bounds.network, service.environment());
                wanted.carry_out(&held, &place, &mut reply, context).await?;
                (reply, nothing)
            }
        };
        reply.first_some(arguments.unknown());
        Ok(reply.answer(nothing))
    }
}

/// Whether a request stands alone, as it does from revision 2026-07-28 on.
fn is_stateless(context: &RequestContext<RoleServer>) -> bool {
    context
        .protocol_version()
        .is_some_and(|version| version.as_str() >= rmcp::model::ProtocolVersion::V_2026_07_28.as_str())
}

impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        let capabilities =
            ServerCapabilities::builder().enable_tools().enable_resources().enable_prompts().build();
        let ours = Implementation::new("cellblock", env!("CARGO_PKG_VERSION")).with_title("cellblock");
        ServerConfig::new(capabilities).with_server_info(ours).with_instructions(tools::INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let list = ListToolsResult::with_all_items(tools::TOOLS.clone());
        Ok(list.with_ttl_ms(FRESH.as_millis() as u64).with_cache_scope(CacheScope::Public))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tools::named(name).map(|(_, tool)| tool.clone())
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let cursor = request.and_then(|request| request.cursor);
        resources::list(&self.0.service, &self.caller(&context)?, cursor.as_deref()).await
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let list = ListResourceTemplatesResult::with_all_items(vec![resources::template()]);
        Ok(list.with_ttl_ms(FRESH.as_millis() as u64).with_cache_scope(CacheScope::Public))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let read = resources::read(&self.0.service, &self.caller(&context)?, &request.uri).await?;
        Ok(read.into())
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let list = ListPromptsResult::with_all_items(Vec::new());
        Ok(list.with_ttl_ms(FRESH.as_millis() as u64).with_cache_scope(CacheScope::Public))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some((name, _)) = tools::named(&request.name) else {
            return Err(ErrorData::invalid_params(
                format!("there is no tool `{}`", shown(&request.name)),
                None,
            ));
        };
        let _running = self.0.service.conversations.begin();
        let (caller, begun) = (self.caller(&context)?, Instant::now());
        let result = self.call(name, request, &caller, &context).await.unwrap_or_else(Refusal::answer);
        let (wrong, ms) = (result.is_error == Some(true), begun.elapsed().as_millis() as u64);
        tracing::info!(tool = name, wrong, ms, "a tool has run");
        Ok(result.into())
    }
}
