//! The images below: found and described, their layers never fetched here.

use std::collections::BTreeMap;

use ecr_registry::{
    Blob, BlobSource, ImageConfig, Manifest, ManifestKind, Platform, Reference, Registry, Version,
    content::{ImageManifest, media_type},
};
use tokio::sync::Mutex;

use crate::build_error::BuildError;

/// What an image is built on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Base {
    pub(crate) config: ImageConfig,
    pub(crate) layers: Vec<Blob>,
}

/// The manifests and indexes that a build has asked for: a tag that moves while images for several platforms are built
/// is one image to all of them.
#[derive(Default)]
pub(crate) struct Bases(Mutex<BTreeMap<Reference, Manifest>>);

impl Base {
    /// Nothing at all.
    pub(crate) fn scratch(platform: &Platform) -> Self {
        let config = ImageConfig {
            os: platform.os.clone(),
            architecture: platform.architecture.clone(),
            variant: platform.variant.clone(),
            ..ImageConfig::default()
        };
        Self { config, layers: Vec::new() }
    }
}

impl Bases {
    /// Asks the registry. The layers stay where they are and are mounted or copied from there.
    pub(crate) async fn find(
        &self,
        reference: &Reference,
        platform: &Platform,
        registry: &Registry,
    ) -> Result<Base, BuildError> {
        let lookup = Lookup { reference, platform, registry };
        let image = match self.manifest(&lookup).await?.kind {
            ManifestKind::Image(image) => image,
            ManifestKind::Index(index) => {
                let matching = |found: &Option<Platform>| found.as_ref().is_some_and(|p| platform.matches(p));
                let child = index.manifests.iter().find(|child| matching(&child.platform));
                let real = |found: &Platform| found.os != "unknown";
                let there = index.manifests.iter().filter_map(|child| child.platform.clone()).filter(real);
                let child = child.ok_or_else(|| lookup.wrong_platform(there.collect()))?;
                match lookup.manifest(&Version::Digest(child.digest)).await?.kind {
                    ManifestKind::Image(image) => image,
                    ManifestKind::Index(_) => return Err(lookup.wrong_platform(Vec::new())),
                }
            }
        };
        lookup.describe(image).await
    }

    async fn manifest(&self, lookup: &Lookup<'_>) -> Result<Manifest, BuildError> {
        let mut known = self.0.lock().await;
        if let Some(manifest) = known.get(lookup.reference) {
            return Ok(manifest.clone());
        }
        let manifest = lookup.manifest(&lookup.reference.version()).await?;
        known.insert(lookup.reference.clone(), manifest.clone());
        Ok(manifest)
    }
}
struct Lookup<'a> {
    reference: &'a Reference,
    platform: &'a Platform,
    registry: &'a Registry,
}

impl Lookup<'_> {
    async fn manifest(&self, version: &Version) -> Result<Manifest, BuildError> {
        let found = self.registry.manifest(&self.reference.repository, version).await;
        let found = found.map_err(|source| self.unavailable(source))?;
        found.ok_or_else(|| BuildError::BaseMissing { base: Box::new(self.reference.clone()) })
    }

    async fn describe(&self, image: ImageManifest) -> Result<Base, BuildError> {
        let repository = &self.reference.repository;
        let raw = self.registry.small_blob(repository, &image.config).await;
        let raw = raw.map_err(|source| self.unavailable(source))?;
        let config: ImageConfig = serde_json::from_slice(&raw)
            .map_err(|source| BuildError::BaseConfig { base: Box::new(self.reference.clone()), source })?;
        if !self.platform.matches(&config.platform()) {
            return Err(self.wrong_platform(vec![config.platform()]));
        }
        let layers = image.layers.into_iter().map(|mut descriptor| {
            // The same bytes under OCI's name: the new manifest is an OCI one.
            if descriptor.media_type == media_type::DOCKER_LAYER_GZIP {
                media_type::OCI_LAYER_GZIP.clone_into(&mut descriptor.media_type);
            }
            Blob { descriptor, source: BlobSource::Registry(repository.clone()) }
        });
        Ok(Base { config, layers: layers.collect() })
    }

    fn unavailable(&self, source: ecr_registry::Error) -> BuildError {
        BuildError::BaseUnavailable { base: Box::new(self.reference.clone()), source }
    }

    fn wrong_platform(&self, found: Vec<Platform>) -> BuildError {
        let (base, wanted) = (Box::new(self.reference.clone()), self.platform.clone());
        BuildError::BasePlatform { base, wanted, found }
    }
}

#[cfg(test)]
pub(super) mod tests;
