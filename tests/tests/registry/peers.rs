//! The programs that others use: skopeo, crane, umoci, Docker and containerd. One that is missing fails the test.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use lab::lab::Lab;
use lab::process::{SHORT, poll_until, run, succeeds};
use lab::tool::Tool;
use serde_json::json;
use tempfile::TempDir;

use crate::place::{Place, Process};

const READY: Duration = Duration::from_mins(1);

/// All of them, led to one place, with a folder for what they write.
pub(crate) struct Peers<'a> {
    place: &'a Place,
    lab: Lab,
    _containerd: Process,
    folder: TempDir,
}

impl<'a> Peers<'a> {
    pub(crate) fn start(place: &'a Place) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let auth = |(user, password): &(String, String)| BASE64_STANDARD.encode(format!("{user}:{password}"));
        let auths = place.login.as_ref().map(|login| json!({ "auth": auth(login) })).unwrap_or(json!({}));
        let config = json!({ "auths": { place.address.to_string(): auths } });
        std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        let containerd = containerd(folder.path());
        Self { place, lab: Lab::running().unwrap(), _containerd: containerd, folder }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn reference(&self, tag: &str) -> String {
        format!("{}:{tag}", self.place.reached())
    }

    pub(crate) fn skopeo(&self, words: &[&str]) -> String {
        let mut command = Command::new("skopeo");
        // Whatever the machine's policy for images is, these are let in.
        command.args(["--insecure-policy", words[0], "--authfile", &self.path("config.json")]);
        let tls: &[&str] = if words[0] == "copy" {
            &["--src-tls-verify=false", "--dest-tls-verify=false"]
        } else {
            &["--tls-verify=false"]
        };
        run(command.args(tls).args(&words[1..]), SHORT).unwrap()
    }

    pub(crate) fn crane(&self, words: &[&str]) -> String {
        let mut command = Command::new(self.lab.tool(Tool::Crane).unwrap());
        run(command.args(words).arg("--insecure").env("DOCKER_CONFIG", self.folder.path()), SHORT).unwrap()
    }

    pub(crate) fn docker(&self, words: &[&str]) -> String {
        let mut command = self.lab.engine().docker();
        run(command.args(words).env("DOCKER_CONFIG", self.folder.path()), SHORT).unwrap()
    }

    /// `ctr` with what a verb of images needs to reach the place, and then its arguments.
    pub(crate) fn ctr(&self, verb: &[&str], arguments: &[&str]) -> String {
        let mut command = ctr(self.folder.path());
        command.args(verb).arg("--plain-http");
        if let Some((user, password)) = &self.place.login {
            command.arg("--user").arg(format!("{user}:{password}"));
        }
        run(command.args(arguments), SHORT).unwrap()
    }
}

impl Drop for Peers<'_> {
    /// The engine outlives the test, its images need not. By name: another test may have the same image under its own.
    fn drop(&mut self) {
        let engine = self.lab.engine();
        let filter = format!("reference={}", self.place.reached());
        let list = ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter", &filter];
        for image in engine.ask(&list).unwrap_or_default().lines() {
            _ = engine.ask(&["image", "rm", image]);
        }
    }
}

/// Reads and writes layouts on disk, and knows no place.
pub(crate) fn umoci(words: &[&str]) -> String {
    run(Command::new("umoci").args(words), SHORT).unwrap()
}

/// A containerd of its own, without what Kubernetes needs.
fn containerd(folder: &Path) -> Process {
    let config = folder.join("containerd.toml");
    std::fs::write(&config, "version = 2\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n").unwrap();
    let mut command = Command::new("containerd");
    command.arg("--config").arg(config).arg("--root").arg(folder.join("root"));
    command.arg("--state").arg(folder.join("state")).arg("--address").arg(folder.join("containerd.sock"));
    let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let process = Process(process.expect("containerd is installed"));
    let ready = || Ok(succeeds(ctr(folder).arg("version"), SHORT).then_some(()));
    poll_until("containerd", READY, ready).unwrap();
    process
}

fn ctr(folder: &Path) -> Command {
    let mut command = Command::new("ctr");
    command.arg("--address").arg(folder.join("containerd.sock"));
    command
}
