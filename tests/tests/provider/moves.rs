//! Images of kreuzwerker/docker, written into the state by that provider, and taken over by `moved` blocks.

use std::fs;

use lab::emulator::Options;
use lab::process::{LONG, run};
use lab::tool::DOCKER_PROVIDER;

use crate::emulated::Emulated;
use crate::stack::Stack;

/// One is taken over as what was pushed, the other as what Docker's daemon has.
const SERVICES: [(&str, &str, &str); 2] =
    [("web", "docker_registry_image", "docker_image"), ("worker", "docker_image", "docker_registry_image")];

const OURSELVES: &str = r#"
terraform {
  required_providers {
    ecr = { source = "registry.terraform.io/eks-deploy/ecr" }
  }
}
"#;

const BOTH: &str = r#"
terraform {
  required_providers {
    ecr    = { source = "registry.terraform.io/eks-deploy/ecr" }
    docker = { source = "registry.terraform.io/kreuzwerker/docker" }
  }
}

provider "docker" {
  registry_auth {
    address       = "http://REGISTRY"
    auth_disabled = true
  }
}
"#;

const THEIRS: &str = r#"
resource "docker_image" "SERVICE" {
  name = "REGISTRY/shop/SERVICE:v1"
  build { context = "./app" }
}

resource "docker_registry_image" "SERVICE" {
  name          = docker_image.SERVICE.name
  keep_remotely = true
}
"#;

const OURS: &str = r#"
resource "ecr_image" "SERVICE" {
  repository = "REGISTRY/shop/SERVICE"
  tags       = ["v1"]
  build      = { context = "./app" }
}

output "SERVICE" { value = ecr_image.SERVICE.digest }
"#;

const TAKEN_OVER: &str = r"
moved {
  from = MOVED.SERVICE
  to   = ecr_image.SERVICE
}

removed {
  from = LEFT.SERVICE

  lifecycle {
    destroy = false
  }
}
";

pub(crate) fn take_over_from_docker(stack: &Stack) {
    let program = DOCKER_PROVIDER.install(stack.lab.cache(), DOCKER_PROVIDER.name).unwrap();
    stack.use_providers(&[("kreuzwerker/docker", program.parent().unwrap())]);
    let world = Emulated::new(stack, Options { open: true, strict: false, ..Options::default() }, &[]);
    let registry = world.ecr.address().to_string();
    let configure = |providers: &str, parts: &[&str]| {
        let each = SERVICES.iter().flat_map(|(service, moved, left)| {
            parts.iter().map(move |part| {
                part.replace("SERVICE", service).replace("MOVED", moved).replace("LEFT", left)
            })
        });
        let text = format!("{providers}{}", each.collect::<String>()).replace("REGISTRY", &registry);
        fs::write(stack.folder.path().join("main.tf"), text).unwrap();
    };
    let tag = |service: &str| world.ecr.contents(&format!("shop/{service}")).tags["v1"].clone();
    stack.file("app/Dockerfile", "FROM scratch\nCOPY . /srv\nENTRYPOINT [\"/srv/run\"]\n");

    configure(BOTH, &[THEIRS]);
    world.apply().unwrap();
    // Only now does the daemon say in which registry the image is.
    world.run(&["apply", "-refresh-only", "-auto-approve"]).unwrap();
    let theirs = SERVICES.map(|(service, ..)| tag(service));

    // The state learns who cares for the images now; what they are made of comes with the first apply.
    configure(BOTH, &[OURS, TAKEN_OVER]);
    let plan = world.run(&["plan", "-out=plan"]).unwrap();
    assert!(plan.contains("0 to add, 2 to change, 0 to destroy"), "{plan}");
    for (service, moved, _) in SERVICES {
        assert!(plan.contains(&format!("(moved from {moved}.{service})")), "{plan}");
    }
    world.run(&["apply", "plan"]).unwrap();
    for ((service, ..), before) in SERVICES.iter().zip(theirs) {
        assert_eq!(tag(service), stack.output(service));
        assert!(world.ecr.contents(&format!("shop/{service}")).manifests.contains_key(&before));
    }
    world.plans_nothing();
    assert!(!world.run(&["state", "list"]).unwrap().contains("docker_"));

    // And nobody needs the other provider any more.
    stack.use_providers(&[]);
    configure(OURSELVES, &[OURS]);
    world.plans_nothing();
    let mut remove = stack.lab.engine().docker();
    remove.args(["image", "rm", "--force"]);
    remove.args(SERVICES.map(|(service, ..)| format!("{registry}/shop/{service}:v1")));
    run(&mut remove, LONG).unwrap();
}
