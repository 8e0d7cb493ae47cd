//! BuildKit, spoken to directly: no `docker`, `buildx` or `buildctl` is run.
//!
//! The daemon's BuildKit is reached by its socket. It asks back, over a connection within the connection,
//! for files and credentials ([`session`]); it is told what to build ([`solve`]) and tells how it goes
//! ([`log`]). What comes out is taken from the daemon and written anew, so that it is the same next time.

mod auth;
mod failure;
mod file_sync;
mod instructions;
mod log;
mod session;
mod solve;

use std::sync::Arc;

use ecr_registry::{ImageConfig, Platform};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

use self::{file_sync::Shared, session::Session, solve::Solve};
use crate::{
    build::{Built, Tools, blocking},
    build_error::BuildError,
    context::DockerfileContext,
    docker::{Docker, DockerError, Exported, Rewrite},
    native::config::{image, rfc3339},
    recipe::{DockerfileRecipe, Recipe},
    sources,
};

pub(crate) async fn build(
    recipe: &Recipe,
    dockerfile: &DockerfileRecipe,
    platform: &Platform,
    context: DockerfileContext,
    tools: Tools<'_>,
) -> Result<Built, BuildError> {
    let context = Arc::new(context);
    let docker = tools.builder.settings().docker.connect().await?;
    let solve = Solve::new(recipe, dockerfile, platform, &context);
    let id = cancellable(tools.cancel, run(&docker, &solve, &context, tools)).await?;
    let exported = cancellable(tools.cancel, export(&docker, &id, recipe)).await;
    let removed = docker.remove_nameless(&id).await;
    let (exported, scratch) = exported?;
    if let Err(error) = removed {
        tools.progress.line(&format!("the image stays in the Docker daemon as {id}: {error}"));
    }
    let config = settle(exported.config, recipe.source_date_epoch);
    let layers = exported.layers.into_iter().map(|layer| layer.blob).collect();
    let image = image(&config, layers, recipe.annotations.clone());
    Ok(Built::new(image, sources::of_dockerfile(&context), scratch))
}

/// Dropping the work is what ends it: BuildKit stops a solve whose caller is gone.
async fn cancellable<T>(
    cancel: &CancellationToken,
    work: impl Future<Output = Result<T, BuildError>>,
) -> Result<T, BuildError> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(BuildError::Cancelled),
        result = work => result,
    }
}

/// Builds, and gives the image's id in the daemon.
async fn run(
    docker: &Docker,
    solve: &Solve,
    context: &Arc<DockerfileContext>,
    tools: Tools<'_>,
) -> Result<String, BuildError> {
    let channel = channel(docker).await?;
    let shared = Shared::new(context.clone(), solve.epoch());
    let session = Session::start(channel.clone(), &shared, tools.registry.clone());
    let result = solve.run(channel, session.id(), tools.progress).await;
    session.end().await;
    // A file that could not be sent is the cause of whatever BuildKit says about it.
    match shared.failure() {
        Some(error) => Err(error.into()),
        None => result,
    }
}

async fn channel(docker: &Docker) -> Result<Channel, BuildError> {
    let failed = |source| BuildError::Docker { action: "reach BuildKit in", source };
    // Asked for once before, because the channel would hide why it fails.
    let upgraded = docker.buildkit().await.map_err(failed)?;
    let mut first = Some(upgraded);
    let connector = tower::service_fn(move |_| {
        let upgraded = first.take();
        async move { upgraded.ok_or_else(|| std::io::Error::other("the connection to BuildKit broke")) }
    });
    Endpoint::from_static("http://docker")
        .connect_with_connector(connector)
        .await
        .map_err(|error| BuildError::Channel(Box::new(error)))
}

async fn export(docker: &Docker, id: &str, recipe: &Recipe) -> Result<(Exported, TempDir), BuildError> {
    let failed = |source: DockerError| BuildError::Docker { action: "take the image out of", source };
    let archive = docker.export(id).await.map_err(failed)?;
    let rewrite = Rewrite { compression: recipe.compression, latest: recipe.source_date_epoch };
    blocking(move || {
        let scratch = TempDir::with_prefix("image-").map_err(BuildError::Scratch)?;
        Ok((Exported::read(archive, rewrite, &scratch)?, scratch))
    })
    .await
}

/// Takes out of a configuration what is not the same next time.
fn settle(mut config: ImageConfig, epoch: u64) -> ImageConfig {
    let latest = |time: &mut Option<String>| {
        let seconds = time.as_ref().and_then(|time| time.parse::<prost_types::Timestamp>().ok());
        let seconds = seconds.and_then(|time| u64::try_from(time.seconds).ok()).unwrap_or_default();
        *time = Some(rfc3339(seconds.min(epoch)));
    };
    latest(&mut config.created);
    config.history.iter_mut().for_each(|step| latest(&mut step.created));
    config.other.retain(|name, _| name == "author" || name.starts_with("os."));
    config
}

#[cfg(test)]
mod tests;
