//! Reads the archive in which Docker hands out an image, while it comes in.
//!
//! Layers are written anew on the way: times later than the wanted one are set to it, as BuildKit's
//! `rewrite-timestamp` does, headers take one form, and compression is ours. So what BuildKit made twice of
//! the same steps has the same digest, whatever the hour.

use std::{
    collections::BTreeMap,
    io::{self, BufReader, Read},
};

use ecr_registry::ImageConfig;
use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;
use tar::EntryType;
use tempfile::TempDir;

use crate::{
    archive::{Archive, Header, Kind},
    compress::{Layer, LayerWriter},
    recipe::Compression,
};

/// The largest JSON document taken, in bytes.
const MAX_JSON: u64 = 8 << 20;
/// The most entries of an archive: an image has at most 127 layers, and a few files for each.
const MAX_ENTRIES: usize = 4096;

/// An image as it came.
#[derive(Debug)]
pub(crate) struct Exported {
    /// As it was, except for the layers' new digests.
    pub(crate) config: ImageConfig,
    pub(crate) layers: Vec<Layer>,
}

/// An archive that is not an image's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// It broke off, or is no archive.
    #[error("the archive cannot be read")]
    Read(#[from] io::Error),
    /// A document in it is not as it should be.
    #[error("`{name}` in the archive is not valid")]
    Json {
        /// The document.
        name: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A part is missing.
    #[error("the archive has no `{0}`")]
    Missing(String),
    /// More than an image can have.
    #[error("the archive is none of an image: {0}")]
    TooMuch(&'static str),
    /// Something no layer can hold.
    #[error("`{path}` in a layer is of unknown type `{kind}`")]
    UnknownType {
        /// The entry.
        path: String,
        /// The letter of its type.
        kind: char,
    },
}

/// How layers are written anew.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rewrite {
    pub(crate) compression: Compression,
    /// The latest time anything may have: seconds since 1970.
    pub(crate) latest: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    config: String,
    layers: Vec<String>,
}

/// What was found under a name.
enum Part {
    Document(Vec<u8>),
    Layer(Box<Layer>),
    /// The same as under another name.
    Same(String),
}

impl Exported {
    /// Reads all of `from`; large layers become files in `scratch`.
    pub(crate) fn read(from: impl Read, rewrite: Rewrite, scratch: &TempDir) -> Result<Self, ArchiveError> {
        let parts = parts(from, rewrite, scratch)?;
        let listed: Vec<Listed> = json(&parts, "manifest.json")?;
        let listed = listed.into_iter().next().ok_or_else(|| ArchiveError::Missing("image".to_owned()))?;
        let mut config: ImageConfig = json(&parts, &listed.config)?;
        let layers = listed.layers.iter().map(|name| layer(&parts, name));
        let layers = layers.collect::<Result<Vec<_>, _>>()?;
        config.rootfs.diff_ids = layers.iter().map(|layer| layer.diff_id).collect();
        Ok(Self { config, layers })
    }
}

fn parts(
    from: impl Read,
    rewrite: Rewrite,
    scratch: &TempDir,
) -> Result<BTreeMap<String, Part>, ArchiveError> {
    let mut parts = BTreeMap::new();
    let mut archive = tar::Archive::new(from);
    for entry in archive.entries()? {
        if parts.len() == MAX_ENTRIES {
            return Err(ArchiveError::TooMuch("too many entries"));
        }
        let entry = entry?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let part = match entry.header().entry_type() {
            EntryType::Symlink | EntryType::Link => {
                let target = entry.link_name_bytes().unwrap_or_default();
                let target = String::from_utf8_lossy(&target).into_owned();
                let is_link = entry.header().entry_type() == EntryType::Symlink;
                Part::Same(if is_link { beside(&name, &target) } else { target })
            }
            EntryType::Regular => content(entry, rewrite, scratch)?,
            _ => continue,
        };
        parts.insert(name, part);
    }
    Ok(parts)
}

/// The path a relative link at `name` points to.
fn beside(name: &str, target: &str) -> String {
    let mut names: Vec<&str> = name.split('/').collect();
    names.pop();
    for part in target.split('/') {
        match part {
            ".." => drop(names.pop()),
            "." | "" => {}
            part => names.push(part),
        }
    }
    names.join("/")
}

/// A layer, compressed or not, or a document; their names do not tell which.
fn content(mut entry: impl Read, rewrite: Rewrite, scratch: &TempDir) -> Result<Part, ArchiveError> {
    let mut start = Vec::new();
    entry.by_ref().take(512).read_to_end(&mut start)?;
    let is_tar = start.get(257..262) == Some(b"ustar");
    let content = BufReader::with_capacity(1 << 16, start.chain(entry));
    Ok(match &start[..] {
        _ if is_tar => Part::Layer(rewrite.layer(content, scratch)?),
        [0x1f, 0x8b, ..] => Part::Layer(rewrite.layer(MultiGzDecoder::new(content), scratch)?),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            Part::Layer(rewrite.layer(zstd::Decoder::with_buffer(content)?, scratch)?)
        }
        // An archive without entries.
        start if start.len() == 512 && start.iter().all(|byte| *byte == 0) => {
            Part::Layer(rewrite.layer(content, scratch)?)
        }
        _ => {
            let mut json = Vec::new();
            if content.take(MAX_JSON + 1).read_to_end(&mut json)? as u64 > MAX_JSON {
                return Err(ArchiveError::TooMuch("a document is too long"));
            }
            Part::Document(json)
        }
    })
}

fn json<T: serde::de::DeserializeOwned>(
    parts: &BTreeMap<String, Part>,
    name: &str,
) -> Result<T, ArchiveError> {
    match parts.get(name) {
        Some(Part::Document(json)) => serde_json::from_slice(json)
            .map_err(|source| ArchiveError::Json { name: name.to_owned(), source }),
        _ => Err(ArchiveError::Missing(name.to_owned())),
    }
}

fn layer(parts: &BTreeMap<String, Part>, name: &str) -> Result<Layer, ArchiveError> {
    match parts.get(name) {
        Some(Part::Layer(layer)) => Ok((**layer).clone()),
        Some(Part::Same(other)) => match parts.get(other) {
            Some(Part::Layer(layer)) => Ok((**layer).clone()),
            _ => Err(ArchiveError::Missing(other.clone())),
        },
        _ => Err(ArchiveError::Missing(name.to_owned())),
    }
}

impl Rewrite {
    fn layer(self, from: impl Read, scratch: &TempDir) -> Result<Box<Layer>, ArchiveError> {
        let writer = LayerWriter::new(self.compression, scratch)?;
        let mut to = Archive::new(writer);
        let mut archive = tar::Archive::new(from);
        for entry in archive.entries()? {
            let mut entry = entry?;
            if entry.header().entry_type() == EntryType::XGlobalHeader {
                continue;
            }
            let header = self.header(&mut entry)?;
            to.add(&header, &mut entry)?;
        }
        // What may follow the end of an archive is part of what has to be read.
        io::copy(&mut archive.into_inner(), &mut io::sink())?;
        Ok(Box::new(to.finish()?.finish()?))
    }

    fn header<R: Read>(self, entry: &mut tar::Entry<'_, R>) -> Result<Header, ArchiveError> {
        let attributes = attributes(entry)?;
        let link = entry.link_name_bytes().unwrap_or_default().into_owned();
        let header = entry.header();
        let device = || -> io::Result<(u32, u32)> {
            Ok((header.device_major()?.unwrap_or(0), header.device_minor()?.unwrap_or(0)))
        };
        let kind = match header.entry_type() {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => Kind::File,
            EntryType::Directory => Kind::Folder,
            EntryType::Symlink => Kind::Link(link),
            EntryType::Link => Kind::HardLink(link),
            EntryType::Fifo => Kind::Pipe,
            EntryType::Char => device().map(|(major, minor)| Kind::CharacterDevice { major, minor })?,
            EntryType::Block => device().map(|(major, minor)| Kind::BlockDevice { major, minor })?,
            other => {
                let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
                return Err(ArchiveError::UnknownType { path, kind: other.as_byte().into() });
            }
        };
        Ok(Header {
            path: canonical(&entry.path_bytes(), &kind),
            mode: header.mode()? & 0o7777,
            uid: number(&header.as_old().uid, header.uid())?,
            gid: number(&header.as_old().gid, header.gid())?,
            size: if kind == Kind::File { entry.size() } else { 0 },
            mtime: header.mtime().unwrap_or_default().min(self.latest),
            attributes,
            kind,
        })
    }
}

/// A number that was left blank is 0, as other readers have it.
fn number(field: &[u8], read: io::Result<u64>) -> io::Result<u64> {
    if field.iter().all(|byte| matches!(byte, 0 | b' ')) { Ok(0) } else { read }
}

/// Without `./` or `/` at the start, and with `/` at the end of a folder.
fn canonical(path: &[u8], kind: &Kind) -> Vec<u8> {
    let mut path = path;
    while let Some(rest) = path.strip_prefix(b"./").or_else(|| path.strip_prefix(b"/")) {
        path = rest;
    }
    let mut path = path.strip_suffix(b"/").unwrap_or(path).to_owned();
    if *kind == Kind::Folder {
        path.push(b'/');
    }
    path
}

/// Extended attributes: capabilities of programs, mostly.
pub(crate) fn attributes<R: Read>(entry: &mut tar::Entry<'_, R>) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut attributes = BTreeMap::new();
    for record in entry.pax_extensions()?.into_iter().flatten() {
        let record = record?;
        if let Ok(key) = record.key()
            && key.starts_with("SCHILY.xattr.")
        {
            attributes.insert(key.to_owned(), record.value_bytes().to_owned());
        }
    }
    Ok(attributes)
}

#[cfg(test)]
mod tests;
