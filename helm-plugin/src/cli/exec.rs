//! What `exec` takes.

use std::ffi::OsString;

use clap::Args;

use super::PlaceArguments;

pub(super) const EXAMPLES: &str = "\
Examples:
  eks-deploy exec --cluster prod --region eu-west-1 -n shop -- kubectl get pods
  eks-deploy exec --cluster prod -- k9s

It ends as the command does, with its exit code.";

/// The arguments of `exec`.
#[derive(Debug, Args)]
pub(crate) struct ExecArguments {
    /// The cluster.
    #[command(flatten)]
    pub(crate) place: PlaceArguments,
    /// The namespace of the kubeconfig's context.
    #[arg(long, short)]
    pub(crate) namespace: Option<String>,
    /// The command and its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}
