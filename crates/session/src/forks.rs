//! The engine's forkserver: started behind, watched, replaced.
//!
//! ```text
//!            started            warm                died
//!  Off ──────────────▶ Warming ──────▶ Warm ──────────────▶ Warming
//!                        │               │ old: the next one warms up behind it
//!                        │ failed        ▼
//!                        └────────▶ Failed ──── after a pause ────▶ Warming
//! ```
//!
//! No call depends on it. While there is none, a call waits only where waiting is likely to be the shorter way, and
//! otherwise gets a cold kernel; the same if a fork fails.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cell::{Cell, Node};
use forkserver::{Forkserver, KernelEnds, Target, WarmSet};
use tokio::sync::watch;

use crate::ended::Watched;

/// How long a forkserver may take to get warm; a few seconds are usual.
const WARM_UP: Duration = Duration::from_secs(120);
/// How long a call waits for one.
const WAIT: Duration = Duration::from_secs(20);
/// The pause after a start that failed; it doubles up to the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(60)];
/// After so many kernels it is replaced: all of them share one hash seed and address layout.
const KERNELS: u64 = 10_000;
/// After so long it is replaced.
const AGE: Duration = Duration::from_secs(6 * 3600);
/// How often it is looked at for that.
const LOOK: Duration = Duration::from_secs(60);
/// What a cold start takes, roughly: the interpreter with `IPython`, and numpy, pandas and matplotlib on top.
const COLD: [Duration; 2] = [Duration::from_millis(400), Duration::from_millis(1500)];
/// What warming up takes, roughly, until it was measured.
const WARM_UP_GUESS: Duration = Duration::from_millis(2500);

/// Where an engine's kernels come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernels {
    /// From a forkserver with this warm set; cold where that is faster.
    Warm(WarmSet),
    /// Started cold, each for itself: for one program that is faster than warming up.
    Cold,
}

/// How a kernel is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Fork,
    Cold,
}

#[derive(Debug, Clone)]
enum State {
    Off,
    Warming(Instant),
    Warm(Arc<Forkserver>),
    Failed,
}

/// The forkserver, wherever it is in its life.
#[derive(Debug)]
pub(crate) struct Forks {
    kernels: Kernels,
    node: Arc<Node>,
    state: watch::Sender<State>,
    /// The one that is getting warm: to be ended if the engine ends first.
    warming: Mutex<Option<Arc<Forkserver>>>,
    warm_up: Mutex<Duration>,
}

impl Forks {
    /// No forkserver yet.
    pub(crate) fn new(kernels: Kernels, node: Arc<Node>) -> Forks {
        let state = match kernels {
            Kernels::Warm(_) => State::Warming(Instant::now()),
            Kernels::Cold => State::Off,
        };
        Forks {
            kernels,
            node,
            state: watch::Sender::new(state),
            warming: Mutex::new(None),
            warm_up: Mutex::new(WARM_UP_GUESS),
        }
    }

    /// Whether there is to be one.
    pub(crate) fn wanted(&self) -> bool {
        matches!(self.kernels, Kernels::Warm(_))
    }

    /// How to start a kernel now. `heavy`: the code will import what a forkserver has imported.
    pub(crate) fn way(&self, attempt: u8, heavy: bool) -> Way {
        if attempt > 0 || !self.wanted() {
            return Way::Cold;
        }
        match &*self.state.borrow() {
            State::Warm(_) => Way::Fork,
            State::Warming(since) => {
                let expected = *self.warm_up.lock().unwrap_or_else(PoisonError::into_inner);
                let left = expected.saturating_sub(since.elapsed());
                if left < COLD[usize::from(heavy)] { Way::Fork } else { Way::Cold }
            }
            State::Off | State::Failed => Way::Cold,
        }
    }

    /// Waits until a forkserver is warm; `None` if there is none in time.
    pub(crate) async fn warm(&self, within: Duration) -> Option<Arc<Forkserver>> {
        let mut state = self.state.subscribe();
        let warm = state.wait_for(|state| matches!(state, State::Warm(_) | State::Off));
        match &*tokio::time::timeout(within, warm).await.ok()?.ok()? {
            State::Warm(forkserver) => Some(forkserver.clone()),
            State::Off | State::Warming(_) | State::Failed => None,
        }
    }

    /// The forkserver that forks now, if one is warm.
    pub(crate) fn current(&self) -> Option<Arc<Forkserver>> {
        match &*self.state.borrow() {
            State::Warm(forkserver) => Some(forkserver.clone()),
            State::Off | State::Warming(_) | State::Failed => None,
        }
    }

    /// Forks a kernel into the cell. An error is a sentence for whoever waits for the kernel.
    pub(crate) async fn fork(&self, cell: Arc<Cell>, ends: [OwnedFd; 3]) -> Result<(), String> {
        let forkserver = self.warm(WAIT).await.ok_or("no forkserver is warm")?;
        let [socket, stdout, stderr] = ends;
        let ends = KernelEnds { socket, stdout, stderr };
        let asked = forkserver.clone();
        let forked = tokio::task::spawn_blocking(move || {
            let cgroups = cell.cgroups().map_err(|error| error.to_string())?;
            let target = Target { init: cell.init(), cgroups: &cgroups };
            asked.fork(target, ends, cell.confinement(), &cell.variables()).map_err(|error| {
                if matches!(error, forkserver::Error::Stuck) {
                    let _ = asked.kill();
                }
                chain(&error)
            })
        });
        match forked.await {
            Ok(forked) => forked.map(|_| ()),
            Err(_) => Err("fork a kernel".to_owned()),
        }
    }

    /// Keeps a forkserver alive until the engine ends.
    pub(crate) async fn supervise(self: Arc<Forks>) {
        let Kernels::Warm(warm_set) = self.kernels else { return };
        let mut pause = PAUSES[0];
        loop {
            // The one that is only old goes on until the next is warm.
            if self.current().is_none_or(|current| !current.is_alive()) {
                self.state.send_replace(State::Warming(Instant::now()));
            }
            match self.start(warm_set).await {
                Ok(forkserver) => {
                    pause = PAUSES[0];
                    self.state.send_replace(State::Warm(forkserver.clone()));
                    watch(&forkserver).await;
                }
                Err(fault) => {
                    tracing::warn!("no forkserver: {fault}; kernels start cold");
                    self.state.send_if_modified(|state| {
                        let warming = matches!(state, State::Warming(_));
                        if warming {
                            *state = State::Failed;
                        }
                        warming
                    });
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSES[1]);
                }
            }
        }
    }

    async fn start(&self, warm_set: WarmSet) -> Result<Arc<Forkserver>, String> {
        let started = Instant::now();
        let node = self.node.clone();
        let forkserver = tokio::task::spawn_blocking(move || Forkserver::start(&node, warm_set))
            .await
            .map_err(|error| error.to_string())?
            .map_err(|error| chain(&error))?;
        let forkserver = Arc::new(forkserver);
        *self.warming.lock().unwrap_or_else(PoisonError::into_inner) = Some(forkserver.clone());
        let waiting = forkserver.clone();
        let warm = tokio::task::spawn_blocking(move || waiting.wait_ready(WARM_UP)).await;
        *self.warming.lock().unwrap_or_else(PoisonError::into_inner) = None;
        warm.map_err(|error| error.to_string())?.map_err(|error| chain(&error))?;
        *self.warm_up.lock().unwrap_or_else(PoisonError::into_inner) = started.elapsed();
        Ok(forkserver)
    }

    /// Ends the forkserver; the supervisor must have been stopped. Kernels live on.
    pub(crate) fn close(&self) {
        // Whoever waits for it to get warm stops waiting when it dies.
        if let Some(warming) = self.warming.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = warming.kill();
        }
        self.state.send_replace(State::Off);
    }
}

/// Waits until a forkserver is dead, or due to be replaced.
async fn watch(forkserver: &Forkserver) {
    let process = Watched::new(forkserver.process().pidfd.as_fd());
    loop {
        let pause = tokio::time::sleep(LOOK);
        match &process {
            Ok(process) => tokio::select! {
                () = process.ended() => return,
                () = pause => {}
            },
            Err(_) => pause.await,
        }
        if !forkserver.is_alive() || forkserver.forked() >= KERNELS || forkserver.age() >= AGE {
            return;
        }
    }
}

/// An error with what is behind it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
