//! What `up` takes, and with it everything that reads a chart as `up` does.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::{PlaceArguments, ReportArguments};
use crate::{
    helm::{arguments::HelmArguments, duration},
    images::{
        pins::Via,
        policy::{Pinned, Required},
    },
    settings::image::ImageArgument,
};

pub(super) const EXAMPLES: &str = "\
Examples:
  helm eks-deploy up api ./charts/api -n shop --cluster prod --region eu-west-1 -f prod.yaml
  helm eks-deploy up api ./charts/api -n shop --cluster prod --image image=terraform:api_image --tf-dir ../infra
  eks-deploy up api ./charts/api -n shop --cluster prod --rollback-on-failure --report report.json
  eks-deploy up api oci://registry.example/charts/api --version ^2 --image api.image=ACCOUNT.dkr.ecr.REGION.amazonaws.com/api:v3

Environment: EKS_DEPLOY_CLUSTER, EKS_DEPLOY_REGION, EKS_DEPLOY_PROFILE, EKS_DEPLOY_ROLE_ARN, EKS_DEPLOY_NAMESPACE,
  EKS_DEPLOY_CONFIG, EKS_DEPLOY_TF_DIR, EKS_DEPLOY_TF_OUTPUT_FILE, EKS_DEPLOY_EXPECT_ACCOUNT,
  EKS_DEPLOY_REPORT, EKS_DEPLOY_CI stand for flags;
  EKS_DEPLOY_REGISTRY_ENDPOINTS (host=url,…) sends registries elsewhere; HELM_BIN names the helm to run; AWS_* as in
  every AWS program; NO_COLOR. A flag goes before the environment, the environment before the file.";

/// Read by a test as the file itself.
pub(crate) const FILE_FORM: &str = "\
The file, eks-deploy.yaml or --config, with paths relative to it; only `version` has to be there:
  version: 1
  cluster:
    # A Terraform output: a name or ARN, or {name, region, endpoint, ca, arn},
    # for which EKS is not asked. Instead: `name: NAME|ARN`.
    terraform: cluster
    region: eu-west-1
    expect: {account: '123456789012'}
    # Where the API server is reached, if not where EKS or Terraform says.
    # What Terraform says counts without this only if it is a host of EKS.
    endpoint: https://localhost:8443
  terraform: {dir: ../infra}      # or outputFile: FILE
  # As --pin, --require and --allow-unpinned.
  pin: {scope: ecr, require: ecr, allowUnpinned: ['*/pause:*']}
  release:
    name: api
    chart: ./charts/api
    namespace: shop
    values: [prod.yaml]
    images: {api.image: {terraform: api_image}, worker.image: 'registry.example/worker:v1'}
  registryEndpoints: {registry.example: 'http://127.0.0.1:5000'}";

/// The arguments of `up`.
#[derive(Debug, Args)]
pub(crate) struct DeployArguments {
    /// What is deployed.
    #[command(flatten)]
    pub(crate) release: UpArguments,
    /// Deploy only what this file of `plan --out` says.
    #[arg(long, value_name = "FILE")]
    pub(crate) expect: Option<PathBuf>,
    /// First free the release, if a killed deployment left it pending.
    #[arg(long)]
    pub(crate) recover: bool,
    /// With --recover: go on although nothing tells whether someone is still at work.
    #[arg(long, requires = "recover")]
    pub(crate) yes: bool,
    /// Time for all of it, such as 20m; then helm is told to cancel.
    #[arg(long, value_name = "TIME", value_parser = deadline)]
    pub(crate) deadline: Option<Duration>,
    /// Who is told.
    #[command(flatten)]
    pub(crate) report: ReportArguments,
}

fn deadline(text: &str) -> Result<Duration, &'static str> {
    duration::parse(text).ok_or("no duration, which would be 90s or 1h30m")
}

/// What says which release is made of which chart.
#[derive(Debug, Args)]
pub(crate) struct UpArguments {
    /// The release's name.
    pub(crate) release: Option<String>,
    /// The chart, as helm upgrade takes it: a folder, an archive, repository/name, oci://…
    pub(crate) chart: Option<String>,
    /// Where to.
    #[command(flatten)]
    pub(crate) place: PlaceArguments,
    /// The namespace; has to be named.
    #[arg(long, short)]
    pub(crate) namespace: Option<String>,
    /// An image for a place in the chart's values: PATH=REF, or PATH=terraform:OUTPUT. Repeatable.
    #[arg(long, value_name = "PATH=REF")]
    pub(crate) image: Vec<ImageArgument>,
    /// What is pinned, and what has to be.
    #[command(flatten)]
    pub(crate) pinning: PinArguments,
    /// Helm's own.
    #[command(flatten)]
    pub(crate) helm: HelmArguments,
}

/// Which images are pinned, and which have to be.
#[derive(Debug, Args)]
pub(crate) struct PinArguments {
    /// The images to pin that no --image names; without this those of private ECR registries.
    #[arg(long, value_name = "SCOPE")]
    pub(crate) pin: Option<Pinned>,
    /// The images that may not be deployed without a digest; without this those of private ECR registries.
    #[arg(long, value_name = "SCOPE")]
    pub(crate) require: Option<Required>,
    /// An image that may be deployed without a digest, `*` standing for any text. Repeatable.
    #[arg(long, value_name = "GLOB")]
    pub(crate) allow_unpinned: Vec<String>,
    /// How images get their digests: by values where they can say them, else by post-rendering; or only so.
    #[arg(long, value_name = "HOW", default_value = "auto")]
    pub(crate) via: Via,
    /// A file with the digests to deploy, from `images lock`; what it does not have is asked of the registries.
    #[arg(long, value_name = "FILE")]
    pub(crate) lock: Option<PathBuf>,
    /// Deploy only what the lock file has.
    #[arg(long, requires = "lock")]
    pub(crate) locked: bool,
}
