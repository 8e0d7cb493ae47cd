//! The bearer token that an EKS cluster takes: a signed question to STS, "who am I?", that the cluster asks for us.
//!
//! The clock and the credentials are arguments. Nothing here is sent anywhere.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign},
    sign::v4,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ecr_registry::names::Partition;

use crate::{exit::Exit, failure::Explain};

const PREFIX: &str = "k8s-aws-v1.";
const CLUSTER_HEADER: &str = "x-k8s-aws-id";

/// STS accepts a signed question for 15 minutes; one less survives a clock that is a little off.
const LIFE: Duration = Duration::from_mins(14);
/// What is written into the URL. STS does not look at it, old authenticators want no more than 60.
const EXPIRES_PARAMETER: Duration = Duration::from_mins(1);
/// Authenticators refuse anything longer.
const LONGEST: usize = 4096;

/// A bearer token for one EKS cluster. Its text is a secret: `Debug` does not show it.
///
/// Shape: `k8s-aws-v1.` and the unpadded base64url of a presigned STS `GetCallerIdentity` URL whose signature covers
/// the cluster's name in the header `x-k8s-aws-id`.
///
/// Source: aws-iam-authenticator, `pkg/token/token.go`.
#[derive(Clone)]
pub(crate) struct Token {
    text: String,
    /// When a new one is needed: never later than the credentials that signed it.
    pub(crate) expires_at: SystemTime,
}

impl Token {
    /// What another process of ours has signed.
    pub(super) fn signed(text: String, expires_at: SystemTime) -> Self {
        Self { text, expires_at }
    }

    /// The token itself.
    pub(crate) fn expose(&self) -> &str {
        &self.text
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// No token can be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    /// The signer refused its input.
    #[error("cannot sign a token for cluster `{cluster}`")]
    Signing {
        /// The cluster's name.
        cluster: String,
        /// What it refused.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The session token of the credentials is very long.
    #[error("the token for cluster `{cluster}` has {length} bytes, and EKS takes no more than {LONGEST}")]
    TooLong {
        /// The cluster's name.
        cluster: String,
        /// Bytes.
        length: usize,
    },
}

impl Explain for TokenError {
    fn exit(&self) -> Exit {
        Exit::Access
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Signing { .. } => None,
            Self::TooLong { .. } => Some(
                "the session carries too many tags or policies: assume the role with fewer of them"
                    .to_owned(),
            ),
        }
    }
}

/// The STS host of a region, where clusters of that region ask. Never an endpoint that the environment names: the
/// cluster knows only the real ones.
fn sts_host(region: &str, fips: bool) -> String {
    let partition = Partition::of_region(region);
    // GovCloud's plain host is the FIPS one.
    let service = if fips && partition != Partition::AwsUsGov { "sts-fips" } else { "sts" };
    format!("{service}.{region}.{}", partition.suffix())
}

/// The same, with FIPS where the environment asks for it.
pub(crate) fn sts_host_of_environment(region: &str) -> String {
    let fips = std::env::var("AWS_USE_FIPS_ENDPOINT").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
    sts_host(region, fips)
}

/// Signs a token for `cluster` (its name; of a local cluster on Outposts its id).
pub(crate) fn token(
    credentials: &Credentials,
    cluster: &str,
    region: &str,
    sts_host: &str,
    now: SystemTime,
) -> Result<Token, TokenError> {
    let url = presign(credentials, cluster, region, sts_host, now)
        .map_err(|source| TokenError::Signing { cluster: cluster.to_owned(), source })?;
    let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(url));
    if text.len() > LONGEST {
        return Err(TokenError::TooLong { cluster: cluster.to_owned(), length: text.len() });
    }
    let expires_at = credentials.expiry().map_or(now + LIFE, |end| end.min(now + LIFE));
    Ok(Token { text, expires_at })
}

fn presign(
    credentials: &Credentials,
    cluster: &str,
    region: &str,
    sts_host: &str,
    now: SystemTime,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let url = format!("https://{sts_host}/?Action=GetCallerIdentity&Version=2011-06-15");
    let identity = credentials.clone().into();
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(EXPIRES_PARAMETER);
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("sts")
        .time(now)
        .settings(settings)
        .build()?
        .into();
    let headers = [(CLUSTER_HEADER, cluster)];
    let request = SignableRequest::new("GET", &url, headers.into_iter(), SignableBody::empty())?;
    let (instructions, _) = sign(request, &parameters)?.into_parts();
    let mut signed = http::Request::get(&url).body(())?;
    instructions.apply_to_request_http1x(&mut signed);
    Ok(signed.uri().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-02T03:04:05Z.
    fn noon() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045)
    }

    fn credentials(session: Option<&str>, expiry: Option<SystemTime>) -> Credentials {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        Credentials::new("AKIDEXAMPLE", secret, session.map(str::to_owned), expiry, "test")
    }

    fn url(token: &Token) -> url::Url {
        let encoded = token.expose().strip_prefix(PREFIX).unwrap();
        String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).unwrap()).unwrap().parse().unwrap()
    }

    fn check(host: &str, region: &str, session: Option<&str>, signature: &str) {
        let token = token(&credentials(session, None), "my-cluster", region, host, noon()).unwrap();
        let url = url(&token);
        let parameters: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let found =
            |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        assert_eq!(url.host_str(), Some(host));
        assert_eq!(found("X-Amz-Signature"), Some(signature), "{host}");
        assert_eq!(found("X-Amz-SignedHeaders"), Some("host;x-k8s-aws-id"));
        assert_eq!(found("X-Amz-Expires"), Some("60"));
        assert_eq!(found("X-Amz-Date"), Some("20260102T030405Z"));
        assert_eq!(found("X-Amz-Security-Token"), session);
        assert_eq!(
            parameters.len(),
            8 + usize::from(session.is_some()),
            "the authenticator refuses any other parameter"
        );
    }

    /// The signatures were computed by botocore.
    #[test]
    fn golden_signatures() {
        let session = Some("FwoGZ+/=tok");
        check(
            "sts.us-west-2.amazonaws.com",
            "us-west-2",
            session,
            "6dcd52bb3ed3161ad83e4ebb3d8c1a2b2ccdc15dce1c8534dd406c28ccab5453",
        );
        check(
            "sts-fips.us-east-1.amazonaws.com",
            "us-east-1",
            session,
            "00b6214e0ea0baeebb44a01106e9fb4c06f89e71650b9172649953c803682d4c",
        );
        check(
            "sts.amazonaws.com",
            "us-east-1",
            session,
            "1467dd9e87488549190cef8160849c5963518d8797dd641e48166772a23c01eb",
        );
        check(
            "sts.cn-north-1.amazonaws.com.cn",
            "cn-north-1",
            session,
            "137a6adc95fd08a2c6b5e4b2314b3931ec282d7593e22283793db7b02361886b",
        );
        check(
            "sts.us-west-2.api.aws",
            "us-west-2",
            session,
            "f98fb2e376f62d456d0e4aa6201588377bb906764b3454e8f908050c04a535cb",
        );
        check(
            "sts.us-west-2.amazonaws.com",
            "us-west-2",
            None,
            "fa5745ca09821615317a299e23602d9b952f6666992df2bedd9263dcc84e0154",
        );
    }

    #[test]
    fn lives_no_longer_than_its_credentials() {
        let check = |credentials_end: Option<u64>, expected: u64| {
            let end = credentials_end.map(|seconds| noon() + Duration::from_secs(seconds));
            let token =
                token(&credentials(None, end), "c", "us-east-1", "sts.us-east-1.amazonaws.com", noon())
                    .unwrap();
            assert_eq!(token.expires_at, noon() + Duration::from_secs(expected));
        };
        check(None, 14 * 60);
        check(Some(3600), 14 * 60);
        check(Some(600), 600);
    }

    #[test]
    fn refuses_what_the_cluster_would_refuse() {
        let long = credentials(Some(&"x".repeat(4000)), None);
        let error = token(&long, "c", "us-east-1", "sts.us-east-1.amazonaws.com", noon()).unwrap_err();
        assert!(error.to_string().starts_with("the token for cluster `c` has 58"), "{error}");
        assert!(
            token(&credentials(None, None), "a\nb", "us-east-1", "sts.us-east-1.amazonaws.com", noon())
                .is_err()
        );
    }

    #[test]
    fn hosts_of_every_partition() {
        let check = |region, fips, expected| assert_eq!(sts_host(region, fips), expected);
        check("eu-west-1", false, "sts.eu-west-1.amazonaws.com");
        check("us-east-2", true, "sts-fips.us-east-2.amazonaws.com");
        check("us-gov-west-1", true, "sts.us-gov-west-1.amazonaws.com");
        check("cn-north-1", false, "sts.cn-north-1.amazonaws.com.cn");
        check("eusc-de-east-1", false, "sts.eusc-de-east-1.amazonaws.eu");
        check("us-iso-east-1", false, "sts.us-iso-east-1.c2s.ic.gov");
    }

    #[test]
    fn debug_hides_the_token() {
        let token =
            token(&credentials(None, None), "c", "us-east-1", "sts.us-east-1.amazonaws.com", noon()).unwrap();
        assert!(!format!("{token:?}").contains(PREFIX));
    }
}
