//! Why an image could not be built.

use std::io;

use ecr_registry::{Platform, Reference};

use crate::error::ContextError;

/// An image that could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Something is wrong with the files it is made from.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// More platforms than one, or none.
    #[error("cannot build for {} platforms at once", .0.len())]
    Platforms(Vec<Platform>),
    /// The registry has no such base image.
    #[error("base image `{base}` does not exist")]
    BaseMissing {
        /// The base image.
        base: Reference,
    },
    /// The registry of the base image did not say what it is.
    #[error("cannot look up base image `{base}`")]
    BaseUnavailable {
        /// The base image.
        base: Reference,
        /// What came in the way.
        source: ecr_registry::Error,
    },
    /// The base image is not for the platform that is built for.
    #[error("base image `{base}` is not for {wanted}")]
    BasePlatform {
        /// The base image.
        base: Reference,
        /// The platform that is built for.
        wanted: Platform,
        /// What it is for.
        found: Vec<Platform>,
    },
    /// The base image's configuration is not one.
    #[error("cannot use the configuration of base image `{base}`")]
    BaseConfig {
        /// The base image.
        base: Reference,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// No room, or no permission, for what is being built.
    #[error("cannot write to the folder for temporary files")]
    Scratch(#[source] io::Error),
    /// Dockerfiles need BuildKit.
    #[error("no builder for Dockerfiles is at hand")]
    NoBuilder,
    /// The build was called off.
    #[error("the build was cancelled")]
    Cancelled,
}

impl BuildError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Context(error) => error.hint(),
            Self::Platforms(_) => Some("name one platform in `platforms`".into()),
            Self::BaseMissing { .. } => Some("check its name and tag; `base` may also be left out".into()),
            Self::BaseUnavailable { source, .. } => source.hint(),
            Self::BasePlatform { found, .. } if found.is_empty() => None,
            Self::BasePlatform { found, .. } => {
                let found: Vec<String> = found.iter().map(ToString::to_string).collect();
                Some(format!("it is for {}", found.join(", ")))
            }
            Self::Scratch(_) => Some("check the space in TMPDIR, or set it to another folder".into()),
            Self::BaseConfig { .. } | Self::NoBuilder | Self::Cancelled => None,
        }
    }

    /// Whether the same may work a little later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::BaseUnavailable { source, .. } if source.is_transient())
    }
}
