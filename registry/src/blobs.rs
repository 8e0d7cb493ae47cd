//! Blobs: whether they are there, bringing each of them there once, fetching them.

mod home;
mod lock;
mod send;

use std::{
    ops::Range,
    path::PathBuf,
    sync::{Arc, atomic::AtomicU64},
};

use futures::TryStreamExt;
use http::{HeaderValue, Method, StatusCode, header};
use tokio::sync::Semaphore;

pub(crate) use home::Voyage;
use home::{Claims, Home, Mounts, Outlook, Stage, Step};
use lock::Locks;
pub(crate) use lock::try_lock;
use send::{Delivery, Failure};

use crate::{
    access::Scope,
    content::{Blob, BlobSource, Descriptor, Image},
    ecr::{Availability, EcrClients},
    error::ErrorKind,
    flights::Flights,
    names::{Digest, Host, Repository},
    progress::{Event, How, Progress, Whom},
    transport::{Call, Pieces, Reply, Retry, Transport, checked},
};

/// Access to the blobs of registries.
pub(crate) struct Blobs {
    pub(crate) transport: Arc<Transport>,
    ecr: Option<EcrClients>,
    availability: Option<Availability>,
    uploads: Semaphore,
    flights: Flights<(Repository, Digest), Known>,
    /// One push at a time brings a blob to a registry; here it leaves where it brought it.
    homes: Flights<(Host, Digest), Option<Home>>,
    mounts: Mounts,
    locks: Locks,
    voyages: AtomicU64,
    claims: Claims,
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

/// What came of bringing a blob.
enum Brought {
    Done(How),
    /// Another push has to end before it can be decided.
    After(Home),
}

/// A blob on its way to a repository.
#[derive(Clone, Copy)]
struct Cargo<'a> {
    repository: &'a Repository,
    blob: &'a Blob,
    voyage: &'a Voyage,
    progress: &'a dyn Progress,
}

impl Cargo<'_> {
    fn tell_waiting(&self, whom: Whom) {
        self.progress.event(Event::Waiting { digest: self.blob.descriptor.digest, whom });
    }
}

impl Blobs {
    pub(crate) fn new(
        transport: Arc<Transport>,
        ecr: Option<EcrClients>,
        uploads: usize,
        locks: Option<PathBuf>,
    ) -> Self {
        Self {
            transport,
            availability: ecr.clone().map(Availability::new),
            ecr,
            uploads: Semaphore::new(uploads.max(1) * send::SHARES),
            flights: Flights::new(BLOBS_REMEMBERED),
            homes: Flights::new(BLOBS_REMEMBERED),
            mounts: Mounts::default(),
            locks: Locks::new(locks),
            voyages: AtomicU64::default(),
            claims: Claims::default(),
        }
    }

    /// Begins the push of one image.
    pub(crate) fn voyage(&self) -> Voyage {
        Voyage::new(&self.voyages)
    }

    /// Tells younger pushes what this one needs in the repository.
    pub(crate) fn claim(&self, voyage: &Voyage, repository: &Repository, image: &Image) {
        let blobs = image.blobs().map(|blob| blob.descriptor.digest);
        self.claims.add(voyage, repository, blobs.collect());
    }

    /// Sees to it that the repository has the blob. Of several that want the same at once, one works and the
    /// others get what it got.
    pub(crate) async fn ensure(
        &self,
        repository: &Repository,
        blob: &Blob,
        voyage: &Voyage,
        progress: &dyn Progress,
    ) -> Result<How, ErrorKind> {
        let cargo = Cargo { repository, blob, voyage, progress };
        loop {
            match self.ensure_unless_waiting(cargo).await? {
                Brought::Done(how) => {
                    progress.event(Event::Done { digest: blob.descriptor.digest, how });
                    return Ok(how);
                }
                Brought::After(home) => {
                    cargo.tell_waiting(Whom::AnotherPush);
                    home.settled().await; // nothing is locked meanwhile
                }
            }
        }
    }

    async fn ensure_unless_waiting(&self, cargo: Cargo<'_>) -> Result<Brought, ErrorKind> {
        let slot = self.flights.slot((cargo.repository.clone(), cargo.blob.descriptor.digest));
        let mut known = if let Ok(known) = slot.try_lock() {
            known
        } else {
            cargo.tell_waiting(Whom::AnotherPush);
            let known = slot.lock().await;
            if let Some(error) = &known.failed {
                return Err(error.clone());
            }
            known
        };
        known.failed = None; // should this task be cancelled, the next one has to work
        if known.present {
            return Ok(Brought::Done(How::AlreadyThere));
        }
        let brought = self.bring(cargo).await;
        match &brought {
            Ok(Brought::Done(_)) => known.present = true,
            Ok(Brought::After(_)) => {}
            Err(error) => known.failed = Some(error.clone()),
        }
        brought
    }

    /// Whether the repository has the blob since a push of this process.
    pub(crate) fn knows(&self, repository: &Repository, digest: Digest) -> bool {
        let slot = self.flights.slot((repository.clone(), digest));
        slot.try_lock().is_ok_and(|known| known.present)
    }

    /// The repository has the blob, and the voyage's manifest names it.
    pub(crate) fn has_home(&self, repository: &Repository, digest: Digest, voyage: &Voyage) {
        let slot = self.homes.slot((repository.host().clone(), digest));
        if let Ok(mut home) = slot.try_lock() {
            home.get_or_insert_with(|| voyage.home(repository));
        }
    }

    /// The registry says that it misses what it was thought to have.
    pub(crate) async fn forget(&self, repository: &Repository, digest: Digest) {
        *self.flights.slot((repository.clone(), digest)).lock().await = Known::default();
        *self.homes.slot((repository.host().clone(), digest)).lock().await = None;
    }

    async fn bring(&self, cargo: Cargo<'_>) -> Result<Brought, ErrorKind> {
        let Cargo { repository, blob, progress, .. } = cargo;
        let digest = blob.descriptor.digest;
        let mut retry = Retry::new(&self.transport.patience);
        // Where a mount is answered, it also answers whether the blob is there. On ECR one answer is about a hundred.
        let mut delivery = Delivery { begun: None, unasked: self.is_likely_mounted(cargo) };
        loop {
            if !delivery.unasked && self.is_there(repository, &blob.descriptor).await? {
                self.has_home(repository, digest, cargo.voyage);
                return Ok(Brought::Done(How::AlreadyThere));
            }
            let (error, after) = match self.bring_missing(cargo, &mut delivery).await {
                Ok(brought) => return Ok(brought),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Again { error, after }) => (error, after),
            };
            let Some(wait) = retry.next(&error, after) else { return Err(error) };
            tracing::debug!(%repository, %digest, %error, ?wait, "sending again");
            progress.event(Event::Retrying { digest, wait, reason: error.to_string() });
            tokio::time::sleep(wait).await;
        }
    }

    /// Whether the caller says where in a registry other than ECR the blob is, and this is not known to refuse mounts.
    fn is_likely_mounted(&self, cargo: Cargo<'_>) -> bool {
        let host = cargo.repository.host();
        let is_here = |from: &Repository| from.host() == host && from != cargo.repository;
        host.ecr().is_none() && self.mounts.are_likely(host) && source(cargo.blob).is_some_and(is_here)
    }

    /// Once: takes the blob over from where it is in the registry, or sends it, or finds that it has to wait.
    async fn bring_missing(&self, cargo: Cargo<'_>, delivery: &mut Delivery) -> Result<Brought, Failure> {
        let Cargo { repository, blob, voyage, .. } = cargo;
        let (host, digest) = (repository.host(), blob.descriptor.digest);
        let slot = self.homes.slot((host.clone(), digest));
        let mounts = self.mounts.are_likely(host);
        let mut home = match slot.try_lock() {
            Ok(home) => Some(home),
            // Where nothing can be taken over, nobody waits for those who send the same elsewhere.
            Err(_) if !mounts => None,
            Err(_) => {
                cargo.tell_waiting(Whom::AnotherPush);
                Some(slot.lock().await)
            }
        };
        let known = home.as_deref().and_then(Option::as_ref);
        let is_named = known.is_some_and(|home| home.stage(voyage) == Stage::Named);
        let claimed = if mounts && host.ecr().is_some() && !is_named {
            self.claims.older(voyage, repository, digest)
        } else {
            None
        };
        let known = claimed.as_ref().or(known);
        let seen = known.map(|home| (&home.repository, home.stage(voyage)));
        let outlook = Outlook { wanted_in: repository, source: source(blob), home: seen, mounts };
        let from = match (outlook.step(), known) {
            (Step::Wait, Some(home)) => return Ok(Brought::After(home.clone())),
            (Step::Mount(from), _) => {
                Some((from.clone(), seen.is_some_and(|(_, stage)| stage == Stage::Named)))
            }
            _ => None,
        };
        let how = self.deliver(cargo, from, delivery).await?;
        if let Some(home) = &mut home
            && (how == How::Sent || home.is_none())
        {
            **home = Some(voyage.home(repository));
        }
        Ok(Brought::Done(how))
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

    /// The bytes of a blob that a repository has, from a mirror if one has them. The last item is an error if they are
    /// not what was asked for.
    pub(crate) async fn fetch(
        &self,
        repository: &Repository,
        blob: &Descriptor,
    ) -> Result<Pieces, ErrorKind> {
        for mirror in self.transport.mirrors.of(repository) {
            match self.fetch_from(&mirror, blob).await {
                Ok(pieces) => return Ok(self.of_mirror(mirror, pieces)),
                Err(kind) => self.transport.mirrors.failed(&mirror, &kind),
            }
        }
        self.fetch_from(repository, blob).await
    }

    /// Whatever goes wrong with a mirror, the next attempt goes elsewhere, and may work.
    fn of_mirror(&self, mirror: Repository, pieces: Pieces) -> Pieces {
        let transport = Arc::clone(&self.transport);
        Box::pin(pieces.map_err(move |kind| {
            transport.mirrors.failed(&mirror, &kind);
            ErrorKind::Unavailable { status: format!("mirror `{mirror}`"), message: kind.to_string() }
        }))
    }

    pub(crate) async fn fetch_from(
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
        let mut target = self.transport.target(repository, &format!("blobs/{}", blob.digest));
        let part = part
            .and_then(|part| HeaderValue::try_from(format!("bytes={}-{}", part.start, part.end - 1)).ok());
        for _ in 0..=REDIRECTS {
            let mut call =
                Call::new(Method::GET, repository, target, Scope::pull(repository)).blob(blob.size);
            call.headers.extend(part.clone().map(|part| (header::RANGE, part)));
            match self.transport.send(&call).await? {
                Reply::Taken(response) if response.status().is_redirection() => {
                    target = self.transport.located(repository, &response)?;
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

/// The repository that the blob is said to be in.
fn source(blob: &Blob) -> Option<&Repository> {
    match &blob.source {
        BlobSource::Registry(from) => Some(from),
        BlobSource::Bytes(_) | BlobSource::File(_) | BlobSource::Part { .. } => None,
    }
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
