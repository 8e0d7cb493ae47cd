//! What is about an image: signatures, provenance, lists of contents. Registries list them by an API; for those that
//! do not, they are listed in an index under a tag made of the image's digest.
//!
//! Source: distribution-spec, "Listing Referrers" and "Referrers Tag Schema".

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use reqwest::Response;
use tokio::time::Instant;

use crate::{
    access::Scope,
    content::{Descriptor, ImageIndex, Manifest, ManifestKind, media_type},
    error::ErrorKind,
    manifests::Manifests,
    names::{Digest, Repository, Tag, Version},
    transport::{Call, Reply, Target, random, read_limited},
};

/// More than any image has.
const MAX_PAGES: usize = 64;

/// How often a list is written before others who write it are given way.
const WRITES: u32 = 16;

/// What cosign puts its signatures, attestations and lists of contents under, after the digest.
const COSIGN: [&str; 3] = [".sig", ".att", ".sbom"];

/// What a registry says of a manifest's referrers.
enum Listed {
    Here(Vec<Descriptor>),
    /// It has no such API.
    Nowhere,
}

/// The index that stands for a list.
#[derive(Default)]
struct Listing {
    index: ImageIndex,
    /// What the registry calls this state of it, if it tells states apart.
    revision: Option<HeaderValue>,
}

impl Manifests {
    /// What is about this manifest.
    pub(crate) async fn referrers(
        &self,
        repository: &Repository,
        digest: Digest,
    ) -> Result<Vec<Descriptor>, ErrorKind> {
        match self.listed(repository, digest).await? {
            Listed::Here(found) => Ok(found),
            Listed::Nowhere => Ok(self.under_tag(repository, digest).await?.index.manifests),
        }
    }

    async fn listed(&self, repository: &Repository, digest: Digest) -> Result<Listed, ErrorKind> {
        let mut found = Vec::new();
        let mut next = Some(self.transport.target(repository, &format!("referrers/{digest}")));
        for page in 0..MAX_PAGES {
            let Some(target) = next else { break };
            let call = Call::new(Method::GET, repository, target, Scope::pull(repository))
                .header(header::ACCEPT, HeaderValue::from_static(media_type::OCI_INDEX));
            let response = match self.transport.send(&call).await? {
                Reply::Taken(response) if is_index(&response) => response,
                Reply::Taken(_) => return Ok(Listed::Nowhere),
                Reply::Refused(refusal) if page == 0 && lacks_api(refusal.status) => {
                    return Ok(Listed::Nowhere);
                }
                Reply::Refused(refusal) => return Err(self.transport.error(repository, &refusal).await),
            };
            next = self.next_page(repository, &response)?;
            let raw = read_limited(response, Manifest::MAX_SIZE, &self.transport.patience).await?;
            found.extend(index_of(raw)?.manifests);
        }
        Ok(Listed::Here(found))
    }

    /// Where a list goes on: `Link: <URL>; rel="next"`.
    fn next_page(&self, repository: &Repository, response: &Response) -> Result<Option<Target>, ErrorKind> {
        let link = response.headers().get(header::LINK).and_then(|value| value.to_str().ok());
        let link = link.filter(|link| link.contains("rel=\"next\"") || link.contains("rel=next"));
        let url = link.and_then(|link| link.split_once('<')?.1.split_once('>').map(|(url, _)| url));
        let target = url.map(|url| self.transport.locate(repository, response, url)).transpose()?;
        Ok(target.filter(Target::is_ours))
    }

    /// The index under the tag that stands for a list.
    async fn under_tag(&self, repository: &Repository, digest: Digest) -> Result<Listing, ErrorKind> {
        let target = self.transport.target(repository, &format!("manifests/{}", tag_of(digest, "")));
        let call = Call::new(Method::GET, repository, target, Scope::pull(repository))
            .header(header::ACCEPT, HeaderValue::from_static(media_type::OCI_INDEX));
        let response = match self.transport.send(&call).await? {
            Reply::Taken(response) if is_index(&response) => response,
            // Whoever put an image there meant something else.
            Reply::Taken(_) => return Ok(Listing::default()),
            Reply::Refused(refusal) if refusal.status == StatusCode::NOT_FOUND => {
                return Ok(Listing::default());
            }
            Reply::Refused(refusal) => return Err(self.transport.error(repository, &refusal).await),
        };
        let revision = response.headers().get(header::ETAG).cloned();
        let raw = read_limited(response, Manifest::MAX_SIZE, &self.transport.patience).await?;
        Ok(Listing {
            index: index_of(raw)?,
            revision: revision.filter(|tag| !tag.as_bytes().starts_with(b"W/")),
        })
    }

    /// A manifest that is about another was taken: sees to it that it is listed, where the registry does not.
    ///
    /// Programs that add to one list at once may overwrite each other: each writes what it read and its own. Where the
    /// registry compares revisions, the later write fails and is made anew. Elsewhere a write is looked at again after
    /// twice the time that it took, when whoever read before it has written too, and is made anew if it was lost.
    pub(crate) async fn list_under(
        &self,
        repository: &Repository,
        subject: Digest,
        manifest: &Manifest,
    ) -> Result<(), ErrorKind> {
        if let Listed::Here(_) = self.listed(repository, subject).await? {
            return Ok(());
        }
        let slot = self.listings.slot((repository.clone(), subject));
        let _alone = slot.lock().await; // in this process nobody has to lose
        let entry = Descriptor {
            artifact_type: manifest.artifact_type().map(str::to_owned),
            annotations: manifest.annotations().clone(),
            ..manifest.descriptor()
        };
        for _ in 0..WRITES {
            let began = Instant::now();
            let mut listing = self.under_tag(repository, subject).await?;
            if listing.index.manifests.iter().any(|listed| listed.digest == entry.digest) {
                return Ok(());
            }
            listing.index.manifests.push(entry.clone());
            self.write_list(repository, subject, listing).await?;
            let settled = 2 * began.elapsed() + self.transport.patience.first_wait;
            tokio::time::sleep(settled.mul_f64(1.0 + random())).await;
        }
        let status = format!("others keep overwriting the list of what is about {subject}");
        Err(ErrorKind::Unavailable { status, message: String::new() })
    }

    /// Writes the index, unless the registry says that somebody else has.
    async fn write_list(
        &self,
        repository: &Repository,
        subject: Digest,
        listing: Listing,
    ) -> Result<(), ErrorKind> {
        let index = Manifest::of_index(listing.index.manifests, listing.index.annotations);
        let target = self.transport.target(repository, &format!("manifests/{}", tag_of(subject, "")));
        let mut call = Call::new(Method::PUT, repository, target, Scope::push(repository))
            .header(header::CONTENT_TYPE, HeaderValue::from_static(media_type::OCI_INDEX))
            .body(index.raw);
        call.headers.extend(listing.revision.map(|revision| (header::IF_MATCH, revision)));
        let reply = self.transport.send(&call).await;
        self.transport.wrote(repository, &Version::Tag(tag_of(subject, "")));
        match reply? {
            Reply::Refused(refusal) if refusal.status != StatusCode::PRECONDITION_FAILED => {
                Err(self.transport.error(repository, &refusal).await)
            }
            Reply::Taken(_) | Reply::Refused(_) => Ok(()),
        }
    }

    /// The tags under which cosign keeps what is about this manifest, as far as they are there.
    pub(crate) async fn cosign_tags(
        &self,
        repository: &Repository,
        digest: Digest,
    ) -> Result<Vec<Tag>, ErrorKind> {
        let mut found = Vec::new();
        for ending in COSIGN {
            let tag = tag_of(digest, ending);
            if self.look(repository, &Version::Tag(tag.clone())).await?.is_some() {
                found.push(tag);
            }
        }
        Ok(found)
    }
}

/// `sha256-` and the digits, and an ending.
fn tag_of(digest: Digest, ending: &str) -> Tag {
    format!("sha256-{}{ending}", digest.hex()).parse().expect("71 letters, digits and a hyphen are a tag")
}

fn is_index(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    response.status() == StatusCode::OK
        && kind
            .and_then(|kind| kind.split(';').next())
            .is_some_and(|kind| kind.trim() == media_type::OCI_INDEX)
}

/// How registries answer to paths that they do not know.
fn lacks_api(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 404 | 405 | 406 | 501)
}

fn index_of(raw: Bytes) -> Result<ImageIndex, ErrorKind> {
    match Manifest::parse(media_type::OCI_INDEX, raw)?.kind {
        ManifestKind::Index(index) => Ok(index),
        ManifestKind::Image(_) => Ok(ImageIndex::default()),
    }
}
