//! Copying as BuildKit's `COPY` does: links are followed within the image, folders are merged, the folders on the way
//! are made, patterns choose what is taken and what is not.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    file_system::{Content, FileSystem, Node, join},
    mode::Mode,
    owner::Owner,
    want::Stop,
};
use crate::{
    ignore::{Rules, Verdict},
    selection::clean,
    tree::walk_order,
};

/// What a copy does besides copying.
#[derive(Debug, Default)]
pub(super) struct Copying {
    /// Instead of the source's.
    pub(super) owner: Option<Owner>,
    /// Instead of the source's; octal bits are also those of the folders on the way.
    pub(super) mode: Option<Mode>,
    /// What of a folder is taken, relative to it; all of it when absent.
    pub(super) include: Option<Rules>,
    /// What of a folder is left out, relative to it.
    pub(super) exclude: Rules,
}

impl Copying {
    fn new_folders(&self) -> (u32, Owner) {
        (self.mode.as_ref().map_or(0o755, Mode::of_new_folders), self.owner.unwrap_or_default())
    }

    /// The source's node as the copy has it.
    fn copied(&self, node: &Node) -> Node {
        let is_link = matches!(node.content, Content::Link(_));
        let mode = self.mode.as_ref().filter(|_| !is_link);
        let mode = mode.map_or(node.mode, |mode| mode.apply(node.mode, node.is_folder()));
        Node { mode, owner: self.owner.unwrap_or(node.owner), ..node.clone() }
    }
}

/// Whether a path of a `COPY` is a pattern.
pub(super) fn is_pattern(path: &str) -> bool {
    let mut letters = path.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '*' | '?' | '[' => return true,
            '\\' => drop(letters.next()),
            _ => {}
        }
    }
    false
}

impl FileSystem {
    /// The paths that a source names, in the order of a walk; one that is no pattern names itself.
    pub(super) fn named_by(&self, source: &str) -> Result<Vec<String>, Stop> {
        let cleaned = clean(source);
        let names: Vec<&str> = cleaned.split('/').collect();
        let Some(first) = names.iter().position(|name| is_pattern(name)) else {
            return Ok(vec![source.to_owned()]);
        };
        let folder = self.resolve(&names[..first].join("/"))?;
        let pattern = single_stars(&names[first..].join("/"));
        if pattern.starts_with('!') || pattern.trim() != pattern {
            return Stop::unclear(format!("`{source}` is an odd pattern"));
        }
        let rules = Rules::new([&pattern]).or_else(|error| Stop::unclear(error.to_string()))?;
        let depth = names.len() - first;
        let is_named =
            |path: &str| path.split('/').count() == depth && rules.judge(path, &Verdict::default()).ignored;
        let mut found: Vec<String> = self
            .below(&folder)?
            .filter(|(path, _)| is_named(path))
            .map(|(path, _)| join(&folder, path))
            .collect();
        found.sort_by(|a, b| walk_order(a, b));
        Ok(found)
    }

    /// Copies a path of `from` to `to`, an absolute path that ends with `/` if it is a folder.
    pub(super) fn copy(
        &mut self,
        from: &Self,
        source: &str,
        to: &str,
        copying: &Copying,
    ) -> Result<(), Stop> {
        let found = from.resolve(source)?;
        let source_is_folder = from.is_folder(&found)?;
        let node = if found.is_empty() { None } else { from.node(&found)? };
        if !source_is_folder && node.is_none() {
            return Stop::wrong(format!("`{source}` is not there"));
        }
        let (mode, owner) = copying.new_folders();
        let parent = to.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.make_folder(parent, mode, owner)?;
        let mut target = self.resolve(to)?;
        if source_is_folder {
            self.make_folder(&target, mode, owner)?;
            return self.merge(from, &found, &target, copying);
        }
        if self.is_folder(&target)? {
            let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or(source);
            target = join(&target, name);
        }
        if let Some((parent, _)) = target.rsplit_once('/') {
            self.make_folder(parent, mode, owner)?;
        }
        node.map_or(Ok(()), |node| self.put(target, node, copying))
    }

    /// Copies what is in a folder. The folders that lead to what is taken come along.
    fn merge(&mut self, from: &Self, folder: &str, to: &str, copying: &Copying) -> Result<(), Stop> {
        let mut verdicts: BTreeMap<&str, (Verdict, Verdict)> = BTreeMap::new();
        let mut copied: BTreeSet<&str> = BTreeSet::new();
        let none = (Verdict::default(), Verdict::default());
        for (path, node) in from.below(folder)? {
            let parent = path.rsplit_once('/').map(|(parent, _)| parent);
            let (included, excluded) = parent.and_then(|parent| verdicts.get(parent)).unwrap_or(&none);
            let included = copying.include.as_ref().map(|rules| rules.judge(path, included));
            let excluded = copying.exclude.judge(path, excluded);
            let taken = included.as_ref().is_none_or(|verdict| verdict.ignored) && !excluded.ignored;
            if node.is_folder() {
                verdicts.insert(path, (included.unwrap_or_default(), excluded));
            }
            if !taken {
                continue;
            }
            for (at, _) in path.match_indices('/') {
                if copied.insert(&path[..at]) {
                    self.put_leading(from, &join(folder, &path[..at]), join(to, &path[..at]), copying)?;
                }
            }
            copied.insert(path);
            self.put(join(to, path), node, copying)?;
        }
        Ok(())
    }

    /// A folder that is not taken itself, but something in it.
    fn put_leading(&mut self, from: &Self, source: &str, to: String, copying: &Copying) -> Result<(), Stop> {
        let Some(node) = from.node(source)? else { return Ok(()) };
        let copy = match self.node(&to)? {
            None => copying.copied(node),
            Some(there) if there.is_folder() => Node { mode: node.mode, ..there.clone() },
            Some(_) => return Stop::wrong(format!("`/{to}` is no folder")),
        };
        self.write(to, copy);
        Ok(())
    }

    fn put(&mut self, path: String, node: &Node, copying: &Copying) -> Result<(), Stop> {
        let there = self.node(&path)?.map(Node::is_folder);
        match (there, node.is_folder()) {
            (Some(true), false) => Stop::wrong(format!("`/{path}` is a folder, and cannot become a file")),
            (Some(false), true) => Stop::wrong(format!("`/{path}` is no folder, and cannot become one")),
            _ if node.content == Content::Special => {
                Stop::unclear(format!("`/{path}` is a device, a pipe, or has a name that is no text"))
            }
            _ => {
                self.write(path, copying.copied(node));
                Ok(())
            }
        }
    }
}

/// With each run of stars as one: two mean no more than one where only the names in one folder are meant.
fn single_stars(pattern: &str) -> String {
    let (mut single, mut star) = (String::new(), false);
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if !(star && letter == '*') {
            single.push(letter);
        }
        star = letter == '*';
        if letter == '\\' {
            single.extend(letters.next());
        }
    }
    single
}
