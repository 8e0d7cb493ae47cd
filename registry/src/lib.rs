//! Names, digests, credentials, push and pull for Amazon ECR and OCI registries.
//!
//! [`Registry`] is the way in: it looks up, reads, pushes and tags images in any registry, finds the credentials
//! by the host, retries what can be retried and never sends what is already there. [`names`] are parsed once, at
//! the edge; [`content`] is what a registry stores. This library knows neither Terraform nor Helm, nor how an
//! image is built.

mod access;
mod blobs;
pub mod content;
mod copy;
mod download;
mod ecr;
mod endpoints;
mod error;
mod flights;
mod manifests;
pub mod names;
mod progress;
mod push;
mod referrers;
mod registry;
mod secret;
mod settings;
mod transport;

pub use content::{
    Blob, BlobSource, Descriptor, DockerArchive, Image, ImageConfig, Layout, LocalError, Manifest,
    ManifestKind, Tree, Wanted,
};
pub use copy::{CopyOptions, CopyReport};
pub use endpoints::{ENDPOINTS_VARIABLE, EndpointError, Endpoints};
pub use error::{Action, Cause, Denied, Error, ErrorKind, Outcome, Trouble};
pub use names::{Digest, EcrHost, Host, NameError, Platform, Reference, Repository, Tag, Version};
pub use progress::{Event, How, Progress};
pub use push::PushReport;
pub use registry::{Registry, TagOutcome};
pub use secret::Secret;
pub use settings::{Login, Patience, Settings, containers_auth_paths, docker_config_path};
