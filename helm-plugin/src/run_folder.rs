//! A private folder for the files of one run: kubeconfig, what Helm prints, a copy of the chart.
//!
//! It goes with the run. What a killed run leaves is swept by the next one, which tells a dead run from a living one
//! by the lock that the living hold, not by process numbers, which are used again.

use std::{
    env, fs,
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};

use crate::{exit::Exit, failure::Explain};

const RUN_PREFIX: &str = "run-";
const LOCK: &str = "lock";

/// The folder of one run, removed when dropped.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    /// Held while the run lives.
    _lock: File,
}

/// The folder cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunFolderError {
    /// The file system refused.
    #[error("cannot use `{}` for temporary files", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// Someone else could read or replace what we write there.
    #[error("`{}` is not a private folder of this user", .0.display())]
    NotPrivate(PathBuf),
}

impl Explain for RunFolderError {
    fn exit(&self) -> Exit {
        Exit::Failure
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Io { .. } => "set TMPDIR to a folder that can be written to".to_owned(),
            Self::NotPrivate(path) => format!("remove `{}`, or set TMPDIR to another folder", path.display()),
        })
    }
}

impl RunFolder {
    /// Makes the folder below the user's runtime folder, else the temporary one, after sweeping what is dead there.
    pub(crate) fn create() -> Result<Self, RunFolderError> {
        Self::create_below(&base()?)
    }

    fn create_below(base: &Path) -> Result<Self, RunFolderError> {
        private_folder(base)?;
        // No run can start between the making of a folder and its lock: it would be swept.
        let guard_path = base.join(LOCK);
        let guard = open_private(&guard_path).map_err(at(&guard_path))?;
        flock(&guard, FlockOperation::LockExclusive).map_err(io::Error::from).map_err(at(&guard_path))?;
        sweep(base);
        let mut builder = tempfile::Builder::new();
        builder.prefix(RUN_PREFIX).permissions(fs::Permissions::from_mode(0o700));
        let path = builder.tempdir_in(base).map_err(at(base))?.keep();
        let lock_path = path.join(LOCK);
        let lock = open_private(&lock_path).map_err(at(&lock_path))?;
        flock(&lock, FlockOperation::LockExclusive).map_err(io::Error::from).map_err(at(&lock_path))?;
        Ok(Self { path, _lock: lock })
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file that only this user can read.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> Result<PathBuf, RunFolderError> {
        let path = self.path.join(name);
        open_private(&path).and_then(|mut file| file.write_all(content)).map_err(at(&path))?;
        Ok(path)
    }

    /// Makes an empty file that only this user can read.
    pub(crate) fn file(&self, name: &str) -> Result<(PathBuf, File), RunFolderError> {
        let path = self.path.join(name);
        let file = open_private(&path).map_err(at(&path))?;
        Ok((path, file))
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        // What cannot be removed now is swept by the next run.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> RunFolderError {
    move |source| RunFolderError::Io { path: path.to_owned(), source }
}

fn open_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// `$XDG_RUNTIME_DIR/eks-deploy` where that is a folder, else `$TMPDIR/eks-deploy-UID`.
fn base() -> Result<PathBuf, RunFolderError> {
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    if let Some(runtime) = runtime
        && private_folder(&runtime.join("eks-deploy")).is_ok()
    {
        return Ok(runtime.join("eks-deploy"));
    }
    let base = env::temp_dir().join(format!("eks-deploy-{}", rustix::process::getuid().as_raw()));
    private_folder(&base).map(|()| base)
}

/// Makes the folder, or makes sure that the one that is there is ours alone: in a shared temporary folder anyone
/// could have made it first.
fn private_folder(path: &Path) -> Result<(), RunFolderError> {
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let metadata = fs::symlink_metadata(path).map_err(at(path))?;
            let owned = metadata.uid() == rustix::process::getuid().as_raw();
            let private = metadata.is_dir() && owned && (metadata.mode() & 0o777) & !0o700 == 0;
            if private { Ok(()) } else { Err(RunFolderError::NotPrivate(path.to_owned())) }
        }
        result => result.map_err(at(path)),
    }
}

/// Removes the folders of runs that no longer hold their lock.
fn sweep(base: &Path) {
    let Ok(entries) = fs::read_dir(base) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_run = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(RUN_PREFIX));
        if is_run && is_dead(&path) {
            let _ = fs::remove_dir_all(path);
        }
    }
}

fn is_dead(run: &Path) -> bool {
    match File::open(run.join(LOCK)) {
        Ok(lock) => flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn rule_14_is_private_and_goes_with_the_run() {
        let base = tempfile::tempdir().unwrap();
        let base = base.path().join("base");
        let run = RunFolder::create_below(&base).unwrap();
        let file = run.write("kubeconfig", b"x").unwrap();
        assert_eq!((mode(&base), mode(run.path()), mode(&file)), (0o700, 0o700, 0o600));
        let path = run.path().to_owned();
        drop(run);
        assert!(!path.exists());
    }

    #[test]
    fn rule_14_sweeps_the_dead_and_leaves_the_living() {
        let base = tempfile::tempdir().unwrap();
        let base = base.path().join("base");
        let living = RunFolder::create_below(&base).unwrap();
        // What a killed process leaves: a folder whose lock nobody holds.
        let killed = base.join("run-killed");
        fs::create_dir(&killed).unwrap();
        fs::write(killed.join(LOCK), "").unwrap();
        fs::write(killed.join("kubeconfig"), "secret").unwrap();
        let next = RunFolder::create_below(&base).unwrap();
        assert!(!killed.exists());
        assert!(living.path().exists() && next.path().exists());
    }

    #[test]
    fn refuses_what_others_can_touch() {
        let folder = tempfile::tempdir().unwrap();
        let open = folder.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        let link = folder.path().join("link");
        symlink(folder.path(), &link).unwrap();
        for path in [open, link] {
            let error = RunFolder::create_below(&path).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("`{}` is not a private folder of this user", path.display())
            );
        }
    }
}
