//! Pushing an image: what it is made of first, the manifest last, and nothing that is there already.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    blobs::Blobs,
    content::{Blob, Image, Manifest, Tree},
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

impl PushReport {
    /// What two pushes did together.
    pub(crate) fn add(&mut self, other: Self) {
        self.sent.extend(other.sent);
        self.mounted.extend(other.mounted);
        self.already_there.extend(other.already_there);
        self.manifest_already_there &= other.manifest_already_there;
        self.bytes_sent += other.bytes_sent;
        for list in [&mut self.sent, &mut self.mounted, &mut self.already_there] {
            list.sort_unstable();
            list.dedup();
        }
        // What was brought for one is there for the next.
        let brought = |digest: &Digest| {
            self.sent.binary_search(digest).is_ok() || self.mounted.binary_search(digest).is_ok()
        };
        self.already_there.retain(|digest| !brought(digest));
    }
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
    let version = Version::Digest(image.manifest.digest);
    if manifests.look(repository, &version).await?.is_some() {
        let already_there = wanted(image).into_keys().collect();
        return Ok(PushReport { already_there, manifest_already_there: true, ..PushReport::default() });
    }
    push_missing(blobs, manifests, repository, image, progress).await
}

fn wanted(image: &Image) -> BTreeMap<Digest, &Blob> {
    image.blobs().map(|blob| (blob.descriptor.digest, blob)).collect()
}

/// For an image that is known not to be there.
async fn push_missing(
    blobs: &Blobs,
    manifests: &Manifests,
    repository: &Repository,
    image: &Image,
    progress: &dyn Progress,
) -> Result<PushReport, ErrorKind> {
    let (wanted, version) = (wanted(image), Version::Digest(image.manifest.digest));
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

const IMAGES_AT_ONCE: usize = 8;

/// The root is sent `by_digest`, or left to the caller, who sends it under a tag.
pub(crate) async fn push_tree(
    blobs: &Blobs,
    manifests: &Manifests,
    repository: &Repository,
    tree: &Tree,
    by_digest: bool,
    progress: &dyn Progress,
) -> Result<PushReport, ErrorKind> {
    let mut report = PushReport::default();
    let is_root = |manifest: &Manifest| manifest.digest == tree.root.digest;
    if manifests.look(repository, &Version::Digest(tree.root.digest)).await?.is_some() {
        let there = tree.images.iter().flat_map(Image::blobs).map(|blob| blob.descriptor.digest).collect();
        report.add(PushReport { already_there: there, ..PushReport::default() });
        return Ok(PushReport { manifest_already_there: true, ..report });
    }
    let images = tree.images.iter().map(|image| async move {
        let wanted = wanted(image);
        match is_root(&image.manifest) {
            true if by_digest => push_missing(blobs, manifests, repository, image, progress).await,
            true => push_blobs(blobs, repository, &wanted, progress).await,
            false => push(blobs, manifests, repository, image, progress).await,
        }
    });
    let images: Vec<_> = images.collect();
    let mut images = stream::iter(images).buffer_unordered(IMAGES_AT_ONCE);
    while let Some(pushed) = images.try_next().await? {
        report.add(pushed);
    }
    for index in tree.indexes.iter().filter(|index| by_digest || !is_root(index)) {
        manifests.put(repository, &Version::Digest(index.digest), index).await?;
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
