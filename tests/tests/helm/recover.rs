//! A release that a killed Helm left pending is freed, and none that somebody still works at.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lab::process::poll_until;
use lab::tool::Tool;
use rustix::process::{Pid, Signal, kill_process};

use crate::stage::{Stage, end};

const SOON: Duration = Duration::from_mins(2);

fn up(stage: &Stage) -> Command {
    let mut up = stage.up(Tool::Helm4);
    up.args(["--image", &format!("image={}:v1", stage.repository), "--timeout", "10m"]);
    up
}

fn recover(stage: &Stage) -> Command {
    let mut recover = stage.plugin();
    recover.env("HELM_BIN", stage.lab.tool(Tool::Helm4).unwrap()).args(["recover", &stage.name]);
    recover.args(["--cluster", &stage.cluster.name, "--namespace", &stage.name]);
    recover
}

/// All of it at once, as a machine that goes away: nobody is left who could mark the release as failed. Helm would be told
/// by the kernel that its parent is gone, and does not hear that while it is stopped.
fn killed(stage: &Stage, holder: &mut Child) {
    let (helm, plugin) = (helm(stage), Pid::from_child(holder));
    for pid in [helm, plugin] {
        kill_process(pid, Signal::STOP).unwrap();
    }
    for pid in [helm, plugin] {
        kill_process(pid, Signal::KILL).unwrap();
    }
    holder.wait().unwrap();
}

/// The value of the sign of life on the pending revision.
fn beat(stage: &Stage) -> Option<String> {
    let path = r"--output=jsonpath={.items[*].metadata.annotations.eks-deploy/heartbeat}";
    let found = stage.kubectl(&["get", "secrets", "--selector=owner=helm,status=pending-upgrade", path]);
    Some(found).filter(|value| !value.is_empty())
}

/// The other job hears the holder as long as it lives, and acts half a minute after its last sign of life: not before,
/// whenever it was started.
#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn rule_8_another_job_takes_over_from_one_that_was_killed() {
    let stage = Stage::set();
    let digest = stage.push("v1");
    end(&mut up(&stage)).expect(0, &["deployed as revision 1"]);
    let mut holder = up(&stage).args(["--set", "ready=/none"]).stderr(Stdio::null()).spawn().unwrap();
    poll_until("the deployment gives a sign of life", SOON, || Ok(beat(&stage))).unwrap();
    end(&mut recover(&stage)).expect(7, &["whoever does that is alive"]);
    killed(&stage, &mut holder);
    let last = beat(&stage);
    assert!(last.is_some());

    let log = File::create(stage.home.path().join("log")).unwrap();
    let begun = Instant::now();
    let mut other = recover(&stage).stderr(log).spawn().unwrap();
    let said = || fs::read_to_string(stage.home.path().join("log")).unwrap();
    let mut unchanged = 0;
    let acts = || {
        let acts = said().contains("helm rollback");
        // What it waits for is that this stays as it is.
        unchanged += u32::from(!acts && beat(&stage) == last);
        Ok(acts.then(|| begun.elapsed()))
    };
    let waited = poll_until("the other job acts", SOON, acts).unwrap();
    assert!(waited >= Duration::from_secs(30), "{waited:?}");
    assert!(unchanged > 0);
    let ended = poll_until("the other job ends", SOON, || Ok(other.try_wait()?)).unwrap();
    assert_eq!(ended.code(), Some(0), "{}", said());
    let said = said();
    let order = ["is pending-upgrade at revision 2: listening", "helm rollback", "is deployed as revision 3"];
    let places = order.map(|part| said.find(part).unwrap_or_else(|| panic!("{part} is not in {said}")));
    assert!(places.is_sorted(), "{said}");
    assert_eq!(stage.running(), [digest]);
}

/// The Helm that upgrades the release.
fn helm(stage: &Stage) -> Pid {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let found = entries.filter_map(|entry| {
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).into_owned();
        let ours = line.contains(&format!("\0upgrade\0--install\0{}\0", stage.name));
        Pid::from_raw(entry.file_name().to_str().filter(|_| ours)?.parse().ok()?)
    });
    let found: Vec<Pid> = found.collect();
    let [pid] = found[..] else { panic!("{found:?}") };
    pid
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn rule_8_a_killed_deployment_is_taken_back_and_a_living_one_is_left() {
    let stage = Stage::set();
    let digest = stage.push("v1");
    end(&mut up(&stage)).expect(0, &["deployed as revision 1"]);
    end(&mut recover(&stage)).expect(0, &["is deployed as revision 1: it is free"]);

    let log = File::create(stage.home.path().join("log")).unwrap();
    let mut holder = up(&stage)
        .args(["--set", "ready=/none"])
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    let annotations = "--output=jsonpath={.items[*].metadata.annotations}";
    let beats = || {
        let found =
            stage.kubectl(&["get", "secrets", "--selector=owner=helm,status=pending-upgrade", annotations]);
        Ok(found.contains("eks-deploy/heartbeat").then_some(()))
    };
    poll_until("the deployment gives a sign of life", SOON, beats).unwrap();
    end(&mut recover(&stage)).expect(7, &["is pending-upgrade, and whoever does that is alive"]);

    kill_process(helm(&stage), Signal::KILL).unwrap();
    let ended = poll_until("the holder has ended", SOON, || Ok(holder.try_wait()?)).unwrap();
    assert_eq!(ended.code(), Some(7), "{}", fs::read_to_string(stage.home.path().join("log")).unwrap());
    end(up(&stage).arg("--recover"))
        .expect(0, &["helm rollback", "is deployed as revision 3", "is deployed as revision 4"]);
    assert_eq!(stage.running(), [digest]);
}
