//! Looks at images in a registry. Writes nothing.

use std::collections::BTreeMap;

use ecr_registry::{
    Digest, Error, ImageConfig, Manifest, ManifestKind, Platform, Registry, Repository, Tag, Version,
};

use super::memory::Content;

/// An image in a registry.
pub(crate) struct Found {
    pub(crate) manifest: Manifest,
    pub(crate) content: Content,
    /// The configuration, of an image for a single platform.
    pub(crate) config: Option<ImageConfig>,
}

/// What a tag or digest is.
pub(crate) async fn find(
    registry: &Registry,
    repository: &Repository,
    version: &Version,
) -> Result<Option<Found>, Error> {
    let Some(manifest) = registry.manifest(repository, version).await? else { return Ok(None) };
    let (platforms, size, config) = match &manifest.kind {
        ManifestKind::Image(image) => {
            let config = registry.small_blob(repository, &image.config).await?;
            // Not every artifact has a configuration of an image.
            let config: Option<ImageConfig> = serde_json::from_slice(&config).ok();
            let platform = config.as_ref().map(|config| (config.platform().to_string(), manifest.digest));
            (platform.into_iter().collect(), size_of(&manifest), config)
        }
        ManifestKind::Index(_) => {
            let (platforms, size) = index(registry, repository, &manifest).await?;
            (platforms, size, None)
        }
    };
    let content = Content { digest: manifest.digest, platform_digests: platforms, size_bytes: size };
    Ok(Some(Found { manifest, content, config }))
}

/// The image that carries a source tag, if it is one for these platforms: a tag can be put on anything.
pub(super) async fn by_source_tag(
    registry: &Registry,
    repository: &Repository,
    tag: &Tag,
    platforms: &[Platform],
) -> Result<Option<Found>, Error> {
    let found = find(registry, repository, &Version::Tag(tag.clone())).await?;
    Ok(found.filter(|found| found.content.is_for(platforms)))
}

/// The same for a plan, which asks for many images at once and is no worse for an answer of some seconds ago.
pub(super) async fn planned(
    registry: &Registry,
    repository: &Repository,
    tag: &Tag,
    platforms: &[Platform],
) -> Result<Option<Content>, Error> {
    let tags = [Version::Tag(tag.clone())];
    if registry.digests(repository, &tags).await?.into_iter().flatten().next().is_none() {
        return Ok(None);
    }
    Ok(by_source_tag(registry, repository, tag, platforms).await?.map(|found| found.content))
}

async fn index(
    registry: &Registry,
    repository: &Repository,
    manifest: &Manifest,
) -> Result<(BTreeMap<String, Digest>, u64), Error> {
    let ManifestKind::Index(index) = &manifest.kind else { return Ok((BTreeMap::new(), 0)) };
    let mut platforms = BTreeMap::new();
    let mut size = manifest.raw.len() as u64;
    for child in &index.manifests {
        // Attestations are listed with the platform unknown/unknown.
        if let Some(platform) = child.platform.as_ref().filter(|platform| platform.os != "unknown") {
            platforms.insert(platform.to_string(), child.digest);
        }
        let image = registry.manifest(repository, &Version::Digest(child.digest)).await?;
        size += image.as_ref().map_or(child.size, size_of);
    }
    Ok((platforms, size))
}

fn size_of(manifest: &Manifest) -> u64 {
    let blobs = match &manifest.kind {
        ManifestKind::Image(image) => {
            image.config.size + image.layers.iter().map(|layer| layer.size).sum::<u64>()
        }
        ManifestKind::Index(_) => 0,
    };
    manifest.raw.len() as u64 + blobs
}
