//! Remembers the digests of files, so that a plan reads only what may have changed since the last one.
//!
//! A file is known again by its device, inode, size and both of its times; the second time, of the last change to
//! anything of it, cannot be set by a program. A file that was young when it was read is not remembered: it may be
//! written once more without its times moving on. Nothing here is needed: a cache that is absent, unreadable,
//! damaged or written by several processes at once costs time and changes no result.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use ecr_registry::Digest;

/// How old a file's times have to be. The coarsest file systems in use count in steps of two seconds.
const YOUNG: Duration = Duration::from_secs(2);
/// What was not used for so long is removed.
const UNUSED: Duration = Duration::from_hours(90 * 24);
/// Written at the beginning of a file; another form has another name.
const FORM: &[u8; 8] = b"digests1";
/// Device, inode, size and two times, of eight bytes each.
const STAMP: usize = 40;
const DIGEST: usize = 32;
const RECORD: usize = STAMP + DIGEST;

/// A folder for what is remembered between runs, or none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cache(Option<PathBuf>);

impl Cache {
    /// Remembers nothing.
    pub fn none() -> Self {
        Self(None)
    }

    /// In this folder, which is made when there is something to write.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self(Some(folder.into()))
    }

    /// The usual place of a user's caches: below `XDG_CACHE_HOME`, else `HOME`.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let caches = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
        Self(caches.map(|caches| caches.join("eks-deploy/files")))
    }

    /// A folder of this name beside what is remembered of files.
    pub(crate) fn folder(&self, name: &str) -> Option<PathBuf> {
        self.0.as_ref().map(|folder| folder.join(name))
    }

    /// What is remembered of the files that one recipe takes from the folder `root`; `purpose` tells recipes apart.
    pub(crate) fn open(&self, root: &Path, purpose: &str) -> Known {
        let file = self.0.as_ref().map(|folder| {
            let root = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
            let name = format!("{}\0{purpose}", root.display());
            folder.join(Digest::of(name.as_bytes()).hex())
        });
        let records = file.as_deref().and_then(read).unwrap_or_default();
        Known { file, records }
    }
}

/// A file's identity and state, and its content's digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Record {
    stamp: [u8; STAMP],
    digest: [u8; DIGEST],
}

/// The records of one root.
#[derive(Debug)]
pub(crate) struct Known {
    file: Option<PathBuf>,
    /// In order.
    records: Vec<Record>,
}

impl Record {
    /// `None` for a file that is too young, or in the future, at the time `now`.
    pub(crate) fn new(metadata: &fs::Metadata, digest: Digest, now: SystemTime) -> Option<Self> {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).ok()?.checked_sub(YOUNG)?;
        let now = i64::try_from(now.as_nanos()).ok()?;
        let is_old = nanoseconds(metadata.mtime(), metadata.mtime_nsec()) < now
            && nanoseconds(metadata.ctime(), metadata.ctime_nsec()) < now;
        is_old.then(|| Self { stamp: stamp(metadata), digest: digest.bytes() })
    }
}

impl Known {
    /// The digest of this file's content, if it is surely what it was.
    pub(crate) fn digest(&self, metadata: &fs::Metadata) -> Option<Digest> {
        let stamp = stamp(metadata);
        let found = self.records.binary_search_by(|record| record.stamp.cmp(&stamp)).ok()?;
        Some(self.records[found].digest.into())
    }

    /// Remembers these files and no others. Failing to do so is no error.
    pub(crate) fn keep(self, mut records: Vec<Record>) {
        let Some(file) = self.file else { return };
        records.sort_unstable();
        records.dedup();
        let result = if records == self.records { touch(&file) } else { write(&file, &records) };
        if let Err(error) = result {
            tracing::debug!(file = %file.display(), %error, "the digests of files are not remembered");
        }
    }
}

fn nanoseconds(seconds: i64, rest: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

fn stamp(metadata: &fs::Metadata) -> [u8; STAMP] {
    let times = [
        nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
    ];
    let mut stamp = [0; STAMP];
    let numbers = [metadata.dev(), metadata.ino(), metadata.size()].map(u64::to_be_bytes);
    let fields = numbers.into_iter().chain(times.map(i64::to_be_bytes));
    stamp.chunks_exact_mut(8).zip(fields).for_each(|(to, from)| to.copy_from_slice(&from));
    stamp
}

/// `None` for a file that is absent, cut short or damaged.
fn read(file: &Path) -> Option<Vec<Record>> {
    let bytes = fs::read(file).ok()?;
    let (content, sum) = bytes.split_last_chunk::<DIGEST>()?;
    let records = content.strip_prefix(FORM)?;
    if *sum != Digest::of(content).bytes() {
        return None;
    }
    let record = |bytes: &[u8]| {
        let (stamp, digest) = bytes.split_first_chunk()?;
        Some(Record { stamp: *stamp, digest: digest.try_into().ok()? })
    };
    records.chunks(RECORD).map(record).collect()
}

/// Writes beside the file and renames, so that a reader sees the old records or the new ones.
fn write(file: &Path, records: &[Record]) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut content = FORM.to_vec();
    for record in records {
        content.extend(record.stamp);
        content.extend(record.digest);
    }
    content.extend(Digest::of(&content).bytes());
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(&content)?;
    new.persist(file)?;
    remove_unused(folder)
}

/// Says that the records are still of use, at most once a day.
fn touch(file: &Path) -> io::Result<()> {
    let used = fs::metadata(file)?.modified()?;
    match used.elapsed() {
        Ok(age) if age > Duration::from_hours(24) => {
            fs::File::options().append(true).open(file)?.set_modified(SystemTime::now())
        }
        _ => Ok(()),
    }
}

fn remove_unused(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)?.flatten() {
        let used = entry.metadata().and_then(|metadata| metadata.modified());
        let unused = used.is_ok_and(|used| used.elapsed().is_ok_and(|age| age > UNUSED));
        if unused && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
