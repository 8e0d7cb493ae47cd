//! The Terraform modules: their format, and their own tests, which need hashicorp/aws but no account.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::cargo::pass;
use super::report::Row;
use super::{World, or_skip};
use crate::process::{self, LONG};
use crate::programs::checkout;
use crate::providers;
use crate::tool::terraform;

pub(super) fn run(world: &World<'_>, row: &mut Row) -> Result<()> {
    let Some(terraform) = or_skip(row, terraform::require())? else { return Ok(()) };
    let cli = Cli { terraform, config: providers::write_cli_config(&world.cache)? };
    pass(cli.command(&checkout()).args(["fmt", "-check", "-diff", "-recursive", "terraform", "examples"]))?;
    let copy = tempfile::tempdir()?; // `init` writes beside the files
    let modules = copy.path().join("terraform");
    self::copy(&checkout().join("terraform"), &modules)?;
    let mut failed = Vec::new();
    for module in tested(&modules)? {
        let name = module.file_name().unwrap_or_default().display().to_string();
        let mut init = cli.command(&module);
        if or_skip(
            row,
            process::run(init.args(["init", "-input=false"]), LONG).context("hashicorp/aws cannot be had"),
        )?
        .is_none()
        {
            return Ok(());
        }
        if pass(cli.command(&module).args(["test", "-no-color"])).is_err() {
            failed.push(name);
        }
    }
    ensure!(failed.is_empty(), "the tests of these modules failed: {}", failed.join(", "));
    Ok(())
}

struct Cli {
    terraform: PathBuf,
    config: PathBuf,
}

impl Cli {
    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.terraform);
        command.current_dir(folder).env("TF_CLI_CONFIG_FILE", &self.config);
        command.env("AWS_REGION", "us-east-1").env("CHECKPOINT_DISABLE", "true");
        command
    }
}

/// The modules that have tests.
fn tested(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let mut modules: Vec<_> = entries.into_iter().filter(|module| module.join("tests").is_dir()).collect();
    modules.sort();
    Ok(modules)
}

/// Copies a folder, but for what Terraform left there.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(".terraform") {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to.join(name))?;
        } else {
            fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}
