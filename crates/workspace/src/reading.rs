//! Reading a file of a workspace.

use std::fs::File;
use std::io;

use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use object_store::GetResultPayload;

use crate::error::Result;
use crate::store::{Stored, object};

/// A file that is being read.
pub struct Reading {
    /// What is read.
    pub stored: Stored,
    pub(crate) payload: GetResultPayload,
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
