//! `buildkit-fleet`: builders in a cluster, rootless, and a service whose steps run on them by TLS on both sides.

mod image;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use lab::aws::Keys;
use lab::check::skip;
use lab::cluster::Cluster;
use lab::lab::Lab;
use lab::packages::{self, Consent};
use lab::process::{LONG, poll_until, run, run_with_input};
use lab::programs::{Programs, checkout};
use lab::tool::{BUILDKIT, Tool};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::quickstart::User;
use crate::stack::Stack;

const NAMESPACE: &str = "buildkit";
const PLATFORMS: [&str; 2] = ["linux/amd64", "linux/arm64"];
/// Where a builder listens in its pod.
const SOCKET: &str = "--addr=unix:///run/user/1000/buildkit/buildkitd.sock";

pub(crate) fn builds_for_a_runner_without_docker(lab: &Lab, user: &User, cluster: &Cluster) {
    if skip::unless(packages::need(&image::PACKAGES, Consent::from_flag(false))).is_none() {
        return;
    }
    let name = lab.unique("fleet");
    let mut fleet = user.example("buildkit-fleet");
    fleet.set("repository", format!("{name}/buildkit"));
    fleet.set("base", image::push(lab).unwrap());
    fleet.set("platforms", r#"["linux/amd64"]"#);
    fleet.set("force_delete", "true");
    fleet.apply_and_settle();
    let runner = Runner::of(&fleet);
    runner.deploy(lab, &user.keys, &cluster.name);
    runner.claims_storage(lab, cluster);
    let builders = builders(lab, cluster);
    for address in &builders {
        runner.is_let_in_by_its_certificate(lab, address);
    }

    let repository = format!("{name}/pages");
    lab.root().ecr("CreateRepository", &json!({ "repositoryName": repository })).unwrap();
    let mut service = user.example("buildkit-fleet/service");
    let places = builders.iter().zip(PLATFORMS.map(|platform| json!([platform])));
    service.set("builders", places.map(|(at, of)| (at.clone(), of)).collect::<Value>().to_string());
    service.set("keys", runner.folder.path().to_str().unwrap());
    service.set("repository", format!("{}/{repository}", lab::base::registry()));
    service.set("base", lab.busybox());
    service.apply_and_settle();
    let digests = service.output("platforms");
    for (number, platform) in PLATFORMS.into_iter().enumerate() {
        let image = format!("{}/{repository}@{}", lab.ministack(), digests[platform].as_str().unwrap());
        let (_, architecture) = platform.split_once('/').unwrap();
        let page = page(lab, &image);
        assert_eq!(page, format!("<h1>Pages</h1>\n<p>Made for {architecture}.</p>\n"));
        let words = ["exec", &format!("{NAMESPACE}-{number}"), "--", "buildctl", SOCKET, "du", "--verbose"];
        let kept = run(cluster.kubectl(lab).args(["--namespace", NAMESPACE]).args(words), LONG).unwrap();
        assert!(kept.contains("Made for"), "{kept}");
    }
    service.destroy();
    fleet.destroy();
}

/// The addresses of the builders, by the node's own and the port that each one's Service has there.
fn builders(lab: &Lab, cluster: &Cluster) -> Vec<String> {
    let ask = |words: &[&str]| run(cluster.kubectl(lab).args(words), LONG).unwrap();
    let node = ask(&["get", "nodes", "--output=jsonpath={.items[0].status.addresses[0].address}"]);
    let port = |number: usize| {
        let service = format!("service/{NAMESPACE}-{number}");
        let path = "--output=jsonpath={.spec.ports[0].nodePort}";
        ask(&["get", &service, "--namespace", NAMESPACE, path])
    };
    (0..PLATFORMS.len()).map(|number| format!("tcp://{node}:{}", port(number))).collect()
}

fn chart() -> PathBuf {
    checkout().join("examples/buildkit-fleet/chart")
}

/// The page in an image of one platform.
fn page(lab: &Lab, image: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let exported = folder.path().join("image.tar");
    let mut crane = Command::new(lab.tool(Tool::Crane).unwrap());
    run(crane.args(["export", "--insecure", image]).arg(&exported), LONG).unwrap();
    let bytes = lab::rootfs::read(&exported, "pages/index.html").unwrap();
    String::from_utf8(bytes).unwrap()
}

/// What a runner was given: a folder of keys and values; and the builders' image.
struct Runner {
    folder: TempDir,
    image: Value,
}

impl Runner {
    fn of(fleet: &Stack) -> Self {
        let (folder, mut outputs) = (tempfile::tempdir().unwrap(), fleet.outputs());
        for (output, file) in [
            ("ca", "ca.pem"),
            ("client_cert", "client.pem"),
            ("client_key", "client.key"),
            ("values", "values.yaml"),
        ] {
            fs::write(folder.path().join(file), outputs[output].as_str().unwrap()).unwrap();
        }
        Self { folder, image: outputs.remove("image").unwrap() }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// What the README says, for the node of a lab.
    fn deploy(&self, lab: &Lab, keys: &Keys, cluster: &str) {
        let mut command = lab.command(Programs::built().unwrap().plugin, keys);
        command.env("HELM_BIN", lab.tool(Tool::Helm4).unwrap()).env("HOME", self.folder.path());
        command.env("KUBECONFIG", self.file("none")).env_remove("CI");
        command.args(["up", NAMESPACE]).arg(chart()).args(["--namespace", NAMESPACE, "--create-namespace"]);
        let image = format!("image={}", self.image.as_str().unwrap());
        command.args(["--cluster", cluster, "--image", &image]);
        command.args(["--values", &self.file("values.yaml"), "--timeout", "5m"]);
        command.args(["--set", "service.type=NodePort", "--set", "resources=null"]);
        run(&mut command, LONG).unwrap();
    }

    /// The node has no storage to claim; that the API takes the claim can be shown all the same.
    fn claims_storage(&self, lab: &Lab, cluster: &Cluster) {
        let mut helm = lab.command(lab.tool(Tool::Helm4).unwrap(), &Keys::root());
        helm.args(["template", "kept"]).arg(chart());
        helm.args(["--set", "cache.size=50Gi", "--values", &self.file("values.yaml")]);
        let manifest = run(&mut helm, LONG).unwrap();
        assert!(manifest.contains("volumeClaimTemplates"), "{manifest}");
        let words = ["apply", "--dry-run=server", "--namespace", NAMESPACE, "--filename=-"];
        let write = |to: &mut dyn Write| Ok(to.write_all(manifest.as_bytes())?);
        run_with_input(cluster.kubectl(lab).args(words), LONG, write).unwrap();
    }

    fn is_let_in_by_its_certificate(&self, lab: &Lab, address: &str) {
        let ask = |own: &[String]| {
            let mut buildctl = Command::new(BUILDKIT.path(lab.cache(), "buildctl"));
            buildctl.args(["--addr", address, "--tlsservername=buildkit"]);
            buildctl.arg("--tlscacert").arg(self.file("ca.pem")).args(own).args(["debug", "workers"]);
            run(&mut buildctl, LONG).map_err(|error| format!("{error:#}"))
        };
        let [cert, key] = [("cert", "client.pem"), ("key", "client.key")]
            .map(|(of, name)| format!("--tls{of}={}", self.file(name)));
        let own = [cert, key];
        // A pod is ready a little before its node's port leads to it.
        let workers = poll_until("the builder answers", LONG, || Ok(ask(&own).ok())).unwrap();
        assert!(workers.contains("linux/amd64"), "{workers}");
        // In words that depend on who notices first.
        let refused = ask(&[]).unwrap_err();
        assert!(refused.contains("failed to list workers"), "{refused}");
    }
}
