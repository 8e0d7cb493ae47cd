//! `team`: a release of two services, and an environment that runs copies of it by digest.

use lab::aws::Keys;
use lab::lab::Lab;
use lab::tool::Tool;
use lab::tool::terraform::clis;
use serde_json::Value;

use crate::stack::Stack;

#[test]
#[ignore = "needs the lab: cargo xtask lab up"]
fn an_environment_runs_the_digests_of_a_release() {
    clis(Tool::Terraform).into_iter().for_each(apply);
}

fn apply(cli: Tool) {
    let lab = Lab::running().unwrap();
    let name = lab.unique("team");
    let mut images = example(cli, "team/images");
    images.set("name", &name);
    images.set("release", "v1");
    images.set("base", lab.busybox());
    images.set("force_delete", "true");
    images.apply_and_settle();

    // Another release with one change: one service is new, the other the same image under one tag more.
    let first = images.outputs();
    images.write("web/index.html", "two");
    images.set("release", "v2");
    images.apply_and_settle();
    let (registry, first) = (first["registry"].as_str().unwrap(), &first["images"]);
    let second = &images.output("images");
    assert_eq!(first["api"], second["api"]);
    assert_ne!(first["web"], second["web"]);

    let mut staging = example(cli, "team/environment");
    let role = |name: &str| format!("arn:aws:iam::000000000000:role/{name}");
    staging.set("name", &name);
    staging.set("environment", "staging");
    staging.set("registry", registry);
    staging.set("release", "v1");
    staging.set("kubernetes_version", "1.34");
    staging.set("cidr", "10.10.0.0/16");
    staging.set("office_addresses", r#"["203.0.113.0/24"]"#);
    staging.set("admin_arn", role("admin"));
    staging.set("deployer_arn", role("deployer"));
    // The lab's ECR scans nothing.
    staging.set("require_scan", "false");
    staging.set("force_delete", "true");
    staging.apply_and_settle();
    let digest = |image: &Value| image.as_str().unwrap().split_once('@').unwrap().1.to_owned();
    let runs = |staging: &Stack, release: &Value| {
        let outputs = staging.outputs();
        for service in ["api", "web"] {
            let copy = &outputs[&format!("{service}_image")];
            assert!(copy.as_str().unwrap().contains(&format!("/{name}-staging/{service}@")), "{copy}");
            assert_eq!(digest(copy), digest(&release[service]));
        }
    };
    runs(&staging, first);
    staging.set("release", "v2");
    staging.apply_and_settle();
    runs(&staging, second);
    staging.destroy();
    images.destroy();
}

fn example(cli: Tool, name: &str) -> Stack {
    Stack::example(name, move || {
        let lab = Lab::running().unwrap();
        lab.command(lab.tool(cli).unwrap(), &Keys::root())
    })
}
