//! What the plan of a tag says beyond what its schema does.

use ecr_registry::{Digest, Registry, Repository, Tag};
use tfplugin_rs::{Change, Diagnostic, Operation, Path, Private, Value};

use super::{REPLACES, identity, pointing::points_at};
use crate::{
    access::Access,
    argument::{Place, PrivateRepository, Text, place_of},
};

/// The repository that a plan wants, as far as it is known. Written another way than in state, it is the same: then
/// nothing is replaced for it.
pub(crate) async fn wanted_place(access: &Access, change: &mut Change) -> Option<PrivateRepository> {
    let written = change.planned.view().get("repository").settled::<Text<Place>>().ok().flatten()?;
    let wanted = access.private(&written).await.ok()?;
    if let Some(before) = place_of(change.prior.get("uri")) {
        let argument = Path::from("repository");
        change.requires_replace.retain(|path| *path != argument);
        if wanted != before {
            // A bare name is the same text in every account.
            let same_text = change.prior.get("repository") == change.planned.get("repository");
            change.requires_replace.push(if same_text { Path::from("uri") } else { argument });
        }
    }
    Some(wanted)
}

/// Fills in what follows from what is known: the reference, the identity, and what a move leaves behind.
pub(super) fn refine(change: &mut Change, repository: Option<&PrivateRepository>) {
    let Some((tag, digest)) = wanted(&change.planned) else { return };
    if let (Some(repository), Some(tag)) = (repository, &tag) {
        change.identity = Some(identity(repository, tag));
    }
    if let (Some(repository), Some(digest)) = (repository, &digest) {
        change.planned.set("uri", format!("{}@{digest}", repository.repository));
    }
    if change.operation() == Operation::Update && change.requires_replace.is_empty() && digest.is_some() {
        let before = change.prior.get("digest");
        let moves = before != change.planned.get("digest");
        let previous = if moves { before } else { change.prior.get("previous_digest") };
        change.planned.set("previous_digest", previous.clone());
    }
}

/// The arguments, each as far as it is known.
fn wanted(planned: &Value) -> Option<(Option<Tag>, Option<Digest>)> {
    let view = planned.view();
    let tag = view.get("tag").settled::<Text<Tag>>().ok()?;
    let digest = view.get("digest").settled::<Text<Digest>>().ok()?;
    Some((tag.map(Text::into_inner), digest.map(Text::into_inner)))
}

/// Marks the plan of a create: if it is the second half of a replacement, its private data goes to the destruction of
/// the old one as well, and nothing is taken away by that. Whether it is cannot be told from here.
pub(crate) fn mark_create(private: &mut Private) {
    private.set(REPLACES, &true).expect("a truth has a JSON form");
}

/// Says that a tag which is to be created is there, and points elsewhere. That the plan shows nothing of it is all
/// that a failed look costs.
pub(super) async fn warn_of_takeover(registry: &Registry, repository: &Repository, change: &mut Change) {
    // Clients that tell planning from applying set this in the plan that is made again: it has been said by then.
    if change.client.deferral_allowed {
        return;
    }
    let Some((Some(tag), digest)) = wanted(&change.planned) else { return };
    let found = points_at(registry, repository, &tag).await;
    if let Some(there) = found.ok().flatten().filter(|there| Some(*there) != digest) {
        let summary = format!("Tag `{tag}` exists and will be moved");
        let detail = format!("It points at {repository}@{there} now, which becomes previous_digest.");
        change.warnings.push(Diagnostic::warning(summary, detail).at("tag"));
    }
}
