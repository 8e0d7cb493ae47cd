//! 30 services from their first apply to their end, by ours and by kreuzwerker/docker as its users write it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::stack::{Ecr, Stack};
use crate::bench::contest::{self, Entrant, Finished, OURS, Taken};
use crate::bench::lane::Stage;
use crate::bench::registry::docker::Docker;
use crate::process::{LONG, run};
use crate::tool::DOCKER_PROVIDER;

/// The figures of a story: milliseconds of each step, and images built in it.
pub(super) const FIRST: &str = "first";
pub(super) const AGAIN: &str = "again";
pub(super) const FRESH: &str = "fresh";
pub(super) const FRESH_BUILT: &str = "fresh built";
pub(super) const ONE: &str = "one";
pub(super) const ONE_BUILT: &str = "one built";
pub(super) const DESTROY: &str = "destroy";

const KREUZWERKER: &str = "kreuzwerker";
const SERVICES: usize = 30;
const FILE: usize = 1 << 20;
const APPLY: &[&str] = &["apply", "-auto-approve"];
const DONE: &str = "Apply complete!";

/// Ours, and the peer.
pub(super) fn compete(stage: &Stage, without: &[String], rounds: usize) -> Result<Vec<Finished>> {
    let (ecr, docker) = (Ecr::start()?, Docker::start(&stage.cache)?);
    let world = World { stage, ecr: &ecr, docker: &docker };
    let ours = stage.programs()?.provider;
    let mut entrants = vec![world.entrant(OURS, env!("CARGO_PKG_VERSION"), ours)];
    if !without.iter().any(|name| name == KREUZWERKER) {
        let program = kreuzwerker(stage).with_context(|| {
            format!("no {KREUZWERKER}: get it, or leave it out with `--without {KREUZWERKER}`")
        })?;
        entrants.push(world.entrant(KREUZWERKER, DOCKER_PROVIDER.version, program));
    }
    contest::compete(entrants, rounds)
}

/// The one in the folder that `LAB_PEERS` names, or one from source.
fn kreuzwerker(stage: &Stage) -> Result<PathBuf> {
    let name = DOCKER_PROVIDER.name;
    let peers = std::env::var_os("LAB_PEERS").map(PathBuf::from).map(|folder| folder.join(name));
    peers.filter(|file| file.is_file()).map_or_else(|| DOCKER_PROVIDER.install(&stage.cache, name), Ok)
}

#[derive(Clone, Copy)]
struct World<'a> {
    stage: &'a Stage,
    ecr: &'a Ecr,
    docker: &'a Docker,
}

impl<'a> World<'a> {
    fn entrant(self, name: &'static str, version: &str, program: PathBuf) -> Entrant<'a> {
        let run = move |round| Story::begin(self, name, &program, round)?.tell();
        Entrant { name, version: version.to_owned(), run: Box::new(run) }
    }
}

/// One round of one program, in repositories of its own.
struct Story<'a> {
    world: World<'a>,
    name: &'static str,
    stack: Stack,
    images: Vec<String>,
}

impl<'a> Story<'a> {
    fn begin(world: World<'a>, name: &'static str, program: &Path, round: usize) -> Result<Self> {
        let ecr = &world.ecr.emulator;
        let address = if name == OURS { "eks-deploy/ecr" } else { "kreuzwerker/docker" };
        let stack = Stack::new(world.stage, world.ecr, Some((address, program)))?;
        let stack = stack.with("DOCKER_HOST", &world.docker.engine.host);
        let host = if name == OURS { ecr.host() } else { ecr.address().to_string() };
        let mut images = Vec::new();
        for number in 0..SERVICES {
            let (app, repository) =
                (stack.path().join(format!("app/{number}")), format!("{name}-{round}/{number}"));
            fs::create_dir_all(&app)?;
            ecr.create(&repository);
            // Nobody built it before, in any round.
            let text = format!("{repository} of process {}\n", std::process::id());
            fs::write(app.join("program"), text.repeat(FILE / text.len()))?;
            fs::write(app.join("Dockerfile"), "FROM scratch\nCOPY . /srv\nENTRYPOINT [\"/srv/program\"]\n")?;
            images.push(format!("{host}/{repository}"));
        }
        let services =
            images.iter().enumerate().map(|(number, image)| format!("    {image:?} = \"app/{number}\"\n"));
        let services = format!("locals {{\n  services = {{\n{}  }}\n}}\n", services.collect::<String>());
        let resources =
            if name == OURS { OUR_RESOURCES.to_owned() } else { THEIR_RESOURCES.replace("ADDRESS", &host) };
        stack.configuration(&(services + &resources))?;
        Ok(Self { world, name, stack, images })
    }

    fn tell(self) -> Result<Taken> {
        let first = self.stack.run(APPLY, DONE)?;
        let again = self.stack.run(&["plan"], "No changes.")?;
        self.move_to_a_fresh_runner();
        self.stack.forget_caches()?;
        let fresh = self.stack.run(APPLY, DONE)?;
        let changed = self.stack.path().join("app/0/program");
        fs::write(&changed, fs::read_to_string(&changed)? + "x")?;
        let one = self.stack.run(APPLY, DONE)?;
        let destroy = self.stack.run(&["destroy", "-auto-approve"], "Destroy complete!")?;
        self.move_to_a_fresh_runner();
        let steps = [(FIRST, &first), (AGAIN, &again), (FRESH, &fresh), (ONE, &one), (DESTROY, &destroy)];
        let times = steps.map(|(step, ran)| (step, ran.usage.took_ms));
        let built = [(FRESH_BUILT, built(&fresh.output)), (ONE_BUILT, built(&one.output))];
        Ok(Taken { usage: first.usage, figures: times.into_iter().chain(built).collect() })
    }

    /// Docker there has none of the images.
    fn move_to_a_fresh_runner(&self) {
        if self.name == KREUZWERKER {
            let mut remove = self.world.docker.engine.docker();
            remove.args(["image", "rm", "--force"]);
            remove.args(self.images.iter().map(|image| format!("{image}:v1")));
            _ = run(&mut remove, LONG); // there may be none of them
        }
    }
}

/// How many images an apply made.
fn built(output: &str) -> f64 {
    let is_image = |line: &&str| line.starts_with("ecr_image.") || line.starts_with("docker_image.");
    let is_made =
        |line: &&str| line.contains(": Creation complete") || line.contains(": Modifications complete");
    let count = output.lines().filter(is_image).filter(is_made).count();
    u32::try_from(count).map_or(f64::NAN, f64::from)
}

const OUR_RESOURCES: &str = r#"
terraform {
  required_providers {
    ecr = { source = "registry.terraform.io/eks-deploy/ecr" }
  }
}

resource "ecr_image" "service" {
  for_each   = local.services
  repository = each.key
  tags       = ["v1"]
  build      = { context = each.value }
}
"#;

const THEIR_RESOURCES: &str = r#"
terraform {
  required_providers {
    docker = { source = "registry.terraform.io/kreuzwerker/docker" }
  }
}

provider "docker" {
  registry_auth {
    address       = "http://ADDRESS"
    auth_disabled = true
  }
}

resource "docker_image" "service" {
  for_each = local.services
  name     = "${each.key}:v1"
  triggers = { files = sha1(join("", [for f in fileset(each.value, "**") : filesha1("${each.value}/${f}")])) }
  build {
    context = each.value
  }
}

resource "docker_registry_image" "service" {
  for_each      = local.services
  name          = docker_image.service[each.key].name
  keep_remotely = true
  triggers      = docker_image.service[each.key].triggers
}
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_were_made_are_counted() {
        let output = "docker_image.service[\"a:v1\"]: Creating...\n\
                      docker_image.service[\"a:v1\"]: Creation complete after 1s [id=sha256:1]\n\
                      docker_registry_image.service[\"a:v1\"]: Creation complete after 1s [id=sha256:1]\n\
                      ecr_image.service[\"b\"]: Modifications complete after 0s\n";
        assert!((built(output) - 2.0).abs() < f64::EPSILON, "{}", built(output));
        assert!(built("No changes.").abs() < f64::EPSILON);
    }
}
