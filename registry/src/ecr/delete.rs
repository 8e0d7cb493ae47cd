use std::collections::BTreeMap;

use super::{
    EcrClients, EcrRepository,
    batches::BATCH,
    error::said,
    image_failure,
    resolve::{identifier, names},
};
use crate::{
    error::{Action, Error, ErrorKind},
    names::{Repository, Tag, Version},
};

/// What became of each; whether it was there.
type Deleted = BTreeMap<Version, Result<bool, ErrorKind>>;

impl EcrRepository {
    /// Deletes images, in this order, by a call for each hundred: by digest with all their tags, by tag that tag
    /// alone, and the image with its last one. Tells of each, in the same order, whether it was there. An image that
    /// an index names stays until the index is gone; those that failed for that are tried once more at the end.
    pub async fn delete(&self, versions: &[Version]) -> Vec<Result<bool, Error>> {
        let mut deleted = self.delete_all(versions).await;
        let again: Vec<Version> =
            versions.iter().filter(|version| is_held(&deleted[*version])).cloned().collect();
        if !again.is_empty() && again.len() < versions.len() {
            deleted.extend(self.delete_all(&again).await);
        }
        self.clients.wrote(&self.repository, None);
        let result = |version: &Version| {
            let part = match version {
                Version::Tag(tag) => format!(":{tag}"),
                Version::Digest(digest) => format!("@{digest}"),
            };
            deleted[version].clone().map_err(self.error(Action::Delete, part))
        };
        versions.iter().map(result).collect()
    }

    async fn delete_all(&self, versions: &[Version]) -> Deleted {
        let mut deleted = Deleted::new();
        for batch in versions.chunks(BATCH) {
            deleted.extend(self.delete_batch(batch).await);
        }
        deleted
    }

    async fn delete_batch(&self, versions: &[Version]) -> Deleted {
        let call = self.client().batch_delete_image().registry_id(&self.host.account);
        let call = call.repository_name(self.repository.name());
        let call = call.set_image_ids(Some(versions.iter().map(identifier).collect()));
        let answer = self.call("BatchDeleteImage", || call.clone().send()).await;
        let became = |version: &Version| {
            let answer = answer.as_ref().map_err(Clone::clone)?;
            let failure = answer.failures().iter().find(|failure| names(failure.image_id(), version));
            match failure.map(image_failure) {
                None => Ok(true),
                Some(ErrorKind::ImageMissing) => Ok(false),
                Some(kind) => Err(kind),
            }
        };
        versions.iter().map(|version| (version.clone(), became(version))).collect()
    }
}

fn is_held(deleted: &Result<bool, ErrorKind>) -> bool {
    deleted.as_ref().is_err_and(|kind| said(kind, "ImageReferencedByManifestList"))
}

impl EcrClients {
    /// Takes a tag away; a tag that is gone is no error.
    pub(crate) async fn untag(&self, repository: &Repository, tag: &Tag) -> Result<(), ErrorKind> {
        let version = Version::Tag(tag.clone());
        let mut deleted =
            EcrRepository::of(self, repository)?.delete_all(std::slice::from_ref(&version)).await;
        self.wrote(repository, None);
        deleted.remove(&version).map_or(Ok(()), |deleted| deleted.map(drop))
    }
}
