//! Where an API server is reached, and whether that is one of Amazon EKS' own hosts.
//!
//! Whoever answers there gets a token, and can use it on the cluster until it ends. What EKS itself says is trusted;
//! any other source only as far as this goes.

use std::str::FromStr;

use ecr_registry::names::Partition;
use http::Uri;
use serde::Deserialize;

/// `https://HOST` or `https://HOST:PORT`, and nothing more.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Endpoint(Uri);

/// This is no endpoint.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not of the form https://HOST or https://HOST:PORT")]
pub(crate) struct EndpointError(String);

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '[' | ']' | ':');
        let authority = text.strip_prefix("https://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
        let authority = authority.filter(|authority| authority.chars().all(plain));
        let uri = authority.and_then(|authority| format!("https://{authority}").parse().ok());
        uri.filter(has_host_and_port).map(Self).ok_or_else(|| EndpointError(text.to_owned()))
    }
}

/// `Uri` takes any text for a port, and none.
fn has_host_and_port(uri: &Uri) -> bool {
    let (host, port) = (uri.host().unwrap_or_default(), uri.port_u16().map(|port| format!(":{port}")));
    uri.authority()
        .is_some_and(|all| !host.is_empty() && *all.as_str() == format!("{host}{}", port.unwrap_or_default()))
}

impl TryFrom<String> for Endpoint {
    type Error = EndpointError;

    fn try_from(text: String) -> Result<Self, EndpointError> {
        text.parse()
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "https://{}", self.0.authority().map_or("", |authority| authority.as_str()))
    }
}

impl Endpoint {
    /// The host, without the port.
    pub(crate) fn host(&self) -> &str {
        self.0.host().unwrap_or_default()
    }

    /// The port.
    pub(crate) fn port(&self) -> u16 {
        self.0.port_u16().unwrap_or(443)
    }

    /// Whether EKS gives out hosts like this one in the region.
    ///
    /// Source: Amazon EKS user guide, "Cluster API server endpoint".
    pub(crate) fn is_of_eks(&self, region: &str) -> bool {
        let partition = Partition::of_region(region);
        // Of both IP families; the region stands before `api`, since that suffix is everyone's.
        let both = match partition {
            Partition::AwsCn => "api.amazonwebservices.com.cn",
            _ => "api.aws",
        };
        let host = self.host().to_ascii_lowercase();
        host.ends_with(&format!(".{region}.eks.{}", partition.suffix()))
            || host.ends_with(&format!(".eks-cluster.{region}.{both}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let check = |text: &str, expected: Option<&str>| {
            let got = text.parse::<Endpoint>().ok().map(|endpoint| endpoint.to_string());
            assert_eq!(got.as_deref(), expected, "{text}");
        };
        check(
            "https://A1.gr7.eu-west-1.eks.amazonaws.com",
            Some("https://A1.gr7.eu-west-1.eks.amazonaws.com"),
        );
        check("https://127.0.0.1:6443/", Some("https://127.0.0.1:6443"));
        check("https://[::1]:6443", Some("https://[::1]:6443"));
        check("http://a.example", None);
        check("https://", None);
        check("https://a.example/path", None);
        check("https://a.example?b", None);
        check("https://a.example#.eks.amazonaws.com", None);
        check("https://a.example%2f.eks.amazonaws.com", None);
        check("https://user@a.example", None);
        check("https://a.example\\.eks.amazonaws.com", None);
        check("https://a.example:port", None);
        check("https://a.example:", None);
        check("https://:443", None);
        check("a.example", None);
    }

    #[test]
    fn hosts_of_eks() {
        let check = |host: &str, region: &str, expected: bool| {
            let endpoint: Endpoint = format!("https://{host}").parse().unwrap();
            assert_eq!(endpoint.is_of_eks(region), expected, "{host} in {region}");
        };
        check("A1.gr7.eu-west-1.eks.amazonaws.com", "eu-west-1", true);
        check("A1.gr7.eu-west-1.eks.amazonaws.com:443", "eu-west-1", true);
        check("a1.eks-cluster.eu-west-1.api.aws", "eu-west-1", true);
        check("a1.sk1.cn-north-1.eks.amazonaws.com.cn", "cn-north-1", true);
        check("a1.eks-cluster.cn-north-1.api.amazonwebservices.com.cn", "cn-north-1", true);
        check("a1.gr7.eusc-de-east-1.eks.amazonaws.eu", "eusc-de-east-1", true);
        check("a1.gr7.eu-west-1.eks.amazonaws.com.example", "eu-west-1", false);
        check("a1.gr7.eu-west-1.xeks.amazonaws.com", "eu-west-1", false);
        check("a1.gr7.us-east-1.eks.amazonaws.com", "eu-west-1", false);
        check("a1.execute-api.eu-west-1.api.aws", "eu-west-1", false);
        check("127.0.0.1:6443", "eu-west-1", false);
    }
}
