//! What is about an image: signatures, provenance, lists of contents. Registries list them by an API; for those that
//! do not, they are listed in an index under a tag made of the image's digest.
//!
//! Source: distribution-spec, "Listing Referrers" and "Referrers Tag Schema".

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use reqwest::Response;

use crate::{
    access::Scope,
    content::{Descriptor, ImageIndex, Manifest, ManifestKind, media_type},
    error::ErrorKind,
    manifests::Manifests,
    names::{Digest, Repository, Tag, Version},
    transport::{Call, Reply, Target, read_limited},
};

/// More than any image has.
const MAX_PAGES: usize = 64;

/// What cosign puts its signatures, attestations and lists of contents under, after the digest.
const COSIGN: [&str; 3] = [".sig", ".att", ".sbom"];

/// What a registry says of a manifest's referrers.
enum Listed {
    Here(Vec<Descriptor>),
    /// It has no such API.
    Nowhere,
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
            Listed::Nowhere => Ok(self.under_tag(repository, digest).await?.manifests),
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

    async fn under_tag(&self, repository: &Repository, digest: Digest) -> Result<ImageIndex, ErrorKind> {
        let version = Version::Tag(tag_of(digest, ""));
        match self.get(repository, &version).await?.map(|manifest| manifest.kind) {
            Some(ManifestKind::Index(index)) => Ok(index),
            // Whoever put an image there meant something else.
            Some(ManifestKind::Image(_)) | None => Ok(ImageIndex::default()),
        }
    }

    /// A manifest that is about another was taken: sees to it that it is listed, where the registry does not.
    pub(crate) async fn list_under(
        &self,
        repository: &Repository,
        subject: Digest,
        manifest: &Manifest,
    ) -> Result<(), ErrorKind> {
        if let Listed::Here(_) = self.listed(repository, subject).await? {
            return Ok(());
        }
        // One at a time: each adds to what it reads. Other programs may still be faster; that is the schema's flaw.
        let slot = self.listings.slot((repository.clone(), subject));
        let _alone = slot.lock().await;
        let mut index = self.under_tag(repository, subject).await?;
        if index.manifests.iter().any(|listed| listed.digest == manifest.digest) {
            return Ok(());
        }
        index.manifests.push(Descriptor {
            artifact_type: manifest.artifact_type().map(str::to_owned),
            annotations: manifest.annotations().clone(),
            ..manifest.descriptor()
        });
        let index = Manifest::of_index(index.manifests, index.annotations);
        self.put_plain(repository, &Version::Tag(tag_of(subject, "")), &index).await.map(drop)
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
