//! Why an image could not be built.

use std::{collections::BTreeMap, fmt, io, path::PathBuf, time::Duration};

use ecr_registry::{NameError, Platform, Reference};

use crate::{
    docker::{ArchiveError, DockerError, NoDocker},
    error::{ContextError, stages_hint},
    existing::ExistingError,
    fleet::NoBuilder,
};

/// An image that could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Something is wrong with the files it is made from.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// No platform to build for.
    #[error("there is no platform to build for")]
    NoPlatform,
    /// The images of several platforms would not be of the same files.
    #[error("files changed between the builds for two platforms")]
    SourcesChanged,
    /// The registry has no such base image.
    #[error("base image `{base}` does not exist")]
    BaseMissing {
        /// The base image.
        base: Box<Reference>,
    },
    /// The registry of the base image did not say what it is.
    #[error("cannot look up base image `{base}`")]
    BaseUnavailable {
        /// The base image.
        base: Box<Reference>,
        /// What came in the way.
        source: ecr_registry::Error,
    },
    /// The base image is not for the platform that is built for.
    #[error("base image `{base}` is not for {wanted}")]
    BasePlatform {
        /// The base image.
        base: Box<Reference>,
        /// The platform that is built for.
        wanted: Platform,
        /// What it is for.
        found: Vec<Platform>,
    },
    /// The base image's configuration is not one.
    #[error("cannot use the configuration of base image `{base}`")]
    BaseConfig {
        /// The base image.
        base: Box<Reference>,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// An image that a Dockerfile names cannot be used.
    #[error("line {line} of the Dockerfile names an image that cannot be used")]
    OnLine {
        /// The line, counted from 1.
        line: u32,
        /// Why it cannot.
        source: Box<BuildError>,
    },
    /// The image that came out is for another platform.
    #[error("the image is for {found}, and not for {wanted}")]
    OtherPlatform {
        /// The platform that was asked for.
        wanted: Box<Platform>,
        /// What the image says.
        found: Box<Platform>,
    },
    /// What a Dockerfile begins with, or copies from, is no name of an image.
    #[error("`{name}` is no image")]
    BaseName {
        /// What it says.
        name: String,
        /// What is wrong with it.
        source: ecr_registry::NameError,
    },
    /// A layer of a base image cannot be had.
    #[error("cannot look what is in a base image")]
    BaseLayer {
        /// What came in the way.
        source: ecr_registry::Error,
    },
    /// An archive, or a layer of a base image, is not as it should be.
    #[error("cannot read an archive")]
    Layer(#[source] io::Error),
    /// An archive is compressed in a way that is not known here.
    #[error("cannot unpack `{}`", .0.display())]
    Archiver(PathBuf),
    /// What an `ADD` fetches cannot be had.
    #[error("cannot fetch `{url}`: {message}")]
    Address {
        /// Its address.
        url: String,
        /// What came in the way.
        message: String,
    },
    /// No room, or no permission, for what is being built.
    #[error("cannot write to the folder for temporary files")]
    Scratch(#[source] io::Error),
    /// A Dockerfile needs Docker's daemon, and it was found nowhere.
    #[error(transparent)]
    NoDocker(#[from] NoDocker),
    /// Docker's daemon did not do as it was asked.
    #[error("cannot {action} the Docker daemon")]
    Docker {
        /// What was asked.
        action: &'static str,
        /// What it said.
        source: DockerError,
    },
    /// No builder of the fleet is there for the platform.
    #[error(transparent)]
    NoBuilder(#[from] NoBuilder),
    /// Builders are wanted by their addresses, and none is given.
    #[error("the engine is `buildkit`, and no builder is given")]
    NoEndpoints,
    /// The native builder is the only one wanted, and cannot.
    #[error("the engine is `native`, which cannot build this: {0}")]
    NativeAlone(String),
    /// Docker's daemon is older than what is asked of it.
    #[error("the Docker daemon at `{daemon}` is of version {version}, and `{what}` needs 24.0")]
    TooOld {
        /// Where it is.
        daemon: String,
        /// Its version.
        version: String,
        /// What is asked of it.
        what: &'static str,
    },
    /// Docker's daemon does not say how images are made.
    #[error("a Docker daemon makes no attestations")]
    NoAttestations,
    /// The connection to the builder ended before the build did.
    #[error("builder `{builder}` broke off")]
    Broke {
        /// Where it is.
        builder: String,
        /// What happened.
        source: Box<tonic::Status>,
    },
    /// The builder says nothing any more.
    #[error("builder `{builder}` gave no sign of life for {} s", patience.as_secs())]
    Silent {
        /// Where it is.
        builder: String,
        /// How long it was waited for.
        patience: Duration,
    },
    /// The builder pushed the image, and the registry does not give it.
    #[error("cannot read what the builder pushed")]
    Pushed(#[source] ecr_registry::Error),
    /// The conversation with BuildKit did not begin.
    #[error("cannot speak to BuildKit")]
    Channel(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The Dockerfile has no such stage.
    #[error("the Dockerfile has no stage `{target}`")]
    NoStage {
        /// The stage asked for.
        target: String,
        /// The stages there are.
        stages: Vec<String>,
    },
    /// An image that the Dockerfile begins with, or copies from, cannot be had.
    #[error("cannot get base image `{image}`: {message}")]
    FromImage {
        /// The image.
        image: String,
        /// BuildKit's words.
        message: String,
    },
    /// A step of the Dockerfile failed.
    #[error(transparent)]
    Step(Box<StepFailure>),
    /// BuildKit says that all went well, and names no image.
    #[error("the builder made no image")]
    NoImage,
    /// An image that exists already cannot be used.
    #[error(transparent)]
    Existing(#[from] ExistingError),
    /// What the daemon gave as the image is none.
    #[error("cannot read the image that was built")]
    Archive(#[from] ArchiveError),
    /// The build was called off.
    #[error("the build was cancelled")]
    Cancelled,
}

impl BuildError {
    /// With the line of the Dockerfile that names the image it is about; `lines` are those of all images.
    pub(crate) fn on_line(self, lines: &BTreeMap<String, u32>) -> Self {
        let image = match &self {
            Self::BaseMissing { base }
            | Self::BaseUnavailable { base, .. }
            | Self::BasePlatform { base, .. }
            | Self::BaseConfig { base, .. } => base.to_string(),
            Self::BaseName { name: image, .. } | Self::FromImage { image, .. } => image.clone(),
            _ => return self,
        };
        // Whatever digest a tag stands for, and with the tag that goes without saying.
        let place = |name: &str| {
            let image = Reference { digest: None, ..name.parse::<Reference>()? };
            Ok::<_, NameError>((image.version(), image.repository))
        };
        let is_it = |name: &str| name == image || place(name).is_ok_and(|name| place(&image) == Ok(name));
        match lines.iter().find(|(name, _)| is_it(name)) {
            Some((_, line)) => Self::OnLine { line: *line, source: Box::new(self) },
            None => self,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Context(error) => error.hint(),
            Self::NoPlatform => Some("name one in `platforms`".into()),
            Self::SourcesChanged => Some("run again when nothing writes to them".into()),
            Self::BaseMissing { .. } => Some("check its name and tag; `base` may also be left out".into()),
            Self::BaseUnavailable { source, .. } | Self::BaseLayer { source } => source.hint(),
            Self::BaseName { source, .. } => source.hint(),
            Self::OnLine { source, .. } => source.hint(),
            Self::OtherPlatform { .. } => {
                Some("leave `--platform` out of its last FROM, or name that platform in `platforms`".into())
            }
            Self::Address { .. } => {
                Some("check the address and the checksum, and whether this machine reaches it".into())
            }
            Self::BasePlatform { found, .. } if found.is_empty() => None,
            Self::BasePlatform { found, .. } => {
                let found: Vec<String> = found.iter().map(ToString::to_string).collect();
                Some(format!("it is for {}", found.join(", ")))
            }
            Self::Scratch(_) => Some("check the space in TMPDIR, or set it to another folder".into()),
            Self::NoDocker(_) => Some(
                "start Docker, or point DOCKER_HOST to its socket; `files` and `plan` need no daemon".into(),
            ),
            Self::NoStage { stages, .. } => Some(stages_hint(stages)),
            Self::FromImage { .. } => {
                Some("check its name and tag, whether this machine reaches its registry, and the credentials for it".into())
            }
            Self::Docker { source: DockerError::Connection(error), .. } => Some(error.hint().into()),
            Self::Docker { .. } => Some("look into the Docker daemon's own log".into()),
            Self::Step(failure) => failure.hint(),
            Self::Existing(error) => error.hint(),
            Self::NoBuilder(_) | Self::NoEndpoints => {
                Some("see that the builders in the provider's `builder` run, and what they build for".into())
            }
            Self::NativeAlone(_) => Some("leave `engine` out, and BuildKit builds it".into()),
            Self::TooOld { .. } => Some("update Docker, or give a buildkitd in the provider's `builder`".into()),
            Self::NoAttestations => {
                Some("give a buildkitd in the provider's `builder`, or leave `attestations` out".into())
            }
            Self::Broke { .. } | Self::Silent { .. } => {
                Some("look into the builder's own log; the next run begins with the steps it has".into())
            }
            Self::Pushed(error) => error.hint(),
            Self::BaseConfig { .. }
            | Self::Layer(_)
            | Self::Archiver(_)
            | Self::Channel(_)
            | Self::NoImage
            | Self::Archive(_)
            | Self::Cancelled => None,
        }
    }

    /// Whether the same may work a little later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::BaseUnavailable { source, .. } | Self::BaseLayer { source } | Self::Pushed(source) => {
                source.is_transient()
            }
            Self::OnLine { source, .. } => source.is_transient(),
            Self::Broke { .. } | Self::Silent { .. } => true,
            _ => false,
        }
    }
}

/// A step that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFailure {
    /// As BuildKit names it: `[2/3] RUN make`.
    pub step: Option<String>,
    /// The line of the Dockerfile, counted from 1.
    pub line: Option<u32>,
    /// BuildKit's words.
    pub message: String,
    /// What the step wrote last, line by line.
    pub log: Vec<String>,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
}

impl StepFailure {
    fn hint(&self) -> Option<String> {
        if self.hint.is_some() {
            return self.hint.clone();
        }
        let copies =
            self.step.as_ref().is_some_and(|step| step.contains("] COPY ") || step.contains("] ADD "));
        (copies && self.message.contains("not found"))
            .then(|| "see whether it is in the context folder, and not ignored by .dockerignore".into())
    }
}

impl std::error::Error for StepFailure {}

impl fmt::Display for StepFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.step {
            Some(step) => write!(f, "step `{step}`")?,
            None => f.write_str("the build")?,
        }
        if let Some(line) = self.line {
            write!(f, " (line {line} of the Dockerfile)")?;
        }
        write!(f, " failed: {}", self.message)?;
        self.log.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}
