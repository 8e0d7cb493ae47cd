//! What is wanted: everything that decides the bytes of an image, except the content of the files.
//!
//! Paths in a recipe say where content is found on this machine; they are not content themselves.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
    str::FromStr,
};

use ecr_registry::{Digest, Platform, Reference};

use crate::{
    existing::Existing,
    hash::Format,
    options::{Attestations, BuildOptions, NamedContext},
};

/// How one image is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// Where the content comes from.
    pub how: How,
    /// The platforms to build for; of several, an index is made.
    pub platforms: Vec<Platform>,
    /// How layers are compressed.
    pub compression: Compression,
    /// Labels of the image's configuration.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
    /// Values that force a build when they change; they are hashed and go nowhere else.
    pub triggers: BTreeMap<String, String>,
    /// The time put on files, layers and the image: seconds since 1970.
    pub source_date_epoch: u64,
    /// The rules by which an image that exists was hashed; a new one's follow from its sources.
    pub format: Option<Format>,
}

impl Recipe {
    /// For `linux/amd64`, compressed as usual, with no names, triggers or time of its own.
    pub fn of(how: How) -> Self {
        Self {
            how,
            platforms: vec![Platform::linux_amd64()],
            compression: Compression::default(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            triggers: BTreeMap::new(),
            source_date_epoch: 0,
            format: None,
        }
    }
}

/// The ways to an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// From a Dockerfile: natively where its steps run no programs, else by BuildKit.
    Dockerfile(DockerfileRecipe),
    /// From files put onto a base image, by this crate alone.
    Files(FilesRecipe),
    /// It exists already.
    Existing(Existing),
}

/// A Dockerfile and the folder it is built with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DockerfileRecipe {
    /// The context folder.
    pub context: PathBuf,
    /// The Dockerfile, relative to the context or absolute; `Dockerfile` in the context when absent.
    pub dockerfile: Option<PathBuf>,
    /// The Dockerfile itself, instead of one on disk.
    pub dockerfile_inline: Option<String>,
    /// The stage to build; the last one when absent.
    pub target: Option<String>,
    /// Build arguments. They end up in the image's history, so they are no place for secrets.
    pub args: BTreeMap<String, String>,
    /// Arguments whose values do not count for the source hash.
    pub unhashed_args: BTreeSet<String>,
    /// What stands for the secrets, whose values are hashed nowhere.
    pub secrets_version: Option<String>,
    /// Whether base images are followed: a move of one makes another image.
    pub track_base_images: bool,
    /// What base images are now, where they are followed. [`crate::resolve`] fills it in.
    pub base_digests: BTreeMap<String, Digest>,
    /// Content beside the context folder, by the names the Dockerfile has for it.
    pub contexts: BTreeMap<String, NamedContext>,
    /// What is said about the image beside it.
    pub attestations: Attestations,
    /// How it is built; nothing of this is hashed.
    pub options: BuildOptions,
}

/// Files put onto a base image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilesRecipe {
    /// The image below the files; nothing (`scratch`) when absent.
    pub base: Option<Reference>,
    /// The files, each source a layer of its own, in this order.
    pub layers: Vec<LayerSource>,
    /// The program and its first arguments; the base's when absent.
    pub entrypoint: Option<Vec<String>>,
    /// Default arguments; the base's when absent, none when the entrypoint is given.
    pub cmd: Option<Vec<String>>,
    /// Environment variables, added to the base's.
    pub env: BTreeMap<String, String>,
    /// The user (and group) the program runs as; the base's when absent.
    pub user: Option<String>,
    /// The folder the program starts in; the base's when absent.
    pub workdir: Option<String>,
}

/// One file or folder and its place in the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerSource {
    /// The file or folder. A folder's content is taken, as `COPY` does, and its `.dockerignore` obeyed.
    pub source: PathBuf,
    /// The absolute path in the image. A file goes *into* a destination that ends in `/`.
    pub destination: String,
    /// Permission bits of the files; 0755 for programs and 0644 for the rest when absent.
    pub mode: Option<u32>,
}

/// How layers are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compression {
    /// gzip, level 1, in members of 1 MiB: what every runtime reads.
    #[default]
    Gzip,
    /// Zstandard, level 3: smaller and faster; EKS, ECS and Fargate read it, Lambda does not.
    Zstd,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

/// A text that names no compression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("compression `{0}` is not `gzip` or `zstd`")]
pub struct UnknownCompression(String);

impl FromStr for Compression {
    type Err = UnknownCompression;

    fn from_str(text: &str) -> Result<Self, UnknownCompression> {
        match text {
            "gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            _ => Err(UnknownCompression(text.to_owned())),
        }
    }
}
