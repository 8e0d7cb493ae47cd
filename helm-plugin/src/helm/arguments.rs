//! The Helm flags that were typed, and the command lines that are made of them.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, error::ErrorKind};

use super::{
    binary::Version,
    flags::{FLAGS, Flag, Role, Takes},
};
use crate::{exit::Exit, failure::Explain};

/// Helm's own default, the same in every line.
const DEFAULT_TIMEOUT: &str = "5m0s";

/// The Helm flags of a command line, in the order of the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HelmArguments(Vec<Given>);

#[derive(Clone, PartialEq, Eq)]
struct Given {
    flag: &'static Flag,
    value: String,
}

/// Values may be secrets.
impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "--{}", self.flag.name)
    }
}

/// Which run of Helm a command line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Run<'a> {
    /// The dry run that reads everything the user said.
    First,
    /// A later run, with the values on stdin and, for a remote chart, the version that the first one found.
    Later {
        /// The version of a chart that is not a local path.
        chart_version: Option<&'a str>,
    },
}

/// A flag that this Helm cannot do.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FlagError {
    /// It is of another line of Helm.
    #[error("Helm {helm} has no flag --{flag}")]
    Unknown {
        /// The flag.
        flag: &'static str,
        /// The Helm at hand.
        helm: Version,
    },
    /// A way to wait that nobody knows.
    #[error("--wait takes auto, watcher, legacy or none, not `{0}`")]
    Wait(String),
}

impl Explain for FlagError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl HelmArguments {
    /// Puts values files before all that were typed, so that what was typed wins.
    pub(crate) fn with_values_files(mut self, files: impl IntoIterator<Item = String>) -> Self {
        let values = FLAGS.iter().find(|flag| flag.name == "values");
        let files =
            files.into_iter().zip(values.into_iter().cycle()).map(|(value, flag)| Given { flag, value });
        self.0.splice(0..0, files);
        self
    }

    /// The value of a flag that was given.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rfind(|given| given.flag.name == name).map(|given| given.value.as_str())
    }

    /// Whether a switch is on.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// Every value of a flag, in the order they were given.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |given| given.flag.name == name).map(|given| given.value.as_str())
    }

    /// How long Helm waits, as it was typed.
    pub(crate) fn timeout(&self) -> &str {
        self.get("timeout").unwrap_or(DEFAULT_TIMEOUT)
    }

    /// Whether Helm is to roll back on failure.
    pub(crate) fn rolls_back(&self) -> bool {
        ["atomic", "rollback-on-failure"].iter().any(|flag| self.is_set(flag))
    }

    /// Whether it was left to us how Helm waits.
    pub(crate) fn waits_as_we_like(&self) -> bool {
        matches!(self.get("wait"), None | Some("auto" | "true"))
    }

    /// Whether anything was said about values; where nothing was, Helm takes those of the last revision again.
    pub(crate) fn says_values(&self) -> bool {
        self.0.iter().any(|given| given.flag.role == Role::Values)
    }

    /// Whether values are read from stdin, so that Helm needs ours.
    pub(crate) fn reads_stdin(&self) -> bool {
        self.0.iter().any(|given| match given.flag.name {
            "values" => given.value.split(',').any(|file| file.trim() == "-"),
            "set-file" => given.value.ends_with("=-"),
            _ => false,
        })
    }

    /// The arguments for one run of this Helm, in its own words.
    pub(crate) fn render(&self, helm: &Version, run: Run<'_>) -> Result<Vec<String>, FlagError> {
        let mut arguments = Vec::new();
        for Given { flag, value } in &self.0 {
            let wanted = match flag.role {
                Role::Pass => true,
                Role::Values | Role::ChartVersion | Role::ChartUpdate => run == Run::First,
                Role::Wait | Role::Ignored | Role::Refused(_) => false,
            };
            if !wanted {
                continue;
            }
            let name =
                flag.name_in(helm).ok_or(FlagError::Unknown { flag: flag.name, helm: helm.clone() })?;
            arguments.push(match flag.takes {
                Takes::Switch if value == "true" => format!("--{name}"),
                _ => format!("--{name}={value}"),
            });
        }
        arguments.extend(wait(self.get("wait").unwrap_or("auto"), helm)?.map(str::to_owned));
        if let Run::Later { chart_version: Some(version) } = run {
            arguments.push(format!("--version={version}"));
        }
        Ok(arguments)
    }
}

/// `up` waits unless it is told not to; how to say so differs.
pub(crate) fn wait(wanted: &str, helm: &Version) -> Result<Option<&'static str>, FlagError> {
    Ok(match (wanted, helm.major < 4) {
        ("auto" | "true" | "watcher" | "legacy", true) => Some("--wait"),
        ("none" | "false" | "hookOnly", true) => None,
        ("auto" | "true" | "watcher", false) => Some("--wait=watcher"),
        ("legacy", false) => Some("--wait=legacy"),
        ("none" | "false" | "hookOnly", false) => Some("--wait=hookOnly"),
        _ => return Err(FlagError::Wait(wanted.to_owned())),
    })
}

impl Args for HelmArguments {
    fn augment_args(command: Command) -> Command {
        FLAGS.iter().fold(command, |command, flag| command.arg(argument(flag)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn argument(flag: &'static Flag) -> Arg {
    let argument = Arg::new(flag.name)
        .long(flag.name)
        .help(flag.help)
        .help_heading("Helm's flags")
        .action(ArgAction::Append)
        .hide_short_help(true)
        .hide(matches!(flag.role, Role::Refused(_)));
    let argument = match flag.short {
        Some(letter) => argument.short(letter),
        None => argument,
    };
    let optional =
        |argument: Arg, missing| argument.num_args(0..=1).require_equals(true).default_missing_value(missing);
    match flag.takes {
        Takes::Switch => {
            optional(argument, "true").value_parser(["true", "false"]).hide_possible_values(true)
        }
        Takes::Optional(missing) => optional(argument, missing).value_name("HOW"),
        Takes::Value => argument.value_name("VALUE").allow_hyphen_values(true),
    }
}

impl FromArgMatches for HelmArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Vec::new();
        for flag in FLAGS {
            let values = matches.get_many::<String>(flag.name).into_iter().flatten().cloned();
            given.extend(values.map(|value| Given { flag, value }));
        }
        for Given { flag, .. } in &given {
            if let Role::Refused(reason) = flag.role {
                let text = format!("--{} cannot be used: {reason}", flag.name);
                return Err(clap::Error::raw(ErrorKind::ArgumentConflict, text));
            }
        }
        Ok(Self(given))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<HelmArguments, clap::Error> {
        let command = HelmArguments::augment_args(Command::new("up")).no_binary_name(true);
        HelmArguments::from_arg_matches(
            &command.try_get_matches_from(line.split(' ').filter(|word| !word.is_empty()))?,
        )
    }

    fn check(line: &str, helm: &str, run: Run<'_>, expected: &str) {
        let arguments = parse(line).unwrap().render(&Version::parse(helm).unwrap(), run);
        let got = arguments.map_or_else(|error| error.to_string(), |arguments| arguments.join(" "));
        assert_eq!(got, expected, "{line} on {helm}");
    }

    const LATER: Run<'_> = Run::Later { chart_version: None };

    #[test]
    fn rule_1_values_go_to_the_first_run_only() {
        let line = "-f a.yaml --set x=1 --reuse-values --timeout 3m --set x=2";
        check(
            line,
            "v4.3",
            Run::First,
            "--reuse-values --set=x=1 --set=x=2 --timeout=3m --values=a.yaml --wait=watcher",
        );
        check(line, "v4.3", LATER, "--timeout=3m --wait=watcher");
        check("--install --hide-secret", "v3.22", Run::First, "--wait");
        check("--dependency-update", "v3.22", LATER, "--wait");
    }

    #[test]
    fn rule_14_remote_charts_keep_their_version() {
        check("--version ^1 --devel", "v3.22", Run::First, "--devel --version=^1 --wait");
        check("--version ^1", "v3.22", Run::Later { chart_version: Some("1.4.2") }, "--wait --version=1.4.2");
    }

    #[test]
    fn rule_18_names_of_the_other_line_are_translated() {
        check("--atomic", "v4.3", LATER, "--rollback-on-failure --wait=watcher");
        check("--rollback-on-failure", "v3.22", LATER, "--atomic --wait");
        check("--force", "v4.3", LATER, "--force-replace --wait=watcher");
        check("--force-replace", "v3.22", LATER, "--force --wait");
        check("--server-side=false", "v3.22", LATER, "Helm 3.22.0 has no flag --server-side");
        check("--recreate-pods", "v4.3", LATER, "Helm 4.3.0 has no flag --recreate-pods");
    }

    #[test]
    fn waiting() {
        check("--wait", "v4.3", LATER, "--wait=watcher");
        check("--wait=legacy", "v4.3", LATER, "--wait=legacy");
        check("--wait=none", "v4.3", LATER, "--wait=hookOnly");
        check("--wait=none", "v3.22", LATER, "");
        check("--wait=false", "v3.22", LATER, "");
        check("--wait=soon", "v3.22", LATER, "--wait takes auto, watcher, legacy or none, not `soon`");
    }

    #[test]
    fn switches_and_values_as_helm_takes_them() {
        check("--debug=false --wait=none", "v3.22", LATER, "--debug=false");
        check("-lteam=a --history-max=-1 --wait=none", "v3.22", LATER, "--history-max=-1 --labels=team=a");
        assert!(parse("-f -").unwrap().reads_stdin());
        assert!(!parse("-f x-").unwrap().reads_stdin());
    }

    #[test]
    fn mistakes() {
        let check = |line: &str, expected: &[&str]| {
            let error = parse(line).unwrap_err().to_string();
            assert!(expected.iter().all(|part| error.contains(part)), "{line}: {error}");
        };
        check("--timout 3m", &["unexpected argument '--timout'", "--timeout"]);
        check("--kube-context x", &["--kube-context cannot be used: the cluster is named by --cluster"]);
        check("--kubeconfig=x", &["--kubeconfig cannot be used"]);
        check("--dry-run", &["--dry-run cannot be used: `up` deploys"]);
    }

    #[test]
    fn values_files_of_the_file_come_first() {
        let arguments = parse("-f typed.yaml").unwrap().with_values_files(["file.yaml".to_owned()]);
        let rendered = arguments.render(&Version::parse("v3.22").unwrap(), Run::First).unwrap();
        assert_eq!(rendered, ["--values=file.yaml", "--values=typed.yaml", "--wait"]);
    }
}
