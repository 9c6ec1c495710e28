//! What a session is from call to call, for a client that holds it open: the same with forked and with cold kernels.

mod files;
mod shows;
mod streams;

use session::{ExecuteRequest, Outcome, Survival};

use crate::kit::{BARE, Bench, COLD, Ran, print, request, run, with};

/// Makes a test of each function, once with forked and once with cold kernels.
macro_rules! with_both {
    ($($name:ident,)*) => {
        mod forked {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                crate::kit::with(crate::kit::BARE, super::$name).await;
            })*
        }
        mod cold {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                crate::kit::with(crate::kit::COLD, super::$name).await;
            })*
        }
    };
}
pub(crate) use with_both;

with_both! {
    everything_lives_for_a_hundred_calls,
    awaiting_at_the_top_level_has_one_loop,
    the_language_reports_its_own_errors,
    nobody_is_there_to_be_asked,
    a_fresh_context_is_fresh,
}

async fn everything_lives_for_a_hundred_calls(bench: &Bench) {
    let session = bench.session().await;
    let begin = r"
import collections as kept_import, os
class Kept:
    def __init__(self): self.value = 0
    def add(self, n): self.value += n; return self.value
def double(x): return 2 * x
kept, log = Kept(), open('log.txt', 'w')
os.mkdir('below'); os.chdir('below'); os.environ['KEPT'] = 'here'
generator = iter(range(1000))";
    let first = run(&session, begin).await.ok();
    assert!(first.report.fresh_kernel && first.events.is_empty(), "{first:?}");
    for n in 1..=100_u64 {
        let code = "
log.write('line\\n')
print(double(kept.add(1)), kept_import.Counter('aab')['a'], os.path.basename(os.getcwd()), os.environ['KEPT'])
next(generator)";
        let ran = run(&session, code).await.ok();
        assert_eq!(ran.stdout(), format!("{} 2 below here\n", 2 * n));
        assert_eq!(ran.value(), Some(&*(n - 1).to_string()));
        assert_eq!(ran.report.execution_count, Some(n + 1));
        assert!(!ran.report.fresh_kernel && ran.notices().is_empty(), "{ran:?}");
    }
    let ran = run(&session, "log.close(); len(open('../log.txt').readlines())").await.ok();
    assert_eq!(ran.value(), Some("100"));
    session.stop().await.unwrap();
}

async fn awaiting_at_the_top_level_has_one_loop(bench: &Bench) {
    let session = bench.session().await;
    let begin = "
import asyncio
async def answer(): await asyncio.sleep(0.01); return 42
task, loop = asyncio.create_task(answer()), asyncio.get_running_loop()
await asyncio.sleep(0)";
    run(&session, begin).await.ok();
    let ran = run(&session, "assert asyncio.get_running_loop() is loop\nawait task").await.ok();
    assert_eq!(ran.value(), Some("42"));
    let several = "
async def generate():
    for n in range(3): yield n
found = [n async for n in generate()]
async with asyncio.timeout(5): found.append(await answer())
found";
    assert_eq!(run(&session, several).await.ok().value(), Some("[0, 1, 2, 42]"));
    // Code without `await` is as in any program: it may start a loop of its own.
    assert_eq!(run(&session, "asyncio.run(answer()) + 1").await.ok().value(), Some("43"));
    session.stop().await.unwrap();
}

async fn the_language_reports_its_own_errors(bench: &Bench) {
    let session = bench.session().await;
    let code = "x = 1\ndef divide(a, b):\n    return a / b\nprint('before')\ndivide(x, 0)";
    let ran = run(&session, code).await;
    assert_eq!((&ran.report.outcome, ran.report.variables), (&Outcome::Raised, Survival::Kept));
    assert_eq!(ran.stdout(), "before\n");
    assert_eq!(ran.raised(), ("ZeroDivisionError", "division by zero"));
    let traceback = &ran.report.raised.as_ref().unwrap().traceback;
    assert!(traceback.starts_with("Traceback (most recent call last):\n"), "{traceback}");
    assert!(traceback.contains("line 5") && traceback.contains("line 3, in divide"), "{traceback}");
    assert!(traceback.contains("return a / b"), "{traceback}");
    assert!(traceback.trim_end().ends_with("ZeroDivisionError: division by zero"), "{traceback}");
    assert!(!traceback.contains("cellblock"), "frames of ours: {traceback}");
    for (code, name) in [
        ("x = 2\nif x\n    pass", "SyntaxError"),
        ("x = 3\n  y = 4", "IndentationError"),
        ("missing", "NameError"),
        ("raise KeyError('a') from ValueError('b')", "KeyError"),
        ("def f(): return f()\nf()", "RecursionError"),
        ("raise ExceptionGroup('two', [ValueError(1), TypeError(2)])", "ExceptionGroup"),
        ("class Odd(Exception):\n    def __str__(self): 1 / 0\nraise Odd()", "Odd"),
        ("import no_such_module", "ModuleNotFoundError"),
    ] {
        let ran = run(&session, code).await;
        assert_eq!((&ran.report.outcome, ran.raised().0), (&Outcome::Raised, name), "{ran:?}");
        let traceback = &ran.report.raised.as_ref().unwrap().traceback;
        assert!(traceback.contains(name) && !traceback.contains("cellblock"), "{traceback}");
    }
    // A piece of code that cannot be read has not begun to run.
    assert_eq!(print(&session, "print(x)").await, "1\n");
    session.stop().await.unwrap();
}

async fn nobody_is_there_to_be_asked(bench: &Bench) {
    let session = bench.session().await;
    for (code, none) in [
        ("input('name? ')", "without a terminal"),
        ("import getpass; getpass.getpass()", "without a terminal"),
        ("import sys; sys.stdin.read()", "no standard input"),
        ("import sys; next(sys.stdin)", "no standard input"),
    ] {
        let ran = run(&session, code).await;
        assert_eq!(ran.report.outcome, Outcome::Raised);
        let (name, why) = ran.raised();
        assert_eq!(name, "EOFError");
        assert!(why.contains(none) && why.contains("Put the value into the code"), "{why}");
    }
    let ran = run(&session, "breakpoint()").await;
    assert!(ran.raised().1.contains("without a terminal"), "{ran:?}");
    session.stop().await.unwrap();
}

async fn a_fresh_context_is_fresh(bench: &Bench) {
    let session = bench.session().await;
    run(
        &session,
        "x = 1; import os; os.environ['SEEN'] = '1'; open('kept', 'w').write('here'); os.chdir('/tmp')",
    )
    .await
    .ok();
    let cleared = session.clear(session::Language::Python).await.unwrap();
    assert_eq!((cleared.outcome, cleared.fresh_kernel), (Outcome::Ok, true));
    let look = "import os; ('x' in globals(), 'SEEN' in os.environ, open('kept').read(), os.getcwd())";
    let ran = run(&session, look).await.ok();
    assert_eq!(ran.value(), Some("(False, False, 'here', '/mnt/workspace')"));
    assert!(ran.notices().is_empty() && !ran.report.fresh_kernel, "{ran:?}");

    run(&session, "x = 2").await.ok();
    let fresh = ExecuteRequest { clear_context: true, ..request("'x' in globals()") };
    let ran = Ran::of(session.execute(fresh).unwrap()).await.ok();
    assert_eq!((ran.value(), ran.report.execution_count), (Some("False"), Some(1)));
    assert!(
        ran.notices().is_empty() && ran.report.fresh_kernel,
        "what was asked for needs no words: {ran:?}"
    );
    session.stop().await.unwrap();
}

/// What code can see of the process that it runs in. Left out are `sys.flags`, which cannot be changed after an
/// interpreter's start.
const SURROUNDINGS: &str = r"
import os, resource, signal, sys, threading
status = dict(line.split(':', 1) for line in open('/proc/self/status'))
def told(path):
    try: return os.readlink(path).split('[')[0]
    except OSError: return None
surroundings = {
    'variables': sorted(os.environ.items()),
    'path': sys.path, 'argv': sys.argv, 'name': __name__, 'executable': sys.executable, 'prefix': sys.prefix, 'encodings': (sys.stdout.encoding, sys.getfilesystemencoding()),
    'warnings': sys.warnoptions, 'bytecode': sys.dont_write_bytecode, 'interactive': hasattr(sys, 'ps1'),
    'threads': threading.active_count(), 'recursion': sys.getrecursionlimit(), 'switch': sys.getswitchinterval(),
    'descriptors': [(n, told(f'/proc/self/fd/{n}')) for n in range(16)],
    'limits': [(n, resource.getrlimit(n)) for n in range(16)],
    'ids': (os.getresuid(), os.getresgid(), os.getgroups()), 'umask': status['Umask'],
    'leads its session': os.getsid(0) == os.getpid(), 'leads its group': os.getpgid(0) == os.getpid(),
    'parent': os.getppid(), 'nice': os.nice(0), 'processors': os.sched_getaffinity(0),
    'status': {name: status[name].strip() for name in
        ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp', 'SigBlk', 'SigIgn', 'THP_enabled')},
    'handlers': {n: signal.getsignal(n) if not callable(signal.getsignal(n)) else 'own' for n in range(1, 32)},
    'namespaces': sorted(os.readlink(f'/proc/self/ns/{n}') == os.readlink(f'/proc/{os.getpid()}/ns/{n}')
        for n in os.listdir('/proc/self/ns')),
    'user site': (__import__('site').ENABLE_USER_SITE, __import__('site').getusersitepackages()),
    'directory': os.getcwd(), 'locale': __import__('locale').getlocale(), 'tty': sys.stdin.isatty(),
    'collects': __import__('gc').isenabled(), 'thresholds': __import__('gc').get_threshold(),
}
for name, value in surroundings.items(): print(name, value)";

#[tokio::test(flavor = "multi_thread")]
async fn a_forked_kernel_looks_like_a_cold_one() {
    let told = std::cell::RefCell::new(Vec::new());
    for kernels in [BARE, COLD] {
        with(kernels, async |bench: &Bench| {
            let session = bench.session().await;
            let said = print(&session, SURROUNDINGS).await;
            told.borrow_mut().push(said);
            session.stop().await.unwrap();
        })
        .await;
    }
    let told = told.into_inner();
    let [forked, cold] = &*told else { return };
    let differing: Vec<_> =
        forked.lines().zip(cold.lines()).filter(|(forked, cold)| forked != cold).collect();
    assert!(differing.is_empty(), "{differing:#?}");
    assert_eq!(forked.lines().count(), cold.lines().count());
}
