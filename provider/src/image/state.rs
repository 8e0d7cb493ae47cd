//! An `ecr_image` in state and plan: the results, and how they get there.

use ecr_registry::{Digest, Reference, Repository};
use image_build::{How, Recipe, SourceHash, Sources};
use tfplugin_rs::{Diagnostic, Diagnostics, Value};

use super::{
    arguments::{Arguments, Surroundings},
    memory::Content,
};

/// The results that say what the image is made from, and those that say what it is.
pub(super) const SOURCE: [&str; 3] = ["source_hash", "sources", "base_image_digests"];
pub(super) const CONTENT: [&str; 4] = ["digest", "platform_digests", "size_bytes", "uri"];

/// What state has.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) arguments: Arguments,
    pub(super) repository: Repository,
    pub(super) digest: Digest,
    /// Of each platform.
    pub(super) platforms: Vec<Digest>,
    /// Absent after an import.
    pub(super) hash: Option<SourceHash>,
}

impl State {
    /// Reads state that this provider wrote.
    ///
    /// # Errors
    /// Where somebody changed it by hand.
    pub(super) fn parse(state: &Value, around: &Surroundings) -> Result<Self, Diagnostics> {
        let arguments = Arguments::parse(state, around)?;
        // Not as it is written: that may leave the registry to the provider.
        let uri = parsed::<Reference>(state, "uri")?.map(|uri| uri.repository);
        let (Some(repository), Some(digest)) = (uri, parsed(state, "digest")?) else {
            return Err(damaged("repository or digest").into());
        };
        let platforms = state.get("platform_digests").as_map().into_iter().flatten();
        let platforms = platforms.filter_map(|(_, digest)| digest.as_str()?.parse().ok()).collect();
        Ok(Self { arguments, repository, digest, platforms, hash: parsed(state, "source_hash")? })
    }
}

fn parsed<T: std::str::FromStr>(state: &Value, name: &str) -> Result<Option<T>, Diagnostic> {
    let text = state.get(name).as_str();
    text.map(str::parse).transpose().map_err(|_| damaged(name))
}

fn damaged(name: &str) -> Diagnostic {
    let detail = "Remove the image from the state and import it again: the image itself is not touched.";
    Diagnostic::error(format!("State has no usable {name} of this image"), detail)
}

/// Writes what an image is made from.
pub(super) fn set_source(to: &mut Value, hash: &SourceHash, recipe: &Recipe, sources: &Sources) {
    to.set("source_hash", hash.to_string());
    to.set("sources", sources.summary.clone());
    let bases = match &recipe.how {
        How::Dockerfile(build) => Some(&build.base_digests),
        How::Files(_) | How::Existing(_) => None,
    };
    let bases = bases.into_iter().flatten().map(|(name, digest)| (name, digest.to_string().into()));
    to.set("base_image_digests", Value::object(bases));
}

/// Writes what an image is.
pub(super) fn set_content(to: &mut Value, content: &Content, repository: Option<&Repository>) {
    let platforms = content.platform_digests.iter();
    to.set("digest", content.digest.to_string());
    to.set(
        "platform_digests",
        Value::object(platforms.map(|(name, digest)| (name, digest.to_string().into()))),
    );
    to.set("size_bytes", content.size_bytes);
    let uri = |repository: &Repository| format!("{repository}@{}", content.digest).into();
    to.set("uri", repository.map_or(Value::Unknown, uri));
}
