//! A release that a killed Helm left pending is freed, and none that somebody still works at.

use std::fs::{self, File};
use std::process::Command;
use std::time::Duration;

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
