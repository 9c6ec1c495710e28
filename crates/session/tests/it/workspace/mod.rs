//! Sessions with a workspace: what is there when code runs, what is saved, and that it is there for the next session.

mod journey;

use session::workspace::{Store, View, Workspace, WorkspaceName, WorkspacePath};
use session::{Principal, Session, SessionOptions, WorkspaceOptions};

use crate::kit::{Bench, within};

/// A workspace below a bench's data directory.
pub(crate) fn workspace(bench: &Bench) -> Workspace {
    let store = Store::local(&bench.data.join("workspaces")).unwrap();
    store.workspace("local", &WorkspaceName::usual())
}

/// Options of a session that works on it.
pub(crate) fn options(workspace: &Workspace, view: View) -> SessionOptions {
    let workspace = WorkspaceOptions { workspace: workspace.clone(), view, mount: None };
    SessionOptions { workspace: Some(workspace), ..SessionOptions::default() }
}

/// A session that works on it.
pub(crate) async fn open(bench: &Bench, workspace: &Workspace) -> Session {
    open_as(bench, options(workspace, View::Flat)).await
}

pub(crate) async fn open_as(bench: &Bench, options: SessionOptions) -> Session {
    within("open a session", bench.engine.open(Principal::local(), options)).await.unwrap()
}

/// A path of a workspace.
pub(crate) fn path(text: &str) -> WorkspacePath {
    WorkspacePath::parse(text).unwrap()
}

/// Writes a file into the store, as somebody else would.
pub(crate) async fn put(workspace: &Workspace, name: &str, content: impl Into<Vec<u8>>) {
    workspace.write(&path(name), content.into()).await.unwrap();
}

/// What the store has.
pub(crate) async fn get(workspace: &Workspace, name: &str) -> Option<Vec<u8>> {
    Some(workspace.read(&path(name)).await.ok()?.bytes().await.unwrap().to_vec())
}
