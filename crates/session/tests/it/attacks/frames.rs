//! A kernel whose code speaks for itself: rubbish, floods, and frames that are not its to send. It ends itself at
//! most; the session goes on with another one, and other sessions notice nothing.

use std::time::{Duration, Instant};

use session::{Event, ExecuteRequest, Limits, Outcome, Session, Survival};

use crate::kit::{BARE, Bench, Ran, alone, print, request, run, start, with};

const SPEAK: &str = include_str!("frames.py");

/// Runs code that has the helpers of `frames.py`, for at most some seconds.
async fn speak(session: &Session, code: &str) -> Ran {
    let request =
        ExecuteRequest { timeout: Some(Duration::from_secs(2)), ..request(&format!("{SPEAK}\n{code}")) };
    Ran::of(session.execute(request).unwrap()).await
}

async fn session(bench: &Bench) -> Session {
    bench.session_with(Limits { grace_ms: 500, ..Limits::default() }).await
}

/// A fresh kernel is as good as any.
async fn assert_recovers(session: &Session, what: &str) {
    let cleared = session.clear(session::Language::Python).await.unwrap();
    assert_eq!(cleared.outcome, Outcome::Ok, "{what}: {cleared:?}");
    let ran = run(session, "n = 1\nprint('on')\nn").await.ok();
    assert_eq!(
        (ran.stdout().as_str(), ran.value(), ran.events.len()),
        ("on\n", Some("1"), 2),
        "{what}: {ran:?}"
    );
}

/// What no kernel of ours says, and a part of the sentence that is told of it.
const BREAKING: &[(&str, &str)] = &[
    ("send(b'rubbish' * 100)", "does not begin as one"),
    ("send(bytes(1000))", "does not begin as one"),
    ("send(b'\\xff' * 100_000)", "does not begin as one"),
    ("send(frame(STDOUT, b'x', magic=b'CC'))", "does not begin as one"),
    ("send(frame(STDOUT, b'x', version=2))", "version 2"),
    ("send(frame(0xff))", "no kind 0xff"),
    ("send(frame(0))", "no kind 0x00"),
    ("send(frame(READY))", "twice that it is ready"),
    ("send(frame(READY, b'x' * 1000))", "twice that it is ready"),
    ("send(frame(STDOUT, length=(32 << 20) + 1))", "a payload of 33554433 bytes"),
    ("send(frame(DONE, length=2 ** 32 - 1))", "a payload of 4294967295 bytes"),
    ("send(frame(STATE))", "State may not come from here"),
    ("send(frame(EXITED, struct.pack('<BI', 1, 0)))", "KernelExited may not come from here"),
    ("send(frame(EXITED, call=1, kernel=1))", "KernelExited may not come from here"),
    ("send(frame(BROKEN, b'a sentence of mine'))", "Broken may not come from here"),
    ("send(frame(SOFT, struct.pack('<QQ', 1, 2)))", "SoftMemory may not come from here"),
    ("send(frame(0x41))", "KernelEnds may not come from here"),
    ("send(frame(0x44))", "CommandExited may not come from here"),
    ("send(frame(RUN, b'{\"code\": \"1\"}'))", "Run may not come from here"),
    ("send(frame(0x01))", "Hello may not come from here"),
    ("send(frame(0x06, kernel=1))", "KillKernel may not come from here"),
    ("send(frame(0x07, b'x'))", "StartCommand may not come from here"),
    ("send(frame(0x0a))", "Shutdown may not come from here"),
    ("send(frame(DONE, b'not json'))", "its report cannot be read"),
    ("send(frame(DONE, b'[' * 100_000))", "its report cannot be read"),
    ("send(frame(DONE, b'\\xff'))", "its report cannot be read"),
    ("send(frame(DONE, json.dumps({'status': 'fine'}).encode()))", "its report cannot be read"),
    (
        "send(frame(DONE, json.dumps({'status': 'ok', 'execution_count': -1}).encode()))",
        "its report cannot be read",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_the_protocol_ends_the_kernel() {
    with(BARE, async |bench: &Bench| {
        let (attacked, other) = (session(bench).await, session(bench).await);
        run(&other, "kept = 'other'").await.ok();
        for (code, told) in BREAKING {
            run(&attacked, "kept = 1; open('kept', 'w').close()").await.ok();
            let ran = speak(&attacked, &format!("{code}\ntime.sleep(60)")).await;
            let Outcome::Crashed { signal: None, detail } = &ran.report.outcome else {
                panic!("{code}: {ran:?}")
            };
            assert!(
                detail.starts_with("it broke the protocol: ") && detail.contains(told),
                "{code}: {detail}"
            );
            assert!(detail.len() < 600, "{detail}");
            assert_eq!(ran.report.variables, Survival::Lost);
            let next = run(&attacked, "import os; ('kept' in globals(), os.path.exists('kept'))").await.ok();
            assert_eq!(next.value(), Some("(False, True)"));
            next.says_lost("it broke the protocol");
        }
        assert_eq!(print(&other, "print(kept)").await, "other\n");
        attacked.stop().await.unwrap();
        other.stop().await.unwrap();
    })
    .await;
}

/// What a kernel can say without breaking the protocol, to its own harm or nobody's.
const LYING: &[&str] = &[
    // Half a frame: what follows is taken for its rest.
    "send(frame(STDOUT, b'half', length=100))",
    "send(frame(DONE, b'{', length=1 << 20))",
    "os.write(FD, frame(STDOUT)[:10])",
    "send(frame(STDOUT, length=32 << 20)); time.sleep(60)",
    "send(frame(DISPLAY, b'x' * 100, length=32 << 20)); os.close(FD)",
    // Ends that are none.
    "send(frame(DONE, b'{\"status\": \"ok\"}'))",
    "send(frame(DONE, b'{\"status\": \"ok\"}') * 1000)",
    "send(frame(DONE, b'{\"status\": \"exited\", \"exit_status\": 0}')); time.sleep(60)",
    "send(frame(DONE, b'{\"status\": \"raised\", \"ename\": \"E\", \"errno\": \"ENOSPC\", \"cpu_seconds\": 1e300}'))",
    "send(frame(DONE, b'{\"status\": \"ok\", \"cpu_seconds\": -1}'))",
    "send(frame(DONE, json.dumps({'status': 'raised', 'ename': 'E' * 10 ** 6, 'evalue': '\\ud800', 'traceback': ['x'] * 10 ** 5}).encode()))",
    "send(frame(DONE, b'{\"status\": \"ok\", \"interrupted\": true}'))",
    // Bundles that are none.
    "send(frame(RESULT, b'{}'))",
    "send(frame(DISPLAY, b'\\xff\\xfe'))",
    "send(frame(DISPLAY, b'[' * 10 ** 6))",
    "send(frame(RESULT, b'{\"data\": {\"application/json\": ' + b'[' * 10 ** 5))",
    "send(frame(DISPLAY, json.dumps({'data': {'image/png': 'no base 64', 'text/plain': 5, '': None}}).encode()))",
    "send(frame(DISPLAY, b'{\"data\": {\"application/json\": 1e999}}'))",
    "send(frame(RESULT, b'{\"data\": {}}') * 1000)",
    // Nothing, often.
    "send(frame(STDOUT) * 100_000)",
    "send(frame(STDOUT, b'', call=2 ** 128 - 1, kernel=2 ** 32 - 1) * 1000)",
    // Descriptors, more than anybody wants.
    "ours = socket.socket(fileno=os.dup(FD)); held = [os.open('/dev/null', 0) for _ in range(250)]
for _ in range(200): ours.sendmsg([frame(STDOUT, b'x')], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', held))])",
    "ours = socket.socket(fileno=os.dup(FD)); ours.shutdown(socket.SHUT_WR); time.sleep(60)",
    "ours = socket.socket(fileno=os.dup(FD)); ours.shutdown(socket.SHUT_RD); time.sleep(60)",
    "os.close(FD); time.sleep(60)",
    "os.closerange(0, 1000)",
    "os.close(1); os.close(2)",
    "os.dup2(os.open('/dev/null', os.O_RDWR), FD); time.sleep(60)",
    "os.set_blocking(FD, False)",
    // A child goes on speaking when the kernel has gone.
    "if os.fork() == 0:\n    os.setsid()\n    while True: send(frame(STDOUT, b'child'))\nos._exit(0)",
];

#[tokio::test(flavor = "multi_thread")]
async fn lies_harm_the_liar_alone() {
    with(BARE, async |bench: &Bench| {
        let (attacked, other) = (session(bench).await, session(bench).await);
        run(&other, "kept = 'other'").await.ok();
        for code in LYING {
            let asked = Instant::now();
            let ran = speak(&attacked, code).await;
            assert!(asked.elapsed() < Duration::from_secs(30), "{code}: {ran:?}");
            // A call of another session meanwhile is only what it says itself.
            let beside = run(&other, "print(kept)").await.ok();
            assert_eq!((beside.stdout().as_str(), beside.events.len()), ("other\n", 1), "{code}: {beside:?}");
            assert_recovers(&attacked, code).await;
        }
        attacked.stop().await.unwrap();
        other.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_name_others_are_the_senders_own() {
    with(BARE, async |bench: &Bench| {
        let (attacker, victim) = (session(bench).await, session(bench).await);
        let mut waiting = start(&victim, "import os, time\nprint('begun')\nwhile not os.path.exists('go'): time.sleep(0.005)\n'mine'");
        crate::kit::next_stdout(&mut waiting, "begun").await;
        let code = format!(
            "call = {}
for kernel in range(4):
    send(frame(STDOUT, b'forged', call=call, kernel=kernel)); send(frame(RESULT, b'{{\"data\": {{\"text/plain\": \"forged\"}}}}', call=call, kernel=kernel))
send(frame(DONE, b'{{\"status\": \"ok\"}}', call=call, kernel=2))
time.sleep(60)",
            waiting.id().0
        );
        let ran = speak(&attacker, &code).await;
        assert_eq!(ran.report.outcome, Outcome::Ok, "its own call has ended by its own word: {ran:?}");
        assert_eq!(ran.stdout(), "forged".repeat(4));
        victim.create_file("go", &b""[..]).await.unwrap();
        let ran = Ran::of(waiting).await.ok();
        assert_eq!((ran.value(), ran.events.len()), (Some("'mine'"), 1), "{ran:?}");
        attacker.stop().await.unwrap();
        victim.stop().await.unwrap();
    })
    .await;
}

/// Floods: what is sent, how many bytes of it, and whether it is text.
const FLOODS: &[(&str, u64, bool)] = &[
    ("frame(STDOUT, b'x' * 65536) * 16", 500 << 20, true),
    ("frame(STDOUT, b'x' * (8 << 20))", 500 << 20, true),
    ("(frame(STDOUT, b'o') + frame(STDERR, b'e')) * 4096", 150 << 20, true),
    ("frame(DISPLAY, b'{\"data\": {\"text/plain\": \"x\"}}') * 4096", 100 << 20, false),
    ("frame(DISPLAY, b'{\"data\": {\"text/plain\": \"' + b'x' * (4 << 20) + b'\"}}')", 300 << 20, false),
    ("frame(DISPLAY, b'no bundle') * 4096", 50 << 20, false),
];

/// Memory of this process in use, bytes.
fn memory() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

mod alone {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_flood_drowns_nobody() {
        alone(BARE, async |bench: &Bench| {
            let attacked = session(bench).await;
            let other = session(bench).await;
            run(&other, "kept = 'other'").await.ok();
            // Once: what was used and given back is not given back to the system.
            let before = memory();
            let mut large = Vec::new();
            for &(code, bytes, text) in FLOODS {
                let request = ExecuteRequest {
                    timeout: Some(Duration::from_secs(100)),
                    ..request(&format!("{SPEAK}\nflood({code}, {bytes})"))
                };
                let mut call = attacked.execute(request).unwrap();
                let first = call.next().await;
                assert!(first.is_some() || code.contains("no bundle"));
                // Nobody takes the events: they wait, and the other session is served.
                let beside = Instant::now();
                assert_eq!(print(&other, "print(kept)").await, "other\n");
                assert!(beside.elapsed() < Duration::from_secs(5), "{code}: {:?}", beside.elapsed());
                let (ran, most) = watch_memory(Ran::of(call)).await;
                let grown = most.saturating_sub(before) >> 20;
                eprintln!("{code}: {grown} MiB, {:?}", ran.report.elapsed);
                if grown >= 400 {
                    large.push(format!("{code}: {grown} MiB of memory for {} MiB of frames", bytes >> 20));
                }
                if text {
                    assert!(
                        matches!(ran.report.outcome, Outcome::TooMuchOutput { .. }),
                        "{code}: {:?}",
                        ran.report
                    );
                    let passed: usize = ran
                        .events
                        .iter()
                        .map(|event| {
                            if let Event::Stdout(bytes) | Event::Stderr(bytes) = event {
                                bytes.len()
                            } else {
                                0
                            }
                        })
                        .sum();
                    assert!(passed as u64 <= Limits::default().output, "{passed}");
                } else {
                    assert_eq!(ran.report.outcome, Outcome::Ok, "{code}: {:?}", ran.report);
                }
                drop(ran);
                assert_recovers(&attacked, code).await;
            }
            assert!(large.is_empty(), "{large:#?}");
            attacked.stop().await.unwrap();
            other.stop().await.unwrap();
        })
        .await;
    }

    /// The most memory that this process used while it waited.
    async fn watch_memory<T>(future: impl Future<Output = T>) -> (T, u64) {
        let mut most = memory();
        let mut future = std::pin::pin!(future);
        loop {
            tokio::select! {
                done = &mut future => return (done, most.max(memory())),
                () = tokio::time::sleep(Duration::from_millis(5)) => most = most.max(memory()),
            }
        }
    }
}
