//! What a repository has, for a test to look at.

use std::collections::BTreeMap;

use super::store::Repository;
use crate::ecr::images::digest_of;

/// What a repository has. Digests are written `sha256:…`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// Tag to digest.
    pub tags: BTreeMap<String, String>,
    /// Digest to the manifest's bytes.
    pub manifests: BTreeMap<String, Vec<u8>>,
    /// Digest to size.
    pub blobs: BTreeMap<String, u64>,
}

impl Contents {
    pub(super) fn of(repository: &Repository) -> Self {
        let manifests = repository.manifests.iter();
        Self {
            tags: repository.tags.clone(),
            manifests: manifests
                .map(|(digest, manifest)| (digest.clone(), manifest.bytes.to_vec()))
                .collect(),
            blobs: repository.blobs.iter().map(|(digest, blob)| (digest.clone(), blob.size)).collect(),
        }
    }
}

/// What does not hold in a repository, each as a sentence.
pub(super) fn faults(repository: &Repository) -> Vec<String> {
    let Repository { name, manifests, blobs, tags, .. } = repository;
    let mut faults = Vec::new();
    for (tag, digest) in tags.iter().filter(|(_, digest)| !manifests.contains_key(*digest)) {
        faults.push(format!("{name}:{tag} names {digest}, which is not there"));
    }
    for (digest, manifest) in manifests {
        if digest_of(&manifest.bytes) != *digest {
            faults.push(format!("{name}@{digest} has another digest"));
        }
        for part in manifest.blobs.iter().filter(|part| !blobs.contains_key(*part)) {
            faults.push(format!("{name}@{digest} lacks the blob {part}"));
        }
        for child in manifest.children.iter().filter(|child| !manifests.contains_key(*child)) {
            faults.push(format!("{name}@{digest} lacks the image {child}"));
        }
    }
    faults
}
