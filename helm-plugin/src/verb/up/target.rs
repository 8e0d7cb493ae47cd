//! Where to: the cluster and the way into it, the Helm that goes there, Terraform's outputs that name things.

use std::{path::Path, time::SystemTime};

use aws_config::SdkConfig;

use crate::{
    eks::{
        cluster::{self, Cluster, Known},
        endpoint::Endpoint,
        identity::credentials_of,
        kubeconfig::kubeconfig,
    },
    exit::Exit,
    failure::{Explain, Failure},
    helm::{
        binary::Version,
        duration,
        session::{Helm, KUBECONFIG},
    },
    images::terraform::{OutputSource, Outputs, TerraformError},
    run_folder::RunFolder,
    settings::{ClusterChoice, Settings, image::ImageSource},
    talk::{say, warn},
};

/// Everything outside of this machine that a deployment needs to know.
pub(super) struct Target {
    /// The cluster.
    pub(super) cluster: Cluster,
    /// The identity's AWS configuration, in the cluster's region.
    pub(super) aws: SdkConfig,
    /// The Helm at hand.
    pub(super) helm: Version,
    /// Terraform's outputs, if something is named by one.
    pub(super) outputs: Option<Outputs>,
}

/// The cluster is not the one that was meant.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum TargetError {
    /// Nothing says in which region to look.
    #[error("no region was named for cluster `{0}`")]
    NoRegion(String),
    /// Another account.
    #[error("cluster `{cluster}` is in {found}, and account {expected} was expected")]
    Account { cluster: String, found: String, expected: String },
    /// A Terraform output leads to a host that is not EKS'.
    #[error(
        "Terraform says that cluster `{cluster}` is reached at {endpoint}, which is no host of Amazon EKS in {region}"
    )]
    Stranger { cluster: String, endpoint: String, region: String },
}

impl Explain for TargetError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoRegion(_) => Exit::Usage,
            Self::Account { .. } | Self::Stranger { .. } => Exit::Access,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoRegion(_) => "pass --region, or set AWS_REGION".to_owned(),
            Self::Account { .. } => "check --profile, --role-arn and the credentials of this job".to_owned(),
            Self::Stranger { endpoint, .. } => format!(
                "whoever answers there gets a token that opens the cluster for 15 minutes; if the cluster is really \
                 reached there, the file has to say so: `cluster: {{terraform: …, endpoint: {endpoint}}}`"
            ),
        })
    }
}

impl Target {
    /// Finds it, and writes the kubeconfig that leads there.
    pub(super) async fn find(
        settings: &Settings,
        helm: &Helm<'_>,
        folder: &RunFolder,
        own: &Path,
    ) -> Result<Self, Failure> {
        let (version, outputs) = tokio::join!(helm.version(), outputs(settings));
        let (helm, outputs) = (version?, outputs?);
        let known = match (&settings.cluster, &outputs) {
            (ClusterChoice::Named(named), _) => Known::Name(named.clone()),
            (ClusterChoice::Output(name), Some(outputs)) => outputs.cluster(name)?,
            (ClusterChoice::Output(name), None) => return Err(TerraformError::NoSource(name.clone()).into()),
        };
        let region = region(settings, &known).await?;
        let aws = settings.identity.config(&region).await;
        // Before anything else: that there are none, or that they have ended, is not the cluster's answer.
        let credentials = credentials_of(&aws, &settings.identity).await?;
        let cluster = enter(&aws, settings, known, &region).await?;
        let text = kubeconfig(&cluster, &settings.identity, own, &settings.namespace.name);
        folder.write(KUBECONFIG, text.as_bytes())?;
        introduce(settings, &cluster, &helm);
        if let Some(line) = too_short(credentials.expiry(), SystemTime::now(), settings.helm.timeout()) {
            warn(&line);
        }
        Ok(Self { cluster, aws, helm, outputs })
    }
}

async fn region(settings: &Settings, known: &Known) -> Result<String, TargetError> {
    let named = match known {
        Known::Whole(cluster) => return Ok(cluster.region.clone()),
        Known::Name(named) => named,
    };
    if let Some(region) = named.region.as_ref().or(settings.region.as_ref()) {
        return Ok(region.clone());
    }
    let region = settings.identity.profile_region().await;
    region.ok_or_else(|| TargetError::NoRegion(named.name.clone()))
}

async fn enter(aws: &SdkConfig, settings: &Settings, known: Known, region: &str) -> Result<Cluster, Failure> {
    let cluster = match known {
        Known::Whole(cluster) => trusted(cluster, settings.endpoint.as_ref())?,
        Known::Name(named) => {
            let cluster = cluster::describe(aws, &named.name, region).await?;
            check_account(&cluster, named.account.as_deref())?;
            cluster
        }
    };
    check_account(&cluster, settings.expect_account.as_deref())?;
    Ok(match &settings.endpoint {
        Some(endpoint) => cluster.reached_at(endpoint.clone()),
        None => cluster,
    })
}

/// A token sent to a stranger opens the cluster to the stranger. What EKS says is EKS; what Terraform gave out may
/// have been changed on the way, so that a person has to have named it.
fn trusted(cluster: Cluster, named: Option<&Endpoint>) -> Result<Cluster, TargetError> {
    if named.is_some() || cluster.endpoint.is_of_eks(&cluster.region) {
        return Ok(cluster);
    }
    let Cluster { name, endpoint, region, .. } = cluster;
    Err(TargetError::Stranger { cluster: name, endpoint: endpoint.to_string(), region })
}

fn check_account(cluster: &Cluster, expected: Option<&str>) -> Result<(), TargetError> {
    let Some(expected) = expected.filter(|expected| Some(*expected) != cluster.account()) else {
        return Ok(());
    };
    Err(TargetError::Account {
        cluster: cluster.name.clone(),
        found: cluster
            .account()
            .map_or("no known account".to_owned(), |account| format!("account {account}")),
        expected: expected.to_owned(),
    })
}

/// What to say of credentials that end before Helm stops waiting.
fn too_short(end: Option<SystemTime>, now: SystemTime, timeout: &str) -> Option<String> {
    let left = end?.duration_since(now).unwrap_or_default();
    (left < duration::parse(timeout)?).then(|| {
        let left = match left.as_secs() {
            seconds @ 0..120 => format!("{seconds} seconds"),
            seconds => format!("{} minutes", seconds / 60),
        };
        format!("the credentials end in {left}, and --timeout is {timeout}: helm loses the cluster unless they are renewed")
    })
}

fn introduce(settings: &Settings, cluster: &Cluster, helm: &Version) {
    let Settings { release, namespace, .. } = settings;
    say(&format!(
        "release {release} in namespace {} of cluster {} ({}), by Helm {helm}",
        namespace.name,
        cluster.name,
        cluster.arn.as_deref().unwrap_or(&cluster.region)
    ));
    if settings.endpoint.is_some() && !cluster.endpoint.is_of_eks(&cluster.region) {
        warn(&format!(
            "the file sends this cluster's tokens to {}, which is no host of Amazon EKS: whoever answers there can \
             use them for 15 minutes",
            cluster.endpoint
        ));
    }
    if namespace.assumed {
        warn(&format!(
            "namespace {} comes from the current context of your kubeconfig; -n names another",
            namespace.name
        ));
    }
}

async fn outputs(settings: &Settings) -> Result<Option<Outputs>, TerraformError> {
    let image = settings.images.iter().find_map(|image| match &image.source {
        ImageSource::Output(name) => Some(name),
        ImageSource::Reference(_) => None,
    });
    let cluster = match &settings.cluster {
        ClusterChoice::Output(name) => Some(name),
        ClusterChoice::Named(_) => None,
    };
    let Some(name) = cluster.or(image) else { return Ok(None) };
    let source = settings.outputs.as_ref().ok_or_else(|| TerraformError::NoSource(name.clone()))?;
    if let OutputSource::Folder(folder) = source {
        say(&format!("reading Terraform's outputs in {}", folder.display()));
    }
    source.read().await.map(Some)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn cluster(endpoint: &str) -> Cluster {
        Cluster {
            name: "prod".to_owned(),
            arn: Some("arn:aws:eks:eu-west-1:123456789012:cluster/prod".to_owned()),
            region: "eu-west-1".to_owned(),
            endpoint: endpoint.parse().unwrap(),
            server_name: None,
            certificate_authority: String::new(),
            outpost_id: None,
            authentication_mode: None,
        }
    }

    #[test]
    fn another_account_is_an_error() {
        let here = cluster("https://a.example");
        let nowhere = Cluster { arn: None, ..here.clone() };
        let check = |cluster: &Cluster, expected: Option<&str>, message: &str| {
            let got =
                check_account(cluster, expected).map_or_else(|error| error.to_string(), |()| String::new());
            assert_eq!(got, message);
        };
        check(&here, None, "");
        check(&nowhere, None, "");
        check(&here, Some("123456789012"), "");
        let message = "cluster `prod` is in account 123456789012, and account 210987654321 was expected";
        check(&here, Some("210987654321"), message);
        let message = "cluster `prod` is in no known account, and account 123456789012 was expected";
        check(&nowhere, Some("123456789012"), message);
    }

    #[test]
    fn credentials_that_end_too_soon() {
        let check = |left: Option<u64>, timeout: &str, expected: Option<&str>| {
            let now = SystemTime::UNIX_EPOCH + Duration::from_hours(1);
            let got = too_short(left.map(|seconds| now + Duration::from_secs(seconds)), now, timeout);
            let expected =
                expected.map(|start| format!("{start}: helm loses the cluster unless they are renewed"));
            assert_eq!(got, expected);
        };
        check(None, "5m0s", None);
        check(Some(300), "5m0s", None);
        check(Some(299), "5m0s", Some("the credentials end in 4 minutes, and --timeout is 5m0s"));
        check(Some(1), "1h", Some("the credentials end in 1 seconds, and --timeout is 1h"));
        check(Some(1), "no duration", None);
        let now = SystemTime::UNIX_EPOCH;
        assert!(too_short(Some(now), now + Duration::from_mins(1), "5m").unwrap().contains("in 0 seconds"));
    }

    #[test]
    fn an_endpoint_of_a_stranger_has_to_be_named() {
        let check = |endpoint: &str, named: Option<&str>, message: &str| {
            let named = named.map(|text| text.parse().unwrap());
            let got = trusted(cluster(endpoint), named.as_ref());
            assert_eq!(got.map_or_else(|error| error.to_string(), |_| String::new()), message, "{endpoint}");
        };
        let (eks, stranger) = ("https://A1.gr7.eu-west-1.eks.amazonaws.com", "https://a.example");
        check(eks, None, "");
        check(eks, Some(stranger), "");
        check(stranger, Some(stranger), "");
        let message = "Terraform says that cluster `prod` is reached at https://a.example, which is no host of Amazon \
                       EKS in eu-west-1";
        check(stranger, None, message);
    }
}
