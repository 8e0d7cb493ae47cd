//! What ECR says and how it is asked: the words, paths and answers that the front and the emulator have in common.
//!
//! All of it is pure, or keeps no more than a list. Where images lie and who may have them is for those two to know.

pub(crate) mod answer;
pub(crate) mod images;
pub mod ledger;
pub(crate) mod password;
pub(crate) mod route;

use std::time::Duration;

/// The prefix of every ECR action in `X-Amz-Target`.
pub(crate) const TARGET: &str = "AmazonEC2ContainerRegistry_V20150921.";
/// Documents are smaller than this: manifests, answers of the API. Layers are never read as a whole.
pub(crate) const MAX_DOCUMENT: usize = 32 << 20;
/// How long ECR's own passwords live.
pub const PASSWORD_LIFE: Duration = Duration::from_hours(12);

/// An account in a region: one private registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    /// Twelve digits.
    pub account: String,
    /// Such as `eu-central-1`.
    pub region: String,
}

impl Scope {
    /// The registry's host name.
    pub fn host(&self) -> String {
        format!("{}.dkr.ecr.{}.amazonaws.com", self.account, self.region)
    }

    /// The ARN that policies name.
    pub fn repository_arn(&self, repository: &str) -> String {
        format!("arn:aws:ecr:{}:{}:repository/{repository}", self.region, self.account)
    }
}

/// The action of an ECR API call.
pub(crate) fn action(headers: &http::HeaderMap) -> Option<&str> {
    headers.get("x-amz-target")?.to_str().ok()?.strip_prefix(TARGET)
}

/// Who says to have signed a request, in a `SigV4` header; whether the signature holds is another question.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Signer {
    pub(crate) key: String,
    pub(crate) region: String,
}

impl Signer {
    pub(crate) fn of(headers: &http::HeaderMap) -> Option<Self> {
        let header = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
        let credential = header.split_once("Credential=")?.1.split([',', ' ']).next()?;
        let mut parts = credential.split('/');
        let (key, region) = (parts.next()?, parts.nth(1)?);
        Some(Self { key: key.to_owned(), region: region.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http::header::AUTHORIZATION;

    use super::*;

    #[test]
    fn a_signer_is_read_from_the_header() {
        let check = |header: &str, expected: Option<(&str, &str)>| {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, header.parse().unwrap())]);
            let signer = Signer::of(&headers).map(|signer| (signer.key, signer.region));
            assert_eq!(signer, expected.map(|(key, region)| (key.to_owned(), region.to_owned())), "{header}");
        };
        let scope = "Credential=AKIA1/20261122/eu-west-1/ecr/aws4_request";
        check(
            &format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"),
            Some(("AKIA1", "eu-west-1")),
        );
        check(
            &format!("AWS4-HMAC-SHA256 SignedHeaders=host,{scope},Signature=0"),
            Some(("AKIA1", "eu-west-1")),
        );
        check("AWS4-HMAC-SHA256 Credential=AKIA1", None);
        check("Basic QVdTOng=", None);
    }

    #[test]
    fn a_scope_names_hosts_and_repositories() {
        let scope = Scope { account: "123456789012".into(), region: "eu-west-1".into() };
        assert_eq!(scope.host(), "123456789012.dkr.ecr.eu-west-1.amazonaws.com");
        assert_eq!(
            scope.repository_arn("shop/web"),
            "arn:aws:ecr:eu-west-1:123456789012:repository/shop/web"
        );
    }
}
