//! One EKS cluster: what it was called, and what is needed to talk to it.

use std::str::FromStr;

use aws_config::SdkConfig;
use aws_sdk_eks::{
    operation::describe_cluster::DescribeClusterError,
    types::{Cluster as Described, ClusterStatus},
};
use aws_sdk_sts::error::SdkError;

use ecr_registry::names::Partition;

use super::{
    endpoint::Endpoint,
    identity::{Reason, ServiceError},
};
use crate::{exit::Exit, failure::Explain};

/// How a cluster is named on the command line: a name, or an ARN that says region and account as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClusterName {
    /// The name within its account and region.
    pub(crate) name: String,
    /// The region, if the ARN said it.
    pub(crate) region: Option<String>,
    /// The account, 12 digits, if the ARN said it.
    pub(crate) account: Option<String>,
}

/// What was typed is no cluster.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "cluster `{0}` is neither a name (letters, digits, `-`, `_`; up to 100) nor an ARN (arn:aws:eks:REGION:ACCOUNT:cluster/NAME)"
)]
pub(crate) struct ClusterNameError(String);

impl FromStr for ClusterName {
    type Err = ClusterNameError;

    fn from_str(text: &str) -> Result<Self, ClusterNameError> {
        let error = || ClusterNameError(text.to_owned());
        if !text.starts_with("arn:") {
            return if is_name(text) {
                Ok(Self { name: text.to_owned(), region: None, account: None })
            } else {
                Err(error())
            };
        }
        match text.split(':').collect::<Vec<_>>()[..] {
            ["arn", _, "eks", region, account, resource] if !region.is_empty() && !account.is_empty() => {
                let name =
                    resource.strip_prefix("cluster/").filter(|name| is_name(name)).ok_or_else(error)?;
                Ok(Self {
                    name: name.to_owned(),
                    region: Some(region.to_owned()),
                    account: Some(account.to_owned()),
                })
            }
            _ => Err(error()),
        }
    }
}

fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=100).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(allowed)
}

/// A cluster that can be talked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cluster {
    /// Its name.
    pub(crate) name: String,
    /// Its ARN; a Terraform output may leave it out.
    pub(crate) arn: Option<String>,
    /// Its region.
    pub(crate) region: String,
    /// The API server.
    pub(crate) endpoint: Endpoint,
    /// The name in the API server's certificate, where it is not the endpoint's.
    pub(crate) server_name: Option<String>,
    /// The certificate authority of the API server: PEM in base64, as EKS gives it.
    pub(crate) certificate_authority: String,
    /// The id that a local cluster on Outposts signs tokens with, instead of its name.
    pub(crate) outpost_id: Option<String>,
    /// How the cluster knows identities: `API`, `API_AND_CONFIG_MAP` or `CONFIG_MAP`.
    pub(crate) authentication_mode: Option<String>,
}

impl Cluster {
    /// What tells it from all others: its ARN, or where that is not known its region and name.
    pub(crate) fn identity(&self) -> String {
        self.arn.clone().unwrap_or_else(|| format!("{}/{}", self.region, self.name))
    }

    /// The account that owns the cluster, where it is known.
    pub(crate) fn account(&self) -> Option<&str> {
        self.arn.as_ref()?.split(':').nth(4)
    }

    /// The partition of AWS that it is in.
    pub(crate) fn partition(&self) -> Partition {
        Partition::of_region(&self.region)
    }

    /// The same cluster, reached elsewhere: through a tunnel, by a name of one's own. It still has its certificate.
    pub(crate) fn reached_at(self, endpoint: Endpoint) -> Self {
        let server_name = (self.endpoint.host() != endpoint.host()).then(|| self.endpoint.host().to_owned());
        Self { endpoint, server_name, ..self }
    }

    /// What tokens are signed for, and the flag of `eks-deploy token` that takes it.
    pub(crate) fn token_name(&self) -> (&'static str, &str) {
        match &self.outpost_id {
            Some(id) => ("--cluster-id", id),
            None => ("--cluster-name", &self.name),
        }
    }
}

/// What is known of a cluster before EKS is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// What it is called.
    Name(ClusterName),
    /// Everything: EKS need not be asked.
    Whole(Cluster),
}

/// A cluster that cannot be talked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClusterError {
    /// EKS knows no such cluster.
    #[error("cluster `{name}` does not exist in region {region}")]
    NotFound {
        /// The name.
        name: String,
        /// Where EKS was asked.
        region: String,
    },
    /// It exists and does not take deployments in this state.
    #[error("cluster `{name}` in region {region} is {status}{issues}")]
    NotReady {
        /// The name.
        name: String,
        /// Its region.
        region: String,
        /// EKS' word.
        status: String,
        /// What EKS says is wrong with it, each on a line of its own.
        issues: String,
    },
    /// It is registered with EKS and runs elsewhere.
    #[error("cluster `{name}` is only registered with EKS: EKS has no endpoint for it")]
    Registered {
        /// The name.
        name: String,
    },
    /// A needed field is absent.
    #[error("EKS describes cluster `{name}` without {field}")]
    Incomplete {
        /// The name.
        name: String,
        /// The field, in EKS' words.
        field: &'static str,
    },
    /// EKS did not answer the question.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl Explain for ClusterError {
    fn exit(&self) -> Exit {
        Exit::Access
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { name, .. } => Some(format!(
                "clusters belong to one region and one account: check --region, and --profile or --role-arn; \
                 `aws eks describe-cluster --name {name}` shows the same"
            )),
            Self::NotReady { name, status, region, .. }
                if matches!(status.as_str(), "CREATING" | "PENDING") =>
            {
                Some(format!(
                    "wait until it is ACTIVE: aws eks wait cluster-active --name {name} --region {region}"
                ))
            }
            Self::NotReady { .. } | Self::Incomplete { .. } => None,
            Self::Registered { .. } => Some("deploy to it with plain helm and its own kubeconfig".to_owned()),
            Self::Service(error) => error.hint(),
        }
    }
}

/// Asks EKS for the cluster.
pub(crate) async fn describe(config: &SdkConfig, name: &str, region: &str) -> Result<Cluster, ClusterError> {
    match aws_sdk_eks::Client::new(config).describe_cluster().name(name).send().await {
        Ok(answer) => {
            let described =
                answer.cluster.ok_or(ClusterError::Incomplete { name: name.to_owned(), field: "cluster" })?;
            usable(name, region, described)
        }
        Err(SdkError::ServiceError(error))
            if matches!(error.err(), DescribeClusterError::ResourceNotFoundException(_)) =>
        {
            Err(ClusterError::NotFound { name: name.to_owned(), region: region.to_owned() })
        }
        Err(error) => Err(ServiceError {
            action: "eks:DescribeCluster",
            object: format!("cluster `{name}` in region {region}"),
            reason: Reason::of(&error),
        }
        .into()),
    }
}

fn usable(name: &str, region: &str, described: Described) -> Result<Cluster, ClusterError> {
    let name = name.to_owned();
    match described.status() {
        Some(ClusterStatus::Active | ClusterStatus::Updating) => {}
        status => {
            let issues =
                described.health().map(aws_sdk_eks::types::ClusterHealth::issues).unwrap_or_default();
            return Err(ClusterError::NotReady {
                name,
                region: region.to_owned(),
                status: status.map_or("in no known state", ClusterStatus::as_str).to_owned(),
                issues: issues.iter().map(issue_line).collect(),
            });
        }
    }
    if described.connector_config.is_some() {
        return Err(ClusterError::Registered { name });
    }
    let absent = |field| ClusterError::Incomplete { name: name.clone(), field };
    let endpoint = described.endpoint.and_then(|text| text.parse().ok()).ok_or_else(|| absent("endpoint"))?;
    let certificate_authority = described
        .certificate_authority
        .and_then(|authority| authority.data)
        .filter(|data| !data.is_empty())
        .ok_or_else(|| absent("certificateAuthority.data"))?;
    let outpost_id = described.outpost_config.and(described.id);
    let authentication_mode = described.access_config.and_then(|access| access.authentication_mode);
    Ok(Cluster {
        arn: Some(described.arn.ok_or_else(|| absent("arn"))?),
        region: region.to_owned(),
        endpoint,
        server_name: None,
        certificate_authority,
        outpost_id,
        authentication_mode: authentication_mode.map(|mode| mode.as_str().to_owned()),
        name,
    })
}

fn issue_line(issue: &aws_sdk_eks::types::ClusterIssue) -> String {
    let code = issue.code().map_or("", |code| code.as_str());
    format!("\n{code}: {}", issue.message().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use aws_sdk_eks::types::{
        Certificate, ClusterHealth, ClusterIssue, ClusterIssueCode, ConnectorConfigResponse,
    };

    use super::*;

    #[test]
    fn names() {
        let check = |text: &str, expected: Option<(&str, Option<&str>)>| {
            let got = text.parse::<ClusterName>();
            let got = got.as_ref().ok().map(|name| (name.name.as_str(), name.region.as_deref()));
            assert_eq!(got, expected, "{text}");
        };
        check("prod", Some(("prod", None)));
        check("a_b-1", Some(("a_b-1", None)));
        check("arn:aws:eks:eu-west-1:123456789012:cluster/prod", Some(("prod", Some("eu-west-1"))));
        check("", None);
        check("-x", None);
        check("a/b", None);
        check(&"x".repeat(101), None);
        check("arn:aws:eks:eu-west-1:123456789012:nodegroup/prod", None);
        check("arn:aws:ecs:eu-west-1:123456789012:cluster/prod", None);
        check("arn:aws:eks::123456789012:cluster/prod", None);
    }

    fn described(status: ClusterStatus) -> aws_sdk_eks::types::builders::ClusterBuilder {
        Described::builder()
            .name("prod")
            .arn("arn:aws:eks:eu-west-1:123456789012:cluster/prod")
            .status(status)
            .endpoint("https://a.example")
            .certificate_authority(Certificate::builder().data("Q0E=").build())
    }

    fn check(described: aws_sdk_eks::types::builders::ClusterBuilder, expected: &str) {
        match usable("prod", "eu-west-1", described.build()) {
            Ok(cluster) => {
                assert_eq!(format!("{} {}", cluster.endpoint, cluster.account().unwrap()), expected);
            }
            Err(error) => assert_eq!(error.to_string(), expected),
        }
    }

    #[test]
    fn elsewhere_it_has_the_same_certificate() {
        let check = |endpoint: &str, expected: Option<&str>| {
            let cluster = usable("prod", "eu-west-1", described(ClusterStatus::Active).build()).unwrap();
            let cluster = cluster.reached_at(endpoint.parse().unwrap());
            assert_eq!(cluster.endpoint.to_string(), endpoint);
            assert_eq!(cluster.server_name.as_deref(), expected);
        };
        check("https://localhost:8443", Some("a.example"));
        check("https://a.example:8443", None);
    }

    #[test]
    fn states() {
        check(described(ClusterStatus::Active), "https://a.example 123456789012");
        check(described(ClusterStatus::Updating), "https://a.example 123456789012");
        check(described(ClusterStatus::Creating), "cluster `prod` in region eu-west-1 is CREATING");
        let issue = ClusterIssue::builder().code(ClusterIssueCode::AccessDenied).message("no role").build();
        check(
            described(ClusterStatus::Failed).health(ClusterHealth::builder().issues(issue).build()),
            "cluster `prod` in region eu-west-1 is FAILED\nAccessDenied: no role",
        );
        check(
            described(ClusterStatus::Active).connector_config(ConnectorConfigResponse::builder().build()),
            "cluster `prod` is only registered with EKS: EKS has no endpoint for it",
        );
        check(
            described(ClusterStatus::Active).set_endpoint(None),
            "EKS describes cluster `prod` without endpoint",
        );
        check(
            described(ClusterStatus::Active).set_certificate_authority(None),
            "EKS describes cluster `prod` without certificateAuthority.data",
        );
    }
}
