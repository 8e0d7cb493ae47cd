//! `up` beside the Helm that it runs, in the lab's cluster: nothing changes but the revision, so that all is work of
//! programs and none of it waiting for pods.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::json;
use tempfile::TempDir;

use crate::aws::REGION;
use crate::aws::identity::User;
use crate::base;
use crate::bench::contest::{self, Entrant, Finished, OURS, Taken};
use crate::bench::lane::{Stage, millis};
use crate::cluster::Cluster;
use crate::lab::Lab;
use crate::process::{SHORT, poll_until, run, succeeds};
use crate::tool::Tool;

/// What `up` takes more than its Helm, in milliseconds.
pub(super) const OWN: &str = "own";
const CLUSTER: &str = "helm-bench";
const TEMPLATE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {image: {{ .Values.image }}}\n---\n\
                        apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: {{ .Release.Name }}}\nspec:\n  replicas: 0\n  \
                        selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    \
                        spec: {containers: [{name: c, image: {{ .Values.image }}}]}\n";

struct World {
    lab: Lab,
    user: User,
    release: String,
    home: TempDir,
    plugin: PathBuf,
    helm: PathBuf,
}

/// With an image of ECR, which takes a second dry run, or without one.
pub(super) fn compete(stage: &Stage, pinned: bool, rounds: usize) -> Result<Vec<Finished>> {
    let world = World::set(stage)?;
    let image = if pinned { base::busybox_reference() } else { "registry.invalid/web:v1".to_owned() };
    fs::write(world.home.path().join("web/values.yaml"), format!("image: {image}\n"))?;
    let dry_runs = if pinned { 2 } else { 1 };
    let (up, bare) = (|| world.up(), || world.bare(dry_runs));
    let run = move |_| {
        let before = took(bare)?;
        let ours = took(up)?;
        let after = took(bare)?;
        let own = ours - f64::midpoint(before, after);
        Ok(Taken { figures: [(OWN, own)].into(), ..Taken::default() })
    };
    let finished =
        contest::compete(vec![Entrant { name: OURS, version: String::new(), run: Box::new(run) }], rounds);
    run_helm(world.command(&world.helm).args(["uninstall", &world.release, "-n", &world.release]))?;
    finished
}

fn took(work: impl Fn() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    work()?;
    Ok(millis(start))
}

fn run_helm(command: &mut Command) -> Result<()> {
    run(command, SHORT).map(drop)
}

impl World {
    /// Someone whom the cluster lets in, and a namespace and a chart of theirs.
    fn set(stage: &Stage) -> Result<Self> {
        let lab = Lab::running()?;
        let known = lab.root().rest("eks", "GET", &format!("/clusters/{CLUSTER}"), &json!(null)).is_ok();
        let cluster =
            if known { Cluster::await_ready(&lab, CLUSTER) } else { Cluster::create(&lab, CLUSTER) }?;
        let release = lab.unique("overhead");
        let user = lab.root().create_admin(&release)?;
        let entries = format!("/clusters/{CLUSTER}/access-entries");
        lab.root().rest("eks", "POST", &entries, &json!({"principalArn": user.arn}))?;
        let arn = user.arn.replace(':', "%3A").replace('/', "%2F");
        let policy = json!({"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
            "accessScope": {"type": "cluster"}});
        lab.root().rest("eks", "POST", &format!("{entries}/{arn}/access-policies"), &policy)?;
        run(cluster.kubectl(&lab).args(["create", "namespace", &release]), SHORT)?;
        let home = tempfile::tempdir_in(stage.folder.path())?;
        let templates = home.path().join("web/templates");
        fs::create_dir_all(&templates)?;
        fs::write(templates.join("all.yaml"), TEMPLATE)?;
        fs::write(home.path().join("web/Chart.yaml"), "apiVersion: v2\nname: web\nversion: 0.1.0\n")?;
        let (plugin, helm) = (stage.programs()?.plugin, Tool::Helm4.install(&stage.cache)?);
        let world = Self { lab, user, release, home, plugin, helm };
        let mut kubeconfig = world.command(&world.plugin);
        run_helm(kubeconfig.args(["kubeconfig", "write", "--cluster", CLUSTER, "--region", REGION]))
            .context("no kubeconfig for the bare helm")?;
        let mut list = world.command(&world.helm);
        list.args(["list", "-n", &world.release]);
        let let_in = || Ok(succeeds(&mut list, SHORT).then_some(()));
        poll_until("the access policy is in force", SHORT, let_in)?;
        Ok(world)
    }

    fn command(&self, program: &Path) -> Command {
        let (mut command, home) = (self.lab.command(program, &self.user.keys), self.home.path());
        command.current_dir(home).env("HOME", home).env("TMPDIR", home).env_remove("XDG_RUNTIME_DIR");
        command.env("KUBECONFIG", home.join("kubeconfig")).env("HELM_BIN", &self.helm);
        command
    }

    fn up(&self) -> Result<()> {
        let mut up = self.command(&self.plugin);
        up.args([
            "up",
            &self.release,
            "./web",
            "-n",
            &self.release,
            "--cluster",
            CLUSTER,
            "--region",
            REGION,
        ]);
        run_helm(&mut up)
    }

    /// The same work by Helm alone.
    fn bare(&self, dry_runs: usize) -> Result<()> {
        let upgrade = |more: &[&str]| {
            let mut upgrade = self.command(&self.helm);
            upgrade.args(["upgrade", "--install", &self.release, "./web", "-n", &self.release]);
            run_helm(upgrade.args(more))
        };
        (0..dry_runs).try_for_each(|_| upgrade(&["--dry-run=server", "--output=json"]))?;
        upgrade(&["--wait=watcher"])
    }
}
