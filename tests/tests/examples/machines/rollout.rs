//! The example `vm`, from the first version over a second and a broken one to its end, while a client never stops asking.

use lab::tool::Tool;
use lab::tool::terraform::clis;

use super::balancer::Balancer;
use super::cloud::CLOUD;
use super::machine::Machine;
use crate::stack::Stack;

const SERVICE: &str = "hello-vm";
const PORT: u16 = 8080;
const PAGE: &str = "site/index.html";

#[test]
#[ignore = "needs the lab: cargo xtask lab up"]
fn versions_follow_each_other_without_a_failed_request() {
    clis(Tool::Terraform).into_iter().for_each(apply);
}

fn apply(cli: Tool) {
    let mut stack = Stack::example("vm", move || CLOUD.command(cli));
    stack.set("base", CLOUD.lab.busybox());
    stack.set("ami_id", &CLOUD.ami);
    stack.set("certificate_arn", "arn:aws:acm:us-east-1:000000000000:certificate/1");
    stack.set("allowed_cidrs", r#"["10.0.0.0/8"]"#);
    stack.set("instance_count", "1");
    stack.set("force_delete", "true");
    stack.write(PAGE, "one");
    stack.apply_and_settle();
    let outputs = stack.outputs();
    let target_group = outputs["target_group_arn"].as_str().unwrap().to_owned();
    let balancer = Balancer { aws: CLOUD.root(), target_group, port: PORT };
    assert_eq!(balancer.get("/").unwrap(), "one");
    let first = balancer.healthy().unwrap();
    Machine { instance: &first[0], service: SERVICE }.runs_what_the_template_says(&outputs["image"]);

    let load = balancer.load();
    stack.write(PAGE, "two");
    stack.apply().unwrap();
    assert_eq!(load.stop(), [Ok("one".to_owned()), Ok("two".to_owned())]);
    let second = balancer.healthy().unwrap();
    assert!(first.iter().all(|instance| !second.contains(instance)), "{first:?} and {second:?}");

    // A version that cannot be pulled: apply says so, and the second goes on.
    let load = balancer.load();
    let image = stack.output("image");
    let (repository, _) = image.as_str().unwrap().split_once('@').unwrap();
    let broken = format!("{repository}@sha256:{}", "0".repeat(64));
    stack.set("image", broken);
    stack.set("wait_timeout", "5s");
    let error = stack.apply().unwrap_err().to_string();
    assert!(error.contains("waiting for Auto Scaling Group") && error.contains("capacity"), "{error}");
    assert_eq!(balancer.healthy().unwrap(), second);
    let mut instances = CLOUD.instances(SERVICE);
    assert!(instances.contains(&second[0]) && instances.len() > 1, "{instances:?}");

    // The repair: both groups go once a third one answers.
    stack.unset("image");
    stack.unset("wait_timeout");
    stack.write(PAGE, "three");
    stack.apply_and_settle();
    assert_eq!(load.stop(), [Ok("two".to_owned()), Ok("three".to_owned())]);
    instances.extend(balancer.healthy().unwrap());

    stack.destroy();
    CLOUD.expect_gone(&instances);
}
