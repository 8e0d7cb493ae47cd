//! Fetching a blob into a file: large ones in parts, several at once, each part again from where it broke.

use std::{
    fs::File,
    io::{Read, SeekFrom},
    ops::Range,
    path::Path,
    sync::Arc,
};

use futures::{StreamExt, TryStreamExt, stream};
use http::StatusCode;
use tokio::{
    io::{AsyncSeekExt, AsyncWriteExt},
    sync::mpsc,
};

use crate::{
    blobs::Blobs,
    content::Descriptor,
    error::{ErrorKind, Trouble},
    names::{Digest, Digester, Repository},
    transport::Retry,
};

/// From this size on, a blob is fetched in parts; in bytes.
const PARTS_FROM: u64 = 32 * 1024 * 1024;
/// The size of a part in bytes: seconds of work, and little to fetch again.
const PART: u64 = 16 * 1024 * 1024;
/// How many parts of one blob are fetched at once. Storage behind registries gives each connection its share.
const PARTS_AT_ONCE: usize = 4;

/// Why a part could not be fetched.
enum Failure {
    /// The registry sends whole blobs only.
    NoRanges,
    Kind(ErrorKind),
}

impl<E: Into<ErrorKind>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Kind(error.into())
    }
}

impl Blobs {
    /// Fetches a blob into a file, verified. The file appears when it is whole; one that is there is replaced.
    pub(crate) async fn download(
        &self,
        repository: &Repository,
        blob: &Descriptor,
        to: &Path,
    ) -> Result<(), ErrorKind> {
        let error = |cause| unusable(to, cause);
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let path = tempfile::NamedTempFile::new_in(folder).map_err(error)?.into_temp_path();
        let in_parts = if blob.size >= PARTS_FROM {
            self.download_parts(repository, blob, &path).await
        } else {
            Err(Failure::NoRanges)
        };
        match in_parts {
            Err(Failure::NoRanges) => self.download_whole(repository, blob, &path).await?,
            Err(Failure::Kind(kind)) => return Err(kind),
            Ok(()) => {}
        }
        path.persist(to).map_err(|cause| error(cause.error))
    }

    async fn download_whole(
        &self,
        repository: &Repository,
        blob: &Descriptor,
        to: &Path,
    ) -> Result<(), ErrorKind> {
        let mut retry = Retry::new(&self.transport.patience);
        loop {
            match self.download_stream(repository, blob, to).await {
                Err(error) if error.is_transient() => match retry.next(&error, None) {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => return Err(error),
                },
                result => return result,
            }
        }
    }

    async fn download_stream(
        &self,
        repository: &Repository,
        blob: &Descriptor,
        to: &Path,
    ) -> Result<(), ErrorKind> {
        let error = |cause| unusable(to, cause);
        let mut file = tokio::fs::File::create(to).await.map_err(error)?;
        let mut pieces = self.fetch(repository, blob).await?;
        while let Some(piece) = pieces.try_next().await? {
            file.write_all(&piece).await.map_err(error)?;
        }
        file.flush().await.map_err(error)
    }

    /// Parts come in any order and are digested in theirs, while later ones are still on their way.
    async fn download_parts(
        &self,
        repository: &Repository,
        blob: &Descriptor,
        to: &Path,
    ) -> Result<(), Failure> {
        let file = File::open(to).map_err(|cause| unusable(to, cause))?;
        let (whole_until, ends) = mpsc::unbounded_channel();
        let digest = tokio::task::spawn_blocking(move || digest_behind(file, ends));
        let parts = (0..blob.size).step_by(usize::try_from(PART).unwrap_or(usize::MAX));
        let parts = parts.map(|start| start..(start + PART).min(blob.size));
        let parts = parts.map(|part| self.download_part(repository, blob, part, to));
        let mut parts = stream::iter(parts).buffered(PARTS_AT_ONCE);
        while let Some(end) = parts.try_next().await? {
            _ = whole_until.send(end); // it stops listening only when it cannot read, and then says so
        }
        drop((whole_until, parts));
        let digest = digest.await.map_err(|_| ErrorKind::Protocol("digesting ended early".to_owned()))?;
        match digest.map_err(|cause| unusable(to, cause))? {
            actual if actual == blob.digest => Ok(()),
            actual => Err(ErrorKind::DigestMismatch { expected: blob.digest, actual }.into()),
        }
    }

    /// Tells where the part ends.
    async fn download_part(
        &self,
        repository: &Repository,
        blob: &Descriptor,
        part: Range<u64>,
        to: &Path,
    ) -> Result<u64, Failure> {
        let error = |cause| unusable(to, cause);
        let mut file = tokio::fs::OpenOptions::new().write(true).open(to).await.map_err(error)?;
        let mut left = part.clone();
        let mut retry = Retry::new(&self.transport.patience);
        loop {
            file.seek(SeekFrom::Start(left.start)).await.map_err(error)?;
            let failure = match self.fetch_part(repository, blob, &mut left, &mut file, to).await {
                Ok(()) => return Ok(part.end),
                Err(failure) => failure,
            };
            let Failure::Kind(kind) = &failure else { return Err(failure) };
            match kind.is_transient().then(|| retry.next(kind, None)).flatten() {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(failure),
            }
        }
    }

    /// Moves the start of the range to where it came.
    async fn fetch_part(
        &self,
        repository: &Repository,
        blob: &Descriptor,
        left: &mut Range<u64>,
        file: &mut tokio::fs::File,
        to: &Path,
    ) -> Result<(), Failure> {
        let response = self.open(repository, blob, Some(left.clone())).await?;
        if response.status() != StatusCode::PARTIAL_CONTENT {
            return Err(Failure::NoRanges);
        }
        let host = repository.host().to_string();
        let mut pieces = self.transport.pieces(response);
        while let Some(piece) = pieces.try_next().await? {
            let length = piece.len() as u64;
            if length > left.end - left.start {
                return Err(ErrorKind::Protocol("more bytes than asked for".to_owned()).into());
            }
            file.write_all(&piece).await.map_err(|cause| unusable(to, cause))?;
            left.start += length;
        }
        file.flush().await.map_err(|cause| unusable(to, cause))?;
        if !left.is_empty() {
            return Err(ErrorKind::NoAnswer { host, trouble: Trouble::Cut, cause: None }.into());
        }
        Ok(())
    }
}

/// Digests a file that grows, as far as it is told to.
fn digest_behind(mut file: File, mut ends: mpsc::UnboundedReceiver<u64>) -> std::io::Result<Digest> {
    let (mut digester, mut position) = (Digester::new(), 0);
    let mut buffer = vec![0; 1 << 20];
    while let Some(end) = ends.blocking_recv() {
        let mut part = (&mut file).take(end - position);
        loop {
            match part.read(&mut buffer)? {
                0 => break,
                read => digester.update(&buffer[..read]),
            }
        }
        position = end;
    }
    Ok(digester.finish())
}

fn unusable(path: &Path, cause: std::io::Error) -> ErrorKind {
    ErrorKind::File { path: path.to_path_buf(), cause: Arc::new(cause) }
}
