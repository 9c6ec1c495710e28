//! What must be there before a session can be opened: the environment and the engine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use environment::{Environments, Fetching, Progress, Stage};
use server::{Opening, Ready};
use session::{Engine, EngineOptions, Kernels, WarmSet};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::network;
use crate::place::Places;

/// How often the log tells how far an install is.
const TOLD: Duration = Duration::from_secs(10);
/// How long an engine may take to start and to be taken down again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Installs the environment if need be, starts the engine, and tells how far that is.
pub(crate) async fn prepare(
    opening: Arc<watch::Sender<Opening>>,
    name: String,
    config: Config,
    places: Places,
) {
    let prepared = start(&opening, &name, &config, places).await;
    let now = match prepared {
        Ok(engine) => {
            tracing::info!(environment = name, "ready");
            Opening::Ready(Ready { engine: Arc::new(engine), environment: name })
        }
        Err(error) => {
            tracing::error!("not ready: {error:#}");
            Opening::Failed(format!("{error:#}"))
        }
    };
    let mut now = Some(now);
    opening.send_if_modified(|opening| {
        // A server that is being stopped stays so.
        let wanted = !matches!(opening, Opening::Stopping);
        if wanted && let Some(now) = now.take() {
            *opening = now;
        }
        wanted
    });
    // Nobody will use it: what it has made goes again.
    if let Some(Opening::Ready(ready)) = now
        && let Some(engine) = Arc::into_inner(ready.engine)
    {
        engine.shutdown().await;
    }
}

/// Ends a preparation that nobody waits for any more, after `Stopping` was told: an install is given up, an engine that
/// is starting is taken down again.
pub(crate) async fn give_up(mut preparing: JoinHandle<()>, was: &Opening) {
    let patience = if matches!(was, Opening::Installing(_)) { Duration::ZERO } else { PATIENCE };
    if tokio::time::timeout(patience, &mut preparing).await.is_err() {
        preparing.abort();
    }
}

async fn start(
    opening: &Arc<watch::Sender<Opening>>,
    name: &str,
    config: &Config,
    places: Places,
) -> anyhow::Result<Engine> {
    let (wanted, told) = (name.to_owned(), opening.clone());
    let environments = Environments::new(&places.environments);
    let installed = tokio::task::spawn_blocking(move || {
        if let Ok(Some(installed)) = environments.find(&wanted) {
            return Ok(installed);
        }
        environments.install(&wanted, &mut Told::new(&wanted, &told))
    })
    .await??;
    tell(opening, Opening::Preparing("the engine is starting".to_owned()));
    let options = EngineOptions {
        data: places.data,
        environment: installed.root,
        kernels: Kernels::Warm(WarmSet::Data),
        total_memory: config.number("limits.total_memory_mib").map(|mebibytes| mebibytes << 20),
        resolver: network::resolver(config)?,
    };
    Ok(Engine::start(options).await?)
}

fn tell(opening: &watch::Sender<Opening>, how_far: Opening) {
    opening.send_if_modified(|opening| {
        let preparing = matches!(opening, Opening::Preparing(_) | Opening::Installing(_));
        if preparing {
            *opening = how_far;
        }
        preparing
    });
}

/// Tells early clients, and the log, how far an install is.
struct Told<'a> {
    name: &'a str,
    opening: &'a watch::Sender<Opening>,
    logged: Option<Instant>,
}

impl<'a> Told<'a> {
    fn new(name: &'a str, opening: &'a watch::Sender<Opening>) -> Told<'a> {
        Told { name, opening, logged: None }
    }

    fn say(&mut self, how_far: &str) {
        let sentence = format!("the environment `{}` is being installed ({how_far})", self.name);
        if self.logged.is_none_or(|logged| logged.elapsed() > TOLD) {
            tracing::info!("{sentence}");
            self.logged = Some(Instant::now());
        }
        tell(self.opening, Opening::Installing(sentence));
    }
}

impl Progress for Told<'_> {
    fn stage(&mut self, stage: Stage) {
        self.say(stage.describe());
    }

    fn fetching(&mut self, fetching: &Fetching) {
        let percent = fetching.bytes_done * 100 / fetching.bytes_total.max(1);
        self.say(&format!("{percent} % of {} MiB", fetching.bytes_total >> 20));
    }

    fn compiling(&mut self, done: usize, total: usize) {
        self.say(&format!("compiled {done} of {total} files"));
    }
}
