//! Nodes, cells and kernels for tests, made for real.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cell::{Cell, CellRequest, Node, NodeOptions};
use forkserver::{Forkserver, KernelEnds, Target, WarmSet};
use policy::network::Network;
use policy::{Confinement, Limits, Mount};
use protocol::SessionId;

/// Tells where environments are installed.
const ENVIRONMENTS: &str = "CELLBLOCK_TEST_ENVIRONMENTS";

const STUB: &str = include_str!("stub.py");

/// How long anything may take that takes milliseconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The kernels' package.
pub(crate) fn package() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../environment/python/cellblock_kernel")
}

/// The installed environment; none: the test is to be skipped, which this says.
pub(crate) fn environment() -> Option<PathBuf> {
    let installed = std::env::var_os(ENVIRONMENTS).and_then(|directory| {
        let entries = fs::read_dir(directory).ok()?;
        let mut entries = entries.flatten().map(|entry| entry.path());
        entries.find(|path| path.join("environment.json").is_file() && path.join("bin/python").exists())
    });
    if installed.is_none() {
        eprintln!("SKIPPED: {ENVIRONMENTS} names no directory with an installed environment");
    }
    installed
}

/// A node of the test's own, and what it needs.
pub(crate) struct Bench {
    // In the order of drops: the node lets go of the directory.
    pub(crate) node: Node,
    _data: tempfile::TempDir,
}

impl Bench {
    /// With a package in the place of the kernels' own: what `serve` and the others do.
    pub(crate) fn with(package: &str) -> Option<Bench> {
        Bench::prepare(|target| fs::write(target.join("__init__.py"), package).unwrap())
    }

    /// With a package that evaluates expressions.
    pub(crate) fn stub() -> Option<Bench> {
        Bench::with(STUB)
    }

    /// With the kernels' own package.
    pub(crate) fn real() -> Option<Bench> {
        Bench::prepare(|target| {
            for entry in fs::read_dir(package()).unwrap().flatten() {
                if entry.path().extension().is_some_and(|extension| extension == "py") {
                    fs::copy(entry.path(), target.join(entry.file_name())).unwrap();
                }
            }
        })
    }

    fn prepare(fill: impl FnOnce(&Path)) -> Option<Bench> {
        let environment = environment()?;
        let data = tempfile::tempdir().unwrap();
        fs::set_permissions(data.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let runtime = data.path().join("runtime");
        let target = runtime.join("cellblock_kernel");
        fs::create_dir_all(&target).unwrap();
        fill(&target);
        fs::copy(package().join("forkserver.py"), target.join("forkserver.py")).unwrap();
        fs::write(runtime.join(forkserver::HELPER_NAME), forkserver::HELPER).unwrap();
        let options = NodeOptions { data: data.path().to_owned(), environment, runtime, total_memory: None };
        Some(Bench { node: Node::start(&options).unwrap(), _data: data })
    }

    pub(crate) fn forkserver(&self, warm_set: WarmSet) -> Forkserver {
        let forkserver = Forkserver::start(&self.node, warm_set).unwrap();
        forkserver.wait_ready(PATIENCE).unwrap();
        forkserver
    }

    pub(crate) fn cell(&self) -> Cell {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let session = SessionId::from_u128(NEXT.fetch_add(1, Ordering::Relaxed).into());
        let limits = Limits::default();
        self.node
            .create(&CellRequest {
                session,
                limits,
                network: Network::default(),
                mount: Mount::default(),
                linger_ms: 600_000,
            })
            .unwrap()
    }
}

/// The test's ends of what a kernel speaks through.
pub(crate) struct Ends {
    pub(crate) socket: UnixStream,
    pub(crate) stdout: std::io::PipeReader,
    pub(crate) stderr: std::io::PipeReader,
}

pub(crate) fn ends() -> (Ends, KernelEnds) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(PATIENCE)).unwrap();
    let (stdout, their_stdout) = std::io::pipe().unwrap();
    let (stderr, their_stderr) = std::io::pipe().unwrap();
    let theirs =
        KernelEnds { socket: theirs.into(), stdout: their_stdout.into(), stderr: their_stderr.into() };
    (Ends { socket: ours, stdout, stderr }, theirs)
}

/// A kernel of the stub package.
pub(crate) struct Kernel {
    pub(crate) pid: u32,
    stream: BufReader<UnixStream>,
    pub(crate) stdout: std::io::PipeReader,
    pub(crate) stderr: std::io::PipeReader,
}

pub(crate) fn fork(forkserver: &Forkserver, cell: &Cell) -> forkserver::Result<Kernel> {
    fork_with(forkserver, cell, cell.confinement())
}

pub(crate) fn fork_with(
    forkserver: &Forkserver,
    cell: &Cell,
    confinement: &Confinement,
) -> forkserver::Result<Kernel> {
    let (ours, theirs) = ends();
    let cgroups: Vec<OwnedFd> = cell.cgroups().unwrap();
    let target = Target { init: cell.init(), cgroups: &cgroups };
    let pid = forkserver.fork(target, theirs, confinement, &cell.variables())?;
    let mut kernel =
        Kernel { pid, stream: BufReader::new(ours.socket), stdout: ours.stdout, stderr: ours.stderr };
    assert_eq!(kernel.line(), "ready");
    Ok(kernel)
}

impl Kernel {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        if line.is_empty() {
            let mut said = String::new();
            self.stderr.read_to_string(&mut said).unwrap();
            panic!("the kernel is gone: {said}");
        }
        line.trim_end_matches('\n').to_owned()
    }

    /// The repr of an expression's value.
    pub(crate) fn ask(&mut self, expression: &str) -> String {
        self.tell(expression);
        self.line()
    }

    /// Runs statements; gives the repr of what they call `result`.
    pub(crate) fn run(&mut self, code: &str) -> String {
        self.ask(&format!("!{}", code.trim().replace('\n', "\u{1f}")))
    }

    /// Sends an expression, and does not wait for its value.
    pub(crate) fn tell(&mut self, expression: &str) {
        self.stream.get_mut().write_all(format!("{expression}\n").as_bytes()).unwrap();
    }

    /// Waits for the value of what was sent.
    pub(crate) fn answer(&mut self) -> String {
        self.line()
    }
}

/// The process's direct children.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    children.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

/// A field of a process's status.
pub(crate) fn status(pid: u32, field: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {field} in {status}")).trim().to_owned()
}

/// Whether this test runs as the host's root.
pub(crate) fn is_root() -> bool {
    sys::file::own_ids().0 == 0
}

/// Waits for a condition.
pub(crate) fn until(mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "this does not come about");
        std::thread::sleep(Duration::from_millis(1));
    }
}
