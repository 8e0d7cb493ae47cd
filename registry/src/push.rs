//! Pushing an image: what it is made of first, the manifest last, and nothing that is there already.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    blobs::Blobs,
    content::{Blob, Image, Manifest},
    error::ErrorKind,
    manifests::Manifests,
    names::{Digest, Repository, Version},
    progress::{How, Progress},
};

/// What a push did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushReport {
    /// The blobs that were sent.
    pub sent: Vec<Digest>,
    /// The blobs that were taken over from another repository of the registry.
    pub mounted: Vec<Digest>,
    /// The blobs that were there.
    pub already_there: Vec<Digest>,
    /// Whether the manifest was there, and with it all that it names.
    pub manifest_already_there: bool,
    /// The bytes of the blobs that were sent.
    pub bytes_sent: u64,
}

/// How many blobs are asked about at once; how many are sent at once is [`Blobs`]' affair.
const LOOKS_AT_ONCE: usize = 32;

pub(crate) async fn push(
    blobs: &Blobs,
    manifests: &Manifests,
    repository: &Repository,
    image: &Image,
    progress: &dyn Progress,
) -> Result<PushReport, ErrorKind> {
    let wanted: BTreeMap<Digest, &Blob> = image.blobs().map(|blob| (blob.descriptor.digest, blob)).collect();
    let version = Version::Digest(image.manifest.digest);
    if manifests.look(repository, &version).await?.is_some() {
        let already_there = wanted.into_keys().collect();
        return Ok(PushReport { already_there, manifest_already_there: true, ..PushReport::default() });
    }
    let mut report = push_blobs(blobs, repository, &wanted, progress).await?;
    match manifests.put(repository, &version, &image.manifest).await {
        // A registry may clean up what no manifest names yet.
        Err(ErrorKind::ContentMissing(_)) => {
            for digest in wanted.keys() {
                blobs.forget(repository, *digest).await;
            }
            report = push_blobs(blobs, repository, &wanted, progress).await?;
            manifests.put(repository, &version, &image.manifest).await?;
        }
        put => put?,
    }
    Ok(report)
}

/// Tells whether the manifest was sent.
pub(crate) async fn push_manifest(
    manifests: &Manifests,
    repository: &Repository,
    manifest: &Manifest,
) -> Result<bool, ErrorKind> {
    let version = Version::Digest(manifest.digest);
    if manifests.look(repository, &version).await?.is_some() {
        return Ok(false);
    }
    manifests.put(repository, &version, manifest).await?;
    Ok(true)
}

async fn push_blobs(
    blobs: &Blobs,
    repository: &Repository,
    wanted: &BTreeMap<Digest, &Blob>,
    progress: &dyn Progress,
) -> Result<PushReport, ErrorKind> {
    let brought: Vec<_> = wanted.values().map(|blob| push_blob(blobs, repository, blob, progress)).collect();
    let mut brought: Vec<_> = stream::iter(brought).buffer_unordered(LOOKS_AT_ONCE).try_collect().await?;
    brought.sort_by_key(|(digest, ..)| *digest);
    let mut report = PushReport::default();
    for (digest, size, how) in brought {
        match how {
            How::Sent => {
                report.sent.push(digest);
                report.bytes_sent += size;
            }
            How::Mounted => report.mounted.push(digest),
            How::AlreadyThere => report.already_there.push(digest),
        }
    }
    Ok(report)
}

async fn push_blob(
    blobs: &Blobs,
    repository: &Repository,
    blob: &Blob,
    progress: &dyn Progress,
) -> Result<(Digest, u64, How), ErrorKind> {
    let how = blobs.ensure(repository, blob, progress).await?;
    Ok((blob.descriptor.digest, blob.descriptor.size, how))
}
