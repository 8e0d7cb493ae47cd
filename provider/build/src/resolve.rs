//! Finds out what the names in a recipe stand for now: base images that are followed, an image of Docker's daemon.
//!
//! It reads, and asks registries and Docker's daemon; nothing is built and nothing written.

use std::collections::BTreeMap;

use ecr_registry::{Digest, NameError, Outcome, Reference, Registry};
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    builder::Builder,
    dockerfile::reach::Inputs,
    existing::{Existing, ExistingError},
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

impl Recipe {
    /// The names in it that may stand for another image tomorrow: base images that are followed, and an image of
    /// Docker's daemon.
    pub fn followed(&self, sources: &Sources) -> Vec<String> {
        match &self.how {
            How::Dockerfile(dockerfile) if dockerfile.track_base_images => base_images(self, sources),
            How::Existing(Existing::LocalImage { name, .. }) => vec![name.clone()],
            _ => Vec::new(),
        }
    }

    /// What those names stand for, as far as it is filled in.
    pub fn pins(&self) -> BTreeMap<String, Digest> {
        match &self.how {
            How::Dockerfile(dockerfile) => dockerfile.base_digests.clone(),
            How::Existing(Existing::LocalImage { name, id: Some(id) }) => [(name.clone(), *id)].into(),
            _ => BTreeMap::new(),
        }
    }

    /// Fills in what is known already instead of asking as [`resolve`] does. Whether that was all.
    pub fn pin(&mut self, sources: &Sources, known: &BTreeMap<String, Digest>) -> bool {
        let written = |name: &String| name.parse::<Reference>().ok()?.digest;
        let names = self.followed(sources).into_iter();
        let pins =
            names.map(|name| known.get(&name).copied().or_else(|| written(&name)).map(|pin| (name, pin)));
        let Some(pins) = pins.collect::<Option<BTreeMap<_, _>>>() else { return false };
        match &mut self.how {
            How::Dockerfile(dockerfile) => dockerfile.base_digests = pins,
            How::Existing(Existing::LocalImage { id, .. }) => *id = pins.into_values().next(),
            How::Files(_) | How::Existing(_) => {}
        }
        true
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
    images.into_keys().filter(|name| !how.contexts.contains_key(name)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sources::observe, stat_cache::Cache};

    #[test]
    fn what_is_known_need_not_be_asked_for() {
        let context = tempfile::tempdir().unwrap();
        let written = Digest::of(b"written");
        let dockerfile = format!("FROM debian:12\nCOPY --from=busybox@{written} / /\n");
        let mut recipe = Recipe::of(How::Dockerfile(DockerfileRecipe {
            context: context.path().to_owned(),
            dockerfile_inline: Some(dockerfile),
            track_base_images: true,
            ..DockerfileRecipe::default()
        }));
        let sources = observe(&recipe, &Cache::none()).unwrap();
        assert!(!recipe.pin(&sources, &BTreeMap::new()) && recipe.pins().is_empty());
        let known = BTreeMap::from(
            [("debian:12", "12"), ("debian:11", "11")]
                .map(|(name, content)| (name.to_owned(), Digest::of(content.as_bytes()))),
        );
        assert!(recipe.pin(&sources, &known));
        let pins = recipe.pins();
        assert_eq!(pins.keys().collect::<Vec<_>>(), [&format!("busybox@{written}"), "debian:12"]);
        assert_eq!((pins["debian:12"], pins.len()), (known["debian:12"], 2));
    }
}
