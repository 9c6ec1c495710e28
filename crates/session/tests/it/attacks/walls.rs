//! Files, sockets, system calls and other cells: whatever is attempted is refused, and the session goes on.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use session::{Mount, Session};

use crate::kit::left::descendants;
use crate::kit::{BARE, Bench, COLD, environment, print, run, with};

const COMMON: &str = include_str!("common.py");
const HOST_FILES: &str = include_str!("host_files.py");
const SOCKETS: &str = include_str!("sockets.py");
const SYSCALLS: &str = include_str!("syscalls.py");
const OTHER_CELL: &str = include_str!("other_cell.py");

/// Something of the host's that answers everybody: a port, and an abstract socket.
struct Bait {
    port: u16,
    name: String,
}

impl Bait {
    fn new() -> Bait {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = tcp.local_addr().unwrap().port();
        let name = format!("cellblock-test-{}-{port}", std::process::id());
        let unix = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        // They end with this process: who waits for a connection cannot be told to stop.
        std::thread::spawn(move || {
            tcp.incoming().flatten().for_each(|mut peer| _ = peer.write_all(b"the host"));
        });
        std::thread::spawn(move || {
            unix.incoming().flatten().for_each(|mut peer| _ = peer.write_all(b"the host"));
        });
        Bait { port, name }
    }
}

/// The other cell: a secret in every place there is.
const OTHER: &str = r"
import ctypes, os, socket, threading
secret = 'the other cell\'s secret'
for path in ('secret.txt', '/home/user/secret.txt', '/tmp/secret.txt', '/dev/shm/secret'):
    with open(path, 'w') as file: file.write(secret)
    os.chmod(path, 0o666)
libc = ctypes.CDLL(None); libc.shmat.restype = ctypes.c_void_p
ctypes.memmove(libc.shmat(libc.shmget(0x5ec, 4096, 0o1666), None, 0), secret.encode(), len(secret))
def serve(server):
    while True: server.accept()[0].sendall(secret.encode())
abstract = socket.socket(socket.AF_UNIX); abstract.bind('\0the-other-cell'); abstract.listen()
port = socket.create_server(('0.0.0.0', 0))
for server in (abstract, port): threading.Thread(target=serve, args=(server,), daemon=True).start()
os.umask(0); os.chmod('/mnt/workspace', 0o777); os.chmod('/home/user', 0o777)
print(port.getsockname()[1])";

struct Scene<'a> {
    bench: &'a Bench,
    bait: Bait,
    other: Session,
    port: String,
}

impl Scene<'_> {
    async fn set(bench: &Bench) -> Scene<'_> {
        let other = bench.session().await;
        let port = print(&other, OTHER).await.trim().to_owned();
        Scene { bench, bait: Bait::new(), other, port }
    }

    /// The attack as it runs here or there: with what it may know, and what it is to try.
    fn program(&self, attack: &str, control: &str) -> String {
        let directory = self.bench.cell(&self.other);
        let socket = self.bench.data.join("nodes").read_dir().unwrap().next().unwrap().unwrap().path();
        let mut text = String::new();
        writeln!(text, "CONTROL = {control}").unwrap();
        writeln!(
            text,
            "HOST_PORT, HOST_ABSTRACT, HOST_DATA = {}, {:?}, {:?}",
            self.bait.port, self.bait.name, self.bench.data
        )
        .unwrap();
        writeln!(
            text,
            "OTHER = dict(pids={:?}, directory={directory:?}, abstract='the-other-cell', port={}, socket={:?})",
            descendants(),
            self.port,
            socket.join("sockets").join(self.other.id().to_string()),
        )
        .unwrap();
        text + COMMON + attack
    }

    /// Every attempt is refused, at least so many are made, and the session goes on.
    async fn refuses(&self, attack: &str, least: usize) {
        self.refuses_in(self.bench.session().await, attack, least).await;
    }

    /// The same in this session, which ends.
    async fn refuses_in(&self, session: Session, attack: &str, least: usize) {
        run(&session, "kept = 'still here'").await.ok();
        let ran = run(&session, &self.program(attack, "None")).await;
        let (said, refused) =
            (ran.stdout(), ran.stdout().lines().filter(|line| line.contains(": refused")).count());
        let open: Vec<&str> = said.lines().filter(|line| line.contains("OPEN")).collect();
        assert!(open.is_empty(), "{open:#?}");
        ran.ok();
        assert!(refused >= least, "only {refused} attempts were refused: {said}");
        assert!(!said.contains("secret'"), "{said}");
        assert_eq!(print(&session, "print(kept)").await, "still here\n");
        session.stop().await.unwrap();
        assert_eq!(print(&self.other, "print(open('secret.txt').read() == secret)").await, "True\n");
    }

    /// Outside of a cell these attempts succeed.
    fn succeeds_outside(&self, attack: &str, names: &[&str]) {
        let output = python(&self.program(attack, &format!("{names:?}")));
        for name in names {
            let open = format!("{name}: OPEN");
            assert!(output.lines().any(|line| line.starts_with(&open)), "{name} is no attempt: {output}");
        }
    }
}

/// What a program says that runs outside of any cell, with the environment's own interpreter.
fn python(program: &str) -> String {
    let root: PathBuf = environment().expect("the test runs with one");
    let output = Command::new(root.join("bin/python"))
        .args(["-S", "-c", program])
        .env_clear()
        .env("PYTHONHOME", root.join("base"))
        .env("CARGO", "as tests have it")
        .output()
        .unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_files_are_not_there() {
    with(BARE, async |bench: &Bench| {
        let scene = Scene::set(bench).await;
        scene.refuses(HOST_FILES, 75).await;
        let control = [
            "/var/lib",
            "/sys/kernel",
            "/sys/class",
            "the data directory",
            "processes",
            "host name",
            "variables",
        ];
        scene.succeeds_outside(HOST_FILES, &control);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_socket_leads_out() {
    with(BARE, async |bench: &Bench| {
        let scene = Scene::set(bench).await;
        scene.refuses(SOCKETS, 150).await;
        let control = [
            "host's loopback 127.0.0.1",
            "host's abstract socket",
            "netlink 15",
            "connections",
            "abstract names",
        ];
        scene.succeeds_outside(SOCKETS, &control);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn system_calls_open_no_door() {
    with(BARE, async |bench: &Bench| {
        let scene = Scene::set(bench).await;
        scene.refuses(SYSCALLS, 70).await;
        let control = ["unshare user", "clone user", "ptrace attach", "read a child's memory"];
        scene.succeeds_outside(SYSCALLS, &control);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_in_another_place_opens_no_door() {
    with(BARE, async |bench: &Bench| {
        let scene = Scene::set(bench).await;
        for (attack, least) in [(SYSCALLS, 70), (HOST_FILES, 75), (OTHER_CELL, 30)] {
            let session = bench.session_at(Mount::new("/mnt/data").unwrap()).await;
            scene.refuses_in(session, attack, least).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_cell_is_out_of_reach() {
    for kernels in [BARE, COLD] {
        with(kernels, async |bench: &Bench| {
            let scene = Scene::set(bench).await;
            scene.refuses(OTHER_CELL, 30).await;
            let control = ["read its workspace/secret.txt", "read its home/secret.txt", "list its directory"];
            scene.succeeds_outside(OTHER_CELL, &control);
            assert!(Path::new("/proc/self/root").exists());
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_in_the_same_cell() {
    with(COLD, async |bench: &Bench| {
        let scene = Scene::set(bench).await;
        let session = bench.session().await;
        let program = scene.program(SYSCALLS, "None");
        session.create_file("attack.py", std::io::Cursor::new(program)).await.unwrap();
        let ran = crate::kit::shell(&session, "python attack.py").await.ok();
        let said = ran.stdout();
        let open: Vec<&str> = said.lines().filter(|line| line.contains("OPEN")).collect();
        assert!(open.is_empty(), "{open:#?}");
        assert!(said.lines().filter(|line| line.contains(": refused")).count() >= 70, "{said}");
        session.stop().await.unwrap();
    })
    .await;
}
