//! Which AWS identity acts: where its credentials come from, and what AWS answers when they do not do.
//!
//! The order of sources is the SDK's, with one difference that people expect from the AWS CLI: a profile that was
//! asked for by name wins over keys in the environment.

use std::{error::Error, time::Duration};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider,
    profile::ProfileFileCredentialsProvider, sts::AssumeRoleProvider, timeout::TimeoutConfig,
};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError},
};
use aws_sdk_sts::error::{ErrorMetadata, ProvideErrorMetadata, SdkError};

use crate::{exit::Exit, failure::Explain};

const SESSION_NAME: &str = "eks-deploy";
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where credentials come from, as far as it was said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    /// A profile of the AWS configuration files.
    pub(crate) profile: Option<String>,
    /// A role to assume with them.
    pub(crate) role_arn: Option<String>,
}

impl Identity {
    /// The credentials of this identity.
    ///
    /// Keys in the environment are taken without loading anything else: Kubernetes clients ask for a token up to
    /// seven times per command.
    pub(crate) async fn credentials(&self, region: &str) -> Result<Credentials, IdentityError> {
        if *self == Self::default()
            && let Ok(credentials) = EnvironmentVariableCredentialsProvider::new().provide_credentials().await
        {
            return Ok(credentials);
        }
        credentials_of(&self.config(region).await, self).await
    }

    /// The configuration that every AWS client of this process is made from.
    pub(crate) async fn config(&self, region: &str) -> SdkConfig {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(CALL_TIMEOUT)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .timeout_config(timeouts);
        if let Some(profile) = &self.profile {
            let provider = ProfileFileCredentialsProvider::builder().profile_name(profile).build();
            loader = loader.profile_name(profile).credentials_provider(provider);
        }
        let base = loader.load().await;
        let Some(role) = &self.role_arn else { return base };
        let provider =
            AssumeRoleProvider::builder(role).session_name(SESSION_NAME).configure(&base).build().await;
        base.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build()
    }

    /// The region that the profile names, if any.
    pub(crate) async fn profile_region(&self) -> Option<String> {
        use aws_config::{meta::region::ProvideRegion as _, profile::ProfileFileRegionProvider};
        let mut provider = ProfileFileRegionProvider::builder();
        if let Some(profile) = &self.profile {
            provider = provider.profile_name(profile);
        }
        provider.build().region().await.map(|region| region.to_string())
    }
}

/// Asks the sources of `config` for credentials, so that a lack of them is not found out in the middle of a call.
pub(crate) async fn credentials_of(
    config: &SdkConfig,
    identity: &Identity,
) -> Result<Credentials, IdentityError> {
    let provider = config.credentials_provider().ok_or(IdentityError::NoCredentials { source: None })?;
    provider.provide_credentials().await.map_err(|error| match error {
        CredentialsError::CredentialsNotLoaded(_) => {
            IdentityError::NoCredentials { source: Some(Cause::of(&error)) }
        }
        _ => IdentityError::Unusable {
            profile: identity.profile.clone(),
            role_arn: identity.role_arn.clone(),
            source: Cause::of(&error),
        },
    })
}

/// What lies at the bottom of an error of the AWS SDK. The layers above it say how the SDK is built.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Cause(String);

impl Cause {
    fn of(error: &(dyn Error + 'static)) -> Self {
        let mut bottom = error;
        while let Some(cause) = bottom.source() {
            bottom = cause;
        }
        let answer = bottom.downcast_ref::<ErrorMetadata>();
        Self(answer.map_or_else(|| bottom.to_string(), |answer| Reason::of_answer(answer).to_string()))
    }
}

/// There are no credentials.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentityError {
    /// No source had any.
    #[error("no AWS credentials found")]
    NoCredentials {
        /// What the sources said.
        #[source]
        source: Option<Cause>,
    },
    /// A source had some and failed to give them.
    #[error("{} gives no AWS credentials", source_name(profile.as_deref(), role_arn.as_deref()))]
    Unusable {
        /// The profile that was asked for.
        profile: Option<String>,
        /// The role that was asked for.
        role_arn: Option<String>,
        /// What it said.
        #[source]
        source: Cause,
    },
}

fn source_name(profile: Option<&str>, role_arn: Option<&str>) -> String {
    match (role_arn, profile) {
        (Some(role), _) => format!("role `{role}`"),
        (None, Some(profile)) => format!("profile `{profile}`"),
        (None, None) => "the configured source".to_owned(),
    }
}

impl Explain for IdentityError {
    fn exit(&self) -> Exit {
        Exit::Access
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoCredentials { .. } => {
                "set AWS_PROFILE or pass --profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                    .to_owned()
            }
            Self::Unusable { role_arn: Some(role), .. } => {
                format!(
                    "the identity needs sts:AssumeRole on `{role}`, and the role's trust policy must name the identity"
                )
            }
            Self::Unusable { profile, .. } => {
                let name = profile.as_deref().unwrap_or("default");
                format!("check the profile; if it signs in by SSO: aws sso login --profile {name}")
            }
        })
    }
}

/// An AWS service did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("{action} failed for {object}")]
pub(crate) struct ServiceError {
    /// The IAM action.
    pub(crate) action: &'static str,
    /// What it was asked for, with its region.
    pub(crate) object: String,
    /// Why.
    #[source]
    pub(crate) reason: Reason,
}

/// Why an AWS service did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Reason {
    /// The identity is known and may not do this.
    #[error("access denied: {0}")]
    Denied(String),
    /// The credentials have ended.
    #[error("the credentials have expired: {0}")]
    Expired(String),
    /// The credentials are not valid.
    #[error("the credentials were refused: {0}")]
    Refused(String),
    /// The service could not be reached, or did not answer in time.
    #[error("no answer: {0}")]
    NoAnswer(Cause),
    /// Something answered that does not speak as AWS does.
    #[error("what answered is not AWS")]
    Foreign,
    /// Another answer, in the service's words.
    #[error("{code}: {message}")]
    Answer {
        /// The service's code.
        code: String,
        /// The service's words.
        message: String,
    },
}

impl Reason {
    /// Reads the reason from what the SDK returned.
    pub(crate) fn of<E>(error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        match error.raw_response() {
            Some(_) => Self::of_answer(error.meta()),
            None => Self::NoAnswer(Cause::of(error)),
        }
    }

    fn of_answer(answer: &ErrorMetadata) -> Self {
        let Some(code) = answer.code() else { return Self::Foreign };
        Self::from_answer(code.to_owned(), answer.message().unwrap_or("no message").to_owned())
    }

    fn from_answer(code: String, message: String) -> Self {
        match code.as_str() {
            "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => Self::Denied(message),
            "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => Self::Expired(message),
            "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "SignatureDoesNotMatch"
            | "InvalidSignatureException"
            | "IncompleteSignature"
            | "MissingAuthenticationToken" => Self::Refused(format!("{message} ({code})")),
            _ => Self::Answer { code, message },
        }
    }
}

impl Explain for ServiceError {
    fn exit(&self) -> Exit {
        Exit::Access
    }

    fn hint(&self) -> Option<String> {
        Some(match &self.reason {
            Reason::Denied(_) => format!("allow `{}` on {} to this identity", self.action, self.object),
            Reason::Expired(_) => "sign in again, or renew the credentials of this job".to_owned(),
            Reason::Refused(_) => {
                "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile; a wrong clock has the same effect"
                    .to_owned()
            }
            Reason::NoAnswer(_) | Reason::Foreign => {
                "check the network, a proxy, the region and AWS_ENDPOINT_URL".to_owned()
            }
            Reason::Answer { .. } => return None,
        })
    }
}

/// The ARN that STS knows us by.
pub(crate) async fn caller(config: &SdkConfig) -> Result<String, ServiceError> {
    let answer = aws_sdk_sts::Client::new(config).get_caller_identity().send().await;
    let answer = answer.map_err(|error| ServiceError {
        action: "sts:GetCallerIdentity",
        object: "these credentials".to_owned(),
        reason: Reason::of(&error),
    })?;
    Ok(answer.arn.unwrap_or_default())
}

/// The principal that an access entry names: of an assumed role the role itself, without its session.
pub(crate) fn principal(caller: &str) -> String {
    let Some((head, rest)) = caller.split_once(":assumed-role/") else { return caller.to_owned() };
    let role = rest.split_once('/').map_or(rest, |(role, _session)| role);
    format!("{}:role/{role}", head.replacen(":sts:", ":iam:", 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals() {
        let check = |caller: &str, expected: &str| assert_eq!(principal(caller), expected);
        check("arn:aws:iam::123456789012:user/ann", "arn:aws:iam::123456789012:user/ann");
        check("arn:aws:sts::123456789012:assumed-role/ci/run-7", "arn:aws:iam::123456789012:role/ci");
        check("arn:aws-cn:sts::123456789012:assumed-role/ci/a", "arn:aws-cn:iam::123456789012:role/ci");
    }

    #[test]
    fn an_error_of_the_sdk_is_its_innermost_cause() {
        let check = |bottom: Box<dyn Error + Send + Sync>, expected: &str| {
            let middle = SdkError::<CredentialsError>::construction_failure(bottom);
            assert_eq!(Cause::of(&CredentialsError::provider_error(middle)).to_string(), expected);
        };
        let answer = ErrorMetadata::builder().code("AccessDenied").message("no").build();
        check("refused".into(), "refused");
        check(Box::new(answer), "access denied: no");
        check(Box::new(ErrorMetadata::builder().build()), "what answered is not AWS");
    }

    #[test]
    fn reasons() {
        let check = |code: &str, expected: &str| {
            assert_eq!(Reason::from_answer(code.to_owned(), "words".to_owned()).to_string(), expected);
        };
        check("AccessDeniedException", "access denied: words");
        check("ExpiredTokenException", "the credentials have expired: words");
        check("InvalidSignatureException", "the credentials were refused: words (InvalidSignatureException)");
        check("ThrottlingException", "ThrottlingException: words");
    }
}
