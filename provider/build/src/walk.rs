//! Reads a folder into a [`Tree`]: ignore rules first, then content, on all processors.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    num::NonZero,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
};

use ecr_registry::{Digest, names::Digester};

use crate::{
    error::ContextError,
    ignore::{Rules, Verdict},
    terraform_files,
    tree::{Entry, File, Tree},
};

/// The tree below the folder `root`, less what `rules` ignore and less Terraform's own files.
pub(crate) fn read(root: &Path, rules: &Rules) -> Result<Tree, ContextError> {
    let mut walk = Walk { rules, found: BTreeMap::new() };
    walk.folder(root, "", &Verdict::default())?;
    Ok(Tree { entries: read_contents(walk.found)? })
}

/// The file at `path` as an entry of a tree; `None` when it is a saved plan.
pub(crate) fn read_file(path: &Path) -> Result<Option<File>, ContextError> {
    let unreadable = |source| ContextError::Unreadable { path: path.to_owned(), source };
    let changed = || ContextError::Changed { path: path.to_owned() };
    let mut file = fs::File::open(path).map_err(unreadable)?;
    let before = file.metadata().map_err(unreadable)?;
    if terraform_files::is_saved_plan(&mut file).map_err(unreadable)? {
        return Ok(None);
    }
    let (size, digest) = digest(&mut file).map_err(unreadable)?;
    let after = file.metadata().map_err(unreadable)?;
    let stamp = |metadata: &fs::Metadata| (metadata.len(), metadata.mtime(), metadata.mtime_nsec());
    if stamp(&before) != stamp(&after) || size != before.len() {
        return Err(changed());
    }
    Ok(Some(File { path: path.to_owned(), size, executable: before.mode() & 0o100 != 0, digest }))
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

/// What the walk met, before content is read.
enum Found {
    Folder,
    File(PathBuf),
    Link(String),
}

struct Walk<'a> {
    rules: &'a Rules,
    found: BTreeMap<String, Found>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, path: &str, verdict: &Verdict) -> Result<(), ContextError> {
        let unreadable = |source| ContextError::Unreadable { path: folder.to_owned(), source };
        for child in fs::read_dir(folder).map_err(unreadable)? {
            let child = child.map_err(unreadable)?;
            self.child(&child, path, verdict)?;
        }
        Ok(())
    }

    fn child(&mut self, child: &fs::DirEntry, parent: &str, verdict: &Verdict) -> Result<(), ContextError> {
        let location = child.path();
        let name = child.file_name();
        let lossy = name.to_string_lossy();
        let path = if parent.is_empty() { lossy.to_string() } else { format!("{parent}/{lossy}") };
        let verdict = self.rules.judge(&path, verdict);
        let kind = child
            .file_type()
            .map_err(|source| ContextError::Unreadable { path: location.clone(), source })?;
        let skipped = verdict.ignored && !(kind.is_dir() && self.rules.may_bring_back_below(&path));
        if skipped || terraform_files::is_named_so(&lossy) {
            return Ok(());
        }
        if name.to_str().is_none() {
            return Err(ContextError::NotUtf8 { path: location });
        }
        if kind.is_dir() {
            return self.subfolder(&location, path, &verdict);
        }
        let found = found(location, kind)?;
        self.found.insert(path, found);
        Ok(())
    }

    /// An ignored folder is there only for what was brought back in it.
    fn subfolder(&mut self, location: &Path, path: String, verdict: &Verdict) -> Result<(), ContextError> {
        let before = self.found.len();
        self.folder(location, &path, verdict)?;
        if !verdict.ignored || self.found.len() > before {
            self.found.insert(path, Found::Folder);
        }
        Ok(())
    }
}

fn found(path: PathBuf, kind: fs::FileType) -> Result<Found, ContextError> {
    if kind.is_file() {
        return Ok(Found::File(path));
    }
    if !kind.is_symlink() {
        return Err(ContextError::Special { found: name_of(kind), path });
    }
    match fs::read_link(&path).map(PathBuf::into_os_string) {
        Ok(target) => target.into_string().map(Found::Link).map_err(|_| ContextError::NotUtf8 { path }),
        Err(source) => Err(ContextError::Unreadable { path, source }),
    }
}

fn name_of(kind: fs::FileType) -> &'static str {
    if kind.is_socket() {
        "a socket"
    } else if kind.is_fifo() {
        "a named pipe"
    } else {
        "a device"
    }
}

fn read_contents(found: BTreeMap<String, Found>) -> Result<BTreeMap<String, Entry>, ContextError> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let queue = Mutex::new(found.into_iter());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        let mut entries = Vec::new();
        while let Some((path, found)) = next() {
            if let Some(entry) = entry(found)? {
                entries.push((path, entry));
            }
        }
        Ok(entries)
    };
    let parts: Vec<Result<Vec<_>, ContextError>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().expect("reading files does not panic")).collect()
    });
    let mut entries = BTreeMap::new();
    for part in parts {
        entries.extend(part?);
    }
    Ok(entries)
}

fn entry(found: Found) -> Result<Option<Entry>, ContextError> {
    Ok(match found {
        Found::Folder => Some(Entry::Folder),
        Found::Link(target) => Some(Entry::Link(target)),
        Found::File(path) => read_file(&path)?.map(Entry::File),
    })
}
