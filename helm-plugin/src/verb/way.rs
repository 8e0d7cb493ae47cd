//! From a cluster as it was named to a cluster that can be talked to: its endpoint, and credentials that are good.
//!
//! Knows neither releases nor Helm.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use serde_json::Value;

use crate::{
    eks::{
        cluster::{self, Cluster, Known},
        endpoint::Endpoint,
        identity::{Identity, credentials_of},
        kubeconfig::{self, Entry},
        signer::Signer,
        token_socket::TokenSocket,
    },
    exit::Exit,
    failure::{Explain, Failure},
    helm::session::KUBECONFIG,
    images::terraform::{OutputSource, Outputs, TerraformError},
    run_folder::{RunFolder, RunFolderError},
    settings::place::{ClusterChoice, Place},
    talk::{say, warn},
};

/// The socket in the run's folder.
const SOCKET: &str = "tokens";

/// The way into a cluster.
pub(crate) struct Way {
    /// The cluster.
    pub(crate) cluster: Cluster,
    /// The identity's AWS configuration, in the cluster's region.
    pub(crate) aws: SdkConfig,
    credentials: Credentials,
    identity: Identity,
}

/// The cluster is not the one that was meant.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WayError {
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

impl Explain for WayError {
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

impl Way {
    /// Finds it, by what Terraform gave out where that names the cluster.
    pub(crate) async fn find(place: &Place, outputs: Option<&Outputs>) -> Result<Self, Failure> {
        let known = match (&place.cluster, outputs) {
            (ClusterChoice::Named(named), _) => Known::Name(named.clone()),
            (ClusterChoice::Output(name), Some(outputs)) => outputs.cluster(name)?,
            (ClusterChoice::Output(name), None) => return Err(TerraformError::NoSource(name.clone()).into()),
        };
        let region = region(place, &known).await?;
        let aws = place.identity.config(&region).await;
        // Before anything else: that there are none, or that they have ended, is not the cluster's answer.
        let credentials = credentials_of(&aws, &place.identity).await?;
        let cluster = enter(&aws, place, known, &region).await?;
        if place.endpoint.is_some() && !cluster.endpoint.is_of_eks(&cluster.region) {
            warn(&format!(
                "the file sends this cluster's tokens to {}, which is no host of Amazon EKS: whoever answers there \
                 can use them for 15 minutes",
                cluster.endpoint
            ));
        }
        Ok(Self { cluster, aws, credentials, identity: place.identity.clone() })
    }

    /// When the credentials end, if they do.
    pub(crate) fn credentials_end(&self) -> Option<SystemTime> {
        self.credentials.expiry()
    }

    /// Writes a kubeconfig for the children of this process, whose tokens come from this process as long as what is
    /// returned is there.
    pub(crate) fn open(
        &self,
        folder: &RunFolder,
        own: &Path,
        namespace: Option<&str>,
    ) -> Result<(PathBuf, Option<TokenSocket>), RunFolderError> {
        let socket = folder.path().join(SOCKET);
        // A path may be too long for a socket: then each child finds the credentials by itself.
        let tokens = TokenSocket::open(&socket, self.signer()).ok();
        let socket = tokens.as_ref().map(|_| socket.as_path());
        let entry = Entry { name: &self.cluster.name, namespace, socket };
        let kubeconfig = folder.write(KUBECONFIG, self.kubeconfig(own, entry).to_string().as_bytes())?;
        Ok((kubeconfig, tokens))
    }

    /// Makes tokens for the cluster.
    pub(crate) fn signer(&self) -> Signer {
        Signer::new(self.aws.clone(), self.identity.clone(), self.credentials.clone(), &self.cluster)
    }

    /// The kubeconfig that leads there by way of `own`, this program.
    pub(crate) fn kubeconfig(&self, own: &Path, entry: Entry<'_>) -> Value {
        kubeconfig::kubeconfig(&self.cluster, &self.identity, own, entry)
    }
}

/// Terraform's outputs, if the cluster or `image` is named by one.
pub(crate) async fn outputs(place: &Place, image: Option<&str>) -> Result<Option<Outputs>, TerraformError> {
    let cluster = match &place.cluster {
        ClusterChoice::Output(name) => Some(name.as_str()),
        ClusterChoice::Named(_) => None,
    };
    let Some(name) = cluster.or(image) else { return Ok(None) };
    let source = place.outputs.as_ref().ok_or_else(|| TerraformError::NoSource(name.to_owned()))?;
    if let OutputSource::Folder(folder) = source {
        say(&format!("reading Terraform's outputs in {}", folder.display()));
    }
    source.read().await.map(Some)
}

async fn region(place: &Place, known: &Known) -> Result<String, WayError> {
    let named = match known {
        Known::Whole(cluster) => return Ok(cluster.region.clone()),
        Known::Name(named) => named,
    };
    if let Some(region) = named.region.as_ref().or(place.region.as_ref()) {
        return Ok(region.clone());
    }
    let region = place.identity.profile_region().await;
    region.ok_or_else(|| WayError::NoRegion(named.name.clone()))
}

async fn enter(aws: &SdkConfig, place: &Place, known: Known, region: &str) -> Result<Cluster, Failure> {
    let cluster = match known {
        Known::Whole(cluster) => trusted(cluster, place.endpoint.as_ref())?,
        Known::Name(named) => {
            let cluster = cluster::describe(aws, &named.name, region).await?;
            check_account(&cluster, named.account.as_deref())?;
            cluster
        }
    };
    check_account(&cluster, place.expect_account.as_deref())?;
    Ok(match &place.endpoint {
        Some(endpoint) => cluster.reached_at(endpoint.clone()),
        None => cluster,
    })
}

/// A token sent to a stranger opens the cluster to the stranger. What EKS says is EKS; what Terraform gave out may
/// have been changed on the way, so that a person has to have named it.
fn trusted(cluster: Cluster, named: Option<&Endpoint>) -> Result<Cluster, WayError> {
    if named.is_some() || cluster.endpoint.is_of_eks(&cluster.region) {
        return Ok(cluster);
    }
    let Cluster { name, endpoint, region, .. } = cluster;
    Err(WayError::Stranger { cluster: name, endpoint: endpoint.to_string(), region })
}

fn check_account(cluster: &Cluster, expected: Option<&str>) -> Result<(), WayError> {
    let Some(expected) = expected.filter(|expected| Some(*expected) != cluster.account()) else {
        return Ok(());
    };
    Err(WayError::Account {
        cluster: cluster.name.clone(),
        found: cluster
            .account()
            .map_or("no known account".to_owned(), |account| format!("account {account}")),
        expected: expected.to_owned(),
    })
}

#[cfg(test)]
mod tests {
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
    fn rule_12_another_account_is_an_error() {
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
    fn rule_12_an_endpoint_of_a_stranger_has_to_be_named() {
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
