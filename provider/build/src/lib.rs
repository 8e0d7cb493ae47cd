//! Turns a folder into a container image: natively, or by BuildKit.
//!
//! Look, decide, act: [`observe`] reads the files a [`Recipe`] names, [`source_hash`] makes one value of
//! both, and [`build`] makes the image. Nothing here knows Terraform; what is sent, and when, is `ecr_registry`'s affair.

mod archive;
mod build;
mod build_error;
mod builder;
mod buildkit;
mod check;
mod compress;
mod connect;
mod content;
mod context;
mod destination;
mod docker;
pub mod dockerfile;
mod endpoint;
mod error;
mod existing;
mod fleet;
mod flights;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod hash;
pub mod ignore;
mod named;
mod native;
mod options;
mod parallel;
mod recipe;
mod resolve;
mod selection;
mod sockets;
mod sources;
mod stat_cache;
mod terraform_files;
mod tree;
mod walk;
mod warning;

pub use build::{Built, Progress, Tools, build};
pub use build_error::{BuildError, StepFailure};
pub use builder::{Builder, BuilderSettings};
pub use check::{CheckError, Runtime, check};
pub use connect::ConnectError;
pub use destination::DestinationError;
pub use docker::{ArchiveError, DockerError, NoDocker};
pub use endpoint::{Address, AddressError, ClientTls, Endpoint};
pub use error::{ContextError, Role};
pub use existing::{Existing, ExistingError};
pub use fleet::NoBuilder;
pub use hash::{Format, SourceHash, SourceHashError, source_hash};
pub use ignore::PatternError;
pub use options::{
    Attestations, BuildCache, BuildOptions, CacheMode, Engine, LocalImages, NamedContext, Network, NoContext,
    Provenance, RegistryCache, UnknownCacheMode, UnknownEngine, UnknownNetwork, UnknownProvenance,
};
pub use recipe::{Compression, DockerfileRecipe, FilesRecipe, How, LayerSource, Recipe, UnknownCompression};
pub use resolve::{ResolveError, base_images, resolve};
pub use sockets::Sockets;
pub use sources::{Sources, observe};
pub use stat_cache::Cache;
pub use warning::Warning;
