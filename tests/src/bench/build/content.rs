//! The folders that are built: files as services have them, the same in every run on a machine.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::{LONG, run};

/// 256 MiB, which is 268 MB.
pub(super) const LARGE: u64 = 256 << 20;
pub(super) const SERVICE: u64 = 4 << 20;
pub(super) const STEP: u64 = 16 << 20;
/// How many files the large context has, and how long each is: 2 GB together.
const FILES: u64 = 100_000;
const FILE: usize = 20_000;
const PER_FOLDER: u64 = 100;
/// Files that are younger than two seconds are known to no cache.
const YOUNG: Duration = Duration::from_millis(2500);

/// How much smaller everything shall be.
pub(in crate::bench) fn shrink() -> u64 {
    let number = std::env::var("BENCH_SHRINK").ok().and_then(|text| text.parse().ok());
    number.filter(|number| *number > 0).unwrap_or(1)
}

/// Go's distribution: programs and sources as services have them.
pub(super) struct Go {
    root: PathBuf,
    /// In order.
    files: Vec<PathBuf>,
}

impl Go {
    pub(super) fn at(root: PathBuf) -> Result<Self> {
        let mut files = Vec::new();
        collect(&root, &mut files)?;
        Ok(Self { root, files })
    }
}

/// Fills a new folder with files of so many bytes: about seven of eight are Go's, from the one with this number on, and
/// the rest random, as pictures and archives would be.
pub(super) fn of_size(folder: &Path, go: &Go, size: u64, from: usize) -> Result<()> {
    fs::create_dir_all(folder)?;
    let size = size / shrink();
    let mut left = size - size / 8;
    for path in go.files.iter().cycle().skip(from).take(go.files.len()) {
        if left < size / 100 {
            break;
        }
        let length = fs::metadata(path)?.len();
        if length <= left {
            let to = folder.join(path.strip_prefix(&go.root)?);
            fs::create_dir_all(to.parent().context("below the folder")?)?;
            fs::copy(path, to)?;
            left -= length;
        }
    }
    let mut random = Random(from as u64 + 1);
    fs::write(folder.join("assets"), random.bytes(usize::try_from(size / 8 + left)?))?;
    Ok(())
}

/// All files below, in order.
fn collect(folder: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>();
    let mut paths: Vec<_> = entries
        .with_context(|| format!("cannot read `{}`", folder.display()))?
        .iter()
        .map(fs::DirEntry::path)
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, into)?;
        } else if path.is_file() {
            into.push(path);
        }
    }
    Ok(())
}

/// 100,000 files of 2 GB in 1,000 folders, old enough to be remembered.
pub(super) fn many_files(folder: &Path) -> Result<()> {
    let (files, mut random) = (FILES / shrink(), Random(7));
    let mut content = random.bytes(FILE);
    for number in 0..files {
        let parent = folder.join(format!("{:03}", number / PER_FOLDER));
        if number % PER_FOLDER == 0 {
            fs::create_dir_all(&parent)?;
        }
        content[..8].copy_from_slice(&number.to_be_bytes());
        File::create(parent.join(format!("file-{number}")))?.write_all(&content)?;
    }
    std::thread::sleep(YOUNG); // it is the time itself that counts
    Ok(())
}

/// Another folder with the same files, or with links to them. Those tell that something was done to a file when another
/// link to it is made, and so are for folders that are used once.
pub(super) fn copied(from: &Path, to: &Path, as_links: bool) -> Result<()> {
    let mut copy = Command::new("cp");
    copy.arg("--archive").args(as_links.then_some("--link")).arg(from).arg(to);
    run(&mut copy, LONG).map(drop)
}

/// Changes one byte of a file whose content others share.
pub(super) fn change_one_byte(file: &Path, to: u8) -> Result<()> {
    let mut content = fs::read(file)?;
    *content.first_mut().context("a file with content")? = to;
    let new = file.with_extension("new");
    fs::write(&new, content)?;
    Ok(fs::rename(new, file)?)
}

/// Numbers that nothing can make smaller, the same in every run (xorshift64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..count.div_ceil(8)).flat_map(|_| self.next().to_be_bytes()).collect();
        bytes.truncate(count);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_the_size_that_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let (go, large) = (folder.path().join("go"), folder.path().join("large"));
        fs::create_dir_all(go.join("src")).unwrap();
        fs::write(go.join("src/a"), [1; 300]).unwrap();
        fs::write(go.join("src/b"), [2; 600]).unwrap();
        of_size(&large, &Go::at(go).unwrap(), 800, 0).unwrap();
        assert_eq!(fs::metadata(large.join("src/a")).unwrap().len(), 300);
        assert_eq!(fs::metadata(large.join("assets")).unwrap().len(), 100 + 400);
        assert!(!large.join("src/b").exists(), "it would be too much");
        let other = folder.path().join("other");
        copied(&large, &other, true).unwrap();
        change_one_byte(&other.join("src/a"), 9).unwrap();
        assert_eq!(fs::read(large.join("src/a")).unwrap()[0], 1);
        assert_eq!(fs::read(other.join("src/a")).unwrap()[..2], [9, 1]);
    }
}
