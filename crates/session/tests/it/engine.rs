//! The engine's own promises: who finds a session, when it ends, what a call's id is worth, and that a broken connection
//! or a dead forkserver costs nobody anything.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use session::{
    CommandRequest, Error, Event, ExecuteRequest, Limits, Outcome, Principal, Session, SessionId,
    SessionOptions, Survival, new_call_id,
};

use crate::kit::{
    BARE, Bench, COLD, Ran, is_root, next_stdout, print, request, run, shell, start, until, with,
};

/// Where a session's init listens.
fn socket(bench: &Bench, session: &Session) -> PathBuf {
    let node = bench.cell(session).parent().unwrap().parent().unwrap().to_owned();
    node.join("sockets").join(session.id().to_string())
}

async fn open(bench: &Bench, options: SessionOptions) -> Session {
    bench.engine.open(Principal::local(), options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_connection_costs_neither_the_call_nor_a_byte() {
    with(COLD, async |bench: &Bench| {
        let lasting = SessionOptions { linger: Duration::from_secs(60), ..SessionOptions::default() };
        let session = open(bench, lasting).await;
        run(&session, "x = 1").await.ok();
        let socket = socket(bench, &session);
        let code = "
import os
print('begun')
for n in range(2000):
    print(n, flush=True)
    if n % 500 == 250:
        print('now')
        while not os.path.exists(f'go-{n}'): pass
x";
        let mut call = start(&session, code);
        let mut said = String::new();
        for n in [250, 750, 1250, 1750] {
            while !said.ends_with("now\n") {
                match call.next().await {
                    Some(Event::Stdout(bytes)) => said += &String::from_utf8_lossy(&bytes),
                    other => panic!("{other:?} after {said:?}"),
                }
            }
            said.truncate(said.len() - "now\n".len());
            // Whoever connects takes the place of the connection before; the engine comes back.
            drop(UnixStream::connect(&socket).unwrap());
            session.create_file(format!("go-{n}"), &b""[..]).await.unwrap();
        }
        let ran = Ran::of(call).await.ok();
        let expected: String = (0..2000).fold("begun\n".to_owned(), |text, n| text + &format!("{n}\n"));
        assert_eq!(said + &ran.stdout(), expected);
        assert_eq!((ran.value(), ran.notices().len()), (Some("1"), 0), "{ran:?}");
        assert_eq!(print(&session, "print(x)").await, "1\n");
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_connection_between_calls_is_not_noticed() {
    with(BARE, async |bench: &Bench| {
        let lasting = SessionOptions { linger: Duration::from_secs(60), ..SessionOptions::default() };
        let session = open(bench, lasting).await;
        run(&session, "x = 0").await.ok();
        let socket = socket(bench, &session);
        for n in 1..=20 {
            drop(UnixStream::connect(&socket).unwrap());
            let ran = run(&session, "x += 1; print(x)").await.ok();
            assert_eq!((ran.stdout(), ran.report.fresh_kernel), (format!("{n}\n"), false), "{ran:?}");
        }
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_connection_costs_no_file() {
    with(COLD, async |bench: &Bench| {
        let lasting = SessionOptions { linger: Duration::from_secs(60), ..SessionOptions::default() };
        let session = open(bench, lasting).await;
        let socket = socket(bench, &session);
        let mut all = tokio::task::JoinSet::new();
        for n in 0..20_u8 {
            let session = session.clone();
            all.spawn(async move {
                for round in 0..20 {
                    let path = format!("d{n}/{round}");
                    let content = std::io::Cursor::new([n; 1000]);
                    assert_eq!(session.write_file(&path, content).await.unwrap(), 1000);
                    assert_eq!(session.read_file(&path).await.unwrap().size, 1000);
                    assert_eq!(session.list_directory(format!("d{n}")).await.unwrap().entries.len(), 1);
                    session.remove_file(path).await.unwrap();
                }
            });
        }
        let (mut broken, mut done) = (0, 0);
        while done < 20 {
            // As often as the engine has come back and some were done.
            let next = tokio::time::timeout(Duration::from_millis(30), all.join_next());
            if let Ok(Some(joined)) = next.await {
                joined.unwrap();
                done += 1;
            }
            if broken < 40 {
                drop(UnixStream::connect(&socket).unwrap());
                broken += 1;
            }
        }
        assert!(broken > 3, "{broken}");
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_run_once() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session().await;
        let once = request("print('once')");
        let call = once.call;
        let running = session.execute(once).unwrap();
        let again = || session.execute(ExecuteRequest::new(call, "print('twice')"));
        assert!(matches!(again(), Err(Error::KnownCall(known)) if known == call));
        assert_eq!(Ran::of(running).await.ok().stdout(), "once\n");
        assert!(matches!(again(), Err(Error::KnownCall(known)) if known == call));
        session.stop().await.unwrap();
        assert!(matches!(session.execute(request("1")), Err(Error::Ended)));
        assert!(matches!(session.files().await, Err(Error::Ended)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_found_by_principal_and_id_while_it_lives() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session().await;
        let id = session.id();
        let found = bench.engine.find(&Principal::local(), id).expect("the session");
        assert_eq!((found.id(), found.principal()), (id, &Principal::local()));
        assert!(bench.engine.find(&Principal::local(), SessionId::from_u128(1)).is_none());
        found.stop().await.unwrap();
        assert!(bench.engine.find(&Principal::local(), id).is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_nobody_holds_ends() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session().await;
        let mut call = start(&session, "print('begun')\nwhile True: pass");
        next_stdout(&mut call, "begun").await;
        let cell = bench.cell(&session);
        drop(session);
        assert_eq!(Ran::of(call).await.report.outcome, Outcome::SessionEnded);
        until("the cell is gone", || !cell.exists()).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_its_time_is_up() {
    with(COLD, async |bench: &Bench| {
        let short = SessionOptions { ttl: Some(Duration::from_millis(800)), ..SessionOptions::default() };
        let session = open(bench, short).await;
        assert_eq!(run(&session, "while True: pass").await.report.outcome, Outcome::SessionEnded);
        session.ended().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_nobody_uses_it_and_not_before() {
    with(COLD, async |bench: &Bench| {
        let idle = SessionOptions { idle: Some(Duration::from_millis(300)), ..SessionOptions::default() };
        let session = open(bench, idle).await;
        let started = Instant::now();
        run(&session, "import time; time.sleep(1)").await.ok();
        session.ended().await.unwrap();
        assert!(started.elapsed() >= Duration::from_millis(1300));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kernel_that_dies_between_calls_is_told_at_the_next() {
    with(BARE, async |bench: &Bench| {
        let session = bench.session().await;
        for (signal, said) in [("KILL", "killed (SIGKILL)"), ("SEGV", "segmentation fault (SIGSEGV)")] {
            let pid = print(&session, "import os; x = 1; print(os.getpid())").await;
            let pid = pid.trim();
            shell(&session, &format!("kill -{signal} {pid}; while test -d /proc/{pid}; do :; done"))
                .await
                .ok();
            let next = run(&session, "print('x' in globals())").await.ok();
            assert_eq!(next.stdout(), "False\n");
            next.says_lost(said);
        }
        session.stop().await.unwrap();
    })
    .await;
}

/// The process that is PID 1 in a session's cell.
pub(crate) fn init(bench: &Bench, session: &Session) -> rustix::process::Pid {
    let workspace = bench.cell(session).join("workspace");
    let workspace = workspace.to_string_lossy();
    let workspace = workspace.rsplit("/nodes/").next().unwrap();
    let of = |pid: &u32| {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
        let is_first = read("status").lines().any(|line| line.starts_with("NSpid:") && line.ends_with("\t1"));
        is_first && read("mountinfo").contains(workspace)
    };
    let pid = crate::kit::left::descendants().into_iter().find(of).expect("an init");
    rustix::process::Pid::from_raw(pid.cast_signed()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cell_that_is_killed_ends_its_session_at_once() {
    if !is_root() {
        eprintln!("SKIPPED: only root can look for another's init");
        return;
    }
    with(COLD, async |bench: &Bench| {
        let session = bench.session().await;
        let mut running = start(&session, "print('begun')\nwhile True: pass");
        let waiting = start(&session, "1");
        next_stdout(&mut running, "begun").await;
        let killed = Instant::now();
        rustix::process::kill_process(init(bench, &session), rustix::process::Signal::KILL).unwrap();
        for call in [running, waiting] {
            assert_eq!(Ran::of(call).await.report.outcome, Outcome::SessionEnded);
        }
        session.ended().await.unwrap();
        assert!(killed.elapsed() < Duration::from_secs(3), "{:?}", killed.elapsed());
        // The next session is no worse for it.
        let next = bench.session().await;
        run(&next, "1").await.ok();
        next.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_answer_with_their_status_and_cost_no_variables() {
    with(BARE, async |bench: &Bench| {
        let session = bench.session().await;
        run(&session, "x = 1").await.ok();
        let ran = shell(&session, "echo out; echo err >&2; pwd; exit 3").await.ok();
        assert_eq!((ran.stdout(), ran.stderr()), ("out\n/mnt/workspace\n".into(), "err\n".into()));
        assert_eq!(ran.report.exit_status, Some(3));
        let ran = shell(&session, "kill -SEGV $$").await;
        assert!(matches!(ran.report.outcome, Outcome::Crashed { signal: Some(11), .. }), "{ran:?}");
        assert_eq!((ran.report.exit_status, ran.report.variables), (Some(139), Survival::Kept));
        let missing = CommandRequest::new(new_call_id().unwrap(), vec!["/no/such/program".to_owned()]);
        let ran = Ran::of(session.command(missing).unwrap()).await;
        assert_eq!(ran.report.exit_status, Some(127), "{ran:?}");
        assert!(ran.stderr().contains("could not be started"), "{ran:?}");
        let limited = bench.session_with(Limits { call_ms: 200, ..Limits::default() }).await;
        let mut long = CommandRequest::shell(new_call_id().unwrap(), "sleep 0.6; echo ended");
        long.unlimited = true;
        assert_eq!(Ran::of(limited.command(long).unwrap()).await.ok().stdout(), "ended\n");
        limited.stop().await.unwrap();
        let mut stubborn = CommandRequest::shell(new_call_id().unwrap(), "trap '' INT; sleep 1000");
        stubborn.timeout = Some(Duration::from_millis(200));
        let ran = Ran::of(session.command(stubborn).unwrap()).await;
        assert_eq!(ran.report.outcome, Outcome::TimedOut { limit_ms: 200, variables: Survival::Kept });
        assert_eq!(print(&session, "print(x)").await, "1\n");
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_forkserver_kernels_start_cold_and_another_one_comes() {
    with(BARE, async |bench: &Bench| {
        let session = bench.session().await;
        run(&session, "x = 1").await.ok();
        let first = bench.engine.forkserver().expect("a forkserver");
        first.kill().unwrap();
        // Whether the engine has noticed yet or not: this one gets a kernel.
        let other = bench.session().await;
        run(&other, "1").await.ok();
        assert_eq!(print(&session, "print(x)").await, "1\n");
        until("another forkserver is warm", || {
            bench.engine.forkserver().is_some_and(|now| now.process().pid != first.process().pid)
        })
        .await;
        let second = bench.engine.forkserver().unwrap();
        let before = second.forked();
        let third = bench.session().await;
        run(&third, "1").await.ok();
        assert_eq!(second.forked(), before + 1);
        for session in [session, other, third] {
            session.stop().await.unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_in_and_out_beneath_the_workspace_only() {
    use std::io::Read;
    with(COLD, async |bench: &Bench| {
        let session = bench.session().await;
        assert_eq!(session.create_file("data/in.txt", &b"hello"[..]).await.unwrap(), 5);
        assert!(session.create_file("data/in.txt", &b"again"[..]).await.is_err());
        for path in ["../out", "/etc/out", "data/../../out", "", ".", ".."] {
            assert!(session.create_file(path, &b""[..]).await.is_err(), "{path}");
        }
        let code = "
import os
text = open('data/in.txt').read()
open('data/in.txt', 'a').write(' there')
os.symlink('/etc/passwd', 'link'); os.mkfifo('fifo'); os.symlink('data', 'linked')
open('data/out.txt', 'w').write(text)";
        run(&session, code).await.ok();
        let mut text = String::new();
        session.open_file("data/out.txt").await.unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
        for path in ["link", "fifo", "linked/out.txt", "data", "../home", "/etc/passwd"] {
            assert!(session.open_file(path).await.is_err(), "{path}");
        }
        assert!(session.create_file("linked/new", &b""[..]).await.is_err());
        let mut names: Vec<String> =
            session.files().await.unwrap().iter().map(|file| file.path.display().to_string()).collect();
        names.sort();
        assert_eq!(names, ["data", "data/in.txt", "data/out.txt", "fifo", "link", "linked"]);
        session.stop().await.unwrap();
    })
    .await;
}
