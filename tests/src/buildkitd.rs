//! buildkitd on this machine, for as long as somebody holds it.
//!
//! Knows nothing of what is built.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::cache::Cache;
use crate::packages;
use crate::process::{SHORT, Service};
use crate::tool::BUILDKIT;

/// A daemon on a socket, which ends with this.
pub struct Buildkitd {
    /// The daemon.
    pub service: Service,
    /// Where it listens.
    pub socket: PathBuf,
    _folder: TempDir,
}

impl Buildkitd {
    /// Starts one, and waits until it listens.
    pub fn on_socket(cache: &Cache) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let socket = folder.path().join("buildkitd.sock");
        let address = ["--addr".to_owned(), format!("unix://{}", socket.display())];
        let service = start(cache, folder.path(), &address)?;
        let buildkitd = Self { service, socket, _folder: folder };
        buildkitd.service.wait_until(SHORT, || UnixStream::connect(&buildkitd.socket).is_ok())?;
        Ok(buildkitd)
    }

    /// Where it listens, as BuildKit's programs write it.
    pub fn address(&self) -> String {
        format!("unix://{}", self.socket.display())
    }
}

impl Drop for Buildkitd {
    fn drop(&mut self) {
        _ = self.service.stop(Duration::from_secs(10)); // its folder goes in any case
    }
}

/// Starts one that listens where the options say, with its store and log in this folder.
pub fn start(cache: &Cache, folder: &Path, options: &[String]) -> Result<Service> {
    let program = BUILDKIT.install(cache, "buildkitd")?;
    packages::find("runc").context("buildkitd needs runc")?;
    let mut command = Command::new(program);
    command.args(options).arg("--root").arg(folder.join("root"));
    command.args(["--oci-worker-net=host", "--oci-worker-snapshotter=native", "--containerd-worker=false"]);
    command.arg("--allow-insecure-entitlement=network.host");
    Service::start("buildkitd", &mut command, folder.join("log"))
}
