//! The workspace as its users see it: a store, working copies, and code that does what it likes in them.

mod hostile;
mod kill;
mod lazy;
mod names;
mod sync;
mod together;

use std::path::{Path, PathBuf};

use workspace::{Store, View, WorkingCopy, Workspace, WorkspaceName, WorkspacePath};

/// A store with one workspace, and room for working copies.
struct Bed {
    dir: tempfile::TempDir,
    workspace: Workspace,
}

impl Bed {
    fn new() -> Bed {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::local(&dir.path().join("store")).unwrap();
        let workspace = store.workspace("local", &WorkspaceName::usual());
        Bed { dir, workspace }
    }

    /// Where the store keeps the workspace.
    fn stored(&self) -> PathBuf {
        self.dir.path().join("store/local/default")
    }

    fn copy(&self, name: &str, view: View) -> (WorkingCopy, PathBuf) {
        let directory = self.dir.path().join(name);
        std::fs::create_dir(&directory).unwrap();
        let owner = sys::file::own_ids().0;
        (WorkingCopy::new(self.workspace.clone(), view, directory.clone(), owner), directory)
    }

    async fn put(&self, path: &str, content: impl Into<Vec<u8>>) {
        self.workspace.write(&at(path), content.into()).await.unwrap();
    }

    async fn get(&self, path: &str) -> Vec<u8> {
        self.workspace.read(&at(path)).await.unwrap().bytes().await.unwrap().to_vec()
    }

    /// The paths of all files.
    async fn listed(&self) -> Vec<String> {
        self.workspace.list("").await.unwrap().iter().map(|file| file.path.to_string()).collect()
    }
}

fn at(path: &str) -> WorkspacePath {
    WorkspacePath::parse(path).unwrap()
}

fn text(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// Puts a file into the place of another, as careful programs do.
fn replace(path: &Path, content: &str) {
    let beside = path.with_extension("new");
    std::fs::write(&beside, content).unwrap();
    std::fs::rename(beside, path).unwrap();
}
