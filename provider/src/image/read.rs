//! Read: whether the image and its tags are still there, and how the files are now.
//!
//! Only the registry's own "there is no such image" is drift. What cannot be asked stays as state has it.

use std::collections::BTreeMap;

use ecr_registry::{Digest, Error, Outcome, Registry, Repository, Tag, Version};
use image_build::{Cache, Recipe, Sources};
use tfplugin_rs::{ClientCapabilities, Diagnostic, Diagnostics, ReadRequest, ReadResponse, Value};

use super::{
    arguments::{OnMovedTag, Surroundings},
    decision::{self, Look},
    lookup,
    memory::{Content, Memory},
    seen::Seen,
    state::State,
};
use crate::access::Access;

/// Looks how the image is.
pub(super) async fn read(access: &Access, mut request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
    access.note_refresh();
    let around = Surroundings::of(access, &request.state).await;
    let state = State::parse(&request.state, &around)?;
    let mut memory = Memory::of(&request.private);
    let mut diagnostics = Diagnostics::new();
    let mut online = None;
    if let Some(registry) = &access.registry {
        match look_at_image(registry, &state).await {
            Ok(None) => {
                diagnostics.push(gone(&state));
                return Ok(ReadResponse { diagnostics, ..ReadResponse::default() });
            }
            Ok(Some(tags)) => {
                warn_of_tags(access, &state, &tags, &mut diagnostics);
                remember_tags(&mut request.state, &state, tags, &mut memory);
                online = Some(registry);
            }
            Err(error) => access.tolerate(&error, &mut diagnostics)?,
        }
    }
    memory.witness = None;
    witness(access, request.client, online, &state, &mut memory, &mut diagnostics).await?;
    let ReadRequest { state, identity, .. } = request;
    let private = memory.to_private();
    Ok(ReadResponse { state, private, identity, diagnostics, ..ReadResponse::default() })
}

/// Where each tag of state points now, `None` for those that are gone; or `None` if the image is gone.
async fn look_at_image(
    registry: &Registry,
    state: &State,
) -> Result<Option<BTreeMap<Tag, Option<Digest>>>, Error> {
    let tags: Vec<&Tag> = state.arguments.tags.iter().flatten().collect();
    let named = tags.iter().map(|tag| Version::Tag((*tag).clone()));
    let versions: Vec<Version> = std::iter::once(Version::Digest(state.digest)).chain(named).collect();
    let seen = match registry.digests(&state.repository, &versions).await {
        Err(error) if matches!(error.outcome(), Outcome::ImageGone | Outcome::TagGone) => return Ok(None),
        seen => seen?,
    };
    let is_there = seen.first().is_some_and(Option::is_some);
    Ok(is_there.then(|| tags.into_iter().cloned().zip(seen.into_iter().skip(1)).collect()))
}

/// What a tag or digest is; `None` also where the whole repository is gone.
pub(super) async fn head(
    registry: &Registry,
    repository: &Repository,
    version: Version,
) -> Result<Option<Digest>, Error> {
    match registry.head(repository, &version).await {
        Ok(found) => Ok(found.map(|descriptor| descriptor.digest)),
        Err(error) if matches!(error.outcome(), Outcome::ImageGone | Outcome::TagGone) => Ok(None),
        Err(error) => Err(error),
    }
}

fn gone(state: &State) -> Diagnostic {
    let detail = format!(
        "{}@{} was deleted, by somebody or by a lifecycle rule. It is made anew.",
        state.repository, state.digest
    );
    Diagnostic::warning("The image is gone from its repository", detail)
}

/// Tells a tag that was removed from one that was moved.
fn warn_of_tags(
    access: &Access,
    state: &State,
    tags: &BTreeMap<Tag, Option<Digest>>,
    diagnostics: &mut Diagnostics,
) {
    let restores = state.arguments.on_moved_tag == OnMovedTag::Restore;
    for (tag, points_at) in tags {
        let (summary, detail) = match points_at {
            None => (
                format!("Tag `{tag}` is gone from its repository"),
                format!("Somebody removed it. It is put back on {}.", state.digest),
            ),
            Some(elsewhere) if *elsewhere != state.digest && restores => (
                format!("Tag `{tag}` was moved to another image"),
                format!(
                    "It points at {elsewhere}, and is pointed back at {}; on_moved_tag = \"ignore\" would leave it.",
                    state.digest
                ),
            ),
            Some(_) => continue,
        };
        let warning = Diagnostic::warning(summary, detail).at("tags");
        access.warn(&state.repository.to_string(), warning, diagnostics);
    }
}

/// Takes tags out of state that are gone or were moved, so that the plan puts them back.
fn remember_tags(value: &mut Value, state: &State, tags: BTreeMap<Tag, Option<Digest>>, memory: &mut Memory) {
    let ignore = state.arguments.on_moved_tag == OnMovedTag::Ignore;
    memory.moved_tags = BTreeMap::new();
    let mut kept = Vec::new();
    for (tag, points_at) in tags {
        match points_at {
            Some(digest) if digest == state.digest || ignore => kept.push(tag.as_str().to_owned()),
            Some(elsewhere) => drop(memory.moved_tags.insert(tag, elsewhere)),
            None => {}
        }
    }
    if !value.get("tags").is_null() {
        value.set("tags", kept);
    }
}

/// Leaves a witness where the files differ from those of the image. Newer clients need none: what their
/// plan stores comes back. Files that cannot be read leave none, and are no error: there is no
/// configuration here that could be to blame.
async fn witness(
    access: &Access,
    client: ClientCapabilities,
    registry: Option<&Registry>,
    state: &State,
    memory: &mut Memory,
    diagnostics: &mut Diagnostics,
) -> Result<(), Diagnostics> {
    let (Some(Some(recipe)), Some(hash)) = (&state.arguments.recipe, state.hash) else { return Ok(()) };
    if client.stores_planned_private {
        return Ok(());
    }
    let Ok(mut seen) = Seen::of(recipe.clone(), Some(hash.format()), &access.cache).await else {
        return Ok(());
    };
    let known = memory.built.as_ref().map(|built| &built.pins);
    let Ok(true) = seen.follow(access, registry, known, diagnostics).await else { return Ok(()) };
    let look = seen.look();
    let Some(mut witness) = decision::witness(memory.built.as_ref(), &look, None) else { return Ok(()) };
    witness.found = match registry {
        Some(registry) => found(access, registry, state, recipe, &look, diagnostics).await?,
        None => None,
    };
    memory.witness = Some(witness);
    Ok(())
}

async fn found(
    access: &Access,
    registry: &Registry,
    state: &State,
    recipe: &Recipe,
    look: &Look,
    diagnostics: &mut Diagnostics,
) -> Result<Option<Content>, Diagnostics> {
    let Some(tag) = access.source_tag.as_ref().map(|tag| tag.of(&look.hash)) else { return Ok(None) };
    match lookup::planned(registry, &state.repository, &tag, &recipe.platforms).await {
        Ok(found) => Ok(found),
        Err(error) => access.tolerate(&error, diagnostics).map(|()| None),
    }
}

/// Reads the files, away from the threads that serve.
pub(crate) async fn observe(recipe: Recipe, cache: &Cache) -> Result<Sources, image_build::ContextError> {
    let cache = cache.clone();
    let reading = tokio::task::spawn_blocking(move || image_build::observe(&recipe, &cache));
    reading.await.unwrap_or_else(|failure| std::panic::resume_unwind(failure.into_panic()))
}
