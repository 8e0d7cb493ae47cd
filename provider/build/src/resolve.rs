//! Finds out what the names in a recipe stand for now: base images that are followed, an image of Docker's daemon.
//!
//! It reads, and asks registries and Docker's daemon; nothing is built and nothing written.

use std::collections::BTreeMap;

use ecr_registry::{Digest, NameError, Outcome, Reference, Registry};
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    builder::Builder,
    dockerfile::reach::Inputs,
    existing::ExistingError,
    recipe::{DockerfileRecipe, How, Recipe},
    sources::Sources,
};

/// How many images are asked for at once.
const AT_ONCE: usize = 8;

/// A name that cannot be resolved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The name of a base image is none.
    #[error("cannot follow base image `{name}`")]
    Name {
        /// As it is written.
        name: String,
        /// What is wrong with it.
        source: NameError,
    },
    /// The registry did not say what a base image is.
    #[error("cannot look up base image `{base}`")]
    Base {
        /// The base image.
        base: Box<Reference>,
        /// What came in the way.
        source: ecr_registry::Error,
    },
    /// The registry has no such base image.
    #[error("base image `{0}` does not exist")]
    BaseMissing(Box<Reference>),
    /// An image that exists already.
    #[error(transparent)]
    Existing(#[from] ExistingError),
}

impl ResolveError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Name { source, .. } => source.hint(),
            Self::Base { source, .. } => source.hint(),
            Self::BaseMissing(_) => Some("check its name and tag".into()),
            Self::Existing(error) => error.hint(),
        }
    }

    /// What it means for what was asked: a registry that gives no answer is no moved image.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Base { source, .. } => source.outcome(),
            Self::BaseMissing(_) | Self::Existing(ExistingError::NotStored { .. }) => Outcome::TagGone,
            Self::Existing(ExistingError::NoDocker(_) | ExistingError::Docker { .. }) => Outcome::NoAnswer,
            Self::Name { .. } | Self::Existing(_) => Outcome::Other,
        }
    }
}

/// Fills in what is looked up and not read: [`DockerfileRecipe::base_digests`] where base images are followed, and the
/// id of an image of Docker's daemon. All else stays as it is, and nothing is asked where nothing is followed.
///
/// # Errors
/// When something does not exist, or nobody answers.
pub async fn resolve(
    recipe: &mut Recipe,
    sources: &Sources,
    registry: &Registry,
    builder: &Builder,
) -> Result<(), ResolveError> {
    let names = base_images(recipe, sources);
    match &mut recipe.how {
        How::Dockerfile(dockerfile) if dockerfile.track_base_images => {
            let lookups = names.into_iter().map(|name| lookup(name, registry));
            let found = stream::iter(lookups).buffer_unordered(AT_ONCE).try_collect::<BTreeMap<_, _>>();
            dockerfile.base_digests = found.await?;
        }
        How::Existing(existing) => existing.resolve(builder).await?,
        How::Dockerfile(_) | How::Files(_) => {}
    }
    Ok(())
}

/// The images that a build would fetch, as they are written: those of the Dockerfile that no context stands for.
pub fn base_images(recipe: &Recipe, sources: &Sources) -> Vec<String> {
    let (How::Dockerfile(how), Some(parsed)) = (&recipe.how, &sources.parsed) else { return Vec::new() };
    images_of(how, parsed, &recipe.platforms)
}

pub(crate) fn images_of(
    how: &DockerfileRecipe,
    parsed: &crate::dockerfile::Dockerfile,
    platforms: &[ecr_registry::Platform],
) -> Vec<String> {
    let inputs = Inputs { target: how.target.as_deref(), args: &how.args, platforms };
    let images = parsed.images(inputs).unwrap_or_default();
    images.into_iter().filter(|name| !how.contexts.contains_key(name)).collect()
}

/// A digest that is written out is not asked for.
async fn lookup(name: String, registry: &Registry) -> Result<(String, Digest), ResolveError> {
    let parsed = name.parse::<Reference>();
    let reference = parsed.map_err(|source| ResolveError::Name { name: name.clone(), source })?;
    if let Some(digest) = reference.digest {
        return Ok((name, digest));
    }
    match registry.head(&reference.repository, &reference.version()).await {
        Ok(Some(found)) => Ok((name, found.digest)),
        Ok(None) => Err(ResolveError::BaseMissing(Box::new(reference))),
        Err(source) => Err(ResolveError::Base { base: Box::new(reference), source }),
    }
}
