//! The resource `ecr_image_copy`: an image that somebody else built, brought into a repository of one's own.
//!
//! Look, decide, act: [`plan`] says what follows from the arguments alone, [`apply`] copies and tags, [`remove`] is
//! for the end. What is copied is named by its digest, so nothing has to be looked up to know what will be there.

mod apply;
mod plan;
mod remove;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ecr_registry::{Digest, Platform, Reference, Tag, Version};
use tfplugin_rs::{
    Call, Change, Configured, Diagnostic, Diagnostics, Failed, Field, ImportRequest, Object, Timed, Timeouts,
    TypedResource, ValidateRequest, async_trait,
};

use crate::{
    access::Access,
    argument::{OnMovedTag, Pinned, Place, PrivateRepository, Text, choice, faults, known_place},
    image::find,
    report::Report,
    tag::{plan::wanted_place, pointing::is_gone},
};

pub(crate) const TYPE_NAME: &str = "ecr_image_copy";

/// How long a copy may take where the user sets no limit.
const PATIENCE: Duration = Duration::from_mins(30);
/// In private data: where Read found tags that had moved away; Apply may move these back.
const MOVED_TAGS: &str = "moved_tags";

/// The resource `ecr_image_copy`.
pub(crate) struct CopyResource(pub(crate) Configured<Access>);

choice! {
    /// What becomes of the copy when its resource goes.
    OnDestroy {
        /// It stays with its tags.
        Keep = "keep",
        /// Its tags are taken away but for the last one.
        Untag = "untag",
        /// It is deleted, unless other tags point at it.
        DeleteIfUnreferenced = "delete_if_unreferenced",
    }
}

choice! {
    /// What becomes of a tag that is no longer wanted.
    OnRemovedTag {
        /// It stays as it is.
        Keep = "keep",
        /// It is taken away.
        Untag = "untag",
    }
}

/// A copy of an image, from any registry to a repository in ECR: a base image out of the reach of rate limits, or a
/// service's image from the environment that tested it to the next. Bytes that are there are not sent again, and within
/// one registry none are.
#[derive(Clone, Debug, Object)]
pub(crate) struct CopyState {
    /// The image to copy, by its digest: `public.ecr.aws/nginx/nginx@sha256:…`. A tag would be another image tomorrow;
    /// the data source `ecr_image` gives the `uri` of what it is today.
    source: Text<Pinned>,
    /// The repository to copy to, with its registry, `123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web`, or as a name
    /// in the provider's account and region, `shop/web`. It has to exist. Another repository gets a copy of its own; the
    /// old one stays where it is.
    #[object(requires_replace)]
    repository: Text<Place>,
    /// Tags that have to point at the copy. What becomes of a tag that is taken out says `on_removed_tag`.
    tags: Option<BTreeSet<Text<Tag>>>,
    /// The platforms to copy, as `os/architecture[/variant]`. One makes an image, several an index of these. Default: all
    /// that there are, under the digest of the source.
    platforms: Option<BTreeSet<Text<Platform>>>,
    /// Whether what is about the image comes along: signatures, provenance, lists of contents. What is about an index stays
    /// behind when only some platforms are copied. Default: `false`.
    #[object(default = false)]
    include_referrers: bool,
    /// What becomes of the copy when it leaves the configuration: `keep`; `untag`, which takes its tags away but for the
    /// last, with which ECR would delete it; or `delete_if_unreferenced`, which deletes it if no other tag points at it.
    /// Default: `keep`.
    #[object(default = "keep")]
    on_destroy: OnDestroy,
    /// What to do about a tag that somebody pointed at another image: `restore` plans to point it back, `ignore` leaves
    /// it. A change of this takes effect with the apply after. Default: `restore`.
    #[object(default = "restore")]
    on_moved_tag: OnMovedTag,
    /// What becomes of a tag that is taken out of `tags`: `keep` leaves it as it is, `untag` removes it, if it still
    /// points at this image and is not its last. Default: `keep`.
    #[object(default = "keep")]
    on_removed_tag: OnRemovedTag,
    /// The copy's digest: that of the source, unless only some platforms are copied.
    #[object(depends_on(["source", "platforms"]))]
    digest: Field<Text<Digest>>,
    /// The copy by its digest, `repository@sha256:…`: the reference to deploy.
    #[object(depends_on(["repository", "source", "platforms"]))]
    uri: Field<String>,
    /// Platform to the digest of its image.
    #[object(depends_on(["source", "platforms"]))]
    platform_digests: Field<BTreeMap<String, String>>,
    /// What the copy takes in the registry, compressed, in bytes, all platforms together.
    #[object(depends_on(["source", "platforms"]))]
    size_bytes: Field<u64>,
}

impl CopyState {
    fn tags(&self) -> impl Iterator<Item = &Tag> {
        self.tags.iter().flatten().map(|tag| &**tag)
    }

    fn has_tag(&self, tag: &Tag) -> bool {
        self.tags().any(|had| had == tag)
    }

    /// The digest that state has.
    fn copied(&self) -> Result<Digest, Diagnostics> {
        let digest = self.digest.as_ref().known().map(|digest| **digest);
        digest.ok_or_else(|| {
            let detail =
                "Remove the copy from the state and import it again: the image itself is not touched.";
            Diagnostic::error("State has no digest of this copy", detail).into()
        })
    }
}

#[async_trait]
impl TypedResource for CopyResource {
    type Model = CopyState;

    fn type_name(&self) -> &'static str {
        TYPE_NAME
    }

    fn timeouts(&self) -> Option<Timeouts> {
        Some(Timeouts::block().limit(Timed::Create, PATIENCE).limit(Timed::Update, PATIENCE))
    }

    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        let config = request.config.view();
        let mut problems = faults::<Pinned>(&config.get("source"));
        problems.extend(faults::<Place>(&config.get("repository")));
        problems.extend(faults::<Tag>(&config.get("tags")));
        problems.extend(faults::<Platform>(&config.get("platforms")));
        if config.get("platforms").value().as_list().is_some_and(<[_]>::is_empty) {
            let detail = "Leave it out to copy all platforms.";
            problems.push(Diagnostic::error("`platforms` names none", detail).at("platforms"));
        }
        problems
    }

    async fn plan(&self, change: &mut Change) -> Result<(), Diagnostics> {
        let access = self.0.get()?;
        let repository = wanted_place(&access, change).await;
        plan::refine(change, repository.as_ref());
        Ok(())
    }

    async fn read(&self, state: CopyState, call: &mut Call) -> Result<Option<CopyState>, Diagnostics> {
        let access = self.0.get()?;
        let Some(registry) = &access.registry else { return Ok(Some(state)) };
        let image = [Version::Digest(state.copied()?)];
        let versions: Vec<Version> =
            image.into_iter().chain(state.tags().cloned().map(Version::Tag)).collect();
        let found = match registry.digests(&known_place(&state.uri)?.repository, &versions).await {
            Ok(found) => found,
            Err(error) if is_gone(&error) => return Ok(None),
            Err(error) => return access.tolerate(&error, &mut call.warnings).map(|()| Some(state)),
        };
        match found.split_first() {
            Some((Some(_), tags)) => Ok(Some(seen(state, tags, call)?)),
            _ => Ok(None),
        }
    }

    async fn create(&self, planned: CopyState, call: &mut Call) -> Result<CopyState, Failed<CopyState>> {
        let access = self.0.get()?;
        let to = access.private(&planned.repository).await?.repository;
        apply::apply(access.registry()?, None, planned, &to, call).await
    }

    async fn update(
        &self,
        state: CopyState,
        planned: CopyState,
        call: &mut Call,
    ) -> Result<CopyState, Failed<CopyState>> {
        let access = self.0.get()?;
        let to = known_place(&state.uri)?.repository;
        apply::apply(access.registry()?, Some(&state), planned, &to, call).await
    }

    async fn delete(&self, state: CopyState, call: &mut Call) -> Result<(), Diagnostics> {
        let replaced = call.private.get::<bool>(crate::tag::REPLACES).ok().flatten().unwrap_or(false);
        if state.on_destroy == OnDestroy::Keep || replaced {
            return Ok(());
        }
        let access = self.0.get()?;
        let warnings = remove::remove(access.registry()?, &state).await?;
        call.warnings.extend(warnings);
        Ok(())
    }

    /// Takes over a copy without knowing what it is a copy of: itself, until the next apply.
    async fn import(&self, request: ImportRequest, _: &mut Call) -> Result<CopyState, Diagnostics> {
        let id = request.id.unwrap_or_default();
        let reference: Reference = id.parse().map_err(|error: ecr_registry::NameError| error.report())?;
        let repository: PrivateRepository = reference
            .repository
            .to_string()
            .parse()
            .map_err(|error: crate::argument::Unfit| error.report())?;
        let access = self.0.get()?;
        let found = find(access.registry()?, &reference.repository, &reference.version()).await;
        let Some(found) = found.map_err(|error| error.report())? else {
            let summary = format!("There is no image `{reference}` to import");
            return Err(Diagnostic::error(summary, "Check the repository and the tag or digest.").into());
        };
        let (to, digest) = (reference.repository, found.content.digest);
        let source = Pinned { repository: to.clone(), digest };
        let state = CopyState {
            source: source.into(),
            repository: Place::from(repository).into(),
            tags: reference.tag.map(|tag| BTreeSet::from([tag.into()])),
            platforms: None,
            include_referrers: false,
            on_destroy: OnDestroy::Keep,
            on_moved_tag: OnMovedTag::Restore,
            on_removed_tag: OnRemovedTag::Keep,
            digest: Field::Null,
            uri: Field::Null,
            platform_digests: Field::Null,
            size_bytes: Field::Null,
        };
        Ok(apply::with_content(state, &to, &found.content))
    }
}

/// State without the tags that are gone or were moved, so that the plan puts them back.
fn seen(
    mut state: CopyState,
    points_at: &[Option<Digest>],
    call: &mut Call,
) -> Result<CopyState, Diagnostics> {
    let (ours, ignore) = (state.copied()?, state.on_moved_tag == OnMovedTag::Ignore);
    let mut moved = BTreeMap::new();
    let kept = state.tags.map(|tags| {
        let mut points_at = points_at.iter().copied();
        let is_kept = |tag: &Text<Tag>| match points_at.next().flatten() {
            Some(there) if there == ours || ignore => true,
            Some(there) => {
                moved.insert(tag.to_string(), there.to_string());
                false
            }
            None => false,
        };
        tags.into_iter().filter(is_kept).collect()
    });
    state.tags = kept;
    call.private.set(MOVED_TAGS, &moved).expect("texts have a JSON form");
    Ok(state)
}
