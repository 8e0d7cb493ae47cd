//! The native builder: files onto a base image, and Dockerfiles whose steps run nothing, without a daemon.
//!
//! Same recipe, same files, same bytes. A base image's layers stay in their registry; what is in them is looked at only
//! where a step depends on it.

mod balance;
mod base;
mod changes;
pub(crate) mod config;
mod copy;
mod file_system;
mod materials;
mod mode;
mod owner;
mod press;
mod settings;
mod stages;
mod steps;
mod tars;
mod want;

use std::collections::BTreeSet;

use ecr_registry::Platform;
use tempfile::TempDir;

use self::{
    base::Base,
    changes::WriteError,
    file_system::Content,
    materials::Materials,
    press::Press,
    stages::{Inputs, Stopped, Worked, work_out},
    want::{Stop, Want},
};
pub(crate) use self::{base::Bases, press::Ahead};
use crate::{
    build::{Built, Tools, blocking},
    build_error::{BuildError, StepFailure},
    compress::Layer,
    context::{DockerfileContext, Part},
    recipe::{DockerfileRecipe, FilesRecipe, LayerSource, Recipe},
    sources::{self, Sources},
    stat_cache::Cache,
};

pub(crate) async fn build(
    recipe: &Recipe,
    files: &FilesRecipe,
    platform: &Platform,
    bases: &Bases,
    tools: Tools<'_>,
) -> Result<Built, BuildError> {
    let base = match &files.base {
        Some(reference) => bases.find(reference, platform, tools.registry).await?,
        None => Base::scratch(platform),
    };
    let layers = Layers {
        sources: files.layers.clone(),
        onto_base: files.base.is_some(),
        cache: tools.cache.clone(),
        press: Press::new(recipe, tools),
    };
    let Written { sources, layers, scratch, ahead } = blocking(move || layers.write()).await?;
    Ok(Built::new(config::assemble(recipe, files, base, layers), sources, scratch).with(ahead))
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
    bases: &Bases,
    tools: Tools<'_>,
) -> Result<Built, Tried> {
    let mut materials = Materials::new()?;
    let Worked { mut config, below, layers } = loop {
        if tools.cancel.is_cancelled() {
            return Err(BuildError::Cancelled.into());
        }
        let inputs = Inputs { recipe, how, context, platform, materials: &materials };
        let Stopped { stop, step } = match work_out(inputs) {
            Ok(worked) => break worked,
            Err(stopped) => *stopped,
        };
        match stop {
            Stop::Wants(want) => have(&mut materials, want, bases, tools).await?,
            Stop::Unclear(why) => {
                return Err(Tried::Unclear(
                    step.map_or(why.clone(), |(line, _)| format!("line {line}: {why}")),
                ));
            }
            Stop::Wrong { message, hint } => return Err(failure(step, message, hint).into()),
        }
    };
    let nodes = layers.iter().flat_map(|layer| layer.values());
    let packed: BTreeSet<_> = nodes
        .filter_map(|node| match &node.content {
            Content::Packed(packed) => Some(packed.clone()),
            _ => None,
        })
        .collect();
    let unpacked = if packed.is_empty() { None } else { Some(materials.unpack(packed, tools).await?) };
    let scratch = materials.scratch;
    let mut press = Press::new(recipe, tools);
    let writing = blocking(move || {
        let layers = layers.iter().map(|nodes| press.layer(nodes, unpacked.as_ref(), &scratch));
        Ok((layers.collect::<Result<Vec<_>, _>>()?, scratch, press.done()))
    });
    let (layers, scratch, ahead) = writing.await?;
    config.rootfs.diff_ids.extend(layers.iter().map(|layer| layer.diff_id));
    let blobs = below.into_iter().chain(layers.into_iter().map(|layer| layer.blob)).collect();
    let image = config::image(&config, blobs, recipe.annotations.clone());
    Ok(Built::new(image, sources::of_dockerfile(context), scratch).with(ahead))
}

async fn have(materials: &mut Materials, want: Want, bases: &Bases, tools: Tools<'_>) -> Result<(), Tried> {
    let is_image = matches!(want, Want::Image(_));
    let had = tokio::select! {
        biased;
        () = tools.cancel.cancelled() => return Err(BuildError::Cancelled.into()),
        had = materials.have(want, bases, tools) => had,
    };
    had.map_err(|error| match error {
        BuildError::Archiver(path) => {
            Tried::Unclear(format!("`{}` is compressed by bzip2 or xz", path.display()))
        }
        BuildError::BaseMissing { .. } | BuildError::BaseUnavailable { .. } | BuildError::BaseName { .. }
            if is_image =>
        {
            Tried::NoBase(error)
        }
        error => Tried::Failed(error),
    })
}

fn failure(step: Option<(u32, String)>, message: String, hint: Option<String>) -> BuildError {
    let (line, step) = step.unzip();
    BuildError::Step(Box::new(StepFailure { step, line, message, log: Vec::new(), hint }))
}

/// Why there is no image.
pub(crate) enum Tried {
    /// It takes more than this builder has.
    Unclear(String),
    /// A base image is in no registry that answers; a daemon may have it.
    NoBase(BuildError),
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
    cache: Cache,
    press: Press,
}

/// The layers of each source.
struct Written {
    sources: Sources,
    layers: Vec<Vec<Layer>>,
    scratch: TempDir,
    ahead: Option<Ahead>,
}

impl Layers {
    fn write(mut self) -> Result<Written, BuildError> {
        let parts = Part::read_all(&self.sources, &self.cache)?;
        let scratch = TempDir::with_prefix("image-").map_err(BuildError::Scratch)?;
        let written = parts.iter().zip(&self.sources).map(|(part, source)| {
            let nodes = changes::of_part(part, source.mode, self.onto_base);
            balance::layers(nodes).iter().map(|nodes| self.press.layer(nodes, None, &scratch)).collect()
        });
        let layers = written.collect::<Result<_, BuildError>>()?;
        Ok(Written { sources: sources::of_parts(&parts), layers, scratch, ahead: self.press.done() })
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
mod bad_input;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;
