//! The variant without a load balancer.

use std::net::SocketAddr;

use lab::http::exchange;
use lab::process::{SHORT, poll_until, run};
use lab::programs::checkout;
use lab::tool::Tool;
use lab::tool::terraform::clis;
use serde_json::json;

use super::PATIENCE;
use super::cloud::CLOUD;
use crate::stack::Stack;

const SERVICE: &str = "lonely";

#[test]
#[ignore = "needs the lab: cargo xtask lab up"]
fn a_single_instance_serves_and_is_replaced() {
    let image = image();
    for cli in clis(Tool::OpenTofu) {
        apply(cli, &image);
    }
}

fn apply(cli: Tool, image: &str) {
    let mut stack = Stack::new(
        ".",
        move || CLOUD.command(cli),
        |folder| {
            let module = checkout().join("terraform/vm-service");
            let text = include_str!("single.tf").replace("MODULE", module.to_str().unwrap());
            std::fs::write(folder.join("main.tf"), text).unwrap();
        },
    );
    stack.set("name", SERVICE);
    stack.set("image", image);
    stack.set("ami_id", &CLOUD.ami);
    stack.set("greeting", "one");
    stack.apply_and_settle();
    let first = answers(&stack, "one");

    stack.set("greeting", "two");
    stack.apply().unwrap();
    let second = answers(&stack, "two");
    assert_ne!(first, second);

    stack.destroy();
    CLOUD.expect_gone(&[first, second]);
}

/// Waits until the instance answers with this greeting, and gives its id.
fn answers(stack: &Stack, greeting: &str) -> String {
    let instance = stack.output("instance");
    let address: SocketAddr = format!("{}:8080", instance["private_ip"].as_str().unwrap()).parse().unwrap();
    poll_until("the instance answers", PATIENCE, || {
        let answer = exchange(address, "GET", "/", &[("host".to_owned(), SERVICE.to_owned())], b"");
        let answer = answer.ok().filter(lab::http::Answer::is_success);
        Ok(answer.map(|answer| assert_eq!(answer.body.trim(), greeting)))
    })
    .unwrap();
    instance["id"].as_str().unwrap().to_owned()
}

/// An image that serves its greeting, by digest.
fn image() -> String {
    CLOUD.root().ecr("CreateRepository", &json!({ "repositoryName": SERVICE })).unwrap();
    let serve = "mkdir /tmp/www; echo $GREETING > /tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www";
    let [base, own] = [lab::base::BUSYBOX, SERVICE].map(|name| format!("{}/{name}:1", CLOUD.ministack));
    let mut crane = CLOUD.command(Tool::Crane);
    let words = ["mutate", "--insecure", &base, "--tag", &own, &format!("--entrypoint=sh,-c,{serve}")];
    let pushed = run(crane.args(words), SHORT).unwrap();
    format!("{}/{SERVICE}@{}", lab::base::registry(), pushed.trim().split_once('@').unwrap().1)
}
