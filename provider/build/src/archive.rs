//! Writes tar archives whose bytes depend on nothing but the entries.
//!
//! POSIX ustar headers, with PAX records only where a header has no room. User and group names are empty,
//! times are whole seconds, and two empty blocks end the archive.

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
};

const BLOCK: usize = 512;

/// What is written of an entry besides its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// Without a leading slash; a folder's ends with one.
    pub(crate) path: Vec<u8>,
    pub(crate) kind: Kind,
    /// Permission bits.
    pub(crate) mode: u32,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    /// Of the content, in bytes.
    pub(crate) size: u64,
    /// Seconds since 1970.
    pub(crate) mtime: u64,
    /// Extended attributes by their PAX keys.
    pub(crate) attributes: BTreeMap<String, Vec<u8>>,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    Link(Vec<u8>),
    HardLink(Vec<u8>),
    CharacterDevice { major: u32, minor: u32 },
    BlockDevice { major: u32, minor: u32 },
    Pipe,
}

/// An archive in the making.
pub(crate) struct Archive<W> {
    to: W,
}

impl<W: Write> Archive<W> {
    pub(crate) fn new(to: W) -> Self {
        Self { to }
    }

    /// Adds an entry; `content` has to have exactly the size the header says.
    pub(crate) fn add(&mut self, header: &Header, content: impl Read) -> io::Result<()> {
        let records = pax_records(header);
        if !records.is_empty() {
            self.to.write_all(&pax_header(header, records.len()).block())?;
            self.to.write_all(&records)?;
            self.pad(records.len() as u64)?;
        }
        self.to.write_all(&header.block())?;
        let copied = io::copy(&mut content.take(header.size), &mut self.to)?;
        if copied < header.size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.pad(copied)
    }

    /// Ends the archive.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.to.write_all(&[0; 2 * BLOCK])?;
        Ok(self.to)
    }

    fn pad(&mut self, written: u64) -> io::Result<()> {
        let over = usize::try_from(written % BLOCK as u64).expect("less than a block");
        let padding = (BLOCK - over) % BLOCK;
        self.to.write_all(&[0; BLOCK][..padding])
    }
}

impl Header {
    fn block(&self) -> [u8; BLOCK] {
        let (kind, link, major, minor) = match &self.kind {
            Kind::File => (b'0', &[][..], 0, 0),
            Kind::HardLink(target) => (b'1', &target[..], 0, 0),
            Kind::Link(target) => (b'2', &target[..], 0, 0),
            Kind::CharacterDevice { major, minor } => (b'3', &[][..], *major, *minor),
            Kind::BlockDevice { major, minor } => (b'4', &[][..], *major, *minor),
            Kind::Folder => (b'5', &[][..], 0, 0),
            Kind::Pipe => (b'6', &[][..], 0, 0),
        };
        self.raw_block(kind, link, major, minor)
    }

    fn raw_block(&self, kind: u8, link: &[u8], major: u32, minor: u32) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        put_text(&mut block[0..100], &self.path);
        put_octal(&mut block[100..108], u64::from(self.mode));
        put_octal(&mut block[108..116], self.uid);
        put_octal(&mut block[116..124], self.gid);
        put_octal(&mut block[124..136], self.size);
        put_octal(&mut block[136..148], self.mtime);
        block[148..156].fill(b' ');
        block[156] = kind;
        put_text(&mut block[157..257], link);
        block[257..265].copy_from_slice(b"ustar\x0000");
        put_octal(&mut block[329..337], u64::from(major));
        put_octal(&mut block[337..345], u64::from(minor));
        let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
        put_octal(&mut block[148..155], sum);
        block
    }
}

/// Text that does not fit is cut here and given in full by a PAX record.
fn put_text(field: &mut [u8], text: &[u8]) {
    let length = text.len().min(field.len());
    let plain = text[..length].iter().map(|byte| if byte.is_ascii() { *byte } else { b'_' });
    field.iter_mut().zip(plain).for_each(|(to, from)| *to = from);
}

/// Digits, zero-filled, with a NUL at the end; zero when there are too many, as a PAX record has them then.
fn put_octal(field: &mut [u8], value: u64) {
    let digits = field.len() - 1;
    let value = if fits(value, digits) { value } else { 0 };
    field[..digits].copy_from_slice(format!("{value:0digits$o}").as_bytes());
}

fn fits(value: u64, octal_digits: usize) -> bool {
    value < 1 << (3 * octal_digits)
}

fn pax_records(header: &Header) -> Vec<u8> {
    let mut records = header.attributes.clone();
    let has_room = |text: &[u8]| text.len() <= 100 && text.is_ascii();
    if !has_room(&header.path) {
        records.insert("path".to_owned(), header.path.clone());
    }
    if let Kind::Link(target) | Kind::HardLink(target) = &header.kind
        && !has_room(target)
    {
        records.insert("linkpath".to_owned(), target.clone());
    }
    let numbers = [("uid", header.uid, 7), ("gid", header.gid, 7)];
    let long_numbers = [("size", header.size, 11), ("mtime", header.mtime, 11)];
    for (name, value, digits) in numbers.into_iter().chain(long_numbers) {
        if !fits(value, digits) {
            records.insert(name.to_owned(), value.to_string().into_bytes());
        }
    }
    records.iter().flat_map(|(key, value)| pax_record(key, value)).collect()
}

/// `length key=value\n`, where the length counts itself.
fn pax_record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    [length.to_string().as_bytes(), b" ", key.as_bytes(), b"=", value, b"\n"].concat()
}

struct PaxHeader(Header);

fn pax_header(header: &Header, size: usize) -> PaxHeader {
    let path = header.path.strip_suffix(b"/").unwrap_or(&header.path);
    let base = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    PaxHeader(Header {
        path: [b"PaxHeaders.0/", base].concat(),
        kind: Kind::File,
        mode: 0o644,
        uid: 0,
        gid: 0,
        size: size as u64,
        mtime: 0,
        attributes: BTreeMap::new(),
    })
}

impl PaxHeader {
    fn block(&self) -> [u8; BLOCK] {
        self.0.raw_block(b'x', &[], 0, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(path: &str, kind: Kind, size: u64) -> Header {
        let path = path.as_bytes().to_owned();
        Header { path, kind, mode: 0o644, uid: 0, gid: 0, size, mtime: 7, attributes: BTreeMap::new() }
    }

    /// Path, target, time, owner and content.
    type Seen = (String, Option<String>, u64, u64, Vec<u8>);

    fn read_back(header: &Header, content: &[u8]) -> Vec<Seen> {
        let mut archive = Archive::new(Vec::new());
        archive.add(header, content).unwrap();
        let bytes = archive.finish().unwrap();
        assert_eq!(bytes.len() % BLOCK, 0);
        let mut reader = tar::Archive::new(&bytes[..]);
        let read = |entry: io::Result<tar::Entry<'_, &[u8]>>| {
            let mut entry = entry.unwrap();
            let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            let link = entry.link_name_bytes().map(|link| String::from_utf8(link.into_owned()).unwrap());
            let (mtime, uid) = (entry.header().mtime().unwrap(), entry.header().uid().unwrap());
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (path, link, mtime, uid, content)
        };
        reader.entries().unwrap().map(read).collect()
    }

    #[test]
    fn reads_back_as_written() {
        let long = format!("{}/name", "folder".repeat(40));
        for path in ["a", "folder/file", "gr\u{fc}n/b\u{e4}ume", &long, &"x".repeat(100), &"x".repeat(101)] {
            let read = read_back(&header(path, Kind::File, 3), b"abc");
            assert_eq!(read, [(path.to_owned(), None, 7, 0, b"abc".to_vec())]);
        }
        for target in ["b", "../gr\u{fc}n", &long] {
            let read = read_back(&header("link", Kind::Link(target.as_bytes().to_owned()), 0), b"");
            assert_eq!(read, [("link".to_owned(), Some(target.to_owned()), 7, 0, Vec::new())]);
        }
    }

    #[test]
    fn numbers_without_room_become_records() {
        let mut large = header("a", Kind::File, 0);
        large.uid = 1 << 21;
        assert_eq!(String::from_utf8(pax_records(&large)).unwrap(), "15 uid=2097152\n");
        large.uid -= 1;
        assert!(pax_records(&large).is_empty());
        large.size = 1 << 33;
        assert_eq!(String::from_utf8(pax_records(&large)).unwrap(), "19 size=8589934592\n");
    }

    #[test]
    fn the_length_of_a_record_counts_itself() {
        for (value, length) in
            [(5, "11 "), (91, "97 "), (92, "98 "), (93, "99 "), (94, "101 "), (994, "1002 ")]
        {
            let record = pax_record("k", &vec![b'v'; value]);
            assert!(record.starts_with(length.as_bytes()), "{value}: {}", record.len());
            assert_eq!(format!("{} ", record.len()), length);
        }
    }

    #[test]
    fn content_that_ends_early_is_an_error() {
        let error = Archive::new(Vec::new()).add(&header("a", Kind::File, 4), &b"abc"[..]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
