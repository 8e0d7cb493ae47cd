//! What is looked at before an image is pushed: whether a registry, and what runs it, will take it.

use ecr_registry::{
    ImageConfig, ManifestKind, Tree,
    content::media_type::{DOCKER_LAYER_GZIP, DOCKER_MANIFEST, OCI_LAYER_GZIP, OCI_MANIFEST},
};

use crate::{build_error::BuildError, warning::Warning};

/// What an image is to run on, where that takes less than others do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// AWS Lambda.
    Lambda,
}

/// The longest layer that ECR takes, in bytes.
const LONGEST_LAYER: u64 = 52_000 * 1024 * 1024;
/// The largest manifest that registries take, in bytes.
const LARGEST_MANIFEST: usize = 4 * 1024 * 1024;
/// The most layers that container runtimes stack.
const MOST_LAYERS: usize = 127;
/// What Lambda takes, in bytes, unpacked; so nothing that is larger packed.
const LARGEST_ON_LAMBDA: u64 = 10 * 1024 * 1024 * 1024;

/// An image that would not be taken, or not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// A layer is longer than ECR takes.
    #[error("layer {layer} has {size} bytes, and ECR takes {LONGEST_LAYER}")]
    Layer {
        /// Its place, counted from 1.
        layer: usize,
        /// In bytes.
        size: u64,
    },
    /// More layers than runtimes stack.
    #[error("the image has {0} layers, and container runtimes stack {MOST_LAYERS}")]
    Layers(usize),
    /// A manifest that no registry takes.
    #[error("the manifest has {0} bytes, and registries take {LARGEST_MANIFEST}")]
    Manifest(usize),
    /// Several platforms, of which Lambda would have to choose.
    #[error("Lambda runs single images, and this is an index of {0}")]
    IndexOnLambda(usize),
    /// A layer or manifest in a form that Lambda does not know.
    #[error("Lambda does not take `{0}`")]
    TypeOnLambda(String),
    /// More than Lambda takes.
    #[error("the image has {0} bytes, and Lambda takes {LARGEST_ON_LAMBDA}")]
    SizeOnLambda(u64),
}

impl CheckError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Layer { .. } | Self::SizeOnLambda(_) => {
                "leave files out of the image, or fetch them when it starts".to_owned()
            }
            Self::Layers(_) | Self::Manifest(_) => "copy more files in one step".to_owned(),
            Self::IndexOnLambda(_) => "name one platform in `platforms`".to_owned(),
            Self::TypeOnLambda(kind) if kind.ends_with("zstd") => "set `compression = \"gzip\"`".to_owned(),
            Self::TypeOnLambda(_) => "copy the image once with layers compressed by gzip".to_owned(),
        })
    }
}

/// Checks what is about to be pushed. `configs` are the configurations of its images.
///
/// # Errors
/// What would be refused by the registry, or by what runs it.
pub fn check(
    tree: &Tree,
    configs: &[ImageConfig],
    runtime: Option<Runtime>,
) -> Result<Vec<Warning>, CheckError> {
    for manifest in tree.images.iter().map(|image| &image.manifest).chain(&tree.indexes) {
        if manifest.raw.len() > LARGEST_MANIFEST {
            return Err(CheckError::Manifest(manifest.raw.len()));
        }
    }
    for image in &tree.images {
        if image.layers.len() > MOST_LAYERS {
            return Err(CheckError::Layers(image.layers.len()));
        }
        let sizes = image.layers.iter().map(|layer| layer.descriptor.size);
        if let Some((index, size)) = sizes.enumerate().find(|(_, size)| *size > LONGEST_LAYER) {
            return Err(CheckError::Layer { layer: index + 1, size });
        }
    }
    match runtime {
        Some(Runtime::Lambda) => check_for_lambda(tree)?,
        None => {}
    }
    let starts = |config: &&ImageConfig| {
        let given = |words: &Option<Vec<String>>| words.as_ref().is_some_and(|words| !words.is_empty());
        given(&config.config.entrypoint) || given(&config.config.cmd)
    };
    let missing = configs.iter().find(|config| !starts(config));
    Ok(missing.map(|_| Warning::NothingToRun).into_iter().collect())
}

fn check_for_lambda(tree: &Tree) -> Result<(), CheckError> {
    if matches!(tree.root.kind, ManifestKind::Index(_)) {
        return Err(CheckError::IndexOnLambda(tree.images.len()));
    }
    let layers = tree.images.iter().flat_map(|image| &image.layers).map(|layer| &layer.descriptor.media_type);
    let taken = [DOCKER_LAYER_GZIP, OCI_LAYER_GZIP, DOCKER_MANIFEST, OCI_MANIFEST];
    let mut kinds = layers.chain([&tree.root.media_type]);
    if let Some(kind) = kinds.find(|kind| !taken.contains(&kind.as_str())) {
        return Err(CheckError::TypeOnLambda(kind.clone()));
    }
    if tree.size() > LARGEST_ON_LAMBDA {
        return Err(CheckError::SizeOnLambda(tree.size()));
    }
    Ok(())
}

impl crate::Built {
    /// Checks it before it is pushed: see [`check`]. That it is for the platforms asked for was seen when it was built.
    ///
    /// # Errors
    /// As [`check`].
    pub fn check(&self, runtime: Option<Runtime>) -> Result<Vec<Warning>, CheckError> {
        check(self.tree(), &self.configs(), runtime)
    }

    fn configs(&self) -> Vec<ImageConfig> {
        let images = self.tree().images.iter();
        images.filter_map(read).collect()
    }

    /// Whether each image is for the platform it was built for.
    pub(crate) fn is_for(&self, platform: &ecr_registry::Platform) -> Result<(), BuildError> {
        match self.configs().first().map(ImageConfig::platform) {
            Some(found) if !platform.matches(&found) => {
                Err(BuildError::OtherPlatform { wanted: Box::new(platform.clone()), found: Box::new(found) })
            }
            _ => Ok(()),
        }
    }
}

fn read(image: &ecr_registry::Image) -> Option<ImageConfig> {
    match &image.config.source {
        ecr_registry::BlobSource::Bytes(bytes) => serde_json::from_slice(bytes).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ecr_registry::{
        Blob, BlobSource, Descriptor, Digest, Image, Manifest,
        content::{
            ImageManifest,
            media_type::{OCI_CONFIG, OCI_LAYER_ZSTD},
        },
    };

    use super::*;

    fn image(kind: &str, sizes: &[u64]) -> Tree {
        let config = Blob::of_bytes(OCI_CONFIG, bytes::Bytes::from_static(b"{}"));
        let layers: Vec<Blob> = sizes
            .iter()
            .map(|size| Blob {
                descriptor: Descriptor::new(kind, Digest::of(&size.to_be_bytes()), *size),
                source: BlobSource::Bytes(bytes::Bytes::new()),
            })
            .collect();
        let descriptors = layers.iter().map(|layer| layer.descriptor.clone()).collect();
        let manifest = ImageManifest::oci(config.descriptor.clone(), descriptors, BTreeMap::new());
        Image { manifest: Manifest::of_image(manifest), config, layers }.into()
    }

    fn index() -> Tree {
        let mut tree = image(OCI_LAYER_GZIP, &[1]);
        tree.root = Manifest::of_index(vec![tree.root.descriptor()], BTreeMap::new());
        tree.indexes.push(tree.root.clone());
        tree
    }

    #[test]
    fn checks_what_registries_and_lambda_take() {
        let lambda = Some(Runtime::Lambda);
        let check = |tree: Tree, runtime, expected: &str| {
            let found = match super::check(&tree, &[], runtime) {
                Ok(_) => String::new(),
                Err(error) => format!("{error}; {}", error.hint().unwrap_or_default()),
            };
            assert_eq!(found, expected);
        };
        check(image(OCI_LAYER_GZIP, &[1, 2]), lambda, "");
        check(image(OCI_LAYER_ZSTD, &[1]), None, "");
        check(index(), None, "");
        check(
            image(OCI_LAYER_ZSTD, &[1]),
            lambda,
            "Lambda does not take `application/vnd.oci.image.layer.v1.tar+zstd`; set `compression = \"gzip\"`",
        );
        check(
            index(),
            lambda,
            "Lambda runs single images, and this is an index of 1; name one platform in `platforms`",
        );
        check(
            image(OCI_LAYER_GZIP, &[1, LONGEST_LAYER + 1]),
            None,
            "layer 2 has 54525952001 bytes, and ECR takes 54525952000; leave files out of the image, or fetch them when it starts",
        );
        check(
            image(OCI_LAYER_GZIP, &[1; 128]),
            None,
            "the image has 128 layers, and container runtimes stack 127; copy more files in one step",
        );
        let large = super::check(&image(OCI_LAYER_GZIP, &[6 << 30, 5 << 30]), &[], lambda);
        assert!(matches!(large, Err(CheckError::SizeOnLambda(_))), "{large:?}");
    }

    #[test]
    fn warns_of_an_image_that_starts_nothing() {
        let mut config = ImageConfig::default();
        let warnings = |config: &ImageConfig| {
            check(&image(OCI_LAYER_GZIP, &[1]), std::slice::from_ref(config), None).unwrap()
        };
        assert_eq!(warnings(&config), [Warning::NothingToRun]);
        config.config.cmd = Some(vec!["/app".to_owned()]);
        assert!(warnings(&config).is_empty());
    }
}
