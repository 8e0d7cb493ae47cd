//! Brings one blob to a repository: mounted, or sent as the body of one request.
//!
//! A body that breaks off is sent again in a session of its own, from the first byte; or, where the registry says how
//! much it has, from there. ECR says so wrongly and is never asked.

use std::time::Duration;

use futures::StreamExt;
use http::{HeaderValue, Method, StatusCode, header};

use super::{Blobs, Cargo};
use crate::{
    access::Scope,
    content::{Blob, BlobSource, Descriptor},
    error::{ErrorKind, Trouble},
    names::Repository,
    progress::{Event, How, Whom},
    transport::{Call, Pieces, Reply, Target, stream_bytes, stream_file, stream_part},
};

/// Into how many shares the place of one large upload is divided: small ones wait for answers most of their time.
pub(super) const SHARES: usize = 8;
/// A blob of this many bytes takes all shares of one place.
const LARGE: u64 = 4 * 1024 * 1024;
/// Less than this is sooner sent again than asked about, in bytes.
const RESUME_FROM: u64 = 8 * 1024 * 1024;

/// Why one attempt to send a blob failed.
pub(super) enum Failure {
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

/// What the attempts to send one blob have in common.
pub(super) struct Delivery {
    /// The session whose body broke off.
    pub(super) begun: Option<Target>,
    /// Whether nobody has asked yet if the blob is there.
    pub(super) unasked: bool,
}

/// What came of asking for a mount.
enum Mount {
    Done,
    /// The registry wants the bytes after all.
    Session(Target),
    Refused,
}

impl Blobs {
    /// Mounts the blob `from` a repository, which is known to name it or not; else sends it.
    pub(super) async fn deliver(
        &self,
        cargo: Cargo<'_>,
        from: Option<(Repository, bool)>,
        delivery: &mut Delivery,
    ) -> Result<How, Failure> {
        let Cargo { repository, blob, .. } = cargo;
        let Descriptor { digest, size, .. } = blob.descriptor;
        let waiting = || cargo.tell_waiting(Whom::AnotherProcess);
        let held = self.locks.hold(repository, digest, size, waiting).await;
        if held.is_some_and(|held| held.waited) && self.is_there(repository, &blob.descriptor).await? {
            return Ok(How::AlreadyThere);
        }
        let mut session = None;
        if let Some((from, names_it)) = from {
            match self.mount(repository, blob, &from).await? {
                Mount::Done => {
                    self.mounts.mounted(repository.host());
                    return Ok(How::Mounted);
                }
                Mount::Session(target) => session = Some(target),
                Mount::Refused => {}
            }
            if names_it {
                self.mounts.refused(repository.host());
            }
        }
        if std::mem::take(&mut delivery.unasked) && self.is_there(repository, &blob.descriptor).await? {
            return Ok(How::AlreadyThere);
        }
        let shares = if size < LARGE { 1 } else { SHARES };
        let shares = u32::try_from(shares).unwrap_or(1);
        let _place = self.uploads.acquire_many(shares).await.expect("the semaphore is never closed");
        if let Some(begun) = delivery.begun.take()
            && self.resume(cargo, begun, delivery).await?
        {
            return Ok(How::Sent);
        }
        let session = match session {
            Some(session) => session,
            None => self.open_session(repository).await?,
        };
        self.send_whole(cargo, session, delivery).await
    }

    async fn mount(
        &self,
        repository: &Repository,
        blob: &Blob,
        from: &Repository,
    ) -> Result<Mount, ErrorKind> {
        let mut target = self.transport.target(repository, "blobs/uploads/");
        let query = [("mount", blob.descriptor.digest.to_string()), ("from", from.name().to_owned())];
        target.url.query_pairs_mut().extend_pairs(query);
        let scope = Scope::push(repository).and_pull(from);
        match self.transport.send(&post(repository, target, scope)).await? {
            Reply::Taken(response) if response.status() == StatusCode::CREATED => Ok(Mount::Done),
            Reply::Taken(response) => self.transport.located(repository, &response).map(Mount::Session),
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
            Reply::Taken(response) => self.transport.located(repository, &response),
            Reply::Refused(refusal) => Err(self.transport.error(repository, &refusal).await),
        }
    }

    async fn is_missing(&self, repository: &Repository) -> bool {
        match &self.ecr {
            Some(ecr) => ecr.exists(repository).await == Some(false),
            None => false,
        }
    }

    async fn send_whole(
        &self,
        cargo: Cargo<'_>,
        session: Target,
        delivery: &mut Delivery,
    ) -> Result<How, Failure> {
        let Cargo { repository, blob, progress, .. } = cargo;
        let Descriptor { digest, size, .. } = blob.descriptor;
        let pieces = self.pieces(blob, 0).await?;
        let call = with_body(Method::PUT, repository, ended(&session, blob), size);
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
            Err(error) => Err(broken_off(error, session, delivery)),
        }
    }

    /// Sends what the session does not have yet, and tells whether that made the blob whole. Whatever is unusual
    /// means that it did not: the registry compares digests in the end, so that nothing wrong can come of trying.
    async fn resume(
        &self,
        cargo: Cargo<'_>,
        begun: Target,
        delivery: &mut Delivery,
    ) -> Result<bool, Failure> {
        let Cargo { repository, blob, progress, .. } = cargo;
        let Descriptor { digest, size, .. } = blob.descriptor;
        if size < RESUME_FROM || repository.host().ecr().is_some() {
            return Ok(false);
        }
        let call = Call::new(Method::GET, repository, begun, Scope::push(repository));
        let Ok(Reply::Taken(status)) = self.transport.send_once(&call).await else { return Ok(false) };
        let Some(at) = taken_in(&status).filter(|at| (1..size).contains(at)) else { return Ok(false) };
        let Ok(session) = self.transport.located(repository, &status) else { return Ok(false) };
        let Ok(pieces) = self.pieces(blob, at).await else { return Ok(false) };
        let range = HeaderValue::try_from(format!("{at}-{}", size - 1)).expect("digits and a dash");
        let call = with_body(Method::PATCH, repository, session.clone(), size - at)
            .header(header::CONTENT_RANGE, range);
        progress.event(Event::Resumed { digest, at });
        let taken = |bytes| progress.event(Event::Sent { digest, bytes });
        let answer = match self.transport.send_blob(&call, pieces, size - at, taken).await {
            Ok(Reply::Taken(answer)) if taken_in(&answer) == Some(size) => answer,
            Ok(_) => return Ok(false),
            Err(error) => return Err(broken_off(error, session, delivery)),
        };
        let Ok(session) = self.transport.located(repository, &answer) else { return Ok(false) };
        let call = with_body(Method::PUT, repository, ended(&session, blob), 0);
        Ok(matches!(self.transport.send_once(&call).await, Ok(Reply::Taken(_))))
    }

    /// The bytes of the blob from one of them on.
    async fn pieces(&self, blob: &Blob, at: u64) -> Result<Pieces, ErrorKind> {
        let size = blob.descriptor.size;
        match &blob.source {
            BlobSource::Bytes(bytes) => {
                let at = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                Ok(stream_bytes(bytes.slice(at..)).boxed())
            }
            BlobSource::File(path) if at == 0 => stream_file(path.clone(), size).await,
            BlobSource::File(path) => stream_part(path.clone(), at, size - at).await,
            BlobSource::Part { file, offset } => stream_part(file.clone(), offset + at, size - at).await,
            BlobSource::Registry(from) if at == 0 => self.fetch(from, &blob.descriptor).await,
            BlobSource::Registry(from) => {
                let response = self.open(from, &blob.descriptor, Some(at..size)).await?;
                match response.status() {
                    StatusCode::PARTIAL_CONTENT => Ok(self.transport.pieces(response)),
                    status => Err(ErrorKind::Protocol(format!("{status} for a part of a blob"))),
                }
            }
        }
    }
}

fn post(repository: &Repository, target: Target, scope: Scope) -> Call<'_> {
    Call::new(Method::POST, repository, target, scope).header(header::CONTENT_LENGTH, HeaderValue::from(0))
}

fn with_body(method: Method, repository: &Repository, target: Target, length: u64) -> Call<'_> {
    Call::new(method, repository, target, Scope::push(repository))
        .blob(length)
        .header(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))
        .header(header::CONTENT_LENGTH, HeaderValue::from(length))
}

/// The address that makes a blob of what the session has.
fn ended(session: &Target, blob: &Blob) -> Target {
    let mut target = session.clone();
    target.url.query_pairs_mut().append_pair("digest", &blob.descriptor.digest.to_string());
    target
}

fn broken_off(error: ErrorKind, session: Target, delivery: &mut Delivery) -> Failure {
    if !error.is_transient() {
        return Failure::Final(error);
    }
    delivery.begun = Some(session);
    Failure::Again { error, after: None }
}

/// How many bytes the registry says it has taken in, from `Range: 0-1023`.
fn taken_in(response: &reqwest::Response) -> Option<u64> {
    let range = response.headers().get(header::RANGE)?.to_str().ok()?;
    let (start, last) = range.trim().trim_start_matches("bytes=").split_once('-')?;
    (start == "0").then(|| last.parse::<u64>().ok()?.checked_add(1)).flatten()
}
