//! What a builder built, as something to be pushed.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use ecr_registry::{ImageConfig, Layout, Tree, Version, Wanted};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::{
    Job,
    receive::{Archive, UNREADABLE},
    request::Output,
    solve::Answer,
};
use crate::{
    build::{Built, blocking},
    build_error::BuildError,
    docker::{ArchiveError, Docker, DockerError, Exported, Rewrite},
    existing::ExistingError,
    native::config::{image, rfc3339},
    recipe::Recipe,
    sources,
};

/// Where the image's id is in the answer, the first that is there.
const IDS: [&str; 2] = ["containerimage.config.digest", "containerimage.digest"];

/// What was read of an archive, and the folder with its large parts.
type Readout = Result<(Tree, TempDir), BuildError>;

/// Takes the image out of the daemon's store and leaves nothing there.
pub(super) async fn of_docker(docker: &Docker, answer: &Answer, job: &Job<'_>) -> Result<Built, BuildError> {
    let id = IDS.iter().find_map(|name| answer.get(*name)).ok_or(BuildError::NoImage)?;
    let exported = export(docker, id, job).await;
    let removed = docker.remove_nameless(id).await;
    let (tree, scratch) = exported?;
    if let Err(error) = removed {
        job.tools.progress.line(&format!("the image stays in the Docker daemon as {id}: {error}"));
    }
    Ok(Built::of_tree(tree, sources::of_dockerfile(&job.context), Some(scratch)))
}

async fn export(docker: &Docker, id: &str, job: &Job<'_>) -> Readout {
    let failed = |source: DockerError| BuildError::Docker { action: "take the image out of", source };
    let archive = docker.export(id).await.map_err(failed)?;
    let recipe = job.recipe.clone();
    blocking(move || rewritten(archive, &recipe)).await
}

/// Begins to read the archive that a builder will send, if it will.
pub(super) fn read(archive: Archive, output: &Output, job: &Job<'_>) -> Option<JoinHandle<Readout>> {
    let recipe = job.recipe.clone();
    match output {
        Output::Archive => Some(tokio::task::spawn_blocking(move || rewritten(archive, &recipe))),
        Output::Layout => Some(tokio::task::spawn_blocking(move || as_it_is(archive))),
        Output::Store | Output::Push(_) => None,
    }
}

/// What a buildkitd sends or pushes while it solves.
pub(super) async fn of_buildkit(
    solving: impl Future<Output = Result<Answer, BuildError>>,
    reading: Option<JoinHandle<Readout>>,
    output: &Output,
    job: &Job<'_>,
) -> Result<Built, BuildError> {
    let solved = solving.await;
    let read = match reading {
        // The cause of what the builder says about an archive that nobody takes is here.
        Some(reading) if solved.as_ref().err().is_none_or(is_unreadable) => {
            Some(reading.await.map_err(|_| BuildError::Cancelled)??)
        }
        _ => None,
    };
    let answer = solved?;
    let (tree, scratch) = match (read, output) {
        (Some((tree, scratch)), _) => (tree, Some(scratch)),
        (None, Output::Push(repository)) => {
            let digest = answer.get("containerimage.digest").and_then(|digest| digest.parse().ok());
            let version = Version::Digest(digest.ok_or(BuildError::NoImage)?);
            let tree = job.tools.registry.tree(repository, &version, &Wanted::All).await;
            (tree.map_err(BuildError::Pushed)?, None)
        }
        (None, _) => return Err(BuildError::NoImage),
    };
    Ok(Built::of_tree(tree, sources::of_dockerfile(&job.context), scratch))
}

fn is_unreadable(error: &BuildError) -> bool {
    matches!(error, BuildError::Step(failure) if failure.message.contains(UNREADABLE))
}

/// The image with layers and times as they are the next time too.
fn rewritten(archive: impl Read, recipe: &Recipe) -> Readout {
    let scratch = TempDir::with_prefix("image-").map_err(BuildError::Scratch)?;
    let rewrite = Rewrite { compression: recipe.compression, latest: recipe.source_date_epoch };
    let exported = Exported::read(archive, rewrite, &scratch)?;
    let config = settle(exported.config, recipe.source_date_epoch);
    let layers = exported.layers.into_iter().map(|layer| layer.blob).collect();
    Ok((image(&config, layers, recipe.annotations.clone()).into(), scratch))
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

/// The image and what is said about it, which names it by its digest: nothing of it may change.
fn as_it_is(archive: impl Read) -> Readout {
    let scratch = TempDir::with_prefix("image-").map_err(BuildError::Scratch)?;
    unpack(archive, scratch.path()).map_err(ArchiveError::Read)?;
    let layout = Layout::open(scratch.path()).map_err(ExistingError::from)?;
    let tree = layout.find(None).and_then(|entry| layout.tree(entry, &Wanted::All));
    Ok((tree.map_err(ExistingError::from)?, scratch))
}

/// Unpacks the files of a layout and nothing else.
fn unpack(archive: impl Read, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to.join("blobs/sha256"))?;
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if entry.header().entry_type().is_file() && is_of_layout(&path) {
            io::copy(&mut entry, &mut fs::File::create(to.join(path))?)?;
        }
    }
    io::copy(&mut archive.into_inner(), &mut io::sink()).map(drop)
}

fn is_of_layout(path: &str) -> bool {
    let is_digest = |name: &str| name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    path == "oci-layout" || path == "index.json" || path.strip_prefix("blobs/sha256/").is_some_and(is_digest)
}
