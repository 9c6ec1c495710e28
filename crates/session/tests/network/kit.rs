//! A session in the bed, and the bed's clients in the session.

use std::path::Path;
use std::time::Duration;

use bed::Bed;
use environment::Environments;
use serde::Deserialize;
use session::{
    CommandRequest, Engine, EngineOptions, Event, Kernels, Network, Principal, Resolver, Session,
    SessionOptions, new_call_id,
};

/// Tells where environments are installed.
const ENVIRONMENTS: &str = "CELLBLOCK_TEST_ENVIRONMENTS";

/// After this long a test has failed. Nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is refused is refused within this: less than the first wait of a client that hears nothing, which is a second.
pub(crate) const AT_ONCE: f64 = 0.9;

/// A session, in a bed.
pub(crate) struct Scene {
    pub(crate) bed: Bed,
    pub(crate) session: Session,
}

/// What a client came to.
#[derive(Debug, Deserialize)]
pub(crate) struct Tried {
    pub(crate) ok: bool,
    #[serde(default)]
    pub(crate) answer: String,
    #[serde(default)]
    pub(crate) error: String,
    pub(crate) seconds: f64,
}

/// What came of a way to get a name out.
#[derive(Debug, Deserialize)]
pub(crate) struct Way {
    #[serde(rename = "way")]
    pub(crate) called: String,
    /// What came back.
    pub(crate) came: Option<String>,
    pub(crate) seconds: f64,
}

/// Runs a test with a session that has this network.
pub(crate) async fn with(what: &str, network: Network, test: impl AsyncFnOnce(&Scene)) {
    let Some(bed) = Bed::around(what) else { return };
    let directory = std::env::var_os(ENVIRONMENTS).expect("the bed's own servers are of an environment");
    let found = Environments::new(Path::new(&directory)).find("full").unwrap();
    let environment = found.expect("`full` is installed").root;
    let data = tempfile::tempdir().unwrap();
    let options = EngineOptions {
        data: data.path().to_owned(),
        environment,
        kernels: Kernels::Cold,
        total_memory: None,
        // The bed's, as any daemon in it would find it.
        resolver: Resolver::of_host().unwrap(),
    };
    let engine = Engine::start(options).await.unwrap();
    let options = SessionOptions { network, ..SessionOptions::default() };
    let session = within("open a session", engine.open(Principal::local(), options)).await.unwrap();
    let scene = Scene { bed, session };
    scene.bring().await;
    test(&scene).await;
    within("shut the engine down", engine.shutdown()).await;
    data.close().unwrap();
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("failed in time to {what}"))
}

impl Scene {
    /// Puts the clients into the session's workspace, with the bed's authority.
    async fn bring(&self) {
        let clients = Path::new(self.bed.text("/clients"));
        let files = [clients.join("client.py"), clients.join("ways.py"), self.bed.text("/authority").into()];
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            let write = "cat > \"$0\" <<< \"$1\"".to_owned();
            self.print(&["/bin/bash", "-c", &write, &name, &text]).await;
        }
    }

    /// What a command in the session prints; that it fails fails the test.
    pub(crate) async fn print(&self, argv: &[&str]) -> String {
        let argv = argv.iter().map(ToString::to_string).collect();
        let call = self.session.command(CommandRequest::new(new_call_id().unwrap(), argv)).unwrap();
        let (events, report) = within("end a command", call.collect()).await;
        let mut printed = Vec::new();
        for event in &events {
            if let Event::Stdout(bytes) = event {
                printed.extend_from_slice(bytes);
            }
        }
        assert_eq!(report.exit_status, Some(0), "{events:?}");
        String::from_utf8(printed).unwrap()
    }

    /// One of the bed's clients in the session.
    pub(crate) async fn tried(&self, arguments: &[&str]) -> Tried {
        let client = ["/opt/cellblock/env/bin/python", "client.py", "--authority", "authority.pem"];
        let line = self.print(&[&client[..], arguments].concat()).await;
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Every way to get a name out, in the session; the names begin with `tag`.
    pub(crate) async fn ways(&self, tag: &str, zone: &str) -> Vec<Way> {
        let printed = self.print(&["/opt/cellblock/env/bin/python", "ways.py", tag, zone]).await;
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Tried {
    /// It got this answer.
    #[track_caller]
    pub(crate) fn got(&self, answer: &str) {
        assert!(self.ok && self.answer == answer, "{self:?}");
    }

    /// It was refused, before anybody waited.
    #[track_caller]
    pub(crate) fn refused(&self) {
        assert!(!self.ok, "{self:?}");
    }
}
