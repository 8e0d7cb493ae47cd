//! The Docker engine: the user's own where it works, else one of the lab's that stands apart in everything.
//!
//! Own means own data, socket, network bridge, control group and configuration; a user's Docker is never touched.

mod network;
mod own;
mod traces;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::cache::Cache;
use crate::packages::{self, Consent};
use crate::process::{LONG, SHORT, Service, run, succeeds};
use crate::progress::say;

/// A running engine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Engine {
    /// Its address, as in `DOCKER_HOST`.
    pub host: String,
    /// The address of the machine as containers of the default network see it.
    pub gateway: String,
    /// The lab's own dockerd; nothing when the engine is the user's.
    pub own: Option<Service>,
}

impl Engine {
    /// The user's engine if it answers, else the lab's own, started. `record` is told as soon as there is one to stop.
    pub fn start(cache: &Cache, consent: Consent, record: impl FnOnce(&Self) -> Result<()>) -> Result<Self> {
        if let Some(engine) = Self::existing(cache) {
            say(format_args!("Docker: the one at {}", engine.host));
            record(&engine)?;
            return Ok(engine);
        }
        packages::need(packages::DOCKER, consent)?;
        own::start(cache, record)
    }

    /// Ends the lab's own engine with all its containers. The user's is left alone.
    pub fn stop(&self) -> Result<()> {
        self.own.as_ref().map_or(Ok(()), |service| own::stop(self, service))
    }

    /// Removes every trace of the lab's own engine but its data, however it ended.
    pub fn sweep(cache: &Cache) -> Result<()> {
        own::sweep(cache)
    }

    /// Whether it answers.
    pub fn is_up(&self) -> bool {
        succeeds(self.docker().args(["version", "--format", "{{.Server.Version}}"]), SHORT)
    }

    /// The `docker` command, spoken to this engine.
    pub fn docker(&self) -> Command {
        let mut command = Command::new(packages::find("docker").unwrap_or_else(|| PathBuf::from("docker")));
        command.env("DOCKER_HOST", &self.host).env_remove("DOCKER_CONTEXT");
        command
    }

    /// Runs `docker` with these words and gives its output.
    pub fn ask(&self, words: &[&str]) -> Result<String> {
        Ok(run(self.docker().args(words), SHORT)?.trim().to_owned())
    }

    /// Whether it has an image of this name.
    pub fn has_image(&self, name: &str) -> bool {
        succeeds(self.docker().args(["image", "inspect", "--format", "{{.Id}}", name]), SHORT)
    }

    /// Makes an image of one tar stream. `changes` are lines of a Dockerfile, such as `ENTRYPOINT ["/bin/x"]`.
    pub fn import(
        &self,
        name: &str,
        changes: &[&str],
        write: impl FnOnce(&mut dyn std::io::Write) -> Result<()>,
    ) -> Result<()> {
        let mut command = self.docker();
        command.arg("import").args(changes.iter().flat_map(|change| ["--change", change])).args(["-", name]);
        crate::process::run_with_input(&mut command, LONG, write).map(drop)
    }

    fn existing(cache: &Cache) -> Option<Self> {
        const SOCKET: &str = "/var/run/docker.sock";
        let host = std::env::var("DOCKER_HOST").unwrap_or_else(|_| format!("unix://{SOCKET}"));
        let path = host.strip_prefix("unix://").map(Path::new);
        // The second is our own socket, in a shell that was led into the lab before.
        if path.is_some_and(|path| !path.exists() || path.starts_with(cache.run())) {
            return None;
        }
        let engine = Self { host, gateway: String::new(), own: None };
        let format = "{{(index .IPAM.Config 0).Gateway}}";
        let gateway = engine.ask(&["network", "inspect", "bridge", "--format", format]).ok()?;
        Some(Self { gateway, ..engine })
    }
}

/// The longest path a unix socket can have.
const SOCKET_PATH: usize = 107;

fn socket_fits(path: &Path) -> Result<()> {
    let fits = path.as_os_str().len() <= SOCKET_PATH;
    fits.then_some(()).with_context(|| {
        format!("`{}` is too long for a socket: set EKS_DEPLOY_LAB_CACHE to a shorter path", path.display())
    })
}
