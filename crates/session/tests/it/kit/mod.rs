//! Engines and sessions for tests. A test is a function of a [`Bench`], run by [`with`], or by [`alone`] where nothing
//! else may run in this process meanwhile; both end the engine and assert that nothing is left of it.

pub(crate) mod left;
mod ran;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use session::{
    Call, CommandRequest, Engine, EngineOptions, ExecuteRequest, Kernels, Limits, Mount, Network, Principal,
    Resolver, Session, SessionOptions, WarmSet, new_call_id,
};
use tokio::sync::RwLock;

pub(crate) use ran::{Ran, next_stdout};

/// Tells where environments are installed.
const ENVIRONMENTS: &str = "CELLBLOCK_TEST_ENVIRONMENTS";

/// After this long a test has failed. Nothing waits for it to pass.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Kernels that have imported nothing but the interpreter's shell.
pub(crate) const BARE: Kernels = Kernels::Warm(WarmSet::Bare);
/// Kernels that have numpy, pandas and matplotlib.
pub(crate) const DATA: Kernels = Kernels::Warm(WarmSet::Data);
/// Kernels that init starts from nothing.
pub(crate) const COLD: Kernels = Kernels::Cold;

/// Tests that share the process hold it for reading, one that needs it for itself for writing.
static PROCESS: RwLock<()> = RwLock::const_new(());

/// The installed environment; none: the test is to be skipped, which this says.
pub(crate) fn environment() -> Option<PathBuf> {
    let directory = std::env::var_os(ENVIRONMENTS).map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-data/environments"),
        PathBuf::from,
    );
    let found = environment::Environments::new(&directory).find("lean").unwrap();
    if found.is_none() {
        let why = format!("`lean` is not installed in {} (see {ENVIRONMENTS})", directory.display());
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{why}");
        eprintln!("SKIPPED: {why}");
    }
    found.map(|installed| installed.root)
}

/// Runs a test with an engine of its own, and looks for what is left.
pub(crate) async fn with(kernels: Kernels, test: impl AsyncFnOnce(&Bench)) {
    beside(async |environment| run_test(environment, kernels, test).await).await;
}

/// Runs a test that makes its engines itself, and looks for processes that are left.
pub(crate) async fn beside(test: impl AsyncFnOnce(PathBuf)) {
    let Some(environment) = environment() else { return };
    let turn = PROCESS.read().await;
    test(environment).await;
    drop(turn);
    // What has no mark of the engine it belongs to can only be looked for when no other engine runs.
    if let Ok(_alone) = PROCESS.try_write() {
        left::assert_no_process().await;
    }
}

/// The same for a test that needs the whole process, or the whole machine: also put it into a module `alone`.
pub(crate) async fn alone(kernels: Kernels, test: impl AsyncFnOnce(&Bench)) {
    let Some(environment) = environment() else { return };
    let _turn = PROCESS.write().await;
    run_test(environment, kernels, test).await;
    left::assert_no_process().await;
}

async fn run_test(environment: PathBuf, kernels: Kernels, test: impl AsyncFnOnce(&Bench)) {
    let data = tempfile::tempdir().unwrap();
    run_in(data.path(), environment, kernels, test).await;
    data.close().unwrap();
}

/// Runs a test with an engine of its own in a data directory that may have been another's.
pub(crate) async fn run_in(
    data: &Path,
    environment: PathBuf,
    kernels: Kernels,
    test: impl AsyncFnOnce(&Bench),
) {
    left::adopt_orphans();
    let bench = Bench { engine: engine(data, environment, kernels).await, data: data.to_owned() };
    if kernels != COLD {
        assert!(bench.engine.warm(PATIENCE).await, "no forkserver");
    }
    test(&bench).await;
    let marks = left::Marks::of(&bench);
    within("shut the engine down", bench.engine.shutdown()).await;
    left::assert_nothing(&marks).await;
}

/// An engine.
pub(crate) async fn engine(data: &Path, environment: PathBuf, kernels: Kernels) -> Engine {
    let options = EngineOptions {
        data: data.to_owned(),
        environment,
        kernels,
        total_memory: None,
        resolver: Resolver::of_host().unwrap(),
    };
    Engine::start(options).await.unwrap()
}

/// An engine with a data directory of its own.
pub(crate) struct Bench {
    pub(crate) engine: Engine,
    pub(crate) data: PathBuf,
}

impl Bench {
    /// A session with the usual limits.
    pub(crate) async fn session(&self) -> Session {
        self.session_with(Limits::default()).await
    }

    /// A session with these limits.
    pub(crate) async fn session_with(&self, limits: Limits) -> Session {
        let options = SessionOptions { limits, ..SessionOptions::default() };
        within("open a session", self.engine.open(Principal::local(), options)).await.unwrap()
    }

    /// A session whose workspace is there.
    pub(crate) async fn session_at(&self, mount: Mount) -> Session {
        let options = SessionOptions { mount, ..SessionOptions::default() };
        within("open a session", self.engine.open(Principal::local(), options)).await.unwrap()
    }

    /// A session that may reach this.
    pub(crate) async fn session_in(&self, network: Network) -> Session {
        let options = SessionOptions { network, ..SessionOptions::default() };
        within("open a session", self.engine.open(Principal::local(), options)).await.unwrap()
    }

    /// The directory of a session's cell on the host, with its workspace and its home.
    pub(crate) fn cell(&self, session: &Session) -> PathBuf {
        let nodes = std::fs::read_dir(self.data.join("nodes")).unwrap();
        let cells = nodes.map(|node| node.unwrap().path().join("cells").join(session.id().to_string()));
        cells.into_iter().find(|cell| cell.is_dir()).expect("the session has a cell")
    }
}

/// Waits for something that must come.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("failed in time to {what}"))
}

/// Waits for a condition.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "it does not come about: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A request to run this code.
pub(crate) fn request(code: &str) -> ExecuteRequest {
    ExecuteRequest::new(new_call_id().unwrap(), code)
}

/// Sends code, and does not wait.
pub(crate) fn start(session: &Session, code: &str) -> Call {
    session.execute(request(code)).unwrap()
}

/// Runs code to its end.
pub(crate) async fn run(session: &Session, code: &str) -> Ran {
    Ran::of(start(session, code)).await
}

/// What code prints that must run to its end.
pub(crate) async fn print(session: &Session, code: &str) -> String {
    run(session, code).await.ok().stdout()
}

/// Runs a command to its end.
pub(crate) async fn shell(session: &Session, line: &str) -> Ran {
    Ran::of(session.command(CommandRequest::shell(new_call_id().unwrap(), line)).unwrap()).await
}

/// Whether this runs as the host's root.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
