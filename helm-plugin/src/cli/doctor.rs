//! What `doctor` takes.

use clap::Args;

use super::{Output, PlaceArguments};

pub(super) const EXAMPLES: &str = "\
Examples:
  helm eks-deploy doctor --cluster prod --region eu-west-1 -n shop
  eks-deploy doctor --cluster prod -o json | jq '.[] | select(.ok | not)'

Exit code 0 means that all is well; else it is that of the first thing which is not.
Environment: as `up`.";

/// The arguments of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// Where a deployment would go.
    #[command(flatten)]
    pub(crate) place: PlaceArguments,
    /// The namespace that it would go to.
    #[arg(long, short, default_value = "default")]
    pub(crate) namespace: String,
    /// The form of the answer.
    #[arg(long, short, default_value = "text")]
    pub(crate) output: Output,
}
