//! A session in the bed, and the bed's clients in the session.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use bed::{Bed, Needle};
use environment::Environments;
use serde::Deserialize;
use session::network::Mode;
use session::{
    CommandRequest, Engine, EngineOptions, Event, Kernels, Network, Principal, Resolver, Session,
    SessionOptions, new_call_id,
};
use tokio::sync::RwLock;

/// Tells where environments are installed.
const ENVIRONMENTS: &str = "CELLBLOCK_TEST_ENVIRONMENTS";

/// After this long a test has failed. Nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is refused is refused within this: less than the first wait of a client that hears nothing, which is a second.
pub(crate) const AT_ONCE: f64 = 0.9;

/// The bed's clients that take an URL.
pub(crate) const WEB: [&str; 6] = ["urllib", "requests", "httpx", "curl", "node", "deno"];

/// What asks any web server for any page.
pub(crate) const GET: &str = "GET / HTTP/1.0\\r\\n\\r\\n";

/// Names that lead to what no cell may reach.
pub(crate) const INWARD: [&str; 12] = [
    "private.example",
    "shared.example",
    "inward.example",
    "loopback.example",
    "zero.example",
    "metadata.example",
    "wireserver.example",
    "mapped.example",
    "translated.example",
    "isatap.example",
    "sixtofour.example",
    "machine.example",
];

/// As a cell has it.
pub(crate) const PYTHON: &str = "/opt/cellblock/env/bin/python";

/// What each secret of the bed begins with.
const SECRET: &str = "bed-secret-of-";

/// How many refusals a session says of one call.
const TOLD: usize = 5;

/// A session, in a bed.
pub(crate) struct Scene {
    pub(crate) bed: Bed,
    pub(crate) engine: Engine,
    pub(crate) session: Session,
}

/// What came of a command.
pub(crate) struct Called {
    /// What it printed.
    pub(crate) printed: String,
    /// What the session said of it.
    pub(crate) notices: Vec<String>,
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

/// Who runs alone waits for all others, where they share a process.
static BESIDE: RwLock<()> = RwLock::const_new(());

/// Runs a test with a session that has this network.
pub(crate) async fn with(what: &str, network: Network, test: impl AsyncFnOnce(&Scene)) {
    let _others = BESIDE.read().await;
    run(what, network, test).await;
}

/// The same, and no other test beside it.
pub(crate) async fn alone(what: &str, network: Network, test: impl AsyncFnOnce(&Scene)) {
    let _nobody = BESIDE.write().await;
    run(what, network, test).await;
}

async fn run(what: &str, network: Network, test: impl AsyncFnOnce(&Scene)) {
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
    let session = open(&engine, network).await;
    let scene = Scene { bed, engine, session };
    scene.bring().await;
    test(&scene).await;
    within("shut the engine down", scene.engine.shutdown()).await;
    data.close().unwrap();
}

async fn open(engine: &Engine, network: Network) -> Session {
    let options = SessionOptions { network, ..SessionOptions::default() };
    within("open a session", engine.open(Principal::local(), options)).await.unwrap()
}

/// A network of this mode, with entries as operators write them.
pub(crate) fn network(mode: Mode, allow: &[&str], open_private: &[&str]) -> Network {
    Network {
        mode,
        allow: allow.iter().map(|entry| entry.parse().unwrap()).collect(),
        open_private: open_private.iter().map(|entry| entry.parse().unwrap()).collect(),
        ..Network::default()
    }
}

/// A label that no other test's packets and requests bear: ten letters and digits. `test` has four letters.
pub(crate) fn tag(test: &str) -> String {
    format!("{test}{:06}", std::process::id() % 1_000_000)
}

/// The host in an argument: an URL, a name or an address. A mapped one is wanted as what it maps.
fn wanted(argument: &str) -> &str {
    let host = argument.split_once("://").map_or(argument, |(_, behind)| behind);
    let host = host.split_once('/').map_or(host, |(host, _)| host);
    let host = host.strip_prefix('[').and_then(|host| host.split_once(']')).map_or(host, |(host, _)| host);
    host.strip_prefix("::ffff:").unwrap_or(host)
}

/// Whether this client can: Node takes no certificate for an IPv6 address.
pub(crate) fn fetches(client: &str, url: &str) -> bool {
    client != "node" || !url.starts_with("https://[")
}

/// As it stands in an URL.
pub(crate) fn bracketed(address: &str) -> String {
    if address.contains(':') { format!("[{address}]") } else { address.to_owned() }
}

/// What each of the bed's clients with its arguments came to, with the servers' authority trusted.
fn read(printed: &str) -> Vec<Tried> {
    let read = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {printed}"));
    printed.lines().map(read).collect()
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("failed in time to {what}"))
}

/// What came of a command in a session; that it fails fails the test.
pub(crate) async fn called(session: &Session, argv: &[&str]) -> Called {
    let argv = argv.iter().map(ToString::to_string).collect();
    let call = session.command(CommandRequest::new(new_call_id().unwrap(), argv)).unwrap();
    let (events, report) = within("end a command", call.collect()).await;
    let mut called = Called { printed: String::new(), notices: Vec::new() };
    let mut printed = Vec::new();
    for event in &events {
        match event {
            Event::Stdout(bytes) => printed.extend_from_slice(bytes),
            Event::Notice(notice) => called.notices.push(notice.clone()),
            _ => {}
        }
    }
    assert_eq!(report.exit_status, Some(0), "{events:?}");
    called.printed = String::from_utf8(printed).unwrap();
    called
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

    /// One more session beside the scene's.
    pub(crate) async fn another(&self, network: Network) -> Session {
        open(&self.engine, network).await
    }

    /// What a command in the session prints; that it fails fails the test.
    pub(crate) async fn print(&self, argv: &[&str]) -> String {
        called(&self.session, argv).await.printed
    }

    /// What a program in Python prints in the session, and what the session says of it.
    pub(crate) async fn python(&self, program: &str, arguments: &[&str]) -> Called {
        called(&self.session, &[&[PYTHON, "-c", program], arguments].concat()).await
    }

    /// One of the bed's clients in the session.
    pub(crate) async fn tried(&self, arguments: &[&str]) -> Tried {
        let client = [PYTHON, "client.py", "--authority", "authority.pem"];
        let line = self.print(&[&client[..], arguments].concat()).await;
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Several in one call, and what the session said of it.
    pub(crate) async fn all(&self, each: &[Vec<&str>]) -> (Vec<Tried>, Vec<String>) {
        let each = serde_json::to_string(each).unwrap();
        let client = [PYTHON, "client.py", "--authority", "authority.pem", "all", &each];
        let Called { printed, notices } = called(&self.session, &client).await;
        (read(&printed), notices)
    }

    /// The same without a cell around them: what they come to where nothing guards.
    pub(crate) async fn outside(&self, each: &[Vec<&str>]) -> Vec<Tried> {
        let mut client = self.bed.client("client.py").unwrap();
        client.args([
            "--authority",
            self.bed.text("/authority"),
            "all",
            &serde_json::to_string(each).unwrap(),
        ]);
        client.stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || client.output()).await.unwrap().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        read(&String::from_utf8(output.stdout).unwrap())
    }

    /// None of these gets anything in the session, which says of each what belongs to it; no request and no packet
    /// bears `tag`, which all of them send. Without a cell each gets its answer.
    pub(crate) async fn refused_in_the_cell_alone(&self, tag: &str, each: &[(Vec<&str>, &str)]) {
        let before = self.bed.mark().unwrap();
        for some in each.chunks(TOLD) {
            let clients: Vec<_> = some.iter().map(|(client, _)| client.clone()).collect();
            let (tried, notices) = self.all(&clients).await;
            for ((client, why), tried) in some.iter().zip(&tried) {
                tried.refused();
                assert!(tried.seconds < AT_ONCE, "{client:?}: {tried:?}");
                let whom = wanted(client[1]);
                let told = |notice: &String| notice.contains(whom) && notice.contains(why);
                assert!(notices.iter().any(told), "{client:?}: {why}: {notices:?}");
            }
        }
        let needle = [Needle::new(tag)];
        assert_eq!(self.bed.packets_with(&before, &needle).unwrap(), []);
        assert!(!self.was_asked_for(tag));

        let clients: Vec<_> = each.iter().map(|(client, _)| client.clone()).collect();
        for (client, tried) in clients.iter().zip(self.outside(&clients).await) {
            assert!(tried.ok, "{client:?}: {tried:?}");
        }
        assert_ne!(self.bed.packets_with(&before, &needle).unwrap(), []);
    }

    /// Names that are public once and something else the next time, or both at once, lead to nothing that is not
    /// public; without a cell they do.
    pub(crate) async fn changing_names_lead_nowhere(&self, tag: &str) {
        let each = |side: &str| -> Vec<String> {
            let zones = ["flip", "flip-metadata", "flip-private"];
            let mut urls: Vec<_> =
                zones.iter().map(|zone| format!("http://{side}{tag}.{zone}.example/")).collect();
            urls.push("http://mixed.example/".to_owned());
            urls.iter().cycle().take(4 * urls.len()).cloned().collect()
        };
        let (inside, outside) = (each("in"), each("out"));
        let probes: Vec<_> = inside.iter().map(|url| vec!["urllib", &**url]).collect();
        let (tried, _) = self.all(&probes).await;
        assert!(tried.iter().all(|tried| !tried.answer.contains(SECRET)), "{tried:?}");
        // Some of them were public.
        assert!(tried.iter().any(|tried| tried.ok), "{tried:?}");
        let probes: Vec<_> = outside.iter().map(|url| vec!["urllib", &**url]).collect();
        let tried = self.outside(&probes).await;
        for zone in ["flip.", "flip-metadata.", "flip-private."] {
            let told = probes
                .iter()
                .zip(&tried)
                .any(|(probe, tried)| probe[1].contains(zone) && tried.answer.contains(SECRET));
            assert!(told, "{zone}: {tried:?}");
        }
    }

    /// What the session's network opens is reached: these URLs, and the addresses that every such test opens.
    pub(crate) async fn opened_alone(&self, urls: &[&str]) {
        let addresses =
            ["http://10.77.0.1/", "http://10.99.0.1/", "http://[fd99::1]/", "http://100.64.77.1/"];
        for url in [urls, &addresses].concat() {
            self.tried(&["urllib", url]).await.got(self.bed.text("/secrets/private"));
        }
        // The machine's own is meant only where it is written down.
        self.tried(&["urllib", "http://10.77.0.2:8077/"]).await.got(self.bed.text("/secrets/own"));
    }

    /// Whether a server of the world wrote down a request with this in its path.
    pub(crate) fn was_asked_for(&self, tag: &str) -> bool {
        let hits = self.bed.log("hits").unwrap();
        hits.iter().any(|hit| hit["path"].as_str().is_some_and(|path| path.contains(tag)))
    }

    /// Whether a resolver of the world was asked for a name with this in it.
    pub(crate) fn was_looked_up(&self, tag: &str) -> bool {
        let queries = self.bed.log("queries").unwrap();
        queries.iter().any(|query| query.to_string().contains(tag))
    }

    /// Every way to get a name out, in the session; the names begin with `tag`.
    pub(crate) async fn ways(&self, tag: &str, zone: &str) -> Vec<Way> {
        let printed = self.print(&[PYTHON, "ways.py", tag, zone]).await;
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Every way to get a name out, without a cell.
    pub(crate) async fn ways_outside(&self, tag: &str, zone: &str) {
        let mut ways = self.bed.client("ways.py").unwrap();
        ways.args([tag, zone]).stdin(Stdio::null()).stdout(Stdio::null());
        let status = tokio::task::spawn_blocking(move || ways.status()).await.unwrap();
        assert!(status.unwrap().success());
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
