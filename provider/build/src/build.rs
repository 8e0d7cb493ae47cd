//! Makes an image of a recipe, by whichever builder it needs.

use std::ops::Deref;

use ecr_registry::{Image, Registry};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::{
    build_error::BuildError,
    buildkit,
    context::DockerfileContext,
    docker::Builder,
    native::{self, Tried},
    recipe::{How, Recipe},
    sources::Sources,
    stat_cache::Cache,
};

/// An image that was just built, ready to be pushed.
///
/// Large layers are files that go away with it.
#[derive(Debug)]
pub struct Built {
    image: Image,
    sources: Sources,
    _scratch: TempDir,
}

impl Built {
    pub(crate) fn new(image: Image, sources: Sources, scratch: TempDir) -> Self {
        Self { image, sources, _scratch: scratch }
    }

    /// What the image was made from: the files may have changed since they were looked at before.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }
}

impl Deref for Built {
    type Target = Image;

    fn deref(&self) -> &Image {
        &self.image
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
    /// Knows files from before.
    pub cache: &'a Cache,
    /// Is told how it goes.
    pub progress: &'a dyn Progress,
    /// Once this is cancelled, the build ends and leaves nothing behind.
    pub cancel: &'a CancellationToken,
}

/// Builds the image.
///
/// # Errors
/// When the files, the base image or the build itself are not as they should be.
pub async fn build(recipe: &Recipe, tools: Tools<'_>) -> Result<Built, BuildError> {
    let [platform] = &recipe.platforms[..] else {
        return Err(BuildError::Platforms(recipe.platforms.clone()));
    };
    match &recipe.how {
        How::Files(files) => native::build(recipe, files, platform, tools).await,
        How::Dockerfile(dockerfile) => {
            let (wanted, platforms, cache) =
                (dockerfile.clone(), recipe.platforms.clone(), tools.cache.clone());
            let context = blocking(move || Ok(DockerfileContext::read(&wanted, &platforms, &cache)?)).await?;
            match native::build_dockerfile(recipe, dockerfile, platform, &context, tools).await {
                Ok(built) => Ok(built),
                Err(Tried::Failed(error)) => Err(error),
                Err(Tried::Unclear(why)) => {
                    tools.progress.line(&format!("BuildKit builds it: {why}"));
                    // It keeps more at hand than all else, and whoever builds natively need not carry it.
                    Box::pin(buildkit::build(recipe, dockerfile, platform, context, tools)).await
                }
            }
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
