//! Credentials of a role, taken on when somebody asks for them.

use std::{collections::BTreeSet, fmt, time::SystemTime};

use aws_credential_types::{
    Credentials as Given,
    provider::{self, ProvideCredentials, error::CredentialsError, future},
};
use aws_sdk_sts::{
    Client,
    types::{Credentials, PolicyDescriptorType, Tag},
};
use aws_types::SdkConfig;

use super::settings::{AssumeRole, WebIdentity};

/// The session's name where none is written.
const SESSION: &str = "terraform-provider-ecr";

/// A role, and what it is taken on with.
pub(super) struct Role {
    sts: Client,
    how: How,
}

enum How {
    /// The credentials that the client has.
    Assume(AssumeRole),
    /// The token of an identity provider.
    WebIdentity(WebIdentity),
}

impl Role {
    /// Taken on with the credentials of a configuration.
    pub(super) fn assume(role: AssumeRole, config: &SdkConfig) -> Self {
        Self { sts: Client::new(config), how: How::Assume(role) }
    }

    /// Taken on with a token.
    pub(super) fn web_identity(role: WebIdentity, config: &SdkConfig) -> Self {
        Self { sts: Client::new(config), how: How::WebIdentity(role) }
    }

    async fn take_on(&self) -> provider::Result {
        match &self.how {
            How::Assume(role) => given(self.assumed(role).await?),
            How::WebIdentity(role) => given(self.with_token(role).await?),
        }
    }

    async fn assumed(&self, role: &AssumeRole) -> Result<Option<Credentials>, CredentialsError> {
        let tags = role.tags.iter().flatten();
        let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build());
        let tags = tags.collect::<Result<Vec<_>, _>>().map_err(CredentialsError::invalid_configuration)?;
        let keys = role.transitive_tag_keys.iter().flatten().cloned().collect::<Vec<_>>();
        let call = self
            .sts
            .assume_role()
            .role_arn(&role.role_arn)
            .role_session_name(role.session_name.as_deref().unwrap_or(SESSION))
            .set_external_id(role.external_id.clone())
            .set_duration_seconds(seconds(role.duration.as_ref()))
            .set_policy(role.policy.clone())
            .set_policy_arns(policies(role.policy_arns.as_ref()))
            .set_source_identity(role.source_identity.clone())
            .set_tags((!tags.is_empty()).then_some(tags))
            .set_transitive_tag_keys((!keys.is_empty()).then_some(keys));
        let answer = Box::pin(call.send()).await.map_err(CredentialsError::provider_error)?;
        Ok(answer.credentials)
    }

    async fn with_token(&self, role: &WebIdentity) -> Result<Option<Credentials>, CredentialsError> {
        let token = match (&role.web_identity_token, &role.web_identity_token_file) {
            (Some(token), _) => token.expose().clone(),
            (None, file) => {
                let read = tokio::fs::read_to_string(file.as_deref().unwrap_or_default()).await;
                read.map_err(CredentialsError::invalid_configuration)?.trim().to_owned()
            }
        };
        let call = self
            .sts
            .assume_role_with_web_identity()
            .role_arn(&role.role_arn)
            .role_session_name(role.session_name.as_deref().unwrap_or(SESSION))
            .web_identity_token(token)
            .set_duration_seconds(seconds(role.duration.as_ref()))
            .set_policy(role.policy.clone())
            .set_policy_arns(policies(role.policy_arns.as_ref()));
        let answer = Box::pin(call.send()).await.map_err(CredentialsError::provider_error)?;
        Ok(answer.credentials)
    }
}

fn seconds(duration: Option<&tfplugin_rs::GoDuration>) -> Option<i32> {
    duration.map(|duration| i32::try_from(duration.get().as_secs()).unwrap_or(i32::MAX))
}

fn policies(arns: Option<&BTreeSet<String>>) -> Option<Vec<PolicyDescriptorType>> {
    let policy = |arn: &String| PolicyDescriptorType::builder().arn(arn).build();
    arns.map(|arns| arns.iter().map(policy).collect())
}

fn given(credentials: Option<Credentials>) -> provider::Result {
    let given = credentials.ok_or_else(|| CredentialsError::unhandled("STS gives no credentials"))?;
    let end = SystemTime::try_from(given.expiration).map_err(CredentialsError::unhandled)?;
    let token = Some(given.session_token);
    Ok(Given::new(given.access_key_id, given.secret_access_key, token, Some(end), "provider settings"))
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arn = match &self.how {
            How::Assume(role) => &role.role_arn,
            How::WebIdentity(role) => &role.role_arn,
        };
        f.debug_tuple("Role").field(arn).finish()
    }
}

impl ProvideCredentials for Role {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.take_on())
    }
}
