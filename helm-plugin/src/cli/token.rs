//! What `token` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::AwsArguments;

pub(super) const EXAMPLES: &str = "\
Examples:
  eks-deploy token --cluster-name prod --region eu-west-1
  eks-deploy token --cluster-name prod --token-only

It takes the place of `aws eks get-token` and of `aws-iam-authenticator token` in a kubeconfig.
Environment: AWS_REGION and the other AWS_* variables; KUBERNETES_EXEC_INFO is the client's question.";

/// The arguments of `token`: those of the AWS CLI and of aws-iam-authenticator.
#[derive(Debug, Args)]
#[group(id = "name", required = true, multiple = false, args = ["cluster_name", "cluster_id"])]
pub(crate) struct TokenArguments {
    /// The cluster's name; `--cluster` does as well.
    #[arg(long, alias = "cluster")]
    cluster_name: Option<String>,
    /// The same for aws-iam-authenticator's users; of a local cluster on Outposts its id.
    #[arg(long, short = 'i')]
    cluster_id: Option<String>,
    /// The cluster's region.
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// Who acts.
    #[command(flatten)]
    pub(crate) aws: AwsArguments,
    /// The socket of the eks-deploy that started this client; it has the credentials.
    #[arg(long, hide = true)]
    pub(crate) from: Option<PathBuf>,
    /// Print the bare token.
    #[arg(long)]
    pub(crate) token_only: bool,
    /// What the AWS CLI writes into kubeconfigs; there is one form.
    #[arg(long, hide = true)]
    pub(crate) output: Option<TokenOutput>,
}

impl TokenArguments {
    /// What the token is signed for.
    pub(crate) fn cluster(&self) -> &str {
        self.cluster_name.as_deref().or(self.cluster_id.as_deref()).unwrap_or_default()
    }
}

/// The form of a token's answer.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum TokenOutput {
    /// The only one.
    Json,
}
