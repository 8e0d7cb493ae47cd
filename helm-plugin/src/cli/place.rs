//! Where to, and as whom: what the verbs share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::{eks::identity::Identity, helm::duration};

/// Who acts.
#[derive(Debug, Args)]
pub(crate) struct AwsArguments {
    /// A profile of the AWS configuration files; goes before keys in the environment.
    #[arg(long, env = "EKS_DEPLOY_PROFILE", hide_env = true)]
    profile: Option<String>,
    /// A role to assume.
    #[arg(long, short = 'r', value_name = "ARN", env = "EKS_DEPLOY_ROLE_ARN", hide_env = true)]
    role_arn: Option<String>,
}

impl From<AwsArguments> for Identity {
    fn from(arguments: AwsArguments) -> Self {
        let given = |value: Option<String>| value.filter(|text| !text.is_empty());
        Self { profile: given(arguments.profile), role_arn: given(arguments.role_arn) }
    }
}

/// Which cluster, and who acts there.
#[derive(Debug, Args)]
pub(crate) struct PlaceArguments {
    /// The cluster: its name, or its ARN.
    #[arg(long, value_name = "NAME|ARN", env = "EKS_DEPLOY_CLUSTER", hide_env = true)]
    pub(crate) cluster: Option<String>,
    /// The cluster's region.
    #[arg(long, env = "EKS_DEPLOY_REGION", hide_env = true)]
    pub(crate) region: Option<String>,
    /// Who acts.
    #[command(flatten)]
    pub(crate) aws: AwsArguments,
    /// Deploy only if the cluster is in this account.
    #[arg(long, value_name = "ACCOUNT", env = "EKS_DEPLOY_EXPECT_ACCOUNT", hide_env = true)]
    pub(crate) expect_account: Option<String>,
    /// A file that `terraform output -json` wrote.
    #[arg(
        long,
        value_name = "FILE",
        env = "EKS_DEPLOY_TF_OUTPUT_FILE",
        hide_env = true,
        conflicts_with = "tf_dir"
    )]
    pub(crate) tf_output_file: Option<PathBuf>,
    /// A folder to run `terraform output -json` in, else `tofu output -json`.
    #[arg(long, value_name = "FOLDER", env = "EKS_DEPLOY_TF_DIR", hide_env = true)]
    pub(crate) tf_dir: Option<PathBuf>,
    /// The file with settings, whose form is below (--help); without it ./eks-deploy.yaml, where there is one.
    #[arg(long, value_name = "FILE", env = "EKS_DEPLOY_CONFIG", hide_env = true)]
    pub(crate) config: Option<PathBuf>,
}

/// Which release that is there.
#[derive(Debug, Args)]
pub(crate) struct ExistingArguments {
    /// The release's name.
    pub(crate) release: Option<String>,
    /// Where it is.
    #[command(flatten)]
    pub(crate) place: PlaceArguments,
    /// The namespace; has to be named.
    #[arg(long, short)]
    pub(crate) namespace: Option<String>,
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// A duration as Helm takes it.
pub(super) fn helm_duration(text: &str) -> Result<String, &'static str> {
    duration::parse(text).map(|_| text.to_owned()).ok_or("no duration, which would be 90s or 1h30m")
}
