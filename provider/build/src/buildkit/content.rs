//! Hands BuildKit images that it cannot fetch itself: those of layouts on this machine, and base images whose registry
//! is reached elsewhere than its name says; and what a cache of this machine has. Only blobs that it asks for are read.

use std::{
    collections::HashMap,
    io::{self, Read, Seek, SeekFrom},
    sync::Arc,
};

use bytes::Bytes;
use ecr_registry::{Blob, BlobSource, Digest, Registry, Tree};
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::{
    containerd::{
        Content, Info, InfoRequest, InfoResponse, ReadContentRequest, ReadContentResponse,
        WriteContentRequest, Written,
    },
    local_cache::LocalCache,
};

/// What one message carries at most, in bytes.
const MESSAGE: usize = 1 << 20;

/// The name of the store that has them all.
pub(super) const STORE: &str = "images";

/// Blobs and manifests by their digests.
#[derive(Clone)]
pub(super) struct Store {
    blobs: HashMap<Digest, Blob>,
    registry: Registry,
    cache: Option<Arc<LocalCache>>,
}

type Answers = mpsc::Sender<Result<ReadContentResponse, Status>>;

impl Store {
    pub(super) fn new(registry: Registry) -> Self {
        Self { blobs: HashMap::new(), registry, cache: None }
    }

    pub(super) fn with(self, cache: Option<Arc<LocalCache>>) -> Self {
        Self { cache, ..self }
    }

    /// Adds an image or index with all it names.
    pub(super) fn add(&mut self, tree: &Tree) {
        let manifests = tree.images.iter().map(|image| &image.manifest).chain(&tree.indexes);
        let manifests = manifests.map(|manifest| Blob::of_bytes(&manifest.media_type, manifest.raw.clone()));
        let blobs = tree.images.iter().flat_map(|image| image.blobs().cloned());
        self.blobs.extend(manifests.chain(blobs).map(|blob| (blob.descriptor.digest, blob)));
    }

    fn find(&self, digest: &str) -> Result<Blob, Status> {
        let parsed = digest.parse::<Digest>().map_err(|error| Status::invalid_argument(error.to_string()))?;
        let cached = || self.cache.as_ref()?.find(&parsed);
        let found = self.blobs.get(&parsed).cloned().or_else(cached);
        found.ok_or_else(|| Status::not_found(format!("content {digest}: not found")))
    }
}

#[tonic::async_trait]
impl Content for Store {
    async fn info(&self, request: InfoRequest) -> Result<InfoResponse, Status> {
        let size = self.find(&request.digest)?.descriptor.size;
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        Ok(InfoResponse { info: Some(Info { digest: request.digest, size, ..Info::default() }) })
    }

    async fn read(
        &self,
        request: ReadContentRequest,
    ) -> Result<ReceiverStream<Result<ReadContentResponse, Status>>, Status> {
        let blob = self.find(&request.digest)?;
        let start = u64::try_from(request.offset).unwrap_or_default();
        let rest = blob.descriptor.size.saturating_sub(start);
        let length =
            u64::try_from(request.size).ok().filter(|size| *size > 0).map_or(rest, |size| size.min(rest));
        let (answers, receiver) = mpsc::channel(4);
        let registry = self.registry.clone();
        tokio::spawn(async move {
            let sent = match &blob.source {
                BlobSource::Registry(_) => from_registry(&registry, &blob, start, length, &answers).await,
                _ => from_here(blob, start, length, answers.clone()).await,
            };
            if let Err(status) = sent {
                answers.send(Err(status)).await.ok();
            }
        });
        Ok(ReceiverStream::new(receiver))
    }

    async fn write(&self, requests: Streaming<WriteContentRequest>) -> Result<Written, Status> {
        let cache = self.cache.clone();
        let cache = cache.ok_or_else(|| Status::unimplemented("images are only read here"))?;
        let (answers, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            if let Err(status) = cache.take(requests, &answers).await {
                answers.send(Err(status)).await.ok();
            }
        });
        Ok(ReceiverStream::new(receiver))
    }
}

async fn from_registry(
    registry: &Registry,
    blob: &Blob,
    start: u64,
    length: u64,
    answers: &Answers,
) -> Result<(), Status> {
    let BlobSource::Registry(repository) = &blob.source else { return Ok(()) };
    let failed = |error: ecr_registry::Error| Status::unavailable(error.to_string());
    let mut pieces = std::pin::pin!(registry.blob(repository, &blob.descriptor).await.map_err(failed)?);
    let (mut skip, mut left, mut offset) = (start, length, start);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(failed)?;
        let skipped = skip.min(piece.len() as u64);
        skip -= skipped;
        let piece = piece.slice(usize::try_from(skipped).unwrap_or(piece.len())..);
        let taken = left.min(piece.len() as u64);
        let data = piece.slice(..usize::try_from(taken).unwrap_or(piece.len()));
        left -= taken;
        if !data.is_empty() && answers.send(Ok(answer(offset, &data))).await.is_err() {
            return Ok(());
        }
        offset += taken;
        if left == 0 {
            break;
        }
    }
    Ok(())
}

async fn from_here(blob: Blob, start: u64, length: u64, answers: Answers) -> Result<(), Status> {
    let reading = tokio::task::spawn_blocking(move || {
        let mut content = open(&blob.source, start)?.take(length);
        let mut offset = start;
        let mut buffer = vec![0; MESSAGE];
        loop {
            let read = content.read(&mut buffer)?;
            if read == 0 || answers.blocking_send(Ok(answer(offset, &buffer[..read]))).is_err() {
                return Ok(());
            }
            offset += read as u64;
        }
    });
    let done: io::Result<()> = reading.await.unwrap_or(Ok(()));
    done.map_err(|error| Status::data_loss(error.to_string()))
}

fn answer(offset: u64, data: &[u8]) -> ReadContentResponse {
    ReadContentResponse { offset: i64::try_from(offset).unwrap_or(i64::MAX), data: data.to_vec() }
}

fn open(source: &BlobSource, start: u64) -> io::Result<Box<dyn Read + Send>> {
    let (path, begin) = match source {
        BlobSource::Bytes(bytes) => {
            let start = usize::try_from(start).unwrap_or(bytes.len()).min(bytes.len());
            return Ok(Box::new(io::Cursor::new(Bytes::slice(bytes, start..))));
        }
        BlobSource::File(path) => (path, 0),
        BlobSource::Part { file, offset } => (file, *offset),
        BlobSource::Registry(_) => return Err(io::ErrorKind::Unsupported.into()),
    };
    let mut file = std::fs::File::open(path)?;
    file.seek(SeekFrom::Start(begin + start))?;
    Ok(Box::new(file))
}
