//! JavaScript and TypeScript in sessions: what the engine does for them. What the kernel itself does is tested beside it.

mod outcomes;

use session::{Dialect, Language, Session};

use crate::kit::{Bench, COLD, Ran, print, request, run, shell, with};

pub(crate) const DENO: Language = Language::Deno(Dialect::JavaScript);
pub(crate) const NODE: Language = Language::Node(Dialect::JavaScript);

/// Makes a test of each function for each runtime.
macro_rules! in_both {
    ($($name:ident,)*) => {
        mod node {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                crate::kit::with(crate::kit::COLD, async |bench: &crate::kit::Bench| super::$name(bench, super::NODE).await).await;
            })*
        }
        mod deno {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                crate::kit::with(crate::kit::COLD, async |bench: &crate::kit::Bench| super::$name(bench, super::DENO).await).await;
            })*
        }
    };
}
pub(crate) use in_both;

/// Runs code of this language.
pub(crate) async fn js(session: &Session, language: Language, code: &str) -> Ran {
    Ran::of(session.execute(request(code).in_language(language)).unwrap()).await
}

/// Its value: Node and Deno quote texts differently.
pub(crate) fn quoted(ran: &Ran) -> String {
    ran.value().unwrap_or_default().replace('"', "'")
}

in_both! {
    variables_live_from_call_to_call,
    each_language_keeps_its_own,
    one_directory_serves_all,
    what_comes_late_is_said_to_be_late,
    files_and_programs_are_shared,
}

async fn variables_live_from_call_to_call(bench: &Bench, language: Language) {
    let session = bench.session().await;
    let begin = "const x = 1; let y = 2; class Kept { add(n) { this.n = (this.n ?? 0) + n; return this.n } }\n\
                 const kept = new Kept(); function* count() { let n = 0; for (;;) yield n++ } const counter = count();";
    let first = js(&session, language, begin).await.ok();
    assert!(first.report.fresh_kernel && first.value().is_none(), "{first:?}");
    for n in 0..50 {
        let ran = js(&session, language, "kept.add(2); const x = y * 2; counter.next().value").await.ok();
        assert_eq!(ran.value(), Some(&*n.to_string()));
        assert!(!ran.report.fresh_kernel && ran.notices().is_empty(), "{ran:?}");
    }
    let ran = js(&session, language, "class Kept {}; [x, kept.n, kept instanceof Kept]").await.ok();
    assert_eq!(ran.value(), Some("[ 4, 100, false ]"));
    session.stop().await.unwrap();
}

async fn each_language_keeps_its_own(bench: &Bench, language: Language) {
    let session = bench.session().await;
    run(&session, "x = 'python'").await.ok();
    js(&session, language, "var x = 'script'").await.ok();
    assert_eq!(print(&session, "print(x)").await, "python\n");
    assert_eq!(quoted(&js(&session, language, "x").await.ok()), "'script'");
    // A fresh one of each, while the other keeps what it has.
    assert!(session.clear(language).await.unwrap().fresh_kernel);
    assert_eq!(quoted(&js(&session, language, "typeof x").await.ok()), "'undefined'");
    assert_eq!(print(&session, "print(x)").await, "python\n");
    js(&session, language, "var x = 'again'").await.ok();
    assert!(session.clear(Language::Python).await.unwrap().fresh_kernel);
    assert_eq!(run(&session, "x").await.raised().0, "NameError");
    let ran = js(&session, language, "x").await.ok();
    assert_eq!(quoted(&ran), "'again'");
    assert!(ran.notices().is_empty(), "{ran:?}");
    session.stop().await.unwrap();
}

async fn one_directory_serves_all(bench: &Bench, language: Language) {
    let session = bench.session().await;
    run(&session, "import os; os.makedirs('deep/er'); os.chdir('deep')").await.ok();
    assert_eq!(quoted(&js(&session, language, "process.cwd()").await.ok()), "'/mnt/workspace/deep'");
    js(&session, language, "process.chdir('er')").await.ok();
    assert_eq!(shell(&session, "pwd").await.ok().stdout(), "/mnt/workspace/deep/er\n");
    assert_eq!(print(&session, "print(os.getcwd())").await, "/mnt/workspace/deep/er\n");
    // A directory that is gone is no reason to fail.
    js(&session, language, "process.chdir('..'); require('fs').rmdirSync('er')").await.ok();
    assert_eq!(print(&session, "print(os.getcwd())").await, "/mnt/workspace/deep\n");
    session.stop().await.unwrap();
}

async fn what_comes_late_is_said_to_be_late(bench: &Bench, language: Language) {
    let session = bench.session().await;
    let early =
        js(&session, language, "setTimeout(() => console.log('at last'), 50); console.log('now')").await;
    assert_eq!(early.ok().stdout(), "now\n");
    let next =
        js(&session, language, "await new Promise(done => setTimeout(done, 300)); console.log('then')").await;
    let next = next.ok();
    assert_eq!(next.stdout(), "then\n");
    assert_eq!(next.late_stdout(), "at last\n");
    assert!(next.notices().join("\n").contains("output of an earlier call"), "{next:?}");
    session.stop().await.unwrap();
}

async fn files_and_programs_are_shared(bench: &Bench, language: Language) {
    let session = bench.session().await;
    js(&session, language, "require('fs').writeFileSync('made.txt', 'by a script')").await.ok();
    assert_eq!(print(&session, "print(open('made.txt').read())").await, "by a script\n");
    let ran =
        js(&session, language, "require('child_process').execSync('cat made.txt').toString()").await.ok();
    assert_eq!(quoted(&ran), "'by a script'");
    session.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_without_javascript_has_no_kernel_for_it() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session().await;
        run(&session, "1").await.ok();
        let processes = shell(&session, "cat /proc/[0-9]*/comm").await.ok().stdout();
        assert!(!processes.contains("node") && !processes.contains("deno"), "{processes}");
        js(&session, NODE, "1").await.ok();
        let processes = shell(&session, "cat /proc/[0-9]*/comm").await.ok().stdout();
        assert!(processes.lines().any(|name| name == "node" || name == "MainThread"), "{processes}");
        session.stop().await.unwrap();
    })
    .await;
}

/// Compiled code is the runtime's, for all cells; what else Deno keeps is the home's, to be written.
#[tokio::test(flavor = "multi_thread")]
async fn deno_need_not_compile_what_every_cell_needs() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session().await;
        let code = "echo process.pid > one.mjs; deno run -A --log-level=debug one.mjs 2>&1 | grep -i cache";
        let said = shell(&session, code).await.ok().stdout();
        assert!(said.contains("cache hit for ES module: node:process"), "{said}");
        assert!(!said.contains("Updating V8 code cache for ES module: ext:"), "{said}");
        let code = "echo \"import 'npm:lodash'\" > two.mjs && deno run -A --node-modules-dir=manual two.mjs; cd ~/.cache/deno && \
                    touch own && find . -type l; find . -name node_analysis_cache_v2 -type f; echo x > v8_code_cache_v2";
        let ran = shell(&session, code).await;
        assert_eq!(ran.stdout(), "./v8_code_cache_v2\n./node_analysis_cache_v2\n", "{ran:?}");
        assert!(format!("{ran:?}").contains("v8_code_cache_v2: Read-only file system"), "{ran:?}");
        session.stop().await.unwrap();
    })
    .await;
}
