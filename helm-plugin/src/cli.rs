//! The command line, as it is typed.

use std::path::PathBuf;

use clap::{Arg, Command, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, builder::Resettable};

pub(crate) use self::{
    doctor::DoctorArguments,
    exec::ExecArguments,
    images::ImagesVerb,
    kubeconfig::{KubeconfigArguments, KubeconfigVerb},
    place::{AwsArguments, ExistingArguments, Output, PlaceArguments},
    plan::PlanArguments,
    recover::RecoverArguments,
    report::ReportArguments,
    rollback::{RollbackArguments, RollbackFlags},
    status::StatusArguments,
    token::TokenArguments,
    up::{DeployArguments, FILE_FORM, PinArguments, UpArguments},
};
use crate::exit;

mod doctor;
mod exec;
mod images;
mod kubeconfig;
mod place;
mod plan;
mod recover;
mod report;
mod rollback;
mod status;
mod token;
mod up;

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
        let mut command = command().mut_subcommands(|verb| verb.mut_args(without_empty_variable));
        let matches = command.try_get_matches_from_mut(std::env::args_os())?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }
}

/// The definition that command lines, completions and manual pages are made from.
pub(crate) fn command() -> Command {
    with_reference(Cli::command())
}

/// What every verb's --help ends with.
fn with_reference(command: Command) -> Command {
    if command.has_subcommands() {
        return command.mut_subcommands(with_reference);
    }
    let own = command.get_after_long_help().or(command.get_after_help());
    let mut help = own.map(ToString::to_string).unwrap_or_default();
    let goes_somewhere = command.get_arguments().any(|argument| argument.get_id() == "cluster");
    if goes_somewhere && !help.contains("Environment: ") {
        help.push_str("\n\nEnvironment: as `up`.");
    }
    let help = format!("{}\n\n{}", help.trim_start(), exit::HELP);
    command.after_long_help(help)
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
    #[command(visible_alias = "upgrade", override_usage = "eks-deploy up RELEASE CHART [FLAGS] [HELM'S FLAGS]", after_help = up::EXAMPLES, after_long_help = format!("{}\n\n{FILE_FORM}\n\n{}", up::EXAMPLES, report::FORM))]
    Up(Box<DeployArguments>),
    /// Tells what `up` would change; changes nothing.
    ///
    /// Images old and new by digest, objects field by field (of Secrets only which keys), and for Helm 4 fields that
    /// others have set, by which `up` would fail. A release that the server applies is compared with the cluster, which
    /// takes `patch` on its objects; others, and for who may not do that, by their manifests, with what others have
    /// changed in the cluster told apart.
    #[command(override_usage = "eks-deploy plan RELEASE CHART [FLAGS] [HELM'S FLAGS]", after_help = plan::EXAMPLES)]
    Plan(Box<PlanArguments>),
    /// Goes back to an earlier revision, whose images are still there.
    ///
    /// What a revision names by digest is looked for in its registry first. Then helm rolls back, watched and explained
    /// as by `up`.
    #[command(override_usage = "eks-deploy rollback RELEASE [REVISION] [FLAGS]", after_help = rollback::EXAMPLES)]
    Rollback(Box<RollbackArguments>),
    /// Tells how a release is, its images by digest, and its pods.
    #[command(override_usage = "eks-deploy status RELEASE [FLAGS]", after_help = status::EXAMPLES)]
    Status(Box<StatusArguments>),
    /// Prints a token for a cluster, as Kubernetes clients ask for it.
    #[command(after_help = token::EXAMPLES)]
    Token(TokenArguments),
    /// Frees a release that a killed deployment left pending.
    ///
    /// A deployment gives a sign of life on the release while it is pending. Where that has stopped for 30 seconds,
    /// `pending-upgrade` and `pending-rollback` are rolled back to the last revision that was deployed;
    /// `pending-install` and `uninstalling` are uninstalled. Never while whoever holds the release is alive.
    #[command(override_usage = "eks-deploy recover RELEASE [FLAGS]", after_help = recover::EXAMPLES)]
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
    #[command(override_usage = "eks-deploy exec [FLAGS] -- COMMAND [ARGUMENT]...", after_help = exec::EXAMPLES)]
    Exec(ExecArguments),
    /// Prints the JSON schema of eks-deploy.yaml.
    #[command(hide = true)]
    Schema,
    /// Writes the manual pages, one per verb, into a folder.
    #[command(hide = true)]
    Man {
        /// The folder, which is there.
        folder: PathBuf,
    },
    /// Looks whether what a deployment needs is there, and says what to do about what is not.
    #[command(override_usage = "eks-deploy doctor [FLAGS]", after_help = doctor::EXAMPLES)]
    Doctor(Box<DoctorArguments>),
    /// What helm runs in a deployment whose images values cannot name by digest.
    #[command(hide = true)]
    PostRender {
        /// What to replace.
        order: PathBuf,
    },
    /// Prints the completion of a shell.
    #[command(after_help = COMPLETION_EXAMPLES)]
    Completion {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Prints the version of this program and of the helm that it runs.
    Version,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_has_examples_and_exit_codes() {
        fn check(command: &Command) {
            let shown = command.get_subcommands().filter(|verb| !verb.is_hide_set());
            let shown: Vec<_> = shown.filter(|verb| verb.get_name() != "help").collect();
            for verb in &shown {
                check(verb);
            }
            if shown.is_empty() {
                let help = command.clone().render_long_help().to_string();
                let name = command.get_name();
                assert!(help.contains("Examples:\n") || name == "version", "{name}: {help}");
                assert!(help.contains("Exit codes:\n  0 "), "{name}: {help}");
                let goes = command.get_arguments().any(|argument| argument.get_id() == "cluster");
                assert!(!goes || help.contains("Environment: "), "{name}: {help}");
            }
        }
        check(&command());
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
        let arguments = arguments.release;
        assert_eq!(arguments.namespace.as_deref(), Some("shop"));
        assert_eq!(arguments.helm.get("values"), Some("values.yaml"));
        assert_eq!(arguments.image.len(), 1);
    }
}
