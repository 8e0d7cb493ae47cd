//! The lab's own dockerd, and the removal of what it leaves in the kernel.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::{Engine, socket_fits};
use crate::cache::{Cache, remove};
use crate::packages::find;
use crate::process::{SHORT, Service, poll_until, run, succeeds};
use crate::{progress, runtime};

/// The name of the lab's network bridge and of its control group.
const NAME: &str = "ekslab0";
const GATEWAY: &str = "10.41.0.1";
const READY: Duration = Duration::from_mins(1);
const GRACE: Duration = Duration::from_secs(20);

pub(super) fn start(cache: &Cache, record: impl FnOnce(&Engine) -> Result<()>) -> Result<Engine> {
    let run_folder = cache.run().join("docker");
    let socket = run_folder.join("docker.sock");
    socket_fits(&run_folder.join("exec/containerd/containerd-debug.sock"))?;
    sweep(cache)?;
    fs::create_dir_all(&run_folder)?;
    let programs = programs(&run_folder)?;
    remember_forwarding(&run_folder)?;
    add_bridge()?;
    let config = run_folder.join("daemon.json");
    fs::write(&config, serde_json::to_vec_pretty(&configuration(cache, &run_folder, &programs))?)?;

    let mut command = Command::new(find("dockerd").context("dockerd is missing")?);
    command.arg("--config-file").arg(config).env("PATH", path_with(&programs)).env_remove("DOCKER_HOST");
    let service = Service::start("dockerd", &mut command, cache.run().join("dockerd.log"))?;
    let host = format!("unix://{}", socket.display());
    let engine = Engine { host, gateway: GATEWAY.to_owned(), own: Some(service.clone()) };
    record(&engine)?;
    progress::step("start dockerd", || service.wait_until(READY, || engine.is_up()))?;
    Ok(engine)
}

pub(super) fn stop(engine: &Engine, service: &Service, cache: &Cache) -> Result<()> {
    if service.is_alive() && engine.is_up() {
        let containers = engine.ask(&["ps", "--all", "--quiet"])?;
        if !containers.is_empty() {
            run(engine.docker().args(["rm", "--force", "--volumes"]).args(containers.lines()), SHORT)?;
        }
        engine.ask(&["network", "prune", "--force"])?;
        engine.ask(&["volume", "prune", "--force"])?;
    }
    service.stop(GRACE)?;
    sweep(cache)
}

fn configuration(cache: &Cache, run_folder: &Path, programs: &Path) -> serde_json::Value {
    json!({
        "hosts": [format!("unix://{}", run_folder.join("docker.sock").display())],
        "data-root": cache.join("docker"),
        "exec-root": run_folder.join("exec"),
        "pidfile": run_folder.join("dockerd.pid"),
        "bridge": NAME,
        "ip": "127.0.0.1", // published ports are for this machine alone
        "cgroup-parent": format!("/{NAME}"),
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "default-runtime": "bounded",
        "runtimes": {"bounded": {"path": programs.join(runtime::NAME)}},
        "insecure-registries": [format!("{GATEWAY}/32")],
        "shutdown-timeout": 5,
    })
}

/// A folder of programs for dockerd: our runtime, and the iptables that works here, without changing the system's choice.
fn programs(run_folder: &Path) -> Result<PathBuf> {
    let folder = run_folder.join("bin");
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

fn add_bridge() -> Result<()> {
    ip(&["link", "add", NAME, "type", "bridge"])?;
    ip(&["address", "add", &format!("{GATEWAY}/24"), "dev", NAME])?;
    ip(&["link", "set", NAME, "up"])
}

fn ip(words: &[&str]) -> Result<()> {
    run(Command::new(find("ip").context("`ip` is missing (Debian: iproute2)")?).args(words), SHORT).map(drop)
}

/// Ends and removes what a dockerd that was killed left behind. Everything is found by names that only the lab uses.
fn sweep(cache: &Cache) -> Result<()> {
    end_processes()?;
    unmount(&cache.run())?;
    unmount(&cache.join("docker"))?;
    if Path::new("/sys/class/net").join(NAME).exists() {
        ip(&["link", "delete", NAME])?;
    }
    remove_rules()?;
    restore_forwarding(&cache.run().join("docker"))?;
    remove(&cache.run().join("docker"))
}

/// Ends every process of the lab's control group, then removes the groups.
fn end_processes() -> Result<()> {
    let mut groups = Vec::new();
    for hierarchy in fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
        collect_folders(&hierarchy.path().join(NAME), &mut groups);
    }
    collect_folders(&Path::new("/sys/fs/cgroup").join(NAME), &mut groups);
    poll_until("containers of the lab ended", GRACE, || {
        let mut left = false;
        for pid in groups.iter().flat_map(|group| processes(group)) {
            left = true;
            let _may_have_ended = kill_process(pid, Signal::KILL);
        }
        Ok((!left).then_some(()))
    })?;
    // Deepest first; a group is a folder that only rmdir can remove.
    for group in groups.iter().rev() {
        fs::remove_dir(group).with_context(|| format!("cannot remove `{}`", group.display()))?;
    }
    Ok(())
}

fn collect_folders(folder: &Path, into: &mut Vec<PathBuf>) {
    if !folder.is_dir() {
        return;
    }
    into.push(folder.to_owned());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect_folders(&entry.path(), into);
        }
    }
}

fn processes(group: &Path) -> Vec<Pid> {
    let text = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|line| Pid::from_raw(line.parse().ok()?)).collect()
}

/// Unmounts everything below the folder, the latest mount first.
fn unmount(folder: &Path) -> Result<()> {
    let table = fs::read_to_string("/proc/self/mountinfo")?;
    let points = table.lines().rev().filter_map(|line| line.split(' ').nth(4)).map(Path::new);
    for point in points.filter(|point| point.starts_with(folder)) {
        rustix::mount::unmount(point, rustix::mount::UnmountFlags::DETACH)
            .with_context(|| format!("cannot unmount `{}`", point.display()))?;
    }
    Ok(())
}

/// dockerd turns forwarding on, and its policy to DROP when it was off. What was there before is noted in two files.
fn remember_forwarding(run_folder: &Path) -> Result<()> {
    fs::write(run_folder.join(SWITCH_FILE), fs::read(FORWARDING)?)?;
    let rules = iptables(&["-S", "FORWARD"])?;
    fs::write(run_folder.join(POLICY_FILE), rules.lines().next().unwrap_or_default())?;
    Ok(())
}

fn restore_forwarding(run_folder: &Path) -> Result<()> {
    let read = |name| fs::read_to_string(run_folder.join(name)).ok();
    let (Some(switch), Some(policy)) = (read(SWITCH_FILE), read(POLICY_FILE)) else { return Ok(()) };
    if switch.trim() == "0" {
        fs::write(FORWARDING, switch)?;
        iptables(&policy.split(' ').collect::<Vec<_>>())?;
    }
    Ok(())
}

const FORWARDING: &str = "/proc/sys/net/ipv4/ip_forward";
const SWITCH_FILE: &str = "ip_forward.before";
const POLICY_FILE: &str = "forward-policy.before";

fn iptables(words: &[&str]) -> Result<String> {
    let program = find("iptables-legacy").or_else(|| find("iptables")).context("iptables is missing")?;
    run(Command::new(program).args(words), SHORT)
}

/// dockerd leaves its packet filter rules when it ends. No other Docker runs here: the lab starts its own only then.
fn remove_rules() -> Result<()> {
    if succeeds(Command::new("docker").arg("version").env_remove("DOCKER_HOST"), SHORT) {
        return Ok(());
    }
    for table in ["nat", "filter"] {
        let rules = iptables(&["-t", table, "-S"]).unwrap_or_default();
        for words in removals(&rules) {
            iptables(&[&["-t", table], &*words].concat())?;
        }
    }
    Ok(())
}

/// The commands that take Docker's part out of the output of `iptables -S`: rules first, then the chains.
fn removals(rules: &str) -> Vec<Vec<&str>> {
    let rule = |line: &str| line.contains("DOCKER") || line.contains(NAME);
    let deleted = rules.lines().filter(|line| line.starts_with("-A ") && rule(line));
    let chains =
        rules.lines().filter_map(|line| line.strip_prefix("-N ")).filter(|chain| chain.starts_with("DOCKER"));
    deleted
        .map(|line| std::iter::once("-D").chain(line.split(' ').skip(1)).collect())
        .chain(chains.map(|chain| vec!["-X", chain]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rules_of_docker_go() {
        let rules =
            "-P FORWARD ACCEPT\n-N DOCKER\n-N MINE\n-A FORWARD -o ekslab0 -j DOCKER\n-A INPUT -j MINE\n";
        let words: Vec<_> = removals(rules).iter().map(|words| words.join(" ")).collect();
        assert_eq!(words, ["-D FORWARD -o ekslab0 -j DOCKER", "-X DOCKER"]);
    }
}
