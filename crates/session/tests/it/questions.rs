//! What is asked about code before it runs: answered by the interpreter, and without a trace in it.

use std::time::{Duration, Instant};

use session::{Check, Completion, Error, Event, Language, Match, Survival};

use crate::kit::{BARE, Bench, COLD, Ran, next_stdout, run, start, with, within};

const PYTHON: Language = Language::Python;

fn texts(completion: &Completion) -> Vec<&str> {
    completion.matches.iter().map(|each| each.text.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interpreter_tells_how_code_goes_on_and_is_the_same_after_it() {
    with(BARE, async |bench: &Bench| {
        let session = bench.session().await;
        // The first question starts the interpreter.
        let first = within("ask", session.complete(PYTHON, "contin", 6)).await.unwrap();
        let keyword = Match { text: "continue".to_owned(), kind: "keyword".to_owned() };
        assert_eq!((first.start, first.end, first.more), (0, 6, false));
        assert_eq!(first.matches, [keyword]);
        assert_eq!(session.check(PYTHON, "for x in y:").await.unwrap(), Check::Incomplete { indent: 4 });
        let ran = run(&session, "täglich = {'brot': 1}; len(In)").await.ok();
        assert_eq!((ran.value(), ran.report.execution_count), (Some("2"), Some(1)));
        assert!(ran.report.fresh_kernel && ran.notices().is_empty(), "{ran:?}");

        let code = "x = täglich.val\nprint(x)";
        let completion = session.complete(PYTHON, code, 15).await.unwrap();
        let completed: String =
            code.chars().take(completion.start).chain(completion.matches[0].text.chars()).collect();
        assert_eq!((completed.as_str(), completion.end), ("x = täglich.values", 15));
        assert_eq!(completion.matches[0].kind, "function");
        assert_eq!(session.check(PYTHON, "x = 1").await.unwrap(), Check::Complete);
        assert_eq!(session.check(PYTHON, "x = = 1").await.unwrap(), Check::Invalid);
        assert_eq!(run(&session, "len(In)").await.ok().report.execution_count, Some(2));
        // Beyond its end is at its end.
        assert_eq!(texts(&session.complete(PYTHON, "contin", 1000).await.unwrap()), ["continue"]);
        session.stop().await.unwrap();
        assert!(matches!(session.complete(PYTHON, "x", 1).await, Err(Error::Ended)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_runs_code_says_so_at_once() {
    with(COLD, async |bench: &Bench| {
        let session = bench.session().await;
        let mut call =
            start(&session, "import os\nprint('begun', flush=True)\nwhile not os.path.exists('go'): pass");
        next_stdout(&mut call, "begun\n").await;
        assert!(matches!(session.complete(PYTHON, "contin", 6).await, Err(Error::Busy)));
        assert!(matches!(session.check(PYTHON, "x").await, Err(Error::Busy)));
        session.create_file("go", &b""[..]).await.unwrap();
        Ran::of(call).await.ok();
        let (first, second) =
            tokio::join!(session.complete(PYTHON, "contin", 6), session.complete(PYTHON, "contin", 6));
        assert_eq!((texts(&first.unwrap()), texts(&second.unwrap())), (vec!["continue"], vec!["continue"]));
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_thinks_for_too_long_is_interrupted_and_keeps_its_variables() {
    with(BARE, async |bench: &Bench| {
        let session = bench.session().await;
        run(&session, "import time\nclass Slow:\n    def __dir__(self): time.sleep(600)\nslow = Slow()")
            .await
            .ok();
        let begun = Instant::now();
        assert!(matches!(within("ask", session.complete(PYTHON, "slow.", 5)).await, Err(Error::Unanswered)));
        assert!(begun.elapsed() < Duration::from_secs(60));
        let next = run(&session, "print('slow' in globals())").await.ok();
        assert_eq!((next.stdout().as_str(), next.report.variables), ("True\n", Survival::Kept));
        assert!(next.notices().is_empty(), "{next:?}");
        session.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_printed_meanwhile_is_told_to_the_next_code() {
    with(BARE, async |bench: &Bench| {
        let session = bench.session().await;
        run(&session, "class Loud:\n    def __dir__(self): print('loud'); return ['x']\nloud = Loud()")
            .await
            .ok();
        assert_eq!(texts(&session.complete(PYTHON, "loud.", 5).await.unwrap()).len(), 1);
        let ran = run(&session, "1").await.ok();
        let late =
            ran.events.iter().any(|event| matches!(event, Event::LateStdout(bytes) if bytes == "loud\n"));
        assert!(late, "{ran:?}");
        session.stop().await.unwrap();
    })
    .await;
}
