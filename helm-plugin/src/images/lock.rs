//! The lock file: which digest each image of a release had when someone looked, to be deployed later as it was.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use ecr_registry::{Digest, Reference};
use serde::{Deserialize, Serialize};

use super::{
    pins::{Pin, Wanted},
    values_path::ValuesPath,
};
use crate::{exit::Exit, failure::Explain};

/// What a lock file says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lock(Vec<Entry>);

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    path: ValuesPath,
    reference: Reference,
    digest: Digest,
}

/// The file as it is written. It has nothing that changes by itself, so that it is the same as long as images are.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    version: u64,
    images: Vec<EntryText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryText {
    /// None for an image that no value says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    image: String,
    digest: String,
}

/// A lock file does not do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockError {
    /// It cannot be read or written.
    #[error("cannot use the lock file `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It is none, or was edited.
    #[error("`{}` is not a lock file", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It is of another version of this form.
    #[error("`{}` is of version {version}, and this program knows version 1", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// What it says.
        version: u64,
    },
    /// It says nothing of an image that would be deployed.
    #[error("the lock file has no digest for {image}{}", place(path))]
    Missing {
        /// The image.
        image: String,
        /// Its place.
        path: ValuesPath,
    },
}

fn place(path: &ValuesPath) -> String {
    if path.is_root() { String::new() } else { format!(" at values path `{path}`") }
}

impl Explain for LockError {
    fn exit(&self) -> Exit {
        match self {
            Self::Io { .. } | Self::Form { .. } | Self::Version { .. } => Exit::Usage,
            Self::Missing { .. } => Exit::ImagePolicy,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { .. } | Self::Form { .. } => {
                Some("write it anew: eks-deploy images lock RELEASE CHART --lock FILE".to_owned())
            }
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("write it first: eks-deploy images lock RELEASE CHART --lock FILE".to_owned())
            }
            Self::Io { .. } | Self::Version { .. } => None,
        }
    }
}

impl Lock {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, LockError> {
        let text = fs::read_to_string(path);
        parse(path, &text.map_err(|source| LockError::Io { path: path.to_owned(), source })?)
    }

    /// Writes what was pinned into a file, at once or not at all.
    pub(crate) fn write(path: &Path, pins: &[Pin]) -> Result<(), LockError> {
        let failed = |source| LockError::Io { path: path.to_owned(), source };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        file.write_all(render(pins).as_bytes()).map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Puts the digests into what is wanted by tag. With `complete`, there must be one for each.
    pub(crate) fn fill(&self, wanted: &mut [Wanted], complete: bool) -> Result<(), LockError> {
        for Wanted { path, reference } in wanted {
            let known = |entry: &&Entry| entry.path == *path && entry.reference == *reference;
            match self.0.iter().find(known) {
                _ if reference.digest.is_some() => {}
                Some(entry) => reference.digest = Some(entry.digest),
                None if complete => {
                    return Err(LockError::Missing { image: reference.to_string(), path: path.clone() });
                }
                None => {}
            }
        }
        Ok(())
    }
}

/// Reads the text of a file.
pub(crate) fn parse(path: &Path, text: &str) -> Result<Lock, LockError> {
    let form = |source| LockError::Form { path: path.to_owned(), source };
    let text: Text = serde_yaml_ng::from_str(text).map_err(|error| form(error.into()))?;
    if text.version != 1 {
        return Err(LockError::Version { path: path.to_owned(), version: text.version });
    }
    let entry = |entry: EntryText| {
        Ok(Entry {
            path: entry.path.map_or(Ok(ValuesPath::root()), |path| path.parse())?,
            reference: entry.image.parse()?,
            digest: entry.digest.parse()?,
        })
    };
    text.images.into_iter().map(entry).collect::<Result<_, _>>().map(Lock).map_err(form)
}

fn render(pins: &[Pin]) -> String {
    let entry = |pin: &Pin| EntryText {
        path: (!pin.path.is_root()).then(|| pin.path.to_string()),
        image: Reference { digest: None, ..pin.reference.clone() }.to_string(),
        digest: pin.digest.to_string(),
    };
    let mut images: Vec<_> = pins.iter().map(entry).collect();
    images.sort_by(|one, other| (&one.path, &one.image).cmp(&(&other.path, &other.image)));
    serde_yaml_ng::to_string(&Text { version: 1, images }).expect("texts and a number are YAML")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::images::pins::pin;

    const DIGEST: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn wanted(path: &str, reference: &str) -> Wanted {
        Wanted { path: path.parse().unwrap(), reference: reference.parse().unwrap() }
    }

    fn pins() -> Vec<Pin> {
        let values = json!({"a": "x", "b": {"image": "x"}});
        let pinned =
            |path: &str, image: &str| pin(wanted(path, image), DIGEST.parse().unwrap(), &values).unwrap();
        vec![pinned("b.image", "r.example/b:1"), pinned("a", "r.example/a:1")]
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images.lock");
        Lock::write(&path, &pins()).unwrap();
        let expected = format!(
            "version: 1\nimages:\n- path: a\n  image: r.example/a:1\n  digest: {DIGEST}\n- path: b.image\n  image: \
             r.example/b:1\n  digest: {DIGEST}\n"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        let lock = Lock::read(&path).unwrap();
        let mut some = [wanted("a", "r.example/a:1"), wanted("a", "r.example/a:2")];
        lock.fill(&mut some, false).unwrap();
        assert_eq!(some[0].reference.digest, Some(DIGEST.parse().unwrap()));
        assert_eq!(some[1].reference.digest, None, "another tag is another image");
        let error = lock.fill(&mut some, true).unwrap_err();
        assert_eq!(error.to_string(), "the lock file has no digest for r.example/a:2 at values path `a`");
        assert_eq!(error.exit(), Exit::ImagePolicy);
    }

    #[test]
    fn files_that_were_edited() {
        let check = |text: &str, expected: &str| {
            let error = parse(Path::new("images.lock"), text).unwrap_err();
            let cause =
                std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            assert!(format!("{error}{cause}").contains(expected), "{error}{cause}");
            assert_eq!(error.exit(), Exit::Usage);
        };
        let entry = |path: &str, image: &str, digest: &str| {
            format!("version: 1\nimages: [{{path: {path}, image: '{image}', digest: '{digest}'}}]")
        };
        check("version: 2\nimages: []", "is of version 2, and this program knows version 1");
        check("version: 1", "`images.lock` is not a lock file: missing field `images`");
        check("version: 1\nimages: []\nextra: 1", "unknown field `extra`");
        check(&entry("a..b", "r.example/a", DIGEST), "values path `a..b` is not");
        check(&entry("a", "r.example/A", DIGEST), "`images.lock` is not a lock file: ");
        check(&entry("a", "r.example/a", "sha256:ba78"), "`images.lock` is not a lock file: ");
        check("\u{0}", "`images.lock` is not a lock file: ");
    }
}
