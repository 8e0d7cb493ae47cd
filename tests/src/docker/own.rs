//! The lab's own dockerd.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::geteuid;
use serde_json::json;

use super::network::Network;
use super::{Engine, socket_fits, traces};
use crate::cache::{Cache, remove};
use crate::mounts::unmount_below;
use crate::packages::find;
use crate::process::{SHORT, Service, run};
use crate::{progress, runtime};

/// Of images and containers, below the cache: they outlive a run.
const DATA: &str = "docker";
const READY: Duration = Duration::from_mins(1);
const GRACE: Duration = Duration::from_secs(20);

pub(super) fn start(cache: &Cache, record: impl FnOnce(&Engine) -> Result<()>) -> Result<Engine> {
    let (folder, network) = (folder(cache), Network::of(cache));
    let socket = folder.join("docker.sock");
    socket_fits(&folder.join("exec/containerd/containerd-debug.sock"))?;
    ensure!(
        geteuid().is_root(),
        "no Docker answers, and only root can start one: start Docker, or run as root"
    );
    fs::create_dir_all(&folder)?;
    let runtime = install_runtime(&folder)?;
    network.add()?;
    let config = folder.join("daemon.json");
    fs::write(&config, serde_json::to_vec_pretty(&configuration(cache, &network, &runtime))?)?;

    let mut command = Command::new(find("dockerd").context("dockerd is missing")?);
    command.arg("--config-file").arg(config).env("PATH", path()).env_remove("DOCKER_HOST");
    let service = Service::start("dockerd", &mut command, cache.run().join("dockerd.log"))?;
    let host = format!("unix://{}", socket.display());
    let engine = Engine { host, gateway: network.gateway, own: Some(service.clone()) };
    record(&engine)?;
    progress::step("start dockerd", || service.wait_until(READY, || engine.is_up()))?;
    Ok(engine)
}

pub(super) fn stop(engine: &Engine, service: &Service) -> Result<()> {
    if service.is_alive() && engine.is_up() {
        let containers = engine.ask(&["ps", "--all", "--quiet"])?;
        if !containers.is_empty() {
            run(engine.docker().args(["rm", "--force", "--volumes"]).args(containers.lines()), SHORT)?;
        }
        engine.ask(&["network", "prune", "--force"])?;
        engine.ask(&["volume", "prune", "--force"])?;
    }
    service.stop(GRACE)
}

fn configuration(cache: &Cache, network: &Network, runtime: &Path) -> serde_json::Value {
    let folder = folder(cache);
    json!({
        "hosts": [format!("unix://{}", folder.join("docker.sock").display())],
        "data-root": cache.join(DATA),
        "exec-root": folder.join("exec"),
        "pidfile": folder.join("dockerd.pid"),
        "bridge": network.name,
        "iptables": false,
        "ip6tables": false,
        "ip-forward": false,
        "ip": "127.0.0.1", // published ports are for this machine alone
        "cgroup-parent": format!("/{}", network.name),
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "default-runtime": "bounded",
        "runtimes": {"bounded": {"path": runtime}},
        "insecure-registries": [format!("{}/32", network.gateway)],
        "shutdown-timeout": 5,
    })
}

/// A copy of this program under the runtime's name: a rebuild replaces the original while containers start.
fn install_runtime(folder: &Path) -> Result<PathBuf> {
    let file = folder.join(runtime::NAME);
    fs::copy(std::env::current_exe()?, &file)?;
    Ok(file)
}

/// With the folders of system programs, which a user's PATH may lack.
fn path() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{path}:/usr/local/sbin:/usr/sbin:/sbin")
}

/// Ends and removes what a dockerd that was killed left behind. Without any trace of one it does nothing.
pub(super) fn sweep(cache: &Cache) -> Result<()> {
    let (folder, network) = (folder(cache), Network::of(cache));
    if !folder.exists() {
        return Ok(());
    }
    traces::end_processes_of(&folder)?;
    traces::end_group(&network.name)?;
    unmount_below(&folder)?;
    unmount_below(&cache.join(DATA))?;
    network.remove()?;
    remove(&folder)
}

/// Of sockets, programs and notes of a running dockerd.
fn folder(cache: &Cache) -> PathBuf {
    cache.run().join("docker")
}
