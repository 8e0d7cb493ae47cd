//! The native builder: files onto a base image, and Dockerfiles whose steps run nothing and begin with nothing, without
//! a daemon.
//!
//! Same recipe, same files, same bytes. It never unpacks a layer: what is below the files is referred to.

mod base;
mod changes;
pub(crate) mod config;
mod file_system;
mod settings;
mod stages;

use ecr_registry::Platform;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use self::{
    base::Base,
    changes::{Changes, WriteError},
};
use crate::{
    build::{Built, Tools, blocking},
    build_error::BuildError,
    compress::{Layer, LayerWriter},
    context::{DockerfileContext, Part},
    recipe::{Compression, DockerfileRecipe, FilesRecipe, LayerSource, Recipe},
    sources::{self, Sources},
    stat_cache::Cache,
};

pub(crate) async fn build(
    recipe: &Recipe,
    files: &FilesRecipe,
    platform: &Platform,
    tools: Tools<'_>,
) -> Result<Built, BuildError> {
    let base = match &files.base {
        Some(reference) => Base::find(reference, platform, tools.registry).await?,
        None => Base::scratch(platform),
    };
    let layers = Layers {
        sources: files.layers.clone(),
        onto_base: files.base.is_some(),
        compression: recipe.compression,
        mtime: recipe.source_date_epoch,
        cache: tools.cache.clone(),
        cancel: tools.cancel.clone(),
    };
    let (sources, layers, scratch) = blocking(move || layers.write()).await?;
    Ok(Built::new(config::assemble(recipe, files, base, layers), sources, scratch))
}

/// Builds a Dockerfile, if its steps only copy and set.
///
/// # Errors
/// [`Tried::Unclear`] where BuildKit is needed.
pub(crate) async fn build_dockerfile(
    recipe: &Recipe,
    how: &DockerfileRecipe,
    platform: &Platform,
    context: &DockerfileContext,
    tools: Tools<'_>,
) -> Result<Built, Tried> {
    let worked = stages::work_out(recipe, how, context, platform).map_err(|why| Tried::Unclear(why.0))?;
    let (compression, mtime, cancel) = (recipe.compression, recipe.source_date_epoch, tools.cancel.clone());
    let (mut config, written) = (worked.config, worked.layers);
    let writing = blocking(move || {
        let scratch = TempDir::with_prefix("image-").map_err(BuildError::Scratch)?;
        let layers = written.iter().map(|nodes| {
            if cancel.is_cancelled() {
                return Err(BuildError::Cancelled);
            }
            let writer = LayerWriter::new(compression, &scratch).map_err(BuildError::Scratch)?;
            Ok(changes::write(nodes, mtime, writer)?)
        });
        Ok((layers.collect::<Result<Vec<_>, BuildError>>()?, scratch))
    });
    let (layers, scratch) = writing.await?;
    config.rootfs.diff_ids.extend(layers.iter().map(|layer| layer.diff_id));
    let blobs = layers.into_iter().map(|layer| layer.blob).collect();
    let image = config::image(&config, blobs, recipe.annotations.clone());
    Ok(Built::new(image, sources::of_dockerfile(context), scratch))
}

/// Why there is no image.
pub(crate) enum Tried {
    /// It takes more than this builder has.
    Unclear(String),
    Failed(BuildError),
}

impl From<BuildError> for Tried {
    fn from(error: BuildError) -> Self {
        Self::Failed(error)
    }
}

/// The layers to be written.
struct Layers {
    sources: Vec<LayerSource>,
    onto_base: bool,
    compression: Compression,
    mtime: u64,
    cache: Cache,
    cancel: CancellationToken,
}

impl Layers {
    fn write(&self) -> Result<(Sources, Vec<Layer>, TempDir), BuildError> {
        let parts = Part::read_all(&self.sources, &self.cache)?;
        let scratch = TempDir::with_prefix("image-").map_err(BuildError::Scratch)?;
        let layers = parts.iter().zip(&self.sources).map(|(part, source)| {
            if self.cancel.is_cancelled() {
                return Err(BuildError::Cancelled);
            }
            let writer = LayerWriter::new(self.compression, &scratch).map_err(BuildError::Scratch)?;
            Ok(Changes::of(part, source.mode, self.onto_base).write(self.mtime, writer)?)
        });
        let layers = layers.collect::<Result<_, BuildError>>()?;
        Ok((sources::of_parts(&parts), layers, scratch))
    }
}

impl From<WriteError> for BuildError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Content(error) => Self::Context(error),
            WriteError::Scratch(error) => Self::Scratch(error),
        }
    }
}

#[cfg(test)]
mod tests;
