//! What `plan` takes.

use std::path::PathBuf;

use clap::Args;

use super::{Output, UpArguments};

pub(super) const EXAMPLES: &str = "\
Examples:
  helm eks-deploy plan api ./charts/api -n shop --cluster prod --region eu-west-1 -f prod.yaml
  eks-deploy plan api ./charts/api -n shop --cluster prod --detailed-exitcode --out plan.json
  eks-deploy up api ./charts/api -n shop --cluster prod --expect plan.json

EKS_DEPLOY_PLAN_KEY, a random text per pipeline, lets the plan file cover values, and none but the pipeline write it.
Environment otherwise: as `up`.";

/// The arguments of `plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// The release, as `up` takes it.
    #[command(flatten)]
    pub(crate) release: UpArguments,
    /// Write what the deployment comes to into this file, for `up --expect FILE`.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The form of the answer.
    #[arg(long, short, default_value = "text")]
    pub(crate) output: Output,
    /// End with exit code 2 if something would change.
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
}
