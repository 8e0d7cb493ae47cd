//! What `up` was told: flag over environment over file, parsed and complete.
//!
//! Pure, but for the reading of the file and of the surroundings. Nothing here asks AWS or Helm.

pub(crate) mod existing;
pub(crate) mod file;
pub(crate) mod image;
pub(crate) mod place;

use std::{collections::BTreeMap, io::IsTerminal as _, path::PathBuf};

use ecr_registry::{EndpointError, Endpoints};

use self::{
    file::{File, PinEntry},
    image::ImageArgument,
    place::Place,
};
use crate::{
    cli::{PinArguments, UpArguments},
    eks::cluster::ClusterNameError,
    exit::Exit,
    failure::{Explain, Failure},
    helm::arguments::HelmArguments,
    images::{pins::Via, policy::Policy},
    kube::ActAs,
    namespace::{self, Namespace, flag_value},
};

/// Flags of helm that lead to another cluster, which the helm that started us does not hand on.
const OWN_CLUSTER_FLAGS: [&str; 4] = ["--kubeconfig", "--kube-context", "--kube-token", "--kube-apiserver"];

/// Everything that `up` works from.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The release's name.
    pub(crate) release: String,
    /// The chart, as Helm takes it.
    pub(crate) chart: String,
    /// Where to.
    pub(crate) namespace: Namespace,
    /// Which cluster, and who acts there.
    pub(crate) place: Place,
    /// Which images are pinned, and which have to be.
    pub(crate) policy: Policy,
    /// The file with digests, if there is one.
    pub(crate) lock: Option<PathBuf>,
    /// Whether it has to have all of them.
    pub(crate) locked: bool,
    /// The images that were named.
    pub(crate) images: Vec<ImageArgument>,
    /// By what images get their digests.
    pub(crate) via: Via,
    /// Registries that are reached elsewhere.
    pub(crate) endpoints: Endpoints,
    /// Helm's own flags.
    pub(crate) helm: HelmArguments,
    /// Whom to act as in the cluster.
    pub(crate) act_as: ActAs,
    /// Whether a person looks at what we say.
    pub(crate) attended: bool,
}

/// What is around the process, as far as it matters.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    /// Whether helm started us as its plugin.
    pub(crate) under_helm: bool,
    /// The arguments of that helm.
    pub(crate) outer: Vec<String>,
    /// The namespace that it tells us.
    pub(crate) helm_namespace: Option<String>,
    /// `EKS_DEPLOY_NAMESPACE`.
    pub(crate) namespace: Option<String>,
    /// `AWS_REGION`, else `AWS_DEFAULT_REGION`.
    pub(crate) aws_region: Option<String>,
    /// `EKS_DEPLOY_REGISTRY_ENDPOINTS`.
    pub(crate) registry_endpoints: Option<String>,
    /// Whom to act as in the cluster, by `HELM_KUBEASUSER` and `HELM_KUBEASGROUPS`.
    pub(crate) act_as: ActAs,
    /// Whether a person looks at what we say.
    pub(crate) attended: bool,
}

impl Surroundings {
    /// Reads them.
    pub(crate) fn read() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let under_helm = variable("HELM_PLUGIN_NAME").is_some();
        Self {
            under_helm,
            outer: if under_helm { namespace::outer_arguments() } else { Vec::new() },
            helm_namespace: variable("HELM_NAMESPACE"),
            namespace: variable("EKS_DEPLOY_NAMESPACE"),
            aws_region: variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")),
            registry_endpoints: variable(ecr_registry::ENDPOINTS_VARIABLE),
            act_as: ActAs {
                user: variable("HELM_KUBEASUSER"),
                groups: groups(&variable("HELM_KUBEASGROUPS").unwrap_or_default()),
            },
            attended: std::io::stderr().is_terminal() && variable("CI").is_none(),
        }
    }
}

/// What was told is not enough, or contradicts itself.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SettingsError {
    /// Something that there is no default for.
    #[error("no {what} was named")]
    Missing {
        /// What.
        what: &'static str,
        /// Where it can be named.
        hint: &'static str,
    },
    /// A flag of the outer helm that leads elsewhere.
    #[error("{0} cannot be used: the cluster is named by --cluster; Helm gets a private kubeconfig for it")]
    OuterFlag(&'static str),
    /// Two regions for one cluster.
    #[error("cluster `{cluster}` is in region {arn}, and --region says {flag}")]
    Regions {
        /// The cluster.
        cluster: String,
        /// What the ARN says.
        arn: String,
        /// What the flag says.
        flag: String,
    },
    /// No cluster's name.
    #[error(transparent)]
    ClusterName(#[from] ClusterNameError),
    /// No registry endpoint.
    #[error("the registry endpoints cannot be used")]
    Endpoint(#[from] EndpointError),
}

impl SettingsError {
    const NO_CLUSTER: Self = Self::Missing {
        what: "cluster",
        hint: "pass --cluster NAME, or set EKS_DEPLOY_CLUSTER or cluster.name in the file",
    };
    const NO_RELEASE: Self =
        Self::Missing { what: "release", hint: "eks-deploy up RELEASE CHART, or release.name in the file" };
    const NO_CHART: Self =
        Self::Missing { what: "chart", hint: "eks-deploy up RELEASE CHART, or release.chart in the file" };
}

impl Explain for SettingsError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { hint, .. } => Some((*hint).to_owned()),
            Self::OuterFlag(_) | Self::Regions { .. } | Self::ClusterName(_) | Self::Endpoint(_) => None,
        }
    }
}

impl Settings {
    /// Puts everything together.
    pub(crate) fn resolve(
        mut arguments: UpArguments,
        file: File,
        around: Surroundings,
    ) -> Result<Self, Failure> {
        if let Some(flag) =
            OWN_CLUSTER_FLAGS.iter().find(|flag| flag_value(&around.outer, flag, None).is_some())
        {
            return Err(SettingsError::OuterFlag(flag).into());
        }
        let File { cluster: entry, outputs, pin, release, registry_endpoints } = file;
        let namespace = namespace::Sources {
            flag: arguments.namespace,
            outer_flag: flag_value(&around.outer, "--namespace", Some("-n")),
            environment: around.namespace,
            file: release.namespace,
            assumed: around.helm_namespace,
        };
        let place = Place::resolve(arguments.place, entry, outputs, around.aws_region)?;
        Ok(Self {
            release: arguments.release.or(release.name).ok_or(SettingsError::NO_RELEASE)?,
            chart: arguments.chart.or(release.chart).ok_or(SettingsError::NO_CHART)?,
            namespace: namespace.choose(around.attended)?,
            place,
            lock: arguments.pinning.lock.take(),
            locked: arguments.pinning.locked,
            via: arguments.pinning.via,
            policy: policy(arguments.pinning, pin),
            images: image::merge(arguments.image, release.images),
            endpoints: endpoints(&registry_endpoints, around.registry_endpoints.as_deref())?,
            act_as: act_as(&arguments.helm, around.act_as),
            attended: around.attended,
            helm: arguments.helm.with_values_files(release.values),
        })
    }
}

/// What was typed goes before the file; what may stay unpinned is what either says.
fn policy(typed: PinArguments, mut file: PinEntry) -> Policy {
    file.allow_unpinned.extend(typed.allow_unpinned);
    Policy {
        pinned: typed.pin.unwrap_or(file.scope),
        required: typed.require.unwrap_or(file.require),
        allowed: file.allow_unpinned,
    }
}

/// Registries that are reached elsewhere: by the environment, then by the file.
pub(crate) fn endpoints(
    file: &BTreeMap<String, String>,
    variable: Option<&str>,
) -> Result<Endpoints, SettingsError> {
    let variable = variable.map(Endpoints::parse_text).transpose()?.unwrap_or_default();
    Ok(variable.or(Endpoints::parse(file)?))
}

fn groups(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|group| !group.is_empty()).map(str::to_owned).collect()
}

/// As Helm does it: what a flag says replaces what the environment says.
fn act_as(helm: &HelmArguments, environment: ActAs) -> ActAs {
    let typed: Vec<String> = helm.all("kube-as-group").map(str::to_owned).collect();
    ActAs {
        user: helm.get("kube-as-user").map(str::to_owned).or(environment.user),
        groups: if typed.is_empty() { environment.groups } else { typed },
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::{file::ClusterEntry, *};
    use crate::cli::{Cli, Verb};

    fn resolve(line: &str, file: File, around: Surroundings) -> Result<Settings, String> {
        let words = ["eks-deploy", "up"].into_iter().chain(line.split_whitespace());
        let Verb::Up(arguments) = Cli::try_parse_from(words).unwrap().verb else { panic!("`up` is typed") };
        Settings::resolve(arguments.release, file, around).map_err(|failure| failure.to_string())
    }

    fn entry(name: &str, region: &str) -> File {
        let cluster = ClusterEntry {
            name: Some(name.to_owned()),
            region: Some(region.to_owned()),
            ..ClusterEntry::default()
        };
        File { cluster, ..File::default() }
    }

    #[test]
    fn flags_go_before_the_environment_and_the_file() {
        let release = file::ReleaseEntry {
            name: Some("from-file".to_owned()),
            chart: Some("./file-chart".to_owned()),
            namespace: Some("file-namespace".to_owned()),
            ..file::ReleaseEntry::default()
        };
        let file = File { release, ..entry("file-cluster", "eu-west-1") };
        let settings = resolve("", file, Surroundings::default()).unwrap();
        assert_eq!((settings.release.as_str(), settings.chart.as_str()), ("from-file", "./file-chart"));
        assert_eq!(settings.namespace.name, "file-namespace");
        let around = Surroundings { namespace: Some("env".to_owned()), ..Surroundings::default() };
        let settings = resolve("web ./web --cluster b", entry("a", "x"), around).unwrap();
        assert_eq!((settings.release.as_str(), settings.namespace.name.as_str()), ("web", "env"));
    }

    #[test]
    fn what_is_missing() {
        let check = |line: &str, expected: &str| {
            let got = resolve(line, File::default(), Surroundings::default()).map(|_| ());
            assert_eq!(got, Err(expected.to_owned()), "{line}");
        };
        check("web ./web -n shop", "no cluster was named");
        check("--cluster a -n shop", "no release was named");
        check("web --cluster a -n shop", "no chart was named");
        check("web ./web --cluster a", "no namespace was named");
    }

    #[test]
    fn rule_12_flags_of_the_outer_helm() {
        let around = |line: &str| Surroundings {
            outer: line.split(' ').map(str::to_owned).collect(),
            helm_namespace: Some("assumed".to_owned()),
            ..Surroundings::default()
        };
        let settings =
            resolve("web ./web --cluster a", File::default(), around("eks-deploy up -n shop")).unwrap();
        assert_eq!(settings.namespace.name, "shop");
        let refused = resolve("web ./web --cluster a", File::default(), around("--kube-context x -n shop"));
        assert_eq!(
            refused.map(|_| ()),
            Err("--kube-context cannot be used: the cluster is named by --cluster; \
                 Helm gets a private kubeconfig for it"
                .to_owned())
        );
    }
}
