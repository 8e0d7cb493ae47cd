use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use futures::{
    FutureExt, StreamExt, TryStreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};

use crate::{
    blobs::Blobs,
    cache::Cache,
    content::{Blob, Descriptor, Image, Manifest, Tree},
    download::Place,
    ecr::{EcrClients, Found},
    endpoints::Endpoints,
    error::{Action, Error, ErrorKind},
    manifests::Manifests,
    names::{Digest, EcrHost, Host, Reference, Repository, Tag, Version},
    progress::{How, Progress},
    push::{Departure, Push, PushReport},
    settings::{Login, Settings},
    transport::{Retry, Transport},
};

/// What [`Registry::tag`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagOutcome {
    /// The tag points at the image already; nothing was sent.
    Unchanged,
    /// The tag is new.
    Created,
    /// The tag was moved from another image.
    Moved {
        /// The image the tag pointed at.
        from: Digest,
    },
}

/// Access to registries. Clones share connections, passwords and what is known to be there.
#[derive(Clone)]
pub struct Registry(Arc<Parts>);

struct Parts {
    blobs: Blobs,
    manifests: Manifests,
    ecr: Option<EcrClients>,
    cache: Option<Cache>,
    endpoints: Endpoints,
}

impl Registry {
    /// The longest blob that [`Self::small_blob`] takes, in bytes.
    pub const SMALL_BLOB: u64 = 8 * 1024 * 1024;

    /// Access with these settings. Nothing is sent yet.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let (uploads, locks, cache) = (settings.uploads, settings.locks.clone(), settings.cache.clone());
        let endpoints = settings.endpoints.clone();
        let ecr = settings.aws.clone().map(|aws| EcrClients::new(aws, &settings));
        let transport = Transport::new(settings, ecr.clone());
        let transport = transport.map_err(|kind| Error::new(Action::SetUp, "registries", kind))?;
        let blobs = Blobs::new(Arc::clone(&transport), ecr.clone(), uploads, locks);
        Ok(Self(Arc::new(Parts { blobs, manifests: Manifests::new(transport), ecr, cache, endpoints })))
    }

    /// Where blobs are kept on this machine, if anywhere.
    pub fn cache(&self) -> Option<&Cache> {
        self.0.cache.as_ref()
    }

    /// Whether this host is reached elsewhere than its name says. Other programs may not reach it at all.
    pub fn is_mapped(&self, host: &Host) -> bool {
        self.0.endpoints.has(host)
    }

    /// What a tag or digest is; `None` only when the registry says that the repository has no such image.
    pub async fn head(
        &self,
        repository: &Repository,
        version: &Version,
    ) -> Result<Option<Descriptor>, Error> {
        let found = self.0.manifests.head(repository, version).await;
        found.map_err(|kind| Error::new(Action::LookUp, named(repository, version), kind))
    }

    /// The manifest or index of a tag or digest, verified; `None` as for [`Self::head`].
    pub async fn manifest(
        &self,
        repository: &Repository,
        version: &Version,
    ) -> Result<Option<Manifest>, Error> {
        let found = self.0.manifests.get(repository, version).await;
        found.map_err(|kind| Error::new(Action::Read, named(repository, version), kind))
    }

    /// A small blob, such as a configuration, verified.
    pub async fn small_blob(&self, repository: &Repository, blob: &Descriptor) -> Result<Bytes, Error> {
        let read =
            self.read_through(blob, self.repeatedly(|| self.read_once(repository, blob).boxed())).await;
        read.map_err(|kind| Error::new(Action::Read, pinned(repository, blob.digest), kind))
    }

    /// A blob of any length as it comes. The last item is an error if it is not what was asked for, so nothing may
    /// be believed before the end. What breaks off is not taken up again: see [`Self::download`].
    pub async fn blob(
        &self,
        repository: &Repository,
        blob: &Descriptor,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        let object = pinned(repository, blob.digest);
        let error = move |kind| Error::new(Action::Read, &object, kind);
        let pieces = self.0.blobs.fetch(repository, blob).await.map_err(&error)?;
        Ok(pieces.map_err(error).boxed())
    }

    /// Fetches a blob of any length into a file, verified; a large one in parts, several at once, each of which is
    /// taken up again where it broke off. The file appears when it is whole, readable by its owner alone; one that
    /// is there is replaced. What has come of a large one stays beside it when the network fails for good or the program
    /// is ended, as `.incoming-` and the digest: the next download to this folder goes on from there.
    pub async fn download(&self, repository: &Repository, blob: &Descriptor, to: &Path) -> Result<(), Error> {
        let downloaded = self.fetch_to(repository, blob, &Place::of(to), &()).await;
        downloaded.map_err(|kind| Error::new(Action::Read, pinned(repository, blob.digest), kind))
    }

    /// Begins a push before its image is whole.
    pub fn depart(&self) -> Departure {
        Departure::new(self.0.blobs.voyage())
    }

    /// Brings a blob to the repository ahead of the image that will name it. Tells whether it was sent.
    pub async fn push_blob(
        &self,
        departure: &Departure,
        repository: &Repository,
        blob: &Blob,
    ) -> Result<bool, Error> {
        let pushed = self.0.blobs.ensure(repository, blob, departure.voyage(), &()).await;
        let error = |kind| Error::new(Action::Push, pinned(repository, blob.descriptor.digest), kind);
        pushed.map(|how| how == How::Sent).map_err(error)
    }

    /// Sends what the repository does not have of the image: blobs first, then the manifest, by digest.
    pub async fn push(
        &self,
        repository: &Repository,
        image: &Image,
        progress: &dyn Progress,
    ) -> Result<PushReport, Error> {
        self.push_tree(repository, &Tree::from(image.clone()), &[], progress).await
    }

    /// Sends what the repository does not have of an image or index: what is named before what names it, and tags
    /// last. With tags, the root itself is sent under them and not by digest as well; if one of them points at it
    /// already, that one look was all.
    pub async fn push_tree(
        &self,
        repository: &Repository,
        tree: &Tree,
        tags: &[Tag],
        progress: &dyn Progress,
    ) -> Result<PushReport, Error> {
        self.push_departed(None, repository, tree, tags, progress).await
    }

    /// As [`Self::push_tree`], where blobs may have been sent ahead.
    pub async fn push_departed(
        &self,
        departure: Option<&Departure>,
        repository: &Repository,
        tree: &Tree,
        tags: &[Tag],
        progress: &dyn Progress,
    ) -> Result<PushReport, Error> {
        let (blobs, manifests) = self.parts();
        Push { blobs, manifests, repository, departure, progress }.tree(tree, tags).await
    }

    /// Sends a manifest or index by digest, unless it is there; all it names has to be there.
    /// Tells whether it was sent.
    pub async fn push_manifest(&self, repository: &Repository, manifest: &Manifest) -> Result<bool, Error> {
        let pushed = self.0.manifests.ensure(repository, manifest).await.map(|how| how == How::Sent);
        pushed.map_err(|kind| Error::new(Action::Push, pinned(repository, manifest.digest), kind))
    }

    /// Points a tag at a manifest or index; sends nothing if it points there already.
    pub async fn tag(
        &self,
        repository: &Repository,
        tag: &Tag,
        manifest: &Manifest,
    ) -> Result<TagOutcome, Error> {
        let version = Version::Tag(tag.clone());
        let (_, manifests) = self.parts();
        let outcome = match manifests.look(repository, &version).await {
            Ok(found) => manifests.point(repository, tag, found.map(|found| found.digest), manifest).await,
            Err(kind) => Err(kind),
        };
        outcome.map_err(|kind| Error::new(Action::Tag, named(repository, &version), kind))
    }

    /// Takes a tag away, by ECR's API. ECR deletes an image with its last tag. A tag that is gone is no error.
    pub async fn untag(&self, repository: &Repository, tag: &Tag) -> Result<(), Error> {
        let untagged = match self.ecr_of(repository) {
            Ok((ecr, _)) => ecr.untag(repository, tag).await,
            Err(kind) => Err(kind),
        };
        untagged.map_err(|kind| Error::new(Action::Untag, format!("{repository}:{tag}"), kind))
    }

    /// The tags of an image, sorted, by ECR's API; `None` if the image is not there.
    pub async fn describe(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<Vec<Tag>>, Error> {
        let tags = match self.ecr_of(repository) {
            Ok((ecr, _)) => ecr.tags_of(repository, digest).await,
            Err(kind) => Err(kind),
        };
        tags.map_err(|kind| Error::new(Action::Describe, pinned(repository, *digest), kind))
    }

    /// User and password for a host, for a program that speaks to it itself; `None` when there are none.
    /// One without a user is an identity token, to be exchanged at the registry's token server.
    pub async fn login(&self, host: &Host) -> Result<Option<Login>, Error> {
        let login = self.0.manifests.transport.login(host.into()).await;
        login.map_err(|kind| Error::new(Action::SetUp, host, kind))
    }

    /// What many references point at, in their order. ECR is asked for up to 100 of a repository in one call,
    /// other registries for each. An image that is not there is an error.
    pub async fn resolve(&self, references: &[Reference]) -> Vec<Result<Descriptor, Error>> {
        const REPOSITORIES_AT_ONCE: usize = 16;
        let mut wanted: BTreeMap<&Repository, BTreeSet<Version>> = BTreeMap::new();
        for reference in references {
            wanted.entry(&reference.repository).or_default().insert(reference.version());
        }
        let look_ups: Vec<_> =
            wanted.into_iter().map(|(repository, versions)| self.resolve_in(repository, versions)).collect();
        let found: BTreeMap<&Repository, Found> =
            stream::iter(look_ups).buffer_unordered(REPOSITORIES_AT_ONCE).collect().await;
        let result = |reference: &Reference| match found[&reference.repository][&reference.version()].clone()
        {
            Ok(descriptor) => Ok(descriptor),
            Err(kind) => Err(Error::new(Action::LookUp, reference, kind)),
        };
        references.iter().map(result).collect()
    }

    async fn resolve_in<'a>(
        &self,
        repository: &'a Repository,
        versions: BTreeSet<Version>,
    ) -> (&'a Repository, Found) {
        const LOOKS_AT_ONCE: usize = 16;
        if let Ok((ecr, _)) = self.ecr_of(repository) {
            return (repository, ecr.resolve(repository, versions).await);
        }
        let look_ups: Vec<_> =
            versions.into_iter().map(|version| self.resolve_one(repository, version)).collect();
        (repository, stream::iter(look_ups).buffer_unordered(LOOKS_AT_ONCE).collect().await)
    }

    async fn resolve_one(
        &self,
        repository: &Repository,
        version: Version,
    ) -> (Version, Result<Descriptor, ErrorKind>) {
        let found = match self.0.manifests.head(repository, &version).await {
            Ok(Some(descriptor)) => Ok(descriptor),
            Ok(None) => Err(ErrorKind::missing(&version)),
            Err(kind) => Err(kind),
        };
        (version, found)
    }

    async fn read_once(&self, repository: &Repository, blob: &Descriptor) -> Result<Bytes, ErrorKind> {
        if blob.size > Self::SMALL_BLOB {
            return Err(ErrorKind::TooLarge { limit: Self::SMALL_BLOB });
        }
        let mut bytes = BytesMut::new();
        let mut pieces = self.0.blobs.fetch(repository, blob).await?;
        while let Some(piece) = pieces.try_next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes.freeze())
    }

    /// For bodies that break off after their request was answered.
    async fn repeatedly<'a, T>(
        &self,
        read: impl Fn() -> BoxFuture<'a, Result<T, ErrorKind>>,
    ) -> Result<T, ErrorKind> {
        let mut retry = Retry::new(&self.0.blobs.transport.patience);
        loop {
            match read().await {
                Err(error) if error.is_transient() => match retry.next(&error, None) {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => return Err(error),
                },
                result => return result,
            }
        }
    }

    pub(crate) fn parts(&self) -> (&Blobs, &Manifests) {
        (&self.0.blobs, &self.0.manifests)
    }

    pub(crate) fn aws(&self) -> Option<&EcrClients> {
        self.0.ecr.as_ref()
    }

    pub(crate) fn ecr_of(&self, repository: &Repository) -> Result<(&EcrClients, EcrHost), ErrorKind> {
        match (&self.0.ecr, repository.host().ecr()) {
            (Some(ecr), Some(host)) => Ok((ecr, host)),
            _ => Err(ErrorKind::NotEcr(repository.host().clone())),
        }
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

pub(crate) fn named(repository: &Repository, version: &Version) -> String {
    match version {
        Version::Tag(tag) => format!("{repository}:{tag}"),
        Version::Digest(digest) => pinned(repository, *digest),
    }
}

pub(crate) fn pinned(repository: &Repository, digest: Digest) -> String {
    format!("{repository}@{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever uses the client may run it on any thread.
    #[test]
    fn every_future_is_send() {
        fn is_send<T: Send>(_: impl Fn(&'static Registry) -> T) {}
        fn any<T>() -> T {
            unreachable!("never called: the types are the test")
        }
        is_send(|r| r.head(any(), any()));
        is_send(|r| r.manifest(any(), any()));
        is_send(|r| r.small_blob(any(), any()));
        is_send(|r| r.download(any(), any(), any()));
        is_send(|r| r.push_blob(any(), any(), any()));
        is_send(|r| r.push(any(), any(), &()));
        is_send(|r| r.push_manifest(any(), any()));
        is_send(|r| r.tag(any(), any(), any()));
        is_send(|r| r.untag(any(), any()));
        is_send(|r| r.describe(any(), any()));
        is_send(|r| r.resolve(any()));
        is_send(|r| r.blob(any(), any()));
        is_send(|r| r.tree(any(), any(), any()));
        is_send(|r| r.push_tree(any(), any(), any(), &()));
        is_send(|r| r.copy(any(), any(), any(), &()));
        is_send(|r| r.retag(any(), any(), any()));
        is_send(|r| r.referrers(any(), any()));
    }
}
