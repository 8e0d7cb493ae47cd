//! The running lab, as a test or the demo holds it: addresses, programs, and the environment for children.
//!
//! It is started by [`start`], and found again by every later process through its state file.

pub mod start;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};

use crate::aws::{Aws, Keys, REGION};
use crate::base;
use crate::cache::Cache;
use crate::docker::Engine;
use crate::ministack::MiniStack;
use crate::providers;
use crate::state::{FrontProcess, State};
use crate::tool::Tool;

/// A lab whose parts all run.
#[derive(Debug)]
pub struct Lab {
    cache: Cache,
    engine: Engine,
    ministack: MiniStack,
    front: FrontProcess,
    build_base: String,
    cli_config: PathBuf,
}

impl Lab {
    /// The lab that runs on this machine.
    ///
    /// # Errors
    /// When none does, or a part of it died.
    pub fn running() -> Result<Self> {
        let cache = Cache::from_env()?;
        let state = State::load(&cache)?;
        let lab = Self::whole(&cache, state)
            .context("the lab is not running: start it with `cargo xtask lab up`")?;
        lab.is_up().then_some(lab).context("a part of the lab died: restart it with `cargo xtask lab up`")
    }

    fn whole(cache: &Cache, state: State) -> Option<Self> {
        let State {
            engine: Some(engine),
            ministack: Some(ministack),
            front: Some(front),
            build_base: Some(build_base),
        } = state
        else {
            return None;
        };
        let cli_config = providers::cli_config_path(cache);
        Some(Self { cache: cache.clone(), engine, ministack, front, build_base, cli_config })
    }

    fn is_up(&self) -> bool {
        self.front.service.is_alive() && self.ministack.is_up() && self.engine.is_up()
    }

    /// The folder of what is kept.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Docker.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// AWS as its root reaches it, to prepare a test.
    pub fn root(&self) -> Aws {
        self.ministack.root()
    }

    /// AWS as the holder of these keys reaches it.
    pub fn aws(&self, keys: &Keys) -> Aws {
        Aws::at(self.ministack.address, keys.clone())
    }

    /// Where the ECR front listens; it passes on what is not ECR.
    pub fn front(&self) -> SocketAddr {
        self.front.address
    }

    /// Where MiniStack listens.
    pub fn ministack(&self) -> SocketAddr {
        self.ministack.address
    }

    /// An image in the engine for `RUN go build …`, without network.
    pub fn build_base(&self) -> &str {
        &self.build_base
    }

    /// An image in ECR with a busybox, as a reference.
    pub fn busybox(&self) -> String {
        base::busybox_reference()
    }

    /// A program, installed if need be.
    pub fn tool(&self, tool: Tool) -> Result<PathBuf> {
        tool.install(&self.cache)
    }

    /// A command for the program, in the lab's world: of the caller's own environment no AWS, Terraform, Docker, Helm or
    /// Kubernetes setting is left.
    pub fn command(&self, program: impl AsRef<Path>, keys: &Keys) -> Command {
        let mut command = Command::new(program.as_ref());
        for name in std::env::vars_os().map(|(name, _)| name).filter(is_setting) {
            command.env_remove(name);
        }
        command.envs(self.environment(keys));
        command
    }

    /// The variables that lead a program into the lab, as the holder of these keys.
    pub fn environment(&self, keys: &Keys) -> Vec<(&'static str, OsString)> {
        let front = format!("http://{}", self.front.address);
        vec![
            // All of AWS, and by an address: so the S3 backend uses paths, and IAM users reach a bucket that wants TLS.
            ("AWS_ENDPOINT_URL", front.clone().into()),
            ("AWS_REGION", REGION.into()),
            ("AWS_DEFAULT_REGION", REGION.into()), // for version 1 of the aws command
            ("AWS_ACCESS_KEY_ID", keys.id.clone().into()),
            ("AWS_SECRET_ACCESS_KEY", keys.secret.clone().into()),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
            ("AWS_CONFIG_FILE", "/dev/null".into()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".into()),
            ("EKS_DEPLOY_REGISTRY_ENDPOINTS", format!("{}={front}", base::registry()).into()),
            ("DOCKER_HOST", self.engine.host.clone().into()),
            ("TF_CLI_CONFIG_FILE", self.cli_config.clone().into()),
            ("TF_IN_AUTOMATION", "true".into()),
            ("CHECKPOINT_DISABLE", "true".into()),
        ]
    }

    /// Makes plain `init` find this build of our provider.
    pub fn install_provider(&self, binary: &Path) -> Result<()> {
        providers::install(&self.cache, binary)
    }

    /// A name that no other test has, of letters, digits and dashes.
    pub fn unique(&self, prefix: &str) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let time = std::time::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_millis() & 0xffff_ffff);
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        format!("{prefix}-{time:x}-{process:x}-{count:x}")
    }
}

fn is_setting(name: &OsString) -> bool {
    const PREFIXES: [&str; 7] = ["AWS_", "TF_", "TOFU_", "DOCKER_", "HELM_", "KUBE", "EKS_DEPLOY_"];
    // Where the lab itself is found, which a child of a child may want to know.
    let name = name.to_string_lossy();
    name != "EKS_DEPLOY_LAB_CACHE" && PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_user_are_known() {
        let of = |names: &[&str]| names.iter().filter(|name| is_setting(&OsString::from(name))).count();
        assert_eq!(
            of(&["AWS_PROFILE", "TF_LOG", "KUBECONFIG", "HELM_NAMESPACE", "DOCKER_HOST", "EKS_DEPLOY_X"]),
            6
        );
        assert_eq!(of(&["PATH", "HOME", "EKS_DEPLOY_LAB_CACHE", "SSL_CERT_FILE"]), 0);
    }
}
