//! The tree a build sees: names, kinds, executable bits and content digests.
//!
//! Nothing else of a file is kept: no time, owner, umask or inode, so a tree is the same on every machine.

use std::{cmp::Ordering, collections::BTreeMap, convert::Infallible, path::PathBuf};

use ecr_registry::{Digest, names::Digester};

use crate::{parallel::in_parallel, selection::Names};

/// Folders, files and links by their paths relative to the root, in the order of the paths' bytes.
///
/// Every folder of a path is an entry of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) entries: BTreeMap<String, Entry>,
}

/// One path of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    Folder,
    File(File),
    /// A symbolic link and the text it points to.
    Link(String),
}

/// A file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    /// Where to read it.
    pub(crate) path: PathBuf,
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) executable: bool,
    pub(crate) digest: Digest,
}

impl Entry {
    /// Permission bits, as git has them: one bit of the file's own decides.
    pub(crate) fn mode(&self) -> u32 {
        match self {
            Self::Folder => 0o755,
            Self::File(file) if file.executable => 0o755,
            Self::File(_) => 0o644,
            Self::Link(_) => 0o777,
        }
    }

    /// A digest of all there is to the entry but its name.
    pub(crate) fn digest(&self) -> Digest {
        match self {
            Self::Folder => Digest::of(b"folder"),
            Self::File(file) => {
                let mut digester = Digester::new();
                digester.update(if file.executable { b"program " } else { b"file " });
                digester.update(file.digest.to_string().as_bytes());
                digester.finish()
            }
            Self::Link(target) => Digest::of(format!("link {target}").as_bytes()),
        }
    }
}

impl Tree {
    /// Every path, what it is, and the digest of that.
    pub(crate) fn digests(&self) -> Vec<(&str, &Entry, Digest)> {
        let entries: Vec<_> = self.entries.iter().collect();
        let Ok(digests) = in_parallel(&entries, |(path, entry)| {
            Ok::<_, Infallible>((path.as_str(), *entry, entry.digest()))
        });
        digests
    }

    /// A digest of all names and entries.
    pub(crate) fn digest(&self) -> Digest {
        digest_of(self.digests().into_iter().map(|(path, _, digest)| (path, digest)))
    }

    /// Whether nothing is below this path.
    pub(crate) fn is_empty_folder(&self, path: &str) -> bool {
        let below = format!("{path}/");
        let next = self.entries.range(below.clone()..).next();
        next.is_none_or(|(next, _)| !next.starts_with(&below))
    }
}

impl Names for Tree {
    fn paths(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    fn link(&self, path: &str) -> Option<&str> {
        match self.entries.get(path) {
            Some(Entry::Link(target)) => Some(target),
            _ => None,
        }
    }
}

/// A digest of named digests, in the order given.
pub(crate) fn digest_of<'a>(named: impl IntoIterator<Item = (&'a str, Digest)>) -> Digest {
    let mut digester = Digester::new();
    for (name, digest) in named {
        digester.update(digest.to_string().as_bytes());
        digester.update(&(name.len() as u64).to_be_bytes());
        digester.update(name.as_bytes());
    }
    digester.finish()
}

/// The order in which a walk meets two paths: a folder's content comes before its next sibling.
pub(crate) fn walk_order(a: &str, b: &str) -> Ordering {
    a.split('/').cmp(b.split('/'))
}
