use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{blobs::try_lock, names::Digest};

/// The start of the names of files that are not whole yet.
const INCOMING: &str = ".incoming-";
/// What a killed process left longer ago than this, nobody goes on with.
const STALE: Duration = Duration::from_hours(24);

/// A file in which a blob is gathered, named by the blob's digest.
///
/// Who gathers has it locked, and the lock ends with the process. What a killed process leaves, the next that wants the
/// blob goes on with: behind the blob's own bytes there is one for each part that tells whether the part is whole. That
/// saves requests and is trusted no further; the digest of all is compared in the end.
pub(super) struct Partial {
    file: File,
    path: PathBuf,
    /// Whether it stays when the work on it ends early.
    pub(super) kept: bool,
}

impl Partial {
    /// That of a blob; `None` while another process or task has it.
    pub(super) fn of(digest: Digest, folder: &Path) -> io::Result<Option<Self>> {
        let path = folder.join(format!("{INCOMING}{}", digest.hex()));
        Ok(try_lock(&path)?.map(|file| Self { file, path, kept: false }))
    }

    /// One that nobody else can have.
    pub(super) fn of_nobody_else(folder: &Path) -> io::Result<Self> {
        let file = tempfile::Builder::new().prefix(INCOMING).tempfile_in(folder)?;
        let (file, path) = file.keep().map_err(|error| error.error)?;
        Ok(Self { file, path, kept: false })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Which parts are whole. What was gathered in another way begins anew.
    pub(super) fn parts(&mut self, size: u64, count: usize) -> io::Result<Vec<bool>> {
        let length = size + count as u64;
        if self.file.metadata()?.len() != length {
            self.begin(size, count)?;
        }
        let mut marks = vec![0; count];
        self.file.seek(SeekFrom::Start(size))?;
        self.file.read_exact(&mut marks)?;
        Ok(marks.into_iter().map(|mark| mark == 1).collect())
    }

    /// Forgets what was gathered, and makes room for so many parts.
    pub(super) fn begin(&mut self, size: u64, count: usize) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.set_len(size + count as u64)
    }

    /// A part is whole.
    pub(super) fn mark(&self, size: u64, part: usize) -> io::Result<()> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(size + part as u64))?;
        file.write_all(&[1])
    }

    /// All of the blob is here, and right: gives it its name.
    pub(super) fn finish(mut self, size: u64, to: &Path, for_all: bool) -> io::Result<()> {
        self.file.set_len(size)?;
        #[cfg(unix)]
        if for_all {
            use std::os::unix::fs::PermissionsExt;
            self.file.set_permissions(fs::Permissions::from_mode(0o644))?;
        }
        fs::rename(&self.path, to)?;
        self.kept = true; // under its new name
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.kept {
            // While it is locked: whoever opened it meanwhile notices that it has lost its name.
            _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes from a folder what was left by processes that were killed long ago.
pub(crate) fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let age =
            entry.metadata().and_then(|found| found.modified()).ok().and_then(|time| time.elapsed().ok());
        if entry.file_name().to_string_lossy().starts_with(INCOMING)
            && age.is_some_and(|age| age > STALE)
            && let Ok(Some(_locked)) = try_lock(&entry.path())
        {
            _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn names(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn one_has_it_and_the_next_goes_on() {
        let (folder, digest) = (tempfile::tempdir().unwrap(), Digest::of(b"abc"));
        let mut one = Partial::of(digest, folder.path()).unwrap().unwrap();
        assert!(Partial::of(digest, folder.path()).unwrap().is_none());
        assert_eq!(one.parts(3, 2).unwrap(), [false, false]);
        one.mark(3, 1).unwrap();
        one.kept = true; // as if killed
        drop(one);

        let mut two = Partial::of(digest, folder.path()).unwrap().unwrap();
        assert_eq!(two.parts(3, 2).unwrap(), [false, true]);
        assert_eq!(two.parts(3, 3).unwrap(), [false; 3]); // other parts than before
        fs::OpenOptions::new().write(true).open(two.path()).unwrap().write_all(b"abc").unwrap();
        let to = folder.path().join("blob");
        two.finish(3, &to, false).unwrap();
        assert_eq!((fs::read(to).unwrap(), names(folder.path())), (b"abc".to_vec(), 1));
    }

    #[test]
    fn what_is_not_kept_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        drop(Partial::of(Digest::of(b"abc"), folder.path()).unwrap());
        drop(Partial::of_nobody_else(folder.path()).unwrap());
        assert_eq!(names(folder.path()), 0);
    }

    #[test]
    fn only_what_is_old_and_nobodys_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, age: Duration| {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
            file
        };
        let days = |days: u64| Duration::from_hours(24 * days);
        make(".incoming-old", days(2));
        make(".incoming-new", days(0));
        make("old", days(2));
        let held = make(".incoming-held", days(2));
        held.lock().unwrap();
        sweep(folder.path());
        let left = [".incoming-new", "old", ".incoming-held"].map(|name| folder.path().join(name).exists());
        assert_eq!((left, names(folder.path())), ([true; 3], 3));
    }
}
