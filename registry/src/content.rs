//! What a registry stores: descriptors, manifests, indexes, image configurations, blobs.
//!
//! Maps are sorted and fields written in one order, so equal values give equal bytes and equal digests. What was
//! read keeps its raw bytes beside the parsed form: nothing is ever serialised anew to be sent on. Nothing here
//! knows a network.

mod config;
mod descriptor;
mod image;
mod manifest;
pub mod media_type;

pub use config::{History, ImageConfig, RootFs, RunConfig};
pub use descriptor::Descriptor;
pub use image::{Blob, BlobSource, Image};
pub use manifest::{ImageIndex, ImageManifest, Manifest, ManifestError, ManifestKind};
