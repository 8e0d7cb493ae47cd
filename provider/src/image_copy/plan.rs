//! What the plan of a copy says beyond what its schema does. Looks at nothing.

use ecr_registry::Digest;
use tfplugin_rs::{Change, Diagnostic, Operation};

use crate::{
    argument::{Pinned, PrivateRepository, Text},
    tag::plan::mark_create,
};

/// Fills in what follows from the arguments: a whole copy has the digest of its source.
pub(super) fn refine(change: &mut Change, repository: Option<&PrivateRepository>) {
    match change.operation() {
        Operation::Destroy => return change.warnings.extend(stays(change)),
        Operation::Create => mark_create(&mut change.private),
        Operation::Update => {}
    }
    let view = change.planned.view();
    let source = view.get("source").settled::<Text<Pinned>>().ok().flatten();
    if let Some(source) = source.filter(|_| view.get("platforms").value().is_null()) {
        change.planned.set("digest", source.digest.to_string());
        // Equal bytes, wherever they come from.
        if change.prior.get("digest") == change.planned.get("digest") {
            for name in ["platform_digests", "size_bytes"] {
                change.planned.set(name, change.prior.get(name).clone());
            }
        }
    }
    let digest = change.planned.get("digest").as_str().and_then(|text| text.parse::<Digest>().ok());
    if let (Some(repository), Some(digest)) = (repository, digest) {
        change.planned.set("uri", format!("{}@{digest}", repository.repository));
    }
}

/// What destroying leaves, said when it can still be heeded.
fn stays(change: &Change) -> Option<Diagnostic> {
    if change.prior.get("on_destroy").as_str() != Some("keep") {
        return None;
    }
    let detail = format!(
        "{} and its tags are kept (on_destroy = \"keep\"). To destroy the repository too, it needs \
         force_delete = true: ECR deletes no repository that holds images.",
        change.prior.get("uri").as_str().unwrap_or("The copy")
    );
    Some(Diagnostic::warning("The copy stays in its repository", detail))
}
