//! The source hash: one value that stands for everything an image is made from.
//!
//! It is a pure function of a [`Recipe`] and what [`crate::observe`] saw. Paths of this machine are no part
//! of it, so equal content gives an equal hash in any folder, on any machine.

use std::{collections::BTreeMap, fmt, str::FromStr};

use ecr_registry::{Digest, NameError, Tag, names::Digester};

use crate::{
    existing::Existing,
    options::NamedContext,
    recipe::{DockerfileRecipe, FilesRecipe, How, Recipe},
    sources::Sources,
};

/// The rules by which a hash was made.
///
/// An image that exists keeps the format it was hashed with, so a new version of the rules plans nothing; a new image
/// gets the oldest that sees no more than its build does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Format(u32);

impl Format {
    /// Everything counts that a `COPY` names.
    pub(crate) const FIRST: Self = Self(1);
    /// What every `COPY` leaves out by `--exclude` does not count.
    pub(crate) const EXCLUDING: Self = Self(2);

    /// The number written before the colon of a hash.
    pub fn id(self) -> u32 {
        self.0
    }

    /// The format after this one, which does not exist yet: it lets a test see what an upgrade would plan.
    #[doc(hidden)]
    #[must_use]
    pub fn bumped(self) -> Self {
        Self(self.0 + 1)
    }
}

/// `1:` (the format's id) and 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceHash {
    format: Format,
    digest: Digest,
}

impl SourceHash {
    /// The format it was made with.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The tag that lets any machine find the image again: `src-1-<64 digits>` for the prefix `src-`.
    ///
    /// # Errors
    /// When the prefix makes it no tag.
    pub fn tag(&self, prefix: &str) -> Result<Tag, NameError> {
        format!("{prefix}{}-{}", self.format.0, self.digest.hex()).parse()
    }
}

impl fmt::Display for SourceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.format.0, self.digest.hex())
    }
}

/// A text that is no source hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no source hash: a number, a colon and 64 hexadecimal digits")]
pub struct SourceHashError(String);

impl FromStr for SourceHash {
    type Err = SourceHashError;

    fn from_str(text: &str) -> Result<Self, SourceHashError> {
        let parse = || {
            let (id, digits) = text.split_once(':')?;
            let format = Format(id.parse().ok()?);
            Some(Self { format, digest: format!("sha256:{digits}").parse().ok()? })
        };
        parse().filter(|hash| hash.to_string() == text).ok_or_else(|| SourceHashError(text.to_owned()))
    }
}

/// The hash of what `recipe` makes from `sources`, by the rules of its format, else of theirs.
///
/// Hashed: the tree that a build can see, platforms, compression, labels, annotations, triggers, the epoch; of a
/// Dockerfile also its target, the arguments it declares, the version of its secrets and the digests of tracked base
/// images; of files also the base's reference, destinations, modes and the image's settings. Secrets are not, nor
/// is the version of this program.
pub fn source_hash(recipe: &Recipe, sources: &Sources) -> SourceHash {
    let format = recipe.format.unwrap_or_else(|| sources.format());
    let mut fields = Fields::default();
    fields.text("format", &format.0.to_string());
    fields.text("tree", &sources.tree.to_string());
    match &recipe.how {
        How::Dockerfile(dockerfile) => dockerfile_fields(dockerfile, sources, &mut fields),
        How::Files(files) => files_fields(files, &mut fields),
        How::Existing(existing) => existing_fields(existing, &mut fields),
    }
    fields.list("platforms", recipe.platforms.iter().map(ToString::to_string));
    fields.text("compression", &recipe.compression.to_string());
    fields.map("labels", &recipe.labels);
    fields.map("annotations", &recipe.annotations);
    fields.map("triggers", &recipe.triggers);
    fields.text("source_date_epoch", &recipe.source_date_epoch.to_string());
    SourceHash { format, digest: fields.0.finish() }
}

fn dockerfile_fields(recipe: &DockerfileRecipe, sources: &Sources, fields: &mut Fields) {
    let counts = |name: &String| {
        !recipe.unhashed_args.contains(name) && sources.reach.as_ref().is_none_or(|reach| reach.takes(name))
    };
    fields.text("how", "dockerfile");
    fields.list("target", recipe.target.iter());
    let args = recipe.args.iter().filter(|(name, _)| counts(name));
    fields.list("args", args.flat_map(|(name, value)| [name, value]));
    fields.list("secrets_version", recipe.secrets_version.iter());
    let bases = recipe.base_digests.iter();
    fields.list("bases", bases.flat_map(|(name, digest)| [name.clone(), digest.to_string()]));
    // What a recipe without them has is hashed as it was before they could be written.
    if !recipe.contexts.is_empty() {
        let contexts = recipe.contexts.iter().map(|(name, context)| (name.clone(), context_text(context)));
        fields.map("contexts", &contexts.collect());
    }
    if recipe.attestations.any() {
        let provenance = recipe.attestations.provenance.map(|mode| mode.to_string()).unwrap_or_default();
        fields.list("attestations", [provenance, recipe.attestations.sbom.to_string()]);
    }
}

/// What is on disk counts by its content, which is part of the tree.
fn context_text(context: &NamedContext) -> String {
    match context {
        NamedContext::Local(_) => "local".to_owned(),
        NamedContext::OciLayout(_) => "oci-layout".to_owned(),
        NamedContext::Image(image) => format!("docker-image {image}"),
        NamedContext::Remote(text) => format!("remote {text}"),
    }
}

/// Where it is does not count; what it is does, and is part of the tree or asked for.
fn existing_fields(existing: &Existing, fields: &mut Fields) {
    fields.text("how", "existing");
    if let Existing::LocalImage { id: Some(id), .. } = existing {
        fields.text("id", &id.to_string());
    }
}

fn files_fields(recipe: &FilesRecipe, fields: &mut Fields) {
    fields.text("how", "files");
    fields.list("base", recipe.base.iter().map(ToString::to_string));
    fields.list("destinations", recipe.layers.iter().map(|layer| &layer.destination));
    let modes = recipe.layers.iter().map(|layer| layer.mode.map_or(String::new(), |mode| mode.to_string()));
    fields.list("modes", modes);
    for (name, words) in [("entrypoint", &recipe.entrypoint), ("cmd", &recipe.cmd)] {
        fields.text(name, if words.is_some() { "given" } else { "absent" });
        fields.list(name, words.iter().flatten());
    }
    fields.map("env", &recipe.env);
    fields.list("user", recipe.user.iter());
    fields.list("workdir", recipe.workdir.iter());
}

/// Takes named values in such a way that no two different sequences look alike.
#[derive(Default)]
struct Fields(Digester);

impl Fields {
    fn text(&mut self, name: &str, value: &str) {
        self.list(name, [value]);
    }

    fn map(&mut self, name: &str, map: &BTreeMap<String, String>) {
        self.list(name, map.iter().flat_map(|(key, value)| [key, value]));
    }

    fn list<T: AsRef<str>>(&mut self, name: &str, values: impl IntoIterator<Item = T>) {
        let values: Vec<T> = values.into_iter().collect();
        self.piece(name);
        self.0.update(&(values.len() as u64).to_be_bytes());
        for value in &values {
            self.piece(value.as_ref());
        }
    }

    fn piece(&mut self, text: &str) {
        self.0.update(&(text.len() as u64).to_be_bytes());
        self.0.update(text.as_bytes());
    }
}

#[cfg(test)]
mod tests;
