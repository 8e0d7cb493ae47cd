//! The lab's folder on disk: what took long to make is kept here, keyed by version, and never made twice.
//!
//! Knows paths and how to install one atomically; knows nothing of what is installed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};

use crate::progress;

/// The lab's folder: `$EKS_DEPLOY_LAB_CACHE`, else `eks-deploy-lab` below the user's cache folder.
#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// The folder that the environment names.
    pub fn from_env() -> Result<Self> {
        let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let root = named("EKS_DEPLOY_LAB_CACHE")
            .or_else(|| named("XDG_CACHE_HOME").map(|folder| folder.join("eks-deploy-lab")))
            .or_else(|| named("HOME").map(|folder| folder.join(".cache/eks-deploy-lab")))
            .context("no place for the lab's cache: set EKS_DEPLOY_LAB_CACHE or HOME")?;
        Ok(Self::at(std::path::absolute(root)?))
    }

    /// The given folder, which need not exist yet.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where a program of this version is kept.
    pub fn tool(&self, name: &str, version: &str) -> PathBuf {
        self.root.join("bin").join(format!("{name}-{version}"))
    }

    /// Where a running lab keeps sockets, logs and data. May be removed whenever the lab is down.
    pub fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// A path below the folder.
    pub fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }

    /// Makes sure that `target` exists: calls `make` with a temporary path beside it, then renames it into place.
    ///
    /// Two processes that want the same thing make it once. What a killed run left half done is made anew.
    pub fn install(&self, what: &str, target: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        if target.exists() {
            return Ok(());
        }
        let folder = target.parent().context("the cache holds no root folder")?;
        fs::create_dir_all(folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
        let _lock = lock(&beside(target, ".lock"))?;
        if target.exists() {
            return Ok(());
        }
        let part = beside(target, ".part");
        remove(&part)?;
        progress::step(format_args!("install {what}"), || make(&part))?;
        fs::rename(&part, target).with_context(|| format!("cannot move `{}` into place", target.display()))
    }
}

/// Holds an exclusive lock on the file until dropped, and waits for whoever has it.
///
/// The kernel releases it when the holder dies, so that a killed run blocks nobody.
pub fn lock(path: &Path) -> Result<File> {
    let file = File::create(path).with_context(|| format!("cannot create `{}`", path.display()))?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        progress::say(format_args!("waiting for another run that holds `{}`", path.display()));
        flock(&file, FlockOperation::LockExclusive)?;
    }
    Ok(file)
}

/// Removes a file or a folder; one that is not there is fine.
pub fn remove(path: &Path) -> Result<()> {
    let result =
        if path.is_dir() && !path.is_symlink() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove `{}`", path.display()))
        }
        _ => Ok(()),
    }
}

fn beside(target: &Path, ending: &str) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn installs_once_for_many() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let (target, count) = (cache.tool("helm", "4.3.1"), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let make = |part: &Path| {
                        count.fetch_add(1, Ordering::SeqCst);
                        Ok(fs::create_dir(part)?)
                    };
                    cache.install("helm", &target, make).unwrap();
                });
            }
        });
        assert_eq!(count.load(Ordering::SeqCst), 1);
        assert!(target.is_dir());
    }

    #[test]
    fn a_failed_install_leaves_nothing_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let target = cache.tool("helm", "4.3.1");
        let half = |part: &Path| {
            fs::create_dir(part)?;
            anyhow::bail!("network is down")
        };
        assert_eq!(cache.install("helm", &target, half).unwrap_err().to_string(), "network is down");
        assert!(!target.exists());
        cache.install("helm", &target, |part| Ok(fs::write(part, "helm")?)).unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "helm");
    }
}
