//! Where to: the cluster and the way into it, the Helm that goes there, Terraform's outputs that name things.

use std::path::Path;

use aws_config::SdkConfig;

use crate::{
    eks::{
        cluster::{self, Cluster, ClusterName},
        identity::{Identity, credentials_of},
        kubeconfig::kubeconfig,
    },
    exit::Exit,
    failure::{Explain, Failure},
    helm::{
        binary::Version,
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
    #[error("cluster `{cluster}` is in account {found}, and {expected} was expected")]
    Account { cluster: String, found: String, expected: String },
}

impl Explain for TargetError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoRegion(_) => Exit::Usage,
            Self::Account { .. } => Exit::Access,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoRegion(_) => "pass --region, or set AWS_REGION".to_owned(),
            Self::Account { .. } => "check --profile, --role-arn and the credentials of this job".to_owned(),
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
        let named = match (&settings.cluster, &outputs) {
            (ClusterChoice::Named(named), _) => named.clone(),
            (ClusterChoice::Output(name), Some(outputs)) => outputs.cluster(name)?,
            (ClusterChoice::Output(name), None) => return Err(TerraformError::NoSource(name.clone()).into()),
        };
        let region = region(settings, &named).await?;
        let aws = settings.identity.config(&region).await;
        let cluster = enter(&aws, &settings.identity, &named.name, &region).await?;
        let expected = [&settings.expect_account, &named.account];
        check_account(&cluster, expected.into_iter().flatten())?;
        let text = kubeconfig(&cluster, &settings.identity, own, &settings.namespace.name);
        folder.write(KUBECONFIG, text.as_bytes())?;
        introduce(settings, &cluster, &helm);
        Ok(Self { cluster, aws, helm, outputs })
    }
}

async fn region(settings: &Settings, named: &ClusterName) -> Result<String, TargetError> {
    if let Some(region) = named.region.as_ref().or(settings.region.as_ref()) {
        return Ok(region.clone());
    }
    let region = settings.identity.profile_region().await;
    region.ok_or_else(|| TargetError::NoRegion(named.name.clone()))
}

/// Credentials first: that there are none, or that they have ended, is not the cluster's answer.
async fn enter(aws: &SdkConfig, identity: &Identity, name: &str, region: &str) -> Result<Cluster, Failure> {
    credentials_of(aws, identity).await?;
    Ok(cluster::describe(aws, name, region).await?)
}

fn check_account<'a>(
    cluster: &Cluster,
    expected: impl Iterator<Item = &'a String>,
) -> Result<(), TargetError> {
    match expected.into_iter().find(|account| *account != cluster.account()) {
        None => Ok(()),
        Some(expected) => Err(TargetError::Account {
            cluster: cluster.name.clone(),
            found: cluster.account().to_owned(),
            expected: expected.clone(),
        }),
    }
}

fn introduce(settings: &Settings, cluster: &Cluster, helm: &Version) {
    let Settings { release, namespace, .. } = settings;
    say(&format!(
        "release {release} in namespace {} of cluster {} ({}), by Helm {helm}",
        namespace.name, cluster.name, cluster.arn
    ));
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
    use super::*;

    #[test]
    fn another_account_is_an_error() {
        let cluster = Cluster {
            name: "prod".to_owned(),
            arn: "arn:aws:eks:eu-west-1:123456789012:cluster/prod".to_owned(),
            region: "eu-west-1".to_owned(),
            endpoint: String::new(),
            certificate_authority: String::new(),
            outpost_id: None,
            authentication_mode: None,
        };
        let check = |expected: &[&str]| {
            let expected: Vec<String> = expected.iter().map(|account| (*account).to_owned()).collect();
            check_account(&cluster, expected.iter()).map_err(|error| error.to_string())
        };
        assert_eq!(check(&[]), Ok(()));
        assert_eq!(check(&["123456789012"]), Ok(()));
        let message = "cluster `prod` is in account 123456789012, and 210987654321 was expected";
        assert_eq!(check(&["123456789012", "210987654321"]), Err(message.to_owned()));
    }
}
