//! The tests on real parts: compiles our programs, starts the lab, and runs what is ignored without it.

use anyhow::{Context, Result};

use super::report::Row;
use super::{World, cargo, or_skip, skip};
use crate::lab::Lab;
use crate::lab::start::{down, up};
use crate::process::{self, LONG};
use crate::programs::{self, Profile, Programs};
use crate::progress;
use crate::tool::{Tool, terraform};

pub(super) fn run(world: &World<'_>, row: &mut Row) -> Result<()> {
    let programs = Programs::build(&world.cache, Profile::Dev)?;
    let was_up = Lab::running().is_ok();
    let done = with_lab(world, row, &programs);
    if !was_up {
        let stopped = progress::step("stop the lab", || down(&world.cache));
        return done.and(stopped);
    }
    done
}

fn with_lab(world: &World<'_>, row: &mut Row, programs: &Programs) -> Result<()> {
    let lab = progress::step("start the lab", || up(&world.cache, world.consent))?;
    for tool in Tool::ALL {
        or_skip(row, lab.tool(tool))?;
    }
    or_skip(row, aws_provider(&lab))?;
    lab.install_provider(&programs.provider)?;
    let folder = tempfile::tempdir()?;
    let skipped = folder.path().join("skipped");
    let mut command = programs::cargo(&world.cache);
    command.args(["test", "--locked", "--package=lab", "--test=*", "--no-fail-fast", "--", "--ignored"]);
    command.args(&world.arguments.tests).env(skip::FILE, &skipped);
    let done = cargo::test(&mut command, row);
    row.skipped.extend(skip::noted(&skipped));
    done
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
