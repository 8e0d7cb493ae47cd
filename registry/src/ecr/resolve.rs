use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecr::types::{Image, ImageIdentifier};

use super::{EcrClients, image_failure};
use crate::{
    content::{Descriptor, media_type},
    error::ErrorKind,
    names::{Digest, Repository, Version},
    transport::Kind,
};

/// What each version of a repository is.
pub(crate) type Found = BTreeMap<Version, Result<Descriptor, ErrorKind>>;

impl EcrClients {
    /// What up to a hundred versions of one repository are, by one call.
    pub(super) async fn resolve_batch(&self, repository: &Repository, versions: BTreeSet<Version>) -> Found {
        let Some(host) = repository.host().ecr() else {
            return all(versions, &ErrorKind::NotEcr(repository.host().clone()));
        };
        let call = self.of(&host).batch_get_image().registry_id(&host.account);
        let call = call
            .repository_name(repository.name())
            .set_image_ids(Some(versions.iter().map(identifier).collect()))
            .set_accepted_media_types(Some(media_type::MANIFESTS.map(str::to_owned).to_vec()));
        let send = || call.clone().send();
        let answer = match self.call(repository.host(), Kind::ReadManifest, Some(repository), send).await {
            Ok(answer) => answer,
            Err(kind) => return all(versions, &kind),
        };
        let find = |version: &Version| {
            let image = answer.images().iter().find(|image| names(image.image_id(), version));
            let failure = answer.failures().iter().find(|failure| names(failure.image_id(), version));
            match (image, failure) {
                (Some(image), _) => described(image),
                (None, Some(failure)) => Err(image_failure(failure).asked_by(version)),
                (None, None) => Err(ErrorKind::missing(version)),
            }
        };
        versions.into_iter().map(|version| (version.clone(), find(&version))).collect()
    }
}

/// One answer to all questions.
fn all(versions: BTreeSet<Version>, kind: &ErrorKind) -> Found {
    versions.into_iter().map(|version| (version, Err(kind.clone()))).collect()
}

pub(super) fn identifier(version: &Version) -> ImageIdentifier {
    let identifier = ImageIdentifier::builder();
    match version {
        Version::Tag(tag) => identifier.image_tag(tag.as_str()),
        Version::Digest(digest) => identifier.image_digest(digest.to_string()),
    }
    .build()
}

pub(super) fn names(identifier: Option<&ImageIdentifier>, version: &Version) -> bool {
    identifier.is_some_and(|identifier| match version {
        Version::Tag(tag) => identifier.image_tag() == Some(tag.as_str()),
        Version::Digest(digest) => identifier.image_digest() == Some(digest.to_string().as_str()),
    })
}

/// The manifest came along, so its digest is known and not only claimed.
fn described(image: &Image) -> Result<Descriptor, ErrorKind> {
    let manifest = image.image_manifest().unwrap_or_default();
    let claimed = image.image_id().and_then(|id| id.image_digest()).unwrap_or_default();
    let expected: Digest = claimed
        .parse()
        .map_err(|error| ErrorKind::Protocol(format!("BatchGetImage gives no digest: {error}")))?;
    let actual = Digest::of(manifest.as_bytes());
    if actual != expected {
        return Err(ErrorKind::DigestMismatch { expected, actual });
    }
    let named = image.image_manifest_media_type().unwrap_or(media_type::OCI_MANIFEST);
    Ok(Descriptor::new(named, actual, manifest.len() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_checked() {
        let check = |digest: &str, manifest: &str, expected: Result<u64, &str>| {
            let id = ImageIdentifier::builder().image_digest(digest).build();
            let image = Image::builder().image_id(id).image_manifest(manifest).build();
            let got = described(&image).map(|descriptor| descriptor.size).map_err(|error| error.to_string());
            assert_eq!(got.as_ref().map(|size| *size).map_err(String::as_str), expected);
        };
        let (abc, abd) = (Digest::of(b"abc"), Digest::of(b"abd"));
        check(&abc.to_string(), "abc", Ok(3));
        check(&abc.to_string(), "abd", Err(&format!("the content has digest {abd}, not {abc}")));
        check(
            "abc",
            "abc",
            Err(
                "the answer is not a registry's: BatchGetImage gives no digest: digest `abc` does not start with `sha256:`",
            ),
        );
    }
}
