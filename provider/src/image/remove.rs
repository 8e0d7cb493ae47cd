//! Destroy: what becomes of an image that leaves the configuration. Nothing, unless something is asked for.

use std::collections::BTreeSet;

use ecr_registry::{Digest, Registry, Tag, Version};
use tfplugin_rs::{ApplyRequest, Diagnostic, Diagnostics, PlanRequest, PlanResponse};

use super::{
    arguments::{OnDestroy, Surroundings},
    memory::Memory,
    state::State,
};
use crate::{access::Access, report::Report};

/// Says what destroying does.
pub(super) async fn plan(access: &Access, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
    let around = Surroundings::of(access, &request.prior).await;
    let state = State::parse(&request.prior, &around)?;
    let uri = format!("{}@{}", state.repository, state.digest);
    let (summary, detail) = match state.arguments.on_destroy {
        OnDestroy::Keep => (
            "The image stays in its repository",
            format!(
                "{uri} and its tags are kept (on_destroy = \"keep\"). To destroy the repository too, \
                 it needs force_delete = true: ECR deletes no repository that holds images."
            ),
        ),
        OnDestroy::Untag => (
            "The image loses its tags",
            format!(
                "The tags that still point at {uri} are removed (on_destroy = \"untag\"), but never its last."
            ),
        ),
        OnDestroy::DeleteIfUnreferenced => (
            "The image is deleted",
            format!(
                "{uri} is deleted, unless other tags point at it (on_destroy = \"delete_if_unreferenced\")."
            ),
        ),
    };
    let diagnostics = Diagnostic::warning(summary, detail).into();
    Ok(PlanResponse { private: request.prior_private, diagnostics, ..PlanResponse::default() })
}

/// Does it.
///
/// The private data may be that of the image that comes instead: then nothing is taken away, as that may be the very
/// same image.
pub(super) async fn destroy(access: &Access, request: &ApplyRequest) -> Result<Diagnostics, Diagnostics> {
    let around = Surroundings::of(access, &request.prior).await;
    let state = State::parse(&request.prior, &around)?;
    let replaced =
        Memory::of(&request.private).replaces || access.made_here(&state.repository, &state.digest);
    if replaced || state.arguments.on_destroy == OnDestroy::Keep {
        return Ok(Diagnostics::new());
    }
    let registry = access.registry()?;
    let names = registry.describe(&state.repository, &state.digest).await.map_err(|error| error.report())?;
    let Some(names) = names else { return Ok(Diagnostics::new()) };
    let source = access.source_tag.as_ref().zip(state.hash).map(|(tag, hash)| tag.of(&hash));
    let step = decide(&state, &names, source.as_ref());
    for tag in &step.untag {
        registry.untag(&state.repository, tag).await.map_err(|error| error.report())?;
    }
    if step.delete {
        delete(registry, &state).await?;
    }
    Ok(step.warning.into_iter().collect())
}

/// What is taken away.
#[derive(Debug, Default, PartialEq, Eq)]
struct Steps {
    untag: Vec<Tag>,
    delete: bool,
    warning: Option<Diagnostic>,
}

/// `names` are the tags that point at the image now, `source` the one that stands for its sources.
fn decide(state: &State, names: &[Tag], source: Option<&Tag>) -> Steps {
    let ours: BTreeSet<&Tag> = state.arguments.tags.iter().flatten().collect();
    let (mut untag, others): (Vec<Tag>, Vec<Tag>) = names.iter().cloned().partition(|tag| ours.contains(tag));
    let foreign: Vec<&Tag> = others.iter().filter(|tag| Some(*tag) != source).collect();
    let warn = |summary: &str, detail: String| Some(Diagnostic::warning(summary, detail));
    let uri = format!("{}@{}", state.repository, state.digest);
    if state.arguments.on_destroy == OnDestroy::DeleteIfUnreferenced {
        return match foreign.first() {
            None => Steps { delete: true, ..Steps::default() },
            Some(other) => {
                let detail = format!("{uri} is not deleted: the tag `{other}` points at it too.");
                Steps { untag, delete: false, warning: warn("The image stays, less its tags", detail) }
            }
        };
    }
    let mut warning = None;
    if others.is_empty()
        && let Some(last) = untag.pop()
    {
        let detail = format!("ECR would delete {uri} with it.");
        warning = warn(&format!("Tag `{last}` stays: it is the last tag of its image"), detail);
    }
    Steps { untag, delete: false, warning }
}

/// Deletes the image, and those of its platforms that nothing else names.
async fn delete(registry: &Registry, state: &State) -> Result<(), Diagnostics> {
    let ecr = registry.ecr(&state.repository).map_err(|error| error.report())?;
    let mut versions = vec![Version::Digest(state.digest)];
    let parts: BTreeSet<Digest> =
        state.platforms.iter().copied().filter(|part| *part != state.digest).collect();
    for part in parts {
        let names = registry.describe(&state.repository, &part).await.map_err(|error| error.report())?;
        if names.is_some_and(|names| names.is_empty()) {
            versions.push(Version::Digest(part));
        }
    }
    let mut deleted = ecr.delete(&versions).await.into_iter();
    let first = deleted.next().transpose().map_err(|error| error.report());
    // What another index names stays.
    first.map(drop).map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use tfplugin_rs::Value;

    use super::*;
    use crate::image::schema::schema;

    fn state(policy: &str, tags: &[&str]) -> State {
        let digest = Digest::of(b"image");
        let repository = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/web";
        let state = [
            ("repository", repository.to_owned()),
            ("on_destroy", policy.to_owned()),
            ("digest", digest.to_string()),
            ("uri", format!("{repository}@{digest}")),
        ];
        let state = Value::object(state.map(|(name, text)| (name, Value::from(text))));
        let tags: Vec<Value> = tags.iter().map(|tag| Value::from(*tag)).collect();
        State::parse(&schema().complete(state.with("tags", tags)).unwrap(), &Surroundings::default()).unwrap()
    }

    #[test]
    fn takes_away_what_is_asked_for_and_no_more() {
        let check = |policy: &str, names: &[&str], untag: &[&str], delete: bool, words: &str| {
            let tags = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<Tag>>();
            let steps =
                decide(&state(policy, &["latest", "v1"]), &tags(names), Some(&"src-1-a".parse().unwrap()));
            assert_eq!((&steps.untag, steps.delete), (&tags(untag), delete), "{policy} {names:?}");
            let warning = steps.warning.map(|warning| warning.summary).unwrap_or_default();
            assert!(if words.is_empty() { warning.is_empty() } else { warning.contains(words) }, "{warning}");
        };
        check("untag", &["latest", "v1", "src-1-a"], &["latest", "v1"], false, "");
        check("untag", &["latest", "v1"], &["latest"], false, "Tag `v1` stays");
        check("untag", &["other", "v1"], &["v1"], false, "");
        check("untag", &[], &[], false, "");
        let delete = "delete_if_unreferenced";
        check(delete, &["latest", "src-1-a"], &[], true, "");
        check(delete, &[], &[], true, "");
        check(delete, &["latest", "prod"], &["latest"], false, "The image stays");
    }
}
