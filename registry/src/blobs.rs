//! Blobs: whether they are there, sending each of them once, fetching them.

use std::{ops::Range, sync::Arc, time::Duration};

use http::{HeaderValue, Method, StatusCode, header};
use tokio::sync::Semaphore;
use url::Url;

use crate::{
    access::Scope,
    content::{Blob, BlobSource, Descriptor},
    ecr::{Availability, EcrClients},
    error::{ErrorKind, Trouble},
    flights::Flights,
    names::{Digest, Repository},
    progress::{Event, How, Progress},
    transport::{
        Call, Pieces, Reply, Retry, Target, Transport, checked, locate, stream_bytes, stream_file,
        stream_part,
    },
};

/// Access to the blobs of registries.
pub(crate) struct Blobs {
    pub(crate) transport: Arc<Transport>,
    ecr: Option<EcrClients>,
    availability: Option<Availability>,
    uploads: Semaphore,
    flights: Flights<(Repository, Digest), Known>,
}

/// Of how many blobs it is remembered where they are; a few megabytes.
const BLOBS_REMEMBERED: usize = 16_384;

/// What is known about a blob in a repository.
#[derive(Default)]
struct Known {
    present: bool,
    /// Why it could not be brought there by the last who tried.
    failed: Option<ErrorKind>,
}

/// Why one attempt to send a blob failed.
enum Failure {
    /// Another attempt would fail as well.
    Final(ErrorKind),
    /// Another attempt may help, after what the registry asks to wait.
    Again { error: ErrorKind, after: Option<Duration> },
}

impl From<ErrorKind> for Failure {
    /// Of requests that were already tried again.
    fn from(error: ErrorKind) -> Self {
        Self::Final(error)
    }
}

impl Blobs {
    pub(crate) fn new(transport: Arc<Transport>, ecr: Option<EcrClients>, uploads: usize) -> Self {
        Self {
            transport,
            availability: ecr.clone().map(Availability::new),
            ecr,
            uploads: Semaphore::new(uploads.max(1)),
            flights: Flights::new(BLOBS_REMEMBERED),
        }
    }

    /// Sees to it that the repository has the blob. Of several that want the same at once, one works and the
    /// others get what it got.
    pub(crate) async fn ensure(
        &self,
        repository: &Repository,
        blob: &Blob,
        progress: &dyn Progress,
    ) -> Result<How, ErrorKind> {
        let digest = blob.descriptor.digest;
        let slot = self.flights.slot((repository.clone(), digest));
        let mut known = if let Ok(known) = slot.try_lock() {
            known
        } else {
            let known = slot.lock().await;
            if let Some(error) = &known.failed {
                return Err(error.clone());
            }
            known
        };
        known.failed = None; // should this task be cancelled, the next one has to work
        let how =
            if known.present { Ok(How::AlreadyThere) } else { self.bring(repository, blob, progress).await };
        match &how {
            Ok(how) => {
                known.present = true;
                progress.event(Event::Done { digest, how: *how });
            }
            Err(error) => known.failed = Some(error.clone()),
        }
        how
    }

    /// The registry says that it misses what it was thought to have.
    pub(crate) async fn forget(&self, repository: &Repository, digest: Digest) {
        *self.flights.slot((repository.clone(), digest)).lock().await = Known::default();
    }

    async fn bring(
        &self,
        repository: &Repository,
        blob: &Blob,
        progress: &dyn Progress,
    ) -> Result<How, ErrorKind> {
        let mut retry = Retry::new(&self.transport.patience);
        loop {
            if self.is_there(repository, &blob.descriptor).await? {
                return Ok(How::AlreadyThere);
            }
            let (error, after) = match self.send(repository, blob, progress).await {
                Ok(how) => return Ok(how),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Again { error, after }) => (error, after),
            };
            match retry.next(&error, after) {
                Some(wait) => {
                    tracing::debug!(%repository, digest = %blob.descriptor.digest, %error, ?wait, "sending again");
                    tokio::time::sleep(wait).await;
                }
                None => return Err(error),
            }
        }
    }

    async fn is_there(&self, repository: &Repository, blob: &Descriptor) -> Result<bool, ErrorKind> {
        if let Some(availability) = &self.availability
            && let Some(there) = availability.of(repository, blob.digest).await
        {
            return Ok(there);
        }
        let target = self.transport.target(repository, &format!("blobs/{}", blob.digest));
        let call = Call::new(Method::HEAD, repository, target, Scope::push(repository));
        match self.transport.send(&call).await? {
            Reply::Taken(_) => Ok(true),
            Reply::Refused(refusal) if refusal.status == StatusCode::NOT_FOUND => Ok(false),
            Reply::Refused(refusal) => Err(self.transport.error(repository, &refusal).await),
        }
    }

    /// Mounts the blob, or sends it from its first byte in a session of its own.
    async fn send(
        &self,
        repository: &Repository,
        blob: &Blob,
        progress: &dyn Progress,
    ) -> Result<How, Failure> {
        let _permit = self.uploads.acquire().await.expect("the semaphore is never closed");
        let mut session = None;
        if let BlobSource::Registry(from) = &blob.source
            && from.host() == repository.host()
            && from != repository
        {
            match self.mount(repository, blob.descriptor.digest, from).await? {
                Mount::Done => return Ok(How::Mounted),
                Mount::Session(target) => session = Some(target),
                Mount::Refused => {}
            }
        }
        let mut target = match session {
            Some(target) => target,
            None => self.open_session(repository).await?,
        };
        target.url.query_pairs_mut().append_pair("digest", &blob.descriptor.digest.to_string());
        self.send_body(repository, target, blob, progress).await
    }

    async fn mount(
        &self,
        repository: &Repository,
        digest: Digest,
        from: &Repository,
    ) -> Result<Mount, ErrorKind> {
        let mut target = self.transport.target(repository, "blobs/uploads/");
        let query = [("mount", digest.to_string()), ("from", from.name().to_owned())];
        target.url.query_pairs_mut().extend_pairs(query);
        let scope = Scope::push(repository).and_pull(from);
        match self.transport.send(&post(repository, target, scope)).await? {
            Reply::Taken(response) if response.status() == StatusCode::CREATED => Ok(Mount::Done),
            Reply::Taken(response) => self.session(repository, &response).map(Mount::Session),
            Reply::Refused(_) => Ok(Mount::Refused),
        }
    }

    async fn open_session(&self, repository: &Repository) -> Result<Target, ErrorKind> {
        let target = self.transport.target(repository, "blobs/uploads/");
        let call = post(repository, target, Scope::push(repository));
        let reply = match self.transport.send_once(&call).await {
            // A cut is how ECR may answer for a repository that does not exist.
            Err(ErrorKind::NoAnswer { trouble: Trouble::Cut, .. }) if self.is_missing(repository).await => {
                return Err(ErrorKind::RepositoryMissing(repository.clone()));
            }
            Err(error) if error.is_transient() => self.transport.send(&call).await?,
            Ok(Reply::Refused(refusal)) if refusal.is_transient() => {
                tokio::time::sleep(
                    refusal.retry_after().unwrap_or_default().min(self.transport.patience.longest_wait),
                )
                .await;
                self.transport.send(&call).await?
            }
            reply => reply?,
        };
        match reply {
            Reply::Taken(response) => self.session(repository, &response),
            Reply::Refused(refusal) => Err(self.transport.error(repository, &refusal).await),
        }
    }

    async fn is_missing(&self, repository: &Repository) -> bool {
        match (repository.host().ecr(), &self.ecr) {
            (Some(host), Some(ecr)) => ecr.exists(&host, repository).await == Some(false),
            _ => false,
        }
    }

    /// Where the registry wants the blob.
    fn session(&self, repository: &Repository, response: &reqwest::Response) -> Result<Target, ErrorKind> {
        located(&self.transport.base(repository.host()), repository, response)
    }

    async fn send_body(
        &self,
        repository: &Repository,
        target: Target,
        blob: &Blob,
        progress: &dyn Progress,
    ) -> Result<How, Failure> {
        let Descriptor { digest, size, .. } = blob.descriptor;
        let pieces = self.pieces(blob).await?;
        let call = Call::new(Method::PUT, repository, target, Scope::push(repository))
            .header(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))
            .header(header::CONTENT_LENGTH, HeaderValue::from(size));
        progress.event(Event::Started { digest, size });
        let taken = |bytes| progress.event(Event::Sent { digest, bytes });
        match self.transport.send_blob(&call, pieces, size, taken).await {
            Ok(Reply::Taken(_)) => Ok(How::Sent),
            Ok(Reply::Refused(refusal)) => {
                let after = refusal.retry_after();
                let error = self.transport.error(repository, &refusal).await;
                let session_lost =
                    matches!(refusal.status.as_u16(), 404 | 416) && !refusal.has("NAME_UNKNOWN");
                if refusal.renewed || refusal.is_transient() || session_lost {
                    Err(Failure::Again { error, after })
                } else {
                    Err(Failure::Final(error))
                }
            }
            Err(error) if error.is_transient() => Err(Failure::Again { error, after: None }),
            Err(error) => Err(Failure::Final(error)),
        }
    }

    /// The bytes of the blob from the first on.
    async fn pieces(&self, blob: &Blob) -> Result<Pieces, ErrorKind> {
        match &blob.source {
            BlobSource::Bytes(bytes) => Ok(Box::pin(stream_bytes(bytes.clone()))),
            BlobSource::File(path) => stream_file(path.clone(), blob.descriptor.size).await,
            BlobSource::Part { file, offset } => {
                stream_part(file.clone(), *offset, blob.descriptor.size).await
            }
            BlobSource::Registry(from) => self.fetch(from, &blob.descriptor).await,
        }
    }

    /// The bytes of a blob that a repository has. The last item is an error if they are not what was asked for.
    pub(crate) async fn fetch(
        &self,
        repository: &Repository,
        blob: &Descriptor,
    ) -> Result<Pieces, ErrorKind> {
        let response = self.open(repository, blob, None).await?;
        Ok(Box::pin(checked(self.transport.pieces(response), blob)))
    }

    /// Asks for a blob, or a part of it, wherever the registry has it. Registries may ignore the wish for a part.
    pub(crate) async fn open(
        &self,
        repository: &Repository,
        blob: &Descriptor,
        part: Option<Range<u64>>,
    ) -> Result<reqwest::Response, ErrorKind> {
        const REDIRECTS: usize = 5;
        let base = self.transport.base(repository.host());
        let mut target = self.transport.target(repository, &format!("blobs/{}", blob.digest));
        let part = part
            .and_then(|part| HeaderValue::try_from(format!("bytes={}-{}", part.start, part.end - 1)).ok());
        for _ in 0..=REDIRECTS {
            let mut call = Call::new(Method::GET, repository, target, Scope::pull(repository));
            call.headers.extend(part.clone().map(|part| (header::RANGE, part)));
            match self.transport.send(&call).await? {
                Reply::Taken(response) if response.status().is_redirection() => {
                    target = located(&base, repository, &response)?;
                }
                Reply::Taken(response) => return Ok(response),
                Reply::Refused(refusal) => {
                    return Err(self.transport.error(repository, &refusal).await.of_blob(blob));
                }
            }
        }
        Err(ErrorKind::Protocol(format!("more than {REDIRECTS} redirects")))
    }
}

/// What came of asking for a mount.
enum Mount {
    Done,
    /// The registry wants the bytes after all.
    Session(Target),
    Refused,
}

fn post(repository: &Repository, target: Target, scope: Scope) -> Call<'_> {
    Call::new(Method::POST, repository, target, scope).header(header::CONTENT_LENGTH, HeaderValue::from(0))
}

fn located(base: &Url, repository: &Repository, response: &reqwest::Response) -> Result<Target, ErrorKind> {
    let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let location =
        location.ok_or_else(|| ErrorKind::Protocol(format!("{} without a location", response.status())))?;
    locate(base, repository.host(), response.url(), location)
}

impl ErrorKind {
    /// What is missing is content of an image, not the image.
    fn of_blob(self, blob: &Descriptor) -> Self {
        match self {
            Self::ImageMissing => Self::ContentMissing(blob.digest.to_string()),
            other => other,
        }
    }
}
