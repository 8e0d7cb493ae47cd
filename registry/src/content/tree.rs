use std::collections::BTreeSet;

use serde_json::Value;

use super::{Descriptor, Image, ImageIndex, LocalProblem, Manifest, ManifestError, ManifestKind};
use crate::names::{Digest, Platform};

/// An image, or an index with all that it names, in the order in which a registry takes it.
#[derive(Debug, Clone)]
pub struct Tree {
    /// What it is all about: the last of [`Self::indexes`], or the only image.
    pub root: Manifest,
    /// The images, and what else has layers, such as signatures.
    pub images: Vec<Image>,
    /// The indexes, each after those that it names.
    pub indexes: Vec<Manifest>,
}

/// Which platforms of an index are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Wanted {
    /// All that is there, and the index as it is.
    #[default]
    All,
    /// An index of these alone, in the order of the original. It has a digest of its own.
    Only(Vec<Platform>),
    /// The image for this platform, without an index.
    One(Platform),
}

impl From<Image> for Tree {
    fn from(image: Image) -> Self {
        Self { root: image.manifest.clone(), images: vec![image], indexes: Vec::new() }
    }
}

impl Tree {
    /// Everything in it takes these bytes in a registry, what several images share counted once.
    pub fn size(&self) -> u64 {
        let mut seen = BTreeSet::new();
        let blobs = self.images.iter().flat_map(Image::blobs).map(|blob| &blob.descriptor);
        let blobs: u64 = blobs.filter(|blob| seen.insert(blob.digest)).map(|blob| blob.size).sum();
        let images = self.images.iter().map(|image| &image.manifest);
        blobs + images.chain(&self.indexes).map(|manifest| manifest.raw.len() as u64).sum::<u64>()
    }

    /// The digest of each image that is for a platform.
    pub fn platforms(&self) -> Vec<(Platform, Digest)> {
        let indexes = self.indexes.iter().filter_map(|index| match &index.kind {
            ManifestKind::Index(index) => Some(index),
            ManifestKind::Image(_) => None,
        });
        let named = indexes.flat_map(|index| &index.manifests);
        named.filter_map(|child| Some((child.platform.clone()?, child.digest))).collect()
    }
}

/// How deep indexes may be in one another; nobody writes more than two.
pub(crate) const MAX_DEPTH: usize = 4;
/// How many manifests one tree may have.
pub(crate) const MAX_MANIFESTS: usize = 4096;

/// What an index says about a manifest that is about another one, such as its provenance.
const ABOUT: &str = "vnd.docker.reference.digest";

impl Wanted {
    /// The index of what is wanted. One that has it all stays as it is, byte for byte.
    ///
    /// # Errors
    /// [`ManifestError::Platform`] when a wanted platform is not there.
    pub(crate) fn of(&self, manifest: &Manifest, index: &ImageIndex) -> Result<Selected, ManifestError> {
        let missing = |platform: &Platform| ManifestError::Platform {
            wanted: Box::new(platform.clone()),
            there: index.manifests.iter().filter_map(|child| child.platform.clone()).collect(),
        };
        let find = |platform: &Platform| {
            let is_it =
                |child: &&Descriptor| child.platform.as_ref().is_some_and(|there| suits(there, platform));
            index.manifests.iter().find(is_it).ok_or_else(|| missing(platform))
        };
        match self {
            Self::All => Ok(Selected::Index(Box::new(manifest.clone()))),
            Self::One(platform) => find(platform).cloned().map(Selected::Child),
            Self::Only(platforms) => {
                let found: Result<Vec<&Descriptor>, _> = platforms.iter().map(find).collect();
                let mut kept: BTreeSet<Digest> = found?.iter().map(|child| child.digest).collect();
                let about = |child: &&Descriptor| {
                    let digest = child.annotations.get(ABOUT).and_then(|digest| digest.parse().ok());
                    digest.is_some_and(|digest| kept.contains(&digest))
                };
                let about: Vec<Digest> =
                    index.manifests.iter().filter(about).map(|child| child.digest).collect();
                kept.extend(about);
                without_others(manifest, index, &kept).map(|index| Selected::Index(Box::new(index)))
            }
        }
    }
}

/// What is left of an index.
pub(crate) enum Selected {
    Index(Box<Manifest>),
    Child(Descriptor),
}

/// `linux/arm64` is also what says `linux/arm64/v8`, but not the other way round.
fn suits(there: &Platform, wanted: &Platform) -> bool {
    let variant_fits = wanted.variant.is_none() || wanted.variant == there.variant;
    (&there.os, &there.architecture) == (&wanted.os, &wanted.architecture) && variant_fits
}

/// Drops manifests from an index and keeps every other field of it, known or not.
fn without_others(
    manifest: &Manifest,
    index: &ImageIndex,
    kept: &BTreeSet<Digest>,
) -> Result<Manifest, ManifestError> {
    if index.manifests.iter().all(|child| kept.contains(&child.digest)) {
        return Ok(manifest.clone());
    }
    let json = |error| ManifestError::Json(std::sync::Arc::new(error));
    let mut value: Value = serde_json::from_slice(&manifest.raw).map_err(json)?;
    if let Some(Value::Array(children)) = value.get_mut("manifests") {
        let mut keep = index.manifests.iter().map(|child| kept.contains(&child.digest));
        children.retain(|_| keep.next().unwrap_or(false));
    }
    Manifest::parse(&manifest.media_type, serde_json::to_vec(&value).map_err(json)?.into())
}

/// Puts a tree together from manifests that are read one after the other.
#[derive(Default)]
pub(crate) struct Grower {
    images: Vec<Image>,
    indexes: Vec<Manifest>,
    seen: BTreeSet<Digest>,
}

impl Grower {
    /// Notes that a manifest is to be read. Tells whether it is new.
    pub(crate) fn is_new(&mut self, child: &Descriptor, depth: usize) -> Result<bool, ManifestError> {
        if depth > MAX_DEPTH || self.seen.len() >= MAX_MANIFESTS {
            return Err(ManifestError::TooMany);
        }
        Ok(self.seen.insert(child.digest))
    }

    pub(crate) fn image(&mut self, image: Image) {
        self.images.push(image);
    }

    /// After all that the index names.
    pub(crate) fn index(&mut self, index: Manifest) {
        self.indexes.push(index);
    }

    pub(crate) fn done(self, root: Manifest) -> Tree {
        Tree { root, images: self.images, indexes: self.indexes }
    }
}

impl LocalProblem {
    pub(super) fn manifest(digest: Digest, cause: ManifestError) -> Self {
        Self::Manifest { digest, cause }
    }
}
