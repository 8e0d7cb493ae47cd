//! What `recover` takes.

use clap::Args;

use super::{ExistingArguments, place::helm_duration};

pub(super) const EXAMPLES: &str = "\
Examples:
  helm eks-deploy recover api -n shop --cluster prod --region eu-west-1
  eks-deploy recover api -n shop --cluster prod --yes

Exit code 0 means that the release is free, whether or not anything had to be done; 7 that it is held.
Environment: as `up`.";

/// The arguments of `recover`.
#[derive(Debug, Args)]
pub(crate) struct RecoverArguments {
    /// Which release.
    #[command(flatten)]
    pub(crate) existing: ExistingArguments,
    /// Go on although nothing tells whether someone is still at work.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Time for each Kubernetes operation of Helm.
    #[arg(long, default_value = "5m0s", value_parser = helm_duration)]
    pub(crate) timeout: String,
}
