//! BuildKit as a program that pushes: a build of nothing but the image itself.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::image::TAG;
use super::program::Task;
use crate::buildkitd::Buildkitd;
use crate::cache::Cache;
use crate::process::{SHORT, succeeds};
use crate::tool::BUILDKIT;

/// A daemon that ends with this.
pub(in crate::bench) struct Buildkit {
    daemon: Buildkitd,
    client: PathBuf,
}

impl Buildkit {
    pub(in crate::bench) fn start(cache: &Cache) -> Result<Self> {
        let client = BUILDKIT.install(cache, "buildctl")?;
        let buildkit = Self { daemon: Buildkitd::on_socket(cache)?, client };
        let answers = || succeeds(buildkit.client().args(["debug", "workers"]), SHORT);
        buildkit.daemon.service.wait_until(SHORT, answers)?;
        Ok(buildkit)
    }

    pub(in crate::bench) fn pid(&self) -> i32 {
        self.daemon.service.pid
    }

    /// Its client, led to it.
    pub(in crate::bench) fn client(&self) -> Command {
        let mut command = Command::new(&self.client);
        command.arg("--addr").arg(self.address());
        command
    }

    /// Where it listens.
    pub(in crate::bench) fn address(&self) -> String {
        self.daemon.address()
    }

    /// An image that is made of the given one and nothing else. All but the push is done in the first run.
    pub(super) fn command(&self, task: &Task<'_>, to: &str) -> Result<Command> {
        let folder = task.folder.join("dockerfile");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("Dockerfile"), "FROM image\n")?;
        let (root, digest) = (task.images.root.display(), &task.images.digest);
        let mut command = self.client();
        command.args(["build", "--progress=plain", "--frontend", "dockerfile.v0", "--local"]);
        command
            .arg(format!("dockerfile={}", folder.display()))
            .arg("--oci-layout")
            .arg(format!("image={root}"));
        command.arg("--opt").arg(format!("context:image=oci-layout://image@{digest}"));
        let output = "push=true,registry.insecure=true,oci-mediatypes=true,compression=uncompressed";
        command.arg("--output").arg(format!("type=image,name={to}:{TAG},{output}"));
        Ok(command)
    }
}
