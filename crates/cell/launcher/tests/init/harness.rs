//! An init to talk to, and the daemon that talks to it.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use protocol::{CallId, CellState, Decoder, Frame, KernelId, Kind, RefusedReason, Sender, Spawn, WaitStatus};
use tempfile::TempDir;

/// After this long a test has failed. Nothing waits for it to pass.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A directory of this test's sources.
pub(crate) fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/init").join(name)
}

/// The interpreter itself, and not something on the PATH that looks for it.
pub(crate) fn python() -> &'static str {
    static PYTHON: OnceLock<String> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let output =
            Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
        assert!(output.status.success(), "python3 is needed: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    })
}

/// How init is started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) linger_ms: u64,
    pub(crate) soft_memory: Option<u64>,
}

impl Default for Options {
    fn default() -> Options {
        Options { linger_ms: 60_000, soft_memory: None }
    }
}

/// An init that runs.
pub(crate) struct Cell {
    init: Child,
    pub(crate) directory: TempDir,
}

impl Cell {
    pub(crate) fn start() -> Cell {
        Cell::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Cell {
        let (uid, gid) = (own("-u").to_string(), own("-g").to_string());
        let program = Command::new(env!("CARGO_BIN_EXE_init-alone"));
        Cell::from(program, options, &[&uid, &gid, "same"])
    }

    /// Starts init by a command that may come before it.
    pub(crate) fn from(mut program: Command, options: Options, identity: &[&str; 3]) -> Cell {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("socket")).unwrap();
        let memory = options.soft_memory.map_or("-".to_owned(), |bytes| bytes.to_string());
        let init = program
            .args([&options.linger_ms.to_string(), &memory])
            .args(identity)
            .stdin(Stdio::from(OwnedFd::from(listener)))
            .spawn()
            .unwrap();
        Cell { init, directory }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    /// A connection that has not said anything.
    pub(crate) fn knock(&self) -> Daemon {
        let socket = UnixStream::connect(self.socket()).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        let decoder = Decoder::new(&[Sender::Init, Sender::Kernel]);
        let buffer = vec![0; 256 << 10];
        Daemon { socket, decoder, buffer, descriptors: VecDeque::new(), state: CellState::default() }
    }

    /// A connection that knows the state of the cell.
    pub(crate) fn connect(&self) -> Daemon {
        let mut daemon = self.knock();
        daemon.send(Frame::new(Kind::Hello, []));
        let state = daemon.next();
        assert_eq!(state.kind, Kind::State);
        daemon.state = CellState::decode(&state.payload).unwrap();
        daemon
    }

    pub(crate) fn pid(&self) -> u32 {
        self.init.id()
    }

    /// A number from `/proc/<init>/status`, e.g. of `VmHWM` (KiB).
    pub(crate) fn status(&self, name: &str) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_matches([':', '\t', ' ', 'k', 'B']).parse().unwrap()
    }

    /// The processor time that init has used.
    pub(crate) fn processor_time(&self) -> Duration {
        let text = std::fs::read_to_string(format!("/proc/{}/schedstat", self.pid())).unwrap();
        Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
    }

    /// Descriptors that init has open.
    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count()
    }

    /// Waits for the end of init.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let pidfd = sys::process::pidfd(self.pid()).unwrap();
        let mut watches = [sys::ready::watch(std::os::fd::AsFd::as_fd(&pidfd), true, false)];
        sys::ready::wait(&mut watches, Some(PATIENCE)).unwrap();
        self.init.try_wait().unwrap().expect("init did not end")
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        // Outside a PID namespace of its own, init's end is not the end of what it started. Until then every orphan is
        // its child, so that none gets away.
        for _ in 0..1000 {
            let left = descendants(self.pid());
            if left.is_empty() {
                break;
            }
            for pid in left {
                let _ = sys::process::signal_pid(pid, sys::process::Signal::Kill);
            }
        }
        let _ = self.init.kill();
        let _ = self.init.wait();
    }
}

fn own(id: &str) -> u32 {
    let output = Command::new("id").arg(id).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

/// The user that runs this test.
pub(crate) fn own_uid() -> u32 {
    own("-u")
}

/// State, parent and pid of all processes that can be seen.
fn processes() -> Vec<(char, u32, u32)> {
    let pids = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?, pid))
    })
    .collect()
}

fn below(pid: u32, dead_too: bool) -> Vec<u32> {
    let all = processes();
    let mut found = vec![(' ', 0, pid)];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next].2;
        found.extend(all.iter().filter(|process| process.1 == parent));
        next += 1;
    }
    found.remove(0);
    found.into_iter().filter(|process| dead_too || process.0 != 'Z').map(|process| process.2).collect()
}

/// The processes below one that run.
pub(crate) fn descendants(pid: u32) -> Vec<u32> {
    below(pid, false)
}

/// The processes below one that run or have not been reaped.
pub(crate) fn unreaped(pid: u32) -> Vec<u32> {
    below(pid, true)
}

/// Whether a process runs; a zombie does not.
pub(crate) fn is_alive(pid: u32) -> bool {
    processes().iter().any(|&(state, _, found)| found == pid && state != 'Z')
}

/// What a process runs, by its short name.
pub(crate) fn name(pid: u32) -> String {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.trim().to_owned()
}

/// Waits until something is so.
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A daemon's connection.
pub(crate) struct Daemon {
    pub(crate) socket: UnixStream,
    decoder: Decoder,
    buffer: Vec<u8>,
    descriptors: VecDeque<OwnedFd>,
    /// What init said first.
    pub(crate) state: CellState,
}

pub(crate) fn call(number: u128) -> CallId {
    CallId(number)
}

impl Daemon {
    pub(crate) fn send(&self, frame: Frame) {
        use std::io::Write;
        (&self.socket).write_all(&frame.encode()).unwrap();
    }

    /// The next frame, or `None` at the end of the connection.
    pub(crate) fn try_next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.decoder.next_frame().unwrap() {
                return Some(frame);
            }
            match sys::scm::recv_with_fds(&self.socket, &mut self.buffer) {
                Ok((0, _, _)) => return None,
                Ok((len, descriptors, _)) => {
                    self.decoder.feed(&self.buffer[..len]);
                    self.descriptors.extend(descriptors);
                }
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("no frame: {error}"),
            }
        }
    }

    pub(crate) fn next(&mut self) -> Frame {
        self.try_next().expect("the connection ended")
    }

    /// The next frame of this kind; others are passed over.
    pub(crate) fn expect(&mut self, kind: Kind) -> Frame {
        loop {
            let frame = self.next();
            if frame.kind == kind {
                return frame;
            }
        }
    }

    /// All frames up to and with the first that ends a call.
    pub(crate) fn until_end(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        loop {
            frames.push(self.next());
            let last = frames.last().unwrap();
            let ends =
                matches!(last.kind, Kind::Done | Kind::CommandExited | Kind::Refused | Kind::KernelExited);
            if ends && last.call != CallId::NONE {
                return frames;
            }
        }
    }

    pub(crate) fn refused(&mut self) -> (RefusedReason, String) {
        RefusedReason::decode(&self.expect(Kind::Refused).payload).unwrap()
    }

    pub(crate) fn exited(&mut self) -> (KernelId, WaitStatus) {
        let frame = self.expect(Kind::KernelExited);
        (frame.kernel, WaitStatus::decode(&frame.payload).unwrap())
    }

    /// Starts a fake kernel inside and waits until it is ready.
    pub(crate) fn start_kernel(&mut self, kernel: u32) {
        self.send(Frame::new(Kind::StartKernel, fake_kernel(&[]).encode()).kernel(KernelId(kernel)));
        assert_eq!(self.expect(Kind::KernelReady).kernel, KernelId(kernel));
    }

    pub(crate) fn execute(&self, kernel: u32, number: u128, code: &str) {
        self.send(Frame::new(Kind::Execute, code).kernel(KernelId(kernel)).call(call(number)));
    }

    /// Runs code and gives what came, up to the end of the call.
    pub(crate) fn run(&mut self, kernel: u32, number: u128, code: &str) -> Vec<Frame> {
        self.execute(kernel, number, code);
        self.until_end()
    }

    pub(crate) fn command(&self, number: u128, script: &str) {
        let argv = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        let env = vec!["PATH=/usr/bin:/bin".to_owned(), "NAME=value".to_owned()];
        let spawn = Spawn { argv, env, cwd: "/".to_owned() };
        self.send(Frame::new(Kind::StartCommand, spawn.encode()).call(call(number)));
    }

    pub(crate) fn simple(&self, kind: Kind, kernel: u32, number: u128) {
        self.send(Frame::new(kind, []).kernel(KernelId(kernel)).call(call(number)));
    }

    /// Descriptors that came, oldest first.
    pub(crate) fn take_descriptors(&mut self, count: usize) -> Vec<OwnedFd> {
        self.descriptors.drain(..count).collect()
    }
}

/// How a fake kernel is started; code given here runs in place of its first word.
pub(crate) fn fake_kernel(code: &[&str]) -> Spawn {
    let script = source("fake_kernel.py").to_str().unwrap().to_owned();
    let argv = [python(), "-I", "-S", &script, "3"].iter().chain(code).map(|&text| text.to_owned()).collect();
    Spawn { argv, env: vec!["PATH=/usr/bin:/bin".to_owned()], cwd: "/".to_owned() }
}

/// The bytes of all frames of a kind, joined.
pub(crate) fn joined(frames: &[Frame], kind: Kind) -> Vec<u8> {
    frames.iter().filter(|frame| frame.kind == kind).flat_map(|frame| frame.payload.clone()).collect()
}

pub(crate) fn text(frames: &[Frame], kind: Kind) -> String {
    String::from_utf8(joined(frames, kind)).unwrap()
}

/// How the command whose frames these are ended.
pub(crate) fn command_status(frames: &[Frame]) -> WaitStatus {
    let last = frames.last().unwrap();
    assert_eq!(last.kind, Kind::CommandExited);
    WaitStatus::decode(&last.payload).unwrap()
}

/// What the frames of a call say was left out.
pub(crate) fn dropped(frames: &[Frame]) -> u64 {
    let count = |frame: &Frame| u64::from_le_bytes(frame.payload[..].try_into().unwrap());
    frames.iter().filter(|frame| frame.kind == Kind::Dropped).map(count).sum()
}
