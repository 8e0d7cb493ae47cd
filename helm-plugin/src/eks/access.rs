//! Why a cluster does not let us in, and what would.

use aws_config::SdkConfig;

use super::{
    cluster::Cluster,
    identity::{caller, principal},
};
use crate::{
    exit::Exit,
    failure::{Explain, Failure},
    helm::{explain::Trouble, session::HelmError},
};

/// The cluster refused us.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccessError {
    /// It does not know the identity, or the identity's signature is wrong: HTTP 401.
    #[error("cluster `{}` does not let {caller} in", cluster.name)]
    NotLetIn {
        /// The cluster.
        cluster: Cluster,
        /// The ARN that STS knows us by, or why STS does not say.
        caller: String,
        /// The namespace that was to be deployed to.
        namespace: String,
        /// Helm's words.
        #[source]
        source: HelmError,
    },
    /// It knows the identity, which may not do this: HTTP 403.
    #[error("{caller} may not do this in cluster `{}`", cluster.name)]
    Forbidden {
        /// The cluster.
        cluster: Cluster,
        /// The ARN that STS knows us by.
        caller: String,
        /// The namespace that was to be deployed to.
        namespace: String,
        /// Helm's words.
        #[source]
        source: HelmError,
    },
    /// Its API server does not answer.
    #[error("the API server of cluster `{}` cannot be reached at {}", cluster.name, cluster.endpoint)]
    Unreachable {
        /// The cluster.
        cluster: Cluster,
        /// Helm's words.
        #[source]
        source: HelmError,
    },
}

impl Explain for AccessError {
    fn exit(&self) -> Exit {
        Exit::Access
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotLetIn { cluster, caller, .. } if cluster.authentication_mode.as_deref() == Some("CONFIG_MAP") => {
                format!("map {} in the ConfigMap kube-system/aws-auth of the cluster", principal(caller))
            }
            Self::NotLetIn { cluster, caller, namespace, .. } => {
                format!(
                    "let an administrator of the cluster make an access entry:\n{}\n{}",
                    create_entry(cluster, caller),
                    associate_policy(cluster, caller, namespace)
                )
            }
            Self::Forbidden { cluster, caller, namespace, .. } => format!(
                "let an administrator of the cluster allow more, for example:\n{}",
                associate_policy(cluster, caller, namespace)
            ),
            Self::Unreachable { .. } => {
                "if the endpoint is private, run this inside the cluster's network; if it is public, this machine's \
                 address has to be among its allowed CIDRs"
                    .to_owned()
            }
        })
    }
}

fn create_entry(cluster: &Cluster, caller: &str) -> String {
    format!(
        "aws eks create-access-entry --cluster-name {} --region {} --principal-arn {}",
        cluster.name,
        cluster.region,
        principal(caller)
    )
}

fn associate_policy(cluster: &Cluster, caller: &str, namespace: &str) -> String {
    format!(
        "aws eks associate-access-policy --cluster-name {} --region {} --principal-arn {} --policy-arn \
         arn:{}:eks::aws:cluster-access-policy/AmazonEKSEditPolicy --access-scope \
         type=namespace,namespaces={namespace}",
        cluster.name,
        cluster.region,
        principal(caller),
        cluster.partition().name(),
    )
}

/// Turns what Helm said into what it means for this identity and this cluster.
pub(crate) async fn explain(
    source: HelmError,
    config: &SdkConfig,
    cluster: &Cluster,
    namespace: &str,
) -> Failure {
    let HelmError::Failed { trouble, .. } = &source else { return source.into() };
    let trouble = *trouble;
    let who = async || caller(config).await.unwrap_or_else(|error| format!("this identity ({error})"));
    let (cluster, namespace) = (cluster.clone(), namespace.to_owned());
    match trouble {
        Trouble::Unauthorized => {
            AccessError::NotLetIn { caller: who().await, cluster, namespace, source }.into()
        }
        Trouble::Forbidden => {
            AccessError::Forbidden { caller: who().await, cluster, namespace, source }.into()
        }
        Trouble::Unreachable => AccessError::Unreachable { cluster, source }.into(),
        Trouble::NoKind | Trouble::Pending | Trouble::Other => source.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helm::session::failed;

    fn cluster(mode: &str) -> Cluster {
        Cluster {
            name: "prod".to_owned(),
            arn: Some("arn:aws:eks:eu-west-1:123456789012:cluster/prod".to_owned()),
            region: "eu-west-1".to_owned(),
            endpoint: "https://a.example".parse().unwrap(),
            server_name: None,
            certificate_authority: String::new(),
            outpost_id: None,
            authentication_mode: Some(mode.to_owned()),
        }
    }

    #[test]
    fn says_which_entry_to_create() {
        let error = |mode: &str| AccessError::NotLetIn {
            cluster: cluster(mode),
            caller: "arn:aws:sts::123456789012:assumed-role/ci/run-1".to_owned(),
            namespace: "shop".to_owned(),
            source: failed("upgrade".to_owned(), "Error: Unauthorized"),
        };
        let message = "cluster `prod` does not let arn:aws:sts::123456789012:assumed-role/ci/run-1 in";
        assert_eq!(error("API").to_string(), message);
        let hint = error("API").hint().unwrap();
        let entry = "aws eks create-access-entry --cluster-name prod --region eu-west-1 --principal-arn \
                     arn:aws:iam::123456789012:role/ci\n";
        assert!(hint.contains(entry), "{hint}");
        assert!(hint.ends_with("--access-scope type=namespace,namespaces=shop"), "{hint}");
        assert_eq!(
            error("CONFIG_MAP").hint().unwrap(),
            "map arn:aws:iam::123456789012:role/ci in the ConfigMap kube-system/aws-auth of the cluster"
        );
    }
}
