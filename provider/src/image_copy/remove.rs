//! What is done with a copy whose resource is destroyed, as it was asked for.

use ecr_registry::{Digest, Registry, Repository, Tag, Version};
use tfplugin_rs::{Diagnostic, Diagnostics};

use super::{CopyState, OnDestroy};
use crate::{argument::known_place, report::Report, tag::pointing::untag};

/// Takes tags away, or deletes the copy. Gives warnings about what stays.
pub(super) async fn remove(registry: &Registry, state: &CopyState) -> Result<Vec<Diagnostic>, Diagnostics> {
    let (repository, digest) = (&known_place(&state.uri)?.repository, state.copied()?);
    if state.on_destroy == OnDestroy::DeleteIfUnreferenced {
        let tags = registry.describe(repository, &digest).await.map_err(|error| error.report())?;
        let Some(tags) = tags else { return Ok(Vec::new()) };
        let foreign = foreign(&tags, state);
        if foreign.is_empty() {
            return delete(registry, repository, digest, state).await;
        }
        let mut warnings = untag_all(registry, repository, digest, state).await?;
        warnings.push(referenced(repository, &digest, &foreign));
        return Ok(warnings);
    }
    untag_all(registry, repository, digest, state).await
}

/// The tags of an image that are not this resource's.
fn foreign<'a>(tags: &'a [Tag], state: &CopyState) -> Vec<&'a Tag> {
    tags.iter().filter(|tag| !state.has_tag(tag)).collect()
}

fn referenced(repository: &Repository, digest: &Digest, tags: &[&Tag]) -> Diagnostic {
    let tags: Vec<_> = tags.iter().map(|tag| format!("`{tag}`")).collect();
    let detail =
        format!("{repository}@{digest} still has {}, which are not of this resource.", tags.join(", "));
    Diagnostic::warning("The copy stays: other tags point at it", detail)
}

async fn untag_all(
    registry: &Registry,
    repository: &Repository,
    digest: Digest,
    state: &CopyState,
) -> Result<Vec<Diagnostic>, Diagnostics> {
    let mut warnings = Vec::new();
    for tag in state.tags() {
        warnings.extend(untag(registry, repository, tag, digest).await?);
    }
    Ok(warnings)
}

/// Deletes the copy, and of an index what nothing else names: the images without a tag of their own.
async fn delete(
    registry: &Registry,
    repository: &Repository,
    digest: Digest,
    state: &CopyState,
) -> Result<Vec<Diagnostic>, Diagnostics> {
    let ecr = registry.ecr(repository).map_err(|error| error.report())?;
    let deleted = ecr.delete(&[Version::Digest(digest)]).await;
    for result in deleted {
        result.map_err(|error| error.report())?;
    }
    let platforms = state.platform_digests.as_ref().known().into_iter().flatten();
    let parts = platforms.filter_map(|(_, part)| part.parse().ok()).filter(|part| *part != digest);
    let parts: Vec<Version> = parts.map(Version::Digest).collect();
    let described = ecr.describe(&parts).await.map_err(|error| error.report())?;
    let untagged = parts.into_iter().zip(described);
    let untagged = untagged.filter(|(_, image)| image.as_ref().is_some_and(|image| image.tags.is_empty()));
    let untagged: Vec<Version> = untagged.map(|(part, _)| part).collect();
    // What another index names is refused, and stays as it should.
    let kept = ecr.delete(&untagged).await.into_iter().filter_map(Result::err);
    kept.for_each(|error| tracing::info!(%error, "an image of the index stays"));
    Ok(Vec::new())
}
