//! Of several processes that want to bring the same blob to the same repository, one does.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::names::{Digest, Repository};

/// A folder with a lock file for each blob under way. Without one, or where files cannot be locked, everyone works
/// for themselves: it costs bytes, and nothing else.
pub(super) struct Locks(Option<PathBuf>);

/// A blob that this process brings. Given up when dropped, and by the system when the process dies.
pub(super) struct Held {
    /// What is locked as long as it is open.
    _file: File,
    path: PathBuf,
    /// Whether another process had it before.
    pub(super) waited: bool,
}

/// Smaller blobs are sent sooner than it is found out who else does.
const SHARED_FROM: u64 = 1024 * 1024;
/// How long until it is tried again to have a lock. There is no call that waits and can be cancelled.
const PAUSE: Duration = Duration::from_millis(20);

impl Locks {
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self(folder.filter(|folder| {
            let made = make_folder(folder);
            made.inspect_err(|error| tracing::debug!(folder = %folder.display(), %error, "no locks")).is_ok()
        }))
    }

    /// Waits until no other process brings this blob there. `waiting` hears of it when it has to wait.
    pub(super) async fn hold(
        &self,
        repository: &Repository,
        digest: Digest,
        size: u64,
        waiting: impl Fn(),
    ) -> Option<Held> {
        let folder = self.0.as_ref().filter(|_| size >= SHARED_FROM)?;
        let name = Digest::of(format!("{repository}@{digest}").as_bytes());
        let path = folder.join(name.hex());
        let mut waited = false;
        loop {
            match try_lock(&path) {
                Ok(Some(file)) => return Some(Held { _file: file, path, waited }),
                Ok(None) if !waited => waiting(),
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(path = %path.display(), %error, "no lock");
                    return None;
                }
            }
            waited = true;
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // While it is locked: whoever opened it meanwhile notices that it has lost its name.
        _ = std::fs::remove_file(&self.path);
    }
}

/// The locked file; `None` if another has it.
pub(crate) fn try_lock(path: &Path) -> io::Result<Option<File>> {
    loop {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        match file.try_lock() {
            Ok(()) if has_name(&file, path)? => return Ok(Some(file)),
            Ok(()) => {} // it was removed since it was opened
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

#[cfg(unix)]
fn has_name(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let opened = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (opened.dev(), opened.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Where files that are open cannot be removed, they keep their names.
#[cfg(not(unix))]
fn has_name(_file: &File, _path: &Path) -> io::Result<bool> {
    Ok(true)
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn repository() -> Repository {
        "127.0.0.1:5000/web".parse().unwrap()
    }

    #[tokio::test]
    async fn one_holds_it_and_the_next_hears_that_it_has_to_wait() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = [(); 2].map(|()| Locks::new(Some(folder.path().join("locks")))).into();
        let digest = Digest::of(b"layer");
        let held = one.hold(&repository(), digest, SHARED_FROM, || ()).await.unwrap();
        assert!(!held.waited);
        let (heard, waits) = tokio::sync::oneshot::channel();
        let heard = std::sync::Mutex::new(Some(heard));
        let next = async {
            let waiting = || heard.lock().unwrap().take().unwrap().send(()).unwrap();
            other.hold(&repository(), digest, SHARED_FROM, waiting).await.unwrap().waited
        };
        let release = async {
            waits.await.unwrap();
            drop(held);
        };
        assert!(tokio::join!(next, release).0);
        assert_eq!(std::fs::read_dir(folder.path().join("locks")).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn never_two_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let (inside, digest) = (AtomicU32::new(0), Digest::of(b"layer"));
        let one = async || {
            let locks = Locks::new(Some(folder.path().to_owned()));
            let held = locks.hold(&repository(), digest, SHARED_FROM, || ()).await.unwrap();
            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
            tokio::task::yield_now().await;
            inside.fetch_sub(1, Ordering::SeqCst);
            drop(held);
        };
        futures::future::join_all((0..10).map(|_| one())).await;
    }

    #[tokio::test]
    async fn what_cannot_be_locked_is_not() {
        let digest = Digest::of(b"layer");
        let folder = tempfile::tempdir().unwrap();
        for (locks, size) in [
            (Locks::new(None), SHARED_FROM),
            (Locks::new(Some("/dev/null/locks".into())), SHARED_FROM),
            (Locks::new(Some(folder.path().to_owned())), SHARED_FROM - 1),
        ] {
            assert!(locks.hold(&repository(), digest, size, || ()).await.is_none());
        }
    }
}
