//! The store, and workspaces in it.
//!
//! Keys are `principal/workspace/namespace/…`. On a local store they are files of these paths, so that people can look
//! at them and put files into `uploads/` with what they have. A file is written beside its place, synced, and renamed.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path as DiskPath;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{GetResultPayload, ObjectMeta, ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart};

use crate::error::{Error, Result};
use crate::path::{WorkspaceName, WorkspacePath};

/// What is written at once; larger files are written in parts of this, bytes.
const PART: usize = 8 << 20;

/// All workspaces.
#[derive(Debug, Clone)]
pub struct Store(Arc<dyn ObjectStore>);

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

    /// A store in this directory, which is made if need be, and which nobody else can read.
    pub fn local(directory: &DiskPath) -> Result<Store> {
        use std::os::unix::fs::DirBuilderExt;
        let failed = |source: io::Error| Error::Disk { what: "make", path: directory.to_owned(), source };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
        let store = LocalFileSystem::new_with_prefix(directory)
            .map_err(|source| object("open", &directory.display().to_string(), source))?;
        Ok(Store(Arc::new(store.with_fsync(true))))
    }

    /// A principal's workspace. It is there when something is in it.
    pub fn workspace(&self, principal: &str, name: &WorkspaceName) -> Workspace {
        let root: Path = [segment(principal).as_str(), name.as_str()].into_iter().collect();
        Workspace { store: self.0.clone(), root, name: name.clone() }
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

fn object(what: &'static str, path: &str, source: object_store::Error) -> Error {
    Error::Object { what, path: path.to_owned(), source }
}

/// What tells one content of a file from the next, as the store says it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version(Box<str>);

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

/// A file that is being read.
pub struct Reading {
    /// What is read.
    pub stored: Stored,
    payload: GetResultPayload,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("stored", &self.stored).finish_non_exhaustive()
    }
}

impl Reading {
    /// All of it. For what is known to be small.
    pub async fn bytes(self) -> Result<Bytes> {
        let path = self.stored.path.to_string();
        let mut all = Vec::with_capacity(self.stored.size as usize);
        let mut stream = self.stream();
        while let Some(bytes) = stream.try_next().await.map_err(|source| object("read", &path, source))? {
            all.extend_from_slice(&bytes);
        }
        Ok(all.into())
    }

    /// Its content, piece by piece.
    pub fn stream(self) -> BoxStream<'static, object_store::Result<Bytes>> {
        match self.payload {
            GetResultPayload::Stream(stream) => stream,
            GetResultPayload::File(file, _) => Box::pin(futures_util::stream::unfold(Some(file), next_piece)),
        }
    }

    /// The file that a local store has it in; reading it is what the kernel does best.
    pub fn into_file(self) -> std::result::Result<File, Reading> {
        match self.payload {
            GetResultPayload::File(file, _) => Ok(file),
            payload @ GetResultPayload::Stream(_) => Err(Reading { payload, ..self }),
        }
    }
}

async fn next_piece(file: Option<File>) -> Option<(object_store::Result<Bytes>, Option<File>)> {
    let mut file = file?;
    let read = tokio::task::spawn_blocking(move || {
        let mut piece = vec![0; 1 << 20];
        let read = io::Read::read(&mut file, &mut piece);
        read.map(|length| {
            piece.truncate(length);
            (Bytes::from(piece), file)
        })
    });
    match read.await.map_err(io::Error::other).and_then(|read| read) {
        Ok((piece, _)) if piece.is_empty() => None,
        Ok((piece, file)) => Some((Ok(piece), Some(file))),
        Err(source) => {
            Some((Err(object_store::Error::Generic { store: "local", source: source.into() }), None))
        }
    }
}

/// One principal's files under one name. Clones are the same workspace.
#[derive(Debug, Clone)]
pub struct Workspace {
    store: Arc<dyn ObjectStore>,
    root: Path,
    name: WorkspaceName,
}

impl Workspace {
    /// What it is called.
    pub fn name(&self) -> &WorkspaceName {
        &self.name
    }

    /// The files below a directory (all of them for an empty one), in the order of their paths.
    ///
    /// What lies in the store under a name that no file of a workspace has is passed over.
    pub async fn list(&self, directory: &str) -> Result<Vec<Stored>> {
        let directory = directory.trim_end_matches('/');
        let prefix = match directory {
            "" => self.root.clone(),
            directory => self.key(&WorkspacePath::parse(directory)?),
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
        let meta = self.store.head(&self.key(path)).await.map_err(|source| failed("find", path, source))?;
        self.stored(&meta).ok_or_else(|| Error::NotFound(path.clone()))
    }

    /// Opens a file for reading. It is read as it is now, whatever is written meanwhile.
    pub async fn read(&self, path: &WorkspacePath) -> Result<Reading> {
        let got = self.store.get(&self.key(path)).await.map_err(|source| failed("read", path, source))?;
        let stored = self.stored(&got.meta).ok_or_else(|| Error::NotFound(path.clone()))?;
        Ok(Reading { stored, payload: got.payload })
    }

    /// Writes a file, in the place of one that is there; when this returns it is durable.
    pub async fn write(&self, path: &WorkspacePath, content: impl Into<Bytes>) -> Result<Stored> {
        let content = content.into();
        let size = content.len() as u64;
        let done = self.store.put(&self.key(path), PutPayload::from_bytes(content)).await;
        let done = done.map_err(|source| failed("write", path, source))?;
        Ok(written(path, size, done.e_tag))
    }

    /// Writes a file that is read piece by piece from a thread that may block, as [`Workspace::write`] does. Memory
    /// stays at some pieces.
    pub async fn write_from(
        &self,
        path: &WorkspacePath,
        mut content: impl io::Read + Send + 'static,
    ) -> Result<Stored> {
        let upload = self.store.put_multipart(&self.key(path)).await;
        let upload = upload.map_err(|source| failed("write", path, source))?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, PART);
        let mut size = 0;
        loop {
            let read = tokio::task::spawn_blocking(move || {
                let mut piece = Vec::with_capacity(PART);
                let read = (&mut content).take(PART as u64).read_to_end(&mut piece);
                read.map(|_| (Bytes::from(piece), content))
            });
            let piece = match read.await.map_err(io::Error::other).and_then(|read| read) {
                Ok((piece, rest)) => {
                    content = rest;
                    piece
                }
                Err(source) => {
                    let _ = upload.abort().await;
                    return Err(Error::Disk { what: "read", path: path.as_str().into(), source });
                }
            };
            if piece.is_empty() {
                break;
            }
            size += piece.len() as u64;
            upload.wait_for_capacity(2).await.map_err(|source| failed("write", path, source))?;
            upload.put(piece);
        }
        let done = upload.finish().await.map_err(|source| failed("write", path, source))?;
        Ok(written(path, size, done.e_tag))
    }

    /// Removes a file. One that is not there is removed already.
    pub async fn remove(&self, path: &WorkspacePath) -> Result<()> {
        match self.store.delete(&self.key(path)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(failed("remove", path, source)),
        }
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

fn written(path: &WorkspacePath, size: u64, tag: Option<String>) -> Stored {
    let version = Version(tag.unwrap_or_default().into());
    Stored { path: path.clone(), size, modified: SystemTime::now(), version }
}

fn failed(what: &'static str, path: &WorkspacePath, source: object_store::Error) -> Error {
    match source {
        object_store::Error::NotFound { .. } => Error::NotFound(path.clone()),
        source => object(what, path.as_str(), source),
    }
}
