//! Makes an image of a recipe, by whichever builder it needs.

use std::{collections::BTreeMap, sync::Arc};

use ecr_registry::{
    Departure, Descriptor, Image, Manifest, ManifestKind, Platform, PushReport, Registry, Repository, Tag,
    Tree,
};
use futures::future::try_join_all;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::{
    build_error::BuildError,
    builder::Builder,
    buildkit,
    context::DockerfileContext,
    dockerfile::reach::Inputs,
    existing,
    native::{self, Ahead, Bases, Tried},
    options::Engine,
    recipe::{DockerfileRecipe, How, Recipe},
    sources::Sources,
    stat_cache::Cache,
};

/// What was just built, ready to be pushed: an image, or, for several platforms, an index of images.
///
/// Large layers are files that go away with it.
#[derive(Debug, Clone)]
pub struct Built {
    tree: Tree,
    sources: Sources,
    /// Removed when this goes away.
    scratch: Vec<Arc<TempDir>>,
    /// Layers that are on their way already.
    ahead: Vec<Arc<Ahead>>,
}

impl Built {
    pub(crate) fn new(image: Image, sources: Sources, scratch: TempDir) -> Self {
        Self::of_tree(image.into(), sources, Some(scratch))
    }

    pub(crate) fn of_tree(tree: Tree, sources: Sources, scratch: Option<TempDir>) -> Self {
        let scratch = scratch.into_iter().map(Arc::new).collect();
        Self { tree, sources, scratch, ahead: Vec::new() }
    }

    pub(crate) fn with(mut self, ahead: Option<Ahead>) -> Self {
        self.ahead.extend(ahead.map(Arc::new));
        self
    }

    /// The index of images for these platforms, in their order; of one alone there is none.
    fn joined(images: Vec<(Platform, Self)>, annotations: BTreeMap<String, String>) -> Option<Self> {
        let many = images.len() > 1;
        let mut children = Vec::new();
        let mut images = images.into_iter().map(|(platform, built)| {
            match &built.tree.root.kind {
                // The image and what is said about it.
                ManifestKind::Index(index) => children.extend(index.manifests.iter().cloned()),
                ManifestKind::Image(_) => {
                    children.push(Descriptor { platform: Some(platform), ..built.tree.root.descriptor() });
                }
            }
            built
        });
        let mut joined = images.next()?;
        for other in images {
            joined.tree.images.extend(other.tree.images);
            joined.scratch.extend(other.scratch);
            joined.ahead.extend(other.ahead);
        }
        if many {
            joined.tree.root = Manifest::of_index(children, annotations);
            joined.tree.indexes = vec![joined.tree.root.clone()];
        }
        Some(joined)
    }

    /// Sends what the repository does not have of it, as [`Registry::push_tree`] does.
    ///
    /// # Errors
    /// As there.
    pub async fn push(
        &self,
        registry: &Registry,
        repository: &Repository,
        tags: &[Tag],
        progress: &dyn ecr_registry::Progress,
    ) -> Result<PushReport, ecr_registry::Error> {
        let departure = self.ahead.iter().map(|ahead| ahead.departure()).reduce(Departure::joined);
        registry.push_departed(departure.as_ref(), repository, &self.tree, tags, progress).await
    }

    /// What is to be pushed.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// What the image was made from: the files may have changed since they were looked at before.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }
}

/// For tests of builds for one platform.
#[cfg(test)]
impl std::ops::Deref for Built {
    type Target = Image;

    fn deref(&self) -> &Image {
        &self.tree.images[0]
    }
}

/// Listens to a build. Called from several tasks.
pub trait Progress: Send + Sync {
    /// Takes one line, without an end of line.
    fn line(&self, line: &str);
}

/// Nobody listens.
impl Progress for () {
    fn line(&self, _line: &str) {}
}

impl<F: Fn(&str) + Send + Sync> Progress for F {
    fn line(&self, line: &str) {
        self(line);
    }
}

/// What a build is done with.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    /// Where Dockerfiles are built.
    pub builder: &'a Builder,
    /// Where base images are found.
    pub registry: &'a Registry,
    /// Where the image is to be pushed: builders that are far away push it there on their own. From others, and where
    /// this is `None`, it comes here; large layers made here go there while the next ones are made.
    pub destination: Option<&'a Repository>,
    /// Knows files from before.
    pub cache: &'a Cache,
    /// Is told how it goes.
    pub progress: &'a dyn Progress,
    /// Once this is cancelled, the build ends and leaves nothing behind.
    pub cancel: &'a CancellationToken,
}

/// Builds the image, or one for each platform and an index of them.
///
/// # Errors
/// When the files, the base image or the build itself are not as they should be.
pub async fn build(recipe: &Recipe, tools: Tools<'_>) -> Result<Built, BuildError> {
    if let How::Existing(existing) = &recipe.how {
        return Box::pin(existing::take(recipe, existing, tools)).await;
    }
    // Each platform on a builder of its own, where there are several.
    let bases = &Bases::default();
    let builds = recipe.platforms.iter().map(|platform| async move {
        let built = Box::pin(build_for(platform, recipe, bases, tools)).await?;
        built.is_for(platform)?;
        Ok::<_, BuildError>((platform.clone(), built))
    });
    let images: Vec<(Platform, Built)> = try_join_all(builds).await?;
    let mut trees = images.iter().map(|(_, built)| built.sources.tree);
    if trees.next().is_some_and(|first| trees.any(|tree| tree != first)) {
        return Err(BuildError::SourcesChanged);
    }
    Built::joined(images, recipe.annotations.clone()).ok_or(BuildError::NoPlatform)
}

async fn build_for(
    platform: &Platform,
    recipe: &Recipe,
    bases: &Bases,
    tools: Tools<'_>,
) -> Result<Built, BuildError> {
    let dockerfile = match &recipe.how {
        How::Files(files) => return native::build(recipe, files, platform, bases, tools).await,
        How::Existing(existing) => return existing::take(recipe, existing, tools).await,
        How::Dockerfile(dockerfile) => dockerfile,
    };
    let (wanted, how, cache) = (recipe.clone(), dockerfile.clone(), tools.cache.clone());
    let context = blocking(move || Ok(DockerfileContext::read(&wanted, &how, &cache)?)).await?;
    let lines = lines_of_images(recipe, dockerfile, &context);
    let built = build_dockerfile(platform, recipe, dockerfile, context, bases, tools).await;
    built.map_err(|error| error.on_line(&lines))
}

fn lines_of_images(
    recipe: &Recipe,
    how: &DockerfileRecipe,
    context: &DockerfileContext,
) -> BTreeMap<String, u32> {
    let inputs = Inputs { target: how.target.as_deref(), args: &how.args, platforms: &recipe.platforms };
    context.parsed.as_ref().and_then(|parsed| parsed.images(inputs).ok()).unwrap_or_default()
}

async fn build_dockerfile(
    platform: &Platform,
    recipe: &Recipe,
    dockerfile: &DockerfileRecipe,
    context: DockerfileContext,
    bases: &Bases,
    tools: Tools<'_>,
) -> Result<Built, BuildError> {
    let engine = dockerfile.options.engine.unwrap_or(tools.builder.settings().engine);
    let tried = match needs_buildkit(dockerfile, engine) {
        Some(why) => Err(Tried::Unclear(why)),
        None => native::build_dockerfile(recipe, dockerfile, platform, &context, bases, tools).await,
    };
    let (why, no_base) = match tried {
        Ok(built) => return Ok(built),
        Err(Tried::Failed(error)) => return Err(error),
        Err(Tried::NoBase(error)) if engine == Engine::Native => return Err(error),
        Err(Tried::Unclear(why)) if engine == Engine::Native => return Err(BuildError::NativeAlone(why)),
        Err(Tried::NoBase(error)) => (error.to_string(), Some(error)),
        Err(Tried::Unclear(why)) => (why, None),
    };
    tools.progress.line(&format!("BuildKit builds it: {why}"));
    // It keeps more at hand than all else, and whoever builds natively need not carry it.
    let built = Box::pin(buildkit::build(recipe, dockerfile, platform, context, tools)).await;
    match (built, no_base) {
        (Err(BuildError::NoDocker(_)), Some(error)) => Err(error),
        (built, _) => built,
    }
}

/// What is asked for that only BuildKit has.
fn needs_buildkit(dockerfile: &DockerfileRecipe, engine: Engine) -> Option<String> {
    match engine {
        Engine::Docker | Engine::Buildkit => Some(format!("the engine is `{engine}`")),
        Engine::Auto | Engine::Native if !dockerfile.contexts.is_empty() => {
            Some("it has contexts of its own".into())
        }
        Engine::Auto | Engine::Native => {
            dockerfile.attestations.any().then(|| "attestations are asked for".to_owned())
        }
    }
}

/// Runs what blocks beside the async tasks. A panic in there goes on here, to be reported as one.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BuildError> + Send + 'static,
) -> Result<T, BuildError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => Err(BuildError::Cancelled),
    })
}
