//! `quickstart`, and the two examples that build on a cluster that is there: `helm-provider` and `existing-eks`.

use lab::aws::{ACCOUNT, Keys};
use lab::cluster::Cluster;
use lab::lab::Lab;
use lab::process::{SHORT, run};
use lab::programs::Programs;
use lab::providers;
use lab::tool::Tool;
use serde_json::json;

use crate::stack::Stack;

#[test]
#[ignore = "needs the lab: cargo xtask lab up"]
fn a_cluster_serves_all_examples_that_want_one() {
    let lab = Lab::running().unwrap();
    providers::install_helm(lab.cache()).unwrap();
    let name = lab.unique("quick");
    let keys = lab.root().create_admin(&name).unwrap().keys;
    let mut quickstart = example("quickstart", &keys);
    quickstart.set("name", &name);
    quickstart.set("my_addresses", r#"["203.0.113.7/32"]"#);
    quickstart.set("base", lab.busybox());
    quickstart.set("force_delete", "true");
    quickstart.apply_and_settle();
    let cluster = Cluster::await_ready(&lab, &name).unwrap();

    helm_provider(&lab, &keys, &quickstart, &cluster);
    existing_eks(&lab, &keys, &name);
    quickstart.destroy();
}

/// The release runs the image by digest, and goes again.
fn helm_provider(lab: &Lab, keys: &Keys, quickstart: &Stack, cluster: &Cluster) {
    let image = quickstart.output("image");
    let image = image.as_str().unwrap();
    let mut stack = example("helm-provider", keys);
    stack.set("cluster", quickstart.output("cluster").to_string());
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
fn existing_eks(lab: &Lab, keys: &Keys, cluster: &str) {
    let find = json!([{"Effect": "Allow", "Action": "eks:DescribeCluster", "Resource": "*"}]);
    let deployer = format!("{cluster}-deployer");
    let deployer = lab.root().create_role(&deployer, &json!({"AWS": ACCOUNT}), &find).unwrap();
    let mut stack = example("existing-eks", keys);
    stack.set("cluster_name", cluster);
    stack.set("deployer_arn", deployer);
    stack.set("repository", format!("{cluster}/existing"));
    stack.set("base", lab.busybox());
    stack.set("force_delete", "true");
    stack.apply_and_settle();
    assert_eq!(stack.output("cluster")["name"], cluster);
    stack.destroy();
}

fn example(name: &str, keys: &Keys) -> Stack {
    let keys = keys.clone();
    Stack::example(name, move || {
        let lab = Lab::running().unwrap();
        let mut command = lab.command(lab.tool(Tool::Terraform).unwrap(), &keys);
        // hashicorp/helm looked for a kubeconfig unless told not to, until its second version.
        command.env("KUBE_LOAD_CONFIG_FILE", "false");
        command
    })
}
