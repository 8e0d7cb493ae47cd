//! `quickstart`, and the examples that build on a cluster that is there: `helm-provider`, `existing-eks` and `buildkit-fleet`.

use std::collections::BTreeMap;
use std::thread;

use lab::aws::{ACCOUNT, Keys};
use lab::cluster::Cluster;
use lab::lab::Lab;
use lab::process::{SHORT, run};
use lab::programs::Programs;
use lab::providers;
use lab::tool::Tool;
use lab::tool::terraform::clis;
use serde_json::{Value, json};

use crate::fleet;
use crate::stack::Stack;

#[test]
#[ignore = "needs the lab: cargo xtask lab up"]
fn a_cluster_serves_all_examples_that_want_one() {
    clis(Tool::Terraform).into_iter().for_each(apply);
}

fn apply(cli: Tool) {
    let lab = Lab::running().unwrap();
    providers::install_others(lab.cache()).unwrap();
    let name = lab.unique("quick");
    let keys = lab.root().create_admin(&name).unwrap().keys;
    let user = User { cli, keys };
    let mut quickstart = user.example("quickstart");
    quickstart.set("name", &name);
    quickstart.set("my_addresses", r#"["203.0.113.7/32"]"#);
    quickstart.set("base", lab.busybox());
    quickstart.set("force_delete", "true");
    quickstart.apply_and_settle();
    let cluster = Cluster::await_ready(&lab, &name).unwrap();
    let outputs = quickstart.outputs();
    thread::scope(|scope| {
        scope.spawn(|| helm_provider(&lab, &user, &outputs, &cluster));
        scope.spawn(|| existing_eks(&lab, &user, &name));
        scope.spawn(|| fleet::builds_for_a_runner_without_docker(&lab, &user, &cluster));
    });
    quickstart.destroy();
}

/// The release runs the image by digest, and goes again.
fn helm_provider(lab: &Lab, user: &User, quickstart: &BTreeMap<String, Value>, cluster: &Cluster) {
    let image = quickstart["image"].as_str().unwrap();
    let mut stack = user.example("helm-provider");
    stack.set("cluster", quickstart["cluster"].to_string());
    stack.set("image", image);
    stack.set("eks_deploy", Programs::built().unwrap().plugin.to_str().unwrap());
    stack.apply_and_settle();
    let words = ["get", "pods", "--namespace=web", "--output=jsonpath={.items[*].spec.containers[*].image}"];
    let running = run(cluster.kubectl(lab).args(words), SHORT).unwrap();
    assert_eq!(running, image);
    assert_eq!(stack.output("revision"), json!(1));
    stack.destroy();
}

/// Access and images beside a cluster that another configuration made.
fn existing_eks(lab: &Lab, user: &User, cluster: &str) {
    let find = json!([{"Effect": "Allow", "Action": "eks:DescribeCluster", "Resource": "*"}]);
    let deployer = format!("{cluster}-deployer");
    let deployer = lab.root().create_role(&deployer, &json!({"AWS": ACCOUNT}), &find).unwrap();
    let mut stack = user.example("existing-eks");
    stack.set("cluster_name", cluster);
    stack.set("deployer_arn", deployer);
    stack.set("repository", format!("{cluster}/existing"));
    stack.set("base", lab.busybox());
    stack.set("force_delete", "true");
    stack.apply_and_settle();
    assert_eq!(stack.output("cluster")["name"], cluster);
    stack.destroy();
}

/// Who applies, and with what.
pub(crate) struct User {
    cli: Tool,
    pub(crate) keys: Keys,
}

impl User {
    pub(crate) fn example(&self, name: &str) -> Stack {
        let (cli, keys) = (self.cli, self.keys.clone());
        Stack::example(name, move || {
            let lab = Lab::running().unwrap();
            let mut command = lab.command(lab.tool(cli).unwrap(), &keys);
            // hashicorp/helm looked for a kubeconfig unless told not to, until its second version.
            command.env("KUBE_LOAD_CONFIG_FILE", "false");
            // Nothing of Docker is there.
            command.env("DOCKER_HOST", "tcp://127.0.0.1:1");
            command
        })
    }
}
