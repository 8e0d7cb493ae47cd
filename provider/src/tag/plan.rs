//! What the plan of a tag says beyond what its schema does.

use ecr_registry::{Digest, Registry, Tag};
use tfplugin_rs::{Change, Diagnostic, Operation, Private, Value};

use super::{REPLACES, identity, pointing::points_at};
use crate::argument::{PrivateRepository, Text};

/// Fills in what follows from what is known: the reference, the identity, and what a move leaves behind.
pub(super) fn refine(change: &mut Change) {
    let Some((repository, tag, digest)) = wanted(&change.planned) else { return };
    if let (Some(repository), Some(tag)) = (&repository, &tag) {
        change.identity = Some(identity(repository, tag));
    }
    if let (Some(repository), Some(digest)) = (&repository, &digest) {
        change.planned.set("uri", format!("{}@{digest}", repository.repository));
    }
    let moves = change.operation() == Operation::Update && change.requires_replace.is_empty();
    let before = change.prior.get("digest");
    if moves && digest.is_some() && before != change.planned.get("digest") {
        change.planned.set("previous_digest", before.clone());
    }
}

/// The arguments, each as far as it is known.
fn wanted(planned: &Value) -> Option<(Option<PrivateRepository>, Option<Tag>, Option<Digest>)> {
    let view = planned.view();
    let repository = view.get("repository").settled::<Text<PrivateRepository>>().ok()?;
    let tag = view.get("tag").settled::<Text<Tag>>().ok()?;
    let digest = view.get("digest").settled::<Text<Digest>>().ok()?;
    Some((repository.map(Text::into_inner), tag.map(Text::into_inner), digest.map(Text::into_inner)))
}

/// Marks the plan of a create: if it is the second half of a replacement, its private data goes to the destruction of
/// the old one as well, and nothing is taken away by that. Whether it is cannot be told from here.
pub(crate) fn mark_create(private: &mut Private) {
    private.set(REPLACES, &true).expect("a truth has a JSON form");
}

/// Says that a tag which is to be created is there, and points elsewhere. That the plan shows nothing of it is all
/// that a failed look costs.
pub(super) async fn warn_of_takeover(registry: &Registry, change: &mut Change) {
    // Clients that tell planning from applying set this in the plan that is made again: it has been said by then.
    if change.client.deferral_allowed {
        return;
    }
    let Some((Some(repository), Some(tag), digest)) = wanted(&change.planned) else { return };
    let found = points_at(registry, &repository.repository, &tag).await;
    if let Some(there) = found.ok().flatten().filter(|there| Some(*there) != digest) {
        let summary = format!("Tag `{tag}` exists and will be moved");
        let detail =
            format!("It points at {}@{there} now, which becomes previous_digest.", repository.repository);
        change.warnings.push(Diagnostic::warning(summary, detail).at("tag"));
    }
}
