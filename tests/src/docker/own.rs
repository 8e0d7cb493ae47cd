//! The lab's own dockerd.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

use super::network::Network;
use super::{Engine, socket_fits, traces};
use crate::cache::{Cache, remove};
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
    fs::create_dir_all(&folder)?;
    let programs = programs(&folder)?;
    network.add(&folder)?;
    let config = folder.join("daemon.json");
    fs::write(&config, serde_json::to_vec_pretty(&configuration(cache, &network, &programs))?)?;

    let mut command = Command::new(find("dockerd").context("dockerd is missing")?);
    command.arg("--config-file").arg(config).env("PATH", path_with(&programs)).env_remove("DOCKER_HOST");
    let service = Service::start("dockerd", &mut command, cache.run().join("dockerd.log"))?;
    let host = format!("unix://{}", socket.display());
    let engine = Engine { host, gateway: network.gateway(), own: Some(service.clone()) };
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

fn configuration(cache: &Cache, network: &Network, programs: &Path) -> serde_json::Value {
    let folder = folder(cache);
    json!({
        "hosts": [format!("unix://{}", folder.join("docker.sock").display())],
        "data-root": cache.join(DATA),
        "exec-root": folder.join("exec"),
        "pidfile": folder.join("dockerd.pid"),
        "bridge": network.name,
        "ip": "127.0.0.1", // published ports are for this machine alone
        "cgroup-parent": format!("/{}", network.name),
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "default-runtime": "bounded",
        "runtimes": {"bounded": {"path": programs.join(runtime::NAME)}},
        "insecure-registries": [format!("{}/32", network.gateway())],
        "shutdown-timeout": 5,
    })
}

/// A folder of programs for dockerd: our runtime, and the iptables that works here, without changing the system's choice.
fn programs(folder: &Path) -> Result<PathBuf> {
    let folder = folder.join("bin");
    remove(&folder)?;
    fs::create_dir(&folder)?;
    // A copy, because a rebuild replaces the original while containers start.
    fs::copy(std::env::current_exe()?, folder.join(runtime::NAME))?;
    for program in ["iptables", "ip6tables"] {
        if let Some(legacy) = find(&format!("{program}-legacy")) {
            symlink(legacy, folder.join(program))?;
        }
    }
    Ok(folder)
}

fn path_with(first: &Path) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{}:{path}:/usr/local/sbin:/usr/sbin:/sbin", first.display())
}

/// Ends and removes what a dockerd that was killed left behind. Without any trace of one it does nothing.
pub(super) fn sweep(cache: &Cache) -> Result<()> {
    let (folder, network) = (folder(cache), Network::of(cache));
    if !folder.exists() {
        return Ok(());
    }
    traces::end_processes_of(&folder)?;
    traces::end_group(&network.name)?;
    traces::unmount_below(&folder)?;
    traces::unmount_below(&cache.join(DATA))?;
    network.remove(&folder)?;
    remove(&folder)
}

/// Of sockets, programs and notes of a running dockerd.
fn folder(cache: &Cache) -> PathBuf {
    cache.run().join("docker")
}
