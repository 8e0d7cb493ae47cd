//! Each module's example is applied, finds nothing to change, and leaves nothing behind.

use std::fs;
use std::thread;

use lab::aws::ACCOUNT;
use lab::cluster::Cluster;
use lab::lab::Lab;
use lab::tool::Tool;
use lab::tool::terraform::clis;
use serde_json::{Value, json};

use crate::session::Session;
use crate::stack::Stack;
use crate::state::Held;

/// All at once: hashicorp/aws waits a minute for a bucket's rules alone.
#[test]
#[ignore = "needs the lab: cargo xtask test"]
fn every_module() {
    let modules = [network as fn(Tool), ecr, ecr_registry, eks, state_backend];
    for cli in clis(Tool::OpenTofu) {
        thread::scope(|scope| modules.map(|apply| scope.spawn(move || apply(cli))).map(drop));
    }
}

fn network(cli: Tool) {
    let Some(stack) = Stack::copy(cli, "terraform/network/example") else { return };
    let stack = stack.set("name", "infra");
    stack.init();
    stack.apply().unwrap();
    stack.plans_nothing();
    let subnets = stack.json("private_subnet_ids");
    let ids: Vec<_> =
        ["open", "closed"].into_iter().flat_map(|name| subnets[name].as_array().unwrap()).collect();
    assert_eq!(ids.len(), 4, "{subnets}");
    let there = |lab: &Lab| lab.root().query("ec2", "DescribeSubnets", &[]).unwrap();
    let any = |text: &str| ids.iter().any(|id| text.contains(id.as_str().unwrap()));
    assert!(any(&there(&stack.lab)));
    stack.destroy(|lab| !any(&there(lab)));
}

fn ecr(cli: Tool) {
    let Some(stack) = Stack::copy(cli, "terraform/ecr/example") else { return };
    let prefix = stack.lab.unique("infra");
    let stack = stack.set("prefix", &prefix);
    stack.init();
    stack.apply().unwrap();
    stack.plans_nothing();
    let repository = json!({ "repositoryName": format!("{prefix}/api") });
    let rules = stack.lab.root().ecr("GetLifecyclePolicy", &repository).unwrap();
    let rules: Value = serde_json::from_str(rules["lifecyclePolicyText"].as_str().unwrap()).unwrap();
    assert_eq!(rules["rules"][0]["selection"]["tagPrefixList"], json!(["deployed-"]), "{rules}");
    stack.destroy(|lab| lab.root().ecr("GetLifecyclePolicy", &repository).is_err());
}

/// MiniStack knows none of its actions.
fn ecr_registry(cli: Tool) {
    let Some(stack) = Stack::copy(cli, "terraform/ecr-registry/example") else { return };
    stack.init();
    let plan = stack.run(&["plan"]).unwrap();
    assert!(plan.contains("4 to add, 0 to change, 0 to destroy"), "{plan}");
}

fn eks(cli: Tool) {
    let Some(stack) = Stack::copy(cli, "terraform/eks/example") else { return };
    let name = stack.lab.unique("eks");
    let admin = stack.lab.root().create_admin(&name).unwrap();
    let stack = stack.set("name", &name).set("admin_arn", &admin.arn);
    stack.init();
    stack.apply().unwrap();
    stack.plans_nothing();
    let cluster = stack.json("cluster");
    assert_eq!(cluster["account"], ACCOUNT);
    // Not a mere record: its node runs, and its endpoint and authority are the output's.
    let real = Cluster::await_ready(&stack.lab, &name).unwrap();
    assert_eq!(
        (real.endpoint.as_str(), real.ca.as_str()),
        (cluster["endpoint"].as_str().unwrap(), cluster["ca"].as_str().unwrap())
    );
    let path = format!("/clusters/{name}");
    stack.destroy(|lab| lab.root().rest("eks", "GET", &path, &Value::Null).is_err());
}

/// Created with a local state, which then moves into the bucket; taken down the way the README says.
fn state_backend(cli: Tool) {
    let Some(stack) = Stack::copy(cli, "terraform/state-backend/example") else { return };
    let bucket = stack.lab.unique("infra-state");
    let stack = stack.set("bucket", &bucket);
    stack.init();
    stack.apply().unwrap();
    fs::write(stack.folder.join("backend.tf"), stack.output("backend")).unwrap();
    stack.run(&["init", "-migrate-state", "-force-copy"]).unwrap();
    for file in ["terraform.tfstate", "terraform.tfstate.backup"] {
        let _never_written = fs::remove_file(stack.folder.join(file));
    }
    stack.plans_nothing();
    let user = one_state_and_no_other(&stack, cli, &bucket);
    let shop = Stack::copy(cli, "shop").unwrap().under(user);
    let held = Held::new(shop, &stack.output("shop_backend"));
    held.two_at_once();
    held.killed();
    held.taken_back(&bucket, "shop/terraform.tfstate");
    take_down(&stack, &bucket);
}

/// Whoever has a state's policy and nothing else locks, reads and writes it, and no other.
fn one_state_and_no_other(bucket: &Stack, cli: Tool, name: &str) -> Session {
    let access = bucket.json("access");
    let policy: Value = serde_json::from_str(access["write"].as_str().unwrap()).unwrap();
    let user = bucket.lab.root().create_user(name, &policy["Statement"]).unwrap();
    let user = Session::of(user.keys);
    let shop = |key: &str| {
        let stack = Stack::copy(cli, "shop").unwrap().under(user.clone());
        let block = bucket.output("shop_backend").replace("shop/terraform.tfstate", key);
        fs::create_dir(&stack.folder).unwrap();
        fs::write(
            stack.folder.join("main.tf"),
            format!("{block}\noutput \"said\" {{ value = \"{key}\" }}\n"),
        )
        .unwrap();
        stack
    };
    let own = shop("shop/terraform.tfstate");
    own.init();
    own.apply().unwrap();
    assert_eq!(own.output("said"), "shop/terraform.tfstate");
    // The lock is released, or this would find it.
    own.plans_nothing();
    let other = shop("bootstrap/terraform.tfstate");
    let error = other.run(&["init"]).and_then(|_| other.apply()).unwrap_err();
    assert!(error.contains("AccessDenied") || error.contains("403"), "{error}");
    bucket.plans_nothing();
    own.run(&["apply", "-destroy", "-auto-approve"]).unwrap();
    user
}

fn take_down(stack: &Stack, bucket: &str) {
    let error = stack.run(&["destroy", "-auto-approve"]).unwrap_err();
    assert!(error.contains("prevent_destroy"), "{error}");
    fs::remove_file(stack.folder.join("backend.tf")).unwrap();
    stack.run(&["init", "-migrate-state", "-force-copy"]).unwrap();
    stack.unprotect("terraform/state-backend/example/main.tf");
    let path = format!("/{bucket}");
    stack.destroy(|lab| {
        let answer = lab.root().rest("s3", "GET", &path, &Value::Null);
        answer.is_err_and(|error| format!("{error:#}").contains("status 404"))
    });
}
