//! Archives that are looked into: layers of base images, and archives of the context that `ADD` unpacks.
//!
//! What is in one is listed once and remembered by the archive's digest; content is taken out when it is known what is
//! needed of it. Layers are read on this machine only where a step asks what files there are, and sent from here never.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, BufReader, Read, Seek, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use ecr_registry::Digest;
use flate2::bufread::MultiGzDecoder;
use serde::{Deserialize, Serialize};
use tar::EntryType;

/// The most entries of one archive: an image of a million files is no image to copy from.
const MOST: usize = 4_000_000;
/// The longest list that is read back, in bytes.
const LONGEST: u64 = 1 << 30;

/// A file in an archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Packed {
    /// The archive as it is on disk, by its digest.
    pub(super) archive: Digest,
    /// Where the content begins in the archive once it is decompressed, in bytes.
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// What an archive says of one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listed {
    /// Relative to the root, cleaned; empty for the root itself.
    pub(super) path: String,
    pub(super) kind: Kind,
    pub(super) mode: u32,
    pub(super) uid: u64,
    pub(super) gid: u64,
    /// Extended attributes by their PAX keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) attributes: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    Folder,
    File {
        offset: u64,
        size: u64,
    },
    /// A symbolic link and the text it points to.
    Link(String),
    /// Another name of a file, by its path.
    HardLink(String),
    /// A device or a pipe, or a name that is no text.
    Special,
}

/// What is in an archive; `None` if it is none, an error if its compression is not known here.
pub(super) fn list(path: &Path) -> io::Result<Option<Vec<Listed>>> {
    let Some(reader) = decompressed(fs::File::open(path)?)? else { return Ok(None) };
    let mut archive = tar::Archive::new(reader);
    let mut listed = Vec::new();
    for entry in archive.entries()? {
        let entry = match entry {
            Ok(entry) => entry,
            Err(_) if listed.is_empty() => return Ok(None),
            Err(error) => return Err(error),
        };
        if listed.len() == MOST {
            return Err(io::Error::other("the archive has too many entries"));
        }
        listed.extend(listed_of(entry)?);
    }
    Ok((!listed.is_empty()).then_some(listed))
}

fn listed_of<R: Read>(mut entry: tar::Entry<'_, R>) -> io::Result<Option<Listed>> {
    let attributes = crate::docker::attributes(&mut entry)?;
    let header = entry.header();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    let link = text(&entry.link_name_bytes().unwrap_or_default());
    let kind = match (header.entry_type(), link) {
        (EntryType::XGlobalHeader, _) => return Ok(None),
        (EntryType::Directory, _) => Kind::Folder,
        (EntryType::Regular | EntryType::Continuous, _) => {
            Kind::File { offset: entry.raw_file_position(), size: entry.size() }
        }
        (EntryType::Symlink, Some(target)) => Kind::Link(target),
        (EntryType::Link, Some(target)) => Kind::HardLink(cleaned(&target)),
        _ => Kind::Special,
    };
    let path = text(&entry.path_bytes());
    let kind = if path.is_some() { kind } else { Kind::Special };
    let path = path.unwrap_or_else(|| String::from_utf8_lossy(&entry.path_bytes()).into_owned());
    let (mode, uid, gid) = (header.mode()? & 0o7777, header.uid().unwrap_or(0), header.gid().unwrap_or(0));
    Ok(Some(Listed { path: cleaned(&path), kind, mode, uid, gid, attributes }))
}

fn cleaned(path: &str) -> String {
    let clean = crate::selection::clean(path);
    if clean == "." { String::new() } else { clean }
}

/// The archive's own bytes; `None` if it begins like none.
fn decompressed(mut file: fs::File) -> io::Result<Option<Box<dyn Read>>> {
    let mut start = Vec::new();
    Read::by_ref(&mut file).take(512).read_to_end(&mut start)?;
    file.rewind()?;
    let file = BufReader::with_capacity(1 << 17, file);
    Ok(match &start[..] {
        [0x1f, 0x8b, ..] => Some(Box::new(MultiGzDecoder::new(file))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Box::new(zstd::Decoder::with_buffer(file)?)),
        [b'B', b'Z', b'h', ..] | [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            return Err(io::ErrorKind::Unsupported.into());
        }
        _ if start.len() == 512 => Some(Box::new(file)),
        _ => None,
    })
}

/// Writes the contents that begin at these offsets to `to`, and tells where each is there.
pub(super) fn take_out(
    path: &Path,
    wanted: &BTreeSet<&Packed>,
    to: &mut (impl Write + Seek),
) -> io::Result<BTreeMap<Packed, u64>> {
    let by_offset: BTreeMap<u64, &Packed> = wanted.iter().map(|packed| (packed.offset, *packed)).collect();
    let mut places = BTreeMap::new();
    let reader = decompressed(fs::File::open(path)?)?.ok_or(io::ErrorKind::InvalidData)?;
    for entry in tar::Archive::new(reader).entries()? {
        let mut entry = entry?;
        let Some(packed) = by_offset.get(&entry.raw_file_position()) else { continue };
        let place = to.stream_position()?;
        if io::copy(&mut entry, to)? == packed.size {
            places.insert((*packed).clone(), place);
        }
        if places.len() == by_offset.len() {
            break;
        }
    }
    if places.len() < by_offset.len() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a file is not in the archive any more"));
    }
    Ok(places)
}

/// Lists of archives, kept by the archives' digests.
#[derive(Debug, Clone)]
pub(super) struct Lists(pub(super) Option<PathBuf>);

impl Lists {
    fn path(&self, archive: &Digest) -> Option<PathBuf> {
        self.0.as_ref().map(|folder| folder.join(format!("{}.json.zst", archive.hex())))
    }

    /// The list that was kept, if any.
    pub(super) fn get(&self, archive: &Digest) -> Option<Vec<Listed>> {
        let file = fs::File::open(self.path(archive)?).ok()?;
        let mut text = Vec::new();
        zstd::Decoder::new(file).ok()?.take(LONGEST).read_to_end(&mut text).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Keeps a list. Failing to do so is no error.
    pub(super) fn keep(&self, archive: &Digest, listed: &[Listed]) {
        let Some(path) = self.path(archive) else { return };
        let written = || {
            let folder = path.parent().unwrap_or(Path::new("."));
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            let mut new = tempfile::NamedTempFile::new_in(folder)?;
            let text = serde_json::to_vec(listed).map_err(io::Error::other)?;
            new.write_all(&zstd::encode_all(&text[..], 3)?)?;
            new.persist(&path)?;
            io::Result::Ok(())
        };
        if let Err(error) = written() {
            tracing::debug!(file = %path.display(), %error, "the list of a layer's files is not remembered");
        }
    }
}
