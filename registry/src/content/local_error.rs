use std::{io, path::PathBuf, sync::Arc};

use super::ManifestError;
use crate::names::Digest;

/// A folder or file with images that cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot use `{}`", place.display())]
pub struct LocalError {
    /// The folder or file.
    pub place: PathBuf,
    /// What is wrong with it.
    #[source]
    pub problem: LocalProblem,
}

/// What is wrong with a folder or file with images.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LocalProblem {
    /// The system refuses.
    #[error("it cannot be read or written")]
    Io(#[source] Arc<io::Error>),
    /// Something that has to be there is not.
    #[error("it has no `{0}`")]
    Missing(String),
    /// What says in which version it is written is not that of this library.
    #[error("`{file}` says version `{version}`, where 1 is known")]
    Version {
        /// The file.
        file: &'static str,
        /// What it says.
        version: String,
    },
    /// Not the JSON that belongs there.
    #[error("`{file}` is not what belongs there")]
    Json {
        /// The file.
        file: String,
        /// The reason.
        #[source]
        cause: Arc<serde_json::Error>,
    },
    /// A manifest that is none.
    #[error("manifest {digest} cannot be used")]
    Manifest {
        /// The manifest.
        digest: Digest,
        /// The reason.
        #[source]
        cause: ManifestError,
    },
    /// Not the bytes that its name promises.
    #[error("`{name}` has digest {actual}, not {expected}")]
    Digest {
        /// The content.
        name: String,
        /// The digest it should have.
        expected: Digest,
        /// The digest it has.
        actual: Digest,
    },
    /// Not as long as it should be.
    #[error("`{name}` has {actual} bytes, not {expected}")]
    Size {
        /// The content.
        name: String,
        /// Bytes announced.
        expected: u64,
        /// Bytes found.
        actual: u64,
    },
    /// More than is taken into memory.
    #[error("`{name}` is longer than the limit of {limit} bytes")]
    TooLarge {
        /// The content.
        name: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// An archive made to mislead, or a broken one.
    #[error("entry `{name}` of the archive {problem}")]
    Entry {
        /// The entry.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// No image of this name.
    #[error("it has no image named `{name}`; it has {}", list(known))]
    NoSuchImage {
        /// The name asked for.
        name: String,
        /// The names that are there.
        known: Vec<String>,
    },
    /// Several images, and none was named.
    #[error("it has several images and none was named; it has {}", list(.0))]
    NotNamed(Vec<String>),
    /// An image whose parts are in a registry.
    #[error("blob {0} is still in a registry")]
    NotLocal(Digest),
}

impl LocalError {
    pub(super) fn new(place: impl Into<PathBuf>, problem: LocalProblem) -> Self {
        Self { place: place.into(), problem }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match &self.problem {
            LocalProblem::NoSuchImage { .. } | LocalProblem::NotNamed(_) => Some("name one of these images"),
            LocalProblem::Digest { .. } | LocalProblem::Size { .. } => {
                Some("make it anew; it was changed or not finished")
            }
            LocalProblem::NotLocal(_) => Some("pull the image first"),
            LocalProblem::Io(_)
            | LocalProblem::Missing(_)
            | LocalProblem::Version { .. }
            | LocalProblem::Json { .. }
            | LocalProblem::Manifest { .. }
            | LocalProblem::TooLarge { .. }
            | LocalProblem::Entry { .. } => None,
        }
    }
}

impl From<io::Error> for LocalProblem {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

fn list(names: &[String]) -> String {
    const MOST: usize = 10;
    match names {
        [] => "none with a name".to_owned(),
        names if names.len() > MOST => {
            format!("{}, and {} more", names[..MOST].join(", "), names.len() - MOST)
        }
        names => names.join(", "),
    }
}
