//! A kubeconfig file of the user: one cluster, user and context are added or changed, all else stays.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use serde_json::Value;
use serde_yaml_ng::{Mapping, Value as Yaml};

use crate::{exit::Exit, failure::Explain};

/// The lists of a kubeconfig, whose entries have names.
const LISTS: [&str; 3] = ["clusters", "users", "contexts"];

/// The file cannot be changed. It is as it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// The file system refused.
    #[error("cannot change `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// It is not YAML.
    #[error("`{}` is not a kubeconfig", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where, and what.
        #[source]
        source: serde_yaml_ng::Error,
    },
    /// A part is not what it is in every kubeconfig.
    #[error("`{}` is not a kubeconfig: `{part}` is not {wanted}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// The part.
        part: &'static str,
        /// What it has to be.
        wanted: &'static str,
    },
    /// Another program is changing it.
    #[error("`{}` is being changed by another program", .0.display())]
    Locked(PathBuf),
}

impl Explain for FileError {
    fn exit(&self) -> Exit {
        Exit::Failure
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Locked(path) => {
                Some(format!("if none is running, remove `{}`", beside(path, "lock").display()))
            }
            Self::Syntax { .. } | Self::Form { .. } => Some("name another file by --file".to_owned()),
            Self::Io { .. } => None,
        }
    }
}

/// Merges `addition`, a whole kubeconfig, into the file. It is replaced at once, keeps its mode, and is 0600 if new.
pub(super) fn write(path: &Path, addition: &Value, keep_current: bool) -> Result<(), FileError> {
    let failed = |source| FileError::Io { path: path.to_owned(), source };
    // A link stays one: what it leads to is changed.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    }
    let _lock = Lock::take(path)?;
    let (text, mode) = match fs::read_to_string(path) {
        Ok(text) => (text, fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (String::new(), 0o600),
        Err(error) => return Err(failed(error)),
    };
    let merged = merged(path, &text, addition, keep_current)?;
    let part = beside(path, "part");
    let written = replace(path, &part, &merged, mode);
    written.inspect_err(|_| drop(fs::remove_file(&part))).map_err(failed)
}

fn replace(path: &Path, part: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(part, path)
}

/// The text of the file with `addition` in it.
pub(crate) fn merged(
    path: &Path,
    text: &str,
    addition: &Value,
    keep_current: bool,
) -> Result<String, FileError> {
    let syntax = |source| FileError::Syntax { path: path.to_owned(), source };
    let form = |part, wanted| FileError::Form { path: path.to_owned(), part, wanted };
    let mut config = match serde_yaml_ng::from_str(text).map_err(syntax)? {
        Yaml::Null => Mapping::new(),
        Yaml::Mapping(config) => config,
        _ => return Err(form("the whole", "a mapping")),
    };
    let addition: Mapping =
        serde_yaml_ng::to_value(addition).and_then(serde_yaml_ng::from_value).map_err(syntax)?;
    for (key, value) in addition {
        let list = LISTS.into_iter().find(|name| key.as_str() == Some(*name));
        match (list, value) {
            (Some(list), Yaml::Sequence(entries)) => {
                let kept = config.entry(key).or_insert(Yaml::Sequence(Vec::new()));
                if kept.is_null() {
                    *kept = Yaml::Sequence(Vec::new());
                }
                let kept = kept.as_sequence_mut().ok_or_else(|| form(list, "a list"))?;
                for entry in entries {
                    put(kept, entry);
                }
            }
            (_, value) if key == "current-context" && !keep_current => drop(config.insert(key, value)),
            (_, value) => drop(config.entry(key).or_insert(value)),
        }
    }
    serde_yaml_ng::to_string(&config).map_err(syntax)
}

/// In the place of the entry of the same name, else at the end.
fn put(entries: &mut Vec<Yaml>, entry: Yaml) {
    match entries.iter_mut().find(|kept| kept.get("name") == entry.get("name")) {
        Some(kept) => *kept = entry,
        None => entries.push(entry),
    }
}

/// kubectl's own lock, so that each waits for the other: a file beside, made by who changes.
struct Lock(PathBuf);

impl Lock {
    fn take(path: &Path) -> Result<Self, FileError> {
        let lock = beside(path, "lock");
        match File::create_new(&lock) {
            Ok(_) => Ok(Self(lock)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(FileError::Locked(path.to_owned()))
            }
            Err(source) => Err(FileError::Io { path: path.to_owned(), source }),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{extension}"));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use serde_json::json;

    use super::*;

    fn one(name: &str, server: &str) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": {"server": server}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "users": [{"name": name, "user": {}}],
        })
    }

    fn read(path: &Path) -> Value {
        serde_yaml_ng::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }

    #[test]
    fn all_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/config");
        write(&path, &one("a", "https://a.example"), false).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read(&path), one("a", "https://a.example"));
        let text =
            fs::read_to_string(&path).unwrap() + "preferences: {colors: true}\nextensions: [{name: x}]\n";
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link");
        symlink(&path, &link).unwrap();
        write(&link, &one("b", "https://b.example"), false).unwrap();
        write(&link, &one("a", "https://c.example"), true).unwrap();
        let config = read(&path);
        assert!(link.is_symlink());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        let servers: Vec<_> =
            config["clusters"].as_array().unwrap().iter().map(|entry| &entry["cluster"]["server"]).collect();
        assert_eq!(servers, ["https://c.example", "https://b.example"]);
        assert_eq!(config["current-context"], "b");
        assert_eq!(
            (&config["preferences"]["colors"], &config["extensions"][0]["name"]),
            (&json!(true), &json!("x"))
        );
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_kubeconfig_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        let check = |text: &str, expected: &str| {
            fs::write(&path, text).unwrap();
            let error = write(&path, &one("a", "https://a.example"), false).unwrap_err().to_string();
            assert_eq!(error, format!("`{}` {expected}", path.display()));
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        };
        check("a: [", "is not a kubeconfig");
        check("- a", "is not a kubeconfig: `the whole` is not a mapping");
        check("users: {}", "is not a kubeconfig: `users` is not a list");
        fs::write(folder.path().join("config.lock"), "").unwrap();
        check("", "is being changed by another program");
    }

    #[test]
    fn lists_that_are_null_are_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        fs::write(&path, "clusters: null\nusers: []\n").unwrap();
        write(&path, &one("a", "https://a.example"), false).unwrap();
        assert_eq!(read(&path)["clusters"][0]["name"], "a");
    }
}
