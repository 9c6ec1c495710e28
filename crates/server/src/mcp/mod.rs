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
mod output_file;
mod progress;
mod reply;
mod saved;
mod sort;
mod tools;
mod transport;
mod uri;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::request::Parts;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, Implementation, ListPromptsResult,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::{ErrorData, ServerHandler};
use session::Principal;

use crate::state::Service;
use arguments::{Arguments, shown};
use call::Code;
use conversations::{Caller, Conversation, Held};
use files::Operation;
use hints::Place;
use reply::{Refusal, Reply};

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

/// What a call asks for.
enum Wanted {
    Code(Code),
    Command(String),
    Files(Operation),
    Push(Vec<String>),
    Read(String),
    List(String),
    Write { path: String, content: String, encoding: String },
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
        let mut arguments = Arguments::new(name, given.arguments);
        let session = arguments.words("session_id")?;
        let wanted = wanted(name, &mut arguments)?;
        let unknown = arguments.unknown();
        let service = &self.0.service;
        let place = Place::of(&service.bounds.network);
        let wanted = match wanted {
            // Whoever only looks at what is saved needs no session.
            Wanted::Read(_) | Wanted::List(_) | Wanted::Write { .. } => {
                let workspace = service.workspace_of(caller, session.as_deref())?;
                let mut reply = Reply::without_session(&workspace);
                reply.first_some(unknown);
                match wanted {
                    Wanted::Read(path) => saved::read(&workspace, &path, &mut reply).await?,
                    Wanted::List(path) => saved::list(&workspace, &path, &mut reply).await?,
                    Wanted::Write { path, content, encoding } => {
                        saved::write(&workspace, &path, content, &encoding, &mut reply).await?;
                    }
                    _ => {}
                }
                return Ok(reply.answer(otherwise(name)));
            }
            wanted => wanted,
        };
        let held = service.held(caller, session.as_deref()).await?;
        let mut reply = Reply::of(&held);
        reply.first_some(unknown);
        run(&held, wanted, &place, &mut reply, context).await?;
        Ok(reply.answer(otherwise(name)))
    }
}

/// What a call asks for, checked before a session is opened for it.
fn wanted(name: &str, arguments: &mut Arguments) -> Result<Wanted, Refusal> {
    match name {
        tools::EXECUTE_CODE => {
            let code = arguments.needed("code", "the code to run, as text")?;
            let language = arguments.words("language")?;
            check_language(language.as_deref().unwrap_or("python"))?;
            Ok(Wanted::Code(Code { code, output: arguments.words("output_filename")? }))
        }
        tools::EXECUTE_COMMAND => {
            Ok(Wanted::Command(arguments.needed("command", "the command line to run")?))
        }
        tools::PUSH => Ok(Wanted::Push(arguments.paths("paths")?)),
        tools::WORKSPACE_READ => Ok(Wanted::Read(
            arguments.needed("path", "which file to read; workspace_list tells what is there")?,
        )),
        tools::WORKSPACE_LIST => Ok(Wanted::List(arguments.words("path")?.unwrap_or_default())),
        tools::WORKSPACE_WRITE => {
            let path = arguments.needed("path", "where to write, such as \"uploads/data.csv\"")?;
            let encoding = arguments.words("encoding")?.unwrap_or_else(|| "text".to_owned());
            let content = arguments.text("content")?.ok_or_else(|| {
                Refusal::new(
                    "`content` is missing: what to write.",
                    "Call workspace_write again with `content`.",
                )
            })?;
            Ok(Wanted::Write { path, content, encoding })
        }
        _ => Ok(Wanted::Files(Operation::of(arguments)?)),
    }
}

fn check_language(language: &str) -> Result<(), Refusal> {
    let what = match language.trim().to_ascii_lowercase().as_str() {
        "python" | "python3" | "py" | "ipython" => return Ok(()),
        "javascript" | "js" | "node" | "nodejs" | "typescript" | "ts" | "deno" => {
            return Err(Refusal::new(
                format!("execute_code does not run {} yet; it runs python.", shown(language)),
                "Write the code to a file with file_operations, and run it with execute_command(\"node file.js\") where \
                 the sandbox has node.",
            ));
        }
        "bash" | "sh" | "shell" | "zsh" | "console" => {
            format!("`{}` is not a language of execute_code.", shown(language))
        }
        _ => {
            return Err(Refusal::new(
                format!("There is no language `{}`.", shown(language)),
                "Use \"python\".",
            ));
        }
    };
    Err(Refusal::new(what, "Call execute_command with the command instead."))
}

async fn run(
    held: &Held,
    wanted: Wanted,
    place: &Place,
    reply: &mut Reply,
    context: &RequestContext<RoleServer>,
) -> Result<(), Refusal> {
    match wanted {
        Wanted::Code(code) => call::code(held, code, place, reply, context).await,
        Wanted::Command(line) => call::command(held, &line, place, reply, context).await,
        Wanted::Files(operation) => operation.run(held, reply).await,
        Wanted::Push(paths) => saved::push(held, paths, reply).await,
        Wanted::Read(_) | Wanted::List(_) | Wanted::Write { .. } => Ok(()),
    }
}

/// What a tool says that has nothing to say.
fn otherwise(name: &str) -> &'static str {
    match name {
        tools::EXECUTE_CODE | tools::EXECUTE_COMMAND => "(no output)",
        _ => "Done.",
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
        Ok(list.with_ttl_ms(FRESH.as_millis() as u64).with_cache_scope(rmcp::model::CacheScope::Public))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tools::named(name).map(|(_, tool)| tool.clone())
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let list = ListPromptsResult::with_all_items(Vec::new());
        Ok(list.with_ttl_ms(FRESH.as_millis() as u64).with_cache_scope(rmcp::model::CacheScope::Public))
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
        let (caller, begun) = (self.caller(&context)?, Instant::now());
        let result = self.call(name, request, &caller, &context).await.unwrap_or_else(Refusal::answer);
        let (wrong, ms) = (result.is_error == Some(true), begun.elapsed().as_millis() as u64);
        tracing::info!(tool = name, wrong, ms, "a tool has run");
        Ok(result.into())
    }
}
