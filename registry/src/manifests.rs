//! Manifests and indexes: looking them up, reading, sending.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use reqwest::Response;
use tokio::sync::OwnedMutexGuard;

use crate::{
    access::Scope,
    content::{Descriptor, Manifest, media_type},
    error::ErrorKind,
    flights::Flights,
    names::{Digest, Repository, Tag, Version},
    progress::How,
    registry::TagOutcome,
    transport::{Call, Refusal, Reply, Transport, read_limited},
};

const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// Access to the manifests of registries.
pub(crate) struct Manifests {
    pub(crate) transport: Arc<Transport>,
    /// For those who add to a list of referrers.
    pub(crate) listings: Flights<(Repository, Digest), ()>,
    /// For those who send a manifest by digest.
    flights: Flights<(Repository, Digest), ()>,
}

impl Manifests {
    pub(crate) fn new(transport: Arc<Transport>) -> Self {
        Self { transport, listings: Flights::new(1024), flights: Flights::new(1024) }
    }

    /// What a tag or digest is; `None` if there is no such image in the repository.
    ///
    /// Only ECR has repositories that somebody has to make, so only there it is asked what is missing.
    pub(crate) async fn head(
        &self,
        repository: &Repository,
        version: &Version,
    ) -> Result<Option<Descriptor>, ErrorKind> {
        match self.look(repository, version).await? {
            None if repository.host().ecr().is_some() => {
                let call = self.call(Method::GET, repository, version);
                match self.transport.send(&call).await? {
                    Reply::Refused(refusal) => self.none_or_error(repository, &refusal).await,
                    Reply::Taken(_) => Ok(None), // it came in this very moment
                }
            }
            found => Ok(found),
        }
    }

    /// As [`Self::head`], for callers who will learn soon enough that the repository is missing.
    pub(crate) async fn look(
        &self,
        repository: &Repository,
        version: &Version,
    ) -> Result<Option<Descriptor>, ErrorKind> {
        let call = self.call(Method::HEAD, repository, version);
        match self.transport.send(&call).await? {
            Reply::Taken(response) => match described(&response, version)? {
                Some(descriptor) => Ok(Some(descriptor)),
                None => Ok(self.get(repository, version).await?.map(|manifest| manifest.descriptor())),
            },
            Reply::Refused(refusal) if refusal.status == StatusCode::NOT_FOUND => Ok(None),
            Reply::Refused(refusal) => Err(self.transport.error(repository, &refusal).await),
        }
    }

    /// Whether the image is missing, or more than that.
    async fn none_or_error<T>(
        &self,
        repository: &Repository,
        refusal: &Refusal,
    ) -> Result<Option<T>, ErrorKind> {
        match self.transport.error(repository, refusal).await {
            ErrorKind::ImageMissing => Ok(None),
            ErrorKind::RepositoryMissing(_) if repository.host().ecr().is_none() => Ok(None),
            error => Err(error),
        }
    }

    /// The manifest or index, verified; `None` if there is no such image in the repository.
    pub(crate) async fn get(
        &self,
        repository: &Repository,
        version: &Version,
    ) -> Result<Option<Manifest>, ErrorKind> {
        let call = self.call(Method::GET, repository, version);
        let response = match self.transport.send(&call).await? {
            Reply::Taken(response) => response,
            Reply::Refused(refusal) => return self.none_or_error(repository, &refusal).await,
        };
        let named = text(&response, &header::CONTENT_TYPE).unwrap_or_default().to_owned();
        let claimed = claimed(&response)?;
        let raw = read_limited(response, Manifest::MAX_SIZE, &self.transport.patience).await?;
        verified(&raw, claimed, version)?;
        Ok(Some(Manifest::parse(&named, raw)?))
    }

    /// Waits until no other task sends this manifest, and keeps others from it until dropped.
    pub(crate) async fn alone(&self, repository: &Repository, digest: Digest) -> OwnedMutexGuard<()> {
        self.flights.slot((repository.clone(), digest)).lock_owned().await
    }

    /// Sees to it that the repository has the manifest; all that it names has to be there.
    pub(crate) async fn ensure(
        &self,
        repository: &Repository,
        manifest: &Manifest,
    ) -> Result<How, ErrorKind> {
        let (version, _alone) =
            (Version::Digest(manifest.digest), self.alone(repository, manifest.digest).await);
        if self.look(repository, &version).await?.is_some() {
            return Ok(How::AlreadyThere);
        }
        self.put(repository, &version, manifest).await?;
        Ok(How::Sent)
    }

    /// Points a tag, which was at `before` when it was looked at, at a manifest.
    pub(crate) async fn point(
        &self,
        repository: &Repository,
        tag: &Tag,
        before: Option<Digest>,
        manifest: &Manifest,
    ) -> Result<TagOutcome, ErrorKind> {
        if before == Some(manifest.digest) {
            return Ok(TagOutcome::Unchanged);
        }
        let version = Version::Tag(tag.clone());
        match self.put(repository, &version, manifest).await {
            Ok(()) => Ok(before.map_or(TagOutcome::Created, |from| TagOutcome::Moved { from })),
            Err(ErrorKind::TagImmutable { tag, wanted, .. }) => {
                // Someone else may have made the tag meanwhile, and may have meant the same image.
                let now = self.look(repository, &version).await?.map(|found| found.digest);
                if now == Some(wanted) {
                    Ok(TagOutcome::Unchanged)
                } else {
                    Err(ErrorKind::TagImmutable { tag, points_to: now, wanted })
                }
            }
            Err(kind) => Err(kind),
        }
    }

    /// Sends a manifest to be found by its digest or by a tag. All that it names has to be there. One that is about
    /// another is listed as such.
    pub(crate) async fn put(
        &self,
        repository: &Repository,
        version: &Version,
        manifest: &Manifest,
    ) -> Result<(), ErrorKind> {
        let listed = self.put_plain(repository, version, manifest).await?;
        match manifest.subject() {
            Some(subject) if !listed => self.list_under(repository, subject.digest, manifest).await,
            _ => Ok(()),
        }
    }

    /// Tells whether the registry says that it lists the manifest among those that are about another.
    pub(crate) async fn put_plain(
        &self,
        repository: &Repository,
        version: &Version,
        manifest: &Manifest,
    ) -> Result<bool, ErrorKind> {
        let kind = HeaderValue::from_str(&manifest.media_type)
            .map_err(|_| ErrorKind::Protocol(format!("media type `{}`", manifest.media_type)))?;
        let target = self.transport.target(repository, &format!("manifests/{version}"));
        let call = Call::new(Method::PUT, repository, target, Scope::push(repository))
            .header(header::CONTENT_TYPE, kind)
            .body(manifest.raw.clone());
        let reply = self.transport.send(&call).await;
        self.transport.wrote(repository, version);
        match reply? {
            Reply::Taken(response) => match claimed(&response)? {
                Some(actual) if actual != manifest.digest => {
                    Err(ErrorKind::DigestMismatch { expected: manifest.digest, actual })
                }
                _ => Ok(response.headers().contains_key(SUBJECT)),
            },
            Reply::Refused(refusal) if is_immutable(&refusal.message()) => match version {
                Version::Tag(tag) => {
                    let (tag, wanted) = (tag.clone(), manifest.digest);
                    Err(ErrorKind::TagImmutable { tag, points_to: None, wanted })
                }
                Version::Digest(_) => Err(self.transport.error(repository, &refusal).await),
            },
            Reply::Refused(refusal) => Err(self.transport.error(repository, &refusal).await),
        }
    }

    fn call<'a>(&self, method: Method, repository: &'a Repository, version: &Version) -> Call<'a> {
        let target = self.transport.target(repository, &format!("manifests/{version}"));
        let accept = HeaderValue::from_str(&media_type::MANIFESTS.join(", "));
        Call::new(method, repository, target, Scope::pull(repository))
            .header(header::ACCEPT, accept.expect("media types are plain text"))
    }
}

/// ECR refuses to move an immutable tag with `TAG_INVALID`, its API with `ImageTagAlreadyExistsException`.
fn is_immutable(message: &str) -> bool {
    message.contains("immutable") || message.contains("ImageTagAlreadyExists")
}

/// The descriptor in the headers of an answer; `None` if they do not tell enough.
fn described(response: &Response, version: &Version) -> Result<Option<Descriptor>, ErrorKind> {
    let named =
        text(response, &header::CONTENT_TYPE).and_then(|value| value.split(';').next()).map(str::trim);
    let size = text(response, &header::CONTENT_LENGTH).and_then(|value| value.parse().ok());
    let (Some(digest), Some(named), Some(size)) = (claimed(response)?, named, size) else { return Ok(None) };
    match version {
        Version::Digest(expected) if *expected != digest => {
            Err(ErrorKind::DigestMismatch { expected: *expected, actual: digest })
        }
        _ => Ok(Some(Descriptor::new(named, digest, size))),
    }
}

/// The digest the registry claims, if it does.
fn claimed(response: &Response) -> Result<Option<Digest>, ErrorKind> {
    let digest = text(response, &DIGEST).map(str::parse::<Digest>).transpose();
    digest.map_err(|error| ErrorKind::Protocol(error.to_string()))
}

fn verified(raw: &Bytes, claimed: Option<Digest>, version: &Version) -> Result<(), ErrorKind> {
    let actual = Digest::of(raw);
    let asked = match version {
        Version::Digest(digest) => Some(*digest),
        Version::Tag(_) => claimed,
    };
    match asked {
        Some(expected) if expected != actual => Err(ErrorKind::DigestMismatch { expected, actual }),
        _ => Ok(()),
    }
}

fn text<'a>(response: &'a Response, name: &HeaderName) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}
