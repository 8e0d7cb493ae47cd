//! Plans of many resources, by a CLI that does not know that its provider is measured.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::bench::lane::{Stage, run as run_command};
use crate::bench::usage::{Usage, metered, stand_in};
use crate::process;
use crate::tool::Tool;

const CONFIGURATION: &str = r#"
terraform {
  required_providers {
    process = { source = "example.com/tfplugin/process" }
  }
}

resource "process_note" "note" {
  count  = 1000
  name   = "note-${count.index}"
  text   = "This is one of many notes, and no different from the others."
  topics = ["notes", "number ${count.index}"]
  weight = count.index / 10
}
"#;

/// Files of a workspace.
const TOTAL: &str = "total.jsonl";
const PROVIDER: &str = "provider.jsonl";
const SETTINGS: &str = "settings.tfrc";

/// What a plan took.
pub(super) struct Taken {
    /// The CLI and all that it started.
    total: Usage,
    pub(super) provider: Usage,
}

impl Taken {
    /// The provider's part of the processor time, in percent.
    pub(super) fn share(&self) -> f64 {
        self.provider.cpu_ms / self.total.cpu_ms * 100.0
    }
}

/// Creates 1,000 resources, and gives the command that plans them again.
pub(super) fn of_1000(stage: &Stage, cli: Tool, provider: &Path) -> Result<Command> {
    let folder = tempfile::tempdir_in(stage.folder.path())?.keep();
    let programs = folder.join("programs");
    fs::create_dir(&programs)?;
    stand_in(&programs.join("terraform-provider-process"), provider, &folder.join(PROVIDER))?;
    fs::write(folder.join(SETTINGS), settings(&programs))?;
    fs::write(folder.join("main.tf"), CONFIGURATION)?;
    let cli = cli.install(&stage.cache)?;
    let mut apply = command(&cli, &folder)?;
    apply.args(["apply", "-input=false", "-auto-approve"]);
    process::run(&mut apply, process::LONG)?;
    let mut plan = command(&cli, &folder)?;
    plan.args(["plan", "-input=false"]);
    Ok(plan)
}

fn settings(programs: &Path) -> String {
    format!(
        "provider_installation {{\n  dev_overrides {{\n    \"example.com/tfplugin/process\" = \"{}\"\n  }}\n  direct {{}}\n}}\n",
        programs.display()
    )
}

fn command(cli: &Path, folder: &Path) -> Result<Command> {
    let mut command = metered(cli, &folder.join(TOTAL))?;
    command.current_dir(folder).env("TF_CLI_CONFIG_FILE", folder.join(SETTINGS));
    command.env("CHECKPOINT_DISABLE", "1").env_remove("TF_LOG").env_remove("TF_LOG_PROVIDER");
    Ok(command)
}

/// Runs such a plan.
pub(super) fn run(plan: &mut Command) -> Result<Taken> {
    let folder = plan.get_current_dir().map(PathBuf::from).context("a plan has its folder")?;
    let files = [TOTAL, PROVIDER].map(|name| folder.join(name));
    for file in &files {
        crate::cache::remove(file)?;
    }
    run_command(plan, |said| said.contains("No changes."))?;
    let [total, provider] = files.map(|file| Usage::read(&file));
    let taken = Taken { total: total?, provider: provider? };
    ensure!(taken.provider.cpu_ms > 0.0, "the provider was not measured");
    Ok(taken)
}
