//! What a test deploys with: a cluster, a user whom the cluster knows, a chart, two images, and a home of its own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use lab::aws::identity::User;
use lab::aws::{ACCOUNT, REGION};
use lab::base;
use lab::cluster::Cluster;
use lab::lab::Lab;
use lab::process::{SHORT, poll_until, run, run_with_input, succeeds};
use lab::programs::{Programs, checkout};
use lab::tool::Tool;
use serde_json::{Value, json};
use tempfile::TempDir;

/// One cluster serves all tests; each has a namespace, a user and a repository of its own.
const CLUSTER: &str = "helm-tests";

pub(crate) struct Stage {
    pub(crate) lab: Lab,
    pub(crate) cluster: Cluster,
    pub(crate) user: User,
    /// The namespace, and the release in it.
    pub(crate) name: String,
    /// The repository of the images, as `host/name`.
    pub(crate) repository: String,
    plugin: PathBuf,
    pub(crate) home: TempDir,
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Stage {
    /// With an administrator of the cluster as the user.
    pub(crate) fn set() -> Self {
        let stage = Self::with_stranger();
        stage.let_in("AmazonEKSClusterAdminPolicy", &json!({"type": "cluster"}), &[]);
        stage
    }

    /// With a user whom the cluster does not know.
    pub(crate) fn with_stranger() -> Self {
        let lab = Lab::running().unwrap();
        let cluster = cluster(&lab);
        let name = lab.unique("helm");
        let user = lab.root().create_user(&name, &policy(&name)).unwrap();
        let plugin = Programs::built().unwrap().plugin;
        let home = tempfile::tempdir().unwrap();
        let repository = format!("{}/{name}", base::registry());
        let stage = Self { lab, cluster, user, name, repository, plugin, home };
        stage.install_plugin();
        stage.write_chart("{{ .Values.image.repository }}:{{ .Values.image.tag }}");
        let created =
            run(stage.cluster.kubectl(&stage.lab).args(["create", "namespace", &stage.name]), SHORT);
        created.unwrap();
        stage
    }

    /// With a user whom an access policy lets into the namespace, as a member of these groups.
    pub(crate) fn with_access(policy: &str, groups: &[&str]) -> Self {
        let stage = Self::with_stranger();
        stage.let_in(policy, &json!({"type": "namespace", "namespaces": [stage.name]}), groups);
        stage
    }

    fn let_in(&self, policy: &str, scope: &Value, groups: &[&str]) {
        let (arn, root) = (&self.user.arn, self.lab.root());
        let entries = format!("/clusters/{}/access-entries", self.cluster.name);
        let entry = json!({"principalArn": arn, "kubernetesGroups": groups});
        root.rest("eks", "POST", &entries, &entry).unwrap();
        let policies = format!("{entries}/{}/access-policies", arn.replace(':', "%3A").replace('/', "%2F"));
        let policy = format!("arn:aws:eks::aws:cluster-access-policy/{policy}");
        root.rest("eks", "POST", &policies, &json!({"policyArn": policy, "accessScope": scope})).unwrap();
        self.write_kubeconfig();
        let kubectl = self.lab.tool(Tool::Kubectl).unwrap();
        let mut ask = self.command(&kubectl);
        ask.args(["auth", "can-i", "create", "secrets"]);
        let allowed = || Ok(succeeds(&mut ask, SHORT).then_some(()));
        poll_until("the access policy is in force", SHORT, allowed).unwrap();
    }

    /// What an administrator adds to the namespace.
    pub(crate) fn apply(&self, objects: &str) {
        let mut command = self.cluster.kubectl(&self.lab);
        command.args(["--namespace", &self.name, "apply", "-f", "-"]);
        run_with_input(&mut command, SHORT, |stdin| Ok(stdin.write_all(objects.as_bytes())?)).unwrap();
    }

    /// As a user installs it from a folder: the manifest, and the binary below `bin`.
    fn install_plugin(&self) {
        let folder = self.home.path().join("plugins/eks-deploy");
        fs::create_dir_all(folder.join("bin")).unwrap();
        fs::copy(checkout().join("helm-plugin/plugin.yaml"), folder.join("plugin.yaml")).unwrap();
        symlink(&self.plugin, folder.join("bin/eks-deploy")).unwrap();
        fs::create_dir(self.home.path().join("tmp")).unwrap();
    }

    /// A chart with one Deployment, whose image is this template.
    pub(crate) fn write_chart(&self, image: &str) {
        let chart = self.chart();
        fs::create_dir_all(chart.join("templates")).unwrap();
        let metadata = "apiVersion: v2\nname: web\nversion: 0.1.0\nappVersion: none\n";
        fs::write(chart.join("Chart.yaml"), metadata).unwrap();
        let values = "image: {repository: registry.invalid/web, tag: none}\nreplicas: 1\nready: /passwd\n";
        fs::write(chart.join("values.yaml"), values).unwrap();
        let deployment = include_str!("deployment.yaml").replace("IMAGE", image);
        fs::write(chart.join("templates/deployment.yaml"), deployment).unwrap();
    }

    pub(crate) fn chart(&self) -> PathBuf {
        self.home.path().join("web")
    }

    /// Puts an image with this tag into the repository, and gives its digest.
    pub(crate) fn push(&self, tag: &str) -> String {
        self.push_labelled(tag, tag)
    }

    /// The same with another label, which makes it another image.
    pub(crate) fn push_labelled(&self, tag: &str, label: &str) -> String {
        let crane = |arguments: &[&str]| {
            let mut command = self.lab.command(self.lab.tool(Tool::Crane).unwrap(), &self.user.keys);
            run(command.args(arguments).arg("--insecure"), SHORT).unwrap()
        };
        let address = self.lab.ministack();
        let (_, busybox) =
            base::busybox_reference().split_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let create = json!({ "repositoryName": self.name });
        // The second tag finds the repository there.
        let _ = self.lab.root().ecr("CreateRepository", &create);
        let target = format!("{address}/{}:{tag}", self.name);
        crane(&[
            "mutate",
            &format!("{address}/{busybox}"),
            "--label",
            &format!("tag={label}"),
            "--tag",
            &target,
        ]);
        crane(&["digest", &target]).trim().to_owned()
    }

    /// `eks-deploy` by itself.
    pub(crate) fn plugin(&self) -> Command {
        self.command(&self.plugin)
    }

    /// `eks-deploy up` of the chart to the cluster, by this Helm.
    pub(crate) fn up(&self, helm: Tool) -> Command {
        let mut command = self.plugin();
        command.env("HELM_BIN", self.lab.tool(helm).unwrap());
        command.arg("up").arg(&self.name).arg(self.chart());
        command.args(["--cluster", &self.cluster.name, "--namespace", &self.name, "--timeout", "60s"]);
        command
    }

    /// Helm itself, with our plugin installed.
    pub(crate) fn helm(&self, helm: Tool) -> Command {
        self.command(&self.lab.tool(helm).unwrap())
    }

    /// Of the user's world there is nothing in it but PATH.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let home = self.home.path();
        let mut command = self.lab.command(program, &self.user.keys);
        command.env_remove("XDG_RUNTIME_DIR").env_remove("CI").env_remove("GITHUB_ACTIONS");
        command.env("HOME", home).env("TMPDIR", home.join("tmp")).env("HELM_PLUGINS", home.join("plugins"));
        command.env("KUBECONFIG", home.join("kubeconfig")).current_dir(home).stdin(Stdio::null());
        command
    }

    /// A kubeconfig as someone without the plugin's verbs has it; only its token is ours.
    pub(crate) fn write_kubeconfig(&self) {
        let exec = json!({
            "apiVersion": "client.authentication.k8s.io/v1", "command": self.plugin, "interactiveMode": "Never",
            "args": ["token", "--cluster-name", self.cluster.name, "--region", REGION],
        });
        let name = "c";
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": name,
            "clusters": [{"name": name, "cluster":
                {"server": self.cluster.endpoint, "certificate-authority-data": self.cluster.ca}}],
            "users": [{"name": name, "user": {"exec": exec}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": self.name}}],
        });
        fs::write(self.home.path().join("kubeconfig"), config.to_string()).unwrap();
    }

    /// The digests that the release's pods run, as the node says.
    pub(crate) fn running(&self) -> Vec<String> {
        let pods = self.kubectl(&["get", "pods", "--selector=app=web", "--output=json"]);
        let pods: Value = serde_json::from_str(&pods).unwrap();
        let living = pods["items"].as_array().unwrap().iter().filter(|pod| {
            pod["metadata"]["deletionTimestamp"].is_null() && pod["status"]["phase"] == "Running"
        });
        let image =
            |pod: &Value| pod["status"]["containerStatuses"][0]["imageID"].as_str().unwrap_or("").to_owned();
        let digest =
            |image: String| image.rsplit_once('@').map(|(_, digest)| digest.to_owned()).unwrap_or_default();
        living.map(image).map(digest).collect()
    }

    /// What an administrator sees in the namespace.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        let mut command = self.cluster.kubectl(&self.lab);
        run(command.args(["--namespace", &self.name]).args(arguments), SHORT).unwrap()
    }

    /// The revisions of the release: number, status, description.
    pub(crate) fn history(&self) -> Vec<(u64, String, String)> {
        self.write_kubeconfig();
        let mut command = self.helm(Tool::Helm4);
        let ended = end(command.args(["history", &self.name, "--output=json"]));
        let Ok(revisions) = serde_json::from_str::<Vec<Value>>(&ended.out) else { return Vec::new() };
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let revision = |value: &Value| {
            (value["revision"].as_u64().unwrap(), text(&value["status"]), text(&value["description"]))
        };
        revisions.iter().map(revision).collect()
    }

    /// The private files that are left of all runs.
    pub(crate) fn left_over(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.home.path().join("tmp")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { found.push(path) }
            }
        }
        found.retain(|path| path.metadata().unwrap().len() > 0);
        found
    }
}

/// Runs the program to its end.
pub(crate) fn end(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

impl Ended {
    /// The program ended so, and said all of this on stderr.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, said: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for part in said {
            assert!(self.err.contains(part), "`{part}` is not in:\n{}", self.err);
        }
    }
}

fn cluster(lab: &Lab) -> Cluster {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let known = lab.root().rest("eks", "GET", &format!("/clusters/{CLUSTER}"), &Value::Null).is_ok();
    if known { Cluster::await_ready(lab, CLUSTER) } else { Cluster::create(lab, CLUSTER) }.unwrap()
}

/// What the README asks for: the cluster's description, and the images' manifests.
fn policy(repository: &str) -> Value {
    json!([
        {"Effect": "Allow", "Action": "eks:DescribeCluster", "Resource": "*"},
        {"Effect": "Allow", "Action": "ecr:BatchGetImage",
         "Resource": format!("arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{repository}")},
    ])
}
