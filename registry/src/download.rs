//! Fetching a blob into a file: large ones in parts, several at once, each part again from where it broke.

mod partial;

use std::{
    fs::File,
    io::{self, Read, SeekFrom},
    ops::Range,
    path::Path,
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt, TryStreamExt, stream};
use http::StatusCode;
use tokio::{
    io::{AsyncSeekExt, AsyncWriteExt},
    sync::mpsc,
    time::Instant,
};

use partial::Partial;
pub(crate) use partial::sweep;

use crate::{
    blobs::Blobs,
    content::{Descriptor, hash_file},
    error::{ErrorKind, Trouble},
    names::{Digest, Digester, Repository},
    progress::{Event, Progress},
    transport::Retry,
};

/// From this size on, a blob is fetched in parts; in bytes.
const PARTS_FROM: u64 = 32 * 1024 * 1024;
/// The size of a part in bytes: seconds of work, and little to fetch again.
const PART: u64 = 16 * 1024 * 1024;
/// How many parts of one blob are fetched at once. Storage behind registries gives each connection its share.
const PARTS_AT_ONCE: usize = 4;

/// How long until it is looked again whether another process is done with a blob.
const PAUSE: Duration = Duration::from_millis(20);

/// Where a blob is wanted.
pub(crate) struct Place<'a> {
    pub(crate) to: &'a Path,
    /// A folder of the same file system, in which it is gathered.
    pub(crate) gathered_in: &'a Path,
    /// Whether everyone may read it.
    pub(crate) for_all: bool,
}

impl<'a> Place<'a> {
    /// A file of one's own, gathered beside it.
    pub(crate) fn of(to: &'a Path) -> Self {
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
        Self { to, gathered_in: folder.unwrap_or(Path::new(".")), for_all: false }
    }
}

/// A blob on its way to a file.
#[derive(Clone, Copy)]
struct Load<'a> {
    repository: &'a Repository,
    blob: &'a Descriptor,
    progress: &'a dyn Progress,
}

impl Load<'_> {
    fn begins(&self, here: u64) {
        let Descriptor { digest, size, .. } = *self.blob;
        self.progress.event(Event::Fetching { digest, size, here });
    }

    fn received(&self, bytes: u64) {
        self.progress.event(Event::Received { digest: self.blob.digest, bytes });
    }

    /// The parts in which a large blob is fetched.
    fn parts(&self) -> Vec<Range<u64>> {
        let size = self.blob.size;
        let starts = (0..size).step_by(usize::try_from(PART).unwrap_or(usize::MAX));
        starts.map(|start| start..(start + PART).min(size)).collect()
    }
}

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
        place: &Place<'_>,
        progress: &dyn Progress,
    ) -> Result<(), ErrorKind> {
        let error = |cause| unusable(place.to, cause);
        if let Some(mut partial) = self.partial(blob, place).await.map_err(error)? {
            let gathered = self.gather_somewhere(Load { repository, blob, progress }, &mut partial).await;
            // What broke off can be gone on with; what was wrong cannot.
            partial.kept &= !gathered.as_ref().is_err_and(|kind| !kind.is_transient());
            gathered?;
            partial.finish(blob.size, place.to, place.for_all).map_err(error)?;
        }
        progress.event(Event::Fetched { digest: blob.digest });
        Ok(())
    }

    /// The file to gather the blob in; `None` if another process has just brought it where it is wanted.
    async fn partial(&self, blob: &Descriptor, place: &Place<'_>) -> io::Result<Option<Partial>> {
        let (since, mut waited) = (Instant::now(), false);
        loop {
            match Partial::of(blob.digest, place.gathered_in) {
                Ok(Some(_)) if waited && is_whole(place.to, blob).await => return Ok(None),
                Ok(Some(partial)) => return Ok(Some(partial)),
                Ok(None) if since.elapsed() < self.transport.patience.budget => {
                    waited = true;
                    tokio::time::sleep(PAUSE).await;
                }
                // The other takes too long, or files cannot be locked here.
                Ok(None) | Err(_) => return Partial::of_nobody_else(place.gathered_in).map(Some),
            }
        }
    }

    /// From a mirror, if one helps.
    async fn gather_somewhere(&self, load: Load<'_>, partial: &mut Partial) -> Result<(), ErrorKind> {
        for mirror in self.transport.mirrors.of(load.repository) {
            match self.gather(Load { repository: &mirror, ..load }, partial).await {
                Ok(()) => return Ok(()),
                Err(kind) => self.transport.mirrors.failed(&mirror, &kind),
            }
        }
        self.gather(load, partial).await
    }

    async fn gather(&self, load: Load<'_>, partial: &mut Partial) -> Result<(), ErrorKind> {
        if load.blob.size >= PARTS_FROM {
            match self.gather_parts(load, partial).await {
                Err(Failure::NoRanges) => {}
                Err(Failure::Kind(kind)) => return Err(kind),
                Ok(()) => return Ok(()),
            }
        }
        partial.kept = false;
        self.download_whole(load, partial.path()).await
    }

    /// Goes on with what is there. Should that be wrong, it begins anew.
    async fn gather_parts(&self, load: Load<'_>, partial: &mut Partial) -> Result<(), Failure> {
        let (size, count) = (load.blob.size, load.parts().len());
        let unusable = |partial: &Partial, cause| unusable(partial.path(), cause);
        let here = partial.parts(size, count).map_err(|cause| unusable(partial, cause))?;
        partial.kept = true;
        match self.download_parts(load, partial, &here).await {
            Err(Failure::Kind(ErrorKind::DigestMismatch { .. })) if here.contains(&true) => {
                partial.begin(size, count).map_err(|cause| unusable(partial, cause))?;
                self.download_parts(load, partial, &vec![false; count]).await
            }
            result => result,
        }
    }

    async fn download_whole(&self, load: Load<'_>, to: &Path) -> Result<(), ErrorKind> {
        let mut retry = Retry::new(&self.transport.patience);
        loop {
            match self.download_stream(load, to).await {
                Err(error) if error.is_transient() => match retry.next(&error, None) {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => return Err(error),
                },
                result => return result,
            }
        }
    }

    async fn download_stream(&self, load: Load<'_>, to: &Path) -> Result<(), ErrorKind> {
        let error = |cause| unusable(to, cause);
        let mut file = tokio::fs::File::create(to).await.map_err(error)?;
        let mut pieces = self.fetch_from(load.repository, load.blob).await?;
        load.begins(0);
        while let Some(piece) = pieces.try_next().await? {
            file.write_all(&piece).await.map_err(error)?;
            load.received(piece.len() as u64);
        }
        file.flush().await.map_err(error)
    }

    /// Parts come in any order and are digested in theirs, while later ones are still on their way.
    async fn download_parts(&self, load: Load<'_>, partial: &Partial, here: &[bool]) -> Result<(), Failure> {
        let (blob, to) = (load.blob, partial.path());
        let file = File::open(to).map_err(|cause| unusable(to, cause))?;
        let (whole_until, ends) = mpsc::unbounded_channel();
        let digest = tokio::task::spawn_blocking(move || digest_behind(file, ends));
        let parts = load.parts();
        let parts: Vec<(Range<u64>, bool)> = parts.into_iter().zip(here.iter().copied()).collect();
        load.begins(parts.iter().map(|(part, here)| if *here { part.end - part.start } else { 0 }).sum());
        let parts = parts.into_iter().enumerate().map(|(number, (part, here))| async move {
            if !here {
                self.download_part(load, part.clone(), to).await?;
                partial.mark(blob.size, number).map_err(|cause| unusable(to, cause))?;
            }
            Ok::<u64, Failure>(part.end)
        });
        let parts: Vec<_> = parts.collect();
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

    async fn download_part(&self, load: Load<'_>, part: Range<u64>, to: &Path) -> Result<(), Failure> {
        let error = |cause| unusable(to, cause);
        let mut file = tokio::fs::OpenOptions::new().write(true).open(to).await.map_err(error)?;
        let mut left = part;
        let mut retry = Retry::new(&self.transport.patience);
        loop {
            file.seek(SeekFrom::Start(left.start)).await.map_err(error)?;
            let failure = match self.fetch_part(load, &mut left, &mut file, to).await {
                Ok(()) => return Ok(()),
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
        load: Load<'_>,
        left: &mut Range<u64>,
        file: &mut tokio::fs::File,
        to: &Path,
    ) -> Result<(), Failure> {
        let response = self.open(load.repository, load.blob, Some(left.clone())).await?;
        if response.status() != StatusCode::PARTIAL_CONTENT {
            return Err(Failure::NoRanges);
        }
        let host = load.repository.host().to_string();
        let mut pieces = self.transport.pieces(response);
        while let Some(piece) = pieces.try_next().await? {
            let length = piece.len() as u64;
            if length > left.end - left.start {
                return Err(ErrorKind::Protocol("more bytes than asked for".to_owned()).into());
            }
            file.write_all(&piece).await.map_err(|cause| unusable(to, cause))?;
            left.start += length;
            load.received(length);
        }
        file.flush().await.map_err(|cause| unusable(to, cause))?;
        if !left.is_empty() {
            return Err(ErrorKind::NoAnswer { host, trouble: Trouble::Cut, cause: None }.into());
        }
        Ok(())
    }
}

/// Whether the blob is there, as another process brought it.
async fn is_whole(path: &Path, blob: &Descriptor) -> bool {
    let (path, blob) = (path.to_path_buf(), blob.clone());
    let checked = tokio::task::spawn_blocking(move || hash_file(&path, &blob));
    matches!(checked.await, Ok(Ok(())))
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
