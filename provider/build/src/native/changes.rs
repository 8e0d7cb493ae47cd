//! What a layer does to the file system below it.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
};

use ecr_registry::names::Digester;

use super::{
    file_system::{Content, Node},
    materials::Unpacked,
    owner::Owner,
};
use crate::{
    archive::{Archive, Header, Kind},
    compress::{Layer, LayerWriter},
    context::Part,
    error::ContextError,
    tree::{Entry, File},
};

/// Folders that every base image brings along, some of them as links (`/bin`) or with permissions of their
/// own (`/tmp`). A layer onto a base does not name them: an entry for a folder would replace either.
const BROUGHT_BY_BASE: [&str; 43] = [
    "bin",
    "boot",
    "dev",
    "etc",
    "home",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "media",
    "mnt",
    "opt",
    "proc",
    "root",
    "run",
    "sbin",
    "srv",
    "sys",
    "tmp",
    "usr",
    "usr/bin",
    "usr/include",
    "usr/lib",
    "usr/lib32",
    "usr/lib64",
    "usr/libexec",
    "usr/libx32",
    "usr/local",
    "usr/local/bin",
    "usr/local/etc",
    "usr/local/include",
    "usr/local/lib",
    "usr/local/sbin",
    "usr/local/share",
    "usr/sbin",
    "usr/share",
    "usr/src",
    "var",
    "var/cache",
    "var/lib",
    "var/log",
    "var/run",
    "var/tmp",
];

/// Puts a part at its destination, with the folders on the way there: the paths of a layer in the image. `mode` are
/// permission bits of files, instead of their own.
pub(super) fn of_part(part: &Part, mode: Option<u32>, onto_base: bool) -> BTreeMap<String, Node> {
    let folders = part.destination.folders().map(|folder| (folder, &Entry::Folder));
    let content = part.tree.entries.iter().map(|(path, entry)| (part.place(path), entry));
    let mut nodes = BTreeMap::new();
    for (path, entry) in folders.chain(content) {
        let mut node = Node::of_entry(entry);
        if let (Content::File(_), Some(mode)) = (&node.content, mode) {
            node.mode = mode;
        }
        nodes.insert(path, node);
    }
    if onto_base {
        nodes.retain(|path, node| !node.is_folder() || !BROUGHT_BY_BASE.contains(&path.as_str()));
    }
    nodes
}

/// Writes what a step wrote as a layer in which everything has the time `mtime`.
pub(super) fn write(
    nodes: &BTreeMap<String, Node>,
    unpacked: Option<&Unpacked>,
    mtime: u64,
    layer: LayerWriter,
) -> Result<Layer, WriteError> {
    let mut archive = Archive::new(layer);
    for (path, node) in nodes {
        let (kind, size, suffix) = match &node.content {
            Content::Folder => (Kind::Folder, 0, "/"),
            Content::Link(target) => (Kind::Link(target.clone().into_bytes()), 0, ""),
            Content::File(file) => (Kind::File, file.size, ""),
            Content::Text(text) => (Kind::File, text.len() as u64, ""),
            Content::Packed(packed) => (Kind::File, packed.size, ""),
            Content::Special => (Kind::Pipe, 0, ""),
        };
        let path = format!("{path}{suffix}").into_bytes();
        let Owner { uid, gid } = node.owner;
        let attributes = node.attributes.clone();
        let header = Header { path, kind, mode: node.mode, uid, gid, size, mtime, attributes };
        match (&node.content, unpacked) {
            (Content::File(file), _) => add_file(&mut archive, &header, file)?,
            (Content::Text(text), _) => archive.add(&header, &text[..])?,
            (Content::Packed(packed), Some(unpacked)) => archive.add(&header, unpacked.open(packed)?)?,
            _ => archive.add(&header, io::empty())?,
        }
    }
    Ok(archive.finish()?.finish()?)
}

/// A layer that could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// Its content could not be read.
    #[error(transparent)]
    Content(#[from] ContextError),
    /// The disk would not take it.
    #[error(transparent)]
    Scratch(#[from] io::Error),
}

fn add_file(archive: &mut Archive<LayerWriter>, header: &Header, file: &File) -> Result<(), WriteError> {
    let unreadable = |source| ContextError::Unreadable { path: file.path.clone(), source };
    let changed = || ContextError::Changed { path: file.path.clone() };
    let from = fs::File::open(&file.path).map_err(unreadable)?;
    let mut content = Digesting { from, digester: Digester::new() };
    match archive.add(header, &mut content) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(changed().into()),
        other => other?,
    }
    let ended = content.read(&mut [0]).map_err(unreadable)? == 0;
    let same = ended && content.digester.finish() == file.digest;
    if same { Ok(()) } else { Err(changed().into()) }
}

/// Digests what is read through it.
struct Digesting<R> {
    from: R,
    digester: Digester,
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.digester.update(&buffer[..read]);
        Ok(read)
    }
}
