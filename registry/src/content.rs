//! What a registry stores: descriptors, manifests, indexes, image configurations, blobs.
//!
//! Maps are sorted and fields written in one order, so equal values give equal bytes and equal digests. What was
//! read keeps its raw bytes beside the parsed form: nothing is ever serialised anew to be sent on. Images on disk are
//! read and written in the OCI layout ([`Layout`]) and as `docker save` does ([`DockerArchive`]). Nothing here knows
//! a network.

mod config;
mod descriptor;
mod docker_archive;
mod image;
mod layout;
mod local;
mod local_error;
mod manifest;
pub mod media_type;
mod tar_index;
mod tree;

pub use config::{History, ImageConfig, RootFs, RunConfig};
pub use descriptor::Descriptor;
pub use docker_archive::{DockerArchive, write_docker_archive};
pub use image::{Blob, BlobSource, Image};
pub use layout::Layout;
pub(crate) use local::hash_file;
pub use local_error::{LocalError, LocalProblem};
pub use manifest::{ImageIndex, ImageManifest, Manifest, ManifestError, ManifestKind};
pub(crate) use tree::{Grower, MAX_MANIFESTS, Selected};
pub use tree::{Tree, Wanted};

/// Go writes an empty list or map as `null`.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + serde::Deserialize<'de>,
{
    Ok(<Option<T> as serde::Deserialize>::deserialize(deserializer)?.unwrap_or_default())
}
