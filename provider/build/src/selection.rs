//! Which part of a folder is asked for, by a Dockerfile's instructions or by BuildKit.
//!
//! Both name paths to follow (what a `COPY` needs), through symbolic links and with wildcards; BuildKit also has
//! patterns to include and exclude. Names and links decide, never content.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    ignore::{PatternError, Rules, Verdict},
    tree::walk_order,
};

/// Paths relative to a root, sorted by their bytes, every folder of a path among them.
pub(crate) trait Names {
    /// All of them.
    fn paths(&self) -> impl Iterator<Item = &str>;

    /// The text that a symbolic link points to.
    fn link(&self, path: &str) -> Option<&str>;
}

/// What was asked for; nothing named means everything.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) follow: Vec<String>,
    pub(crate) include: Vec<String>,
    pub(crate) exclude: Vec<String>,
}

impl Selection {
    /// The paths, each after the folder it is in, in the order of a walk.
    pub(crate) fn of<'a>(&self, names: &'a impl Names) -> Result<Vec<&'a str>, PatternError> {
        let include = match self.wanted(names) {
            Some(wanted) => Some(Rules::new(wanted)?),
            None => None,
        };
        let exclude = Rules::new(&self.exclude)?;
        let mut chosen = BTreeSet::new();
        let (mut included, mut excluded) = (Verdicts::default(), Verdicts::default());
        for path in names.paths() {
            let wanted = include.as_ref().is_none_or(|rules| included.judge(rules, path));
            if wanted & !excluded.judge(&exclude, path) {
                chosen.extend(with_folders(path));
            }
        }
        let mut chosen: Vec<&str> = chosen.into_iter().collect();
        chosen.sort_by(|a, b| walk_order(a, b));
        Ok(chosen)
    }

    /// All patterns of which one has to match; `None` for everything.
    fn wanted(&self, names: &impl Names) -> Option<Vec<String>> {
        let mut follow = Follow { names, reached: BTreeSet::new() };
        for path in &self.follow {
            follow.path(path);
        }
        if follow.reached.contains(".") || (self.follow.is_empty() && self.include.is_empty()) {
            return None;
        }
        Some(self.include.iter().cloned().chain(follow.reached).collect())
    }
}

/// The path, and what is below it but for what the rules, relative to it, leave out.
pub(crate) fn below<'a>(names: &'a impl Names, root: &str, rules: &Rules) -> Vec<&'a str> {
    let mut excluded = Verdicts::default();
    let inside = |path: &'a str| match root {
        "." => Some(path),
        root => path.strip_prefix(root)?.strip_prefix('/'),
    };
    let is_left = |path: &'a str| {
        let is_inside = inside(path).is_some_and(|path| !excluded.judge(rules, path));
        (path == root || is_inside).then_some(path)
    };
    names.paths().filter_map(is_left).collect()
}

/// Verdicts on folders, for what is in them.
#[derive(Default)]
struct Verdicts(BTreeMap<String, Verdict>);

impl Verdicts {
    /// Whether the rules match; folders come before what is in them.
    fn judge(&mut self, rules: &Rules, path: &str) -> bool {
        let parent = path.rsplit_once('/').and_then(|(folder, _)| self.0.get(folder));
        let verdict = parent.map_or_else(|| rules.judge(path, &Verdict::default()), |p| rules.judge(path, p));
        let matched = verdict.ignored;
        self.0.insert(path.to_owned(), verdict);
        matched
    }
}

pub(crate) fn with_folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at]).chain([path])
}

/// Follows paths through links, as far as the tree goes.
struct Follow<'a, N> {
    names: &'a N,
    reached: BTreeSet<String>,
}

impl<N: Names> Follow<'_, N> {
    fn path(&mut self, path: &str) {
        let path = clean(path);
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        for end in ends {
            let (current, rest) = (&path[..end], &path[end..]);
            let targets = self.links(current);
            if targets.is_empty() && !rest.is_empty() {
                continue;
            }
            let new = self.reached.insert(current.to_owned());
            if new {
                for target in targets {
                    self.path(&format!("{target}{rest}"));
                }
            }
            return;
        }
    }

    /// Where the links lead that this path, or pattern, is the name of.
    fn links(&self, path: &str) -> Vec<String> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let target = |path: &str| match self.names.link(path)? {
            target if target.starts_with('/') => Some(target.to_owned()),
            target => Some(format!("{folder}/{target}")),
        };
        if !name.contains(['*', '?', '[', '\\']) {
            return target(path).into_iter().collect();
        }
        let Ok(pattern) = Rules::new([path]) else { return Vec::new() };
        let alike = |other: &&str| {
            let place = other.rsplit_once('/').map_or("", |(folder, _)| folder);
            place == folder && pattern.judge(other, &Verdict::default()).ignored
        };
        self.names.paths().filter(alike).filter_map(target).collect()
    }
}

/// Relative to the root, which nothing leads out of; `.` for the root itself.
pub(crate) fn clean(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    if names.is_empty() { ".".to_owned() } else { names.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Entry, Tree};

    fn tree(paths: &[&str]) -> Tree {
        let mut entries = BTreeMap::new();
        for path in paths {
            let (path, target) = path.split_once("->").map_or((*path, None), |(path, to)| (path, Some(to)));
            for folder in with_folders(path) {
                entries.insert(folder.to_owned(), Entry::Folder);
            }
            if let Some(target) = target {
                entries.insert(path.to_owned(), Entry::Link(target.to_owned()));
            }
        }
        Tree { entries }
    }

    #[test]
    fn selects() {
        let tree = tree(&["a/b/c", "a-b", "a/x.rs", "d->a/b", "e->/d", "f->f", "g->../../a-b", "lib/y.rs"]);
        let check = |follow: &[&str], include: &[&str], exclude: &[&str], expected: &[&str]| {
            let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
            let selection =
                Selection { follow: owned(follow), include: owned(include), exclude: owned(exclude) };
            assert_eq!(selection.of(&tree).unwrap(), expected, "{selection:?}");
        };
        let all = ["a", "a/b", "a/b/c", "a/x.rs", "a-b", "d", "e", "f", "g", "lib", "lib/y.rs"];
        check(&[], &[], &[], &all);
        check(&["/"], &[], &[], &all);
        check(&["."], &["a-b"], &[], &all);
        check(&["Dockerfile", ".dockerignore"], &[], &[], &[]);
        check(&["a/b"], &[], &[], &["a", "a/b", "a/b/c"]);
        check(&["/a-b"], &[], &[], &["a-b"]);
        check(&["d"], &[], &[], &["a", "a/b", "a/b/c", "d"]);
        check(&["d/c"], &[], &[], &["a", "a/b", "a/b/c", "d"]);
        check(&["e/c"], &[], &[], &["a", "a/b", "a/b/c", "d", "e"]);
        check(&["f"], &[], &[], &["f"]);
        check(&["f/x"], &[], &[], &["f"]);
        check(&["g"], &[], &[], &["a-b", "g"]);
        check(&["[de]"], &[], &[], &["a", "a/b", "a/b/c", "d", "e"]);
        check(&["a/*.rs"], &[], &[], &["a", "a/x.rs"]);
        check(&[], &["*.rs"], &[], &[]);
        check(&[], &["**/*.rs"], &[], &["a", "a/x.rs", "lib", "lib/y.rs"]);
        check(&[], &["a"], &["a/b"], &["a", "a/x.rs"]);
        check(&[], &[], &["*", "!a/b"], &["a", "a/b", "a/b/c"]);
    }
}
