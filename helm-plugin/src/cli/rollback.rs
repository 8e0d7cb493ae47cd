//! What `rollback` takes.

use clap::Args;

use super::{ExistingArguments, ReportArguments, place::helm_duration};
use crate::helm::{
    arguments::{FlagError, wait},
    binary::Version,
};

pub(super) const EXAMPLES: &str = "\
Examples:
  helm eks-deploy rollback api -n shop --cluster prod --region eu-west-1
  eks-deploy rollback api 7 -n shop --cluster prod

A rollback cannot be cancelled: helm would leave the release pending.
Environment: as `up`.";

/// The arguments of `rollback`.
#[derive(Debug, Args)]
pub(crate) struct RollbackArguments {
    /// Which release.
    #[command(flatten)]
    pub(crate) existing: ExistingArguments,
    /// The revision to go back to; without it the last one before this that was deployed.
    pub(crate) revision: Option<u64>,
    /// Who is told.
    #[command(flatten)]
    pub(crate) report: ReportArguments,
    /// Helm's own.
    #[command(flatten)]
    pub(crate) flags: RollbackFlags,
}

/// Flags of Helm's rollback.
#[derive(Debug, Args)]
pub(crate) struct RollbackFlags {
    /// Time for each Kubernetes operation of Helm.
    #[arg(long, default_value = "5m0s", value_parser = helm_duration)]
    timeout: String,
    /// How to wait: auto, watcher, legacy, none.
    #[arg(long, default_value = "auto", value_name = "HOW")]
    wait: String,
    /// Run no hooks.
    #[arg(long)]
    no_hooks: bool,
    /// Take fields that others have set (Helm 4).
    #[arg(long)]
    force_conflicts: bool,
    /// Delete new resources if the rollback fails.
    #[arg(long)]
    cleanup_on_fail: bool,
}

impl RollbackFlags {
    /// Whether it was left to us how Helm waits.
    pub(crate) fn waits_as_we_like(&self) -> bool {
        self.wait == "auto"
    }

    /// For this Helm, in its own words.
    pub(crate) fn render(&self, helm: &Version) -> Result<Vec<String>, FlagError> {
        if self.force_conflicts && helm.major < 4 {
            return Err(FlagError::Unknown { flag: "force-conflicts", helm: helm.clone() });
        }
        let mut flags = vec![format!("--timeout={}", self.timeout)];
        flags.extend(wait(&self.wait, helm)?.map(str::to_owned));
        let switches = [
            (self.no_hooks, "--no-hooks"),
            (self.force_conflicts, "--force-conflicts"),
            (self.cleanup_on_fail, "--cleanup-on-fail"),
        ];
        flags.extend(switches.into_iter().filter(|(on, _)| *on).map(|(_, flag)| flag.to_owned()));
        Ok(flags)
    }
}
