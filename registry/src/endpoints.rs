//! Where a registry is reached, when that is not where its name says.

use std::collections::BTreeMap;

use url::Url;

use crate::names::{Host, NameError};

/// The variable with mappings for both programs, `host=url,host=url`.
pub const ENDPOINTS_VARIABLE: &str = "EKS_DEPLOY_REGISTRY_ENDPOINTS";

/// Registry hosts that are reached somewhere else: a private link, a proxy, a laboratory.
///
/// The name of a host stays what it is in references, credentials and messages; only connections go elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints(BTreeMap<Host, Url>);

/// A mapping that is not `host = http(s)://host[:port][/prefix]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The part before the equals sign.
    #[error("registry endpoint `{endpoint}` is given for something that is no host")]
    Host {
        /// The endpoint given.
        endpoint: String,
        /// What is wrong with the host.
        #[source]
        cause: NameError,
    },
    /// The URL.
    #[error("endpoint `{endpoint}` of registry `{host}` {problem}")]
    Url {
        /// The registry.
        host: String,
        /// The endpoint given.
        endpoint: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Text without an equals sign.
    #[error("registry endpoint `{0}` is not of the form host=url")]
    Form(String),
}

impl Endpoints {
    /// Reads a map of host to `http(s)://host[:port][/prefix]`.
    pub fn parse<'a>(map: impl IntoIterator<Item = (&'a String, &'a String)>) -> Result<Self, EndpointError> {
        let entries = map.into_iter().map(|(host, endpoint)| entry(host, endpoint));
        entries.collect::<Result<_, _>>().map(Self)
    }

    /// Reads the text of [`ENDPOINTS_VARIABLE`], `host=url,host=url`; empty parts are skipped.
    pub fn parse_text(text: &str) -> Result<Self, EndpointError> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let entries = parts.map(|part| {
            let (host, endpoint) =
                part.split_once('=').ok_or_else(|| EndpointError::Form(part.to_owned()))?;
            entry(host.trim(), endpoint.trim())
        });
        entries.collect::<Result<_, _>>().map(Self)
    }

    /// These mappings, and those of `other` for hosts that have none here.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        for (host, url) in other.0 {
            self.0.entry(host).or_insert(url);
        }
        self
    }

    /// Whether this host is reached somewhere else.
    pub fn has(&self, host: &Host) -> bool {
        self.0.contains_key(host)
    }

    /// Where the host is reached: the base to which `v2/…` is added; it ends in a slash.
    ///
    /// Without a mapping that is `https://host/`, and `http://host/` for this very machine.
    ///
    /// # Panics
    ///
    /// Never: a [`Host`] is parsed as part of a URL.
    pub fn base(&self, host: &Host) -> Url {
        if let Some(url) = self.0.get(host) {
            return url.clone();
        }
        let text = if host.is_docker_hub() {
            "https://registry-1.docker.io/".to_owned()
        } else if host.is_loopback() {
            format!("http://{host}/")
        } else {
            format!("https://{host}/")
        };
        Url::parse(&text).expect("a host is parsed as part of a URL")
    }
}

fn entry(host: &str, endpoint: &str) -> Result<(Host, Url), EndpointError> {
    let name = host.parse().map_err(|cause| EndpointError::Host { endpoint: endpoint.to_owned(), cause })?;
    let problem =
        |problem| EndpointError::Url { host: host.to_owned(), endpoint: endpoint.to_owned(), problem };
    let mut url =
        Url::parse(endpoint).map_err(|_| problem("is not a URL such as https://host:port/prefix"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(problem("starts with neither http:// nor https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(problem("has a user or password, which belong elsewhere"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(problem("has a query or a fragment"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{path}/"));
    Ok((name, url))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ECR: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";

    #[test]
    fn bases() {
        let check = |text: &str, host: &str, expected: &str| {
            let endpoints = Endpoints::parse_text(text).unwrap();
            assert_eq!(endpoints.base(&host.parse().unwrap()).as_str(), expected, "{text}");
        };
        check("", ECR, &format!("https://{ECR}/"));
        check("", "docker.io", "https://registry-1.docker.io/");
        check("", "localhost:5000", "http://localhost:5000/");
        check("", "[::1]:5000", "http://[::1]:5000/");
        check("", "my_registry", "https://my_registry/");
        check(&format!("{ECR}=http://127.0.0.1:4566"), ECR, "http://127.0.0.1:4566/");
        check(&format!(" {ECR} = https://proxy/ecr/ , "), ECR, "https://proxy/ecr/");
        check(&format!("{ECR}=https://proxy/a/b"), ECR, "https://proxy/a/b/");
        check("docker.io=http://127.0.0.1:1", "docker.io", "http://127.0.0.1:1/");
        check("localhost:5000=https://localhost:5001", "localhost:5000", "https://localhost:5001/");
    }

    #[test]
    fn refuses() {
        let check = |text: &str, expected: &str| {
            assert_eq!(Endpoints::parse_text(text).unwrap_err().to_string(), expected);
        };
        check("x.io", "registry endpoint `x.io` is not of the form host=url");
        check("x/y=http://a", "registry endpoint `http://a` is given for something that is no host");
        check("x.io=a", "endpoint `a` of registry `x.io` is not a URL such as https://host:port/prefix");
        check(
            "x.io=ftp://a",
            "endpoint `ftp://a` of registry `x.io` starts with neither http:// nor https://",
        );
        check(
            "x.io=http://u:p@a",
            "endpoint `http://u:p@a` of registry `x.io` has a user or password, which belong elsewhere",
        );
        check("x.io=http://a?b=c", "endpoint `http://a?b=c` of registry `x.io` has a query or a fragment");
    }

    #[test]
    fn own_mappings_go_first() {
        let own = Endpoints::parse([(&"a.io".to_owned(), &"http://one".to_owned())]).unwrap();
        let merged = own.or(Endpoints::parse_text("a.io=http://two,b.io=http://two").unwrap());
        assert_eq!(merged.base(&"a.io".parse().unwrap()).as_str(), "http://one/");
        assert_eq!(merged.base(&"b.io".parse().unwrap()).as_str(), "http://two/");
        assert!(!merged.has(&"c.io".parse().unwrap()));
    }
}
