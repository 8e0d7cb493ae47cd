//! Where the files of a tar archive are in it. Archives are read as data: nothing is ever unpacked to a name that an
//! archive chose, and nothing it says makes this take more memory than its headers need.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufReader, Read, Seek, SeekFrom},
    path::Path,
};

use tar::{EntryType, Header, PaxExtensions};

use super::LocalProblem;

/// Where a file is in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) offset: u64,
    pub(super) size: u64,
}

#[derive(Debug)]
enum Entry {
    File(Span),
    /// The name of another entry.
    Link(String),
}

/// The files of an archive by name.
#[derive(Debug, Default)]
pub(super) struct TarIndex(BTreeMap<String, Entry>);

const BLOCK: u64 = 512;
/// More than any archive of images has.
const MAX_ENTRIES: usize = 65_536;
/// In bytes.
const MAX_NAME: usize = 1024;
/// For long names and other extensions of one entry, in bytes.
const MAX_EXTENSION: u64 = 64 * 1024;
const MAX_LINKS: usize = 8;

/// What extensions say about the entry that follows them.
#[derive(Default)]
struct Said {
    path: Option<String>,
    link: Option<String>,
    size: Option<u64>,
}

impl TarIndex {
    pub(super) fn read(path: &Path) -> Result<Self, LocalProblem> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut file = BufReader::new(file);
        let (mut index, mut said, mut position) = (Self::default(), Said::default(), 0);
        while let Some(header) = next_header(&mut file)? {
            let name = said.path.clone().unwrap_or_else(|| text(&header.path_bytes()));
            let broken = |problem| LocalProblem::Entry { name: shortened(&name), problem };
            let size = match said.size {
                Some(size) => size,
                None => header.entry_size().map_err(|_| broken("has no valid size"))?,
            };
            let offset = position + BLOCK;
            let end = offset.checked_add(size).filter(|end| *end <= length);
            let end = end.ok_or_else(|| broken("goes on after the end of the archive"))?;
            match header.entry_type() {
                kind if kind.is_gnu_longname()
                    || kind.is_gnu_longlink()
                    || kind.is_pax_local_extensions() =>
                {
                    said.hear(kind, &mut file, size, &broken)?;
                }
                kind => {
                    index.note(std::mem::take(&mut said), &header, kind, &name, Span { offset, size })?;
                }
            }
            position = end.next_multiple_of(BLOCK);
            file.seek(SeekFrom::Start(position))?;
        }
        Ok(index)
    }

    fn note(
        &mut self,
        said: Said,
        header: &Header,
        kind: EntryType,
        name: &str,
        span: Span,
    ) -> Result<(), LocalProblem> {
        let broken = |problem| LocalProblem::Entry { name: shortened(name), problem };
        let link = || said.link.or_else(|| header.link_name_bytes().map(|bytes| text(&bytes)));
        let place = plain("", name).ok_or_else(|| broken("leads out of the archive"))?;
        let entry = match kind {
            EntryType::Regular | EntryType::Continuous => Entry::File(span),
            EntryType::Symlink => {
                let folder = place.rsplit_once('/').map_or("", |(folder, _)| folder);
                let target = plain(folder, &link().unwrap_or_default());
                Entry::Link(target.ok_or_else(|| broken("links out of the archive"))?)
            }
            EntryType::Link => {
                let target = plain("", &link().unwrap_or_default());
                Entry::Link(target.ok_or_else(|| broken("links out of the archive"))?)
            }
            EntryType::Directory | EntryType::XGlobalHeader => return Ok(()),
            _ => return Err(broken("is neither a file nor a link")),
        };
        if name.len() > MAX_NAME {
            return Err(broken("has a name longer than anybody's"));
        }
        if self.0.len() >= MAX_ENTRIES {
            return Err(broken("is one too many"));
        }
        match self.0.insert(place, entry) {
            None => Ok(()),
            Some(_) => Err(broken("is there twice")),
        }
    }

    /// Where the file of this name is; links lead to it.
    pub(super) fn find(&self, name: &str) -> Result<Span, LocalProblem> {
        let missing = || LocalProblem::Missing(shortened(name));
        let mut name = plain("", name).ok_or_else(missing)?;
        for _ in 0..MAX_LINKS {
            match self.0.get(&name).ok_or_else(missing)? {
                Entry::File(span) => return Ok(*span),
                Entry::Link(target) => name.clone_from(target),
            }
        }
        Err(LocalProblem::Entry { name: shortened(&name), problem: "is a link without end" })
    }
}

impl Said {
    fn hear(
        &mut self,
        kind: EntryType,
        file: &mut impl Read,
        size: u64,
        broken: &impl Fn(&'static str) -> LocalProblem,
    ) -> Result<(), LocalProblem> {
        if size > MAX_EXTENSION {
            return Err(broken("has longer extensions than anybody's"));
        }
        let mut bytes = Vec::new();
        file.take(size).read_to_end(&mut bytes)?;
        match kind {
            EntryType::GNULongName => self.path = Some(text(&bytes)),
            EntryType::GNULongLink => self.link = Some(text(&bytes)),
            _ => {
                for record in PaxExtensions::new(&bytes) {
                    let record = record.map_err(|_| broken("has extensions that cannot be read"))?;
                    let value = text(record.value_bytes());
                    match record.key_bytes() {
                        b"path" => self.path = Some(value),
                        b"linkpath" => self.link = Some(value),
                        b"size" => self.size = Some(value.parse().map_err(|_| broken("has no valid size"))?),
                        key if key.starts_with(b"GNU.sparse") => return Err(broken("is sparse")),
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }
}

/// `None` at the end of the archive, which is a block of zeros or the end of the file.
fn next_header(file: &mut impl Read) -> Result<Option<Header>, LocalProblem> {
    let broken = |problem| LocalProblem::Entry { name: String::new(), problem };
    let mut header = Header::new_old();
    let mut length = 0;
    while length < header.as_bytes().len() {
        match file.read(&mut header.as_mut_bytes()[length..])? {
            0 if length == 0 => return Ok(None),
            0 => return Err(broken("breaks off")),
            read => length += read,
        }
    }
    if header.as_bytes().iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    let bytes = header.as_bytes();
    let actual = sum(&bytes[..148]) + sum(&bytes[156..]) + 8 * u32::from(b' ');
    match header.cksum() {
        Ok(expected) if expected == actual => Ok(Some(header)),
        _ => Err(broken("has a wrong checksum, so this is no tar archive")),
    }
}

/// A name in a folder, without what means nothing; `None` if it is absolute or climbs out.
fn plain(folder: &str, name: &str) -> Option<String> {
    if name.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

fn shortened(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests;
