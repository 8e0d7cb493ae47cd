//! The programs that do the jobs, each in the way its users would.

use std::cell::OnceCell;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::buildkit::Buildkit;
use super::docker::Docker;
use super::image::{Images, TAG};
use crate::bench::lane::Stage;
use crate::packages;
use crate::process::{SHORT, run};
use crate::programs;
use crate::tool::{BUILDKIT, CRANE, Tool};

/// Where images go, and where they come from when they are copied.
pub(super) const TO: &str = "shop/web";
pub(super) const FROM: &str = "shop/base";

/// A program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    Ours,
    Crane,
    Skopeo,
    Docker,
    Buildctl,
    /// A PUT for each blob, eight at once: what a push cannot do without.
    Curl,
}

/// What is to be done, with everything resolved.
pub(super) struct Task<'a> {
    pub(super) job: Job,
    pub(super) images: &'a Images,
    /// Where the images go.
    pub(super) to: SocketAddr,
    /// Where they come from.
    pub(super) from: SocketAddr,
    /// For scripts and settings.
    pub(super) folder: &'a Path,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Job {
    Push,
    /// What was pushed before.
    PushAgain,
    /// From one repository to another: of one registry, or of two.
    Copy,
}

/// The daemons that some programs have the work done by. They end with this.
#[derive(Default)]
pub(super) struct Daemons {
    docker: OnceCell<Docker>,
    buildkit: OnceCell<Buildkit>,
}

impl Daemons {
    fn docker(&self, stage: &Stage) -> Result<&Docker> {
        if let Some(docker) = self.docker.get() {
            return Ok(docker);
        }
        let docker = Docker::start(&stage.cache)?;
        Ok(self.docker.get_or_init(|| docker))
    }

    fn buildkit(&self, stage: &Stage) -> Result<&Buildkit> {
        if let Some(buildkit) = self.buildkit.get() {
            return Ok(buildkit);
        }
        let buildkit = Buildkit::start(&stage.cache)?;
        Ok(self.buildkit.get_or_init(|| buildkit))
    }

    /// Lets go of what was kept for the task.
    pub(super) fn forget(&self, task: &Task<'_>) {
        if let Some(docker) = self.docker.get() {
            docker.forget(task);
        }
    }
}

impl Program {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Crane => "crane",
            Self::Skopeo => "skopeo",
            Self::Docker => "docker",
            Self::Buildctl => "buildctl",
            Self::Curl => "curl",
        }
    }

    /// Its version, as a reader would look for it.
    pub(super) fn version(self, daemons: &Daemons) -> Result<String> {
        let said = |command: &mut Command| run(command, SHORT);
        let version = match self {
            Self::Ours => env!("CARGO_PKG_VERSION").to_owned(),
            Self::Crane => CRANE.version.to_owned(),
            Self::Buildctl => BUILDKIT.version.to_owned(),
            Self::Skopeo => said(Command::new("skopeo").arg("--version"))?,
            Self::Curl => said(Command::new("curl").arg("--version"))?,
            Self::Docker => daemons.docker.get().context("no Docker was started")?.version()?,
        };
        let number = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
        Ok(version.split_whitespace().find(number).unwrap_or_default().to_owned())
    }

    /// Makes sure that it is there, and gives the command for the task.
    pub(super) fn command(self, stage: &Stage, daemons: &Daemons, task: &Task<'_>) -> Result<Command> {
        let to = format!("{}/{TO}", task.to);
        let from = format!("{}/{FROM}:{TAG}", task.from);
        let (copies, many) = (task.job == Job::Copy, task.images.tags.len() > 1);
        let root = &task.images.root;
        let mut command = match self {
            Self::Ours if copies => {
                let mut command = Command::new(programs::example(&stage.cache, "ecr-registry", "copy")?);
                command.args([from, format!("{to}:{TAG}")]);
                command
            }
            Self::Ours => {
                let mut command = Command::new(programs::example(&stage.cache, "ecr-registry", "push")?);
                command.arg(root).arg(&to);
                command
            }
            Self::Crane => {
                let mut command = Command::new(Tool::Crane.install(&stage.cache)?);
                match (copies, many) {
                    (true, _) => command.args(["copy", "--insecure", &from, &format!("{to}:{TAG}")]),
                    (_, false) => command.args(["push", "--insecure"]).arg(root).arg(format!("{to}:{TAG}")),
                    (_, true) => {
                        let words = format!("push --insecure {}/{{}} {to}:{{}}", folder_of(root));
                        command = at_once(task, &command, &words)?;
                        &mut command
                    }
                };
                command
            }
            Self::Skopeo => skopeo(task, &from, &to)?,
            Self::Docker => daemons.docker(stage)?.command(task)?,
            Self::Buildctl => daemons.buildkit(stage)?.command(task, &to)?,
            Self::Curl => curl(task)?,
        };
        // Nobody's logins.
        command.env("HOME", task.folder).env("XDG_RUNTIME_DIR", task.folder).env_remove("DOCKER_CONFIG");
        Ok(command)
    }

    /// What has to be done before each run, and is not measured.
    pub(super) fn prepare(self, daemons: &Daemons, task: &Task<'_>) -> Result<()> {
        match (self, task.job) {
            // It takes over layers only from where it pushed them itself.
            (Self::Docker, Job::Copy) => daemons.docker.get().context("no Docker was started")?.fill(task),
            _ => Ok(()),
        }
    }

    /// The process that does the work instead of the one that is started.
    pub(super) fn daemon(self, daemons: &Daemons) -> Option<i32> {
        match self {
            Self::Docker => daemons.docker.get()?.pid(),
            Self::Buildctl => daemons.buildkit.get().map(Buildkit::pid),
            _ => None,
        }
    }
}

fn skopeo(task: &Task<'_>, from: &str, to: &str) -> Result<Command> {
    let mut command = Command::new(packages::find("skopeo").context("skopeo is missing")?);
    let (root, first) = (task.images.root.display(), &task.images.tags[0]);
    let common = "copy --preserve-digests --dest-tls-verify=false";
    if task.images.tags.len() > 1 {
        let words = format!("--insecure-policy {common} oci:{root}:{{}} docker://{to}:{{}}");
        return at_once(task, &command, &words);
    }
    command.arg("--insecure-policy").args(common.split(' '));
    match task.job {
        Job::Copy => command.arg("--src-tls-verify=false").arg(format!("docker://{from}")),
        Job::Push | Job::PushAgain => command.arg(format!("oci:{root}:{first}")),
    };
    command.arg(format!("docker://{to}:{first}"));
    Ok(command)
}

fn folder_of(root: &Path) -> String {
    root.parent().unwrap_or(root).display().to_string()
}

/// A program that pushes one image, run for each of them, eight at once.
fn at_once(task: &Task<'_>, command: &Command, words: &str) -> Result<Command> {
    let tags = task.folder.join("tags");
    fs::write(&tags, task.images.tags.join("\n") + "\n")?;
    let mut all = Command::new("xargs");
    all.arg("--arg-file").arg(tags).args(["-P", "8", "-I", "{}"]);
    all.arg(command.get_program()).args(words.split(' '));
    Ok(all)
}

/// Sessions by one curl, bodies by another, the manifest by a third.
fn curl(task: &Task<'_>) -> Result<Command> {
    let base = format!("http://{}/v2/{TO}", task.to);
    let script = task.folder.join("curl.sh");
    let posts = vec![format!("{base}/blobs/uploads/"); task.images.blobs.len()].join(" ");
    let bodies = task.images.blobs.iter().map(|(path, digest)| format!("{} {digest}", path.display()));
    let bodies = bodies.collect::<Vec<_>>().join("\n") + "\n";
    let list = task.folder.join("blobs");
    fs::write(&list, bodies)?;
    let manifest = task.images.root.join("blobs").join(task.images.digest.replace(':', "/"));
    let (folder, list, manifest) = (task.folder.display(), list.display(), manifest.display());
    let text = format!(
        "set -e\n\
         outs=$(for post in {posts}; do printf ' -o /dev/null'; done)\n\
         curl -sSf -Z --parallel-max 32 -X POST -d '' -w '%header{{location}}\\n' $outs {posts} > {folder}/sessions\n\
         paste -d ' ' {list} {folder}/sessions | while read -r path digest session; do\n  \
         printf 'next\\nupload-file = \"%s\"\\nurl = \"%s&digest=%s\"\\noutput = /dev/null\\nheader = \"Expect:\"\\n\
         header = \"Content-Type: application/octet-stream\"\\nsilent\\nshow-error\\nfail\\n' \"$path\" \"$session\" \"$digest\"\n\
         done > {folder}/puts\n\
         curl -Z --parallel-max 8 --parallel-immediate -K {folder}/puts\n\
         exec curl -sSf -T {manifest} -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' {base}/manifests/{TAG}\n"
    );
    fs::write(&script, text)?;
    let mut command = Command::new("sh");
    command.arg(script);
    packages::find("curl").context("curl is missing")?;
    Ok(command)
}
