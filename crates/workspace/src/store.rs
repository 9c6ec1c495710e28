//! The store, and workspaces in it.
//!
//! Keys are `principal/workspace/namespace/…`. On a local store they are files of these paths, so that people can look
//! at them and put files into `uploads/` with what they have. A file is written beside its place, synced, and renamed.

use std::collections::HashMap;
use std::io::{self, Read};
use std::path::{Path as DiskPath, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart};

use crate::error::{Error, Result};
use crate::path::{WorkspaceName, WorkspacePath};
use crate::reading::Reading;
use crate::{local, points};

/// What is written at once; larger files are written in parts of this, bytes. The least that S3 takes.
const PART: usize = 5 << 20;
/// How often a write is begun again whose directory vanished, because the last file in it was removed.
const TRIES: u32 = 3;

/// All workspaces.
#[derive(Debug, Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    /// Where it is, if it is a directory.
    local: Option<PathBuf>,
    /// How often each workspace was written to by this process.
    writes: Arc<Mutex<HashMap<Path, Weak<AtomicU64>>>>,
}

impl Store {
    /// The store that a configuration names: `file:///directory`, which is made if need be.
    pub fn open(url: &str) -> Result<Store> {
        let refused = |why: &str| Error::Store { url: url.to_owned(), why: why.to_owned() };
        match url.split_once("://") {
            Some(("file", directory)) if directory.starts_with('/') => Self::local(DiskPath::new(directory)),
            Some(("file", _)) => {
                Err(refused("a directory is named by its absolute path: `file:///srv/files`"))
            }
            Some(("s3", _)) => Err(refused("object stores are not served yet")),
            _ => Err(refused("a store is `file:///directory`")),
        }
    }

    /// A store in this directory, which is made if need be, and which nobody else can read. What a process that died had
    /// not written whole is removed behind, when it is a day old.
    pub fn local(directory: &DiskPath) -> Result<Store> {
        use std::os::unix::fs::DirBuilderExt;
        let failed = |source: io::Error| Error::Disk { what: "make", path: directory.to_owned(), source };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
        let store = LocalFileSystem::new_with_prefix(directory)
            .map_err(|source| object("open", &directory.display().to_string(), source))?;
        // A directory in which nothing is left must not stand in the way of a file of its name.
        let store = store.with_fsync(true).with_automatic_cleanup(true);
        let directory = std::fs::canonicalize(directory).map_err(failed)?;
        let cleaned = directory.clone();
        std::thread::spawn(move || match local::clean(&cleaned) {
            Ok(0) => {}
            Ok(files) => tracing::info!(files, "removed what was not written whole"),
            Err(error) => tracing::warn!(%error, "could not look for what was not written whole"),
        });
        Ok(Store { objects: Arc::new(store), local: Some(directory), writes: Arc::default() })
    }

    /// A principal's workspace. It is there when something is in it.
    pub fn workspace(&self, principal: &str, name: &WorkspaceName) -> Workspace {
        let principal = segment(principal);
        let root: Path = [principal.as_str(), name.as_str()].into_iter().collect();
        let local = self.local.as_ref().map(|directory| directory.join(principal).join(name.as_str()));
        let writes = self.writes_to(&root);
        Workspace { store: self.objects.clone(), root, local, name: name.clone(), writes }
    }

    fn writes_to(&self, root: &Path) -> Arc<AtomicU64> {
        let mut all = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(writes) = all.get(root).and_then(Weak::upgrade) {
            return writes;
        }
        if all.len() == all.capacity() {
            all.retain(|_, writes| writes.strong_count() > 0);
        }
        let writes = Arc::default();
        all.insert(root.clone(), Arc::downgrade(&writes));
        writes
    }
}

/// A principal as one part of a key: as it is where it is plain, else in a form that no plain name has.
fn segment(principal: &str) -> String {
    use std::fmt::Write;
    if WorkspaceName::parse(principal).is_ok() {
        return principal.to_owned();
    }
    principal.bytes().fold("=".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(crate) fn object(what: &'static str, path: &str, source: object_store::Error) -> Error {
    Error::Object { what, path: path.to_owned(), source }
}

/// What tells one content of a file from the next, as the store says it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version(pub(crate) Box<str>);

/// A file of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Where it is.
    pub path: WorkspacePath,
    /// How long it is, bytes.
    pub size: u64,
    /// When it was written.
    pub modified: SystemTime,
    /// Which content it has.
    pub version: Version,
}

/// One principal's files under one name. Clones are the same workspace.
#[derive(Debug, Clone)]
pub struct Workspace {
    store: Arc<dyn ObjectStore>,
    root: Path,
    local: Option<PathBuf>,
    name: WorkspaceName,
    writes: Arc<AtomicU64>,
}

impl Workspace {
    /// What it is called.
    pub fn name(&self) -> &WorkspaceName {
        &self.name
    }

    /// The files below a directory (all of them for an empty one), in the order of their paths.
    ///
    /// What lies in the store under a name that no file of a workspace has is passed over, and so are links.
    pub async fn list(&self, directory: &str) -> Result<Vec<Stored>> {
        let directory = directory.trim_end_matches('/');
        if let Some(root) = self.local.clone() {
            if !directory.is_empty() {
                WorkspacePath::directory(directory)?;
            }
            let path = root.join(directory);
            let below = directory.to_owned();
            let listed = tokio::task::spawn_blocking(move || local::list(&root, &below)).await;
            return listed
                .map_err(io::Error::other)
                .and_then(|listed| listed)
                .map_err(|source| Error::Disk { what: "list", path, source });
        }
        let prefix = match directory {
            "" => self.root.clone(),
            directory => self.key(&WorkspacePath::directory(directory)?),
        };
        let failed = |source| object("list", directory, source);
        let mut listing = self.store.list(Some(&prefix));
        let mut files = Vec::new();
        while let Some(meta) = listing.try_next().await.map_err(failed)? {
            files.extend(self.stored(&meta));
        }
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// What is at a path.
    pub async fn look(&self, path: &WorkspacePath) -> Result<Stored> {
        let meta = self.store.head(&self.key(path)).await.map_err(|source| not_read("find", path, source))?;
        self.stored(&meta).ok_or_else(|| Error::NotFound(path.clone()))
    }

    /// Opens a file for reading. It is read as it is now, whatever is written meanwhile.
    pub async fn read(&self, path: &WorkspacePath) -> Result<Reading> {
        let got = self.store.get(&self.key(path)).await.map_err(|source| not_read("read", path, source))?;
        let stored = self.stored(&got.meta).ok_or_else(|| Error::NotFound(path.clone()))?;
        Ok(Reading { stored, payload: got.payload })
    }

    /// Writes a file, in the place of one that is there; when this returns it is durable.
    pub async fn write(&self, path: &WorkspacePath, content: impl Into<Bytes>) -> Result<Stored> {
        let content: Bytes = content.into();
        let size = content.len() as u64;
        let mut tries = 0;
        points::reached("write: before publishing");
        let done = loop {
            tries += 1;
            match self.store.put(&self.key(path), PutPayload::from_bytes(content.clone())).await {
                Err(error) if tries < TRIES && is_vanished(&error) => {}
                done => break done.map_err(|source| not_written(path, source))?,
            }
        };
        points::reached("write: after publishing");
        Ok(self.written(path, size, done.e_tag))
    }

    /// Writes a file that is read piece by piece from a thread that may block, as [`Workspace::write`] does. Memory
    /// stays at some pieces. If reading fails nothing is written.
    pub async fn write_from(
        &self,
        path: &WorkspacePath,
        content: impl io::Read + Send + 'static,
    ) -> Result<Stored> {
        let (first, mut content) = next_part(path, content, 0).await?;
        if first.len() < PART {
            return self.write(path, first).await;
        }
        let mut tries = 0;
        let upload = loop {
            tries += 1;
            match self.store.put_multipart(&self.key(path)).await {
                Err(error) if tries < TRIES && is_vanished(&error) => {}
                upload => break upload.map_err(|source| not_written(path, source))?,
            }
        };
        let mut upload = WriteMultipart::new_with_chunk_size(upload, PART);
        let mut size = 0;
        let mut piece = first;
        while !piece.is_empty() {
            size += piece.len() as u64;
            if let Err(source) = upload.wait_for_capacity(2).await {
                let _ = upload.abort().await;
                return Err(not_written(path, source));
            }
            upload.put(piece);
            points::reached("write: a part was written");
            match next_part(path, content, PART).await {
                Ok((next, rest)) => {
                    piece = next;
                    content = rest;
                }
                Err(error) => {
                    let _ = upload.abort().await;
                    return Err(error);
                }
            }
        }
        points::reached("write: before publishing");
        let done = upload.finish().await.map_err(|source| not_written(path, source))?;
        points::reached("write: after publishing");
        Ok(self.written(path, size, done.e_tag))
    }

    /// Removes a file. One that is not there is removed already. When this returns it stays removed.
    pub async fn remove(&self, path: &WorkspacePath) -> Result<()> {
        match self.store.delete(&self.key(path)).await {
            Ok(()) => {}
            Err(source) if is_absent(&source) => return Ok(()),
            Err(source) => return Err(object("remove", path.as_str(), source)),
        }
        self.writes.fetch_add(1, Ordering::Release);
        if let Some(root) = &self.local {
            let file = root.join(path.as_str());
            let _ = tokio::task::spawn_blocking(move || local::sync_removal(&file)).await;
        }
        Ok(())
    }

    /// How often this process has written to it, or removed something.
    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Acquire)
    }

    fn written(&self, path: &WorkspacePath, size: u64, tag: Option<String>) -> Stored {
        self.writes.fetch_add(1, Ordering::Release);
        let version = Version(tag.unwrap_or_default().into());
        Stored { path: path.clone(), size, modified: SystemTime::now(), version }
    }

    fn key(&self, path: &WorkspacePath) -> Path {
        // `WorkspacePath` has no part that needs to be encoded, and none that is refused.
        Path::parse(format!("{}/{path}", self.root)).unwrap_or_else(|_| self.root.clone())
    }

    fn stored(&self, meta: &ObjectMeta) -> Option<Stored> {
        let path = meta.location.as_ref().strip_prefix(self.root.as_ref())?.strip_prefix('/')?;
        Some(Stored {
            path: WorkspacePath::parse(path).ok()?,
            size: meta.size,
            modified: meta.last_modified.into(),
            version: Version(meta.e_tag.clone().unwrap_or_default().into()),
        })
    }
}

/// Reads the next part, into so much room to begin with.
async fn next_part<R: io::Read + Send + 'static>(
    path: &WorkspacePath,
    mut content: R,
    room: usize,
) -> Result<(Bytes, R)> {
    let read = tokio::task::spawn_blocking(move || {
        let mut piece = Vec::with_capacity(room);
        let read = (&mut content).take(PART as u64).read_to_end(&mut piece);
        read.map(|_| (Bytes::from(piece), content))
    });
    let read = read.await.map_err(io::Error::other).and_then(|read| read);
    read.map_err(|source| Error::Disk { what: "read", path: path.as_str().into(), source })
}

fn not_read(what: &'static str, path: &WorkspacePath, source: object_store::Error) -> Error {
    if is_absent(&source) { Error::NotFound(path.clone()) } else { object(what, path.as_str(), source) }
}

fn not_written(path: &WorkspacePath, source: object_store::Error) -> Error {
    use io::ErrorKind::{AlreadyExists, DirectoryNotEmpty, IsADirectory, NotADirectory};
    match disk_error(&source).map(io::Error::kind) {
        Some(AlreadyExists | DirectoryNotEmpty | IsADirectory | NotADirectory) => {
            Error::InTheWay(path.clone())
        }
        _ => object("write", path.as_str(), source),
    }
}

fn is_absent(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotFound { .. }) || disk_error(error).is_some_and(local::is_absent)
}

/// Whether a directory vanished into which a file was to be written.
fn is_vanished(error: &object_store::Error) -> bool {
    disk_error(error).is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// What the disk said below an error of the store.
fn disk_error(error: &object_store::Error) -> Option<&io::Error> {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref() {
            return Some(error);
        }
        source = error.source();
    }
    None
}
