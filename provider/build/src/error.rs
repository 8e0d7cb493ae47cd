//! What can be wrong with the files an image is made from.

use std::{fmt, io, path::PathBuf};

use crate::{
    destination::DestinationError, dockerfile::DockerfileError, existing::ExistingError, ignore::PatternError,
};

/// A context, Dockerfile or source that cannot be read as it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContextError {
    /// The folder or file that content is taken from is not there.
    #[error("{role} `{}` does not exist", path.display())]
    Missing {
        /// What it is for.
        role: Role,
        /// Where it was looked for.
        path: PathBuf,
        /// Paths that may have been meant.
        near: Vec<String>,
    },
    /// A file where a folder is needed, or the other way round.
    #[error("{role} `{}` is {found}", path.display())]
    WrongKind {
        /// What it is for.
        role: Role,
        /// Where it is.
        path: PathBuf,
        /// What it is: `a file`, `a folder`, …
        found: &'static str,
    },
    /// The operating system refused to read it.
    #[error("cannot read `{}`", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A socket, device or pipe: nothing an image can hold.
    #[error("`{}` is {found}, which no image can hold", path.display())]
    Special {
        /// Where it is.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// The file was written to in the meantime.
    #[error("`{}` changed while it was read", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A name that is not UTF-8.
    #[error("the name of `{}` is not UTF-8", path.display())]
    NotUtf8 {
        /// Where it is.
        path: PathBuf,
    },
    /// A pattern of an ignore file that cannot be understood.
    #[error("cannot use the ignore file `{}`", path.display())]
    Ignore {
        /// The ignore file.
        path: PathBuf,
        /// Which pattern.
        source: PatternError,
    },
    /// A mistake in the Dockerfile.
    #[error("cannot use Dockerfile `{name}`")]
    Dockerfile {
        /// Its path in the context, or its file name.
        name: String,
        /// What is wrong, and where.
        source: DockerfileError,
    },
    /// The Dockerfile has no such stage.
    #[error("the Dockerfile has no stage `{target}`")]
    NoStage {
        /// The stage asked for.
        target: String,
        /// The stages there are.
        stages: Vec<String>,
    },
    /// The build asks for what the Dockerfile does not say that it needs.
    #[error("the build asks for `{path}` of the context, which no instruction of the Dockerfile copies")]
    Unseen {
        /// Relative to the context.
        path: String,
    },
    /// An image that exists already.
    #[error(transparent)]
    Existing(#[from] Box<ExistingError>),
    /// No place in an image.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// A source that is one of Terraform's own files.
    #[error("`{}` is one of Terraform's own files and never goes into an image", path.display())]
    TerraformFile {
        /// The source.
        path: PathBuf,
    },
}

/// What a path was given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The context of a Dockerfile.
    Context,
    /// The Dockerfile.
    Dockerfile,
    /// The source of a layer.
    Source,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Context => "context folder",
            Self::Dockerfile => "Dockerfile",
            Self::Source => "layer source",
        })
    }
}

impl ContextError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { near, .. } if !near.is_empty() => Some(format!("there is {}", near.join(", "))),
            Self::Missing { role, .. } => Some(match role {
                Role::Dockerfile => {
                    "`dockerfile` is taken from the context folder unless it is absolute".into()
                }
                Role::Context | Role::Source => {
                    "relative paths begin at Terraform's working folder; write \"${path.module}/...\"".into()
                }
            }),
            Self::WrongKind { role: Role::Context, .. } => Some("`context` names a folder".into()),
            Self::WrongKind { .. } => None,
            Self::Unreadable { .. } | Self::Special { .. } => {
                Some("remove it, make it readable, or name it in .dockerignore".into())
            }
            Self::Changed { .. } => {
                Some("run again when nothing writes to it, or name it in .dockerignore".into())
            }
            Self::NotUtf8 { .. } => Some("rename it, or name its folder in .dockerignore".into()),
            Self::Ignore { .. } => {
                Some("patterns are those of .dockerignore: *, ?, **, [a-z], ! and \\ to escape".into())
            }
            Self::Dockerfile { source, .. } => source.hint(),
            Self::NoStage { stages, .. } => Some(stages_hint(stages)),
            Self::Unseen { .. } => Some(
                "the base image has ONBUILD instructions: write them into the Dockerfile, so that a plan knows what they copy"
                    .into(),
            ),
            Self::Existing(error) => error.hint(),
            Self::Destination(_) => Some("write it from the root: \"/app/\"".into()),
            Self::TerraformFile { .. } => Some("name another file as `source`".into()),
        }
    }
}

/// The stages there are, for who named another.
pub(crate) fn stages_hint(stages: &[String]) -> String {
    match stages {
        [] => "it names no stages; leave `target` out".to_owned(),
        stages => format!("its stages are {}", stages.join(", ")),
    }
}
