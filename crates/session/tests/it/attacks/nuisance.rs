//! What gets in the way of a session's own life: of its next kernel, of whoever lists its files, of its end.

use session::{FileKind, Limits, Outcome, Session};

use crate::kit::{BARE, Bench, COLD, Ran, print, run, shell, with};

/// Each leaves something behind; afterwards the session, and a fresh kernel in it, work.
const LEAVINGS: &[(&str, &str)] = &[
    ("signals to init", "
for number in [*range(1, 32), *range(34, 65)]:
    try: os.kill(1, number)
    except OSError: pass"),
    ("zombies that nobody reaps", "
for _ in range(400):
    if os.fork() == 0: os._exit(0)"),
    ("a flood of orphans for init to reap", "
for _ in range(20):
    children = []
    for _ in range(50):
        child = os.fork()
        if child == 0:
            if os.fork() == 0: os._exit(0)
            os._exit(0)
        children.append(child)
    for child in children: os.waitpid(child, 0)"),
    ("daemons that ignore every signal", "
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        for number in range(1, 65):
            try: signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError): pass
        if os.fork(): os._exit(0)
        while True: time.sleep(1000)
    os.wait()"),
    ("a subreaper with a family", "
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
for _ in range(5):
    if os.fork() == 0:
        if os.fork(): os._exit(0)
        signal.pause()"),
    ("a full /tmp", "
with open('/tmp/full', 'wb', buffering=0) as file:
    try:
        while True: file.write(bytes(1 << 20))
    except OSError: pass"),
    ("a full /dev/shm", "
with open('/dev/shm/full', 'wb', buffering=0) as file:
    try:
        while True: file.write(bytes(1 << 20))
    except OSError: pass"),
    ("many files in memory", "
for place in ('/tmp', '/dev/shm'):
    for n in range(20000):
        try: open(f'{place}/{n}', 'x').close()
        except OSError: break"),
    ("a large environment", "
for n in range(200): os.environ[f'LARGE_{n}'] = 'x' * 100_000
try: subprocess.run(['true'])
except OSError as error: print(error)"),
    ("limits of its own", "
for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_STACK): resource.setrlimit(limit, (0, 0))"),
    ("limits that it may not have", "
for limit in (resource.RLIMIT_NPROC, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_MEMLOCK):
    try: resource.setrlimit(limit, (resource.RLIM_INFINITY,) * 2)
    except (OSError, ValueError): continue
    raise SystemError(f'raised {limit}')"),
    ("a module that stands in the way", "
for name in ('json', 'struct', 'socket', 'IPython', 'cellblock_kernel', 'sitecustomize', 'usercustomize', 'encodings', 'ctypes'):
    open(f'{name}.py', 'w').write('raise SystemExit(99)')"),
    ("a home and a workspace that are closed", "os.chmod('/home/user', 0); os.chmod('/mnt/workspace', 0o300)"),
];

const IMPORTS: &str = "import ctypes, os, resource, signal, subprocess, sys, time\n";

async fn leave(bench: &Bench) {
    for (what, code) in LEAVINGS {
        let session = bench.session_with(Limits { memory: 512 << 20, ..Limits::default() }).await;
        let ran = run(&session, &format!("{IMPORTS}{code}")).await;
        assert!(matches!(ran.report.outcome, Outcome::Ok), "{what}: {ran:?}");
        assert_eq!(run(&session, "print('on')").await.stdout(), "on\n", "{what}");
        let cleared = session.clear(session::Language::Python).await.unwrap();
        assert_eq!(cleared.outcome, Outcome::Ok, "{what}: {cleared:?}");
        let ran = run(&session, "print('fresh', 1 + 1)").await;
        assert_eq!(
            (&ran.report.outcome, ran.stdout().as_str()),
            (&Outcome::Ok, "fresh 2\n"),
            "{what}: {ran:?}"
        );
        assert_eq!(shell(&session, "echo beside").await.stdout(), "beside\n", "{what}");
        session.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_code_leaves_keeps_no_forked_kernel_out() {
    with(BARE, leave).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_code_leaves_keeps_no_cold_kernel_out() {
    with(COLD, leave).await;
}

/// Code that every interpreter of the session runs when it starts, and does not survive.
const BREAKING: &[(&str, &str)] = &[
    ("import os; os._exit(97)", "hostile.pth"),
    ("raise SystemExit(98)", "usercustomize.py"),
    ("raise SystemExit(99)", "sitecustomize.py"),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_every_interpreter_can_be_undone() {
    for kernels in [BARE, COLD] {
        with(kernels, async |bench: &Bench| {
            let session = bench.session().await;
            for (content, name) in BREAKING {
                let code = format!(
                    "
import os, site
with open(f'{{site.getsitepackages()[0]}}/{name}', 'w') as file: file.write({content:?})
os._exit(0)"
                );
                run(&session, &code).await;
                // A kernel starts all the same; what it is to run for its user ends it, and that is told as what it is.
                let ran = run(&session, "print('on')").await;
                if *name == "hostile.pth" {
                    assert_eq!(ran.report.outcome, Outcome::Exited { status: 97 }, "{ran:?}");
                } else {
                    assert_eq!(ran.ok().stdout(), "on\n");
                }
                let other = shell(&session, "python -c pass").await;
                assert_ne!(other.report.exit_status, Some(0), "{name}: {other:?}");
                shell(&session, &format!("rm ~/.local/lib/python3.*/site-packages/{name}")).await.ok();
                assert_eq!(print(&session, "print('on')").await, "on\n");
            }
            session.stop().await.unwrap();
        })
        .await;
    }
}

/// Things in a workspace that are no files, or are not to be found, read or removed easily.
const PLANTED: &str = r"
import ctypes, os, socket
os.mkfifo('fifo'); socket.socket(socket.AF_UNIX).bind('socket')
for name, to in {'passwd': '/etc/passwd', 'loop': 'loop', 'up': '../../..', 'out': '/', 'init': '/proc/1/root', 'own': '/proc/self/fd/3',
                 'nowhere': '/no/such/place'}.items(): os.symlink(to, name)
open('name\nwith\nlines', 'w').write('1'); open(b'not\xffutf8', 'w').write('2'); open(' ', 'w').write('3'); open('-rf', 'w').write('4')
open('n' * 255, 'w').write('5'); open('\x1b[31mred', 'w').write('6')
os.mkdir('closed'); open('closed/inside', 'w').write('7'); os.chmod('closed', 0); os.mkdir('read-only'); open('read-only/file', 'w').write('8'); os.chmod('read-only', 0o500)
open('no-mode', 'w').write('9'); os.chmod('no-mode', 0)
open('set-uid', 'w').write('10'); os.chmod('set-uid', 0o6777)
os.link('no-mode', 'linked')
with open('hole', 'wb') as file: file.truncate(1 << 33)
deep = 0
while deep < 5000:
    os.mkdir('d'); os.chdir('d'); deep += 1
open('bottom', 'w').write('deep'); os.chdir('/mnt/workspace')
for n in range(3000): open(f'many-{n}', 'w').close()
print(deep)";

#[tokio::test(flavor = "multi_thread")]
async fn a_planted_workspace_is_listed_opened_and_removed() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session().await;
        assert_eq!(print(&session, PLANTED).await, "5000\n");
        let files = crate::kit::within("list them", session.files()).await.unwrap();
        let kind = |name: &str| files.iter().find(|file| file.path.as_os_str() == name).map(|file| file.kind);
        for (name, expected) in [
            ("fifo", FileKind::Special),
            ("socket", FileKind::Special),
            ("passwd", FileKind::Link),
            ("loop", FileKind::Link),
            ("name\nwith\nlines", FileKind::File),
            ("read-only/file", FileKind::File),
            ("many-2999", FileKind::File),
            ("d", FileKind::Directory),
        ] {
            assert_eq!(kind(name), Some(expected), "{name}");
        }
        for name in [
            "fifo",
            "socket",
            "passwd",
            "loop",
            "up/etc/passwd",
            "out/etc/passwd",
            "init/etc/passwd",
            "own",
            "nowhere",
            "d",
            "..",
            "../home/x",
            "/etc/passwd",
            "out",
            "d/d/../../../../etc/passwd",
        ] {
            let opened = crate::kit::within("open it", session.open_file(name)).await;
            assert!(matches!(opened, Err(session::Error::File { .. })), "{name}: {opened:?}");
        }
        for name in ["up/made", "out/tmp/made", "loop", "nowhere", "fifo", "passwd", "../made", "/tmp/made"] {
            let made = crate::kit::within("make it", session.create_file(name, &b"x"[..])).await;
            assert!(made.is_err(), "{name}");
        }
        let mut content = String::new();
        let mut file = session.open_file("name\nwith\nlines").await.unwrap();
        std::io::Read::read_to_string(&mut file, &mut content).unwrap();
        assert_eq!(content, "1");
        // Kernels come and go, the disk is measured, and the end removes all of it.
        session.clear(session::Language::Python).await.unwrap();
        assert_eq!(print(&session, "import time; time.sleep(1.1); print('on')").await, "on\n");
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_in_the_cell_can_be_killed_but_init() {
    with(BARE, async |bench: &Bench| {
        let (session, other) = (bench.session().await, bench.session().await);
        run(&session, "kept = 1").await.ok();
        run(&other, "kept = 'other'").await.ok();
        // The kernel itself is spared by such a signal, and its children are not.
        let all = "import os, signal, subprocess; child = subprocess.Popen(['sleep', '1000']); os.kill(-1, signal.SIGKILL); child.wait()";
        assert_eq!(run(&session, all).await.ok().value(), Some("-9"));
        assert_eq!(print(&session, "print(kept)").await, "1\n");
        let child = "import os, signal, time\nif os.fork() == 0: os.kill(-1, signal.SIGKILL)\ntime.sleep(1000)";
        let ran = run(&session, child).await;
        assert!(matches!(ran.report.outcome, Outcome::Crashed { signal: Some(9), .. }), "{ran:?}");
        let command = shell(&session, "kill -9 -1; echo alone").await;
        assert_eq!(command.stdout(), "alone\n");
        assert_eq!(print(&session, "print('on')").await, "on\n");
        assert_eq!(print(&other, "print(kept)").await, "other\n");
        session.stop().await.unwrap();
        other.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_commands_are_told_so() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session().await;
        let line = "while [ ! -e go ]; do sleep 0.05; done; echo ran";
        let send = |session: &Session| {
            let request = session::CommandRequest::shell(session::new_call_id().unwrap(), line);
            session.command(request).unwrap()
        };
        let calls: Vec<_> = (0..100).map(|_| send(&session)).collect();
        assert_eq!(print(&session, "print('beside')").await, "beside\n");
        session.create_file("go", &b""[..]).await.unwrap();
        let (mut did, mut refused) = (0, 0);
        for call in calls {
            let ran = Ran::of(call).await;
            match ran.report.exit_status {
                Some(0) => did += 1,
                Some(127) => {
                    assert!(ran.stderr().contains("as many commands as it can"), "{ran:?}");
                    refused += 1;
                }
                _ => panic!("{ran:?}"),
            }
        }
        assert!(did >= 32 && did + refused == 100, "{did} {refused}");
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_on_processor_time_is_the_kernels_own_end() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session().await;
        let ran = run(
            &session,
            "import resource, signal\nresource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass",
        )
        .await;
        assert!(matches!(ran.report.outcome, Outcome::Crashed { signal: Some(9 | 24), .. }), "{ran:?}");
        assert_eq!(print(&session, "print('on')").await, "on\n");
        session.stop().await.unwrap();
    })
    .await;
}
