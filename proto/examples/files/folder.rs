//! The folder a provider works in. Knows files, and of Terraform only how faults are told.

use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use tfplugin_rs::{Call, Diagnostic, Diagnostics, Validator};

/// How often a lock is looked at.
const PAUSE: Duration = Duration::from_millis(20);

/// A folder below which all files lie.
#[derive(Clone, Debug)]
pub(crate) struct Folder(PathBuf);

/// A file as it lies there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// `None` if nobody looked.
    pub(crate) content: Option<String>,
    /// Its permissions in octal, such as `0644`.
    pub(crate) mode: String,
}

impl Folder {
    pub(crate) fn new(root: impl Into<PathBuf>) -> Self {
        Self(root.into())
    }

    /// Where a file is. None is ever outside the folder.
    pub(crate) fn path(&self, file: &str) -> Result<PathBuf, Diagnostics> {
        match fault(file) {
            Some(fault) => {
                Err(Diagnostic::error(format!("`{file}` is no path of a file"), fault).at("path").into())
            }
            None => Ok(self.0.join(file)),
        }
    }

    /// The file, if there is one. Nothing can be below a file, so that counts as "none", too.
    pub(crate) fn find(&self, file: &str) -> Result<Option<Found>, Diagnostics> {
        let path = self.path(file)?;
        let read = || io::Result::Ok((fs::read_to_string(&path)?, fs::metadata(&path)?.permissions().mode()));
        match read() {
            Ok((content, mode)) => {
                Ok(Some(Found { content: Some(content), mode: format!("{:04o}", mode & 0o7777) }))
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(None)
            }
            Err(error) => Err(failed("read", file, &error)),
        }
    }

    /// Writes the file as a whole or not at all, so that nobody ever reads half of it.
    pub(crate) fn write(&self, file: &str, content: &str, mode: &str) -> Result<(), Diagnostics> {
        let path = self.path(file)?;
        let folder = path.parent().unwrap_or(&self.0);
        let write = || {
            let mode = u32::from_str_radix(mode, 8).map_err(io::Error::other)?;
            fs::create_dir_all(folder)?;
            let mut part = NamedTempFile::new_in(folder)?;
            part.write_all(content.as_bytes())?;
            part.as_file().set_permissions(Permissions::from_mode(mode))?;
            part.persist(&path)?;
            Ok(())
        };
        write().map_err(|error: io::Error| failed("write", file, &error))
    }

    /// Removes the file; one that is gone already is fine.
    pub(crate) fn remove(&self, file: &str) -> Result<(), Diagnostics> {
        match fs::remove_file(self.path(file)?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", file, &error)),
            _ => Ok(()),
        }
    }

    /// Sets the time of the file's last change to now.
    pub(crate) fn touch(&self, file: &str) -> Result<(), Diagnostics> {
        let path = self.path(file)?;
        let touch = || fs::File::options().append(true).open(path)?.set_modified(SystemTime::now());
        touch().map_err(|error| failed("touch", file, &error))
    }

    /// The files whose names end so, in order. What cannot be named in UTF-8 is left out.
    pub(crate) fn files(&self, suffix: &str) -> Result<Vec<String>, Diagnostics> {
        let mut files = Vec::new();
        if self.0.exists() {
            collect(&self.0, "", &mut files)
                .map_err(|error| failed("list", &self.0.to_string_lossy(), &error))?;
        }
        files.retain(|file| file.ends_with(suffix));
        files.sort();
        Ok(files)
    }

    /// Waits until nobody holds the file's lock, a file of its name with `.lock` behind.
    pub(crate) async fn wait(&self, file: &str, call: &Call) -> Result<(), Diagnostics> {
        let lock = self.path(&format!("{file}.lock"))?;
        let limit = call.timeout.unwrap_or_default();
        if lock.exists() {
            tracing::info!(file, "waiting for the lock");
        }
        let free = async {
            while lock.exists() {
                tokio::time::sleep(PAUSE).await;
            }
        };
        let why = tokio::select! {
            () = free => return Ok(()),
            () = tokio::time::sleep(limit) => format!("It still was after {limit:?}; `timeouts` sets that time."),
            () = call.cancellation.cancelled() => "The wait for it was interrupted.".to_owned(),
        };
        Err(Diagnostic::error(format!("`{file}` is locked by `{}`", lock.display()), why).at("path").into())
    }

    /// Locks a file and gives the key.
    pub(crate) fn lock(&self, file: &str, reason: &str) -> Result<String, Diagnostics> {
        let lock = self.path(&format!("{file}.lock"))?;
        let key = format!("{reason} {}", std::process::id());
        let create = || {
            fs::create_dir_all(lock.parent().unwrap_or(&self.0))?;
            fs::File::create_new(&lock)?.write_all(key.as_bytes())
        };
        create().map_err(|error| failed("lock", file, &error))?;
        Ok(key)
    }

    /// Unlocks a file for the holder of the key.
    pub(crate) fn unlock(&self, file: &str, key: &str) -> Result<(), Diagnostics> {
        let lock = format!("{file}.lock");
        match self.find(&lock)? {
            Some(found) if found.content.as_deref() == Some(key) => self.remove(&lock),
            _ => Err(Diagnostic::error(format!("`{file}` is not locked with this key"), "").into()),
        }
    }
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Why a path cannot be used, if it cannot.
pub(crate) fn fault(path: &str) -> Option<&'static str> {
    let plain = |part| matches!(part, Component::Normal(_));
    match path {
        "" => Some("It is empty."),
        _ if path.ends_with('/') => Some("It names a folder."),
        _ if !Path::new(path).components().all(plain) => Some("It leads out of the provider's folder."),
        _ => None,
    }
}

/// A path that can be used.
pub(crate) fn is_path() -> Validator {
    Validator::text("a path below the provider's `root`", |path| fault(path).is_none())
}

/// Permissions.
pub(crate) fn is_mode() -> Validator {
    let octal = |mode: &str| mode.len() == 4 && u32::from_str_radix(mode, 8).is_ok();
    Validator::text("four octal digits", octal)
}

pub(crate) fn sha256(content: &str) -> String {
    hex::encode(Sha256::digest(content))
}

fn failed(doing: &str, file: &str, error: &io::Error) -> Diagnostics {
    Diagnostic::error(format!("cannot {doing} `{file}`"), error.to_string()).at("path").into()
}
