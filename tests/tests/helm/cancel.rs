//! What is left when someone stops it: a release in a state that Helm knows, no process, no file.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use lab::process::poll_until;
use lab::tool::Tool;
use rustix::process::{Pid, Signal, kill_process};

use crate::stage::{Stage, end};

const SOON: Duration = Duration::from_secs(40);

/// Runs a deployment whose pods never get ready, until Helm waits for them.
fn waiting(stage: &Stage, mut up: Command) -> Child {
    up.args(["--image", &format!("image={}:v1", stage.repository), "--set", "ready=/none"]);
    let log = File::create(stage.chart().with_file_name("log")).unwrap();
    let child = up.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
    let pending = || Ok(status(stage).filter(|status| status.starts_with("pending")));
    poll_until("the release is pending", SOON, pending).unwrap();
    child
}

fn status(stage: &Stage) -> Option<String> {
    let jsonpath = "--output=jsonpath={.items[*].metadata.labels.status}";
    Some(stage.kubectl(&["get", "secrets", "--selector=owner=helm", jsonpath]))
        .filter(|status| !status.is_empty())
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn ended(child: &mut Child) -> ExitStatus {
    poll_until("it has ended", SOON, || Ok(child.try_wait()?)).unwrap()
}

/// The processes whose command line names the release.
fn processes(stage: &Stage) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(&stage.name) && line.contains("upgrade")).collect()
}

fn an_interrupt_leaves_a_failed_release(helm: Tool) {
    let stage = Stage::set();
    stage.push("v1");
    let mut child = waiting(&stage, stage.up(helm));
    send(&child, Signal::INT);
    let ended = ended(&mut child);
    let said = fs::read_to_string(stage.chart().with_file_name("log")).unwrap();
    assert_eq!(ended.code(), Some(130), "{said}");
    assert!(
        said.contains(&format!("error: stopped; release `{}` is failed at revision 1", stage.name)),
        "{said}"
    );
    assert_eq!(status(&stage).as_deref(), Some("failed"));
    assert_eq!(processes(&stage), [""; 0]);
    assert!(stage.left_over().is_empty(), "{:?}", stage.left_over());
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn ctrl_c_while_helm_4_waits() {
    an_interrupt_leaves_a_failed_release(Tool::Helm4);
}

#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn ctrl_c_while_helm_3_waits() {
    an_interrupt_leaves_a_failed_release(Tool::Helm3);
}

/// Helm that started us ends at once and tells us nothing; we see that it is gone.
#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn ctrl_c_at_the_helm_that_runs_the_plugin() {
    let stage = Stage::set();
    stage.push("v1");
    // Under a shell that runs the tests in the background SIGINT is ignored, and Helm leaves it so.
    let mut up = stage.command(Path::new("env"));
    up.arg("--default-signal=INT").arg(stage.helm(Tool::Helm4).get_program());
    up.args(["eks-deploy", "up", &stage.name, "./web", "-n", &stage.name, "--cluster", &stage.cluster.name]);
    let mut child = waiting(&stage, up);
    send(&child, Signal::INT);
    ended(&mut child);
    let failed = || Ok(status(&stage).filter(|status| status == "failed"));
    poll_until("the release is cancelled", SOON, failed).unwrap();
    poll_until("all have ended", SOON, || Ok(processes(&stage).is_empty().then_some(()))).unwrap();
    poll_until("the files are gone", SOON, || Ok(stage.left_over().is_empty().then_some(()))).unwrap();
}

/// Even then: Helm is told by the kernel, and the next run sweeps the files.
#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn a_killed_run_leaves_no_pending_release() {
    let stage = Stage::set();
    stage.push("v1");
    let mut child = waiting(&stage, stage.up(Tool::Helm4));
    send(&child, Signal::KILL);
    ended(&mut child);
    let failed = || Ok(status(&stage).filter(|status| status == "failed"));
    poll_until("helm has cancelled the release", SOON, failed).unwrap();
    poll_until("helm has ended", SOON, || Ok(processes(&stage).is_empty().then_some(()))).unwrap();
    assert!(!stage.left_over().is_empty(), "nobody was there to remove the files");
    end(stage.up(Tool::Helm4).args(["--image", "none.image=x"])).expect(64, &[]);
    assert!(stage.left_over().is_empty(), "{:?}", stage.left_over());
}
