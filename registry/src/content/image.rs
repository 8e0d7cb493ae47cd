use std::path::PathBuf;

use bytes::Bytes;

use super::{Descriptor, ImageManifest, Manifest, media_type};
use crate::names::Repository;

/// Where the bytes of a blob come from. Every attempt to send it reads them anew from the start.
#[derive(Debug, Clone)]
pub enum BlobSource {
    /// Bytes in memory.
    Bytes(Bytes),
    /// A file; it must stay as it is until the blob is sent.
    File(PathBuf),
    /// A part of a file, such as an archive; its length is that of the blob.
    Part {
        /// The file; it must stay as it is until the blob is sent.
        file: PathBuf,
        /// Where the blob begins, in bytes.
        offset: u64,
    },
    /// A repository that has the blob: mounted from there in the same registry, else copied.
    Registry(Repository),
}

/// A configuration or layer, and where its bytes come from.
#[derive(Debug, Clone)]
pub struct Blob {
    /// What the bytes are.
    pub descriptor: Descriptor,
    /// Where they come from.
    pub source: BlobSource,
}

impl Blob {
    /// A blob in memory.
    pub fn of_bytes(media_type: &str, bytes: Bytes) -> Self {
        Self { descriptor: Descriptor::of(media_type, &bytes), source: BlobSource::Bytes(bytes) }
    }
}

/// An image for one platform, ready to be pushed.
#[derive(Debug, Clone)]
pub struct Image {
    /// Names the configuration and the layers.
    pub manifest: Manifest,
    /// The configuration.
    pub config: Blob,
    /// The layers, the lowest first.
    pub layers: Vec<Blob>,
}

impl Image {
    /// The image of a manifest, its blobs to be found where `source` says. Layers that only their makers may hand
    /// out are left out.
    pub(crate) fn of<E>(
        manifest: &Manifest,
        parsed: &ImageManifest,
        source: impl Fn(&Descriptor) -> Result<BlobSource, E>,
    ) -> Result<Self, E> {
        let blob = |descriptor: &Descriptor| {
            Ok(Blob { descriptor: descriptor.clone(), source: source(descriptor)? })
        };
        let layers = parsed.layers.iter().filter(|layer| !media_type::is_foreign(&layer.media_type));
        let (config, layers) = (blob(&parsed.config)?, layers.map(blob).collect::<Result<_, E>>()?);
        Ok(Self { manifest: manifest.clone(), config, layers })
    }

    /// What the image takes in a registry, in bytes: manifest, configuration and layers.
    pub fn size(&self) -> u64 {
        let blobs: u64 = self.blobs().map(|blob| blob.descriptor.size).sum();
        self.manifest.raw.len() as u64 + blobs
    }

    /// The layers and the configuration.
    pub fn blobs(&self) -> impl Iterator<Item = &Blob> {
        self.layers.iter().chain([&self.config])
    }
}
