//! `cellblock shell`: a notebook in the terminal.
//!
//! It goes through the same engine as every session does, or joins a session that a server holds. Keys are read on a
//! thread of the editor's; code runs here, so that Ctrl-C stops the code and not the shell. What a cell says reaches
//! the terminal as text and colours alone.
//!
//! **Invariants.** Whatever ends the shell, its own session is stopped, so that its files are durable, and the terminal
//! is as it was. A session that was joined is left as it is.

mod client;
mod colour;
mod editor;
mod enter;
mod history;
mod keep;
mod kernel;
mod lexer;
mod options;
mod piped;
mod script;
mod show;
mod table;
mod talk;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use environment::{Environments, Installed};
use session::{Engine, EngineOptions, Kernels, Language, Principal, SessionOptions};

use crate::hints::Hint;
use crate::place::Places;
use crate::printer::Printer;
use crate::run::save::Out;
use crate::run::{self, Signals, language};
use crate::{environments, network, require};
use client::Server;
use kernel::Kernel;
pub(crate) use options::Shell;

/// How long threads may go on that nobody waits for.
const LINGER: Duration = Duration::from_secs(5);

/// Talks until it is enough; gives the exit status.
pub(crate) fn shell(options: &Shell, places: &Places, printer: Printer) -> anyhow::Result<u8> {
    let terminal = io::stdin().is_terminal();
    if terminal && !io::stdout().is_terminal() {
        let what = "open a shell: standard output is no terminal";
        return Err(Hint::new(what, "`cellblock run FILE` runs a program whose output goes elsewhere").into());
    }
    if terminal && options.json {
        let what = "open a shell with `--json`: standard input is a terminal";
        return Err(Hint::new(what, "give it code: `echo 'print(1)' | cellblock shell --json`").into());
    }
    // Before the engine is started: nothing is to be waited for in vain.
    let code = if terminal { None } else { Some(piped::read(io::stdin())?) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let status = match &options.session {
        Some(wanted) => runtime.block_on(joined(options, wanted, places, code, printer)),
        None => own(options, places, code, printer, &runtime),
    };
    runtime.shutdown_timeout(LINGER);
    status
}

/// A session that a server holds.
async fn joined(
    options: &Shell,
    wanted: &str,
    places: &Places,
    code: Option<String>,
    printer: Printer,
) -> anyhow::Result<u8> {
    let language = options.language.named()?;
    let client = Server::new(&options.url)?.find(wanted, options.language.about(language)).await?;
    if code.is_none() {
        printer.note(format_args!("joined the session {}; it goes on when you leave", client.session()));
    }
    converse(options, Arc::new(Kernel::there(client, language)), places, code, printer).await
}

/// A session of its own.
fn own(
    options: &Shell,
    places: &Places,
    code: Option<String>,
    printer: Printer,
    runtime: &tokio::runtime::Runtime,
) -> anyhow::Result<u8> {
    let language = options.language.named()?;
    let [mode, allow, private] = options.network.given();
    let config = run::configured(&[mode, allow, private, options.language.given()])?;
    network::warn(&config, network::Use::Session, printer);
    require::check(&config, network::Use::Session)?;
    let environments = Environments::new(&places.environments);
    let environment = environments::install(&environments, &options.env, printer)?;
    let (network, resolver) = (network::of(&config), network::resolver(&config)?);
    let limits = options.limits.of_calls(options.timeout);
    let files = keep::Files::new(&options.workspace, &config, places)?;
    let wanted = SessionOptions {
        limits,
        network,
        workspace: Some(files.options()),
        type_errors: language::type_errors(&config),
        ..SessionOptions::default()
    };
    runtime.block_on(async {
        let engine = Engine::start(EngineOptions {
            data: places.data.clone(),
            environment: environment.root.clone(),
            kernels: Kernels::Cold,
            total_memory: None,
            resolver,
        })
        .await?;
        let opened = Opened { engine: &engine, environment: &environment, files: &files, language };
        let status = opened.talk(options, wanted, places, code, printer).await;
        engine.shutdown().await;
        status
    })
}

/// What a session of one's own is made of.
struct Opened<'a> {
    engine: &'a Engine,
    environment: &'a Installed,
    files: &'a keep::Files,
    language: Language,
}

impl Opened<'_> {
    async fn talk(
        &self,
        options: &Shell,
        wanted: SessionOptions,
        places: &Places,
        code: Option<String>,
        printer: Printer,
    ) -> anyhow::Result<u8> {
        let session = self.engine.open(Principal::local(), wanted).await?;
        if code.is_none() {
            let Installed { python, name, .. } = self.environment;
            let language = match self.language {
                Language::Python => format!("Python {python}"),
                other => language::told(other).to_owned(),
            };
            printer.note(format_args!("{language}, environment `{name}`, in a cell; Ctrl-D leaves"));
        }
        let kernel = Arc::new(Kernel::here(session.clone(), self.language));
        let status = converse(options, kernel, places, code, printer).await;
        self.files.keep(&session, printer).await;
        session.stop().await?;
        status
    }
}

/// Runs what was piped in, or what somebody types.
async fn converse(
    options: &Shell,
    kernel: Arc<Kernel>,
    places: &Places,
    code: Option<String>,
    printer: Printer,
) -> anyhow::Result<u8> {
    let out = Out::new(options.out.as_deref().unwrap_or(Path::new(run::OUT)), options.limits.disk());
    let signals = Signals::new()?;
    if let Some(code) = code {
        return piped::run(options, &kernel, &code, &out, signals, printer).await;
    }
    // The interpreter starts while somebody begins to type.
    tokio::spawn({
        let kernel = kernel.clone();
        async move { kernel.check("").await }
    });
    talk::Talk::new(options, kernel, places, &out, signals, printer)?.talk().await
}
