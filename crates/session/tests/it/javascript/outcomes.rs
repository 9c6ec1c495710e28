//! How JavaScript calls end.

use std::fs::File;
use std::time::Duration;

use session::{Language, Outcome, Survival};

use super::{DENO, NODE, in_both, js, quoted};
use crate::kit::{Bench, Ran, environment, next_stdout, request, within};

in_both! {
    errors_are_data,
    leaving_loses_the_variables_and_says_so,
    a_loop_that_is_interrupted_keeps_them,
    a_loop_that_takes_too_long_keeps_them,
    memory_has_an_end,
    a_signal_is_named,
}

async fn errors_are_data(bench: &Bench, language: Language) {
    let session = bench.session().await;
    js(&session, language, "let kept = 1").await.ok();
    let ran = js(&session, language, "console.log('before')\nnull.property").await;
    assert_eq!((&ran.report.outcome, ran.report.variables), (&Outcome::Raised, Survival::Kept));
    assert_eq!(ran.raised().0, "TypeError");
    assert_eq!(ran.stdout(), "before\n");
    let ran = js(&session, language, "Promise.reject(new RangeError('nobody awaits this'))\n1").await;
    assert_eq!(ran.raised(), ("RangeError", "nobody awaits this"));
    let ran = js(&session, language, "let broken = ;").await;
    assert_eq!(ran.raised().0, "SyntaxError");
    assert_eq!(js(&session, language, "kept").await.ok().value(), Some("1"));
    session.stop().await.unwrap();
}

async fn leaving_loses_the_variables_and_says_so(bench: &Bench, language: Language) {
    let session = bench.session().await;
    js(&session, language, "let kept = 1").await.ok();
    let code = "process.on('exit', () => console.log('bye')); console.log('last words'); process.exit(7)";
    let ran = js(&session, language, code).await;
    assert_eq!(ran.report.outcome, Outcome::Exited { status: 7 });
    assert_eq!(ran.report.variables, Survival::Lost);
    assert_eq!(ran.stdout(), "last words\nbye\n");
    let ran = js(&session, language, "typeof kept").await.ok();
    assert_eq!(quoted(&ran), "'undefined'");
    ran.says_lost("status 7");
    session.stop().await.unwrap();
}

async fn a_loop_that_is_interrupted_keeps_them(bench: &Bench, language: Language) {
    let session = bench.session().await;
    js(&session, language, "let n = 0, kept = 'kept'").await.ok();
    for code in [
        "console.log('begun'); for (;;) n++",
        "console.log('begun'); await null; for (;;) n++",
        "console.log('begun'); await new Promise(done => setTimeout(done, 20)); for (;;) n++",
        "console.log('begun'); await new Promise(() => setInterval(() => {}, 1000))",
    ] {
        let mut call = session.execute(request(code).in_language(language)).unwrap();
        next_stdout(&mut call, "begun").await;
        session.interrupt(call.id());
        let ran = Ran::of(call).await;
        assert_eq!(ran.report.outcome, Outcome::Interrupted { variables: Survival::Kept }, "{code}: {ran:?}");
        let after = js(&session, language, "kept").await.ok();
        assert_eq!(quoted(&after), "'kept'", "{code}");
    }
    session.stop().await.unwrap();
}

async fn a_loop_that_takes_too_long_keeps_them(bench: &Bench, language: Language) {
    let session = bench.session().await;
    js(&session, language, "let kept = 1").await.ok();
    let mut request = request("for (;;);").in_language(language);
    request.timeout = Some(Duration::from_millis(300));
    let ran = within("end it", async { Ran::of(session.execute(request).unwrap()).await }).await;
    assert_eq!(ran.report.outcome, Outcome::TimedOut { limit_ms: 300, variables: Survival::Kept });
    assert_eq!(js(&session, language, "kept").await.ok().value(), Some("1"));
    session.stop().await.unwrap();
}

/// Has nobody's memory hold the file of a runtime's interpreter, as on a machine that has just started.
fn forget_program(language: Language) {
    let program = File::open(language.runtime().program(&environment().unwrap())).unwrap();
    rustix::fs::fadvise(&program, 0, None, rustix::fs::Advice::DontNeed).unwrap();
}

async fn memory_has_an_end(bench: &Bench, language: Language) {
    const LIMIT: u64 = 256 << 20;
    forget_program(language);
    let session = bench.session_with(session::Limits { memory: LIMIT, ..session::Limits::default() }).await;
    for code in [
        "const held = []; for (;;) held.push(new Array(10_000).fill(1.5))",
        "const buffers = []; for (;;) buffers.push(new Uint8Array(1 << 20).fill(7))",
    ] {
        let ran = js(&session, language, code).await;
        let Outcome::OutOfMemory { limit: LIMIT, peak: Some(peak) } = ran.report.outcome else {
            panic!("{code}: {ran:?}")
        };
        assert!(peak > LIMIT / 2, "{peak}");
        let after = js(&session, language, "1 + 1").await.ok();
        assert_eq!(after.value(), Some("2"));
        after.says_lost("memory limit of 256 MiB was reached");
    }
    session.stop().await.unwrap();
}

async fn a_signal_is_named(bench: &Bench, language: Language) {
    let session = bench.session().await;
    let ran = js(&session, language, "process.kill(process.pid, 'SIGABRT'); for (;;);").await;
    let Outcome::Crashed { signal: Some(6), .. } = ran.report.outcome else { panic!("{ran:?}") };
    js(&session, language, "1").await.ok().says_lost("SIGABRT");
    session.stop().await.unwrap();
}
