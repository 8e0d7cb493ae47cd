//! The files of an image in the making, as values: what is where, and what the last step wrote.
//!
//! Copying into it is what BuildKit's `COPY` is: links are followed within the image, folders are merged, the folders on
//! the way are made. What BuildKit would refuse, or what depends on more than is known here, is [`Unclear`].

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::{
    ignore::{Rules, Verdict},
    tree::{Entry, File, Tree},
};

/// Left to BuildKit, for this reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unclear(pub(super) String);

/// How often a link may lead to a link.
const LINKS: usize = 40;

/// Owner and group, by number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) uid: u64,
    pub(super) gid: u64,
}

/// A path of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) content: Content,
    /// Permission bits.
    pub(super) mode: u32,
    pub(super) owner: Owner,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    Folder,
    /// A symbolic link and the text it points to.
    Link(String),
    File(File),
    /// A file whose content is in the Dockerfile.
    Text(Bytes),
}

/// What a copy does besides copying.
#[derive(Debug, Default)]
pub(super) struct Copying {
    /// Instead of the source's.
    pub(super) owner: Option<Owner>,
    /// Instead of the source's, also for the folders on the way.
    pub(super) mode: Option<u32>,
    /// What of a folder is left out, relative to it.
    pub(super) exclude: Rules,
}

/// Paths relative to the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FileSystem {
    nodes: BTreeMap<String, Node>,
    written: BTreeSet<String>,
}

impl FileSystem {
    /// A tree, owned by root.
    pub(super) fn of_tree(tree: &Tree) -> Self {
        let node = |entry: &Entry| {
            let content = match entry {
                Entry::Folder => Content::Folder,
                Entry::Link(target) => Content::Link(target.clone()),
                Entry::File(file) => Content::File(file.clone()),
            };
            Node { content, mode: entry.mode(), owner: Owner::default() }
        };
        let nodes = tree.entries.iter().map(|(path, entry)| (path.clone(), node(entry))).collect();
        Self { nodes, written: BTreeSet::new() }
    }

    /// What was written since this was asked last.
    pub(super) fn take_written(&mut self) -> BTreeMap<String, Node> {
        let written = std::mem::take(&mut self.written);
        written
            .into_iter()
            .filter_map(|path| self.nodes.get(&path).map(|node| (path.clone(), node.clone())))
            .collect()
    }

    /// All paths.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.nodes.keys().map(String::as_str)
    }

    fn is_folder(&self, path: &str) -> bool {
        path.is_empty() || matches!(self.nodes.get(path), Some(Node { content: Content::Folder, .. }))
    }

    /// Where a path leads, links followed, the last as well; nothing leads out of the root.
    pub(super) fn resolve(&self, path: &str) -> Result<String, Unclear> {
        let mut resolved: Vec<String> = Vec::new();
        let mut open: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut links = 0;
        while let Some(name) = open.pop() {
            match name.as_str() {
                "" | "." => continue,
                ".." => {
                    resolved.pop();
                    continue;
                }
                _ => resolved.push(name),
            }
            if let Some(Node { content: Content::Link(target), .. }) = self.nodes.get(&resolved.join("/")) {
                links += 1;
                if links > LINKS {
                    return Err(Unclear(format!("`{path}` leads through too many links")));
                }
                resolved.pop();
                if target.starts_with('/') {
                    resolved.clear();
                }
                open.extend(target.split('/').rev().map(str::to_owned));
            }
        }
        Ok(resolved.join("/"))
    }

    /// Makes a folder and those it is in, as far as they are missing.
    pub(super) fn make_folder(&mut self, path: &str, mode: u32, owner: Owner) -> Result<(), Unclear> {
        let resolved = self.resolve(path)?;
        let ends = resolved.match_indices('/').map(|(at, _)| at).chain([resolved.len()]);
        for folder in ends.map(|end| &resolved[..end]).filter(|folder| !folder.is_empty()) {
            match self.nodes.get(folder) {
                Some(Node { content: Content::Folder, .. }) => {}
                Some(_) => return Err(Unclear(format!("`{folder}` is no folder"))),
                None => self.write(folder.to_owned(), Node { content: Content::Folder, mode, owner }),
            }
        }
        Ok(())
    }

    fn write(&mut self, path: String, node: Node) {
        self.written.insert(path.clone());
        self.nodes.insert(path, node);
    }

    /// Copies a path of `from` to `to`, an absolute path that ends with `/` if it is a folder.
    pub(super) fn copy(
        &mut self,
        from: &Self,
        source: &str,
        to: &str,
        copying: &Copying,
    ) -> Result<(), Unclear> {
        let found = from.resolve(source)?;
        let is_folder = from.is_folder(&found);
        if !is_folder && !from.nodes.contains_key(&found) {
            return Err(Unclear(format!("`{source}` is missing")));
        }
        let (mode, owner) = (copying.mode.unwrap_or(0o755), copying.owner.unwrap_or_default());
        let parent = to.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.make_folder(parent, mode, owner)?;
        let mut target = self.resolve(to)?;
        if is_folder {
            self.make_folder(&target, mode, owner)?;
            return self.merge(from, &found, &target, copying);
        }
        if self.is_folder(&target) {
            let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or(source);
            target = join(&target, name);
        }
        if let Some((parent, _)) = target.rsplit_once('/') {
            self.make_folder(parent, mode, owner)?;
        }
        self.put(target, &from.nodes[&found], copying)
    }

    /// Copies what is in a folder.
    fn merge(&mut self, from: &Self, folder: &str, to: &str, copying: &Copying) -> Result<(), Unclear> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let below = from.nodes.range(prefix.clone()..).take_while(|(path, _)| path.starts_with(&prefix));
        let mut verdicts: BTreeMap<&str, Verdict> = BTreeMap::new();
        for (path, node) in below {
            let path = &path[prefix.len()..];
            let parent = path.rsplit_once('/').and_then(|(parent, _)| verdicts.get(parent));
            let verdict = copying.exclude.judge(path, parent.unwrap_or(&Verdict::default()));
            let excluded = verdict.ignored;
            verdicts.insert(path, verdict);
            if !excluded {
                self.put(join(to, path), node, copying)?;
            }
        }
        Ok(())
    }

    fn put(&mut self, path: String, node: &Node, copying: &Copying) -> Result<(), Unclear> {
        let is_folder = node.content == Content::Folder;
        match self.nodes.get(&path) {
            Some(Node { content: Content::Folder, .. }) if is_folder => return Ok(()),
            Some(Node { content: Content::Folder, .. }) => {
                return Err(Unclear(format!("`{path}` is a folder, and a file would replace it")));
            }
            Some(_) if is_folder => return Err(Unclear(format!("`{path}` is no folder"))),
            _ => {}
        }
        let is_link = matches!(node.content, Content::Link(_));
        let mode = copying.mode.filter(|_| !is_link).unwrap_or(node.mode);
        let owner = copying.owner.unwrap_or(node.owner);
        self.write(path, Node { content: node.content.clone(), mode, owner });
        Ok(())
    }

    /// A single file in memory, to be copied from.
    pub(super) fn of_text(name: &str, text: String) -> Self {
        let node = Node { content: Content::Text(text.into()), mode: 0o644, owner: Owner::default() };
        Self { nodes: [(name.to_owned(), node)].into(), written: BTreeSet::new() }
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
