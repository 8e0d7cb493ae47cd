//! AWS's stand-in, with policies enforced and everything it writes kept below the lab's folder.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::aws::{Aws, Keys};
use crate::cache::Cache;
use crate::docker::Engine;
use crate::http::answers;
use crate::process::Service;
use crate::programs::checkout;
use crate::progress;
use crate::tool::MINISTACK;

const READY: Duration = Duration::from_secs(90);
const GRACE: Duration = Duration::from_secs(30);

/// A running MiniStack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MiniStack {
    /// Where it listens. Only this machine and its containers can reach the address.
    pub address: SocketAddr,
    service: Service,
}

/// Where MiniStack's parts listen.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// The AWS API and the registry.
    pub gateway: u16,
    /// The first port for Kubernetes API servers.
    pub eks: u16,
    /// A service we do not use and that cannot be left out.
    pub iot: u16,
}

impl MiniStack {
    /// Starts it, with clusters made of `node_image` in `engine`. `record` is told as soon as there is one to stop.
    pub fn start(
        cache: &Cache,
        engine: &Engine,
        node_image: &str,
        ports: Ports,
        record: impl FnOnce(&Self) -> Result<()>,
    ) -> Result<Self> {
        let python = MINISTACK.install(cache, "python")?;
        let gateway: IpAddr = engine.gateway.parse().context("the engine's gateway is no IP address")?;
        let address = SocketAddr::new(gateway, ports.gateway);
        let mut command = Command::new(python);
        // As it is shipped, but that a plan after an apply finds what it set.
        command.arg(checkout().join("tests/ministack/attributes.py"));
        environment(&mut command, &cache.run().join("ministack"), ports)?;
        command
            .env("DOCKER_HOST", &engine.host)
            .env("EKS_K3S_IMAGE", node_image)
            .env("BIND_HOST", gateway.to_string());
        let service = Service::start("MiniStack", &mut command, cache.run().join("ministack.log"))?;
        let ministack = Self { address, service };
        record(&ministack)?;
        progress::step("start MiniStack", || ministack.service.wait_until(READY, || ministack.is_up()))?;
        Ok(ministack)
    }

    /// Ends it and the clusters it started.
    pub fn stop(&self, engine: &Engine) -> Result<()> {
        self.service.stop(GRACE)?;
        let label = format!("label=ministack.instance={}", self.instance());
        if engine.is_up() {
            let containers = engine.ask(&["ps", "--all", "--quiet", "--filter", &label])?;
            for container in containers.lines() {
                engine.ask(&["rm", "--force", "--volumes", container])?;
            }
        }
        Ok(())
    }

    /// Whether it runs and answers.
    pub fn is_up(&self) -> bool {
        self.service.is_alive() && answers(self.address, "/_ministack/health")
    }

    /// Its process.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// AWS as its root reaches it.
    pub fn root(&self) -> Aws {
        Aws::at(self.address, Keys::root())
    }

    /// The mark on every container that it starts.
    fn instance(&self) -> String {
        format!("{INSTANCE}:{}", self.address.port())
    }
}

const INSTANCE: &str = "eks-deploy-lab";

/// What every MiniStack of the lab is started with: its folders, its ports, and policies that count.
pub fn environment(command: &mut Command, folder: &Path, ports: Ports) -> Result<()> {
    for (variable, name) in [("STATE_DIR", "state"), ("S3_DATA_DIR", "s3"), ("TMPDIR", "tmp")] {
        let path = folder.join(name);
        fs::create_dir_all(&path).with_context(|| format!("cannot create `{}`", path.display()))?;
        command.env(variable, path);
    }
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name); // a user's keys would become root's
    }
    command.env("AUTH", "true").env("MINISTACK_HOST", "127.0.0.1").env("MINISTACK_HOSTNAME", INSTANCE);
    command.env("GATEWAY_PORT", ports.gateway.to_string()).env("EKS_BASE_PORT", ports.eks.to_string());
    command.env("IOT_MTLS_PORT", ports.iot.to_string()).env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(())
}
