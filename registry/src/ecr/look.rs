use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{StreamExt, TryStreamExt, stream};
use tokio::time::Instant;

use super::{EcrClients, EcrRepository, Found, Tagged, batches::Batches};
use crate::{
    content::Descriptor,
    error::{Action, Error, ErrorKind},
    flights::Flights,
    names::{Digest, Repository, Version},
    registry::{Registry, named},
};

/// Look-ups of images by their names, as few calls as will do.
pub(super) struct Looks {
    whats: Batches<Version, Result<Descriptor, ErrorKind>>,
    wheres: Batches<Version, Result<Option<Digest>, ErrorKind>>,
    seen: Flights<Repository, Seen>,
    /// What this process wrote since the oldest listing that still counts.
    writes: Mutex<Vec<Write>>,
}

struct Write {
    at: Instant,
    repository: Repository,
    /// `None` where it may be more than one.
    version: Option<Version>,
}

impl Default for Looks {
    fn default() -> Self {
        Self {
            whats: Batches::default(),
            wheres: Batches::default(),
            seen: Flights::new(4096),
            writes: Mutex::default(),
        }
    }
}

/// What was seen of a repository.
#[derive(Default)]
struct Seen {
    questions: usize,
    listing: Option<Arc<Listing>>,
    /// Whether listing it is not allowed, or takes too long.
    unlistable: bool,
}

/// All that a repository has, by name, and when it was asked for.
struct Listing {
    since: Instant,
    names: HashMap<Version, Digest>,
}

/// From so many questions on, the whole repository is listed.
const LIST_FROM: usize = 3;
/// What takes longer to list is looked for by name.
const LISTED_WITHIN: Duration = Duration::from_secs(30);
/// The longest listing: ten calls stand for as many questions as a thousand batches.
const LONGEST: usize = 10_000;

impl Registry {
    /// Where these versions of a repository point, in their order; `None` for what is not there.
    ///
    /// On ECR, what many tasks ask for at the same time is asked for by one call for each hundred, and a repository
    /// with many questions is listed as a whole, a thousand images by one call. So an answer may be as old as
    /// [`Patience::listing`](crate::Patience::listing), though never older than what this process wrote: look with [`Registry::head`] just before
    /// you write.
    pub async fn digests(
        &self,
        repository: &Repository,
        versions: &[Version],
    ) -> Result<Vec<Option<Digest>>, Error> {
        const LOOKS_AT_ONCE: usize = 16;
        let look = |version: Version| async move {
            match self.ecr_of(repository) {
                Ok((ecr, _)) => ecr
                    .digest(repository, &version)
                    .await
                    .map_err(|kind| Error::new(Action::LookUp, named(repository, &version), kind)),
                Err(_) => Ok(self.head(repository, &version).await?.map(|found| found.digest)),
            }
        };
        match self.ecr_of(repository) {
            // Together, so that they go in one call.
            Ok(_) => futures::future::try_join_all(versions.iter().cloned().map(look)).await,
            Err(_) => stream::iter(versions.to_vec()).map(look).buffered(LOOKS_AT_ONCE).try_collect().await,
        }
    }
}

impl EcrClients {
    /// What these versions of a repository are.
    pub(crate) async fn resolve(&self, repository: &Repository, versions: BTreeSet<Version>) -> Found {
        let ask = |version: Version| async move {
            let (clients, of) = (self.clone(), repository.clone());
            let send = move |versions| async move { clients.resolve_batch(&of, versions).await };
            let answer = self.looks().whats.ask(repository, version.clone(), send).await;
            (version, answer.unwrap_or_else(|| Err(unanswered())))
        };
        futures::future::join_all(versions.into_iter().map(ask)).await.into_iter().collect()
    }

    /// Where a version of a repository points, `None` if it is not there.
    pub(crate) async fn digest(
        &self,
        repository: &Repository,
        version: &Version,
    ) -> Result<Option<Digest>, ErrorKind> {
        let (clients, of) = (self.clone(), repository.clone());
        let send = move |versions| async move { clients.digests(&of, versions).await };
        let answer = self.looks().wheres.ask(repository, version.clone(), send).await;
        answer.unwrap_or_else(|| Err(unanswered()))
    }

    /// What was listed under this name, or without one in the whole repository, may be so no longer.
    pub(crate) fn wrote(&self, repository: &Repository, version: Option<&Version>) {
        let (at, repository) = (Instant::now(), repository.clone());
        let mut writes = self.looks().writes.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = LISTED_WITHIN + self.patience().listing;
        writes.retain(|write| write.at.elapsed() < oldest);
        writes.push(Write { at, repository, version: version.cloned() });
    }

    /// Whoever has many questions gets the whole list. What it does not have is asked for by name, so that nothing is
    /// called missing that only the list leaves out.
    async fn digests(
        &self,
        repository: &Repository,
        versions: BTreeSet<Version>,
    ) -> BTreeMap<Version, Result<Option<Digest>, ErrorKind>> {
        let listing = self.listing(repository, versions.len()).await;
        let find = |version: &Version| {
            let listing = listing.as_ref()?;
            let is_so = !self.looks().is_written(listing.since, repository, version);
            listing.names.get(version).copied().filter(|_| is_so)
        };
        let (known, unknown): (BTreeSet<_>, BTreeSet<_>) =
            versions.into_iter().partition(|version| find(version).is_some());
        let mut answers: BTreeMap<_, _> = known
            .into_iter()
            .map(|version| {
                let digest = find(&version);
                (version, Ok(digest))
            })
            .collect();
        if !unknown.is_empty() {
            let found = self.resolve_batch(repository, unknown).await;
            answers.extend(found.into_iter().map(|(version, what)| (version, digest_of(what))));
        }
        answers
    }

    async fn listing(&self, repository: &Repository, questions: usize) -> Option<Arc<Listing>> {
        let seen = self.looks().seen.slot(repository.clone());
        let mut seen = seen.lock().await;
        let before = seen.questions;
        seen.questions += questions;
        if let Some(listing) =
            seen.listing.as_ref().filter(|listing| listing.since.elapsed() < self.patience().listing)
        {
            return Some(Arc::clone(listing));
        }
        if before == 0 || seen.questions < LIST_FROM || seen.unlistable {
            return None;
        }
        let since = Instant::now();
        match tokio::time::timeout(LISTED_WITHIN, self.list_all(repository)).await {
            Ok(Ok(names)) if names.len() < LONGEST => {
                seen.listing = Some(Arc::new(Listing { since, names }));
                seen.listing.clone()
            }
            Ok(Ok(_)) | Err(_) => {
                seen.unlistable = true;
                None
            }
            Ok(Err(error)) => {
                tracing::debug!(%repository, %error, "images are looked for by name");
                seen.unlistable = !error.is_transient();
                None
            }
        }
    }

    async fn list_all(&self, repository: &Repository) -> Result<HashMap<Version, Digest>, ErrorKind> {
        let repository = EcrRepository::of(self, repository)?;
        let names = repository.list(Tagged::Any).take(LONGEST);
        let versions =
            names.map_ok(|(digest, tag)| (tag.map_or(Version::Digest(digest), Version::Tag), digest));
        let listing: HashMap<Version, Digest> = versions.try_collect().await?;
        let digests: Vec<Digest> = listing.values().copied().collect();
        Ok(listing
            .into_iter()
            .chain(digests.into_iter().map(|digest| (Version::Digest(digest), digest)))
            .collect())
    }
}

impl Looks {
    fn is_written(&self, since: Instant, repository: &Repository, version: &Version) -> bool {
        let writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        writes.iter().any(|write| {
            let is_meant = write.version.as_ref().is_none_or(|written| written == version);
            is_meant && write.at >= since && write.repository == *repository
        })
    }
}

fn digest_of(what: Result<Descriptor, ErrorKind>) -> Result<Option<Digest>, ErrorKind> {
    match what {
        Ok(descriptor) => Ok(Some(descriptor.digest)),
        Err(ErrorKind::ImageMissing | ErrorKind::TagMissing(_)) => Ok(None),
        Err(kind) => Err(kind),
    }
}

/// The task that asked for many ended before it could answer.
fn unanswered() -> ErrorKind {
    ErrorKind::Protocol("the look-up ended early".to_owned())
}
