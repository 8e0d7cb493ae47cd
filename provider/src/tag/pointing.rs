//! Where tags point, and taking them away without losing an image. Says in words what was not done.

use ecr_registry::{Digest, Error, Outcome, Registry, Repository, Tag, Version};
use tfplugin_rs::{Diagnostic, Diagnostics};

use super::decision::{Removal, removal};
use crate::report::Report;

/// Whether the registry says that there is no such thing.
pub(crate) fn is_gone(error: &Error) -> bool {
    matches!(error.outcome(), Outcome::ImageGone | Outcome::TagGone)
}

/// Where a tag points; `None` also where the whole repository is gone. Asked anew each time.
pub(crate) async fn points_at(
    registry: &Registry,
    repository: &Repository,
    tag: &Tag,
) -> Result<Option<Digest>, Error> {
    match registry.head(repository, &Version::Tag(tag.clone())).await {
        Ok(found) => Ok(found.map(|found| found.digest)),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes a tag away that was pointed at `ours`. Gives a warning if it has to stay.
pub(crate) async fn untag(
    registry: &Registry,
    repository: &Repository,
    tag: &Tag,
    ours: Digest,
) -> Result<Option<Diagnostic>, Diagnostics> {
    let look = async {
        let now = points_at(registry, repository, tag).await?;
        let tags = if now == Some(ours) { registry.describe(repository, &ours).await? } else { None };
        Ok::<_, Error>(removal(tag, now, ours, &tags.unwrap_or_default()))
    };
    match look.await.map_err(|error| error.report())? {
        Removal::Gone => Ok(None),
        Removal::Untag => {
            registry.untag(repository, tag).await.map_err(|error| error.report())?;
            Ok(None)
        }
        Removal::Foreign(there) => {
            let summary = format!("Tag `{tag}` stays: somebody pointed it at another image");
            Ok(Some(Diagnostic::warning(summary, format!("It points at {there} now, not at {ours}."))))
        }
        Removal::Last => {
            let summary = format!("Tag `{tag}` stays: it is the last tag of its image");
            let detail = format!("ECR would delete {repository}@{ours} with it.");
            Ok(Some(Diagnostic::warning(summary, detail)))
        }
    }
}

/// The error that a tag was moved when nobody expected it.
pub(crate) fn moved(tag: &Tag, there: &Digest) -> Diagnostic {
    let summary = format!("Tag `{tag}` was moved to another image since the plan");
    let detail = format!(
        "It points at {there} now. Plan again to see it; on_moved_tag = \"ignore\" leaves such a tag where it is."
    );
    Diagnostic::error(summary, detail)
}

/// The warning that a tag stays where somebody moved it.
pub(crate) fn left(tag: &Tag, there: &Digest) -> Diagnostic {
    let summary = format!("Tag `{tag}` stays where somebody moved it");
    let detail = format!("It points at {there}, and on_moved_tag = \"ignore\" leaves it there.");
    Diagnostic::warning(summary, detail)
}
