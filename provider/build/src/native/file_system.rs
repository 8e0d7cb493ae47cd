//! The files of an image in the making, as values: what is where, and what the last step wrote.
//!
//! What a base image has is asked for when a step depends on it, and only then: [`FileSystem::node`] says what is
//! wanted. Copying into it is in [`super::copy`].

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use ecr_registry::Digest;

use super::{
    owner::Owner,
    tars::{Kind, Listed, Packed},
    want::{Named, Stop, Want},
};
use crate::tree::{Entry, File, Tree};

/// How often a link may lead to a link.
const LINKS: usize = 40;

/// A path of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) content: Content,
    /// Permission bits.
    pub(super) mode: u32,
    pub(super) owner: Owner,
    /// Extended attributes by their PAX keys.
    pub(super) attributes: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    Folder,
    /// A symbolic link and the text it points to.
    Link(String),
    File(File),
    /// A file whose content is in the Dockerfile.
    Text(Bytes),
    /// A file in an archive.
    Packed(Packed),
    /// A device or a pipe.
    Special,
}

impl Node {
    pub(super) fn new(content: Content, mode: u32, owner: Owner) -> Self {
        Self { content, mode, owner, attributes: BTreeMap::new() }
    }

    /// An entry of a tree, owned by root.
    pub(super) fn of_entry(entry: &Entry) -> Self {
        let content = match entry {
            Entry::Folder => Content::Folder,
            Entry::Link(target) => Content::Link(target.clone()),
            Entry::File(file) => Content::File(file.clone()),
        };
        Self::new(content, entry.mode(), Owner::default())
    }

    pub(super) fn is_folder(&self) -> bool {
        self.content == Content::Folder
    }

    /// What an archive lists; `None` for another name of a file.
    fn listed(listed: &Listed, archive: Digest) -> Option<Self> {
        let content = match &listed.kind {
            Kind::Folder => Content::Folder,
            Kind::File { offset, size } => Content::Packed(Packed { archive, offset: *offset, size: *size }),
            Kind::Link(target) => Content::Link(target.clone()),
            Kind::Special => Content::Special,
            Kind::HardLink(_) => return None,
        };
        let owner = Owner { uid: listed.uid, gid: listed.gid };
        Some(Self { content, mode: listed.mode, owner, attributes: listed.attributes.clone() })
    }
}

/// Paths relative to the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FileSystem {
    nodes: BTreeMap<String, Node>,
    written: BTreeSet<String>,
    /// The image below, as long as its files are not known.
    below: Option<Named>,
}

impl FileSystem {
    /// A tree, owned by root.
    pub(super) fn of_tree(tree: &Tree) -> Self {
        let nodes = tree.entries.iter().map(|(path, entry)| (path.clone(), Node::of_entry(entry))).collect();
        Self { nodes, ..Self::default() }
    }

    /// A single file, to be copied from.
    pub(super) fn of_file(name: &str, node: Node) -> Self {
        Self { nodes: [(name.to_owned(), node)].into(), ..Self::default() }
    }

    /// On an image whose files are not known yet.
    pub(super) fn on(image: Named) -> Self {
        Self { below: Some(image), ..Self::default() }
    }

    /// What layers make together, the lowest first.
    pub(super) fn of_layers<'a>(layers: impl IntoIterator<Item = (Digest, &'a [Listed])>) -> Self {
        let mut files = Self::default();
        for (digest, listed) in layers {
            files.hide(listed);
            let is_whiteout = |listed: &&Listed| name_of(&listed.path).starts_with(WHITEOUT);
            for listed in listed.iter().filter(|listed| !listed.path.is_empty() && !is_whiteout(listed)) {
                let node = match &listed.kind {
                    Kind::HardLink(target) => files.nodes.get(target).cloned(),
                    _ => Node::listed(listed, digest),
                };
                if let Some(node) = node {
                    files.place(&listed.path, node);
                }
            }
        }
        files.written.clear();
        files
    }

    /// Removes what a layer's whiteouts say.
    fn hide(&mut self, listed: &[Listed]) {
        for listed in listed {
            let (folder, name) = listed.path.rsplit_once('/').unwrap_or(("", &listed.path));
            match name.strip_prefix(WHITEOUT) {
                Some(".wh..opq") => self.remove_below(folder),
                Some(name) => self.remove(&join(folder, name)),
                None => {}
            }
        }
    }

    /// What was written since this was asked last.
    pub(super) fn take_written(&mut self) -> BTreeMap<String, Node> {
        let written = std::mem::take(&mut self.written);
        let written = written.into_iter();
        written.filter_map(|path| self.nodes.get(&path).map(|node| (path.clone(), node.clone()))).collect()
    }

    /// What is at a path, links not followed.
    pub(super) fn node(&self, path: &str) -> Result<Option<&Node>, Stop> {
        match (self.nodes.get(path), &self.below) {
            (None, Some(image)) => Err(Stop::Wants(Want::Files(image.clone()))),
            (node, _) => Ok(node),
        }
    }

    pub(super) fn is_folder(&self, path: &str) -> Result<bool, Stop> {
        Ok(path.is_empty() || self.node(path)?.is_some_and(Node::is_folder))
    }

    /// What is below a folder, by paths relative to it, in the order of their bytes.
    pub(super) fn below<'a>(
        &'a self,
        folder: &str,
    ) -> Result<impl Iterator<Item = (&'a str, &'a Node)> + use<'a>, Stop> {
        if let Some(image) = &self.below {
            return Err(Stop::Wants(Want::Files(image.clone())));
        }
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let skip = prefix.len();
        let below = self.nodes.range(prefix.clone()..).take_while(move |(path, _)| path.starts_with(&prefix));
        Ok(below.map(move |(path, node)| (&path[skip..], node)))
    }

    /// Where a path leads, links followed, the last as well; nothing leads out of the root.
    pub(super) fn resolve(&self, path: &str) -> Result<String, Stop> {
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
            if let Some(Node { content: Content::Link(target), .. }) = self.node(&resolved.join("/"))? {
                links += 1;
                if links > LINKS {
                    return Stop::wrong(format!("`{path}` leads through too many links"));
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
    pub(super) fn make_folder(&mut self, path: &str, mode: u32, owner: Owner) -> Result<(), Stop> {
        let resolved = self.resolve(path)?;
        let ends = resolved.match_indices('/').map(|(at, _)| at).chain([resolved.len()]);
        for folder in ends.map(|end| &resolved[..end]).filter(|folder| !folder.is_empty()) {
            match self.node(folder)? {
                Some(node) if node.is_folder() => {}
                Some(_) => return Stop::wrong(format!("`/{folder}` is no folder")),
                None => self.write(folder.to_owned(), Node::new(Content::Folder, mode, owner)),
            }
        }
        Ok(())
    }

    pub(super) fn write(&mut self, path: String, node: Node) {
        self.written.insert(path.clone());
        self.nodes.insert(path, node);
    }

    /// Writes as unpacking does: what is of another kind gives way, and what is below it.
    pub(super) fn place(&mut self, path: &str, node: Node) {
        if !node.is_folder() || self.nodes.get(path).is_some_and(|there| !there.is_folder()) {
            self.remove_below(path);
        }
        self.write(path.to_owned(), node);
    }

    fn remove(&mut self, path: &str) {
        self.remove_below(path);
        self.nodes.remove(path);
        self.written.remove(path);
    }

    fn remove_below(&mut self, folder: &str) {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let range = self.nodes.range(prefix.clone()..);
        let gone: Vec<String> =
            range.map(|(path, _)| path).take_while(|path| path.starts_with(&prefix)).cloned().collect();
        for path in gone {
            self.nodes.remove(&path);
            self.written.remove(&path);
        }
    }

    /// Puts what an archive has into a folder, which is there.
    pub(super) fn unpack(
        &mut self,
        archive: Digest,
        listed: &[Listed],
        folder: &str,
        owner: Option<Owner>,
    ) -> Result<(), Stop> {
        for listed in listed {
            let (parent, name) = listed.path.rsplit_once('/').unwrap_or(("", &listed.path));
            if name.is_empty() {
                continue;
            }
            let parent = join(folder, parent);
            self.make_folder(&parent, 0o755, Owner::default())?;
            let path = join(&self.resolve(&parent)?, name);
            let node = match &listed.kind {
                Kind::HardLink(target) => {
                    let target = join(folder, target);
                    let found = self.node(&target)?.cloned();
                    found.ok_or(Stop::Unclear(format!(
                        "`{target}` of an archive is another name of nothing"
                    )))?
                }
                _ => Node::listed(listed, archive).ok_or(Stop::Unclear("an odd archive".to_owned()))?,
            };
            self.node(&path)?;
            self.place(&path, Node { owner: owner.unwrap_or(node.owner), ..node });
        }
        Ok(())
    }

    /// Puts a layer on top that was made apart from what is here.
    pub(super) fn link(&mut self, layer: BTreeMap<String, Node>) {
        for (path, node) in layer {
            self.place(&path, node);
        }
    }
}

/// What the name of a file begins with that says that another is gone.
const WHITEOUT: &str = ".wh.";

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

pub(super) fn join(folder: &str, name: &str) -> String {
    match (folder, name) {
        ("", name) => name.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, name) => format!("{folder}/{name}"),
    }
}
