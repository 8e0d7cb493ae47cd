//! Copies, then tags, and takes tags away last: ECR deletes an image with its last tag.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
};

use ecr_registry::{
    CopyOptions, Digest, Error, Event, Manifest, Reference, Registry, Repository, Tag, Version,
    content::Wanted,
};
use tfplugin_rs::{Call, Diagnostic, Diagnostics, Failed};

use super::{CopyState, MOVED_TAGS, OnRemovedTag};
use crate::{
    argument::{OnMovedTag, Text, blamed},
    image::{Content, find},
    report::Report,
    tag::{
        REPLACES,
        decision::{Step, step},
        pointing::{left, moved, points_at, untag},
    },
};

/// Brings the copy and its tags to where they were planned.
pub(super) async fn apply(
    registry: &Registry,
    prior: Option<&CopyState>,
    planned: CopyState,
    to: &Repository,
    call: &mut Call,
) -> Result<CopyState, Failed<CopyState>> {
    let (manifest, mut state) = if prior.is_some_and(|prior| has_it_all(prior, &planned)) {
        present(registry, planned, to).await?
    } else {
        copied(registry, planned, to, call).await?
    };
    let moved_tags = call.private.get(MOVED_TAGS).ok().flatten().unwrap_or_default();
    settle(call);
    let work = Tagging { registry, prior, to, state: &state, manifest: &manifest, moved_tags };
    let mut put = BTreeSet::new();
    let tagged = async {
        call.warnings.extend(work.put(&mut put).await?);
        call.warnings.extend(work.remove().await?);
        Ok::<(), Diagnostics>(())
    };
    if let Err(failed) = tagged.await {
        if prior.is_none() {
            // The copy is there and will be found: a new attempt sends nothing.
            return Err(failed.into());
        }
        state.tags = Some(put);
        return Err(Failed::leaving(state, failed));
    }
    Ok(state)
}

/// Whether nothing has to be copied.
fn has_it_all(prior: &CopyState, planned: &CopyState) -> bool {
    let same = prior.digest == planned.digest && prior.platforms == planned.platforms;
    same && (prior.include_referrers || !planned.include_referrers)
}

async fn present(
    registry: &Registry,
    planned: CopyState,
    to: &Repository,
) -> Result<(Manifest, CopyState), Diagnostics> {
    let digest = planned.copied()?;
    let found = registry.manifest(to, &Version::Digest(digest)).await;
    match found.map_err(|error| error.report())? {
        Some(manifest) => Ok((manifest, planned)),
        None => Err(vanished(to, digest).into()),
    }
}

fn vanished(to: &Repository, digest: Digest) -> Diagnostic {
    let summary = format!("The copy {to}@{digest} vanished since the plan");
    Diagnostic::error(summary, "Somebody deleted it. Plan again: it will be copied anew.")
}

async fn copied(
    registry: &Registry,
    planned: CopyState,
    to: &Repository,
    call: &Call,
) -> Result<(Manifest, CopyState), Diagnostics> {
    let from = Reference::pinned(planned.source.repository.clone(), planned.source.digest);
    let options =
        CopyOptions { wanted: wanted(&planned), referrers: planned.include_referrers, tags: Vec::new() };
    let log = |event: Event| match event {
        Event::Sent { .. } | Event::Received { .. } => {}
        event => tracing::info!(repository = %to, ?event, "copy"),
    };
    let report = within(call, Box::pin(registry.copy(&from, to, &options, &log))).await?;
    let digest = report.root.digest;
    let found = find(registry, to, &Version::Digest(digest)).await.map_err(|error| error.report())?;
    let Some(found) = found else { return Err(vanished(to, digest).into()) };
    Ok((found.manifest, with_content(planned, to, &found.content)))
}

/// One platform makes an image; an index of one would say no more.
fn wanted(planned: &CopyState) -> Wanted {
    let platforms = planned.platforms.iter().flatten().map(|platform| (**platform).clone());
    let platforms: Vec<_> = platforms.collect();
    match <[_; 1]>::try_from(platforms) {
        Ok([platform]) => Wanted::One(platform),
        Err(none) if none.is_empty() => Wanted::All,
        Err(several) => Wanted::Only(several),
    }
}

/// Ends with the user's patience, or with an interrupt.
async fn within<T>(call: &Call, work: impl Future<Output = Result<T, Error>>) -> Result<T, Diagnostics> {
    let limit = call.timeout.unwrap_or(super::PATIENCE);
    let left_over = "What was sent so far is found again. Apply again to go on.";
    tokio::select! {
        biased;
        () = call.cancellation.cancelled() => {
            Err(Diagnostic::error("Interrupted before the copy was complete", left_over).into())
        }
        done = tokio::time::timeout(limit, work) => {
            let Ok(done) = done else {
                let summary = format!("The copy took longer than {} seconds", limit.as_secs());
                let detail = format!("{left_over} A longer limit is set in the block `timeouts`.");
                return Err(Diagnostic::error(summary, detail).into());
            };
            done.map_err(|error| fault(&error).into())
        }
    }
}

/// The error at its argument: what is read is the source, what is pushed goes to the repository.
fn fault(error: &Error) -> Diagnostic {
    match error.action {
        ecr_registry::Action::Read | ecr_registry::Action::LookUp => error.report().at("source"),
        _ => blamed(error, "source", "tags"),
    }
}

pub(super) fn with_content(state: CopyState, to: &Repository, content: &Content) -> CopyState {
    let platforms = content.platform_digests.iter();
    let platforms: BTreeMap<_, _> =
        platforms.map(|(name, digest)| (name.clone(), digest.to_string())).collect();
    CopyState {
        uri: format!("{to}@{}", content.digest).into(),
        digest: Text::from(content.digest).into(),
        platform_digests: platforms.into(),
        size_bytes: content.size_bytes.into(),
        ..state
    }
}

/// Forgets what was only of the plan.
fn settle(call: &mut Call) {
    call.private.remove(REPLACES);
    call.private.remove(MOVED_TAGS);
}

struct Tagging<'a> {
    registry: &'a Registry,
    prior: Option<&'a CopyState>,
    to: &'a Repository,
    state: &'a CopyState,
    manifest: &'a Manifest,
    moved_tags: BTreeMap<String, String>,
}

impl Tagging<'_> {
    /// Points every tag at the copy, and adds each that is done to `put`. Gives warnings.
    async fn put(&self, put: &mut BTreeSet<Text<Tag>>) -> Result<Vec<Diagnostic>, Diagnostics> {
        let mut warnings = Vec::new();
        for tag in self.state.tags.iter().flatten() {
            match self.step(tag).await? {
                Step::Nothing => {}
                Step::Put => {
                    let tagged = self.registry.tag(self.to, tag, self.manifest).await;
                    tagged.map_err(|error| blamed(&error, "source", "tags"))?;
                }
                Step::Leave(there) => warnings.push(left(tag, &there)),
                Step::Refuse(there) => return Err(moved(tag, &there).at("tags").into()),
            }
            put.insert(tag.clone());
        }
        Ok(warnings)
    }

    /// A tag that is new here is pointed wherever it was: the plan showed that.
    async fn step(&self, tag: &Tag) -> Result<Step, Diagnostics> {
        let before = self.prior.filter(|prior| prior.has_tag(tag)).map(CopyState::copied).transpose()?;
        let moved_to = || self.moved_tags.get(tag.as_str()).and_then(|digest| digest.parse().ok());
        let (from, on_moved) = match (before, moved_to()) {
            (Some(before), _) => (before, self.state.on_moved_tag),
            (None, Some(there)) => (there, OnMovedTag::Restore),
            (None, None) => return Ok(Step::Put),
        };
        let now = points_at(self.registry, self.to, tag).await;
        Ok(step(now.map_err(|error| error.report())?, self.manifest.digest, from, on_moved))
    }

    /// Takes tags away that are no longer wanted, if the policy says so.
    async fn remove(&self) -> Result<Vec<Diagnostic>, Diagnostics> {
        let mut warnings = Vec::new();
        let prior = self.prior.filter(|_| self.state.on_removed_tag == OnRemovedTag::Untag);
        for tag in prior.into_iter().flat_map(CopyState::tags).filter(|tag| !self.state.has_tag(tag)) {
            let ours = prior.map_or(Ok(self.manifest.digest), CopyState::copied)?;
            warnings.extend(untag(self.registry, self.to, tag, ours).await?);
        }
        Ok(warnings)
    }
}
