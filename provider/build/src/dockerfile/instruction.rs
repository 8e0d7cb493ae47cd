//! The instructions of a Dockerfile, as types. Variables in them are not expanded yet.

use std::time::Duration;

pub use super::heredoc::Heredoc;

/// One instruction other than `FROM`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the instruction of its name")]
pub enum Instruction {
    Add(Add),
    Arg(Vec<Argument>),
    Cmd(Command),
    Copy(Copy),
    Entrypoint(Command),
    Env(Vec<Pair>),
    Expose(Vec<String>),
    Healthcheck(Healthcheck),
    Label(Vec<Pair>),
    Maintainer(String),
    Onbuild(Trigger),
    Run(Run),
    Shell(Vec<String>),
    Stopsignal(String),
    User(String),
    Volume(Vec<String>),
    Workdir(String),
}

impl Instruction {
    /// Its keyword.
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::Add(_) => "ADD",
            Self::Arg(_) => "ARG",
            Self::Cmd(_) => "CMD",
            Self::Copy(_) => "COPY",
            Self::Entrypoint(_) => "ENTRYPOINT",
            Self::Env(_) => "ENV",
            Self::Expose(_) => "EXPOSE",
            Self::Healthcheck(_) => "HEALTHCHECK",
            Self::Label(_) => "LABEL",
            Self::Maintainer(_) => "MAINTAINER",
            Self::Onbuild(_) => "ONBUILD",
            Self::Run(_) => "RUN",
            Self::Shell(_) => "SHELL",
            Self::Stopsignal(_) => "STOPSIGNAL",
            Self::User(_) => "USER",
            Self::Volume(_) => "VOLUME",
            Self::Workdir(_) => "WORKDIR",
        }
    }
}

/// What `COPY` and `ADD` have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transfer {
    /// Paths, patterns or, for `ADD`, addresses.
    pub sources: Vec<String>,
    /// Files whose content is in the Dockerfile.
    pub inline: Vec<Heredoc>,
    /// Where to.
    pub destination: String,
    /// Owner and group.
    pub chown: Option<String>,
    /// Permission bits.
    pub chmod: Option<String>,
    /// As a layer that does not depend on those below.
    pub link: bool,
    /// Patterns of what is left out.
    pub exclude: Vec<String>,
}

/// `COPY`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copy {
    /// What, and where to.
    pub transfer: Transfer,
    /// A stage, a stage's number, an image or a named context; the context when absent.
    pub from: Option<String>,
    /// With the folders the sources are in.
    pub parents: bool,
}

/// `ADD`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Add {
    /// What, and where to.
    pub transfer: Transfer,
    /// Of what is fetched.
    pub checksum: Option<String>,
    /// Whether `.git` of a repository is kept.
    pub keep_git_dir: Option<bool>,
    /// Whether archives are unpacked.
    pub unpack: Option<bool>,
}

/// One name of an `ARG`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Its value where none is given.
    pub default: Option<String>,
}

/// One name and value of an `ENV` or a `LABEL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Written with a `=`, not just a space.
    pub equals: bool,
}

/// A program and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Run as it is.
    Exec(Vec<String>),
    /// Given to a shell.
    Shell(String),
}

/// `HEALTHCHECK`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Healthcheck {
    /// Not even that of the base image.
    None,
    /// A command, and how it is repeated.
    Check(Check),
}

/// The command of a `HEALTHCHECK`. Durations that are zero are those of the runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What is run.
    pub command: Command,
    /// Between two runs.
    pub interval: Duration,
    /// For one run.
    pub timeout: Duration,
    /// At the beginning, in which failures do not count.
    pub start_period: Duration,
    /// Between two runs at the beginning.
    pub start_interval: Duration,
    /// How many failures in a row make it unhealthy.
    pub retries: u32,
}

/// `ONBUILD`: an instruction for the image that is built on this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// As written, here-documents included.
    pub expression: String,
}

/// `RUN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What is run.
    pub command: Command,
    /// Its here-documents.
    pub files: Vec<Heredoc>,
    /// `--mount`, each as written.
    pub mounts: Vec<String>,
    /// `--network`.
    pub network: Option<String>,
    /// `--security`.
    pub security: Option<String>,
    /// `--device`, each as written.
    pub devices: Vec<String>,
}
