//! What is written in an `ecr_image`: parsed once, with errors that name the argument.

mod options;
mod places;
mod reader;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use ecr_registry::{Digest, Host, Repository, Tag};
use image_build::Recipe;
use tfplugin_rs::{Diagnostic, Diagnostics, Value};

pub(super) use places::{blame, blame_build, places, with_prior_paths};

use self::reader::Reader;
use super::after::After;
use crate::access::{Access, is_bare};

/// A value of configuration or plan; `None` while it is known only after apply.
pub(super) type Settled<T> = Option<T>;

/// All arguments.
pub(super) const NAMES: [&str; 18] = [
    "repository",
    "tags",
    "platforms",
    "build",
    "files",
    "source",
    "labels",
    "annotations",
    "triggers",
    "compression",
    "source_lock",
    "runtime",
    "log_file",
    "on_destroy",
    "on_moved_tag",
    "on_removed_tag",
    "wait_for",
    "timeouts",
];

/// What the provider's settings add to the arguments of an image.
#[derive(Debug, Clone, Default)]
pub(super) struct Surroundings {
    /// Where a repository is that is written without a registry.
    registry: Option<Host>,
    default_labels: Settled<BTreeMap<String, String>>,
}

impl Surroundings {
    /// What is known of them; AWS is asked for its account only if the repository is written without a registry.
    pub(super) async fn of(access: &Access, value: &Value) -> Self {
        let bare = value.get("repository").as_str().is_some_and(is_bare);
        let registry = match access.home.as_ref().filter(|_| bare) {
            Some(home) => home.registry().await.ok(),
            None => None,
        };
        Self { registry, default_labels: access.default_labels.clone() }
    }
}

/// The arguments of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arguments {
    pub(super) repository: Settled<Repository>,
    pub(super) tags: Settled<BTreeSet<Tag>>,
    /// The inner `None`: neither `build` nor `files`, as in the state of an image that was just imported.
    pub(super) recipe: Settled<Option<Recipe>>,
    pub(super) on_destroy: OnDestroy,
    pub(super) on_moved_tag: OnMovedTag,
    pub(super) on_removed_tag: OnRemovedTag,
    /// What is waited for after a push.
    pub(super) wait_for: BTreeSet<After>,
    /// Whether AWS Lambda is to run it.
    pub(super) lambda: bool,
    /// Where builds are written down.
    pub(super) log_file: Option<PathBuf>,
    /// The tree that a data source saw when the plan was made.
    pub(super) source_lock: Option<Digest>,
}

/// What becomes of the image when it leaves the configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum OnDestroy {
    #[default]
    Keep,
    Untag,
    DeleteIfUnreferenced,
}

/// What to do about a tag that somebody moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum OnMovedTag {
    #[default]
    Restore,
    Ignore,
}

/// What becomes of a tag that is no longer wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum OnRemovedTag {
    #[default]
    Keep,
    Untag,
}

/// Fills in what the configuration leaves to the provider.
pub(super) fn with_defaults(mut planned: Value, config: &Value) -> Value {
    let defaults: [(&str, Value); 5] = [
        ("platforms", vec!["linux/amd64"].into()),
        ("compression", "gzip".into()),
        ("on_destroy", "keep".into()),
        ("on_moved_tag", "restore".into()),
        ("on_removed_tag", "keep".into()),
    ];
    for (name, default) in defaults {
        if config.get(name).is_null() {
            planned.set(name, default);
        }
    }
    planned
}

impl Arguments {
    /// Reads configuration, plan or state.
    ///
    /// # Errors
    /// All that is wrong with the values that are known, each with its argument.
    pub(super) fn parse(value: &Value, around: &Surroundings) -> Result<Self, Diagnostics> {
        let view = value.view();
        let mut reader = Reader::default();
        let policy = |reader: &mut Reader, name, allowed| reader.choice(&view.get(name), allowed).flatten();
        let on_destroy = match policy(&mut reader, "on_destroy", &["keep", "untag", "delete_if_unreferenced"])
        {
            Some("untag") => OnDestroy::Untag,
            Some("delete_if_unreferenced") => OnDestroy::DeleteIfUnreferenced,
            _ => OnDestroy::Keep,
        };
        let on_moved_tag = match policy(&mut reader, "on_moved_tag", &["restore", "ignore"]) {
            Some("ignore") => OnMovedTag::Ignore,
            _ => OnMovedTag::Restore,
        };
        let on_removed_tag = match policy(&mut reader, "on_removed_tag", &["keep", "untag"]) {
            Some("untag") => OnRemovedTag::Untag,
            _ => OnRemovedTag::Keep,
        };
        let arguments = Self {
            repository: reader.repository(&view.get("repository"), around.registry.as_ref()),
            tags: reader.set(&view.get("tags")),
            recipe: reader.recipe(&view, around.default_labels.as_ref()),
            on_destroy,
            on_moved_tag,
            on_removed_tag,
            wait_for: reader.wait_for(&view.get("wait_for")),
            lambda: reader.choice(&view.get("runtime"), &["lambda"]).flatten().is_some(),
            log_file: reader.read::<Option<String>>(&view.get("log_file")).flatten().map(PathBuf::from),
            source_lock: reader.source_lock(&view.get("source_lock")),
        };
        reader.lambda(&arguments);
        reader.lock(&view);
        if reader.problems.is_empty() { Ok(arguments) } else { Err(reader.problems) }
    }
}

/// Checks what is known of a configuration.
pub(super) fn check(config: &Value) -> Diagnostics {
    const WAYS: [&str; 3] = ["build", "files", "source"];
    let around = Surroundings { registry: None, default_labels: Some(BTreeMap::new()) };
    let mut problems = Arguments::parse(config, &around).err().unwrap_or_default();
    let given: Vec<&str> = WAYS.into_iter().filter(|name| !config.get(name).is_null()).collect();
    let detail =
        "An image is made from a Dockerfile (`build`), from files (`files`), or is there already (`source`).";
    match given[..] {
        [] => {
            let remedy = "Write build = { context = \"…\" } or files = { layers = [ … ] }.";
            problems.push(Diagnostic::error("None of `build`, `files` and `source` is given", remedy));
        }
        [first, second, ..] if [first, second].iter().all(|name| config.get(name).is_known()) => {
            let summary = format!("Both `{first}` and `{second}` are given");
            problems.push(Diagnostic::error(summary, format!("{detail} Remove one of them.")).at(second));
        }
        ["source"] => {
            for name in ["labels", "annotations"].into_iter().filter(|name| !config.get(name).is_null()) {
                let summary = format!("`{name}` cannot be put into an image that exists already");
                let detail = "It is pushed as it is. Leave them out, or build it with them.";
                problems.push(Diagnostic::error(summary, detail).at(name));
            }
        }
        _ => {}
    }
    problems
}
