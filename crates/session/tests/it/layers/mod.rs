//! What a session installs goes to its own layer: seen at once, before the environment's, and gone with the session.

mod broken;
mod libraries;
mod npm;
mod pip;

use session::Session;

use crate::kit::{Bench, print, run};

/// A session whose Python can make wheels (`wheel`) and where pip asks no index.
async fn prepared(bench: &Bench) -> Session {
    let session = bench.session().await;
    run(&session, include_str!("wheel.py")).await.ok();
    session
}

/// Ends the interpreter, and begins another with `wheel`.
async fn begin_again(session: &Session) {
    let ran = run(session, "exit()").await;
    assert_eq!(ran.report.outcome, session::Outcome::Exited { status: 0 }, "{ran:?}");
    run(session, include_str!("wheel.py")).await.ok();
}

/// What code prints that writes nothing to standard error.
async fn quietly(session: &Session, code: &str) -> String {
    let ran = run(session, code).await.ok();
    assert_eq!(ran.stderr(), "");
    ran.stdout()
}
