//! Looks at the files an image is made from, and says what was there.
//!
//! This reads files and nothing else: no network, no daemon, and nothing is written but the cache.

use std::collections::{BTreeMap, BTreeSet};

use ecr_registry::Digest;

use crate::{
    context::{DockerfileContext, Part},
    dockerfile::{
        Dockerfile,
        reach::{Inputs, Reach},
    },
    error::ContextError,
    hash::Format,
    recipe::{How, Recipe},
    stat_cache::Cache,
    tree::{Entry, Tree, digest_of},
    warning::Warning,
};

/// What was seen of the files an image is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    /// Stands for all of it: equal trees, equal digests.
    pub tree: Digest,
    /// A short digest of each file, or, where these are more than [`Sources::MAX_FILES`], of each folder.
    pub files: BTreeMap<String, String>,
    /// A short digest of the Dockerfile and of each top-level path, or of each path in the image that is
    /// within [`Sources::MAX_SUMMARY`].
    pub summary: BTreeMap<String, String>,
    /// How many files there are, the Dockerfile included only where the build can copy it; none of an image that exists.
    pub file_count: u64,
    /// How large they are together, in bytes.
    pub size_bytes: u64,
    /// What a person should know of them.
    pub warnings: Vec<Warning>,
    /// The Dockerfile, where it is understood.
    pub(crate) parsed: Option<Dockerfile>,
    /// What of context and arguments a build of it can see; `None` where there is none.
    pub(crate) reach: Option<Reach>,
}

impl Sources {
    /// The most entries of `files`.
    pub const MAX_FILES: usize = 256;
    /// The most entries of `summary`.
    pub const MAX_SUMMARY: usize = 64;

    /// The format of a new image of them.
    pub(crate) fn format(&self) -> Format {
        match &self.reach {
            Some(reach) if reach.excludes() => Format::EXCLUDING,
            _ => Format::FIRST,
        }
    }

    /// Whether `other`, with the same Dockerfile, takes the same paths of the same context: build arguments and
    /// platforms may decide what is copied.
    pub fn sees_as_much_for(&self, other: &Recipe) -> bool {
        let (How::Dockerfile(how), Some(parsed)) = (&other.how, &self.parsed) else { return true };
        let inputs = Inputs { target: how.target.as_deref(), args: &how.args, platforms: &other.platforms };
        let paths = |reach: &Reach| (reach.paths.clone(), reach.takings.clone());
        parsed.reach(inputs).is_ok_and(|reach| Some(paths(&reach)) == self.reach.as_ref().map(paths))
    }
}

/// Reads what `recipe` names, except what `cache` knows. Blocks for as long as the disk takes.
///
/// # Errors
/// When something named is missing, or something in it cannot be read or put into an image.
pub fn observe(recipe: &Recipe, cache: &Cache) -> Result<Sources, ContextError> {
    Ok(match &recipe.how {
        How::Dockerfile(dockerfile) => of_dockerfile(&DockerfileContext::read(recipe, dockerfile, cache)?),
        How::Files(files) => of_parts(&Part::read_all(&files.layers, cache)?),
        How::Existing(existing) => {
            let digest = existing.digest(&recipe.platforms).map_err(Box::new)?;
            of_existing(&existing.name(), digest)
        }
    })
}

pub(crate) fn of_existing(name: &str, digest: Digest) -> Sources {
    let leaves = BTreeMap::from([(name.to_owned(), digest)]);
    Sources {
        tree: digest,
        files: limited(leaves.clone(), Sources::MAX_FILES),
        summary: limited(leaves, Sources::MAX_SUMMARY),
        file_count: 0,
        size_bytes: 0,
        warnings: Vec::new(),
        parsed: None,
        reach: None,
    }
}

pub(crate) fn of_dockerfile(context: &DockerfileContext) -> Sources {
    let dockerfile = Digest::of(&context.dockerfile.content);
    let digests = context.tree.digests();
    let mut leaves = of_tree(&context.tree, &digests, str::to_owned);
    let name = &context.dockerfile.name;
    if let Err(place) = leaves.binary_search_by(|(path, _)| path.cmp(name)) {
        leaves.insert(place, (name.clone(), dockerfile));
    }
    let mut summary = grouped(&leaves, 1);
    summary.insert(name.clone(), dockerfile);
    summary.extend(context.named.iter().map(|(name, named)| (format!("{name} (context)"), named.digest())));
    let named = context.named.iter().map(|(name, named)| (name.as_str(), named.digest()));
    let tree = [("context", digest_of_all(&digests)), ("dockerfile", dockerfile)];
    Sources {
        tree: digest_of(tree.into_iter().chain(named)),
        files: by_deepest_folder(&leaves, Sources::MAX_FILES),
        summary: limited(summary, Sources::MAX_SUMMARY),
        file_count: sizes(&context.tree).count() as u64,
        size_bytes: sizes(&context.tree).sum(),
        warnings: context.warnings.clone(),
        parsed: context.parsed.clone(),
        reach: Some(context.reach.clone()),
    }
}

pub(crate) fn of_parts(parts: &[Part]) -> Sources {
    let (mut leaves, mut trees) = (Vec::new(), Vec::new());
    for part in parts {
        let digests = part.tree.digests();
        leaves.extend(of_tree(&part.tree, &digests, |path| format!("/{}", part.place(path))));
        trees.push(("layer", digest_of_all(&digests)));
    }
    let leaves = merged(leaves);
    Sources {
        tree: digest_of(trees),
        files: by_deepest_folder(&leaves, Sources::MAX_FILES),
        summary: by_deepest_folder(&leaves, Sources::MAX_SUMMARY),
        file_count: parts.iter().flat_map(|part| sizes(&part.tree)).count() as u64,
        size_bytes: parts.iter().flat_map(|part| sizes(&part.tree)).sum(),
        warnings: Vec::new(),
        parsed: None,
        reach: None,
    }
}

/// The sizes of the files of a tree.
fn sizes(tree: &Tree) -> impl Iterator<Item = u64> {
    tree.entries.values().filter_map(|entry| match entry {
        Entry::File(file) => Some(file.size),
        Entry::Folder | Entry::Link(_) => None,
    })
}

/// Paths and digests, in the order of the paths, each path once.
type Leaves = Vec<(String, Digest)>;

/// Everything that is content by itself: files, links and empty folders.
fn of_tree(tree: &Tree, digests: &[(&str, &Entry, Digest)], name: impl Fn(&str) -> String) -> Leaves {
    let is_leaf = |path: &str, entry: &Entry| *entry != Entry::Folder || tree.is_empty_folder(path);
    let leaves = digests.iter().filter(|(path, entry, _)| is_leaf(path, entry));
    leaves.map(|(path, _, digest)| (name(path), *digest)).collect()
}

fn digest_of_all(digests: &[(&str, &Entry, Digest)]) -> Digest {
    digest_of(digests.iter().map(|(path, _, digest)| (*path, *digest)))
}

/// Two layers may write the same path; both count.
fn merged(mut leaves: Leaves) -> Leaves {
    leaves.sort_by(|(one, _), (other, _)| one.cmp(other));
    leaves.dedup_by(|(path, later), (same, first)| {
        let is_same = path == same;
        if is_same {
            *first = digest_of([("", *first), ("", *later)]);
        }
        is_same
    });
    leaves
}

/// One digest for each group of paths that begin with the same `depth` names.
fn grouped(leaves: &Leaves, depth: usize) -> BTreeMap<String, Digest> {
    let mut groups: BTreeMap<&str, Vec<(&str, Digest)>> = BTreeMap::new();
    for (path, digest) in leaves {
        groups.entry(first_names(path, depth)).or_default().push((path, *digest));
    }
    let digest = |group: Vec<(&str, Digest)>| match group[..] {
        [(_, digest)] => digest,
        _ => digest_of(group),
    };
    groups.into_iter().map(|(name, group)| (name.to_owned(), digest(group))).collect()
}

fn first_names(path: &str, depth: usize) -> &str {
    let end = path.match_indices('/').filter(|(at, _)| *at > 0).nth(depth - 1);
    end.map_or(path, |(at, _)| &path[..at])
}

/// The finest grouping by folders that has at most `limit` groups.
fn by_deepest_folder(leaves: &Leaves, limit: usize) -> BTreeMap<String, String> {
    let deepest = leaves.iter().map(|(path, _)| path.matches('/').count() + 1).max().unwrap_or(1);
    let fits = |depth: &usize| {
        let mut groups = BTreeSet::new();
        leaves.iter().all(|(path, _)| !groups.insert(first_names(path, *depth)) || groups.len() <= limit)
    };
    let depth = (1..=deepest).rev().find(fits).unwrap_or(1);
    limited(grouped(leaves, depth), limit)
}

/// The first groups by name, and one for all the rest where there are more than `limit`.
fn limited(groups: BTreeMap<String, Digest>, limit: usize) -> BTreeMap<String, String> {
    let count = groups.len();
    let kept = if count <= limit { count } else { limit - 1 };
    let rest = digest_of(groups.iter().skip(kept).map(|(name, digest)| (name.as_str(), *digest)));
    let mut limited: BTreeMap<_, _> =
        groups.into_iter().take(kept).map(|(name, digest)| (name, digest.short())).collect();
    if kept < count {
        limited.insert(format!("({} more)", count - kept), rest.short());
    }
    limited
}

#[cfg(test)]
mod tests;
