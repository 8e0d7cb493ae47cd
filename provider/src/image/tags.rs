//! Points tags at an image, and takes tags away, without ever losing an image.

use std::collections::{BTreeMap, BTreeSet};

use ecr_registry::{Digest, Manifest, Registry, Repository, Tag, Version};
use tfplugin_rs::{Diagnostic, Diagnostics};

use super::{
    arguments::{OnMovedTag, OnRemovedTag},
    read::head,
    state::State,
};
use crate::report::Report;

/// The tags an image should have, and what is known about them.
pub(super) struct Tags<'a> {
    pub(super) registry: &'a Registry,
    pub(super) repository: &'a Repository,
    pub(super) manifest: &'a Manifest,
    pub(super) wanted: Option<&'a BTreeSet<Tag>>,
    pub(super) prior: Option<&'a State>,
    pub(super) on_moved: OnMovedTag,
    pub(super) on_removed: OnRemovedTag,
    /// Where Read found tags that were moved away: the plan showed that these come back.
    pub(super) seen_moved: &'a BTreeMap<Tag, Digest>,
}

/// What to do about a tag that points at some image now.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Put,
    /// Somebody moved it, and that is to be left.
    Leave,
    /// Somebody moved it after the plan was made.
    Refuse,
}

/// Points every wanted tag at the image, and adds each that is done to `put`.
pub(super) async fn put_tags(tags: &Tags<'_>, put: &mut Vec<String>) -> Result<(), Diagnostics> {
    for tag in tags.wanted.into_iter().flatten() {
        match tags.step(tag).await? {
            Step::Put => {
                let tagging = tags.registry.tag(tags.repository, tag, tags.manifest).await;
                tagging.map_err(|error| error.report().at("tags"))?;
            }
            Step::Leave => {}
            Step::Refuse => return Err(moved(tag).into()),
        }
        put.push(tag.as_str().to_owned());
    }
    Ok(())
}

/// Takes tags away that are no longer wanted, if the policy says so.
pub(super) async fn remove_tags(tags: &Tags<'_>, diagnostics: &mut Diagnostics) -> Result<(), Diagnostics> {
    let Some(prior) = tags.prior.filter(|_| tags.on_removed == OnRemovedTag::Untag) else { return Ok(()) };
    let wanted = |tag: &&Tag| tags.wanted.is_some_and(|wanted| wanted.contains(*tag));
    for tag in prior.arguments.tags.iter().flatten().filter(|tag| !wanted(tag)) {
        let points_at = head(tags.registry, tags.repository, Version::Tag(tag.clone()))
            .await
            .map_err(|error| error.report())?;
        let ours = [prior.digest, tags.manifest.digest];
        let Some(digest) = points_at.filter(|digest| ours.contains(digest)) else { continue };
        let names = tags
            .registry
            .describe(tags.repository, &digest)
            .await
            .map_err(|error| error.report())?
            .unwrap_or_default();
        if names.iter().any(|name| name != tag) {
            tags.registry.untag(tags.repository, tag).await.map_err(|error| error.report())?;
        } else {
            diagnostics.push(last(tag, &digest));
        }
    }
    Ok(())
}

impl Tags<'_> {
    /// Only tags that state had can have been moved away from it; a new one was shown by the plan.
    async fn step(&self, tag: &Tag) -> Result<Step, Diagnostics> {
        let Some(prior) =
            self.prior.filter(|prior| prior.arguments.tags.iter().flatten().any(|had| had == tag))
        else {
            return self.new_tag(tag).await;
        };
        let points_at = self.points_at(tag).await?;
        Ok(match points_at {
            Some(digest) if digest != prior.digest && digest != self.manifest.digest => self.on_third(),
            _ => Step::Put,
        })
    }

    /// A tag that Read took out of state because it was moved may be moved back from there only.
    async fn new_tag(&self, tag: &Tag) -> Result<Step, Diagnostics> {
        let Some(seen) = self.seen_moved.get(tag) else { return Ok(Step::Put) };
        let points_at = self.points_at(tag).await?;
        let as_seen = points_at.is_none_or(|digest| digest == *seen || digest == self.manifest.digest);
        Ok(if as_seen { Step::Put } else { Step::Refuse })
    }

    fn on_third(&self) -> Step {
        match self.on_moved {
            OnMovedTag::Restore => Step::Refuse,
            OnMovedTag::Ignore => Step::Leave,
        }
    }

    async fn points_at(&self, tag: &Tag) -> Result<Option<Digest>, Diagnostics> {
        let points_at = head(self.registry, self.repository, Version::Tag(tag.clone())).await;
        points_at.map_err(|error| error.report().into())
    }
}

fn moved(tag: &Tag) -> Diagnostic {
    let summary = format!("Tag `{tag}` was moved to another image since the plan");
    let detail = "Plan again to see it; on_moved_tag = \"ignore\" leaves such a tag where it is.";
    Diagnostic::error(summary, detail).at("tags")
}

fn last(tag: &Tag, digest: &Digest) -> Diagnostic {
    let summary = format!("Tag `{tag}` stays: it is the last tag of its image");
    let detail = format!("ECR would delete {digest} with it.");
    Diagnostic::warning(summary, detail).at("tags")
}
