//! What `status` takes.

use clap::Args;

use super::{ExistingArguments, Output};

pub(super) const EXAMPLES: &str = "\
Examples:
  helm eks-deploy status api -n shop --cluster prod --region eu-west-1
  eks-deploy status api -n shop --cluster prod -o json | jq -r '.images[].digest'

Exit code 0 means that the release is deployed, 6 that it failed, 7 that it is pending.
Environment: as `up`.";

/// The arguments of `status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// Which release.
    #[command(flatten)]
    pub(crate) existing: ExistingArguments,
    /// The form of the answer.
    #[arg(long, short, default_value = "text")]
    pub(crate) output: Output,
}
