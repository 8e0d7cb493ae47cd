//! Reads the files of a [`Listing`]: digests, unless they are known, and nothing kept in memory.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::Path,
    time::SystemTime,
};

use ecr_registry::{Digest, names::Digester};

use crate::{
    error::ContextError,
    parallel::in_parallel,
    stat_cache::{Known, Record},
    terraform_files,
    tree::{Entry, File, Tree},
    walk::{Found, Listing},
};

impl Listing {
    /// The tree of these paths, or of all. Files with known digests are not opened.
    pub(crate) fn read(self, only: Option<&BTreeSet<String>>, known: Known) -> Result<Tree, ContextError> {
        let mut found = Vec::with_capacity(self.found.len());
        for (path, entry) in
            self.found.into_iter().filter(|(path, _)| only.is_none_or(|only| only.contains(path)))
        {
            match entry {
                Found::Refused(error) => return Err(error),
                other => found.push((path, other)),
            }
        }
        let read = in_parallel(&found, |(_, found)| entry(found, &known))?;
        let (mut entries, mut records) = (Vec::with_capacity(found.len()), Vec::with_capacity(found.len()));
        for ((path, _), seen) in found.into_iter().zip(read) {
            let Some((entry, record)) = seen else { continue };
            entries.push((path, entry));
            records.extend(record);
        }
        known.keep(records);
        // All at once is quicker than one by one, and they are in order.
        Ok(Tree { entries: entries.into_iter().collect() })
    }
}

/// The file at `path` as an entry of a tree; `None` when it is a saved plan.
pub(crate) fn read_file(path: &Path) -> Result<Option<File>, ContextError> {
    Ok(read_with_metadata(path)?.map(|(file, _)| file))
}

fn read_with_metadata(path: &Path) -> Result<Option<(File, fs::Metadata)>, ContextError> {
    let unreadable = |source| ContextError::Unreadable { path: path.to_owned(), source };
    let mut file = fs::File::open(path).map_err(unreadable)?;
    let before = file.metadata().map_err(unreadable)?;
    if terraform_files::is_saved_plan(&mut file).map_err(unreadable)? {
        return Ok(None);
    }
    let (size, digest) = digest(&mut file).map_err(unreadable)?;
    let after = file.metadata().map_err(unreadable)?;
    let stamp = |metadata: &fs::Metadata| (metadata.len(), metadata.mtime(), metadata.mtime_nsec());
    if stamp(&before) != stamp(&after) || size != before.len() {
        return Err(ContextError::Changed { path: path.to_owned() });
    }
    Ok(Some((described(path, &before, digest), before)))
}

fn described(path: &Path, metadata: &fs::Metadata, digest: Digest) -> File {
    File { path: path.to_owned(), size: metadata.len(), executable: metadata.mode() & 0o100 != 0, digest }
}

/// What was found, and what there is to remember of it; `None` for a saved plan.
fn entry(found: &Found, known: &Known) -> Result<Option<(Entry, Option<Record>)>, ContextError> {
    Ok(match found {
        Found::Folder => Some((Entry::Folder, None)),
        Found::Link(target) => Some((Entry::Link(target.clone()), None)),
        Found::File(path) => file(path, known)?.map(|(file, record)| (Entry::File(file), record)),
        Found::Refused(_) => None,
    })
}

fn file(path: &Path, known: &Known) -> Result<Option<(File, Option<Record>)>, ContextError> {
    let now = SystemTime::now();
    let metadata = fs::symlink_metadata(path)
        .map_err(|source| ContextError::Unreadable { path: path.to_owned(), source })?;
    let (file, metadata) = match known.digest(&metadata) {
        Some(digest) => (described(path, &metadata, digest), metadata),
        None => match read_with_metadata(path)? {
            Some(read) => read,
            None => return Ok(None),
        },
    };
    let record = Record::new(&metadata, file.digest, now);
    Ok(Some((file, record)))
}

fn digest(reader: &mut impl Read) -> io::Result<(u64, Digest)> {
    let mut digester = Digester::new();
    let mut buffer = vec![0; 1 << 17];
    let mut size = 0;
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok((size, digester.finish())),
            read => {
                digester.update(&buffer[..read]);
                size += read as u64;
            }
        }
    }
}
