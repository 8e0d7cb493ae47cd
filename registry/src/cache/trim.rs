use std::{
    fs::{self, DirEntry, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::Parts;

/// A file that a process was writing, and that died.
const ABANDONED: Duration = Duration::from_hours(24);

struct Entry {
    path: PathBuf,
    size: u64,
    used: SystemTime,
}

impl Parts {
    /// Makes room for more if it is too much: one process at a time, and the others need not wait for it. A blob that
    /// another process reads just now stays readable for it.
    pub(super) fn trim(&self) -> io::Result<()> {
        let lock = File::create(self.folder.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let mut entries = Vec::new();
        for folder in fs::read_dir(self.folder.join("sha256"))? {
            entries.extend(files(&folder?.path())?);
        }
        for path in superfluous(entries, self.limit) {
            remove(&path)?;
        }
        let old = |entry: &Entry| entry.used.elapsed().is_ok_and(|age| age > ABANDONED);
        files(&self.unfinished())?.iter().filter(|entry| old(entry)).try_for_each(|entry| remove(&entry.path))
    }
}

/// What has to go so that the rest takes nine tenths of the limit: then not every blob makes another one go.
fn superfluous(mut entries: Vec<Entry>, limit: u64) -> Vec<PathBuf> {
    let mut total: u64 = entries.iter().map(|entry| entry.size).sum();
    if total <= limit {
        return Vec::new();
    }
    entries.sort_by(|a, b| (a.used, &a.path).cmp(&(b.used, &b.path)));
    let mut superfluous = Vec::new();
    for entry in entries {
        if total <= limit - limit / 10 {
            break;
        }
        total -= entry.size;
        superfluous.push(entry.path);
    }
    superfluous
}

fn files(folder: &Path) -> io::Result<Vec<Entry>> {
    let entry = |entry: io::Result<DirEntry>| {
        let entry = entry?;
        match entry.metadata() {
            Ok(about) if about.is_file() => {
                Ok(Some(Entry { path: entry.path(), size: about.len(), used: about.modified()? }))
            }
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None), // another process took it away
            Err(error) => Err(error),
        }
    };
    fs::read_dir(folder)?.filter_map(|found| entry(found).transpose()).collect()
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unused_go_first() {
        let check = |sizes: &[u64], limit: u64, expected: &[&str]| {
            let entry = |(age, size): (usize, &u64)| Entry {
                path: PathBuf::from(age.to_string()),
                size: *size,
                used: SystemTime::UNIX_EPOCH + Duration::from_secs(100 - age as u64),
            };
            let entries = sizes.iter().enumerate().map(entry).collect();
            let expected: Vec<PathBuf> = expected.iter().map(PathBuf::from).collect();
            assert_eq!(superfluous(entries, limit), expected, "{sizes:?} in {limit}");
        };
        check(&[], 0, &[]);
        check(&[10, 20, 30], 60, &[]);
        check(&[10, 20, 30], 59, &["2"]);
        check(&[10, 20, 30], 31, &["2", "1"]);
        check(&[50, 50], 100, &[]);
        check(&[50, 45, 6], 100, &["2", "1"]); // down to ninety
        check(&[7], 0, &["0"]);
    }
}
