//! What is seen of an image's sources: its files, and what the names in it stand for that are followed.

use std::collections::BTreeMap;

use ecr_registry::{Digest, Outcome, Registry};
use image_build::{Cache, ContextError, Existing, Format, How, Recipe, ResolveError, Sources, source_hash};
use tfplugin_rs::{Diagnostic, Diagnostics, Path};

use super::{decision::Look, memory::Tree, read::observe};
use crate::{
    access::Access,
    report::{Report, at, capitalized, details},
};

/// The sources of an image.
#[derive(Clone)]
pub(super) struct Seen {
    /// With what the names in it stand for, once they were followed.
    pub(super) recipe: Recipe,
    pub(super) sources: Sources,
}

impl Seen {
    /// Reads the files, as the format of an image that exists has it.
    pub(super) async fn of(
        recipe: Recipe,
        format: Option<Format>,
        cache: &Cache,
    ) -> Result<Self, ContextError> {
        let recipe = Recipe { format, ..recipe };
        let sources = observe(recipe.clone(), cache).await?;
        Ok(Self { recipe, sources })
    }

    /// Finds out what the names stand for that are followed: asks for them where there is a `registry`, and takes what
    /// is `known` where there is none or it does not answer. Whether all are known then.
    ///
    /// # Errors
    /// When a name stands for nothing, and never did.
    pub(super) async fn follow(
        &mut self,
        access: &Access,
        registry: Option<&Registry>,
        known: Option<&BTreeMap<String, Digest>>,
        diagnostics: &mut Diagnostics,
    ) -> Result<bool, Diagnostics> {
        let Some(registry) = registry.filter(|_| !self.recipe.followed(&self.sources).is_empty()) else {
            return Ok(self.take(known));
        };
        let error = match self.ask(access, registry).await {
            Ok(()) => return Ok(true),
            Err(error) => error,
        };
        let is_known = self.take(known);
        if !is_known && !matches!(error.outcome(), Outcome::NotAllowed | Outcome::NoAnswer) {
            return Err(self.blame(&error).into());
        }
        let remedy = if is_known {
            "It is taken to be what it was."
        } else {
            "It is looked up when the plan is applied."
        };
        let detail = format!("{}\n\n{remedy}", details(&error, error.hint()));
        access.warn("", Diagnostic::warning(capitalized(&error.to_string()), detail), diagnostics);
        Ok(is_known)
    }

    /// Asks what the names stand for that are followed.
    ///
    /// # Errors
    /// As [`image_build::resolve`].
    pub(super) async fn ask(&mut self, access: &Access, registry: &Registry) -> Result<(), ResolveError> {
        image_build::resolve(&mut self.recipe, &self.sources, registry, &access.builder).await?;
        self.see_image();
        Ok(())
    }

    /// Takes what is known of them. Whether all are.
    pub(super) fn take(&mut self, known: Option<&BTreeMap<String, Digest>>) -> bool {
        let is_known = self.recipe.pin(&self.sources, known.unwrap_or(&BTreeMap::new()));
        self.see_image();
        is_known
    }

    /// The image of a daemon is seen once it is known which it is; no file is read for it.
    fn see_image(&mut self) {
        if let How::Existing(Existing::LocalImage { .. }) = self.recipe.how
            && let Ok(sources) = image_build::observe(&self.recipe, &Cache::none())
        {
            self.sources = sources;
        }
    }

    /// What the recipe makes of it.
    pub(super) fn look(&self) -> Look {
        Look {
            tree: Tree::of(&self.recipe, &self.sources),
            hash: source_hash(&self.recipe, &self.sources),
            generated: !self.recipe.triggers.is_empty(),
            locked: false,
        }
    }

    /// An error about a name that is followed, at its argument.
    pub(super) fn blame(&self, error: &ResolveError) -> Diagnostic {
        let (block, argument) = match self.recipe.how {
            How::Existing(_) => ("source", "local_image"),
            How::Dockerfile(_) | How::Files(_) => ("build", "track_base_images"),
        };
        at(error.report(), Path::from(block).attribute(argument))
    }
}
