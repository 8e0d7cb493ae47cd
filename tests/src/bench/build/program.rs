//! The programs that build, each in the way its users would.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::course::{Course, Job};
use crate::bench::contest::OURS;
use crate::bench::registry::image::TAG;
use crate::packages;
use crate::process::{LONG, SHORT, run, succeeds};
use crate::tool::{BUILDKIT, CRANE, OPENTOFU, Tool};

pub(super) const DOCKER: &str = "docker";
/// All that make gzip layers.
pub(super) const BUILDERS: &[Program] =
    &[Program::Docker, Program::Buildctl, Program::Crane, Program::Fileset];
/// Those that do not have another of them do it.
pub(super) const IMAGE_BUILDERS: &[Program] = &[Program::Docker, Program::Buildctl, Program::Crane];
/// Those that make zstd layers as well.
pub(super) const ZSTD_BUILDERS: &[Program] = &[Program::Buildctl];

/// A program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    Ours,
    /// `docker build && docker push`.
    Docker,
    Buildctl,
    /// `tar | crane append`.
    Crane,
    /// What users of kreuzwerker/docker write: a hash of all files by `fileset`, and Docker when it changes.
    Fileset,
}

/// What is to be done, with everything resolved.
pub(super) struct Task {
    pub(super) job: Job,
    /// The image below the files.
    pub(super) base: String,
    pub(super) address: SocketAddr,
    /// Each service's folder and repository.
    pub(super) services: Vec<(PathBuf, String)>,
    /// Of this program alone: for scripts, settings, caches and state.
    pub(super) folder: PathBuf,
}

impl Task {
    fn image(&self, repository: &str) -> String {
        format!("{}/{repository}:{TAG}", self.address)
    }

    fn dockerfile(&self) -> String {
        let steps = match self.job {
            Job::Run => {
                "RUN cp -r /srv/app /copy && busybox find /copy -type f -exec busybox sha256sum {} + > /sums\n"
            }
            _ => "",
        };
        format!("FROM {}\nCOPY . /srv\n{steps}", self.base)
    }
}

impl Program {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ours => OURS,
            Self::Docker => DOCKER,
            Self::Buildctl => "buildctl",
            Self::Crane => "crane",
            Self::Fileset => "fileset",
        }
    }

    /// Makes sure that it is there, and says which it is.
    pub(super) fn version(self, course: &Course) -> Result<String> {
        let cache = &course.cache;
        Ok(match self {
            Self::Ours => {
                course.ours()?;
                env!("CARGO_PKG_VERSION").to_owned()
            }
            Self::Docker => {
                docker_with_buildkit()?;
                course.docker()?.version()?
            }
            Self::Buildctl => {
                course.buildkit()?;
                BUILDKIT.version.to_owned()
            }
            Self::Crane => {
                Tool::Crane.install(cache)?;
                CRANE.version.to_owned()
            }
            Self::Fileset => {
                Tool::OpenTofu.install(cache)?;
                let docker = Self::Docker.version(course)?;
                format!("OpenTofu {}, Docker {docker}", OPENTOFU.version)
            }
        })
    }

    /// What has to be there before the first run in a folder.
    pub(super) fn prepare(self, course: &Course, task: &Task) -> Result<()> {
        let folder = &task.folder;
        fs::write(folder.join("Dockerfile"), task.dockerfile())?;
        if task.job == Job::Run {
            // One that no other folder shares.
            let inside = task.services[0].0.join("Dockerfile");
            fs::remove_file(&inside)?;
            fs::write(inside, task.dockerfile())?;
        }
        match self {
            Self::Ours => Ok(()),
            Self::Fileset => fileset(course, task),
            Self::Docker | Self::Buildctl | Self::Crane => {
                fs::write(folder.join("one.sh"), self.script(course, task)?)?;
                let line = |(context, repository): &(PathBuf, String)| {
                    format!("{} {}\n", context.display(), task.image(repository))
                };
                Ok(fs::write(folder.join("list"), task.services.iter().map(line).collect::<String>())?)
            }
        }
    }

    /// Builds the folder `$1` and pushes it as `$2`.
    fn script(self, course: &Course, task: &Task) -> Result<String> {
        let folder = task.folder.display();
        Ok(match self {
            Self::Docker => docker_script(&task.folder)?,
            Self::Buildctl => {
                let compression = if task.job == Job::PushZstd { "zstd" } else { "gzip" };
                let client = course.buildkit()?.client();
                let words = std::iter::once(client.get_program()).chain(client.get_args());
                let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
                format!(
                    "exec {} build --progress plain --frontend dockerfile.v0 --local context=\"$1\" \
                     --local dockerfile={folder} --output type=image,name=\"$2\",push=true,registry.insecure=true,\
                     oci-mediatypes=true,compression={compression}\n",
                    words.join(" ")
                )
            }
            Self::Crane => {
                let crane = Tool::Crane.install(&course.cache)?;
                format!(
                    "tar --create --directory \"$1\" --transform 's,^\\.,srv,' --owner 0 --group 0 . |\n  \
                     {} append --insecure --base {} --new_layer - --new_tag \"$2\"\n",
                    crane.display(),
                    task.base
                )
            }
            Self::Ours | Self::Fileset => String::new(),
        })
    }

    /// The command for the task.
    pub(super) fn command(self, course: &Course, task: &Task) -> Result<Command> {
        let folder = &task.folder;
        let mut command = match self {
            Self::Ours => {
                let mut command = Command::new(course.ours()?);
                match task.job {
                    Job::PushZstd => _ = command.arg("--zstd"),
                    Job::Run => _ = command.args(["--builder", &course.buildkit()?.address()]),
                    _ => {}
                }
                command.args(["--base", &task.base]).args(task.services.iter().map(
                    |(context, repository)| format!("{}={}", context.display(), task.image(repository)),
                ));
                command
            }
            Self::Fileset => {
                let mut command = Command::new(Tool::OpenTofu.install(&course.cache)?);
                command.arg(format!("-chdir={}", folder.display()));
                command.args(["apply", "-input=false", "-auto-approve", "-no-color"]);
                command
            }
            Self::Docker | Self::Buildctl | Self::Crane => {
                let mut command = Command::new("xargs");
                command.arg("--arg-file").arg(folder.join("list")).args(["-P", "8", "-n", "2", "sh", "-e"]);
                command.arg(folder.join("one.sh"));
                command
            }
        };
        // Nobody's logins, and caches of its own.
        command.env("HOME", folder).env_remove("XDG_CACHE_HOME").env_remove("DOCKER_CONFIG");
        command.env("DOCKER_BUILDKIT", "1").env_remove("DOCKER_CONTEXT");
        command.env("CHECKPOINT_DISABLE", "1").env_remove("TF_CLI_CONFIG_FILE");
        if self.uses_docker() {
            command.env("DOCKER_HOST", &course.docker()?.engine.host);
        }
        Ok(command)
    }

    fn uses_docker(self) -> bool {
        matches!(self, Self::Docker | Self::Fileset)
    }

    fn uses_buildkit(self, job: Job) -> bool {
        self == Self::Buildctl || (self == Self::Ours && job == Job::Run)
    }

    /// The process that does the work instead of the one that is started.
    pub(super) fn daemon(self, course: &Course, job: Job) -> Option<i32> {
        if self.uses_buildkit(job) {
            return Some(course.buildkit().ok()?.pid());
        }
        self.uses_docker().then(|| course.docker().ok()?.pid()).flatten()
    }

    /// Has its daemon let go of what it built.
    pub(super) fn forget(self, course: &Course, task: &Task) {
        let mut commands = Vec::new();
        if self.uses_buildkit(task.job)
            && let Ok(buildkit) = course.buildkit()
        {
            commands.push((buildkit.client(), vec!["prune".to_owned(), "--all".to_owned()]));
        }
        if self.uses_docker()
            && let Ok(docker) = course.docker()
        {
            let images = task.services.iter().map(|(_, repository)| task.image(repository));
            let remove = ["image", "rm", "--force"].map(str::to_owned).into_iter().chain(images);
            let prune = ["builder", "prune", "--force"].map(str::to_owned);
            commands.extend([remove.collect(), prune.to_vec()].map(|words| (docker.engine.docker(), words)));
        }
        for (mut command, words) in commands {
            _ = run(command.args(words), LONG); // what is left takes room and no time
        }
    }
}

fn docker_script(folder: &Path) -> Result<String> {
    let docker = docker_with_buildkit()?;
    let (docker, folder) = (docker.display(), folder.display());
    Ok(format!(
        "{docker} build --quiet --file {folder}/Dockerfile --tag \"$2\" \"$1\"\n{docker} push --quiet \"$2\"\n"
    ))
}

/// A `docker` that builds with BuildKit: one before 23 by itself, a later one with its buildx.
fn docker_with_buildkit() -> Result<PathBuf> {
    let builds = |docker: &PathBuf| {
        let version = run(Command::new(docker).arg("--version"), SHORT).unwrap_or_default();
        let major = version.split([' ', '.']).find_map(|word| word.parse::<u32>().ok());
        major.is_some_and(|major| major < 23)
            || succeeds(Command::new(docker).args(["buildx", "version"]), SHORT)
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found = std::env::split_paths(&path)
        .map(|folder| folder.join("docker"))
        .chain(packages::find("docker"))
        .filter(|file| file.is_file());
    found.find(builds).context("no `docker` here builds with BuildKit: install buildx, or Debian's docker.io")
}

/// A configuration that hashes all files and has a command run when the hash changes.
fn fileset(course: &Course, task: &Task) -> Result<()> {
    let folder = &task.folder;
    fs::write(folder.join("one.sh"), docker_script(folder)?)?;
    let service = |(context, repository): &(PathBuf, String)| {
        format!("    {:?} = {:?}\n", task.image(repository), context.display().to_string())
    };
    let services: String = task.services.iter().map(service).collect();
    fs::write(
        folder.join("main.tf"),
        format!(
            "locals {{\n  services = {{\n{services}  }}\n}}\n\n\
             resource \"terraform_data\" \"image\" {{\n  for_each         = local.services\n  \
             triggers_replace = {HASH}\n\n  provisioner \"local-exec\" {{\n    \
             command = \"sh -e {}/one.sh ${{each.value}} ${{each.key}}\"\n  }}\n}}\n",
            folder.display()
        ),
    )?;
    let mut init = Command::new(Tool::OpenTofu.install(&course.cache)?);
    init.env_remove("TF_CLI_CONFIG_FILE");
    run(init.arg(format!("-chdir={}", folder.display())).args(["init", "-input=false"]), LONG).map(drop)
}

/// Of all files of a folder, as it is found in many configurations.
const HASH: &str =
    "sha1(join(\"\", [for f in fileset(each.value, \"**\") : filesha1(\"${each.value}/${f}\")]))";
