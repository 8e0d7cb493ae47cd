//! Contexts beside the context folder that are on this machine: what of them a build can see.

use std::{collections::BTreeMap, path::PathBuf};

use ecr_registry::{Descriptor, Digest, Layout};

use crate::{
    context,
    error::ContextError,
    existing::ExistingError,
    options::{LocalImages, NamedContext},
    recipe::DockerfileRecipe,
    stat_cache::Cache,
    tree::Tree,
};

/// A context that was read.
#[derive(Debug)]
pub(crate) enum Named {
    Folder(Tree),
    /// A layout and the image or index of it that is meant.
    Layout(PathBuf, Descriptor),
}

impl Named {
    pub(crate) fn read_all(
        recipe: &DockerfileRecipe,
        cache: &Cache,
    ) -> Result<BTreeMap<String, Self>, ContextError> {
        let read = recipe.contexts.iter().filter_map(|(name, context)| match context {
            NamedContext::Local(path) => {
                Some(context::read_folder(path, cache).map(|tree| (name.clone(), Self::Folder(tree))))
            }
            NamedContext::OciLayout(place) => Some(layout(place).map(|layout| (name.clone(), layout))),
            NamedContext::Image(_) | NamedContext::Remote(_) => None,
        });
        read.collect()
    }

    pub(crate) fn digest(&self) -> Digest {
        match self {
            Self::Folder(tree) => tree.digest(),
            Self::Layout(_, root) => root.digest,
        }
    }
}

fn layout(place: &LocalImages) -> Result<Named, ContextError> {
    let found = Layout::open(&place.path).and_then(|layout| layout.find(place.name.as_deref()).cloned());
    let root = found.map_err(|error| Box::new(ExistingError::from(error)))?;
    Ok(Named::Layout(place.path.clone(), root))
}
