//! What `kubeconfig` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::PlaceArguments;

pub(super) const EXAMPLES: &str = "\
Examples:
  eks-deploy kubeconfig write --cluster prod --region eu-west-1 -n shop
  eks-deploy kubeconfig print --cluster prod --region eu-west-1 > kubeconfig

What it writes holds no secret: the token is made by `eks-deploy token` whenever a client asks for it.";

/// What to do with a kubeconfig.
#[derive(Debug, Subcommand)]
pub(crate) enum KubeconfigVerb {
    /// Prints one for the cluster alone.
    #[command(after_help = EXAMPLES)]
    Print(KubeconfigArguments),
    /// Adds the cluster to a kubeconfig file, or changes it there, and makes it the current one.
    #[command(after_help = EXAMPLES)]
    Write {
        /// The cluster.
        #[command(flatten)]
        kubeconfig: KubeconfigArguments,
        /// The file; without it the first of $KUBECONFIG, else ~/.kube/config.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// Leave the current context as it is.
        #[arg(long)]
        keep_current: bool,
    },
}

/// What a kubeconfig is for.
#[derive(Debug, Args)]
pub(crate) struct KubeconfigArguments {
    /// The cluster.
    #[command(flatten)]
    pub(crate) place: PlaceArguments,
    /// The namespace of its context.
    #[arg(long, short)]
    pub(crate) namespace: Option<String>,
    /// What to call cluster, user and context; without it the cluster's ARN, as the AWS CLI does.
    #[arg(long, value_name = "NAME")]
    pub(crate) alias: Option<String>,
}
