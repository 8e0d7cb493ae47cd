//! Blobs that were fetched or made before, kept on this machine.
//!
//! It is never needed: whatever is wrong with it is a blob that is not there. What comes out of it was digested on the
//! way, so that nobody has to trust a disk or a neighbour. Any number of processes use one folder at the same time. It
//! knows no registries: who may read the folder may read all that is in it.

mod trim;

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File},
    io::{self, Read, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use bytes::Bytes;
use tempfile::NamedTempFile;

use crate::{
    content::{Blob, BlobSource, Descriptor},
    download::Place,
    error::ErrorKind,
    names::{Digest, Digester, Repository},
    progress::{Event, Progress},
    registry::Registry,
};

/// A folder with blobs, by digest: `sha256/9c/9c1f…`. Clones are the same cache.
#[derive(Debug, Clone)]
pub struct Cache(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    folder: PathBuf,
    limit: u64,
    /// Whether nothing is put in any more: what failed once would with each blob.
    closed: AtomicBool,
}

impl Cache {
    /// A cache in a folder of this user alone, which is made when the first blob comes. It holds about `limit` bytes;
    /// what was not used for the longest time goes first, and no blob gets more than half.
    pub fn new(folder: impl Into<PathBuf>, limit: u64) -> Self {
        Self(Arc::new(Parts { folder: folder.into(), limit, closed: AtomicBool::default() }))
    }

    /// Whether the blob seems to be there.
    pub fn has(&self, digest: &Digest) -> bool {
        self.0.path(digest).is_file()
    }

    /// Takes in a blob that was made on this machine. Blocks; failing to do so is no error.
    pub fn take(&self, blob: &Blob) {
        if self.0.closed.load(Ordering::Relaxed) {
            return;
        }
        let taken = match &blob.source {
            BlobSource::Bytes(bytes) => self.0.keep(&blob.descriptor, &mut &bytes[..]),
            BlobSource::File(path) => self.0.share(&blob.descriptor, path),
            BlobSource::Part { .. } | BlobSource::Registry(_) => Ok(()),
        };
        if self.told(taken).is_none() {
            self.0.closed.store(true, Ordering::Relaxed);
        }
    }

    /// Gives the blob out as a file that nobody may write to, and tells whether it could. Blocks.
    pub fn give(&self, blob: &Descriptor, to: &Path) -> bool {
        self.told(self.0.give(blob, to)).unwrap_or(false)
    }

    /// Writes the blob to a file, and tells whether it could. A file that is there is replaced.
    async fn fetch(&self, blob: &Descriptor, to: &Path) -> bool {
        let (blob, to) = (blob.clone(), to.to_path_buf());
        self.aside(move |parts| parts.fetch(&blob, &to)).await.unwrap_or(false)
    }

    /// The blob in memory.
    async fn read(&self, blob: &Descriptor) -> Option<Bytes> {
        let blob = blob.clone();
        self.aside(move |parts| parts.read(&blob)).await.flatten()
    }

    /// Takes in a blob that was fetched just now.
    async fn keep(&self, blob: &Descriptor, from: &Path) {
        let (blob, from) = (blob.clone(), from.to_path_buf());
        self.take_in(move |parts| parts.keep(&blob, &mut File::open(from)?)).await;
    }

    async fn keep_bytes(&self, blob: &Descriptor, bytes: Bytes) {
        let blob = blob.clone();
        self.take_in(move |parts| parts.keep(&blob, &mut &bytes[..])).await;
    }

    async fn take_in(&self, work: impl FnOnce(&Parts) -> io::Result<()> + Send + 'static) {
        if !self.0.closed.load(Ordering::Relaxed) && self.aside(work).await.is_none() {
            self.0.closed.store(true, Ordering::Relaxed);
        }
    }

    /// Away from the threads that serve; `None` if it failed.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Parts) -> io::Result<T> + Send + 'static,
    ) -> Option<T> {
        let parts = Arc::clone(&self.0);
        let done =
            tokio::task::spawn_blocking(move || work(&parts)).await.unwrap_or_else(|error| Err(error.into()));
        self.told(done)
    }

    fn told<T>(&self, done: io::Result<T>) -> Option<T> {
        done.inspect_err(|error| {
            tracing::warn!(folder = %self.0.folder.display(), %error, "the cache of blobs cannot be used");
        })
        .ok()
    }
}

impl Parts {
    fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.folder.join("sha256").join(&hex[..2]).join(hex)
    }

    fn fetch(&self, blob: &Descriptor, to: &Path) -> io::Result<bool> {
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let Some(file) = self.open(&blob.digest)? else { return Ok(false) };
        let mut target = NamedTempFile::new_in(folder)?;
        if !self.copy(&file, &mut target, blob)? {
            return Ok(false);
        }
        target.persist(to)?;
        Ok(true)
    }

    fn read(&self, blob: &Descriptor) -> io::Result<Option<Bytes>> {
        let Some(file) = self.open(&blob.digest)? else { return Ok(None) };
        let mut bytes = Vec::new();
        Ok(self.copy(&file, &mut bytes, blob)?.then(|| bytes.into()))
    }

    fn open(&self, digest: &Digest) -> io::Result<Option<File>> {
        match File::open(self.path(digest)) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The same file under another name where that is possible: what is large is written once.
    fn give(&self, blob: &Descriptor, to: &Path) -> io::Result<bool> {
        let Some(file) = self.open(&blob.digest)? else { return Ok(false) };
        if !self.copy(&file, &mut io::sink(), blob)? {
            return Ok(false);
        }
        if fs::hard_link(self.path(&blob.digest), to).is_ok() { Ok(true) } else { self.fetch(blob, to) }
    }

    /// Copies what is there, and tells whether it is the blob. What is not goes away.
    fn copy(&self, file: &File, to: &mut impl Write, blob: &Descriptor) -> io::Result<bool> {
        let (mut digester, mut size) = (Digester::new(), 0);
        let mut buffer = vec![0; 1 << 18];
        let mut source = file.take(blob.size + 1);
        loop {
            match source.read(&mut buffer)? {
                0 => break,
                length => {
                    digester.update(&buffer[..length]);
                    to.write_all(&buffer[..length])?;
                    size += length as u64;
                }
            }
        }
        if size == blob.size && digester.finish() == blob.digest {
            _ = file.set_modified(SystemTime::now()); // without it, the blob only goes earlier
            return Ok(true);
        }
        tracing::warn!(digest = %blob.digest, "the cache has a damaged blob, which is removed");
        fs::remove_file(self.path(&blob.digest))?;
        Ok(false)
    }

    /// The blob appears as a whole. It was digested when it came, and will be when it goes out.
    fn keep(&self, blob: &Descriptor, from: &mut impl Read) -> io::Result<()> {
        let Some(path) = self.room(blob)? else { return Ok(()) };
        let mut part = NamedTempFile::new_in(self.unfinished())?;
        if io::copy(&mut from.take(blob.size + 1), &mut part)? == blob.size {
            part.persist(path)?;
            self.trim()?;
        }
        Ok(())
    }

    /// As [`Self::keep`], without a second copy where the file can have two names. Nobody writes to it any more.
    fn share(&self, blob: &Descriptor, from: &Path) -> io::Result<()> {
        match self.room(blob)? {
            Some(path) if fs::hard_link(from, &path).is_ok() => self.trim(),
            Some(_) => self.keep(blob, &mut File::open(from)?),
            None => Ok(()),
        }
    }

    /// Where a blob goes that is not there and may be.
    fn room(&self, blob: &Descriptor) -> io::Result<Option<PathBuf>> {
        let path = self.path(&blob.digest);
        if blob.size > self.limit / 2 || path.is_file() {
            return Ok(None);
        }
        let folders = [path.parent().unwrap_or(&self.folder), &self.unfinished()];
        folders.iter().try_for_each(|folder| DirBuilder::new().recursive(true).mode(0o700).create(folder))?;
        Ok(Some(path))
    }

    fn unfinished(&self) -> PathBuf {
        self.folder.join("unfinished")
    }
}

impl Registry {
    /// As [`Registry::download`], from the cache if it is there.
    pub(crate) async fn fetch_to(
        &self,
        repository: &Repository,
        blob: &Descriptor,
        place: &Place<'_>,
        progress: &dyn Progress,
    ) -> Result<(), ErrorKind> {
        let (cache, (blobs, _)) = (self.cache(), self.parts());
        if let Some(cache) = cache
            && cache.fetch(blob, place.to).await
        {
            progress.event(Event::Fetched { digest: blob.digest });
            return Ok(());
        }
        blobs.download(repository, blob, place, progress).await?;
        if let Some(cache) = cache {
            cache.keep(blob, place.to).await;
        }
        Ok(())
    }

    /// A small blob, from the cache if it is there; else `read` fetches it.
    pub(crate) async fn read_through(
        &self,
        blob: &Descriptor,
        read: impl Future<Output = Result<Bytes, ErrorKind>>,
    ) -> Result<Bytes, ErrorKind> {
        let Some(cache) = self.cache().filter(|_| blob.size <= Self::SMALL_BLOB) else { return read.await };
        if let Some(bytes) = cache.read(blob).await {
            return Ok(bytes);
        }
        let bytes = read.await?;
        cache.keep_bytes(blob, bytes.clone()).await;
        Ok(bytes)
    }
}

/// Where a user's cache of blobs is: `ecr-registry/blobs` in `$XDG_CACHE_HOME`, else in `~/.cache`. `variable` looks up
/// a variable of the environment.
pub fn cache_path(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    folder.map(|folder| folder.join("ecr-registry/blobs"))
}

#[cfg(test)]
mod tests;
