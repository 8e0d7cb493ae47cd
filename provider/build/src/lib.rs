//! Turns a folder into a container image: natively, or by BuildKit.
//!
//! Look, decide, act: [`observe`] reads the files a [`Recipe`] names, [`source_hash`] makes one value of
//! both, and [`build`] makes the image. Nothing here knows Terraform, and nothing here pushes.

mod archive;
mod build;
mod build_error;
mod buildkit;
mod compress;
mod content;
mod context;
mod destination;
mod docker;
pub mod dockerfile;
mod error;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod hash;
pub mod ignore;
mod native;
mod parallel;
mod recipe;
mod selection;
mod sources;
mod stat_cache;
mod terraform_files;
mod tree;
mod walk;
mod warning;

pub use build::{Built, Progress, Tools, build};
pub use build_error::{BuildError, StepFailure};
pub use destination::DestinationError;
pub use docker::{ArchiveError, Builder, DockerError, NoDocker};
pub use error::{ContextError, Role};
pub use hash::{Format, SourceHash, SourceHashError, source_hash};
pub use ignore::PatternError;
pub use recipe::{Compression, DockerfileRecipe, FilesRecipe, How, LayerSource, Recipe, UnknownCompression};
pub use sources::{Sources, observe};
pub use stat_cache::Cache;
pub use warning::Warning;
