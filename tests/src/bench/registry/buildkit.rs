//! BuildKit as a program that pushes: a build of nothing but the image itself.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::image::TAG;
use super::program::Task;
use crate::cache::Cache;
use crate::packages;
use crate::process::{SHORT, Service, succeeds};
use crate::tool::BUILDKIT;

/// A daemon that ends with this.
pub(in crate::bench) struct Buildkit {
    service: Service,
    socket: PathBuf,
    client: PathBuf,
    _folder: TempDir,
}

impl Buildkit {
    pub(in crate::bench) fn start(cache: &Cache) -> Result<Self> {
        let program = BUILDKIT.install(cache, "buildkitd")?;
        let client = BUILDKIT.install(cache, "buildctl")?;
        packages::find("runc").context("buildkitd needs runc")?;
        let folder = tempfile::tempdir()?;
        let socket = folder.path().join("buildkitd.sock");
        let mut command = Command::new(program);
        command.arg("--addr").arg(format!("unix://{}", socket.display()));
        command.arg("--root").arg(folder.path().join("root"));
        command.args([
            "--oci-worker-net=host",
            "--oci-worker-snapshotter=native",
            "--containerd-worker=false",
        ]);
        let service = Service::start("buildkitd", &mut command, folder.path().join("log"))?;
        let buildkit = Self { service, socket, client, _folder: folder };
        buildkit
            .service
            .wait_until(SHORT, || succeeds(buildkit.client().args(["debug", "workers"]), SHORT))?;
        Ok(buildkit)
    }

    pub(in crate::bench) fn pid(&self) -> i32 {
        self.service.pid
    }

    /// Its client, led to it.
    pub(in crate::bench) fn client(&self) -> Command {
        let mut command = Command::new(&self.client);
        command.arg("--addr").arg(self.address());
        command
    }

    /// Where it listens.
    pub(in crate::bench) fn address(&self) -> String {
        format!("unix://{}", self.socket.display())
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

impl Drop for Buildkit {
    fn drop(&mut self) {
        _ = self.service.stop(Duration::from_secs(10)); // its folder goes in any case
    }
}
