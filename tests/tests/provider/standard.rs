//! What every object has to stand: the commands and blocks of Terraform that know nothing of any provider.

use std::fs;

use lab::emulator::Options;
use lab::programs::checkout;

use crate::emulated::Emulated;
use crate::stack::Stack;

/// By object: the file and the test of it; `-` where there is no such thing.
const OBJECTS: [&str; 4] = ["ecr_image", "ecr_image_copy", "ecr_tag", "ecr_scan_gate"];
const ALL: &str = "standard::goes_through_everything";
const COPY: &str = "copies::come_and_go";
const TAG: &str = "tags::point_and_move";
const GATE: &str = "gates::hold";
const LIST: [(&str, [&str; 4]); 19] = [
    ("create", ["lifecycle::plans_nothing_twice", COPY, TAG, GATE]),
    ("empty second plan", ["lifecycle::plans_nothing_twice", COPY, TAG, ALL]),
    ("empty second plan without refresh", ["lifecycle::plans_nothing_twice", COPY, TAG, ALL]),
    ("update", ["lifecycle::shows_one_byte_and_sends_one_layer", COPY, TAG, GATE]),
    ("replace", ["replan::replaces_in_either_order", ALL, ALL, ALL]),
    // What passed a gate is said by nobody but its state.
    ("import", ["lifecycle::imports", COPY, TAG, "-"]),
    ("deleted outside", ["lifecycle::sees_what_others_did", COPY, TAG, "-"]),
    ("destroyed", ["lifecycle::keeps_the_image_when_destroyed", COPY, TAG, GATE]),
    ("names with odd characters", [ALL, ALL, ALL, ALL]),
    ("200 in one configuration", ["numbers::two_hundred_images_ask_little", "-", "-", "-"]),
    ("-parallelism=50", [ALL, ALL, ALL, ALL]),
    ("-target", [ALL, ALL, ALL, ALL]),
    ("-replace", [ALL, ALL, ALL, ALL]),
    ("ignore_changes", [ALL, ALL, ALL, ALL]),
    ("moved", [ALL, ALL, ALL, ALL]),
    ("removed", [ALL, ALL, ALL, ALL]),
    ("for_each", [ALL, ALL, ALL, ALL]),
    ("modules", [ALL, ALL, ALL, ALL]),
    ("workspaces", [ALL, ALL, ALL, ALL]),
];

#[test]
fn every_step_of_every_object_has_its_test() {
    for (step, tests) in LIST {
        for (object, test) in OBJECTS.iter().zip(tests).filter(|(_, test)| *test != "-") {
            let (file, name) = test.split_once("::").unwrap();
            let source =
                fs::read_to_string(checkout().join(format!("tests/tests/provider/{file}.rs"))).unwrap();
            assert!(source.contains(&format!("fn {name}(")), "{step} of {object}: there is no {test}");
        }
    }
}

/// A service with all that there can be of it. What comes after the arguments is of no object in particular.
const SERVICE: &str = r#"
terraform {
  required_providers {
    ecr = { source = "registry.terraform.io/eks-deploy/ecr" }
  }
}

variable "repository" {}
variable "policy" {}

resource "ecr_image" "NAME" {
  repository = var.repository
  tags       = [terraform.workspace, "V_1.0-rc..1"]
  on_destroy = var.policy
  files = {
    layers     = [{ source = "${path.root}/app/run", destination = "/app/ü b.$x" }]
    entrypoint = ["/app/ü b.$x"]
  }
  MORE
}

resource "ecr_image_copy" "NAME" {
  source     = ecr_image.NAME.uri
  repository = "${var.repository}.copy"
  tags       = ["copied"]
  on_destroy = var.policy
  MORE
}

resource "ecr_tag" "NAME" {
  repository = var.repository
  tag        = "Live_1.0-rc..x"
  digest     = ecr_image.NAME.digest
  on_destroy = var.policy
  MORE
}

resource "ecr_scan_gate" "NAME" {
  image      = ecr_image.NAME.uri
  fail_on    = var.policy == "keep" ? "HIGH" : "LOW"
  start_scan = true
  CRITERIA
}
"#;

pub(crate) fn goes_through_everything(stack: &Stack) {
    let repositories = ["team.a_b-c/web_1.x-2", "x/y.z-2/worker"];
    let copies = repositories.map(|name| format!("{name}.copy"));
    let all: Vec<&str> = repositories.into_iter().chain(copies.iter().map(String::as_str)).collect();
    let world = Emulated::new(stack, Options::default(), &all);
    let service = |name: &str, ignored: &str| {
        let ignore = |argument: &str| {
            let block = format!("lifecycle {{\n    ignore_changes = [{argument}]\n  }}");
            if ignored.split(' ').any(|one| one == argument) { block } else { String::new() }
        };
        let text = SERVICE.replace("NAME", name).replace("MORE", &ignore("on_destroy"));
        stack.file("service/main.tf", &text.replace("CRITERIA", &ignore("fail_on")));
    };
    let root = |policy: &str| {
        stack.configuration(&format!(
            "module \"service\" {{\n  source     = \"./service\"\n  for_each   = {{ \"web.1\" = \"{}\", \"Wörker 2\" = \"{}\" }}\n  \
             repository = \"{}/${{each.value}}\"\n  policy     = \"{policy}\"\n}}\n",
            repositories[0],
            repositories[1],
            world.ecr.host()
        ));
    };
    let run = |arguments: &[&str]| world.run(arguments).unwrap();
    let apply = |arguments: &[&str]| run(&[&["apply", "-auto-approve"], arguments].concat());
    let says = |arguments: &[&str], words: &str| {
        let plan = run(&[&["plan"], arguments].concat());
        assert!(plan.contains(words), "{words} is not in: {plan}");
        plan
    };
    let tag = |at: usize, tag: &str| world.ecr.contents(all[at]).tags.get(tag).cloned();

    service("it", "");
    root("keep");
    run(&["get"]);
    run(&["workspace", "new", "blue_1.0-x"]);
    let applied = apply(&["-parallelism=50"]);
    assert!(applied.contains("8 added, 0 changed, 0 destroyed"), "{applied}");
    for (at, name) in
        [(0, "blue_1.0-x"), (1, "V_1.0-rc..1"), (0, "Live_1.0-rc..x"), (2, "copied"), (3, "copied")]
    {
        assert_eq!(tag(at, name), tag(0, "V_1.0-rc..1"), "{name} in {}", all[at]);
    }
    says(&[], "No changes.");
    says(&["-refresh=false"], "No changes.");

    // What is not aimed at stays as it was.
    let before = tag(1, "Live_1.0-rc..x");
    stack.file("app/run", "#!/bin/sh\nexit 1\n");
    apply(&["-target=module.service[\"web.1\"].ecr_tag.it"]);
    assert_ne!(tag(0, "Live_1.0-rc..x"), before);
    for (at, name) in [(1, "Live_1.0-rc..x"), (2, "copied"), (3, "copied")] {
        assert_eq!(tag(at, name), before, "{name} in {}", all[at]);
    }
    apply(&["-target=module.service[\"web.1\"]"]);
    assert_eq!((tag(2, "copied"), tag(3, "copied")), (tag(0, "Live_1.0-rc..x"), before));
    let applied = apply(&[]);
    assert!(applied.contains("0 added") && applied.contains("0 destroyed"), "{applied}");
    assert_eq!(tag(3, "copied"), tag(0, "Live_1.0-rc..x"));

    let one = "module.service[\"web.1\"]";
    let kinds = ["ecr_image", "ecr_image_copy", "ecr_tag", "ecr_scan_gate"];
    let replaced = kinds.map(|kind| format!("-replace={one}.{kind}.it"));
    let replaced: Vec<&str> = replaced.iter().map(String::as_str).collect();
    let before = all.iter().map(|name| world.ecr.contents(name).tags).collect::<Vec<_>>();
    let applied = apply(&replaced);
    assert!(applied.contains("4 added, 0 changed, 4 destroyed"), "{applied}");
    assert_eq!(all.iter().map(|name| world.ecr.contents(name).tags).collect::<Vec<_>>(), before);
    says(&[], "No changes.");

    // The policy is an argument of all of them.
    root("untag");
    says(&[], "0 to add, 8 to change, 0 to destroy");
    service("it", "on_destroy fail_on");
    says(&[], "No changes.");

    root("keep");
    let moved = kinds.map(|kind| format!("moved {{\n  from = {kind}.it\n  to   = {kind}.now\n}}\n"));
    service("now", "");
    stack.file("service/moved.tf", &moved.concat());
    let plan = says(&[], "0 to add, 0 to change, 0 to destroy");
    assert_eq!(plan.matches(" has moved to ").count(), 8, "{plan}");
    apply(&[]);

    stack.configuration("removed {\n  from = module.service\n\n  lifecycle {\n    destroy = false\n  }\n}\n");
    apply(&[]);
    assert_eq!(run(&["state", "list"]).trim(), "");
    assert_eq!(all.iter().map(|name| world.ecr.contents(name).tags).collect::<Vec<_>>(), before);
    assert_eq!(world.ecr.faults(), [""; 0]);
}
