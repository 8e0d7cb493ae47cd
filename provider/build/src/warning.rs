//! What is allowed in a context and seldom meant.

use std::{collections::BTreeMap, fmt};

use crate::{
    dockerfile::{nearest, reach::Reach},
    tree::{Entry, Tree},
};

/// Something that works, and costs time or rebuilds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// So much content that every plan, and every build, takes long.
    Large {
        /// Of all files, in bytes.
        bytes: u64,
        /// The top-level path that has most of it.
        largest: String,
        /// What that has, in bytes.
        of_largest: u64,
    },
    /// A repository's `.git`, which changes with every commit and every fetch.
    Git(String),
    /// Packages installed on this machine, for this machine.
    NodeModules(String),
    /// A build argument that no `ARG` declares.
    UnusedArgument {
        /// The argument.
        name: String,
        /// What is declared and was probably meant.
        near: Option<String>,
    },
    /// Terraform's state, which no build gets to see.
    State(Vec<String>),
    /// An image with neither an entry point nor a command.
    NothingToRun,
}

/// A context of more bytes is large.
const LARGE: u64 = 500_000_000;

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Large { bytes, largest, of_largest } => {
                let (all, most) = (bytes / 1_000_000, of_largest / 1_000_000);
                write!(f, "the context has {all} MB, {most} MB of it in `{largest}`")
            }
            Self::Git(path) => write!(f, "the context holds `{path}`, so each commit makes another image"),
            Self::NodeModules(path) => write!(f, "the context holds `{path}`, packages of this machine"),
            Self::UnusedArgument { name, .. } => write!(f, "no ARG of the Dockerfile declares `{name}`"),
            Self::NothingToRun => f.write_str("the image has no ENTRYPOINT and no CMD"),
            Self::State(paths) => {
                let more =
                    if paths.len() > 3 { format!(" and {} more", paths.len() - 3) } else { String::new() };
                let first: Vec<String> = paths.iter().take(3).map(|path| format!("`{path}`")).collect();
                write!(
                    f,
                    "Terraform's state in the context is left out of the image: {}{more}",
                    first.join(", ")
                )
            }
        }
    }
}

impl Warning {
    pub(crate) fn unused_argument(name: &str, reach: &Reach) -> Self {
        let declared = reach.args.iter().flatten().map(String::as_str);
        Self::UnusedArgument { name: name.to_owned(), near: nearest(name, declared).map(str::to_owned) }
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Large { largest: path, .. } | Self::Git(path) | Self::NodeModules(path) => {
                format!("name `{path}` in .dockerignore, or copy only what the image needs")
            }
            Self::UnusedArgument { near: Some(near), .. } => format!("did you mean `{near}`?"),
            Self::UnusedArgument { name, near: None } => {
                format!(
                    "the build does not see it: write `ARG {name}` in the stage that needs it, or leave it out"
                )
            }
            Self::NothingToRun => {
                "it runs only where a command is given: set `entrypoint`, or write ENTRYPOINT".to_owned()
            }
            Self::State(_) => "name them in .dockerignore to say that this is meant".to_owned(),
        }
    }
}

/// The warnings about a context. Paths that the Dockerfile copies by name are meant.
pub(crate) fn of_context(tree: &Tree, left_out: &[String], is_named: impl Fn(&str) -> bool) -> Vec<Warning> {
    let named = |name: &str| {
        let ends = |path: &&String| path.rsplit('/').next() == Some(name);
        let first = tree
            .entries
            .iter()
            .filter(|(_, entry)| **entry == Entry::Folder)
            .map(|(path, _)| path)
            .find(ends);
        first.filter(|path| !is_named(path)).cloned()
    };
    let large = large(tree);
    let git = named(".git").map(Warning::Git);
    let modules = named("node_modules").map(Warning::NodeModules);
    let left_out = (!left_out.is_empty()).then(|| Warning::State(left_out.to_vec()));
    [large, git, modules, left_out].into_iter().flatten().collect()
}

fn large(tree: &Tree) -> Option<Warning> {
    let mut sizes: BTreeMap<&str, u64> = BTreeMap::new();
    for (path, entry) in &tree.entries {
        if let Entry::File(file) = entry {
            let top = path.split('/').next().unwrap_or(path);
            *sizes.entry(top).or_default() += file.size;
        }
    }
    let bytes = sizes.values().sum();
    let (largest, of_largest) = sizes.into_iter().max_by_key(|(_, size)| *size)?;
    (bytes > LARGE).then(|| Warning::Large { bytes, largest: largest.to_owned(), of_largest })
}

#[cfg(test)]
mod tests {
    use ecr_registry::Digest;

    use super::*;
    use crate::tree::File;

    fn tree(files: &[(&str, u64)]) -> Tree {
        let mut tree = Tree::default();
        for (path, size) in files {
            for (at, _) in path.match_indices('/') {
                tree.entries.insert(path[..at].to_owned(), Entry::Folder);
            }
            let file = File { path: path.into(), size: *size, executable: false, digest: Digest::of(b"") };
            tree.entries.insert((*path).to_owned(), Entry::File(file));
        }
        tree
    }

    #[test]
    fn warns() {
        let check = |files: &[(&str, u64)], left_out: &[&str], expected: &[&str]| {
            let left_out: Vec<String> = left_out.iter().map(|path| (*path).to_owned()).collect();
            let warnings = of_context(&tree(files), &left_out, |path| path == "meant/.git");
            assert_eq!(warnings.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
            assert!(warnings.iter().all(|warning| warning.hint().contains(".dockerignore")));
        };
        check(&[("src/main.rs", 9), (".gitignore", 1), ("meant/.git/x", 1)], &[], &[]);
        check(&[("a/x", 499_999_999), ("b", 1)], &[], &[]);
        check(
            &[("a/x", 4_000_000), ("a/y", 600_000_000), ("b", 1)],
            &[],
            &["the context has 604 MB, 604 MB of it in `a`"],
        );
        check(&[(".git/HEAD", 1)], &[], &["the context holds `.git`, so each commit makes another image"]);
        check(
            &[("web/node_modules/x/node_modules/y", 1)],
            &[],
            &["the context holds `web/node_modules`, packages of this machine"],
        );
        check(&[], &["a", "b"], &["Terraform's state in the context is left out of the image: `a`, `b`"]);
        let five = ["a", "b", "c", "d", "e"];
        check(
            &[],
            &five,
            &["Terraform's state in the context is left out of the image: `a`, `b`, `c` and 2 more"],
        );
    }
}
