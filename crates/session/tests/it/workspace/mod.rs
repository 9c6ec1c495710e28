//! Sessions with a workspace: what is there when code runs, what is saved, and that it is there for the next session.

mod ends;
mod journey;
mod kill;
mod left_out;
mod limits;
mod push;
mod two;
mod whole;

use std::path::Path;

use session::workspace::{Saved, Store, View, Workspace, WorkspaceName, WorkspacePath};
use session::{Principal, Session, SessionOptions, WorkspaceOptions};

use crate::kit::{Bench, within};

/// A workspace in a data directory.
fn workspace_in(data: &Path) -> Workspace {
    let store = Store::local(&data.join("workspaces")).unwrap();
    store.workspace("local", &WorkspaceName::usual())
}

/// A workspace in a bench's data directory.
fn workspace(bench: &Bench) -> Workspace {
    workspace_in(&bench.data)
}

/// Options of a session that works on it.
fn options(workspace: &Workspace, view: View) -> SessionOptions {
    let workspace = WorkspaceOptions { workspace: workspace.clone(), view };
    SessionOptions { workspace: Some(workspace), ..SessionOptions::default() }
}

/// A session that works on it.
async fn open(bench: &Bench, workspace: &Workspace) -> Session {
    open_as(bench, options(workspace, View::Flat)).await
}

async fn open_as(bench: &Bench, options: SessionOptions) -> Session {
    within("open a session", bench.engine.open(Principal::local(), options)).await.unwrap()
}

/// Ends a session, which must save everything.
async fn stop(session: &Session) {
    within("stop", session.stop()).await.unwrap();
}

/// Saves these files.
async fn push(session: &Session, paths: &[&str]) -> Saved {
    let paths = paths.iter().map(Into::into).collect();
    within("push", session.push(paths)).await.unwrap()
}

/// What was saved of a push, by its path in the workspace.
fn names(saved: &Saved) -> Vec<&str> {
    saved.files.iter().map(|file| file.stored.path.as_str()).collect()
}

/// What was not, and why.
fn reasons(saved: &Saved) -> Vec<String> {
    saved.left_out.iter().map(|left| format!("{}: {}", left.local.display(), left.why)).collect()
}

/// Writes a file into the store, as somebody else would.
async fn put(workspace: &Workspace, name: &str, content: impl Into<Vec<u8>>) {
    workspace.write(&WorkspacePath::parse(name).unwrap(), content.into()).await.unwrap();
}

/// What the store has.
async fn get(workspace: &Workspace, name: &str) -> Option<Vec<u8>> {
    let reading = workspace.read(&WorkspacePath::parse(name).unwrap()).await.ok()?;
    Some(reading.bytes().await.unwrap().to_vec())
}

/// The same, as text.
async fn text(workspace: &Workspace, name: &str) -> Option<String> {
    get(workspace, name).await.map(|bytes| String::from_utf8(bytes).unwrap())
}
