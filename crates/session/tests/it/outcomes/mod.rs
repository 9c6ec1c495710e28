//! Every way in which a call can end, brought about for real: what is told, what of the session is kept, and that the
//! session goes on.

mod counts;
mod disk;
mod ends;
mod memory;
mod output;
mod stops;

use session::{Session, Survival};

use crate::kit::{Bench, Ran, print, run};

/// A session with a variable and a file.
async fn prepared(bench: &Bench, change: impl FnOnce(&mut session::Limits)) -> Session {
    let mut limits = session::Limits { grace_ms: 1500, ..session::Limits::default() };
    change(&mut limits);
    let session = bench.session_with(limits).await;
    prepare(&session).await;
    session
}

/// A variable and a file, in a session that may have lost them.
async fn prepare(session: &Session) {
    print(session, "x = 'a variable'; _ = open('kept', 'w').write('a file')").await;
}

/// The call said that variables are kept, and they are.
async fn assert_kept(session: &Session, ran: &Ran) {
    assert_eq!(
        (ran.report.variables, ran.report.outcome.variables()),
        (Survival::Kept, Survival::Kept),
        "{ran:?}"
    );
    let next = run(session, "print(x, '|', open('kept').read())").await.ok();
    assert_eq!(next.stdout(), "a variable | a file\n");
    assert!(!next.report.fresh_kernel && next.notices().is_empty(), "{next:?}");
}

/// The call said that variables are lost; they are, the next call says so and why, and the session goes on.
async fn assert_lost(session: &Session, ran: &Ran, why: &str) {
    assert_eq!(
        (ran.report.variables, ran.report.outcome.variables()),
        (Survival::Lost, Survival::Lost),
        "{ran:?}"
    );
    let next = run(session, "print('x' in globals(), '|', open('kept').read())").await.ok();
    assert_eq!(next.stdout(), "False | a file\n");
    next.says_lost(why);
    assert_eq!(next.report.execution_count, Some(1));
    // Told once.
    let after = run(session, "print('on')").await.ok();
    assert!(after.notices().is_empty() && !after.report.fresh_kernel, "{after:?}");
}
