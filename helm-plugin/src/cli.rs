//! The command line, as it is typed.

use std::{ffi::OsString, path::PathBuf};

use clap::{
    Arg, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum, builder::Resettable,
};

use crate::{
    eks::identity::Identity,
    exit,
    helm::{arguments::HelmArguments, duration},
    images::policy::{Pinned, Required},
    settings::image::ImageArgument,
};

const UP_EXAMPLES: &str = "\
Examples:
  helm eks-deploy up api ./charts/api -n shop --cluster prod --region eu-west-1 -f prod.yaml
  helm eks-deploy up api ./charts/api -n shop --cluster prod --image image=terraform:api_image --tf-dir ../infra
  eks-deploy up api oci://registry.example/charts/api --version ^2 --image api.image=ACCOUNT.dkr.ecr.REGION.amazonaws.com/api:v3

Environment: EKS_DEPLOY_CLUSTER, EKS_DEPLOY_REGION, EKS_DEPLOY_PROFILE, EKS_DEPLOY_ROLE_ARN, EKS_DEPLOY_NAMESPACE,
  EKS_DEPLOY_CONFIG, EKS_DEPLOY_TF_DIR, EKS_DEPLOY_TF_OUTPUT_FILE, EKS_DEPLOY_EXPECT_ACCOUNT stand for flags;
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

const TOKEN_EXAMPLES: &str = "\
Examples:
  eks-deploy token --cluster-name prod --region eu-west-1
  eks-deploy token --cluster-name prod --token-only

It takes the place of `aws eks get-token` and of `aws-iam-authenticator token` in a kubeconfig.
Environment: AWS_REGION and the other AWS_* variables; KUBERNETES_EXEC_INFO is the client's question.";

const IMAGES_EXAMPLES: &str = "\
Examples:
  helm eks-deploy images list api ./charts/api -n shop --cluster prod --region eu-west-1 -f prod.yaml
  eks-deploy images list api ./charts/api -n shop --cluster prod -o json | jq -r '.[].image'
  eks-deploy images lock api ./charts/api -n shop --cluster prod --lock images.lock
  eks-deploy up api ./charts/api -n shop --cluster prod --lock images.lock --locked";

const RECOVER_EXAMPLES: &str = "\
Examples:
  helm eks-deploy recover api -n shop --cluster prod --region eu-west-1
  eks-deploy recover api -n shop --cluster prod --yes

Exit code 0 means that the release is free, whether or not anything had to be done; 7 that it is held.
Environment: as `up`.";

const KUBECONFIG_EXAMPLES: &str = "\
Examples:
  eks-deploy kubeconfig write --cluster prod --region eu-west-1 -n shop
  eks-deploy kubeconfig print --cluster prod --region eu-west-1 > kubeconfig

What it writes holds no secret: the token is made by `eks-deploy token` whenever a client asks for it.";

const EXEC_EXAMPLES: &str = "\
Examples:
  eks-deploy exec --cluster prod --region eu-west-1 -n shop -- kubectl get pods
  eks-deploy exec --cluster prod -- k9s

It ends as the command does, with its exit code.";

const COMPLETION_EXAMPLES: &str = "\
Examples:
  source <(eks-deploy completion bash)
  eks-deploy completion zsh > \"${fpath[1]}/_eks-deploy\"
  eks-deploy completion fish > ~/.config/fish/completions/eks-deploy.fish";

/// Deploys a chart to Amazon EKS through the helm at hand, with every image pinned by digest.
#[derive(Debug, Parser)]
#[command(
    name = "eks-deploy",
    bin_name = "eks-deploy",
    version,
    arg_required_else_help = true,
    max_term_width = 110,
    after_help = exit::HELP
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

impl Cli {
    /// Reads what was typed, and the environment. A variable that is set to nothing counts as not set: pipelines know
    /// no other way to leave one out.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        let mut command = Self::command().mut_subcommands(|verb| verb.mut_args(without_empty_variable));
        let matches = command.try_get_matches_from_mut(std::env::args_os())?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }
}

fn without_empty_variable(argument: Arg) -> Arg {
    let value = argument.get_env().and_then(std::env::var_os);
    if value.is_some_and(|value| value.is_empty()) { argument.env(Resettable::Reset) } else { argument }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Installs or upgrades a release.
    ///
    /// Reads the chart by a server-side dry run, pins every image of Amazon ECR by digest through the chart's values,
    /// proves it by a second dry run, and lets helm do the rest. Takes helm upgrade's own flags.
    ///
    /// While helm waits, what is ready is shown, as a table on a terminal. What stands in the way longer than is usual is
    /// a warning; only what cannot pass (no image's name, an image that the registry does not have) ends the wait at
    /// once. When a release fails, the causes are told, with the last events and logs of its newest pods, also if a
    /// rollback has removed them. This takes `get` and `list` on the workloads, pods, pods/log and events of the
    /// namespace, which the access policies Edit and Admin of Amazon EKS grant.
    #[command(visible_alias = "upgrade", override_usage = "eks-deploy up RELEASE CHART [FLAGS] [HELM'S FLAGS]", after_help = UP_EXAMPLES, after_long_help = format!("{UP_EXAMPLES}\n\n{FILE_FORM}"))]
    Up(Box<UpArguments>),
    /// Prints a token for a cluster, as Kubernetes clients ask for it.
    #[command(after_help = TOKEN_EXAMPLES)]
    Token(TokenArguments),
    /// Frees a release that a killed deployment left pending.
    ///
    /// A deployment gives a sign of life on the release while it is pending. Where that has stopped for 30 seconds,
    /// `pending-upgrade` and `pending-rollback` are rolled back to the last revision that was deployed;
    /// `pending-install` and `uninstalling` are uninstalled. Never while whoever holds the release is alive.
    #[command(override_usage = "eks-deploy recover RELEASE [FLAGS]", after_help = RECOVER_EXAMPLES)]
    Recover(Box<RecoverArguments>),
    /// Tells the images of a release.
    #[command(subcommand)]
    Images(ImagesVerb),
    /// Makes kubeconfigs whose tokens this program signs.
    #[command(subcommand)]
    Kubeconfig(KubeconfigVerb),
    /// Runs a command with a kubeconfig for the cluster, which is gone afterwards.
    ///
    /// Only as `eks-deploy exec`: helm would take the command's own flags away from it.
    #[command(override_usage = "eks-deploy exec [FLAGS] -- COMMAND [ARGUMENT]...", after_help = EXEC_EXAMPLES)]
    Exec(ExecArguments),
    /// Prints the completion of a shell.
    #[command(after_help = COMPLETION_EXAMPLES)]
    Completion {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Prints the version of this program and of the helm that it runs.
    Version,
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

fn helm_duration(text: &str) -> Result<String, &'static str> {
    duration::parse(text).map(|_| text.to_owned()).ok_or("no duration, which would be 90s or 1h30m")
}

/// What to tell of images.
#[derive(Debug, Subcommand)]
pub(crate) enum ImagesVerb {
    /// Lists what `up` would run, pinned as it would pin it; nothing is changed.
    #[command(override_usage = "eks-deploy images list RELEASE CHART [FLAGS] [HELM'S FLAGS]", after_help = IMAGES_EXAMPLES)]
    List {
        /// The release, as `up` takes it.
        #[command(flatten)]
        release: Box<UpArguments>,
        /// The form of the list.
        #[arg(long, short, default_value = "text")]
        output: Output,
    },
    /// Writes the digests that images have now into the file that --lock names, for `up --lock FILE --locked`.
    #[command(override_usage = "eks-deploy images lock RELEASE CHART --lock FILE [FLAGS] [HELM'S FLAGS]", after_help = IMAGES_EXAMPLES)]
    Lock {
        /// The release, as `up` takes it.
        #[command(flatten)]
        release: Box<UpArguments>,
    },
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What to do with a kubeconfig.
#[derive(Debug, Subcommand)]
pub(crate) enum KubeconfigVerb {
    /// Prints one for the cluster alone.
    #[command(after_help = KUBECONFIG_EXAMPLES)]
    Print(KubeconfigArguments),
    /// Adds the cluster to a kubeconfig file, or changes it there, and makes it the current one.
    #[command(after_help = KUBECONFIG_EXAMPLES)]
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
    /// A file with the digests to deploy, from `images lock`; what it does not have is asked of the registries.
    #[arg(long, value_name = "FILE")]
    pub(crate) lock: Option<PathBuf>,
    /// Deploy only what the lock file has.
    #[arg(long, requires = "lock")]
    pub(crate) locked: bool,
}

/// The arguments of `up`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn takes_the_place_of_other_token_programs() {
        let check = |line: &str, expected: &str| {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            let Verb::Token(arguments) = cli.verb else { panic!("{line}") };
            assert_eq!(arguments.cluster(), expected);
        };
        check("eks-deploy token --cluster-name prod --output json --region eu-west-1", "prod");
        check("eks-deploy token --cluster prod", "prod");
        check("eks-deploy token -i prod -r arn:aws:iam::1:role/x --token-only", "prod");
        let refuse = |line: &str| assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
        refuse("eks-deploy token");
        refuse("eks-deploy token --cluster-name a --cluster-id b");
    }

    #[test]
    fn helms_flags_stand_beside_ours() {
        let line = "eks-deploy upgrade web ./web --install -nshop -fvalues.yaml --image a=r.example/a:1 --wait --atomic";
        let Verb::Up(arguments) = Cli::try_parse_from(line.split(' ')).unwrap().verb else { panic!() };
        assert_eq!(arguments.namespace.as_deref(), Some("shop"));
        assert_eq!(arguments.helm.get("values"), Some("values.yaml"));
        assert_eq!(arguments.image.len(), 1);
    }
}
