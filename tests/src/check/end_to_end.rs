//! The tests on real parts: compiles our programs, starts the lab, and runs what is ignored without it.

use anyhow::{Context, Result};

use super::report::Row;
use super::test_programs::{self, Given};
use super::{World, cargo, or_skip, skip};
use crate::buildkitd::Buildkitd;
use crate::lab::Lab;
use crate::lab::start::{down, up};
use crate::packages;
use crate::process::{self, LONG};
use crate::programs::{self, Profile, Programs};
use crate::progress;
use crate::tool::{BUILDKIT, Tool, go, terraform};

pub(super) fn run(world: &World<'_>, row: &mut Row) -> Result<()> {
    let programs = Programs::build(&world.cache, Profile::Dev)?;
    examples(world)?;
    let was_up = Lab::running().is_ok();
    let done = with_lab(world, row, &programs);
    if !was_up {
        let stopped = progress::step("stop the lab", || down(&world.cache));
        return done.and(stopped);
    }
    done
}

/// Compiles the example providers, which their tests start as Terraform would.
fn examples(world: &World<'_>) -> Result<()> {
    let mut build = programs::cargo(&world.cache);
    cargo::pass(build.args(["build", "--quiet", "--locked", "--workspace", "--examples"]))
}

fn with_lab(world: &World<'_>, row: &mut Row, programs: &Programs) -> Result<()> {
    let lab = progress::step("start the lab", || up(&world.cache, world.consent))?;
    lab.install_provider(&programs.provider)?;
    let folder = tempfile::tempdir()?;
    let skipped = folder.path().join("skipped");
    let mut given = Given::default();
    given.argue(["--ignored"]);
    given.argue(&world.arguments.tests);
    given.set(skip::FILE, &skipped);
    if world.arguments.matrix {
        given.set(terraform::MATRIX, "true");
    }
    provide(world, row, &lab, &mut given)?;
    let buildkitd = or_skip(row, Buildkitd::on_socket(&world.cache))?;
    match &buildkitd {
        Some(buildkitd) => {
            given.set("BUILDKIT_HOST", buildkitd.address());
            given.set("BUILDCTL", BUILDKIT.install(&world.cache, "buildctl")?);
        }
        None => given.argue(["--skip", "makes_what_buildkit_makes_of_the_corpus"]),
    }
    let programs = test_programs::compile(&mut programs::cargo(&world.cache))?;
    let done = test_programs::run_all(&programs, &given, &mut row.results, &mut std::io::stdout());
    row.skipped.extend(skip::noted(&skipped));
    done
}

/// Installs what tests run beside the lab, and tells them where it is. A test of another crate does not know the lab:
/// where its part is missing it is left out here.
fn provide(world: &World<'_>, row: &mut Row, lab: &Lab, given: &mut Given) -> Result<()> {
    for tool in Tool::ALL {
        or_skip(row, lab.tool(tool))?;
    }
    or_skip(row, aws_provider(lab))?;
    given.set("DOCKER_HOST", &lab.engine().host);
    let helms = or_skip(
        row,
        [Tool::Helm4, Tool::Helm3].map(|helm| lab.tool(helm)).into_iter().collect::<Result<Vec<_>>>(),
    )?;
    match helms {
        Some(helms) => given.set("EKS_DEPLOY_TEST_HELMS", std::env::join_paths(helms)?),
        None => given.argue(["--skip", "table_agrees_with_the_binaries"]),
    }
    let clis = [Tool::OpenTofu, Tool::Terraform].into_iter().filter_map(|cli| lab.tool(cli).ok());
    given.set("TFPLUGIN_TEST_CLIS", std::env::join_paths(clis)?);
    match lab.tool(Tool::Tfplugindocs) {
        Ok(docs) => given.set("TFPLUGIN_TEST_TFPLUGINDOCS", docs),
        Err(_) => given.argue(["--skip", "documentation::is_up_to_date_and_valid"]),
    }
    match or_skip(row, go::root(&world.cache))? {
        Some(go) => {
            let path = std::env::var_os("PATH").unwrap_or_default();
            let folders = std::iter::once(go.join("bin")).chain(std::env::split_paths(&path));
            given.set("PATH", std::env::join_paths(folders)?);
        }
        None => given.argue(["--skip", "moby"]),
    }
    let named = |program| (program, program);
    let debian = ["docker-registry", "skopeo", "umoci", "containerd"].map(named);
    if or_skip(row, packages::need(&debian, world.consent))?.is_none() {
        given.argue(["--skip", "debian::", "--skip", "meet::"]);
    }
    if or_skip(row, packages::need(&["gpg", "gpg-agent"].map(named), world.consent))?.is_none() {
        given.argue(["--skip", "install::helm_4_takes_what_is_signed"]);
    }
    Ok(())
}

/// hashicorp/aws is in a mirror of this machine, or can be downloaded.
fn aws_provider(lab: &Lab) -> Result<()> {
    if terraform::mirror().is_some() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let required = "terraform {\n  required_providers {\n    aws = { source = \"registry.terraform.io/hashicorp/aws\" }\n  }\n}\n";
    std::fs::write(folder.path().join("main.tf"), required)?;
    let mut init = lab.command(terraform::require()?, &crate::aws::Keys::root());
    init.args(["init", "-input=false"]).current_dir(folder.path());
    process::run(&mut init, LONG)
        .map(drop)
        .context("hashicorp/aws is in no mirror on this machine (LAB_TF_MIRROR) and cannot be downloaded")
}
