//! What is remembered about one image in Terraform's private data: never shown, kept next to the state.
//!
//! It holds digests only, no paths of this machine and no values of configuration.

use std::collections::{BTreeMap, BTreeSet};

use ecr_registry::{Digest, Platform, Tag};
use image_build::{Recipe, SourceHash, Sources};
use serde::{Deserialize, Serialize};
use tfplugin_rs::Private;

/// Where a [`Memory`] is kept, and the form this version writes.
const KEY: &str = "image";
const VERSION: u32 = 1;

/// The private data of one image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Memory {
    /// The files the image in state was made from; absent after an import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) built: Option<Tree>,
    /// What was seen when the files were last found to differ from those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) witness: Option<Witness>,
    /// Where Read found tags that had moved away; Apply may move these back, and no others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) moved_tags: BTreeMap<Tag, Digest>,
    /// In a plan: it makes an image, perhaps in place of one. Core hands this to the half that destroys as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) replaces: bool,
}

/// The files at one moment: content only, so equal on every machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tree {
    pub(crate) digest: Digest,
    /// Path → short digest; of a large tree only its directories.
    pub(crate) files: BTreeMap<String, String>,
    /// What the names stood for that are followed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) pins: BTreeMap<String, Digest>,
}

/// Proof of what a plan saw, made so that the plan's second run during apply can compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Witness {
    pub(crate) tree: Tree,
    /// What the arguments of that moment made of the tree.
    #[serde(with = "text")]
    pub(crate) hash: SourceHash,
    /// The image that carried the source tag of `hash`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) found: Option<Content>,
}

/// What an image is made of, as far as state shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) digest: Digest,
    /// Platform → digest of its manifest.
    pub(crate) platform_digests: BTreeMap<String, Digest>,
    /// Manifest, configuration and layers, compressed.
    pub(crate) size_bytes: u64,
}

impl Content {
    /// Whether it is for these platforms and no others.
    pub(crate) fn is_for(&self, platforms: &[Platform]) -> bool {
        let parsed = self.platform_digests.keys().map(|text| text.parse::<Platform>());
        let Ok(found) = parsed.collect::<Result<Vec<_>, _>>() else { return false };
        let is_there = |wanted: &Platform| found.iter().any(|found| wanted.matches(found));
        found.len() == platforms.len() && platforms.iter().all(is_there)
    }
}

#[derive(Serialize, Deserialize)]
struct Stored<T> {
    version: u32,
    #[serde(flatten)]
    memory: T,
}

impl Memory {
    /// Reads what an earlier run stored. Where there is nothing, or a later version wrote a form that is
    /// not known here, nothing is remembered: then less is known at plan, and nothing goes wrong.
    pub(crate) fn of(private: &Private) -> Self {
        let stored = private.get::<Stored<Self>>(KEY).ok().flatten();
        stored.filter(|stored| stored.version == VERSION).map_or_else(Self::default, |stored| stored.memory)
    }

    /// What the names that are followed stood for when they were last looked up.
    pub(crate) fn pins(&self) -> Option<&BTreeMap<String, Digest>> {
        let witness = self.witness.as_ref().map(|witness| &witness.tree);
        witness.or(self.built.as_ref()).map(|tree| &tree.pins)
    }

    /// The form to store: equal memories give equal bytes.
    pub(crate) fn to_private(&self) -> Private {
        let mut private = Private::default();
        private
            .set(KEY, &Stored { version: VERSION, memory: self })
            .expect("maps with text keys and plain values have a JSON form");
        private
    }
}

impl Tree {
    /// What was seen of the files of a recipe, and what the recipe follows.
    pub(crate) fn of(recipe: &Recipe, sources: &Sources) -> Self {
        Self { digest: sources.tree, files: sources.files.clone(), pins: recipe.pins() }
    }

    /// One line for each path that differs: `./app/main.py was 27dd… when planned, is f693… now`.
    pub(crate) fn differences(&self, now: &Self, when: &str) -> Vec<String> {
        let paths: BTreeSet<&String> = self.files.keys().chain(now.files.keys()).collect();
        let line = |path: &String| {
            let (was, is) = (self.files.get(path), now.files.get(path));
            let change = match (was, is) {
                (Some(was), Some(is)) if was != is => format!("was {was} {when}, is {is} now"),
                (Some(was), None) => format!("was {was} {when}, is gone now"),
                (None, Some(is)) => format!("was not there {when}, is {is} now"),
                _ => return None,
            };
            let relative = if path.starts_with('/') { "" } else { "./" };
            Some(format!("{relative}{path} {change}"))
        };
        paths.into_iter().filter_map(line).collect()
    }
}

mod text {
    use std::{fmt::Display, str::FromStr};

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}
